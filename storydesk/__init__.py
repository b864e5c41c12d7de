"""The desktop app: Qt lives only in bridge/ and ui/, torch nowhere."""

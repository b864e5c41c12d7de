"""The desktop app: Qt lives only in bridge/ and ui/, torch nowhere."""

import os

# Nothing leaves the machine: onnxruntime reports to its maker unless it is told not to before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

"""Settings that live in memory."""

from __future__ import annotations

from storydesk.domain.settings import Setting, V, Value


class MemorySettings:
    """A SettingsStore without a file."""

    def __init__(self) -> None:
        """Start with the defaults."""
        self.values: dict[str, Value] = {}

    def get(self, setting: Setting[V]) -> V:
        """Return the value or the default."""
        return setting.accept(self.values.get(setting.key, setting.default))

    def set(self, setting: Setting[V], value: V) -> None:
        """Remember the value."""
        self.values[setting.key] = setting.accept(value)

"""What a choice of settings is called: what differs from the app's own."""

from __future__ import annotations

from collections.abc import Mapping


def name_settings(settings: Mapping[str, float]) -> str:
    """Return settings in words, such as ``temperature 0.9, top p 0.95``; ``usual settings`` where nothing is set."""
    parts = [f"{name.replace('_', ' ')} {value:g}" for name, value in settings.items()]
    return ", ".join(parts) or "usual settings"

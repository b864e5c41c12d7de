"""The keys that answer a suggestion while one is on show: take all of it, a sentence, a word, or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtGui import QKeyEvent, QKeySequence

HARMLESS = "dismiss_ghost"
"""The answer that a page which may not be written on gives too."""


class GhostKeys:
    """What each key does with a page's ghost. GUI thread."""

    def __init__(self) -> None:
        """Answer to nothing yet."""
        self._keys: dict[str, str] = {}
        self._answers: dict[str, Callable[[], object]] = {}

    def add(self, name: str, key: str, answer: Callable[[], object]) -> None:
        """Answer to a key; ``name`` is the action's."""
        self._keys[name] = key
        self._answers[name] = answer

    def hear(self, keys: Mapping[str, str]) -> None:
        """Answer to these keys, by what they do (``accept_ghost`` ...); the rest stay as they are."""
        self._keys |= {name: key for name, key in keys.items() if name in self._answers}

    def answer(self, event: QKeyEvent, *, writes: bool = True) -> bool:
        """Do what this key is for; return whether it is for anything."""
        pressed = QKeySequence(event.keyCombination()).toString()
        name = next((name for name, key in self._keys.items() if key and key == pressed), "")
        if not name or (not writes and name != HARMLESS):
            return False
        self._answers[name]()
        return True

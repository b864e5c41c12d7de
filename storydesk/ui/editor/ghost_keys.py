"""The keys that answer a suggestion while one is on show: take all of it, a sentence, a word, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from PySide6.QtGui import QKeyEvent, QKeySequence

if TYPE_CHECKING:
    from storydesk.ui.editor.page import PageEdit

USUAL = {
    "accept_ghost": "Tab",
    "accept_word": "Ctrl+Right",
    "accept_sentence": "Ctrl+Shift+Right",
    "dismiss_ghost": "Esc",
}


class GhostKeys:
    """Does with a page's ghost what a key is for. GUI thread."""

    def __init__(self, page: PageEdit) -> None:
        """Answer to the usual keys."""
        self._page = page
        self._keys = dict(USUAL)
        self._answers = {
            "accept_ghost": page.accept_ghost,
            "accept_word": page.accept_ghost_word,
            "accept_sentence": page.accept_ghost_sentence,
            "dismiss_ghost": page.drop_ghost,
        }

    def hear(self, keys: Mapping[str, str]) -> None:
        """Answer to these keys, by what they do; the rest stay as they are."""
        self._keys |= {name: key for name, key in keys.items() if name in self._answers}

    def answer(self, event: QKeyEvent) -> bool:
        """Do what this key is for; return whether it is for anything."""
        pressed = QKeySequence(event.keyCombination()).toString()
        name = next((name for name, key in self._keys.items() if key and key == pressed), "")
        if not name or (self._page.isReadOnly() and name != "dismiss_ghost"):
            return False
        self._answers[name]()
        return True

"""Typographic signs at the keyboard: typed plainly first, so that Backspace or Undo brings the plain sign back."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QTextCursor
from PySide6.QtWidgets import QTextEdit

from storydesk.domain.smart_typing import SIGNS, Manners, make_smart


@dataclass(frozen=True, slots=True)
class _Made:
    end: int
    made: str
    plain: str
    revision: int


class SmartKeys:
    """Watches the keys of one editor. GUI thread."""

    def __init__(self, page: QTextEdit) -> None:
        """Begin switched off."""
        self._page = page
        self._manners: Manners | None = None
        self._made: _Made | None = None

    def set_manners(self, manners: Manners | None) -> None:
        """Write as a language does; None types what the keys say."""
        self._manners = manners
        self._made = None

    def handle(self, event: QKeyEvent) -> bool:
        """Say whether a key was dealt with here."""
        if event.key() == Qt.Key.Key_Backspace and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            return self._take_back()
        held = event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.MetaModifier)
        sign = event.text()
        if self._manners is None or held or len(sign) != 1 or sign not in SIGNS or self._page.isReadOnly():
            return False
        return self._type(sign, self._manners)

    def _type(self, sign: str, manners: Manners) -> bool:
        cursor = self._page.textCursor()
        start = cursor.selectionStart()
        block = cursor.document().findBlock(start)
        before = block.text().encode("utf-16-le", "surrogatepass")[: (start - block.position()) * 2]
        change = make_smart(before.decode("utf-16-le", "surrogatepass"), sign, manners)
        if change is None:
            return False
        cursor.insertText(sign)
        plain_end = cursor.position()
        cursor.setPosition(plain_end - len(sign) - change.removed)
        plain = _select(cursor, plain_end)
        cursor.beginEditBlock()
        cursor.insertText(change.text)
        cursor.endEditBlock()
        self._page.setTextCursor(cursor)
        self._page.ensureCursorVisible()
        self._made = _Made(cursor.position(), change.text, plain, cursor.document().revision())
        return True

    def _take_back(self) -> bool:
        made, self._made = self._made, None
        cursor = self._page.textCursor()
        if made is None or cursor.hasSelection() or cursor.position() != made.end:
            return False
        if made.revision != cursor.document().revision():
            return False
        cursor.setPosition(made.end - len(made.made))
        if _select(cursor, made.end) != made.made:
            return False
        cursor.beginEditBlock()
        cursor.insertText(made.plain)
        cursor.endEditBlock()
        self._page.setTextCursor(cursor)
        return True


def _select(cursor: QTextCursor, end: int) -> str:
    cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
    return cursor.selectedText()

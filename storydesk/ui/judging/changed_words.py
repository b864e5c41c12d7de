"""Two texts beside each other: what one has and the other has not, marked in both."""

from __future__ import annotations

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from storydesk.domain.comparison import compare_texts
from storydesk.ui.theme import current_tokens

MOST_CHARACTERS = 12_000
"""Of both texts together; longer ones would keep the window waiting."""
MOST_CHANGED = 0.6
"""Texts that differ in more than this share are two texts, and not one that was changed."""


def mark_changes(old: QPlainTextEdit, new: QPlainTextEdit) -> None:
    """Strike out what only the old text has and underline what only the new one has, where they are alike at all."""
    first, second = old.toPlainText(), new.toPlainText()
    gone: list[tuple[int, int]] = []
    come: list[tuple[int, int]] = []
    if first and second and len(first) + len(second) <= MOST_CHARACTERS:
        found = compare_texts(first, second)
        changed = sum(each.old_end - each.old_start + each.new_end - each.new_start for each in found)
        if changed <= MOST_CHANGED * (len(first) + len(second)):
            gone = [(each.old_start, each.old_end) for each in found]
            come = [(each.new_start, each.new_end) for each in found]
    struck, underlined = QTextCharFormat(), QTextCharFormat()
    tokens = current_tokens()
    for form in (struck, underlined):
        form.setBackground(QColor(tokens.accent_soft))
        form.setForeground(QColor(tokens.ink))
    struck.setFontStrikeOut(True)
    underlined.setFontUnderline(True)
    old.setExtraSelections(_select(old, gone, struck))
    new.setExtraSelections(_select(new, come, underlined))


def _select(
    text: QPlainTextEdit, places: list[tuple[int, int]], form: QTextCharFormat
) -> list[QTextEdit.ExtraSelection]:
    """Return places (code points) as Qt marks them (UTF-16 units)."""
    words = text.toPlainText()
    selections = []
    for start, end in places:
        if start == end:
            continue
        selection = QTextEdit.ExtraSelection()
        cursor = QTextCursor(text.document())
        cursor.setPosition(_units(words[:start]))
        cursor.setPosition(_units(words[:end]), QTextCursor.MoveMode.KeepAnchor)
        selection.cursor = cursor
        selection.format = form
        selections.append(selection)
    return selections


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2

"""Labels as every place needs them."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


def make_label(
    text: str = "", role: str = "", parent: QWidget | None = None, *, wrap: bool = True, selectable: bool = False
) -> QLabel:
    """Return a plain-text label in one of the style sheet's roles, wrapping where there is little room."""
    label = QLabel(text, parent)
    label.setTextFormat(Qt.TextFormat.PlainText)  # titles and file names are the writer's, never markup
    label.setProperty("role", role)
    label.setWordWrap(wrap)
    if selectable:
        label.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return label

"""Keys that a page hears wherever in it the focus is; a field that takes letters still gets its letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


def hear(page: QWidget, keys: Iterable[str], slot: Callable[[], object]) -> None:
    """Let keys do something; a key that is held down does it once."""
    for key in keys:
        shortcut = QShortcut(QKeySequence(key), page, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(lambda: slot())

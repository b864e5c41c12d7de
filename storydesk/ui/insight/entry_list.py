"""A list of findings to go to: one click or Enter goes to the place, another one to the next."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from storydesk.bridge.insight_item_model import PAYLOAD, Entry, InsightItemModel
from storydesk.ui.theme import SPACE_S

FEWEST_LINES = 3
"""What is seen of a list where the screen is small; the tab itself scrolls there."""


class EntryList(QListView):
    """Shows entries and says which one the writer wants to go to. GUI thread."""

    entry_wanted = Signal(object, int)
    """The payload, and 1 for its next place or -1 for the one before."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Begin empty; ``name`` is for screen readers."""
        super().__init__(parent)
        self.items = InsightItemModel(self)
        self.setModel(self.items)
        self.setAccessibleName(name)
        self.setUniformItemSizes(True)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setMinimumHeight(FEWEST_LINES * (self.fontMetrics().lineSpacing() + 2 * SPACE_S))
        self.clicked.connect(self._on_clicked)

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these; what was chosen stays chosen where it is still there."""
        chosen = self.currentIndex().data(Qt.ItemDataRole.DisplayRole)
        row = self.currentIndex().row()
        top = self.verticalScrollBar().value()
        if not self.items.show(entries) or row < 0:
            return
        same = (number for number, entry in enumerate(entries) if entry.text == chosen)
        self.setCurrentIndex(self.items.index(next(same, min(row, len(entries) - 1))))
        self.verticalScrollBar().setValue(top)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the place with Enter, back with Shift."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._want(self.currentIndex(), -1 if back else 1)
            return
        super().keyPressEvent(event)

    def _on_clicked(self, index: QModelIndex) -> None:
        self._want(index, 1)

    def _want(self, index: QModelIndex, step: int) -> None:
        payload = index.data(PAYLOAD)
        if payload is not None:
            self.entry_wanted.emit(payload, step)

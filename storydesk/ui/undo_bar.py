"""A line that says what has just gone, and offers to bring it back for a while."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from storydesk.ui.theme import make_label
from storydesk.ui.window_timers import make_single_shot

UNDO_MILLISECONDS = 12_000


class UndoBar(QFrame):
    """Hidden until there is something to bring back. GUI thread."""

    undone = Signal()
    """The writer wants it back; the bar is gone."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Offer nothing."""
        super().__init__(parent)
        self.label = make_label("", "muted", self)
        self.button = QPushButton(self.tr("Undo"), self)
        self.button.clicked.connect(self._on_clicked)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.label, 1)
        row.addWidget(self.button)
        self.hide()
        self._due = make_single_shot(self, UNDO_MILLISECONDS, self.hide)

    def offer(self, words: str) -> None:
        """Say what has gone."""
        self.label.setText(words)
        self.show()
        self._due.start()

    @Slot()
    def _on_clicked(self) -> None:
        self.hide()
        self.undone.emit()

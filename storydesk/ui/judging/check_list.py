"""A list to tick things in, with the space bar or the mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

_LEAST_LINES = 4


class CheckList(QListWidget):
    """Shows values by their words. GUI thread."""

    ticked = Signal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumHeight(self.fontMetrics().lineSpacing() * _LEAST_LINES)
        self.itemChanged.connect(lambda _item: self.ticked.emit())

    def offer(self, values: Sequence[Any], say: Callable[[Any], str], ticked: Callable[[Any], bool]) -> None:
        """Offer values, some of them ticked."""
        self.blockSignals(True)
        self.clear()
        for value in values:
            item = QListWidgetItem(say(value))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setData(Qt.ItemDataRole.UserRole, value)
            item.setCheckState(Qt.CheckState.Checked if ticked(value) else Qt.CheckState.Unchecked)
            self.addItem(item)
        self.blockSignals(False)
        self.ticked.emit()

    def values(self, *, only_ticked: bool = True) -> list[Any]:
        """Return what is ticked, or all there is, in order."""
        items = (self.item(row) for row in range(self.count()))
        return [
            item.data(Qt.ItemDataRole.UserRole)
            for item in items
            if not only_ticked or item.checkState() == Qt.CheckState.Checked
        ]

    def tick(self, rows: Iterable[int] | None = None, *, on: bool = True) -> None:
        """Tick rows, all of them where none are named."""
        self.blockSignals(True)
        for row in range(self.count()) if rows is None else rows:
            self.item(row).setCheckState(Qt.CheckState.Checked if on else Qt.CheckState.Unchecked)
        self.blockSignals(False)
        self.ticked.emit()

"""Lists of the Insight tab as Qt shows them: lines under headings, made only when they are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QFont

PAYLOAD = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list; without a payload it is a heading."""

    text: str
    payload: object = None
    tip: str = ""


class InsightItemModel(QAbstractListModel):
    """A flat list with headings. GUI thread."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._entries: tuple[Entry, ...] = ()
        self._heading = QFont()
        self._heading.setBold(True)

    @property
    def entries(self) -> Sequence[Entry]:
        """What is shown."""
        return self._entries

    def show(self, entries: Sequence[Entry]) -> bool:
        """Show these and say whether they are others than before."""
        if tuple(entries) == self._entries:
            return False
        self.beginResetModel()
        self._entries = tuple(entries)
        self.endResetModel()
        return True

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008 - Qt's own
        """Return how many lines there are."""
        return 0 if parent.isValid() else len(self._entries)

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a line's words, tip, look or payload."""
        if not 0 <= index.row() < len(self._entries):
            return None
        entry = self._entries[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return entry.text
        if role == Qt.ItemDataRole.ToolTipRole:
            return entry.tip or entry.text
        if role == Qt.ItemDataRole.FontRole and entry.payload is None:
            return self._heading
        return entry.payload if role == PAYLOAD else None

    def flags(self, index: QModelIndex | QPersistentModelIndex) -> Qt.ItemFlag:
        """Let headings alone."""
        if 0 <= index.row() < len(self._entries) and self._entries[index.row()].payload is None:
            return Qt.ItemFlag.NoItemFlags
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

"""A table of figures that a screen reader reads cell by cell; as high as its rows."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

from storydesk.ui.theme import SPACE_L

_WIDEST_LETTERS = 34


class FigureTable(QTableWidget):
    """Shows rows of words and figures. GUI thread."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(0, 0, parent)
        self.setAccessibleName(name)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setWordWrap(True)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)

    def show_rows(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show rows; the last column takes what room is left."""
        self.setColumnCount(len(headings))
        self.setHorizontalHeaderLabels(list(headings))
        self.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                item = QTableWidgetItem(cell)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                heading = headings[column]
                item.setData(
                    Qt.ItemDataRole.AccessibleTextRole,
                    f"{cells[0]}, {heading}: {cell}" if column and heading else cell,
                )
                self.setItem(row, column, item)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep every row as high as its words in the new width."""
        super().resizeEvent(event)
        self._fit_height()

    def _fit(self) -> None:
        header = self.horizontalHeader()
        widest = self.fontMetrics().averageCharWidth() * _WIDEST_LETTERS
        self.ensurePolished()
        for column in range(self.columnCount()):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
        self.resizeColumnsToContents()
        for column in range(self.columnCount()):
            text = self.model().headerData(column, Qt.Orientation.Horizontal)
            heading = header.fontMetrics().horizontalAdvance(str(text)) + SPACE_L
            self.setColumnWidth(column, max(heading, min(self.columnWidth(column) + SPACE_L, widest)))
        header.setStretchLastSection(True)
        self._fit_height()

    def _fit_height(self) -> None:
        self.resizeRowsToContents()
        rows = sum(self.rowHeight(row) for row in range(self.rowCount()))
        bar = self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows + bar + 2 * self.frameWidth() + 2)

"""What was given to learn from, a line each, with its texts and words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.tuning_sources import TuningSource
from storydesk.domain.dataset import SourceKind
from storydesk.ui.figures import say_number
from storydesk.ui.theme import icon, make_label

_ICONS: Final = {
    SourceKind.FILE: "file-text",
    SourceKind.FOLDER: "folder",
    SourceKind.SAMPLES: "lightbulb",
    SourceKind.LIBRARY: "books",
    SourceKind.HUB: "globe",
}


class SourceList(QWidget):
    """The lines, and a button that takes the selected ones off. GUI thread."""

    removal_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.lines = QTreeWidget()
        self.lines.setColumnCount(3)
        self.lines.setHeaderLabels([self.tr("Source"), self.tr("Texts"), self.tr("Words")])
        self.lines.setRootIsDecorated(False)
        self.lines.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.lines.setAccessibleName(self.tr("Your words"))
        header = self.lines.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.remove_button = QPushButton(icon("x"), self.tr("Remove"))
        self.remove_button.setProperty("role", "flat")
        self.remove_button.setAccessibleName(self.tr("Remove the selected lines"))
        self.remove_button.clicked.connect(self.removal_wanted)
        self.lines.itemSelectionChanged.connect(lambda: self.remove_button.setEnabled(bool(self.lines.selectedItems())))
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.lines)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.removal_wanted)
        self.empty = make_label(
            self.tr("Nothing here yet. Add or drop your stories, or press Our samples to see how it goes."), "muted"
        )
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.lines, 1)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.remove_button, 0, Qt.AlignmentFlag.AlignLeading)

    @property
    def selected_rows(self) -> set[int]:
        """The lines that are selected, from 0."""
        return {index.row() for index in self.lines.selectionModel().selectedRows()}

    def show_sources(self, sources: Sequence[TuningSource]) -> None:
        """Show these; lines that were selected stay selected."""
        selected = self.selected_rows
        self.lines.clear()
        for row, source in enumerate(sources):
            measure = source.measure
            figures = ["…", "…"] if measure is None else [say_number(measure.documents), say_number(measure.words)]
            item = QTreeWidgetItem(self.lines, [source.name, *figures])
            useless = measure is not None and measure.words == 0
            item.setIcon(0, icon("warning", "problem") if useless else icon(_ICONS[source.kind]))
            titles = "\n".join(story.title for story in source.stories)
            item.setToolTip(0, str(source.path) if source.path else titles or source.name)
            for column in (1, 2):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
            item.setSelected(row in selected)
        self.lines.setVisible(bool(sources))
        self.remove_button.setVisible(bool(sources))
        self.remove_button.setEnabled(bool(self.lines.selectedItems()))
        self.empty.setVisible(not sources)

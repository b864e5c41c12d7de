"""Which stories of the library to learn from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.manuscript import Story
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XL, make_label, resize_on_screen


class StoryPicker(QDialog):
    """A list of stories with check marks, all on at first. GUI thread."""

    def __init__(self, stories: Sequence[Story], parent: QWidget | None = None) -> None:
        """Offer these stories."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Stories of your library"))
        self._stories = list(stories)
        self._list = QListWidget()
        self._list.setAccessibleName(self.tr("Stories"))
        for story in self._stories:
            item = QListWidgetItem(story.title or self.tr("Untitled story"))
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Checked)
            self._list.addItem(item)
        all_button, none_button = QPushButton(self.tr("All")), QPushButton(self.tr("None"))
        all_button.clicked.connect(lambda: self._check_all(Qt.CheckState.Checked))
        none_button.clicked.connect(lambda: self._check_all(Qt.CheckState.Unchecked))
        cancel = QPushButton(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        self.add_button = QPushButton(self.tr("Add"))
        self.add_button.setProperty("role", "primary")
        self.add_button.setDefault(True)
        self.add_button.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        for button in (all_button, none_button):
            row.addWidget(button)
        row.addStretch()
        row.addWidget(cancel)
        row.addWidget(self.add_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        layout.setSpacing(SPACE_M)
        layout.addWidget(make_label(self.tr("Which stories sound like you?"), "heading"))
        layout.addWidget(self._list, 1)
        layout.addLayout(row)
        letters = self.fontMetrics()
        resize_on_screen(self, letters.averageCharWidth() * 60, letters.lineSpacing() * 24)

    @property
    def chosen(self) -> list[Story]:
        """The stories that are checked."""
        return [
            story
            for row, story in enumerate(self._stories)
            if self._list.item(row).checkState() == Qt.CheckState.Checked
        ]

    def _check_all(self, state: Qt.CheckState) -> None:
        for row in range(self._list.count()):
            self._list.item(row).setCheckState(state)

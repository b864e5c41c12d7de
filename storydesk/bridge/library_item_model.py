"""The library as Qt shows it: stories, the open story's drafts, and the trash."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

from PySide6.QtCore import QModelIndex, QObject, Qt
from PySide6.QtGui import QIcon, QStandardItem, QStandardItemModel

from storydesk.domain.manuscript import Story


class Role(IntEnum):
    """What an item carries besides its text."""

    KIND = Qt.ItemDataRole.UserRole + 1
    ID = Qt.ItemDataRole.UserRole + 2


STORY, DRAFT, TRASH, TRASHED = "story", "draft", "trash", "trashed"


class LibraryItemModel(QStandardItemModel):
    """A tree of story cards. GUI thread; the window gives it icons and words."""

    def __init__(self, untitled: str, trash: str, icons: dict[str, QIcon], parent: QObject | None = None) -> None:
        """Begin empty; ``icons`` are by kind."""
        super().__init__(parent)
        self._untitled = untitled
        self._trash = trash
        self._icons = icons

    def show(
        self, stories: Sequence[Story], trash: Sequence[Story], open_story: int, drafts: Sequence[tuple[int, str]]
    ) -> None:
        """Show the stories, the drafts (id, name) of the open one where there are several, and the trash."""
        self.clear()
        for story in stories:
            item = self._make(story.title or self._untitled, STORY, story.id)
            if story.id == open_story and len(drafts) > 1:
                for draft_id, name in drafts:
                    item.appendRow(self._make(name, DRAFT, draft_id))
            self.appendRow(item)
        if trash:
            bin_item = self._make(f"{self._trash} ({len(trash)})", TRASH, 0)
            for story in trash:
                bin_item.appendRow(self._make(story.title or self._untitled, TRASHED, story.id))
            self.appendRow(bin_item)

    def find(self, kind: str, identity: int) -> QModelIndex:
        """Return the index of an item, an invalid one where there is none."""
        for row in range(self.rowCount()):
            item = self.item(row)
            for candidate in (item, *(item.child(child) for child in range(item.rowCount()))):
                if candidate.data(Role.KIND) == kind and candidate.data(Role.ID) == identity:
                    return candidate.index()
        return QModelIndex()

    def _make(self, text: str, kind: str, identity: int) -> QStandardItem:
        item = QStandardItem(self._icons.get(kind, QIcon()), text)
        item.setEditable(False)
        item.setData(kind, Role.KIND)
        item.setData(identity, Role.ID)
        item.setToolTip(text)
        return item

"""The library as Qt shows it: stories, the open story's parts and drafts, what a search has found, the trash."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum

from PySide6.QtCore import QMimeData, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QIcon, QStandardItem, QStandardItemModel

from storydesk.domain.library import FoundStory
from storydesk.domain.manuscript import Story
from storydesk.domain.outline import KeptPart, Part, PartKind, Place, Status, StoryDetails


class Role(IntEnum):
    """What an item carries besides its text."""

    KIND = Qt.ItemDataRole.UserRole + 1
    ID = Qt.ItemDataRole.UserRole + 2
    STATUS = Qt.ItemDataRole.UserRole + 3
    WORDS = Qt.ItemDataRole.UserRole + 4
    """A number of words, -1 where it isn't known."""
    TARGET = Qt.ItemDataRole.UserRole + 5
    PASSAGE = Qt.ItemDataRole.UserRole + 6


STORY, DRAFTS, DRAFT, TRASH, TRASHED = "story", "drafts", "draft", "trash", "trashed"
CHAPTER, SCENE, PASSAGE, MORE = "chapter", "scene", "passage", "more"
PARTS = (CHAPTER, SCENE)
DRAGGED = "application/x-storydesk-shelf"
NO_DETAILS = StoryDetails()

_FLOOR = Qt.ItemFlag.ItemIsDropEnabled
_FIXED = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
_MOVABLE = _FIXED | Qt.ItemFlag.ItemIsDragEnabled
_TARGET = _MOVABLE | Qt.ItemFlag.ItemIsDropEnabled

Index = QModelIndex | QPersistentModelIndex
Say = Callable[[str, Status, int, int], str]
"""Says an item to a screen reader: its text, status, words (-1 for unknown) and target."""


class LibraryItemModel(QStandardItemModel):
    """A tree of story cards. GUI thread; the window gives it icons and words."""

    story_dropped = Signal(int, int)
    """A story, and the one that it was dropped before; 0 for the end."""
    part_dropped = Signal(int, int, object)
    """A part's ordinal, another's, and the Place where it goes."""

    def __init__(
        self,
        untitled: str,
        trash: str,
        icons: dict[str, QIcon],
        parent: QObject | None = None,
        *,
        drafts: str = "",
        say: Say | None = None,
    ) -> None:
        """Begin empty; ``icons`` are by kind."""
        super().__init__(parent)
        self._untitled = untitled
        self._trash = trash
        self._drafts_word = drafts
        self._icons = icons
        self._say = say
        self._shape: list[tuple[PartKind, int]] = []
        self._part_items: list[QStandardItem] = []
        self._shown_parts: list[object] = []
        self._open_story = 0
        self.movable = True

    # What is shown

    def show(
        self,
        stories: Sequence[Story],
        trash: Sequence[Story],
        open_story: int,
        drafts: Sequence[tuple[int, str]],
        details: Mapping[int, StoryDetails] | None = None,
        found: Mapping[int, FoundStory] | None = None,
    ) -> None:
        """Show the stories, the drafts (id, name) of the open one where there are several, and the trash.

        ``found`` holds what a search has found, by story; the passages stand below their stories then.
        """
        self.clear()
        self._shape, self._part_items, self._shown_parts = [], [], []
        self._open_story = open_story
        for story in stories:
            item = self._make(story.title or self._untitled, STORY, story.id)
            self._add_passages(item, (found or {}).get(story.id))
            if story.id == open_story and len(drafts) > 1 and found is None:
                group = self._make(f"{self._drafts_word} ({len(drafts)})", DRAFTS, 0)
                for draft_id, name in drafts:
                    group.appendRow(self._make(name, DRAFT, draft_id))
                item.appendRow(group)
            self.appendRow(item)
        if trash:
            bin_item = self._make(f"{self._trash} ({len(trash)})", TRASH, 0)
            for story in trash:
                item = self._make(story.title or self._untitled, TRASHED, story.id)
                self._add_passages(item, (found or {}).get(story.id))
                bin_item.appendRow(item)
            self.appendRow(bin_item)
        self.show_details(details or {})

    def show_details(self, details: Mapping[int, StoryDetails]) -> None:
        """Show status and progress of the stories."""
        for row in range(self.rowCount()):
            item = self.item(row)
            if item.data(Role.KIND) == STORY:
                known = details.get(item.data(Role.ID), NO_DETAILS)
                if item.data(Role.ID) != self._open_story or item.data(Role.WORDS) is None:
                    item.setData(known.words if known.words or known.target else -1, Role.WORDS)
                self._dress(item, known.status, known.target)

    def show_words(self, words: int) -> None:
        """Show how many words the open story has on the page."""
        item = self._open_item()
        if item is not None and item.data(Role.WORDS) != words:
            item.setData(words, Role.WORDS)
            self._dress(item, Status(item.data(Role.STATUS)), item.data(Role.TARGET))

    def show_parts(self, parts: Sequence[Part], kept: Sequence[KeptPart]) -> bool:
        """Show the open story's parts and what is kept of them; return whether their rows were made anew."""
        story = self._open_item()
        if story is None:
            return False
        shape = [(part.kind, part.parent) for part in parts]
        top: list[QStandardItem] = []
        anew = shape != self._shape or len(self._part_items) != len(parts)
        if anew:
            self._shape = shape
            top = self._make_parts(story, parts)
        for number, (part, known) in enumerate(zip(parts, kept, strict=False)):
            shown = (part.title, part.words, known.details.status, known.details.target)
            if self._shown_parts[number] != shown:
                self._shown_parts[number] = shown
                self._fill_part(self._part_items[number], part, known)
        if anew:
            story.insertRows(0, top)  # one message to the view, with everything in it
        return anew

    def _make_parts(self, story: QStandardItem, parts: Sequence[Part]) -> list[QStandardItem]:
        """Take the old parts' rows away and return empty ones for these, those that lie in no other."""
        while story.rowCount() and story.child(0).data(Role.KIND) in PARTS:
            others = next((row for row in range(story.rowCount()) if _is_no_part(story.child(row))), story.rowCount())
            story.removeRows(0, others)
        self._part_items = []
        self._shown_parts = [None] * len(parts)
        top: list[QStandardItem] = []
        for part in parts:
            item = QStandardItem(self._icons.get(CHAPTER if part.kind is PartKind.CHAPTER else SCENE, QIcon()), "")
            item.setEditable(False)
            item.setData(CHAPTER if part.kind is PartKind.CHAPTER else SCENE, Role.KIND)
            item.setData(part.ordinal, Role.ID)
            self._part_items.append(item)
            if part.parent >= 0:
                self._part_items[part.parent].appendRow(item)
            else:
                top.append(item)
        return top

    def _fill_part(self, item: QStandardItem, part: Part, known: KeptPart) -> None:
        title = part.title or self._untitled
        if item.text() != title:
            item.setText(title)
        if item.data(Role.WORDS) != part.words:
            item.setData(part.words, Role.WORDS)
        self._dress(item, known.details.status, known.details.target)

    def find(self, kind: str, identity: int) -> QModelIndex:
        """Return the index of an item, an invalid one where there is none."""
        item = self._search(self.invisibleRootItem(), kind, identity)
        return item.index() if item is not None else QModelIndex()

    def find_group(self, kind: str) -> QModelIndex:
        """Return the index of the trash, or of the open story's drafts."""
        story = self._open_item()
        above = story if kind == DRAFTS else self.invisibleRootItem()
        last = above.child(above.rowCount() - 1) if above is not None and above.rowCount() else None
        return last.index() if last is not None and last.data(Role.KIND) == kind else QModelIndex()

    def part_index(self, ordinal: int) -> QModelIndex:
        """Return the index of one of the open story's parts, an invalid one where there is none."""
        return self._part_items[ordinal].index() if 0 <= ordinal < len(self._part_items) else QModelIndex()

    # Dragging

    def supportedDropActions(self) -> Qt.DropAction:
        """Say that items are moved."""
        return Qt.DropAction.MoveAction

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let stories and parts be dragged, and dropped where they can go."""
        if not index.isValid():
            return _FLOOR
        kind = index.data(Role.KIND) if self.movable else ""
        if kind in PARTS:
            return _TARGET
        if kind != STORY:
            return _FIXED
        return _TARGET if index.data(Role.ID) == self._open_story else _MOVABLE

    def mimeTypes(self) -> list[str]:
        """Name what is dragged here."""
        return [DRAGGED]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        """Say which item is dragged; nothing of its text leaves the window."""
        data = QMimeData()
        if indexes:
            data.setData(DRAGGED, f"{indexes[0].data(Role.KIND)} {indexes[0].data(Role.ID)}".encode())
        return data

    def canDropMimeData(self, data: QMimeData, _action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Return whether an item may be dropped here."""
        return self._read_drop(data, row, parent) is not None

    def dropMimeData(self, data: QMimeData, _action: Qt.DropAction, row: int, column: int, parent: Index) -> bool:
        """Tell what was dropped where; False, because the rows follow the stories and not the hand."""
        drop = self._read_drop(data, row, parent)
        if drop is not None:
            kind, moved, other, place = drop
            if kind == STORY:
                self.story_dropped.emit(moved, other)
            else:
                self.part_dropped.emit(moved, other, place)
        return False

    def _read_drop(self, data: QMimeData, row: int, parent: Index) -> tuple[str, int, int, Place] | None:
        kind, _, number = bytes(data.data(DRAGGED).data()).decode("ascii", "replace").partition(" ")
        if not self.movable or not number.isdecimal():
            return None
        moved = int(number)
        if kind == STORY:
            if parent.isValid():
                return None
            below = self.index(row, 0) if 0 <= row < self.rowCount() else QModelIndex()
            is_story = below.isValid() and below.data(Role.KIND) == STORY
            return kind, moved, below.data(Role.ID) if is_story else 0, Place.BEFORE
        if kind not in PARTS or not parent.isValid():
            return None
        return self._read_part_drop(kind, moved, row, parent)

    def _read_part_drop(self, kind: str, moved: int, row: int, parent: Index) -> tuple[str, int, int, Place] | None:
        parent_kind, parent_id = parent.data(Role.KIND), parent.data(Role.ID)
        if parent_kind != STORY and parent_kind not in PARTS:
            return None
        if parent_kind == STORY and parent_id != self._open_story:
            return None
        if row < 0:
            if parent_kind == CHAPTER:
                return kind, moved, parent_id, Place.INTO if kind == SCENE else Place.AFTER
            return (kind, moved, parent_id, Place.AFTER) if parent_kind == SCENE else None
        item = self.itemFromIndex(self.index(parent.row(), 0, parent.parent()))
        below = item.child(row) if row < item.rowCount() else None
        if below is not None and below.data(Role.KIND) in PARTS and (kind == below.data(Role.KIND) or kind == CHAPTER):
            return kind, moved, below.data(Role.ID), Place.BEFORE
        above = item.child(row - 1) if row > 0 else None
        if above is not None and above.data(Role.KIND) in PARTS:
            into = kind == SCENE and above.data(Role.KIND) == CHAPTER
            return kind, moved, above.data(Role.ID), Place.INTO if into else Place.AFTER
        return (kind, moved, parent_id, Place.INTO) if parent_kind == CHAPTER and kind == SCENE else None

    # Items

    def _add_passages(self, item: QStandardItem, found: FoundStory | None) -> None:
        if found is None:
            return
        for passage in found.passages:
            child = self._make(passage.preview, PASSAGE, passage.draft_id)
            child.setData(passage, Role.PASSAGE)
            child.setAccessibleText(", ".join(filter(None, (passage.preview, passage.chapter))))
            item.appendRow(child)

    def _open_item(self) -> QStandardItem | None:
        for row in range(self.rowCount()):
            item = self.item(row)
            if item.data(Role.KIND) == STORY and item.data(Role.ID) == self._open_story:
                return item
        return None

    def _search(self, item: QStandardItem, kind: str, identity: int) -> QStandardItem | None:
        for row in range(item.rowCount()):
            child = item.child(row)
            if child.data(Role.KIND) == kind and child.data(Role.ID) == identity:
                return child
            found = self._search(child, kind, identity)
            if found is not None:
                return found
        return None

    def _dress(self, item: QStandardItem, status: Status, target: int) -> None:
        if item.data(Role.STATUS) != str(status):
            item.setData(str(status), Role.STATUS)
        if item.data(Role.TARGET) != target:
            item.setData(target, Role.TARGET)
        if self._say is not None:
            words = item.data(Role.WORDS)
            said = self._say(item.text(), status, -1 if words is None else words, target)
            if item.accessibleText() != said:
                item.setAccessibleText(said)
                item.setToolTip(said)

    def _make(self, text: str, kind: str, identity: int) -> QStandardItem:
        item = QStandardItem(self._icons.get(kind, QIcon()), text)
        item.setEditable(False)
        item.setData(kind, Role.KIND)
        item.setData(identity, Role.ID)
        item.setToolTip(text)
        return item


def _is_no_part(item: QStandardItem) -> bool:
    return item.data(Role.KIND) not in PARTS

"""The library beside the page: search, stories with their parts and drafts, details, trash, today's words."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QMenu, QProgressBar, QTreeView, QVBoxLayout, QWidget

from storydesk.bridge.library_item_model import (
    CHAPTER,
    DRAFT,
    DRAFTS,
    NO_DETAILS,
    PARTS,
    PASSAGE,
    SCENE,
    STORY,
    TRASH,
    TRASHED,
    LibraryItemModel,
    Role,
)
from storydesk.bridge.manuscript_controller import OpenStory, Shelf
from storydesk.bridge.outline_controller import DraftOutline
from storydesk.domain.library import SearchResult
from storydesk.domain.manuscript import Story
from storydesk.domain.outline import Place, Status, StoryDetails
from storydesk.ui.library.details_editor import DetailsEditor
from storydesk.ui.library.shelf_search import ShelfSearch
from storydesk.ui.library.story_tree import StoryTree
from storydesk.ui.sentences import say_draft, say_status, say_untitled
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XS, ScaledWidth, icon, make_label, set_role
from storydesk.ui.undo_bar import UndoBar

WIDTH = 236
GROUPS = (DRAFTS, TRASH)


class LibraryPanel(QFrame):
    """Shows the shelf and says what the writer wants from it. GUI thread."""

    story_wanted = Signal(int)
    draft_wanted = Signal(int)
    part_wanted = Signal(int)
    """The ordinal of one of the open draft's parts."""
    passage_wanted = Signal(int, object)
    """A story's id and the Passage to go to."""
    search_wanted = Signal(str)
    trash_wanted = Signal(int)
    restore_wanted = Signal(int)
    delete_wanted = Signal(object)
    details_wanted = Signal(str, int)
    """The kind and number of the item to describe."""
    story_moved = Signal(int, int)
    part_moved = Signal(int, int, object)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        """Begin with an empty shelf."""
        super().__init__(parent)
        set_role(self, "side")
        ScaledWidth(self, WIDTH)
        self.setAccessibleName(self.tr("Library"))
        self._writes = actions["new_story"].isEnabled()
        self._open_story = 0
        self._open_draft = 0
        self._shelf = Shelf((), (), "")
        self._drafts: tuple[tuple[int, str], ...] = ()
        self._details: Mapping[int, StoryDetails] = {}
        self._outline: DraftOutline | None = None
        self._found: SearchResult | None = None
        self._folded: set[tuple[str, int]] = set()
        self._opened: set[str] = set()
        self._unfolding = False
        self._trashed: Story | None = None
        kinds = {STORY: "book", DRAFTS: "stack", DRAFT: "file-text", TRASH: "trash", TRASHED: "book"}
        icons = {kind: icon(name) for kind, name in {**kinds, CHAPTER: "bookmark-simple", SCENE: "asterisk"}.items()}
        self.model = LibraryItemModel(
            say_untitled(), self.tr("Trash"), icons, self, drafts=self.tr("Drafts"), say=self._say_item
        )
        self.model.movable = self._writes
        self.model.story_dropped.connect(self.story_moved)
        self.model.part_dropped.connect(self.part_moved)
        self.top = ShelfSearch(actions, self)
        self.search = self.top.field
        self.top.search_wanted.connect(self.search_wanted)
        self.top.choice_changed.connect(self._rebuild)
        self.details = DetailsEditor(self)
        self.details.left.connect(self._on_details_left)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_S)
        column.addWidget(self.top)
        self.hint = make_label("", "muted", self)
        column.addWidget(self.hint)
        column.addWidget(self._make_tree(), 1)
        column.addWidget(self.details)
        self.undo_bar = UndoBar(self)
        self.undo_bar.undone.connect(self._on_undone)
        column.addWidget(self.undo_bar)
        column.addWidget(self._make_goal())

    def show_shelf(self, shelf: Shelf) -> None:
        """Show other stories."""
        self._shelf = shelf
        if self._found is not None and self._found.words != shelf.searched:
            self._found = None
        self._rebuild()

    def show_found(self, result: SearchResult) -> None:
        """Show the passages that a search has found, below their stories."""
        self._found = result if result.words else None
        if not result.words or result.words == self._shelf.searched:
            self._rebuild()

    def show_open(self, opened: OpenStory | None) -> None:
        """Mark what is on the page."""
        if opened is None or opened.story.id != self._open_story:
            self._folded = {key for key in self._folded if key[0] not in PARTS}
        self._open_story = opened.story.id if opened else 0
        self._open_draft = opened.draft.id if opened else 0
        self._drafts = tuple((number, say_draft(name)) for number, name in opened.drafts) if opened else ()
        self._rebuild()

    def show_outline(self, outline: DraftOutline | None) -> None:
        """Show the parts of what is on the page."""
        self._outline = outline
        if outline is not None and outline.story_id == self._open_story and not self._is_searching():
            self.model.show_words(outline.outline.words)
            if self.model.show_parts(outline.outline.parts, outline.kept):
                self._unfold()

    def show_details(self, details: Mapping[int, StoryDetails]) -> None:
        """Show what the writer says of the stories."""
        self._details = details
        self.top.offer(details.values())
        if self.top.choice[0]:
            self._rebuild()
        else:
            self.model.show_details(details)

    def show_goal(self, words: int, goal: int) -> None:
        """Say how far the day has come."""
        if goal:
            text = self.tr("Today {words} of {goal} words").format(words=f"{words:,}", goal=f"{goal:,}")
            self.goal_bar.setRange(0, goal)
            self.goal_bar.setValue(min(words, goal))
        else:
            text = self.tr("Today %Ln words", "", words)
        self.goal_bar.setVisible(bool(goal))
        self.goal_label.setText(text)
        self.goal_bar.setAccessibleName(text)

    def offer_undo(self, story: Story) -> None:
        """Say that a story is in the trash, and offer to take it out."""
        self._trashed = story
        title = story.title or say_untitled()
        self.undo_bar.offer(self.tr("“{title}” is in the trash.").format(title=title))

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _is_searching(self) -> bool:
        return self._found is not None and bool(self._shelf.searched)

    def _say_item(self, title: str, status: Status, words: int, target: int) -> str:
        """Return an item as a screen reader says it."""
        said = [title]
        if status:
            said.append(say_status(status))
        if target:
            count = self.tr("{words} of {target} words").format(words=f"{max(0, words):,}", target=f"{target:,}")
            said.append(count)
        elif words >= 0:
            said.append(self.tr("%Ln words", "", words))
        return ", ".join(said)

    def _make_tree(self) -> QTreeView:
        self.tree = StoryTree(self)
        self.tree.setModel(self.model)
        self.tree.setAccessibleName(self.tr("Stories"))
        self.tree.customContextMenuRequested.connect(self._on_menu_requested)
        self.tree.clicked.connect(self._on_chosen)
        self.tree.activated.connect(self._on_chosen)
        self.tree.trash_wanted.connect(self._on_trash_key)
        self.tree.step_wanted.connect(self._on_step_wanted)
        self.tree.collapsed.connect(lambda index: self._note_fold(index, folded=True))
        self.tree.expanded.connect(lambda index: self._note_fold(index, folded=False))
        return self.tree

    def _make_goal(self) -> QWidget:
        area = QWidget(self)
        self.goal_label = make_label("", "muted", area)
        self.goal_bar = QProgressBar(area)
        self.goal_bar.setTextVisible(False)
        column = QVBoxLayout(area)
        column.setContentsMargins(0, SPACE_XS, 0, 0)
        column.setSpacing(SPACE_XS + 2)
        column.addWidget(self.goal_label)
        column.addWidget(self.goal_bar)
        return area

    @Slot()
    def _rebuild(self) -> None:
        at = self.tree.verticalScrollBar().value()
        searching = self._is_searching()
        found = {item.story.id: item for item in self._found.stories} if searching and self._found else None
        stories, trash = self._shelf.stories, self._shelf.trash
        if found is not None:
            stories = tuple(story for story in stories if story.id in found)
            trash = tuple(story for story in trash if story.id in found)
        stories = tuple(story for story in stories if self.top.admits(self._details.get(story.id, NO_DETAILS)))
        self.tree.setUniformRowHeights(not searching)  # passages are taller than titles
        self.model.show(stories, trash, self._open_story, self._drafts, self._details, found)
        if self._outline is not None and self._outline.story_id == self._open_story and not searching:
            self.model.show_words(self._outline.outline.words)
            self.model.show_parts(self._outline.outline.parts, self._outline.kept)
        self._unfold()
        current = self.model.find(DRAFT, self._open_draft)
        if not current.isValid() or not self.tree.isExpanded(current.parent()):
            current = self.model.find(STORY, self._open_story)
        if current.isValid():
            self.tree.setCurrentIndex(current)
        self.tree.verticalScrollBar().setValue(at)
        self._say_hint()

    def _unfold(self) -> None:
        """Show what lies below everything but what the writer has folded; drafts and trash begin folded."""

        self._unfolding = True
        self.tree.expandAll()
        for kind in GROUPS:
            index = self.model.find_group(kind)
            if index.isValid() and kind not in self._opened and not self._is_searching():
                self.tree.collapse(index)
        for kind, number in self._folded:
            index = self.model.part_index(number) if kind in PARTS else self.model.find(kind, number)
            if index.isValid():
                self.tree.collapse(index)
        self._unfolding = False

    def _note_fold(self, index: QModelIndex, *, folded: bool) -> None:
        """Remember what the writer folds and unfolds."""
        kind, key = index.data(Role.KIND), (index.data(Role.KIND), index.data(Role.ID))
        if self._unfolding:
            return
        if kind in GROUPS:
            (self._opened.discard if folded else self._opened.add)(kind)
        else:
            (self._folded.add if folded else self._folded.discard)(key)

    def _say_hint(self) -> None:
        hint = ""
        if self._shelf.searched and not self._shelf.stories and not self._shelf.trash:
            hint = self.tr("No story holds these words. Try fewer of them.")
        elif not self._shelf.stories and not self._shelf.searched:
            hint = self.tr("Your stories will be listed here.")
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        kind, number = index.data(Role.KIND), index.data(Role.ID)
        if kind == STORY:
            if number == self._open_story and self._drafts:
                self.draft_wanted.emit(self._drafts[0][0])
            else:
                self.story_wanted.emit(number)
        elif kind == DRAFT:
            self.draft_wanted.emit(number)
        elif kind in PARTS:
            self.part_wanted.emit(number)
        elif kind == PASSAGE:
            if index.parent().data(Role.KIND) == STORY:
                self.passage_wanted.emit(index.parent().data(Role.ID), index.data(Role.PASSAGE))
        elif kind in (TRASH, DRAFTS):
            self.tree.setExpanded(index, not self.tree.isExpanded(index))

    @Slot()
    def _on_trash_key(self) -> None:
        index = self.tree.currentIndex()
        if self._writes and index.data(Role.KIND) == STORY:
            self.trash_wanted.emit(index.data(Role.ID))

    @Slot(int)
    def _on_step_wanted(self, step: int) -> None:
        """Move the current item one place up or down among its like."""
        index = self.tree.currentIndex()
        kind = index.data(Role.KIND)
        if not self._writes or kind not in (STORY, *PARTS):
            return
        other = index.siblingAtRow(index.row() + step)
        if other.data(Role.KIND) != kind:
            return
        if kind != STORY:
            place = Place.BEFORE if step < 0 else Place.AFTER
            self.part_moved.emit(index.data(Role.ID), other.data(Role.ID), place)
            return
        before = other if step < 0 else other.siblingAtRow(other.row() + 1)
        is_story = before.data(Role.KIND) == STORY
        self.story_moved.emit(index.data(Role.ID), before.data(Role.ID) if is_story else 0)

    @Slot(QPoint)
    def _on_menu_requested(self, place: QPoint) -> None:
        menu = self.make_menu(self.tree.indexAt(place))
        if menu is not None:
            menu.popup(self.tree.viewport().mapToGlobal(place))

    def make_menu(self, index: QModelIndex | QPersistentModelIndex) -> QMenu | None:
        """Return what can be done with an item, None where nothing can."""
        kind, number = index.data(Role.KIND), index.data(Role.ID)
        if kind not in (STORY, TRASHED, *PARTS) or (kind == TRASHED and not self._writes):
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if kind != TRASHED:
            text = self.tr("Status, target and note…") if kind in PARTS else self.tr("Status, target and tags…")
            menu.addAction(icon("note-pencil"), text, lambda: self.details_wanted.emit(kind, number))
        if kind in PARTS or not self._writes:
            return menu
        if kind == STORY:
            menu.addAction(icon("trash"), self.tr("Put into the trash"), lambda: self.trash_wanted.emit(number))
            return menu
        story = next((story for story in self._shelf.trash if story.id == number), None)
        menu.addAction(
            icon("arrow-u-up-left"), self.tr("Take out of the trash"), lambda: self.restore_wanted.emit(number)
        )
        if story is not None:
            menu.addAction(icon("x"), self.tr("Delete for good…"), lambda: self.delete_wanted.emit(story))
        return menu

    @Slot()
    def _on_details_left(self) -> None:
        self.tree.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _on_undone(self) -> None:
        if self._trashed is not None:
            self.restore_wanted.emit(self._trashed.id)

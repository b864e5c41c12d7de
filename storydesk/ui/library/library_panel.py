"""The library beside the page: search, stories and drafts, trash, today's words."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.library_item_model import DRAFT, STORY, TRASH, TRASHED, LibraryItemModel, Role
from storydesk.bridge.manuscript_controller import OpenStory, Shelf
from storydesk.domain.manuscript import Story
from storydesk.ui.sentences import say_count, say_draft, say_untitled
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS, icon, make_label, set_role

WIDTH = 236
SEARCH_MILLISECONDS = 200
UNDO_MILLISECONDS = 12_000


class StoryTree(QTreeView):
    """The list of stories; Delete puts one into the trash. GUI thread."""

    trash_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Hear the Delete key."""
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.trash_wanted.emit()
        else:
            super().keyPressEvent(event)


class IndentedDelegate(QStyledItemDelegate):
    """Moves drafts and what is in the trash to the right, mark and all; a tree's own indentation can't. GUI thread."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint an item where it belongs."""
        if index.parent().isValid():
            rect = option.rect
            rect.setLeft(rect.left() + SPACE_L)
            option.rect = rect
        super().paint(painter, option, index)


class LibraryPanel(QFrame):
    """Shows the shelf and says what the writer wants from it. GUI thread."""

    story_wanted = Signal(int)
    draft_wanted = Signal(int)
    search_wanted = Signal(str)
    trash_wanted = Signal(int)
    restore_wanted = Signal(int)
    delete_wanted = Signal(object)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        """Begin with an empty shelf."""
        super().__init__(parent)
        set_role(self, "side")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(self.tr("Library"))
        self._writes = actions["new_story"].isEnabled()
        self._open_story = 0
        self._open_draft = 0
        self._shelf = Shelf((), (), "")
        self._drafts: tuple[tuple[int, str], ...] = ()
        self._trashed: Story | None = None
        kinds = {STORY: "book", DRAFT: "file-text", TRASH: "trash", TRASHED: "book"}
        icons = {kind: icon(name) for kind, name in kinds.items()}
        self.model = LibraryItemModel(say_untitled(), self.tr("Trash"), icons, self)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_S)
        column.addLayout(self._make_search(actions))
        self.hint = make_label("", "muted", self)
        column.addWidget(self.hint)
        column.addWidget(self._make_tree(), 1)
        column.addWidget(self._make_undo())
        column.addWidget(self._make_goal())

    def show_shelf(self, shelf: Shelf) -> None:
        """Show other stories."""
        self._shelf = shelf
        self._rebuild()

    def show_open(self, opened: OpenStory | None) -> None:
        """Mark what is on the page."""
        self._open_story = opened.story.id if opened else 0
        self._open_draft = opened.draft.id if opened else 0
        self._drafts = tuple((number, say_draft(name)) for number, name in opened.drafts) if opened else ()
        self._rebuild()

    def show_goal(self, words: int, goal: int) -> None:
        """Say how far the day has come."""
        if goal:
            text = self.tr("Today {words} of {goal} words").format(words=f"{words:,}", goal=f"{goal:,}")
            self.goal_bar.setRange(0, goal)
            self.goal_bar.setValue(min(words, goal))
        else:
            text = say_count(words, self.tr("Today {n} word"), self.tr("Today {n} words"))
        self.goal_bar.setVisible(bool(goal))
        self.goal_label.setText(text)
        self.goal_bar.setAccessibleName(text)

    def offer_undo(self, story: Story) -> None:
        """Say that a story is in the trash, and offer to take it out."""
        self._trashed = story
        title = story.title or say_untitled()
        self.undo_label.setText(self.tr("“{title}” is in the trash.").format(title=title))
        self.undo_bar.show()
        self._undo_due.start(UNDO_MILLISECONDS)

    def focus_search(self) -> None:
        """Put the cursor into the search field."""
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _make_search(self, actions: Mapping[str, QAction]) -> QHBoxLayout:
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search all stories"))
        self.search.setAccessibleName(self.tr("Search all stories"))
        self.search.setClearButtonEnabled(True)
        self._search_due = self._make_timer(self._on_search_due)
        self.search.textChanged.connect(lambda _text: self._search_due.start(SEARCH_MILLISECONDS))
        new = QToolButton(self)
        new.setDefaultAction(actions["new_story"])
        new.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        new.setAccessibleName(actions["new_story"].text())
        set_role(new, "flat")
        row = QHBoxLayout()
        row.setSpacing(SPACE_XS)
        row.addWidget(self.search, 1)
        row.addWidget(new)
        return row

    def _make_tree(self) -> QTreeView:
        self.tree = StoryTree(self)
        self.tree.setModel(self.model)
        self.tree.setHeaderHidden(True)
        self.tree.setRootIsDecorated(False)
        self.tree.setIndentation(0)
        self.tree.setItemDelegate(IndentedDelegate(self.tree))
        self.tree.setUniformRowHeights(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.tree.setAccessibleName(self.tr("Stories"))
        self.tree.customContextMenuRequested.connect(self._on_menu_requested)
        self.tree.clicked.connect(self._on_chosen)
        self.tree.activated.connect(self._on_chosen)
        self.tree.trash_wanted.connect(self._on_trash_key)
        return self.tree

    def _make_undo(self) -> QFrame:
        self.undo_bar = QFrame(self)
        self.undo_label = make_label("", "muted", self.undo_bar)
        button = QPushButton(self.tr("Undo"), self.undo_bar)
        button.clicked.connect(self._on_undo_clicked)
        row = QHBoxLayout(self.undo_bar)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.undo_label, 1)
        row.addWidget(button)
        self.undo_bar.hide()
        self._undo_due = self._make_timer(self.undo_bar.hide)
        return self.undo_bar

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

    def _rebuild(self) -> None:
        was_open = self._is_trash_open()
        at = self.tree.verticalScrollBar().value()
        self.model.show(self._shelf.stories, self._shelf.trash, self._open_story, self._drafts)
        for row in range(self.model.rowCount()):
            index = self.model.index(row, 0)
            is_trash = index.data(Role.KIND) == TRASH
            self.tree.setExpanded(index, was_open or bool(self._shelf.searched) if is_trash else True)
        current = self.model.find(DRAFT, self._open_draft)
        if not current.isValid():
            current = self.model.find(STORY, self._open_story)
        if current.isValid():
            self.tree.setCurrentIndex(current)
        self.tree.verticalScrollBar().setValue(at)
        self._say_hint()

    def _say_hint(self) -> None:
        hint = ""
        if self._shelf.searched and not self._shelf.stories and not self._shelf.trash:
            hint = self.tr("No story holds these words. Try fewer of them.")
        elif not self._shelf.stories and not self._shelf.searched:
            hint = self.tr("Your stories will be listed here.")
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def _is_trash_open(self) -> bool:
        index = self.model.find(TRASH, 0)
        return index.isValid() and self.tree.isExpanded(index)

    def _make_timer(self, slot: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(slot)
        return timer

    @Slot()
    def _on_search_due(self) -> None:
        self.search_wanted.emit(self.search.text())

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
        elif kind == TRASH:
            self.tree.setExpanded(index, not self.tree.isExpanded(index))

    @Slot()
    def _on_trash_key(self) -> None:
        index = self.tree.currentIndex()
        if self._writes and index.data(Role.KIND) == STORY:
            self.trash_wanted.emit(index.data(Role.ID))

    @Slot(QPoint)
    def _on_menu_requested(self, place: QPoint) -> None:
        menu = self.make_menu(self.tree.indexAt(place))
        if menu is not None:
            menu.popup(self.tree.viewport().mapToGlobal(place))

    def make_menu(self, index: QModelIndex) -> QMenu | None:
        """Return what can be done with an item, None where nothing can."""
        kind, number = index.data(Role.KIND), index.data(Role.ID)
        if not self._writes or kind not in (STORY, TRASHED):
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
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
    def _on_undo_clicked(self) -> None:
        self.undo_bar.hide()
        if self._trashed is not None:
            self.restore_wanted.emit(self._trashed.id)

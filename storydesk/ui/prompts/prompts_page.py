"""The prompt shelf: a page of the window where prompts are kept, and turned into whole stories."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.domain.generation import MAXIMUM_SEED, SamplingSettings
from storydesk.domain.prompt_shelf import ShelfPrompt, list_tags, search_prompts, split_tags
from storydesk.domain.settings import QUEUE_WORDS
from storydesk.domain.whole_story import LEAST_WORDS, MOST_WORDS, StoryWish
from storydesk.services.prompts import FORMATS
from storydesk.ui.prompts.queue_list import QueueList
from storydesk.ui.sentences import say_untitled
from storydesk.ui.theme import (
    SPACE_L,
    SPACE_M,
    SPACE_S,
    SPACE_XL,
    FlowLayout,
    icon,
    indent_number,
    make_label,
    set_role,
)
from storydesk.ui.undo_bar import UndoBar

_ID = Qt.ItemDataRole.UserRole
MEASURE_IN_LETTERS = 140
KEEP_MILLISECONDS = 400
PROMPT_LINES = 5
MOST_SHOWN = 2_000


class PromptsPage(QWidget):
    """Shows prompts beside what becomes of them. GUI thread."""

    leave_wanted = Signal()
    story_wanted = Signal(int)

    def __init__(
        self,
        workroom: Workroom,
        phrases: Phrases,
        sampling: Callable[[], SamplingSettings],
        parent: QWidget | None = None,
    ) -> None:
        """Show what the shelf holds, and follow it; ``sampling`` says how the writer likes it drawn."""
        super().__init__(parent)
        self._workroom = workroom
        self._sampling = sampling
        self._shelf = workroom.shelf
        self._settings = workroom.desk.settings
        self._shown: list[ShelfPrompt] = []
        self._current: ShelfPrompt | None = None
        self._undo: tuple[int, ...] = ()
        self._choose_new = False
        self._keep_due = QTimer(self)
        self._keep_due.setSingleShot(True)
        self._keep_due.setInterval(KEEP_MILLISECONDS)
        self._keep_due.timeout.connect(self.flush)
        self.queue = QueueList(workroom.queue, phrases, self)
        self.queue.story_wanted.connect(self.story_wanted)
        self._build()
        leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        leave.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(self.leave_wanted)
        self._shelf.prompts_changed.connect(self._on_prompts_changed)
        self._shelf.imported.connect(self._on_imported)
        self._shelf.load()
        self._fill()

    def refresh(self) -> None:
        """Say whose memory can be used now."""
        opened = self._workroom.manuscripts.opened
        self.memory_box.setVisible(opened is not None)
        if opened is not None:
            title = opened.story.title or say_untitled()
            self.memory_box.setText(self.tr("With the memory and lorebook of “{title}”").format(title=title))
        self._fit()

    @property
    def chosen(self) -> list[ShelfPrompt]:
        """The selected prompts, in the order of the list."""
        ids = {item.data(_ID) for item in self.list.selectedItems()}
        return [prompt for prompt in self._shown if prompt.id in ids]

    def write_stories(self) -> None:
        """Put the selected prompts into the queue."""
        self.flush()
        opened = self._workroom.manuscripts.opened
        memory_of = opened.story.id if opened is not None and self.memory_box.isChecked() else 0
        self._settings.set(QUEUE_WORDS, self.words_box.value())
        draw = random.SystemRandom()
        wishes = [
            StoryWish(
                prompt.text,
                self.words_box.value(),
                draw.randrange(MAXIMUM_SEED),
                self._sampling(),
                memory_of=memory_of,
            )
            for prompt in self.chosen
            if prompt.text.strip()
        ]
        self._workroom.queue.add(wishes)

    @Slot()
    def flush(self) -> None:
        """Keep at once what was changed in the fields."""
        self._keep_due.stop()
        current = self._current
        if current is None:
            return
        changed = replace(current, text=self.prompt.toPlainText(), tags=split_tags(self.tags.text()))
        if changed != current:
            self._current = changed
            self._shelf.keep([changed])

    # What is where

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(make_label(self.tr("Prompts"), "title", self), 1)
        back = QPushButton(icon("arrow-left"), self.tr("Back to writing"), self)
        back.clicked.connect(self.leave_wanted)
        set_role(back, "flat")
        head.addWidget(back)
        row = QHBoxLayout()
        row.setSpacing(SPACE_XL)
        row.addLayout(self._make_left(), 4)
        row.addWidget(self._make_right(), 6)
        inside = QWidget(self)
        inside.setMaximumWidth(self.fontMetrics().averageCharWidth() * MEASURE_IN_LETTERS)
        column = QVBoxLayout(inside)
        column.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addLayout(head)
        column.addLayout(row, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addStretch(1)
        whole.addWidget(inside, 1000)
        whole.addStretch(1)

    def _make_left(self) -> QVBoxLayout:
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search the prompts"))
        self.search.setAccessibleName(self.tr("Search the prompts"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _text: self._fill())
        self.tag_box = QComboBox(self)
        self.tag_box.setAccessibleName(self.tr("Only prompts with this tag"))
        self.tag_box.addItem(self.tr("All tags"), "")
        self.tag_box.currentIndexChanged.connect(lambda _index: self._fill())
        self.trash_button = QPushButton(icon("trash"), self.tr("Trash"), self)
        self.trash_button.setCheckable(True)
        self.trash_button.toggled.connect(lambda _on: self._fill())
        set_role(self.trash_button, "flat")
        filters = FlowLayout()
        filters.add(self.tag_box, stretched=True)
        filters.add(self.trash_button)
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Prompts"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.list.itemSelectionChanged.connect(self._on_selected)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.list)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._on_trash_clicked)
        self.hint = make_label("", "muted", self)
        self.add_button = QPushButton(icon("plus"), self.tr("New prompt"), self)
        self.add_button.clicked.connect(self._on_add_clicked)
        self.import_button = QPushButton(icon("download-simple"), self.tr("Import…"), self)
        self.import_button.clicked.connect(self._on_import_clicked)
        for button in (self.add_button, self.import_button):
            button.setEnabled(not self._shelf.read_only)
        below = FlowLayout()
        below.add(self.add_button, self.import_button, stretched=True)
        column = QVBoxLayout()
        column.setSpacing(SPACE_S)
        column.addWidget(self.search)
        column.addLayout(filters)
        column.addWidget(self.hint)
        column.addWidget(self.list, 1)
        self.undo_bar = UndoBar(self)
        self.undo_bar.undone.connect(self._on_undone)
        column.addWidget(self.undo_bar)
        column.addLayout(below)
        return column

    def _make_right(self) -> QWidget:
        inside = QWidget(self)
        inside.setObjectName("scrolled")
        self.prompt = QPlainTextEdit(inside)
        self.prompt.setAccessibleName(self.tr("Prompt"))
        self.prompt.setPlaceholderText(self.tr("What is a story to be about?"))
        self.prompt.setTabChangesFocus(True)
        self.prompt.setFixedHeight(self.prompt.fontMetrics().lineSpacing() * PROMPT_LINES + 2 * SPACE_M)
        self.prompt.textChanged.connect(self._keep_due.start)
        self.tags = QLineEdit(inside)
        self.tags.setAccessibleName(self.tr("Tags"))
        self.tags.setPlaceholderText(self.tr("sea, ghosts"))
        self.tags.setToolTip(self.tr("Tags, with commas between them"))
        self.tags.textChanged.connect(lambda _text: self._keep_due.start())
        self.tags.editingFinished.connect(self.flush)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE_S, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.prompt)
        column.addLayout(self._make_tag_row())
        column.addLayout(self._make_wishes())
        column.addWidget(self.queue, 1)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        return area

    def _make_tag_row(self) -> FlowLayout:
        self.remove_button = QPushButton(self)
        self.remove_button.clicked.connect(self._on_trash_clicked)
        self.restore_button = QPushButton(icon("arrow-u-up-left"), self.tr("Take out of the trash"), self)
        self.restore_button.clicked.connect(lambda: self._shelf.trash([each.id for each in self.chosen], restore=True))
        row = FlowLayout()
        label = make_label(self.tr("Tags"), "muted", self, wrap=False)
        label.setBuddy(self.tags)
        row.add(label)
        row.add(self.tags, stretched=True)
        row.add(self.restore_button, self.remove_button)
        return row

    def _make_wishes(self) -> QVBoxLayout:
        self.words_box = QSpinBox(self)
        self.words_box.setRange(LEAST_WORDS, MOST_WORDS)
        self.words_box.setSingleStep(50)
        self.words_box.setValue(self._settings.get(QUEUE_WORDS))
        self.words_box.setSuffix(self.tr(" words"))
        self.words_box.setAccessibleName(self.tr("About how many words each story has"))
        indent_number(self.words_box)
        self.write_button = QPushButton(icon("queue", "on_accent"), "", self)
        set_role(self.write_button, "primary")
        self.write_button.setToolTip(self.tr("They are drawn as the Write tab says: careful, wild, or in between"))
        self.write_button.clicked.connect(self.write_stories)
        self.memory_box = QCheckBox(self)
        row = FlowLayout()
        row.add(make_label(self.tr("About"), "muted", self, wrap=False), self.words_box, self.write_button)
        column = QVBoxLayout()
        column.setSpacing(SPACE_S)
        column.addLayout(row)
        column.addWidget(self.memory_box)
        return column

    # What happens

    def _fill(self) -> None:
        """List what is searched for, and keep the selection."""
        in_trash = self.trash_button.isChecked()
        kept = {item.data(_ID) for item in self.list.selectedItems()}
        pool = [prompt for prompt in self._shelf.prompts if prompt.in_trash is in_trash]
        found = search_prompts(pool, self.search.text(), self.tag_box.currentData() or "")
        self._shown = found[:MOST_SHOWN]
        self.list.blockSignals(True)
        self.list.clear()
        first = None
        for prompt in self._shown:
            item = QListWidgetItem(" ".join(prompt.text.split()) or self.tr("empty"), self.list)
            item.setData(_ID, prompt.id)
            item.setToolTip("\n".join(part for part in (prompt.text, ", ".join(prompt.tags)) if part))
            if prompt.id in kept:
                item.setSelected(True)
                first = first or item
        if first is None and self.list.count():
            first = self.list.item(0)
            first.setSelected(True)
        if first is not None:
            self.list.scrollToItem(first)
        self.list.blockSignals(False)
        self._say_hint(len(found), in_trash=in_trash)
        self._on_selected()

    def _say_hint(self, found: int, *, in_trash: bool) -> None:
        hint = ""
        if found > MOST_SHOWN:
            hint = self.tr("{n} prompts; the first {shown} are shown.").format(n=found, shown=MOST_SHOWN)
        elif not found and in_trash:
            hint = self.tr("Nothing in the trash.")
        elif not found and self._shelf.prompts and (self.search.text() or self.tag_box.currentData()):
            hint = self.tr("No prompt holds these words.")
        elif not found:
            hint = self.tr("No prompts yet. Write one down, or import a list: one on each line, or a table.")
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def _fit(self) -> None:
        chosen, in_trash = self.chosen, self.trash_button.isChecked()
        can = not self._shelf.read_only
        one = len(chosen) == 1 and can and not in_trash
        self.prompt.setEnabled(one)
        self.tags.setEnabled(one)
        self.remove_button.setEnabled(bool(chosen) and can)
        self.remove_button.setText(self.tr("Delete for good") if in_trash else self.tr("Put into the trash"))
        self.remove_button.setIcon(icon("x" if in_trash else "trash"))
        self.restore_button.setVisible(in_trash)
        self.restore_button.setEnabled(bool(chosen) and can)
        written = sum(bool(prompt.text.strip()) for prompt in chosen)
        self.write_button.setText(self.tr("Write %Ln stories", "", max(written, 1)))
        self.write_button.setEnabled(bool(written) and can and not in_trash)

    @Slot()
    def _on_selected(self) -> None:
        chosen = self.chosen
        one = chosen[0] if len(chosen) == 1 else None
        if one is None or self._current is None or one.id != self._current.id:
            self.flush()
            self._current = one
            with QSignalBlocker(self.prompt), QSignalBlocker(self.tags):
                many = "\n".join(f"{prompt.text}" for prompt in chosen[:20])
                self.prompt.setPlainText(one.text if one else many)
                self.tags.setText(", ".join(one.tags) if one else "")
        self._fit()

    @Slot(object)
    def _on_prompts_changed(self, prompts: tuple[ShelfPrompt, ...]) -> None:
        tags = list_tags(prompt for prompt in prompts if not prompt.in_trash)
        if [self.tag_box.itemData(row) for row in range(1, self.tag_box.count())] != tags:
            chosen = self.tag_box.currentData()
            with QSignalBlocker(self.tag_box):
                while self.tag_box.count() > 1:
                    self.tag_box.removeItem(1)
                for tag in tags:
                    self.tag_box.addItem(tag, tag)
                self.tag_box.setCurrentIndex(max(self.tag_box.findData(chosen), 0))
        before = {prompt.id for prompt in self._shown}
        self._fill()
        fresh = [row for row, prompt in enumerate(self._shown) if prompt.id not in before]
        if self._choose_new and fresh:
            self._choose_new = False
            self.list.setCurrentRow(fresh[0])
            self.prompt.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _on_add_clicked(self) -> None:
        self.flush()
        self.search.clear()
        self.tag_box.setCurrentIndex(0)
        self.trash_button.setChecked(False)
        self._choose_new = True
        self._shelf.keep([ShelfPrompt(0, "")])

    @Slot()
    def _on_trash_clicked(self) -> None:
        ids = tuple(prompt.id for prompt in self.chosen)
        if not ids or self._shelf.read_only:
            return
        self.flush()
        if self.trash_button.isChecked():
            self._shelf.delete(ids)
            return
        self._undo = ids
        self._shelf.trash(ids)
        self.undo_bar.offer(self.tr("%Ln prompts are in the trash.", "", len(ids)))

    @Slot()
    def _on_undone(self) -> None:
        self._shelf.trash(self._undo, restore=True)

    @Slot()
    def _on_import_clicked(self) -> None:
        kinds = " ".join(f"*.{form}" for form in FORMATS)
        names, _kind = QFileDialog.getOpenFileNames(
            self, self.tr("Import prompts"), "", self.tr("Prompts ({kinds})").format(kinds=f"{kinds} *.wp_source")
        )
        for name in names:
            self._shelf.import_prompts(Path(name))

    @Slot(int, int)
    def _on_imported(self, fresh: int, known: int) -> None:
        said = self.tr("%Ln prompts came in.", "", fresh)
        if known:
            said += " " + self.tr("%Ln were here already.", "", known)
        self.hint.setText(said)
        self.hint.show()

"""The partner’s Memory tab: what the model always knows, what it should keep in mind now, and what it will see."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QScrollArea, QSpinBox, QVBoxLayout, QWidget

from storydesk.domain.memory import LEAST_RECENT, MOST_DEPTH, MOST_RECENT, StoryMemory
from storydesk.services.memory import MemoryPage
from storydesk.ui.memory.context_view import ContextView
from storydesk.ui.theme import SPACE_M, SPACE_S, icon, indent_number, make_label, set_role

MEMORY_LINES = 3
NOTE_LINES = 2


class MemoryPanel(QWidget):
    """Shows a story's memory and lets it be changed. GUI thread."""

    memory_edited = Signal(object)
    """The StoryMemory as the writer changed it."""
    lorebook_wanted = Signal()
    shown = Signal()

    def __init__(self, parent: QWidget | None = None, *, editable: bool = True) -> None:
        """Begin with an empty memory."""
        super().__init__(parent)
        self._memory = StoryMemory()
        self._editable = editable
        inside = QWidget(self)
        inside.setObjectName("scrolled")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        self.memory = self._make_field(
            self.tr("Memory"),
            self.tr("What the model should always know: who, where, when. It stands before everything else."),
            MEMORY_LINES,
        )
        self._add_field(column, self.memory)
        column.addSpacing(SPACE_S)
        self.note = self._make_field(
            self.tr("Author’s note"),
            self.tr("What matters now: a mood, a turn. It stands near the end."),
            NOTE_LINES,
        )
        self._add_field(column, self.note)
        column.addLayout(self._make_depth())
        column.addSpacing(SPACE_S)
        column.addLayout(self._make_lorebook())
        column.addSpacing(SPACE_S)
        heading = make_label(self.tr("What the model will see"), "heading", inside)
        column.addWidget(heading)
        self.context = ContextView(inside, editable=editable)
        column.addWidget(self.context, 1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
        self._show_memory(self._memory)
        self.show_page(MemoryPage())

    def show_page(self, page: MemoryPage) -> None:
        """Show another story's memory, or how many entries its lorebook has now."""
        on = sum(entry.enabled for entry in page.entries)
        self.entries.setText(
            self.tr("Lorebook: %Ln entries", "", len(page.entries))
            + ("" if on == len(page.entries) else self.tr(", {on} on").format(on=on))
        )
        if page.memory != self._memory:
            self._show_memory(page.memory)

    def _show_memory(self, memory: StoryMemory) -> None:
        self._memory = memory
        for field, text in ((self.memory, memory.memory), (self.note, memory.author_note)):
            with QSignalBlocker(field):
                if field.toPlainText() != text:
                    field.setPlainText(text)
        for box, number in ((self.depth_box, memory.note_depth), (self.recent_box, memory.recent_words)):
            with QSignalBlocker(box):
                box.setValue(number)
        self._say_depth()

    def set_editable(self, editable: bool) -> None:
        """Let the memory be changed, or not."""
        for field in (self.memory, self.note):
            field.setReadOnly(not editable)
        for box in (self.depth_box, self.recent_box):
            box.setEnabled(editable)

    def showEvent(self, event: QShowEvent) -> None:
        """Tell that somebody is looking."""
        super().showEvent(event)
        self.shown.emit()

    def _make_field(self, name: str, tip: str, lines: int) -> QPlainTextEdit:
        field = QPlainTextEdit(self)
        field.setAccessibleName(name)
        field.setAccessibleDescription(tip)
        field.setPlaceholderText(tip)
        field.setToolTip(tip)
        field.setTabChangesFocus(True)
        field.setFixedHeight(field.fontMetrics().lineSpacing() * lines + 2 * SPACE_M)
        field.setReadOnly(not self._editable)
        field.textChanged.connect(self._on_edited)
        return field

    def _add_field(self, column: QVBoxLayout, field: QPlainTextEdit) -> None:
        heading = make_label(field.accessibleName(), "heading", self)
        heading.setBuddy(field)
        column.addWidget(heading)
        column.addWidget(field)

    def _make_depth(self) -> QHBoxLayout:
        self.depth_box = self._make_number(0, MOST_DEPTH, self.tr("Paragraphs that stand behind the author’s note"))
        self.depth_box.setToolTip(
            self.tr("How many paragraphs of your text stand behind the note; 0 puts it at the end")
        )
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.depth_box)
        self.depth_label = make_label("", "muted", self)
        row.addWidget(self.depth_label, 1)
        self._say_depth()
        return row

    def _say_depth(self) -> None:
        one, many = self.tr("paragraph before the end"), self.tr("paragraphs before the end")
        self.depth_label.setText(one if self.depth_box.value() == 1 else many)

    def _make_lorebook(self) -> QVBoxLayout:
        self.entries = make_label("", "", self)
        self.lorebook_button = QPushButton(icon("book-bookmark"), self.tr("Open"), self)
        self.lorebook_button.setAccessibleName(self.tr("Open the lorebook"))
        self.lorebook_button.clicked.connect(self.lorebook_wanted)
        set_role(self.lorebook_button, "flat")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.entries, 1)
        row.addWidget(self.lorebook_button)
        self.recent_box = self._make_number(LEAST_RECENT, MOST_RECENT, self.tr("Words in which names are looked for"))
        self.recent_box.setSingleStep(50)
        self.recent_box.setToolTip(self.tr("Entries come up when their names stand in so many of the last words"))
        below = QHBoxLayout()
        below.setSpacing(SPACE_S)
        below.addWidget(make_label(self.tr("Names in the last"), "muted", self, wrap=False))
        below.addWidget(self.recent_box)
        below.addWidget(make_label(self.tr("words"), "muted", self), 1)
        column = QVBoxLayout()
        column.setSpacing(SPACE_S)
        column.addLayout(row)
        column.addLayout(below)
        return column

    def _make_number(self, low: int, high: int, name: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(low, high)
        box.setAccessibleName(name)
        box.setEnabled(self._editable)
        indent_number(box)
        box.valueChanged.connect(self._on_edited)
        return box

    @Slot()
    def _on_edited(self) -> None:
        self._say_depth()
        edited = replace(
            self._memory,
            memory=self.memory.toPlainText(),
            author_note=self.note.toPlainText(),
            note_depth=self.depth_box.value(),
            recent_words=self.recent_box.value(),
        )
        if edited != self._memory:
            self._memory = edited
            self.memory_edited.emit(edited)

"""What the writer says of a story or a part: status, target, tags, a note. Kept as it is changed."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.outline import PartDetails, Status, StoryDetails
from storydesk.services.outline import tidy_tags
from storydesk.ui.sentences import say_status
from storydesk.ui.theme import SPACE_S, SPACE_XS, icon, indent_number, make_label, set_hint, set_role
from storydesk.ui.window_timers import make_single_shot

KEEP_MILLISECONDS = 500
MOST_WORDS = 10_000_000
STEP = 500
NOTE_LINES = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being described: a story by its id, or one of the open story's parts by its ordinal."""

    title: str
    story_id: int = 0
    ordinal: int = -1


class DetailsEditor(QFrame):
    """A small form below the shelf. GUI thread."""

    story_changed = Signal(int, object)
    """A story's id and its StoryDetails."""
    part_changed = Signal(int, object)
    """A part's ordinal and its PartDetails."""
    left = Signal()
    """The writer is done with it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Stay hidden until there is something to describe."""
        super().__init__(parent)
        self.setAccessibleName(self.tr("Details"))
        self._subject: Subject | None = None
        self._filling = False
        self._due = make_single_shot(self, KEEP_MILLISECONDS, self.keep)
        self._title = make_label("", "heading", self)
        self._title.setWordWrap(True)
        close = QToolButton(self)
        close.setIcon(icon("x"))
        close.setAccessibleName(self.tr("Close details"))
        close.setToolTip(self.tr("Close details"))
        set_role(close, "flat")
        close.clicked.connect(self._on_close_clicked)
        top = QHBoxLayout()
        top.addWidget(self._title, 1)
        top.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.status = QComboBox(self)
        for status in Status:
            self.status.addItem(say_status(status), str(status))
        self.status.setAccessibleName(self.tr("Status"))
        self.target = QSpinBox(self)
        self.target.setRange(0, MOST_WORDS)
        self.target.setSingleStep(STEP)
        self.target.setGroupSeparatorShown(True)
        self.target.setSpecialValueText(self.tr("No target"))
        self.target.setSuffix(self.tr(" words"))
        self.target.setAccessibleName(self.tr("Target in words"))
        indent_number(self.target)
        self.tags = QLineEdit(self)
        set_hint(self.tags, self.tr("Tags, with commas between"))
        self.tags.setAccessibleName(self.tr("Tags"))
        self.note = QPlainTextEdit(self)
        set_hint(self.note, self.tr("A note to yourself"))
        self.note.setAccessibleName(self.tr("Note"))
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(self.note.fontMetrics().lineSpacing() * NOTE_LINES + 3 * SPACE_S)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE_XS, 0, SPACE_XS)
        column.setSpacing(SPACE_XS + 2)
        column.addLayout(top)
        for field in (self.status, self.target, self.tags, self.note):
            column.addWidget(field)
        self.status.currentIndexChanged.connect(self._on_changed)
        self.target.valueChanged.connect(self._on_changed)
        self.tags.textEdited.connect(self._on_changed)
        self.note.textChanged.connect(self._on_changed)
        self.hide()

    @property
    def subject(self) -> Subject | None:
        """What is being described at the moment."""
        return self._subject

    def describe(self, subject: Subject, details: StoryDetails | PartDetails, *, writes: bool) -> None:
        """Show what is kept of a story or a part; what was changed of the last one is kept first."""
        self.keep()
        self._filling = True
        self._subject = subject
        self._title.setText(subject.title)
        self.status.setCurrentIndex(max(0, self.status.findData(str(details.status))))
        self.target.setValue(details.target)
        self.tags.setText(", ".join(details.tags) if isinstance(details, StoryDetails) else "")
        self.tags.setVisible(isinstance(details, StoryDetails))
        self.note.setPlainText(details.note)
        for field in (self.status, self.target):
            field.setEnabled(writes)
        self.tags.setReadOnly(not writes)
        self.note.setReadOnly(not writes)
        self._filling = False
        self.show()

    def follow(self, ordinal: int, title: str) -> None:
        """Hear that the part which is being described has another place or title now."""
        if self._subject is not None:
            self._subject = Subject(title, self._subject.story_id, ordinal)
            self._title.setText(title)

    @Slot()
    def keep(self) -> None:
        """Tell what was changed, now rather than soon."""
        if not self._due.isActive() or self._subject is None:
            return
        self._due.stop()
        status, target, note = Status(self.status.currentData()), self.target.value(), self.note.toPlainText()
        if self._subject.ordinal >= 0:
            self.part_changed.emit(self._subject.ordinal, PartDetails(status, target, note))
        else:
            tags = tidy_tags(self.tags.text().split(","))
            self.story_changed.emit(self._subject.story_id, StoryDetails(status, target, tags, note))

    def leave(self) -> None:
        """Keep what was changed and go away."""
        self.keep()
        self._subject = None
        self.hide()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave with Esc."""
        if event.key() == Qt.Key.Key_Escape:
            self._on_close_clicked()
        else:
            super().keyPressEvent(event)

    @Slot()
    def _on_changed(self) -> None:
        if not self._filling:
            self._due.start()

    @Slot()
    def _on_close_clicked(self) -> None:
        self.leave()
        self.left.emit()

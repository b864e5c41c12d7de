"""One pair to read and change: the prompt beside the story."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFont, QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.dataset import Pair, PairCard
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XS, FlowLayout, icon, make_label, set_role
from storydesk.ui.tuning.dataset_words import say_facts
from storydesk.ui.window_timers import make_single_shot

KEEP_MILLISECONDS: Final = 1500
"""From the last key to the disk."""
SIDE_BY_SIDE_LETTERS: Final = 88
"""Where there is room for fewer, the story stands below its prompt."""
LEAST_LINES: Final = 4


class PairEditor(QWidget):
    """Shows the pair that is current and keeps what is typed. GUI thread."""

    change_wanted = Signal(str, str, str)
    """A pair's id, its prompt and its story."""
    leaving_wanted = Signal(str, bool)
    """A pair's id, and whether to leave it out (else to take it back)."""

    def __init__(self, font: QFont, parent: QWidget | None = None) -> None:
        """Show nothing; ``font`` is the page's."""
        super().__init__(parent)
        self._font = font
        self._pair: Pair | None = None
        self._kept = ("", "")
        self._keep_due = make_single_shot(self, KEEP_MILLISECONDS, self.flush)
        self._build()
        self.show_pair(None)

    @property
    def pair(self) -> Pair | None:
        """The pair that is shown, as it was read."""
        return self._pair

    @property
    def is_changed(self) -> bool:
        """Whether something was typed that is not kept yet."""
        return self._pair is not None and self._typed() != self._kept

    def show_pair(self, pair: Pair | None) -> None:
        """Show a whole pair; what is being typed into the same one is left alone."""
        same = pair is not None and self._pair is not None and pair.card.id == self._pair.card.id
        if same and self.is_changed:
            return
        self._keep_due.stop()
        self._pair = pair
        self._kept = (pair.card.prompt, pair.story) if pair is not None else ("", "")
        for field, text in zip((self.prompt, self.story), self._kept, strict=True):
            if field.toPlainText() != text:
                with QSignalBlocker(field.document()), QSignalBlocker(field):
                    field.setPlainText(text)
            _align(field)
        self._kept = self._typed()  # line ends as the fields have them
        self.fields.setEnabled(pair is not None)
        self.show_card(pair.card if pair is not None else None)

    def show_card(self, card: PairCard | None) -> None:
        """Say what is known of the pair that is shown."""
        self.title.setText(card.title or self.tr("Untitled") if card is not None else self.tr("No pair is chosen"))
        self.facts.setText(say_facts(card) if card is not None else "")
        with QSignalBlocker(self.in_box):
            self.in_box.setChecked(card is not None and not card.left_out)
        self.in_box.setEnabled(card is not None)
        pair = self._pair
        self.reset_button.setEnabled(pair is not None and self._typed() != (pair.found_prompt, pair.found_story))

    def flush(self) -> None:
        """Keep at once what was typed."""
        self._keep_due.stop()
        if self._pair is not None and self.is_changed:
            self._kept = self._typed()
            self.change_wanted.emit(self._pair.card.id, *self._kept)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put prompt and story side by side where there is room."""
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        """Arrange anew in other letters."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "both"):
            self._arrange()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep what was typed when a field is left."""
        if event.type() == QEvent.Type.FocusOut:
            self.flush()
        return super().eventFilter(watched, event)

    # What is where

    def _build(self) -> None:
        self.title = make_label("", "heading", self)
        self.facts = make_label("", "muted", self)
        self.in_box = QCheckBox(self.tr("Learn from this pair"), self)
        self.in_box.toggled.connect(self._on_toggled)
        self.reset_button = QPushButton(icon("arrow-counter-clockwise"), self.tr("As it was read"), self)
        self.reset_button.setToolTip(self.tr("Puts prompt and story back as they stand in your file"))
        self.reset_button.clicked.connect(self._on_reset_clicked)
        set_role(self.reset_button, "flat")
        row = FlowLayout(space=SPACE_M)
        row.add(self.in_box, self.reset_button)
        self.prompt = self._build_field(self.tr("Prompt"), self.tr("What is this story about? Nothing is fine too."))
        self.story = self._build_field(self.tr("Story"), "")
        self.fields = QWidget(self)
        self.both = QBoxLayout(QBoxLayout.Direction.LeftToRight, self.fields)
        self.both.setContentsMargins(0, 0, 0, 0)
        self.both.setSpacing(SPACE_M)
        self.both.addLayout(self._label_field(self.tr("&Prompt"), self.prompt), 2)
        self.both.addLayout(self._label_field(self.tr("&Story"), self.story), 3)
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(head)
        column.addWidget(self.facts)
        column.addLayout(row)
        column.addWidget(self.fields, 1)

    def _build_field(self, name: str, hint: str) -> QPlainTextEdit:
        field = QPlainTextEdit(self)
        field.setAccessibleName(name)
        field.setPlaceholderText(hint)
        field.setTabChangesFocus(True)
        field.setFont(self._font)
        field.setMinimumHeight(field.fontMetrics().lineSpacing() * LEAST_LINES)
        field.textChanged.connect(self._on_typed)
        field.installEventFilter(self)
        return field

    def _label_field(self, words: str, field: QPlainTextEdit) -> QVBoxLayout:
        label = QLabel(words, self)
        label.setBuddy(field)
        set_role(label, "muted")
        column = QVBoxLayout()
        column.setSpacing(SPACE_XS)
        column.addWidget(label)
        column.addWidget(field, 1)
        return column

    def _arrange(self) -> None:
        beside = self.width() >= self.fontMetrics().averageCharWidth() * SIDE_BY_SIDE_LETTERS
        wanted = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self.both.direction() != wanted:
            self.both.setDirection(wanted)
            self.both.setStretch(0, 2 if beside else 1)

    # What happens

    def _typed(self) -> tuple[str, str]:
        return self.prompt.toPlainText(), self.story.toPlainText()

    def _on_typed(self) -> None:
        _align(self.prompt)
        _align(self.story)
        if self._pair is not None:
            self._keep_due.start()
            self.reset_button.setEnabled(True)

    def _on_toggled(self, on: bool) -> None:
        if self._pair is not None:
            self.leaving_wanted.emit(self._pair.card.id, not on)

    def _on_reset_clicked(self) -> None:
        if self._pair is not None:
            self.prompt.setPlainText(self._pair.found_prompt)
            self.story.setPlainText(self._pair.found_story)
            self.flush()


def _align(field: QPlainTextEdit) -> None:
    """Let a text that is written from right to left begin at the right; a plain field would not."""
    first = field.document().begin()
    while first.isValid() and not first.text().strip():
        first = first.next()
    leftward = first.isValid() and first.textDirection() == Qt.LayoutDirection.RightToLeft
    side = Qt.AlignmentFlag.AlignRight if leftward else Qt.AlignmentFlag.AlignLeft
    option = field.document().defaultTextOption()
    if option.alignment() != side:
        option.setAlignment(side)
        option.setTextDirection(Qt.LayoutDirection.LayoutDirectionAuto)  # each paragraph by its own letters
        with QSignalBlocker(field):
            field.document().setDefaultTextOption(option)

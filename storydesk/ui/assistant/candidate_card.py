"""One way to go on, as a card: its text, how surprising it is, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QLabel, QToolButton, QVBoxLayout, QWidget

from storydesk.bridge.writing_controller import Candidate
from storydesk.domain.endings import Ending
from storydesk.ui.assistant.word_text import WordText
from storydesk.ui.theme import SPACE_S, SPACE_XS, FlowLayout, icon, set_role

LINES = 3
WHOLE = 40
"""Lines of a card that the writer turned to."""


class CandidateCard(QFrame):
    """Shows a candidate; Return or a click beside the words takes it, a click on a word asks for others. GUI thread."""

    chosen = Signal(int)
    sentence_chosen = Signal(int)
    compare_wanted = Signal()
    word_clicked = Signal(int, int, QPoint)
    """The card's number, the place in its text (code points), and the place on the screen."""

    def __init__(self, candidate: Candidate, parent: QWidget | None = None) -> None:
        """Show a candidate as far as it has come."""
        super().__init__(parent)
        set_role(self, "card")
        self.number = candidate.number
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.passage = WordText(self, lines=LINES)
        self.passage.word_clicked.connect(lambda place, spot: self.word_clicked.emit(self.number, place, spot))
        self.chip = QLabel(self)
        set_role(self.chip, "chip-accent" if candidate.number == 1 else "chip")
        key = self.tr("Tab") if candidate.number == 1 else f"Alt+{candidate.number}"
        self.key_label = QLabel(key, self)
        set_role(self.key_label, "muted")
        self.use_button = self._make_button("check", self.tr("Use this way"))
        self.use_button.clicked.connect(lambda: self.chosen.emit(self.number))
        self.sentence_button = self._make_button("text-align-left", self.tr("Use its first sentence, offer the rest"))
        self.sentence_button.clicked.connect(lambda: self.sentence_chosen.emit(self.number))
        self.compare_button = self._make_button("columns", self.tr("Compare all ways side by side"))
        self.compare_button.clicked.connect(self.compare_wanted)
        foot = FlowLayout(space=2)
        foot.add(self.chip, self.key_label, self.use_button, self.sentence_button, self.compare_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_S, SPACE_S, SPACE_S, SPACE_XS)
        column.setSpacing(SPACE_XS)
        column.addWidget(self.passage)
        column.addLayout(foot)
        self.show_candidate(candidate)

    def show_candidate(self, candidate: Candidate) -> None:
        """Show the candidate as it is now."""
        self.passage.set_text(candidate.text)
        measured = self._say_state(candidate)
        self.chip.setText(measured)
        self.setToolTip(self._say_end(candidate))
        for button in (self.use_button, self.sentence_button):
            button.setEnabled(bool(candidate.text.strip()))
        self.setAccessibleName(
            self.tr("Way {number}, {measured}: {text}").format(
                number=candidate.number, measured=measured, text=" ".join(candidate.text.split())
            )
        )

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show all of the text."""
        super().focusInEvent(event)
        self.passage.set_lines(WHOLE)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Make room for the others again."""
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self.passage.set_lines(LINES)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose this way."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.number)
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose this way with Return or the space bar."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.number)
        else:
            super().keyPressEvent(event)

    def _say_state(self, candidate: Candidate) -> str:
        if candidate.perplexity:
            return self.tr("perplexity {value}").format(value=f"{candidate.perplexity:.0f}")
        if candidate.ended:
            return self.tr("done") if candidate.text else self.tr("nothing came")
        return self.tr("writing …") if candidate.text else self.tr("waiting …")

    def _say_end(self, candidate: Candidate) -> str:
        said = {
            Ending.TRIMMED: self.tr("Its last sentence was not finished and was left off."),
            Ending.BEGUN_AGAIN: self.tr("It began to repeat itself, so it was begun anew."),
            Ending.CUT_BACK: self.tr("It began to repeat itself; that was cut off."),
        }
        return said.get(candidate.ending, "")

    def _make_button(self, glyph: str, tip: str) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(glyph))
        button.setToolTip(tip)
        button.setAccessibleName(tip)
        set_role(button, "flat")
        return button

"""What the writer liked, to look through: each pair or good text, and whether a model is to learn from it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.feedback import Feedback, FeedbackOrigin, GoodExample, PreferencePair
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon, make_label
from storydesk.ui.undo_bar import UndoBar

Piece = PreferencePair | GoodExample
_LIST_LINES = 8
_TEXT_LINES = 6
_SHORT = 70


class FeedbackList(QWidget):
    """Lists feedback, shows the texts of what is chosen, and lets it be left out. GUI thread."""

    leave_out_wanted = Signal(str, bool)
    """The key of a piece of feedback, and whether it is taken back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.pieces: list[Piece] = []
        self._undo = ("", False)
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("What you liked"))
        self.list.setMinimumHeight(self.list.fontMetrics().lineSpacing() * _LIST_LINES)
        self.list.currentRowChanged.connect(lambda _row: self._show_chosen())
        self.better, better = self._make_text(self.tr("Better"))
        self.other, self._other_column = self._make_text(self.tr("Not so good"))
        texts = QHBoxLayout()
        texts.setSpacing(SPACE_M)
        texts.addWidget(better, 1)
        texts.addWidget(self._other_column, 1)
        self.leave_button = QPushButton(icon("eye-slash"), "")
        self.leave_button.clicked.connect(self._turn_chosen)
        self.undo_bar = UndoBar()
        self.undo_bar.undone.connect(lambda: self.leave_out_wanted.emit(*self._undo))
        actions = FlowLayout(space=SPACE_S)
        actions.add(self.leave_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.list, 1)
        column.addLayout(actions)
        column.addLayout(texts)
        column.addWidget(self.undo_bar)
        hear(self.list, ("Del",), self._turn_chosen)
        self._show_chosen()

    @property
    def chosen(self) -> Piece | None:
        """What is chosen in the list."""
        row = self.list.currentRow()
        return self.pieces[row] if 0 <= row < len(self.pieces) else None

    def show_feedback(self, feedback: Feedback) -> None:
        """Show all feedback; what was chosen stays so."""
        wanted = self.chosen.key if self.chosen is not None else ""
        self.pieces = [*feedback.pairs, *feedback.examples]
        self.list.blockSignals(True)
        self.list.clear()
        for piece in self.pieces:
            self.list.addItem(QListWidgetItem(self._describe(piece)))
        self.list.blockSignals(False)
        row = next((row for row, piece in enumerate(self.pieces) if piece.key == wanted), 0)
        self.list.setCurrentRow(row if self.pieces else -1)
        self._show_chosen()

    def _describe(self, piece: Piece) -> str:
        origins = {
            FeedbackOrigin.RATING: self.tr("Rated"),
            FeedbackOrigin.CHOICE: self.tr("Chosen between two"),
            FeedbackOrigin.SUGGESTION: self.tr("Suggestion taken"),
            FeedbackOrigin.EDIT: self.tr("Changed by you"),
        }
        marks = [origins[piece.origin]]
        if isinstance(piece, GoodExample):
            marks.append(self.tr("a good text"))
        if piece.held_out:
            marks.append(self.tr("kept aside to check with"))
        if piece.left_out:
            marks.append(self.tr("left out"))
        text = piece.chosen if isinstance(piece, PreferencePair) else piece.text
        prompt = shorten(piece.prompt or piece.before[-_SHORT:])
        return "\n".join([" · ".join(marks), f"{prompt} “{shorten(text)}”" if prompt else f"“{shorten(text)}”"])

    def _show_chosen(self) -> None:
        piece = self.chosen
        pair = piece if isinstance(piece, PreferencePair) else None
        self.better.setPlainText(
            pair.chosen if pair is not None else piece.text if isinstance(piece, GoodExample) else ""
        )
        self.other.setPlainText(pair.rejected if pair is not None else "")
        self._other_column.setVisible(pair is not None)
        self.leave_button.setEnabled(piece is not None)
        back = piece is not None and piece.left_out
        self.leave_button.setText(self.tr("Take back") if back else self.tr("Leave out"))
        self.leave_button.setIcon(icon("arrow-u-up-left" if back else "eye-slash"))
        self.leave_button.setToolTip(
            self.tr("Learn from this again") if back else self.tr("No model learns from this; it stays in the list")
        )

    def _turn_chosen(self) -> None:
        """Leave the chosen one out, or take it back."""
        piece = self.chosen
        if piece is None:
            return
        back = piece.left_out
        self._undo = (piece.key, not back)
        self.leave_out_wanted.emit(piece.key, back)
        self.undo_bar.offer(self.tr("It is taken back.") if back else self.tr("It is left out."))

    def _make_text(self, name: str) -> tuple[QPlainTextEdit, QWidget]:
        text = QPlainTextEdit()
        text.setReadOnly(True)
        text.setTabChangesFocus(True)
        text.setAccessibleName(name)
        text.setMinimumHeight(text.fontMetrics().lineSpacing() * _TEXT_LINES)
        around = QWidget()
        column = QVBoxLayout(around)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(make_label(name, "muted"))
        column.addWidget(text, 1)
        return text, around


def shorten(text: str, most: int = _SHORT) -> str:
    """Return the first words of a text in one line."""
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - 1].rsplit(" ", 1)[0] + "…"

"""What the writer liked, to look through: each pair or good text, and whether a model is to learn from it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPlainTextEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.feedback import Feedback, FeedbackOrigin, GoodExample, PreferencePair
from storydesk.ui.figures import say_number
from storydesk.ui.judging.changed_words import mark_changes
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon, make_label, set_hint
from storydesk.ui.undo_bar import UndoBar

Piece = PreferencePair | GoodExample
_LIST_LINES = 8
_TEXT_LINES = 6
_SHORT = 70
_BEFORE = 160


class FeedbackList(QWidget):
    """Lists feedback, shows the texts of what is chosen, and lets it be left out. GUI thread."""

    leave_out_wanted = Signal(object, bool)
    """The keys of pieces of feedback, and whether they are taken back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.pieces: list[Piece] = []
        self._all: list[Piece] = []
        self._undo: tuple[tuple[str, ...], bool] = ((), False)
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("What you liked"))
        self.list.setMinimumHeight(self.list.fontMetrics().lineSpacing() * _LIST_LINES)
        self.list.currentRowChanged.connect(lambda _row: self._show_chosen())
        self.list.itemSelectionChanged.connect(self._show_button)
        self.nothing = make_label(self.tr("Nothing here is like that."), "muted")
        self.better, better = self._make_text(self.tr("Better"))
        self.other, self._other_column = self._make_text(self.tr("Not so good"))
        self.context = make_label("", "muted", selectable=True)
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
        column.addLayout(self._build_search())
        column.addWidget(self.list, 1)
        column.addWidget(self.nothing)
        column.addLayout(actions)
        column.addWidget(self.context)
        column.addLayout(texts)
        column.addWidget(self.undo_bar)
        hear(self.list, ("Del",), self._turn_chosen)
        self._show_chosen()

    @property
    def chosen(self) -> Piece | None:
        """What is chosen in the list; of several, where the writer was last."""
        row = self.list.currentRow()
        return self.pieces[row] if 0 <= row < len(self.pieces) else None

    @property
    def selected(self) -> list[Piece]:
        """All that is selected."""
        rows = sorted(index.row() for index in self.list.selectedIndexes())
        return [self.pieces[row] for row in rows] or ([self.chosen] if self.chosen is not None else [])

    def show_feedback(self, feedback: Feedback) -> None:
        """Show all feedback; what was chosen stays so."""
        self._all = [*feedback.pairs, *feedback.examples]
        self._fill()

    def changeEvent(self, event: QEvent) -> None:
        """Mark changes in the colours of another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._show_chosen()

    def _build_search(self) -> FlowLayout:
        self._kinds: list[tuple[str, Callable[[Piece], bool]]] = [
            (self.tr("Everything"), lambda _piece: True),
            (self.tr("Chosen between two"), lambda piece: piece.origin is FeedbackOrigin.CHOICE),
            (self.tr("Rated"), lambda piece: piece.origin is FeedbackOrigin.RATING),
            (self.tr("Suggestions taken"), lambda piece: piece.origin is FeedbackOrigin.SUGGESTION),
            (self.tr("Changed by you"), lambda piece: piece.origin is FeedbackOrigin.EDIT),
            (self.tr("Good texts"), lambda piece: isinstance(piece, GoodExample)),
            (self.tr("Kept aside to check with"), lambda piece: piece.held_out),
            (self.tr("Left out"), lambda piece: piece.left_out),
        ]
        self.kind = QComboBox()
        self.kind.setAccessibleName(self.tr("Which of it to show"))
        self.kind.addItems([name for name, _fits in self._kinds])
        self.kind.currentIndexChanged.connect(lambda _index: self._fill())
        self.search = QLineEdit()
        set_hint(self.search, self.tr("Find words"))
        self.search.setAccessibleName(self.tr("Find words"))
        self.search.setClearButtonEnabled(True)
        for clear in self.search.findChildren(QToolButton):
            clear.setAccessibleName(self.tr("Clear the search"))
        self.search.textChanged.connect(lambda _text: self._fill())
        row = FlowLayout(space=SPACE_S)
        row.add(self.kind)
        row.add(self.search, stretched=True)
        return row

    def _fill(self) -> None:
        """List what fits the choice and the words."""
        wanted = {piece.key for piece in self.selected}
        current, row_before = self.chosen.key if self.chosen is not None else "", self.list.currentRow()
        fits, words = self._kinds[max(0, self.kind.currentIndex())][1], self.search.text().casefold().split()
        self.pieces = [piece for piece in self._all if fits(piece) and _holds(piece, words)]
        self.list.blockSignals(True)
        self.list.clear()
        for piece in self.pieces:
            self.list.addItem(QListWidgetItem(self._describe(piece)))
        rows = {piece.key: row for row, piece in enumerate(self.pieces)}
        # What was left out may not be among what is shown now: then the next one is chosen.
        row = rows.get(current, min(max(row_before, 0), len(self.pieces) - 1))
        self.list.setCurrentRow(row)
        for key in wanted & rows.keys():
            self.list.item(rows[key]).setSelected(True)
        self.list.blockSignals(False)
        self.list.setVisible(bool(self.pieces))
        self.nothing.setVisible(not self.pieces)
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
        better = pair.chosen if pair is not None else piece.text if isinstance(piece, GoodExample) else ""
        for text, words in ((self.better, better), (self.other, pair.rejected if pair is not None else "")):
            if text.toPlainText() != words:
                text.setPlainText(words)
        mark_changes(self.other, self.better)
        self._other_column.setVisible(pair is not None)
        self.context.setText(_say_context(piece))
        self.context.setVisible(bool(self.context.text()))
        self._show_button()

    def _show_button(self) -> None:
        """Say what the button does with what is selected."""
        piece, count = self.chosen, len(self.selected)
        self.leave_button.setEnabled(piece is not None)
        back = piece is not None and piece.left_out
        words = self.tr("Take back") if back else self.tr("Leave out")
        self.leave_button.setText(f"{words} ({say_number(count)})" if count > 1 else words)
        self.leave_button.setIcon(icon("arrow-u-up-left" if back else "eye-slash"))
        self.leave_button.setToolTip(
            self.tr("Learn from this again") if back else self.tr("No model learns from this; it stays in the list")
        )

    def _turn_chosen(self) -> None:
        """Leave what is selected out, or take it back, as the button says."""
        piece = self.chosen
        if piece is None:
            return
        back = piece.left_out
        keys = tuple(each.key for each in self.selected if each.left_out == back)
        self._undo = (keys, not back)
        self.leave_out_wanted.emit(keys, back)
        said = self.tr("It is taken back.") if back else self.tr("It is left out.")
        if len(keys) > 1:
            said = self.tr("Taken back: {count}") if back else self.tr("Left out: {count}")
        self.undo_bar.offer(said.format(count=say_number(len(keys))))

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


def _holds(piece: Piece, words: list[str]) -> bool:
    """Say whether a piece holds all words, in any of its texts."""
    if not words:
        return True
    texts = (piece.chosen, piece.rejected) if isinstance(piece, PreferencePair) else (piece.text,)
    whole = "\n".join((piece.prompt, piece.before, *texts)).casefold()
    return all(word in whole for word in words)


def _say_context(piece: Piece | None) -> str:
    """Return what both texts answer, and the end of what they go on from."""
    if piece is None:
        return ""
    before = " ".join(piece.before.split())
    if len(before) > _BEFORE:
        before = "…" + before[-_BEFORE:].partition(" ")[2]
    return "\n".join(part for part in (" ".join(piece.prompt.split()), before) if part)

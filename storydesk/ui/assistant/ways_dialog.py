"""All ways to go on side by side, each with the whole of its text."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.writing_controller import Candidate
from storydesk.domain.manuscript import count_words
from storydesk.ui.assistant.word_text import WordText
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, FlowLayout, WrapButton, make_label, set_role

COLUMN = 250
MOST_COLUMNS = 3
HEIGHT = 640


class WaysDialog(QDialog):
    """Columns of ways; what is written meanwhile is shown. GUI thread."""

    chosen = Signal(int)
    sentence_chosen = Signal(int)
    word_clicked = Signal(int, int, QPoint)

    def __init__(self, candidates: Sequence[Candidate], parent: QWidget | None = None) -> None:
        """Show these ways."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Compare the ways"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.passages: dict[int, WordText] = {}
        self._chips: dict[int, QLabel] = {}
        self._words: dict[int, QLabel] = {}
        self.use_buttons: dict[int, WrapButton] = {}
        inside = QWidget(self)
        inside.setObjectName("scrolled")
        grid = QGridLayout(inside)
        grid.setContentsMargins(0, 0, SPACE_S, 0)
        grid.setSpacing(SPACE_M)
        room = (parent.window() if parent is not None else self).screen().availableGeometry().size()
        columns = min(max(len(candidates), 1), MOST_COLUMNS, max((room.width() - 2 * SPACE_XL) // COLUMN, 1))
        for index, candidate in enumerate(candidates):
            grid.addWidget(self._make_way(candidate), index // columns, index % columns)
        for column in range(columns):
            grid.setColumnStretch(column, 1)
        grid.setRowStretch(grid.rowCount(), 1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        close = WrapButton(self.tr("Close"), self)
        close.clicked.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_L, SPACE_L, SPACE_L, SPACE_L)
        layout.setSpacing(SPACE_M)
        layout.addWidget(scroll, 1)
        layout.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        width = (COLUMN + SPACE_M) * columns + 2 * SPACE_L
        self.resize(min(width, room.width() - SPACE_XL), min(HEIGHT, room.height() - 2 * SPACE_XL))
        for candidate in candidates:
            self.show_candidate(candidate)

    def show_candidate(self, candidate: Candidate) -> None:
        """Show a way as far as it has come."""
        passage = self.passages.get(candidate.number)
        if passage is None:
            return
        passage.set_text(candidate.text)
        measured = self.tr("perplexity {value}").format(value=f"{candidate.perplexity:.0f}")
        self._chips[candidate.number].setText(measured if candidate.perplexity else self.tr("writing …"))
        self._chips[candidate.number].setVisible(bool(candidate.perplexity) or not candidate.ended)
        count = count_words(candidate.text)
        self._words[candidate.number].setText(self.tr("%Ln words", "", count))

    def _make_way(self, candidate: Candidate) -> QFrame:
        number = candidate.number
        frame = QFrame(self)
        set_role(frame, "card")
        passage = WordText(frame)
        passage.word_clicked.connect(lambda place, spot: self.word_clicked.emit(number, place, spot))
        chip = QLabel(frame)
        set_role(chip, "chip-accent" if number == 1 else "chip")
        words = make_label(role="muted", wrap=False)
        use = WrapButton(self.tr("Use this way"), frame)
        use.setAccessibleName(self.tr("Use way {n}").format(n=number))
        use.clicked.connect(lambda: self._choose(number))
        sentence = WrapButton(self.tr("Use its first sentence"), frame)
        sentence.setAccessibleName(self.tr("Use the first sentence of way {n}").format(n=number))
        sentence.clicked.connect(lambda: self._choose(number, only_sentence=True))
        facts = FlowLayout()
        facts.add(chip, words)
        buttons = FlowLayout()
        buttons.add(use, sentence)
        column = QVBoxLayout(frame)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_S)
        column.addLayout(facts)
        column.addWidget(passage)
        column.addStretch(1)
        column.addLayout(buttons)
        self.passages[number], self._chips[number], self._words[number] = passage, chip, words
        self.use_buttons[number] = use
        return frame

    def _choose(self, number: int, *, only_sentence: bool = False) -> None:
        self.accept()
        (self.sentence_chosen if only_sentence else self.chosen).emit(number)

"""The strip below the page while a heat map is on: what its colours and lines mean, and what is known of one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QPainter, QPaintEvent, QPen, QResizeEvent, QTextCharFormat
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from storydesk.domain.generation import Alternative
from storydesk.domain.insight import (
    RANK_LIMITS,
    SURPRISE_LIMITS,
    HeatKind,
    rate_gain,
    rate_rank,
    rate_surprise,
    say_odds,
)
from storydesk.ui.editor.heat_map import HeatLook, HeatWord, choose_line_colour, list_looks
from storydesk.ui.figures import say_number
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS, current_tokens, make_label, set_role

MENU_LOOK: Final = "QToolButton::menu-indicator { image: none; width: 0px; }"
ONE_ROW_CHARACTERS: Final = 80
_Underline = QTextCharFormat.UnderlineStyle
_PENS: Final = {
    _Underline.DotLine: Qt.PenStyle.DotLine,
    _Underline.DashUnderline: Qt.PenStyle.DashLine,
    _Underline.DashDotLine: Qt.PenStyle.DashDotLine,
    _Underline.SingleUnderline: Qt.PenStyle.SolidLine,
}


class HeatLegend(QWidget):
    """Writes each class's name in the class's own colour and line, in as many rows as it needs. GUI thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with the surprise."""
        super().__init__(parent)
        self._kind = HeatKind.SURPRISE
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName(self.tr("What the colours mean"))

    def show_kind(self, kind: HeatKind) -> None:
        """Explain this kind of map."""
        self._kind = kind
        self.setAccessibleDescription("; ".join(name for name, _ in self._entries()))
        self.updateGeometry()
        self.update()

    def heightForWidth(self, width: int) -> int:
        """Return the height of the rows at a width."""
        spots = self._lay_out(width)
        return int(spots[-1].bottom()) + SPACE_XS if spots else 0

    def sizeHint(self) -> QSize:
        """Return one row."""
        spots = self._lay_out(10_000)
        return QSize(int(spots[-1].right()) + SPACE_S, int(spots[-1].bottom()) + SPACE_XS)

    def minimumSizeHint(self) -> QSize:
        """Return the widest name."""
        widest = max(spot.width() for spot in self._lay_out(10_000))
        return QSize(int(widest), self.fontMetrics().lineSpacing() + 2 * SPACE_XS)

    def changeEvent(self, event: QEvent) -> None:
        """Repaint in a new theme's colours."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.updateGeometry()
            self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Write the names."""
        painter = QPainter(self)
        tokens = current_tokens()
        for (name, look), spot in zip(self._entries(), self._lay_out(self.width()), strict=True):
            painter.fillRect(spot, QColor(tokens.page))
            if look.colour is not None:
                painter.fillRect(spot, look.colour)
            painter.setPen(QColor(tokens.ink))
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, name)
            if look.line in _PENS:
                painter.setPen(QPen(QColor(choose_line_colour(tokens)), 1, _PENS[look.line]))
                below = spot.bottom() - 2
                painter.drawLine(QPointF(spot.left() + SPACE_XS, below), QPointF(spot.right() - SPACE_XS, below))

    def _lay_out(self, width: int) -> list[QRectF]:
        letters = self.fontMetrics()
        height = letters.lineSpacing() + SPACE_XS
        x, y = 0.0, float(SPACE_XS)
        spots = []
        for name, _look in self._entries():
            needed = letters.horizontalAdvance(name) + 2 * SPACE_XS
            if x and x + needed > width:
                x, y = 0.0, y + height + SPACE_XS
            spots.append(QRectF(x, y, needed, height))
            x += needed + SPACE_S
        return spots

    def _entries(self) -> list[tuple[str, HeatLook]]:
        looks = list_looks(self._kind, current_tokens())
        if self._kind is HeatKind.VOICE:
            names = {
                -2: self.tr("not like you at all"),
                -1: self.tr("less like you"),
                0: self.tr("either"),
                1: self.tr("more like you"),
                2: self.tr("very much like you"),
            }
        elif self._kind is HeatKind.RANK:
            first, second, third = (say_number(limit) for limit in RANK_LIMITS)
            names = {
                0: self.tr("among its first {n}").format(n=first),
                1: self.tr("first {n}").format(n=second),
                2: self.tr("first {n}").format(n=third),
                3: self.tr("further down"),
            }
        else:
            odds = [say_number(say_odds(limit)) for limit in SURPRISE_LIMITS]
            names = {
                0: self.tr("expected"),
                1: self.tr("1 in {n}").format(n=odds[0]),
                2: self.tr("1 in {n}").format(n=odds[1]),
                3: self.tr("1 in {n} or rarer").format(n=odds[2]),
            }
        return [(names[level], look) for level, look in looks.items()]


class HeatBar(QFrame):
    """Chooses the kind of map, explains it, and tells of the word at the cursor. GUI thread."""

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        """Begin hidden."""
        super().__init__(parent)
        set_role(self, "status")
        self.setAccessibleName(self.tr("Heat map"))
        self.kind_button = QToolButton(self)
        self.kind_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.kind_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
        self.kind_button.setToolTip(self.tr("What the heat map shows"))
        menu = QMenu(self.kind_button)
        for kind in HeatKind:
            menu.addAction(actions[f"heat_{kind}"])
        menu.addSeparator()
        menu.addAction(actions["heat_map"])
        self.kind_button.setMenu(menu)
        set_role(self.kind_button, "flat")
        self.kind_button.setStyleSheet(MENU_LOOK)
        self.legend = HeatLegend(self)
        self.word = make_label("", "muted", self)
        self.word.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        self._told = ""
        first = QHBoxLayout()
        first.setSpacing(SPACE_M)
        first.addWidget(self.kind_button, 0, Qt.AlignmentFlag.AlignTop)
        first.addWidget(self.legend, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_S, SPACE_L, SPACE_S)
        column.setSpacing(SPACE_XS)
        column.addLayout(first)
        column.addWidget(self.word)
        self.hide()

    def show_kind(self, kind: HeatKind | None) -> None:
        """Explain a kind of map, or go away."""
        self.setVisible(kind is not None)
        if kind is not None:
            self.kind_button.setText(f"{say_kind(kind)} ▾")
            self.kind_button.setAccessibleName(say_kind(kind))
            self.legend.show_kind(kind)

    def say(self, words: str) -> None:
        """Say something below the legend."""
        if words != self._told:
            self._told = words
            self.word.setAccessibleName(words)
            self.word.setToolTip(words)
            self._fit_word()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Give the word's line as many rows as a narrow window needs."""
        super().resizeEvent(event)
        self._fit_word()

    def changeEvent(self, event: QEvent) -> None:
        """Fit another font."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self.isVisible():
            self._fit_word()

    def _fit_word(self) -> None:
        """Keep the strip's height the same for all words, so that the page never jumps; what is too long is cut."""
        letters = self.word.fontMetrics()
        room = max(self.width() - 2 * SPACE_L, 1)
        rows = 1 if room >= letters.averageCharWidth() * ONE_ROW_CHARACTERS else 2
        # Rows break between words, so the last of several can't be counted on to its end.
        most = int(room * (1.0 if rows == 1 else rows - 0.2))
        self.word.setText(letters.elidedText(self._told, Qt.TextElideMode.ElideRight, most))
        self.word.setWordWrap(rows > 1)
        self.word.setFixedHeight(rows * letters.lineSpacing() + 2)


def _tr(words: str) -> str:
    return QCoreApplication.translate("Heat map", words)


def say_kind(kind: HeatKind) -> str:
    """Return what a kind of map is called."""
    return {
        HeatKind.SURPRISE: _tr("Surprise"),
        HeatKind.RANK: _tr("Rank"),
        HeatKind.VOICE: _tr("Sounds like me"),
    }[kind]


def say_word(kind: HeatKind, word: HeatWord, choices: Sequence[Alternative] = ()) -> str:
    """Return what is known of a word in one line."""
    if kind is HeatKind.VOICE:
        told = _say_gain(word)
    elif kind is HeatKind.RANK:
        told = _tr("the model's choice number {rank}").format(rank=say_number(max(word.rank, 1)))
        if rate_rank(word.rank) == 0:
            told = _tr("{told}, among its first").format(told=told)
    else:
        name = (
            _tr("expected"),
            _tr("a little surprising"),
            _tr("surprising"),
            _tr("very surprising"),
        )[rate_surprise(word.nats)]
        told = _tr("{name}, 1 in {odds}").format(name=name, odds=say_number(say_odds(word.nats)))
    sentence = _tr("“{word}”: {told}").format(word=word.text, told=told)
    likelier = ", ".join(choice.text.strip() for choice in choices)
    if likelier:
        sentence = _tr("{sentence}. The model thought of: {words}").format(sentence=sentence, words=likelier)
    return sentence


def _say_gain(word: HeatWord) -> str:
    if word.gain is None:
        return _tr("not compared yet")
    times = say_odds(abs(word.gain))
    level = rate_gain(word.gain)
    if level == 0:
        return _tr("both models expect it alike")
    if level > 0:
        return _tr("your voice: {times} times likelier than to the model it came from").format(times=say_number(times))
    return _tr("not your voice: {times} times likelier to the model it came from").format(times=say_number(times))

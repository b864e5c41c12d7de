"""The heat map over the text: how surprising each word is, in colour and by its underline.

Scores are kept line by line beside the paragraphs and follow edits: what an edit touched loses its colour at once and
gets it back with the next score; everything else moves along. Only paragraphs that are about to be seen are coloured.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, Signal, Slot
from PySide6.QtGui import QColor, QTextBlock, QTextCharFormat

from storydesk.bridge.offsets import Utf16Map
from storydesk.domain.insight import NOTHING, HeatKind, LineScore, LineScores, join_words, rate_words, take_words
from storydesk.ui.editor.compositor import Piece
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.theme import Tokens, current_tokens
from storydesk.ui.theme.tokens import mix

LAYER: Final = "heat"
_Underline = QTextCharFormat.UnderlineStyle
UNDERLINES: Final = (_Underline.NoUnderline, _Underline.DotLine, _Underline.DashUnderline, _Underline.SingleUnderline)
"""By class: the more surprising, the heavier the line."""
LIKE_LINES: Final = (_Underline.NoUnderline, _Underline.DotLine, _Underline.SingleUnderline)
UNLIKE_LINES: Final = (_Underline.NoUnderline, _Underline.DashDotLine, _Underline.DashUnderline)


@dataclass(frozen=True, slots=True)
class HeatWord:
    """One word on the page (UTF-16 positions) and what is known of it; ``gain`` is None without a base."""

    start: int
    end: int
    text: str
    nats: float
    rank: int
    gain: float | None = None


@dataclass(frozen=True, slots=True)
class HeatLook:
    """How a class of words looks: a colour with its alpha, none for the expected ones, and the line below."""

    colour: QColor | None
    line: QTextCharFormat.UnderlineStyle


def list_looks(kind: HeatKind, tokens: Tokens) -> dict[int, HeatLook]:
    """Return how each class of a kind of map looks, from the least to the greatest."""
    if kind is HeatKind.VOICE:
        looks = {0: HeatLook(None, _Underline.NoUnderline)}
        for strength in (1, 2):
            share = strength / 2
            looks[strength] = HeatLook(_blend(tokens.accent, tokens.surprise_opacity * share), LIKE_LINES[strength])
            unlike = _blend(tokens.surprise_high, tokens.surprise_opacity * share)
            looks[-strength] = HeatLook(unlike, UNLIKE_LINES[strength])
        return dict(sorted(looks.items()))
    looks = {0: HeatLook(None, _Underline.NoUnderline)}
    for level in (1, 2, 3):
        colour = mix(tokens.surprise_low, tokens.surprise_high, (level - 1) / 2)
        alpha = tokens.surprise_opacity * (0.55, 0.8, 1.0)[level - 1]
        looks[level] = HeatLook(_blend(colour, alpha), UNDERLINES[level])
    return looks


def choose_line_colour(tokens: Tokens) -> str:
    """Return the colour of the lines below words: seen on every class's ground, fainter than the words."""
    return mix(tokens.muted, tokens.ink, 0.35)


def _blend(colour: str, alpha: float) -> QColor:
    blended = QColor(colour)
    blended.setAlphaF(alpha)
    return blended


class HeatMap(QObject):
    """Colours the page's words by their scores. GUI thread."""

    changed = Signal()
    """Another kind is shown, or other scores."""

    def __init__(self, page: PageEdit) -> None:
        """Begin without scores and hidden."""
        super().__init__(page)
        self._page = page
        self._lines: list[LineScore | None] = []
        self._bases: list[LineScore | None] = []
        self._kind: HeatKind | None = None
        self._formats: dict[int, QTextCharFormat] = {}
        self._blocks = page.document().blockCount()
        page.edited.connect(self._on_edited)
        page.installEventFilter(self)

    @property
    def kind(self) -> HeatKind | None:
        """What is shown, None where the text is left alone."""
        return self._kind

    @property
    def known(self) -> int:
        """How many lines have a score, and for the voice one by the base."""
        lines = self._bases if self._kind is HeatKind.VOICE else self._lines
        return sum(line is not None for line in lines)

    def show_kind(self, kind: HeatKind | None) -> None:
        """Show a kind of map, or none."""
        if kind is self._kind:
            return
        self._kind = kind
        self._make_formats()
        self._page.marks.set_painter(LAYER, self._find_pieces if kind is not None else None)
        self.changed.emit()

    def set_scores(self, lines: LineScores) -> None:
        """Take the scores of the text as it is now; lines that aren't scored yet keep what they have."""
        self._lines = self._merge(self._lines, lines)
        self._refresh()

    def set_bases(self, lines: LineScores) -> None:
        """Take the scores by the base of the model in use."""
        self._bases = self._merge(self._bases, lines)
        self._refresh()

    def forget_bases(self) -> None:
        """Forget what the base of another model thought."""
        self._bases = []
        self._refresh()

    def clear(self) -> None:
        """Forget everything: another text is on the page."""
        self._blocks = self._page.document().blockCount()
        self._lines, self._bases = [], []
        self._refresh()

    def find_word(self, position: int) -> HeatWord | None:
        """Return the word at a place of the document, None where none is or its score isn't known."""
        block = self._page.document().findBlock(position)
        number = block.blockNumber()
        score = self._lines[number] if 0 <= number < len(self._lines) else None
        if score is None:
            return None
        text = block.text()
        units = _units(block, text)
        place = position - block.position()
        inside = (
            place
            if units is None
            else len(text.encode("utf-16-le", "surrogatepass")[: 2 * place].decode("utf-16-le", "ignore"))
        )
        index = score.find_word(inside)
        if index < 0 or score.ends[index] > len(text):
            return None
        return self._make_word(block, text, score, index)

    def find_next(self, position: int, step: int) -> HeatWord | None:
        """Return the next (1) or previous (-1) word of the highest classes from a place, None where there is none."""
        kind = self._kind or HeatKind.SURPRISE
        document = self._page.document()
        number = document.findBlock(position).blockNumber()
        while 0 <= number < len(self._lines):
            score = self._lines[number]
            if score is not None and score.tokens:
                block = document.findBlockByNumber(number)
                text = block.text()
                base = self._bases[number] if number < len(self._bases) else None
                levels = list(enumerate(rate_words(kind, score, base)))
                for index, level in levels if step > 0 else reversed(levels):
                    if abs(level) >= 2 and score.ends[index] <= len(text):
                        word = self._make_word(block, text, score, index)
                        if (word.start - position) * step > 0:
                            return word
            number += step
        return None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take on another theme's colours."""
        if event.type() == QEvent.Type.PaletteChange:
            self._make_formats()
            self._refresh()
            self.changed.emit()
        return super().eventFilter(watched, event)

    def _merge(self, old: LineScores, new: LineScores) -> list[LineScore | None]:
        count = self._page.document().blockCount()
        if len(new) != count:
            return list(old) if len(old) == count else [None] * count
        if len(old) != count:
            return list(new)
        return [after if after is not None else before for before, after in zip(old, new, strict=True)]

    def _make_word(self, block: QTextBlock, text: str, score: LineScore, index: int) -> HeatWord:
        number = block.blockNumber()
        base = self._bases[number] if number < len(self._bases) else None
        same = base is not None and len(base.nats) == len(score.nats)
        gain = base.nats[index] - score.nats[index] if base is not None and same else None
        first, last = score.starts[index], score.ends[index]
        units = _units(block, text)
        start, end = (first, last) if units is None else (units.to_units(first), units.to_units(last))
        return HeatWord(
            block.position() + start,
            block.position() + end,
            text[first:last],
            score.nats[index],
            score.ranks[index],
            gain,
        )

    def _find_pieces(self, block: QTextBlock) -> Iterable[Piece]:
        """Return the formats of one paragraph; the compositor asks for those that are about to be seen."""
        number = block.blockNumber()
        if self._kind is None or number >= len(self._lines):
            return ()
        score = self._lines[number]
        base = self._bases[number] if number < len(self._bases) else None
        if score is None or not len(score.starts):
            return ()
        length = block.length() - 1
        units = _units(block, block.text())
        rows = zip(score.starts, score.ends, rate_words(self._kind, score, base), strict=True)
        marked = ((start, end, self._formats[level]) for start, end, level in rows if level)
        if units is not None:
            marked = ((units.to_units(start), units.to_units(end), look) for start, end, look in marked)
        return [piece for piece in marked if piece[1] <= length]

    def _make_formats(self) -> None:
        self._formats = {}
        if self._kind is None:
            return
        tokens = current_tokens()
        for level, look in list_looks(self._kind, tokens).items():
            made = QTextCharFormat()
            if look.colour is not None:
                made.setBackground(look.colour)
                made.setUnderlineStyle(look.line)
                made.setUnderlineColor(QColor(choose_line_colour(tokens)))
            self._formats[level] = made

    def _refresh(self) -> None:
        if self._kind is not None:
            self._page.marks.refresh()
        self.changed.emit()

    # Following edits

    @Slot(int, int, int)
    def _on_edited(self, position: int, removed: int, added: int) -> None:
        document = self._page.document()
        grown = document.blockCount() - self._blocks
        self._blocks += grown
        first = document.findBlock(position)
        last = document.findBlock(position + added)
        last = last if last.isValid() else document.lastBlock()
        start, end = first.blockNumber(), last.blockNumber()
        gone = end - start - grown
        cut = position - first.position()
        moved = position + added - last.position()
        for lines in (self._lines, self._bases):
            if not lines:
                continue
            old = lines[start] if 0 <= start < len(lines) else None
            fresh: list[LineScore | None] = [None] * (end - start + 1)
            if gone == 0 and old is not None and old is not NOTHING and _units(first, first.text()) is None:
                fresh = _cut_line(old, cut, removed, moved, end - start)
            lines[start : start + gone + 1] = fresh
            if len(lines) != self._blocks:
                lines[:] = [None] * self._blocks


def _units(block: QTextBlock, text: str) -> Utf16Map | None:
    """Return what turns code points into UTF-16 units, None where both are the same."""
    return None if block.length() - 1 == len(text) else Utf16Map(text)


def _cut_line(score: LineScore, cut: int, removed: int, moved: int, breaks: int) -> list[LineScore | None]:
    """Return the scores of what an edit made of a line: words before it, words after it, nothing for what it touched.

    The edit took ``removed`` places away at ``cut``; what stood behind them begins at ``moved`` of the last of the
    lines, of which there are ``breaks`` more than before.
    """
    head = take_words(score, 0, bisect_left(score.ends, cut))
    behind = bisect_right(score.starts, cut + removed)
    tail = take_words(score, behind, len(score.starts), moved - cut - removed)
    return [head, *[None] * (breaks - 1), tail] if breaks else [join_words(head, tail)]

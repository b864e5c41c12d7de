"""How headings, emphasis and scene breaks look on the page, without a character of the text being changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QTextBlock, QTextCharFormat

from storydesk.domain.markup import find_emphasis, find_heading, is_scene_break
from storydesk.ui.editor.compositor import Piece
from storydesk.ui.theme import current_tokens

LAYER = "markup"
LONGEST_BREAK = 80
HEADING_SIZES = (1.7, 1.45, 1.25, 1.12, 1.06, 1.0)


@dataclass(frozen=True, slots=True)
class _Looks:
    sign: QTextCharFormat
    emphasis: QTextCharFormat
    strong: QTextCharFormat
    both: QTextCharFormat
    scene_break: QTextCharFormat
    headings: tuple[QTextCharFormat, ...]


class MarkupLook:
    """Finds the pieces of a paragraph that look other than the rest. GUI thread."""

    def __init__(self) -> None:
        """Begin with a page of 16 points."""
        self._points = 16.0
        self._looks: tuple[str, float, _Looks] | None = None

    def set_size(self, points: float) -> None:
        """Hear of the page's size; headings are larger than that."""
        self._points = points

    def find_pieces(self, block: QTextBlock) -> Iterator[Piece]:
        """Yield (start, end, format) within a paragraph, in UTF-16 units."""
        line = block.text()
        if "*" not in line and "#" not in line and len(line) >= LONGEST_BREAK:
            return
        looks = self._find_looks()
        if len(line) < LONGEST_BREAK and is_scene_break(line):
            yield 0, len(line), looks.scene_break
            return
        heading = find_heading(line)
        emphasis = find_emphasis(line)
        if heading is None and not emphasis:
            return
        wide = len(line.encode("utf-16-le", "surrogatepass")) != 2 * len(line)

        def at(place: int) -> int:
            return len(line[:place].encode("utf-16-le", "surrogatepass")) // 2 if wide else place

        if heading is not None:
            level, words = heading
            yield 0, at(len(line)), looks.headings[level - 1]
            yield 0, at(words), looks.sign
        for start, end, stars in emphasis:
            look = {1: looks.emphasis, 2: looks.strong}.get(stars, looks.both)
            yield at(start + stars), at(end - stars), look
            yield at(start), at(start + stars), looks.sign
            yield at(end - stars), at(end), looks.sign

    def _find_looks(self) -> _Looks:
        tokens = current_tokens()
        kept = self._looks
        if kept is not None and kept[:2] == (tokens.name, self._points):
            return kept[2]
        muted = QColor(tokens.muted)
        headings = []
        for times in HEADING_SIZES:
            look = _make(strong=True)
            look.setFontPointSize(round(self._points * times * 2) / 2)
            headings.append(look)
        spaced = _make(colour=muted)
        spaced.setFontLetterSpacingType(QFont.SpacingType.AbsoluteSpacing)
        spaced.setFontLetterSpacing(self._points / 3)
        looks = _Looks(
            _make(colour=muted),
            _make(emphasis=True),
            _make(strong=True),
            _make(emphasis=True, strong=True),
            spaced,
            tuple(headings),
        )
        self._looks = (tokens.name, self._points, looks)
        return looks


def _make(*, emphasis: bool = False, strong: bool = False, colour: QColor | None = None) -> QTextCharFormat:
    look = QTextCharFormat()
    if emphasis:
        look.setFontItalic(True)
    if strong:
        look.setFontWeight(QFont.Weight.Bold)
    if colour is not None:
        look.setForeground(colour)
    return look

"""The page's own layout: only paragraphs that are seen or touched are broken into lines, the others are estimated.

Qt's layout of rich text walks the whole document at each keystroke (8 to 12 ms in a novel, see decision 0020); this
one costs the same for a page and for a novel. It also owns what Qt's has no place for: room inside a paragraph for a
ghost, room above and below for typewriter mode, scene breaks in the middle, paragraphs that step back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QPoint, QPointF, QRectF, QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import (
    QAbstractTextDocumentLayout,
    QFontMetricsF,
    QPainter,
    QPainterPath,
    QPalette,
    QTextBlock,
    QTextDocument,
    QTextFrame,
    QTextLayout,
    QTextLine,
    QTextOption,
)

from storydesk.domain.markup import find_heading, is_scene_break
from storydesk.ui.editor.heights import Heights
from storydesk.ui.editor.paragraphs import Paragraphs

AT_ONCE = 40
"""How many changed paragraphs are broken into lines at once; of more, only those that are seen."""
FAINT = 0.38
_WIDE = 0x2E80  # from here on a character is about as wide as it is tall
_SAMPLE = "the quick brown fox jumps over the lazy dog and then sits down to think about it "

Ranges = list[QTextLayout.FormatRange]


@dataclass(frozen=True, slots=True)
class Gap:
    """Room below the line that holds a place of the document, in pixels."""

    position: int
    height: float


class PageLayout(QAbstractTextDocumentLayout):
    """Lays out a document of plain paragraphs. GUI thread."""

    heights_changed = Signal(int, float)
    """A paragraph that was only estimated has got its true height: its number, and by how much it grew."""

    def __init__(self, document: QTextDocument, paragraphs: Paragraphs) -> None:
        """Lay out a document whose paragraphs are known."""
        super().__init__(document)
        self._paragraphs = paragraphs
        self._compose: Callable[[QTextBlock], Ranges | None] | None = None
        self._heights = Heights()
        self._laid: list[int] = []
        self._look: list[int] = []
        self._geometry = 1
        self._looks = 1
        self._width = 0.0
        self._font = ""
        self._spacing = 1.5
        self._padding = (0.0, 0.0)
        self._gap: Gap | None = None
        self._lit: tuple[int, int] | None = None
        self._busy = False
        self._pitch = 20.0
        self._letters = 60.0
        self._told = QSizeF()
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(0)
        self._late.timeout.connect(self._tell_size)
        paragraphs.listen(self._on_spliced)
        self._on_spliced(0, 0, len(paragraphs))

    # What the page may set

    def set_composer(self, compose: Callable[[QTextBlock], Ranges | None]) -> None:
        """Ask ``compose`` for the formats of each paragraph that is laid out; None leaves them as they are."""
        self._compose = compose

    def set_spacing(self, spacing: float) -> None:
        """Set the distance of lines as a multiple of their height."""
        if spacing != self._spacing:
            self._spacing = spacing
            self._start_anew()

    def set_padding(self, top: float, bottom: float) -> None:
        """Leave this much room above the first and below the last paragraph, besides the document's margin."""
        if self._padding != (top, bottom):
            self._padding = (top, bottom)
            self._tell_size()
            self._repaint(QRectF(0, 0, self._width, self.documentSize().height()))

    def set_gap(self, gap: Gap | None) -> None:
        """Make room below a line, or close it again."""
        if gap == self._gap:
            return
        for changed in (self._gap, gap):
            self._gap = gap
            if changed is not None:
                block = self.document().findBlock(changed.position)
                if block.isValid():
                    self._lay_out(block, block.blockNumber())
        self._tell_size()
        self._repaint(QRectF(0, 0, self._width, self.documentSize().height()))

    def light(self, paragraphs: tuple[int, int] | None) -> None:
        """Let all but these paragraphs (first, last) step back; None lets none."""
        if paragraphs != self._lit:
            self._lit = paragraphs
            self._repaint(QRectF(0, 0, self._width, self.documentSize().height()))

    def look_again(self) -> None:
        """Ask for the formats of each paragraph again before it is seen."""
        self._looks += 1

    def forget_look(self, block: QTextBlock) -> None:
        """Ask for the formats of one paragraph again; what it holds now is somebody else's."""
        self._laid[block.blockNumber()] = 0

    # What the page may ask

    @property
    def pitch(self) -> float:
        """The height of a line of plain text with its spacing."""
        return self._pitch

    def ensure(self, top: float, bottom: float) -> float:
        """Break what lies between two heights into lines and give it its formats.

        Returns by how much the first of these paragraphs grew, which moves everything below it.
        """
        if not self._laid:
            return 0.0
        number = first = self._heights.find(top - self._top())
        grown = 0.0
        block = self.document().findBlockByNumber(number)
        place = self._top_of(number)
        while block.isValid() and place < bottom:
            change = self._refresh(block, number)
            if number == first:
                grown = change
            place += self._heights.get(number)
            block = block.next()
            number += 1
        self._tell_size()
        return grown

    def find_block(self, place: float) -> QTextBlock:
        """Return the paragraph at a height."""
        return self.document().findBlockByNumber(self._heights.find(place - self._top()))

    # What Qt asks

    def documentSize(self) -> QSizeF:
        """Return the size of the page, estimated where nobody has looked yet."""
        margin = self.document().documentMargin()
        return QSizeF(self._width, self._heights.total + 2 * margin + sum(self._padding))

    def pageCount(self) -> int:
        """Return 1: a page without end."""
        return 1

    def frameBoundingRect(self, _frame: QTextFrame) -> QRectF:
        """Return the whole page."""
        return QRectF(QPointF(0, 0), self.documentSize())

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        """Return where a paragraph is, laid out by then."""
        number = block.blockNumber()
        if not block.isValid() or number >= len(self._laid):
            return QRectF()
        self._refresh(block, number)
        return QRectF(0, self._top_of(number), self._width, self._heights.get(number))

    def hitTest(self, at: QPointF | QPoint | QPainterPath.Element, accuracy: Qt.HitTestAccuracy) -> int:
        """Return the place in the text at a point, -1 for an exact question beside the text."""
        point = QPointF(float(at.x), float(at.y)) if isinstance(at, QPainterPath.Element) else QPointF(at)
        if not self._laid:
            return 0
        block = self.find_block(point.y())
        box = self.blockBoundingRect(block)
        layout = block.layout()
        inside = point.y() - box.top()
        line = layout.lineAt(0)
        for number in range(1, layout.lineCount()):
            following = layout.lineAt(number)
            if following.y() - (self._spacing - 1) * following.height() / 2 > inside:
                break
            line = following
        if not line.isValid():
            return block.position()
        if accuracy == Qt.HitTestAccuracy.ExactHit and not line.naturalTextRect().contains(QPointF(point.x(), inside)):
            return -1
        return block.position() + _place_at(line, point.x())

    def draw(self, painter: QPainter, context: QAbstractTextDocumentLayout.PaintContext) -> None:
        """Draw what the clip shows."""
        if not self._laid:
            return
        clip = context.clip
        whole = not clip.isValid()
        number = 0 if whole else self._heights.find(clip.top() - self._top())
        bottom = float("inf") if whole else clip.bottom()
        block = self.document().findBlockByNumber(number)
        place = self._top_of(number)
        painter.setPen(context.palette.color(QPalette.ColorRole.Text))
        while block.isValid() and place < bottom:
            grown = self._refresh(block, number)
            if grown:
                self._late.start()
            self._draw_block(painter, context, block, number, QPointF(0, place))
            place += self._heights.get(number)
            block = block.next()
            number += 1

    def documentChanged(self, start: int, _removed: int, added: int) -> None:
        """Follow a change of text or formats; Qt calls this after each."""
        if self._busy:
            return
        if len(self._laid) != self.document().blockCount():
            self._paragraphs.reset()  # an exception in here would end the process
        width, font = max(self.document().pageSize().width(), 0.0), self.document().defaultFont().toString()
        if (width, font) != (self._width, self._font):
            self._width, self._font = width, font
            self._start_anew()
            return
        block = self.document().findBlock(start)
        number = block.blockNumber()
        if number < 0:
            return
        last = self.document().findBlock(start + added).blockNumber()
        last = len(self._laid) - 1 if last < 0 else last
        top = self._top_of(number)
        if last - number > AT_ONCE:
            self._laid[number : last + 1] = [0] * (last + 1 - number)
        else:
            while block.isValid() and number <= last:
                self._lay_out(block, number)
                block, number = block.next(), number + 1
        bottom = self._top_of(last) + self._heights.get(last)
        size = self.documentSize()
        moved = size != self._told  # else the paragraph has as many lines as before, and nothing below it moves
        height = max(size.height(), bottom) + 10_000 if moved else bottom - top
        self._tell_size()
        self._repaint(QRectF(0, top, self._width, height))

    # Laying out

    def _top(self) -> float:
        return float(self.document().documentMargin()) + self._padding[0]

    def _top_of(self, number: int) -> float:
        return self._top() + self._heights.top_of(number)

    def _start_anew(self) -> None:
        metrics = QFontMetricsF(self.document().defaultFont())
        self._pitch = metrics.height() * self._spacing
        column = max(self._width - 2 * self.document().documentMargin(), 1.0)
        self._letters = max(column / (metrics.horizontalAdvance(_SAMPLE) / len(_SAMPLE)), 1.0)
        self._geometry += 1
        self._heights.reset([self._estimate(line) for line in self._paragraphs.lines])
        self._tell_size()
        self._repaint(QRectF(0, 0, max(self._width, 1.0), self.documentSize().height() + 10_000))

    def _estimate(self, line: str) -> float:
        letters = len(line) * (2 if line and ord(line[-1]) >= _WIDE else 1)
        return max(-(-letters // int(self._letters)), 1) * self._pitch

    def _on_spliced(self, first: int, before: int, now: int) -> None:
        lines = self._paragraphs.lines[first : first + now]
        self._heights.splice(first, before, [self._estimate(line) for line in lines])
        self._laid[first : first + before] = [0] * now
        self._look[first : first + before] = [0] * now

    def _refresh(self, block: QTextBlock, number: int) -> float:
        """Lay a paragraph out where that is due, and return by how much it grew."""
        if self._laid[number] == self._geometry:
            if self._look[number] == self._looks:
                return 0.0
            if not self._put_on_formats(block, number):
                return 0.0
        return self._lay_out(block, number)

    def _put_on_formats(self, block: QTextBlock, number: int) -> bool:
        self._look[number] = self._looks
        ranges = self._compose(block) if self._compose is not None else None
        layout = block.layout()
        if ranges is None or ranges == layout.formats():
            return False
        self._busy = True
        layout.setFormats(ranges)
        if ranges or block.length() > 1:
            # Qt notes a change that it would otherwise report with the next edit, as if text had changed here.
            self.document().markContentsDirty(block.position(), block.length())
        self._busy = False
        return True

    def _lay_out(self, block: QTextBlock, number: int) -> float:
        self._put_on_formats(block, number)
        text = block.text()
        is_break = is_scene_break(text) if len(text) < 80 else False
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        direction = block.textDirection()
        option.setTextDirection(direction)
        right = direction == Qt.LayoutDirection.RightToLeft
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        option.setAlignment(Qt.AlignmentFlag.AlignHCenter if is_break else side)
        layout = block.layout()
        layout.setTextOption(option)
        height = self._break_lines(layout, block)
        if find_heading(text) is not None:
            height += self._pitch * 0.2
        self._laid[number] = self._geometry
        return self._heights.set(number, height)

    def _break_lines(self, layout: QTextLayout, block: QTextBlock) -> float:
        margin = self.document().documentMargin()
        column = max(self._width - 2 * margin, 1.0)
        gap = self._gap
        inside = gap.position - block.position() if gap is not None else -1
        if gap is not None and not 0 <= inside < block.length():
            gap = None
        y = 0.0
        layout.beginLayout()
        while True:
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(column)
            lead = (self._spacing - 1) * line.height()
            line.setPosition(QPointF(margin, y + lead / 2))
            y += line.height() + lead
            if gap is not None and inside <= line.textStart() + line.textLength():
                last = line.textStart() + line.textLength() >= block.length() - 1
                if last or inside < line.textStart() + line.textLength():
                    y += gap.height
                    gap = None
        layout.endLayout()
        return y

    def _draw_block(
        self,
        painter: QPainter,
        context: QAbstractTextDocumentLayout.PaintContext,
        block: QTextBlock,
        number: int,
        place: QPointF,
    ) -> None:
        layout = block.layout()
        start, length = block.position(), block.length()
        chosen: Ranges = []
        for selection in context.selections:
            first = selection.cursor.selectionStart() - start
            last = selection.cursor.selectionEnd() - start
            if first < length and last > 0 and last > first:
                piece = QTextLayout.FormatRange()
                piece.start, piece.length = max(first, 0), min(last, length) - max(first, 0)
                piece.format = selection.format
                chosen.append(piece)
        faint = self._lit is not None and not self._lit[0] <= number <= self._lit[1]
        if faint:
            painter.setOpacity(FAINT)
        layout.draw(painter, place, chosen, context.clip if context.clip.isValid() else QRectF())
        if faint:
            painter.setOpacity(1.0)
        self._draw_cursor(painter, context.cursorPosition, block, place)

    def _draw_cursor(self, painter: QPainter, position: int, block: QTextBlock, place: QPointF) -> None:
        layout, start = block.layout(), block.position()
        width = int(self.property("cursorWidth") or 1)
        if position < -1 and layout.preeditAreaText():
            layout.drawCursor(painter, place, layout.preeditAreaPosition() - (position + 2), width)
        elif start <= position < start + block.length():
            layout.drawCursor(painter, place, position - start, width)

    def _repaint(self, area: QRectF) -> None:
        update: Any = self.update  # of two signals with this name the stubs know the one without an area
        update[QRectF].emit(area)

    def _tell_size(self) -> None:
        size = self.documentSize()
        if size != self._told:
            self._told = size
            self.documentSizeChanged.emit(size)


def _place_at(line: QTextLine, x: float) -> int:
    found: object = line.xToCursor(x)
    return found if isinstance(found, int) else line.textStart()

"""Ghost text: a suggestion painted at the cursor that is not part of the document."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QTextBlock, QTextLayout, QTextLine, QTextOption

LEAST_FIRST_LINE = 24.0  # pixels: less than this and the first word goes to the next line


class GhostText:
    """A suggestion's text and its own layout, in the document's coordinates. GUI thread."""

    def __init__(self, text: str, position: int) -> None:
        """Suggest ``text`` at a place of the document."""
        self.text = text
        self.position = position
        self.push = 0.0
        """How far the document below the cursor's line moves down while the ghost is there."""
        self.top = 0.0
        self.bottom = 0.0
        self._layout: QTextLayout | None = None

    def lay_out(self, block: QTextBlock, box: QRectF, font: QFont, left: float, width: float, spacing: float) -> None:
        """Arrange the text behind the cursor, which stands in ``block``, laid out in ``box``.

        In the middle of a paragraph it starts on a line of its own, so that what follows stays readable below it. In
        a paragraph that runs from right to left it does, too.
        """
        layout = block.layout()
        inside = self.position - block.position()
        line = layout.lineForTextPosition(inside)
        if not line.isValid():
            return
        pitch = line.height() * spacing
        x = _cursor_x(line, inside)
        top = box.top() + line.y()
        in_line = not block.text()[inside:].strip()
        direction = block.textDirection()
        right = left + width
        free = (left, x) if direction == Qt.LayoutDirection.RightToLeft else (x, right)
        italic = QFont(font)
        italic.setItalic(True)
        text = self.text if in_line else self.text.lstrip()
        start, first = (top, free) if in_line else (top + pitch, (left, right))
        ghost = self._arrange(text, italic, direction, (left, right), first, start, pitch, line.ascent())
        if in_line and ghost.lineCount() and ghost.lineAt(0).naturalTextWidth() > free[1] - free[0]:
            start, text = top + pitch, text.lstrip()
            ghost = self._arrange(text, italic, direction, (left, right), (left, right), start, pitch, line.ascent())
        self._layout = ghost
        self.top = start
        self.bottom = start + max(ghost.lineCount(), 1) * pitch
        self.push = max(0.0, self.bottom - top - pitch)

    def paint(self, painter: QPainter, colour: QColor) -> None:
        """Draw the text; the painter's origin is the document's."""
        if self._layout is not None:
            painter.setPen(colour)
            self._layout.draw(painter, QPointF(0, 0))

    def place_at(self, position: QPointF) -> int | None:
        """Return the place in the text (code points) that is drawn at a position; None beside the text."""
        layout = self._layout
        if layout is None:
            return None
        for line in (layout.lineAt(number) for number in range(layout.lineCount())):
            if line.naturalTextRect().contains(position):
                found: object = line.xToCursor(position.x(), QTextLine.CursorPosition.CursorOnCharacter)
                shown, units = layout.text(), found if isinstance(found, int) else 0
                before = shown.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "replace")
                return len(self.text) - len(shown) + len(before)
        return None

    @staticmethod
    def _arrange(
        text: str,
        font: QFont,
        direction: Qt.LayoutDirection,
        column: tuple[float, float],
        first: tuple[float, float],
        top: float,
        pitch: float,
        ascent: float,
    ) -> QTextLayout:
        layout = QTextLayout(text.replace("\n", "\u2028"), font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        option.setTextDirection(direction)
        from_right = direction == Qt.LayoutDirection.RightToLeft
        option.setAlignment(Qt.AlignmentFlag.AlignRight if from_right else Qt.AlignmentFlag.AlignLeft)
        layout.setTextOption(option)
        layout.setCacheEnabled(True)
        left, right = first
        layout.beginLayout()
        while True:
            line = layout.createLine()
            if not line.isValid():
                break
            # A line narrower than its first word starts at the same edge all the same.
            least = max(right - left, LEAST_FIRST_LINE)
            line.setLineWidth(least)
            line.setPosition(QPointF(right - least if from_right else left, top + ascent - line.ascent()))
            left, right = column
            top += pitch
        layout.endLayout()
        return layout


def _cursor_x(line: QTextLine, position: int) -> float:
    found: object = line.cursorToX(position)  # PySide gives (x, position), its stubs say float
    x = found[0] if isinstance(found, tuple) else found
    return float(x) if isinstance(x, (int, float)) else 0.0

"""Ghost text: a suggestion painted at the cursor that is not part of the document."""

from __future__ import annotations

from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QFont, QPainter, QTextBlock, QTextLayout, QTextLine, QTextOption

LINE_HEIGHT = 1.5
LEAST_FIRST_LINE = 24.0  # pixels: less than this and the first word goes to the next line


class GhostText:
    """A suggestion's text and its own layout, in the document's coordinates. GUI thread."""

    def __init__(self, text: str, position: int) -> None:
        """Suggest ``text`` at a place of the document."""
        self.text = text
        self.position = position
        self.split = 0.0
        """Where the document below the ghost begins."""
        self.push = 0.0
        """How far it moves down while the ghost is there."""
        self.bottom = 0.0
        self._layout: QTextLayout | None = None

    def lay_out(self, block: QTextBlock, font: QFont, left: float, width: float) -> None:
        """Arrange the text behind the cursor, which stands in ``block``.

        In the middle of a paragraph it starts on a line of its own, so that what follows stays readable below it.
        """
        layout = block.layout()
        inside = self.position - block.position()
        line = layout.lineForTextPosition(inside)
        if not line.isValid():
            return
        x = layout.position().x() + _cursor_x(line, inside)
        top = layout.position().y() + line.y()
        pitch = line.height() * LINE_HEIGHT
        in_line = not block.text()[inside:].strip()
        start = (x, top) if in_line else (left, top + pitch)
        text = self.text if in_line else self.text.lstrip()
        italic = QFont(font)
        italic.setItalic(True)
        ghost = self._arrange(text, italic, start, left, width, pitch, line.ascent())
        if in_line and ghost.lineCount() and ghost.lineAt(0).naturalTextWidth() > left + width - x:
            start = (left, top + pitch)
            ghost = self._arrange(text.lstrip(), italic, start, left, width, pitch, line.ascent())
        self._layout = ghost
        self.split = top + pitch
        self.bottom = start[1] + max(ghost.lineCount(), 1) * pitch
        self.push = max(0.0, self.bottom - self.split)

    def paint(self, painter: QPainter, colour: QColor) -> None:
        """Draw the text; the painter's origin is the document's."""
        if self._layout is not None:
            painter.setPen(colour)
            self._layout.draw(painter, QPointF(0, 0))

    @staticmethod
    def _arrange(
        text: str, font: QFont, start: tuple[float, float], left: float, width: float, pitch: float, ascent: float
    ) -> QTextLayout:
        layout = QTextLayout(text.replace("\n", "\u2028"), font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.setCacheEnabled(True)
        x, y = start
        layout.beginLayout()
        while True:
            line = layout.createLine()
            if not line.isValid():
                break
            line.setLineWidth(max(left + width - x, LEAST_FIRST_LINE))
            line.setPosition(QPointF(x, y + ascent - line.ascent()))
            x, y = left, y + pitch
        layout.endLayout()
        return layout


def _cursor_x(line: QTextLine, position: int) -> float:
    found: object = line.cursorToX(position)  # PySide gives (x, position), its stubs say float
    x = found[0] if isinstance(found, tuple) else found
    return float(x) if isinstance(x, (int, float)) else 0.0

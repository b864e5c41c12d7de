"""A passage whose words can be clicked: so many lines of it, the rest at hand when it is asked for."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextLayout,
    QTextLine,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from storydesk.ui.theme import current_tokens

_PITCH = 1.15
ELLIPSIS = " …"


class WordText(QWidget):
    """Draws text in at most so many lines; line breaks are shown as space. GUI thread."""

    word_clicked = Signal(int, QPoint)
    """A click on the text: the place in it (code points), and on the screen."""

    def __init__(self, parent: QWidget | None = None, *, lines: int = 0) -> None:
        """Show nothing yet; 0 ``lines`` sets no limit."""
        super().__init__(parent)
        self._text = ""
        self._lines = lines
        self._marked = (0, 0)
        self._pressed = False
        self._layout = QTextLayout()
        self._height = 0
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    @property
    def text(self) -> str:
        """The whole text."""
        return self._text

    @property
    def shown_text(self) -> str:
        """What is drawn."""
        return self._layout.text()

    def set_text(self, text: str) -> None:
        """Show another text, or more of it."""
        if text != self._text:
            self._text = text
            self._arrange()

    def set_lines(self, lines: int) -> None:
        """Show at most so many lines; 0 sets no limit."""
        if lines != self._lines:
            self._lines = lines
            self._arrange()

    def mark(self, start: int, end: int) -> None:
        """Underline a stretch (code points); an empty one takes the line away."""
        self._marked = (start, end)
        self._arrange()

    def hasHeightForWidth(self) -> bool:
        """Say that the height follows the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the lines at a width."""
        return self._lay_out(QTextLayout(), width)

    def sizeHint(self) -> QSize:
        """Return the size at the present width."""
        return QSize(120, self.heightForWidth(self.width() or 240))

    def minimumSizeHint(self) -> QSize:
        """Return one line of a few letters."""
        return QSize(60, self.fontMetrics().lineSpacing())

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the lines."""
        painter = QPainter(self)
        painter.setPen(QColor(current_tokens().ink))
        self._layout.draw(painter, QPointF(0, 0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Break the lines anew."""
        super().resizeEvent(event)
        self._arrange()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take a press on the text; one beside it is the card's."""
        self._pressed = event.button() == Qt.MouseButton.LeftButton and self.place_at(event.position()) is not None
        event.setAccepted(self._pressed)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Tell which word was clicked."""
        place = self.place_at(event.position()) if self._pressed else None
        event.setAccepted(self._pressed)
        self._pressed = False
        if place is not None:
            self.word_clicked.emit(place, event.globalPosition().toPoint())

    def place_at(self, position: QPointF) -> int | None:
        """Return the place in the text (code points) that is drawn at a position."""
        for number in range(self._layout.lineCount()):
            line = self._layout.lineAt(number)
            if line.naturalTextRect().contains(position):
                found: object = line.xToCursor(position.x(), QTextLine.CursorPosition.CursorOnCharacter)
                shown, units = self._layout.text(), found if isinstance(found, int) else 0
                before = shown.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "replace")
                lead = len(self._text) - len(self._text.lstrip())
                return min(lead + len(before), max(len(self._text) - 1, 0))
        return None

    def rect_of(self, place: int) -> QPoint:
        """Return the lower left corner of a place's line on the screen, for something to hang below it."""
        lead = len(self._text) - len(self._text.lstrip())
        units = len(self._text[lead:place].encode("utf-16-le", "surrogatepass")) // 2
        line = self._layout.lineForTextPosition(min(units, len(self._layout.text())))
        if not line.isValid():
            return self.mapToGlobal(QPoint(0, self.height()))
        found: object = line.cursorToX(units)
        x = found[0] if isinstance(found, tuple) else found
        corner = QPointF(float(x) if isinstance(x, (int, float)) else 0.0, line.y() + line.height())
        return self.mapToGlobal(corner.toPoint())

    def _arrange(self) -> None:
        height = self._lay_out(self._layout, max(self.width(), 40))
        if height != self._height:
            self._height = height
            self.updateGeometry()
        self.update()

    def _lay_out(self, layout: QTextLayout, width: int) -> int:
        """Break the text into lines and return their height; what does not fit goes, with an ellipsis."""
        lead = len(self._text) - len(self._text.lstrip())
        whole = self._text.strip().replace("\n", " ").replace("\u2028", " ")
        shown = whole
        while True:
            layout.setText(shown)
            layout.setFont(self.font())
            layout.setFormats(self._make_marks(lead, len(shown)))
            height, over = _break_lines(layout, width, self._lines)
            if not over:
                return height
            keep = shown.removesuffix(ELLIPSIS)[: max(over - len(ELLIPSIS), 1)]
            cut = keep.rfind(" ")
            shown = (keep[:cut] if cut > 0 else keep[:-1]).rstrip() + ELLIPSIS
            if len(shown) <= len(ELLIPSIS) + 1:
                return height

    def _make_marks(self, lead: int, length: int) -> list[QTextLayout.FormatRange]:
        """Return the underlined stretch of a text of this length, if it has one."""
        start, end = (min(max(place - lead, 0), length) for place in self._marked)
        if end <= start:
            return []
        underlined = QTextLayout.FormatRange()
        underlined.start, underlined.length = start, end - start
        underlined.format.setFontUnderline(True)
        underlined.format.setForeground(QColor(current_tokens().accent))
        return [underlined]


def _break_lines(layout: QTextLayout, width: int, lines: int) -> tuple[int, int]:
    """Lay the text out; return the height, and how many characters fit where there are too many (else 0)."""
    pitch = QFontMetricsF(layout.font()).height() * _PITCH
    layout.beginLayout()
    y, count, over = 0.0, 0, 0
    while True:
        line = layout.createLine()
        if not line.isValid():
            break
        if lines and count == lines:
            over = line.textStart()
            break
        line.setLineWidth(width)
        line.setPosition(QPointF(0, y))
        y += pitch
        count += 1
    layout.endLayout()
    return int(max(y, pitch) + 0.5), over

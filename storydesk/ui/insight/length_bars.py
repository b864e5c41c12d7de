"""How long the sentences are: a bar for each length, with its numbers in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from storydesk.domain.repetition import LENGTH_STEPS
from storydesk.ui.figures import say_number
from storydesk.ui.theme import SPACE_S, SPACE_XS, current_tokens

HEIGHT_IN_LINES: Final = 7


class LengthBars(QWidget):
    """Draws how many sentences have which length. GUI thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._counts: tuple[int, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Length of the sentences"))

    def show_counts(self, counts: Sequence[int]) -> None:
        """Draw these: one for each step of LENGTH_STEPS and one for what is longer."""
        if tuple(counts) == self._counts:
            return
        self._counts = tuple(counts)
        said = (
            self.tr("{words} words: {count}").format(words=words, count=say_number(count))
            for words, count in zip(self._names(), counts, strict=True)
        )
        self.setAccessibleDescription("; ".join(said))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that grows with the text."""
        return QSize(220, self.fontMetrics().lineSpacing() * HEIGHT_IN_LINES)

    def changeEvent(self, event: QEvent) -> None:
        """Repaint in a new theme's colours."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.updateGeometry()
            self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bars with their shares above and their lengths below."""
        total = sum(self._counts)
        if not total:
            return
        painter = QPainter(self)
        tokens, letters = current_tokens(), self.fontMetrics()
        line = letters.lineSpacing()
        place = QRectF(self.rect()).adjusted(0, line + SPACE_XS, 0, -(line + SPACE_XS))
        width = place.width() / len(self._counts)
        highest = max(self._counts)
        for index, (count, name) in enumerate(zip(self._counts, self._names(), strict=True)):
            height = place.height() * count / highest
            bar = QRectF(place.left() + index * width + SPACE_XS, place.bottom() - height, width - SPACE_S, height)
            painter.fillRect(bar, QColor(tokens.accent))
            painter.setPen(QColor(tokens.muted))
            column = QRectF(place.left() + index * width, 0, width, line)
            share = self.tr("{percent} %").format(percent=say_number(100 * count / total))
            painter.drawText(column.translated(QPointF(0, bar.top() - line - 2)), Qt.AlignmentFlag.AlignCenter, share)
            painter.drawText(
                column.translated(QPointF(0, place.bottom() + SPACE_XS)), Qt.AlignmentFlag.AlignCenter, name
            )

    def _names(self) -> list[str]:
        firsts = [1, *(step + 1 for step in LENGTH_STEPS)]
        names = [f"{first}–{last}" for first, last in zip(firsts, LENGTH_STEPS, strict=False)]
        return [*names, f"{firsts[-1]}+"]

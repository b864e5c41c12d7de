"""A curve of how surprise falls while a model learns: one line as it reads, dots where unseen pages were measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from storydesk.ui.figures import say_number
from storydesk.ui.theme import SPACE_S, SPACE_XS, current_tokens
from storydesk.ui.theme.tokens import mix

HEIGHT_IN_LINES: Final = 9
SMOOTHING: Final = 0.9
TICKS: Final = 3
GRID_SHARE: Final = {False: 1.0, True: 0.35}
"""How much of the line colour the grid has; where lines are as strong as text the curve must still win."""

Points = Sequence[tuple[int, float]]


class LossCurve(QWidget):
    """Draws nats per token over steps, in the theme's colours. GUI thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Start empty."""
        super().__init__(parent)
        self._read: tuple[tuple[int, float], ...] = ()
        self._unseen: tuple[tuple[int, float], ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("How surprise falls"))

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return len(self._read) + len(self._unseen) < 2

    def show_points(self, losses: Points, heldout: Points) -> None:
        """Draw losses in nats and held-out perplexities over their steps; what is not a number is left out."""
        self._read = tuple(smooth([point for point in losses if math.isfinite(point[1])]))
        self._unseen = tuple(
            sorted((step, math.log(value)) for step, value in heldout if value > 0 and math.isfinite(value))
        )
        if self._unseen:
            first, last = math.exp(self._unseen[0][1]), math.exp(self._unseen[-1][1])
            figures = {"first": say_number(first, 1), "last": say_number(last, 1)}
            said = self.tr("Surprise at unseen pages was {first} at first and is {last} now.").format(**figures)
            self.setAccessibleDescription(said)
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that grows with the text."""
        return QSize(360, self.fontMetrics().lineSpacing() * HEIGHT_IN_LINES)

    def changeEvent(self, event: QEvent) -> None:
        """Repaint in a new theme's colours."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.updateGeometry()
            self.update()
        super().changeEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw scale, line, and dots."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = current_tokens()
        letters = self.fontMetrics()
        left = letters.horizontalAdvance("00.00") + SPACE_S
        place = QRectF(self.rect()).adjusted(left, SPACE_S, -SPACE_S, -(letters.lineSpacing() + SPACE_S))
        if self.is_empty:
            painter.setPen(QColor(tokens.muted))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.tr("The curve begins soon."))
            return
        low, high = self._bounds()
        last = max(point[0] for point in (*self._read, *self._unseen)) or 1
        self._paint_scale(painter, place, low, high)

        def spot(step: int, value: float) -> QPointF:
            share = (value - low) / (high - low)
            return QPointF(place.left() + place.width() * step / last, place.bottom() - place.height() * share)

        painter.setPen(QPen(QColor(tokens.muted), 1.5))
        painter.drawPolyline(QPolygonF([spot(*point) for point in self._read]))
        accent = QColor(tokens.accent)
        painter.setPen(QPen(accent, 2))
        painter.drawPolyline(QPolygonF([spot(*point) for point in self._unseen]))
        painter.setBrush(accent)
        for point in self._unseen:
            painter.drawEllipse(spot(*point), 3.5, 3.5)
        self._paint_legend(painter, place)

    def _bounds(self) -> tuple[float, float]:
        """Return the scale's ends: a little room around the values, the first wild steps cut off."""
        values = [value for _, value in self._unseen] + sorted(value for _, value in self._read)[: -2 or None]
        low, high = min(values), max(values)
        room = max((high - low) * 0.1, 0.05)
        return low - room, high + room

    def _paint_scale(self, painter: QPainter, place: QRectF, low: float, high: float) -> None:
        tokens = current_tokens()
        for tick in range(TICKS):
            value = low + (high - low) * (tick + 0.5) / TICKS
            height = place.bottom() - place.height() * (tick + 0.5) / TICKS
            painter.setPen(QPen(QColor(mix(tokens.window, tokens.line, GRID_SHARE[tokens.line == tokens.ink])), 1))
            painter.drawLine(QPointF(place.left(), height), QPointF(place.right(), height))
            painter.setPen(QColor(tokens.muted))
            label = QRectF(0, height - 20, place.left() - SPACE_XS, 40)
            painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, say_number(value, 2))

    def _paint_legend(self, painter: QPainter, place: QRectF) -> None:
        """Name both lines below the curve, each in its own colour and form."""
        tokens = current_tokens()
        letters = self.fontMetrics()
        baseline = place.bottom() + SPACE_S + letters.ascent()
        x = place.left()
        entries = ((tokens.muted, self.tr("as it reads"), False), (tokens.accent, self.tr("unseen pages"), True))
        for colour, text, dotted in entries:
            painter.setPen(QPen(QColor(colour), 2))
            middle = baseline - letters.ascent() / 2 + 1
            painter.drawLine(QPointF(x, middle), QPointF(x + 18, middle))
            if dotted:
                painter.setBrush(QColor(colour))
                painter.drawEllipse(QPointF(x + 9, middle), 3.5, 3.5)
            painter.setPen(QColor(tokens.muted))
            painter.drawText(QPointF(x + 24, baseline), text)
            x += 24 + letters.horizontalAdvance(text) + 2 * SPACE_S


def smooth(points: Points) -> list[tuple[int, float]]:
    """Return the points with their noise averaged out, unbiased at the start."""
    smoothed: list[tuple[int, float]] = []
    mean = weight = 0.0
    for step, value in points:
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        smoothed.append((step, mean / weight))
    return smoothed

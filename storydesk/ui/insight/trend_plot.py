"""How surprise runs through a draft, its chapters or its drafts: a line with a point to go to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from storydesk.domain.insight import TrendPoint, gather_points
from storydesk.ui.figures import say_number
from storydesk.ui.theme import SPACE_S, SPACE_XS, current_tokens
from storydesk.ui.theme.tokens import mix

HEIGHT_IN_LINES: Final = 7
PIXELS_A_POINT: Final = 4
MOST_DOTS: Final = 40
FAR: Final = 10
"""Points that Page up and Page down move by."""


class TrendPlot(QWidget):
    """Draws perplexity over paragraphs, chapters or drafts; arrows move along their points. GUI thread."""

    point_chosen = Signal(object)
    """The writer wants to go to this TrendPoint."""
    point_looked_at = Signal(object)
    """The TrendPoint under the mouse or the keys; None where there is none any more."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._all: tuple[TrendPoint, ...] = ()
        self._points: list[TrendPoint] = []
        self._current = -1
        self._empty_words = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Surprise through the draft"))

    @property
    def points(self) -> Sequence[TrendPoint]:
        """What is drawn; neighbours are one point where there is too little room for all."""
        return self._points

    @property
    def current(self) -> TrendPoint | None:
        """The point that the keys or the mouse are at."""
        return self._points[self._current] if 0 <= self._current < len(self._points) else None

    def show_points(self, points: Sequence[TrendPoint], empty_words: str = "") -> None:
        """Draw these; ``empty_words`` stand there where one point is no trend."""
        self._empty_words = empty_words
        if tuple(points) != self._all:
            self._all = tuple(points)
            self._gather()
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that grows with the text."""
        return QSize(220, self.fontMetrics().lineSpacing() * HEIGHT_IN_LINES)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest that can be read."""
        return QSize(160, self.sizeHint().height())

    # Drawing

    def _gather(self) -> None:
        place = self._place()
        before = self.current
        self._points = gather_points(self._all, max(int(place.width()) // PIXELS_A_POINT, 12))
        if before is not None:
            behind = (
                i for i, point in enumerate(self._points) if (point.last, point.key) >= (before.first, before.key)
            )
            self._current = next(behind, len(self._points) - 1)

    def _place(self) -> QRectF:
        letters = self.fontMetrics()
        left = letters.horizontalAdvance("0,000") + SPACE_S
        return QRectF(self.rect()).adjusted(left, SPACE_S, -SPACE_S, -SPACE_S)

    def _spots(self) -> list[QPointF]:
        place = self._place()
        low, high = self._bounds()
        steps = max(len(self._points) - 1, 1)
        return [
            QPointF(
                place.left() + place.width() * (index / steps if len(self._points) > 1 else 0.5),
                place.bottom() - place.height() * (math.log(max(point.perplexity, 1.0)) - low) / (high - low),
            )
            for index, point in enumerate(self._points)
        ]

    def _bounds(self) -> tuple[float, float]:
        """Return the ends of the scale, in nats: surprise is a matter of times more, not of how much more."""
        values = [math.log(max(point.perplexity, 1.0)) for point in self._points] or [0.0]
        low, high = min(values), max(values)
        room = max((high - low) * 0.08, 0.12)
        return low - room, high + room

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw scale, line and the current point."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = current_tokens()
        if len(self._points) < 2:
            painter.setPen(QColor(tokens.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(SPACE_S, 0, -SPACE_S, 0), flags, self._empty_words)
        else:
            self._paint_scale(painter)
            spots = self._spots()
            accent = QColor(tokens.accent)
            painter.setPen(QPen(accent, 1.6))
            painter.drawPolyline(QPolygonF(spots))
            painter.setBrush(accent)
            if len(spots) <= MOST_DOTS:
                for spot in spots:
                    painter.drawEllipse(spot, 2.6, 2.6)
            if 0 <= self._current < len(spots):
                self._paint_current(painter, spots[self._current])
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.accent), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    def _paint_current(self, painter: QPainter, spot: QPointF) -> None:
        tokens, place = current_tokens(), self._place()
        painter.setPen(QPen(QColor(tokens.muted), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(spot.x(), place.top()), QPointF(spot.x(), place.bottom()))
        painter.setPen(QPen(QColor(tokens.accent), 2))
        painter.setBrush(QColor(tokens.page))
        painter.drawEllipse(spot, 4.5, 4.5)

    def _paint_scale(self, painter: QPainter) -> None:
        tokens, place = current_tokens(), self._place()
        low, high = self._bounds()
        grid = 0.35 if tokens.line == tokens.ink else 1.0
        for value in choose_ticks(math.exp(low), math.exp(high)):
            height = place.bottom() - place.height() * (math.log(value) - low) / (high - low)
            painter.setPen(QPen(QColor(mix(tokens.panel, tokens.line, grid)), 1))
            painter.drawLine(QPointF(place.left(), height), QPointF(place.right(), height))
            painter.setPen(QColor(tokens.muted))
            label = QRectF(0, height - 20, place.left() - SPACE_XS, 40)
            words = say_number(value, 0 if value >= 10 or value == int(value) else 1)
            painter.drawText(label, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, words)

    # Moving along

    def _go(self, index: int) -> None:
        if not self._points:
            return
        self._current = min(max(index, 0), len(self._points) - 1)
        self.point_looked_at.emit(self.current)
        self.update()

    def announce(self, words: str) -> None:
        """Say what the current point is, to a screen reader too."""
        self.setAccessibleDescription(words)
        if self.hasFocus():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, words))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move along the points; Enter goes to the place."""
        steps = {
            Qt.Key.Key_Left: -1,
            Qt.Key.Key_Right: 1,
            Qt.Key.Key_PageUp: -FAR,
            Qt.Key.Key_PageDown: FAR,
        }
        key = Qt.Key(event.key())
        if key in steps:
            step = steps[key]
            if self.layoutDirection() == Qt.LayoutDirection.RightToLeft and abs(step) == 1:
                step = -step
            self._go(self._current + step if self._current >= 0 else 0)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go(0 if key == Qt.Key.Key_Home else len(self._points) - 1)
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.current is not None:
            self.point_chosen.emit(self.current)
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Look at the nearest point."""
        index = self._nearest(event.position())
        if index != self._current and len(self._points) > 1:
            self._go(index)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the nearest point."""
        if event.button() == Qt.MouseButton.LeftButton and len(self._points) > 1:
            self._go(self._nearest(event.position()))
            self.point_chosen.emit(self.current)

    def _nearest(self, where: QPointF) -> int:
        place = self._place()
        share = (where.x() - place.left()) / max(place.width(), 1.0)
        return min(max(round(share * (len(self._points) - 1)), 0), len(self._points) - 1)

    def focusInEvent(self, event: QEvent) -> None:
        """Begin at the first point and show where the keys are."""
        super().focusInEvent(event)  # type: ignore[arg-type]  # Qt hands over a QFocusEvent
        if self._current < 0:
            self._go(0)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Draw as many points as there is room for."""
        super().resizeEvent(event)
        self._gather()

    def changeEvent(self, event: QEvent) -> None:
        """Repaint in a new theme's colours."""
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self.updateGeometry()
            self.update()
        super().changeEvent(event)


def choose_ticks(low: float, high: float) -> list[float]:
    """Return a few round perplexities between two."""
    for steps in ((1, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        found = [
            step * 10.0**power
            for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
            for step in steps
        ]
        inside = [value for value in found if low < value < high]
        if len(inside) <= 4:
            break
    if len(inside) >= 2:
        return inside
    middle = math.sqrt(low * high)
    return [float(round(middle)) if middle >= 10 else round(middle, 1)]

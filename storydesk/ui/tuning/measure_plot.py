"""One measure of a run over its steps, drawn by pyqtgraph and read by keys, mouse or screen reader.

pyqtgraph is imported by ``load_plotting`` alone, on a thread, when a run is first looked at: it takes a third of a
second that opening the window has not.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QColor,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from storydesk.ui.figures import say_number
from storydesk.ui.theme import SPACE_S, SPACE_XS, current_tokens, make_label, scaled
from storydesk.ui.theme.tokens import mix
from storydesk.ui.tuning.curves import Curve, Look, find_bounds, find_nearest

LEAST_WIDTH: Final = 240
FAR: Final = 10
"""Points that Page up and Page down move by."""
FAINT_SHARE: Final = 0.55
GRID_ALPHA: Final = 40
DOT_SIZE: Final = 7
LEAST_LINE: Final = 2
"""Points below which a line is no line."""
LINE_WIDTH: Final = 2

Say = Callable[[float], str]


def load_plotting() -> Any:
    """Return pyqtgraph; the first call takes a while. Any thread."""
    return importlib.import_module("pyqtgraph")


class MeasurePlot(QWidget):
    """Draws curves over steps, in the theme's colours; the arrows move along the main one. GUI thread."""

    def __init__(self, plotting: Any, title: str, say: Say, *, lines: int, parent: QWidget | None = None) -> None:
        """Begin empty; ``say`` words a value, ``lines`` of text is how high the plot is."""
        super().__init__(parent)
        self._plotting = plotting
        self._say = say
        self._lines = lines
        self._curves: tuple[Curve, ...] = ()
        self._looks: list[tuple[str, Look, bool]] | None = None
        self._lines_drawn: list[Any] = []
        self._summary = ""
        self._current = -1
        self.title = make_label(title, "heading", wrap=False)
        self.reading = make_label("", "muted", wrap=False)
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(self.title, 1)
        head.addWidget(self.reading, 0, Qt.AlignmentFlag.AlignBottom)
        self._graph = self._make_graph()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_XS, SPACE_XS, SPACE_XS, SPACE_XS)
        column.setSpacing(SPACE_XS)
        column.addLayout(head)
        column.addWidget(self._graph)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(title)
        self._dress()

    @property
    def curves(self) -> Sequence[Curve]:
        """What is drawn."""
        return self._curves

    @property
    def summary(self) -> str:
        """The sentence that says what the plot shows."""
        return self._summary

    def show_curves(self, curves: Sequence[Curve], summary: str) -> None:
        """Draw these; ``summary`` says to a screen reader what can be seen."""
        self._summary = summary
        if self._current < 0 or not self.hasFocus():
            self.setAccessibleDescription(summary)
        if tuple(curves) != self._curves:
            self._curves = tuple(curves)
            self._draw()
        self._show_reading()

    def sizeHint(self) -> QSize:
        """Return a size that grows with the text."""
        hint = super().sizeHint()
        return QSize(max(scaled(LEAST_WIDTH), super().minimumSizeHint().width()), hint.height())

    # Drawing

    def _make_graph(self) -> Any:
        graph = self._plotting.PlotWidget(parent=self)
        graph.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        graph.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        graph.setFrameShape(graph.Shape.NoFrame)
        graph.setAntialiasing(True)
        item = graph.getPlotItem()
        item.setMenuEnabled(False)
        item.setMouseEnabled(x=False, y=False)
        item.hideButtons()
        item.showGrid(y=True, alpha=GRID_ALPHA / 255)
        for side, say in (("left", self._say), ("bottom", say_number)):
            axis = item.getAxis(side)
            axis.enableAutoSIPrefix(False)
            axis.setStyle(maxTickLevel=0)  # marks between the numbers cost more than the curves
            axis.tickStrings = _word_ticks(say)
        self._legend = item.addLegend(offset=(-1, 1), verSpacing=-6)
        self._cursor = self._plotting.InfiniteLine(angle=90, movable=False)
        self._cursor.hide()
        return graph

    def _dress(self) -> None:
        """Take the theme's colours and the interface's font."""
        tokens = current_tokens()
        self._graph.setBackground(QColor(tokens.window))
        self._graph.setFixedHeight(self.fontMetrics().lineSpacing() * self._lines)
        item = self._graph.getPlotItem()
        small = self.reading.font()
        for side in ("left", "bottom"):
            axis = item.getAxis(side)
            axis.setTextPen(QColor(tokens.muted))
            axis.setPen(QColor(tokens.line if tokens.line != tokens.ink else tokens.muted))
            axis.setTickFont(small)
        self._legend.setLabelTextColor(QColor(tokens.muted))
        self._legend.setLabelTextSize(f"{self.fontInfo().pixelSize() - 1}px")
        self._cursor.setPen(self._plotting.mkPen(QColor(tokens.muted), style=Qt.PenStyle.DotLine))
        self._looks = None
        self._draw()

    def _draw(self) -> None:
        item = self._graph.getPlotItem()
        looks = [(curve.name, curve.look, len(curve.points) < LEAST_LINE) for curve in self._curves]
        if looks != self._looks:
            item.clear()  # the legend follows
            self._lines_drawn = [self._add_line(item, curve) for curve in self._curves]
            item.addItem(self._cursor, ignoreBounds=True)
            self._looks = looks
        for line, curve in zip(self._lines_drawn, self._curves, strict=True):
            line.setData([step for step, _ in curve.points], [value for _, value in curve.points])
        low, high = find_bounds(self._curves)
        steps = [point[0] for curve in self._curves for point in curve.points]
        first, last = min(steps, default=0), max(steps, default=1)
        item.setYRange(low, high, padding=0)
        item.setXRange(first, max(last, first + 1), padding=0.02)

    def _add_line(self, item: Any, curve: Curve) -> Any:
        """Return a line for a curve, in the theme's colours and without points yet."""
        tokens = current_tokens()
        if curve.look is Look.FAINT:
            # Nobody sees the steps in noise, and without smooth edges it costs a quarter.
            faint = QColor(mix(tokens.muted, tokens.window, FAINT_SHARE))
            return item.plot([], [], pen=self._plotting.mkPen(faint, width=1), antialias=False)
        colour = QColor(tokens.accent if curve.is_main else tokens.muted)
        several = sum(other.look is not Look.FAINT for other in self._curves) > 1
        dots: dict[str, Any] = {}
        if curve.look is Look.DOTS or len(curve.points) < LEAST_LINE:
            dots = {"symbol": "o", "symbolSize": DOT_SIZE, "symbolBrush": colour, "symbolPen": None}
        pen = self._plotting.mkPen(colour, width=LINE_WIDTH)
        return item.plot([], [], pen=pen, name=curve.name if several else None, antialias=True, **dots)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Show where the keys are."""
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(QColor(current_tokens().accent), 2))
            painter.drawRoundedRect(self.rect().adjusted(1, 1, -1, -1), 6, 6)

    def changeEvent(self, event: QEvent) -> None:
        """Draw in a new theme's colours, or in a new size of text."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._dress()

    # Reading

    @property
    def _main(self) -> tuple[tuple[int, float], ...]:
        return next((curve.points for curve in self._curves if curve.is_main and curve.points), ())

    def _show_reading(self) -> None:
        points = self._main
        if not points:
            self.reading.setText("")
            return
        if self._current < 0:
            self._cursor.hide()
            self.reading.setText(self._say(points[-1][1]))
            return
        self._current = min(self._current, len(points) - 1)
        step, value = points[self._current]
        self._cursor.setValue(step)
        self._cursor.show()
        said = self.tr("step {step}: {value}").format(step=say_number(step), value=self._say(value))
        self.reading.setText(said)

    def _go(self, index: int, *, aloud: bool = True) -> None:
        points = self._main
        if not points:
            return
        self._current = min(max(index, 0), len(points) - 1)
        self._show_reading()
        if aloud:
            self.setAccessibleDescription(self.reading.text())
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.reading.text()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move along the main curve; Escape goes back to the newest."""
        steps = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1, Qt.Key.Key_PageUp: -FAR, Qt.Key.Key_PageDown: FAR}
        key, last = Qt.Key(event.key()), len(self._main) - 1
        if key in steps:
            self._go((self._current if self._current >= 0 else last) + steps[key])
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go(0 if key == Qt.Key.Key_Home else last)
        elif key == Qt.Key.Key_Escape and self._current >= 0:
            self._leave()
        else:
            super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Read the point below the mouse."""
        if points := self._main:
            view = self._graph.getPlotItem().getViewBox()
            inside = self._graph.mapFrom(self, event.position().toPoint())
            where: QPointF = view.mapSceneToView(self._graph.mapToScene(inside))
            self._go(find_nearest(points, where.x()), aloud=False)

    def leaveEvent(self, event: QEvent) -> None:
        """Say the newest again."""
        super().leaveEvent(event)
        if not self.hasFocus():
            self._leave()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Say the newest again."""
        super().focusOutEvent(event)
        self._leave()

    def _leave(self) -> None:
        self._current = -1
        self._show_reading()
        self.setAccessibleDescription(self._summary)


def _word_ticks(say: Say) -> Callable[[Sequence[float], float, float], list[str]]:
    def tick_strings(values: Sequence[float], _scale: float, _spacing: float) -> list[str]:
        return [say(value) for value in values]

    return tick_strings

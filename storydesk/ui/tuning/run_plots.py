"""The plots of a run: what it learns, how well it foresees unseen pages, how fast, how much memory, how warm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from storydesk.bridge.jobs import JobRunner
from storydesk.domain.tuning import RunState
from storydesk.ui.figures import say_number, say_perplexity, say_size
from storydesk.ui.theme import SPACE_L, SPACE_M, FlowLayout, make_label
from storydesk.ui.tuning.curves import Curve, Look, Points, make_curve, smooth
from storydesk.ui.tuning.measure_plot import MeasurePlot, load_plotting
from storydesk.ui.window_timers import make_single_shot

REDRAW_MILLISECONDS: Final = 250
TALL, LOW = 11, 7
LOSS, PERPLEXITY, SPEED, MEMORY, TEMPERATURE = "loss", "perplexity", "speed", "memory", "temperature"
ALL: Final = (LOSS, PERPLEXITY, SPEED, MEMORY, TEMPERATURE)


class RunPlots(QWidget):
    """Shows the plots there are values for; draws four times a second at most, and only while it can be seen.

    GUI thread; the drawing library is loaded on another one when there is first something to draw.
    """

    drawn = Signal()
    """The plots show the state that was last given."""

    def __init__(self, kinds: Sequence[str] = ALL, parent: QWidget | None = None) -> None:
        """Show nothing yet."""
        super().__init__(parent)
        self._kinds = tuple(kinds)
        self._jobs = JobRunner(self)
        self._plotting: Any = None
        self._loading = False
        self._state: RunState | None = None
        self._due = make_single_shot(self, REDRAW_MILLISECONDS, self._draw_if_due)
        self._stale = False
        self.plots: dict[str, MeasurePlot] = {}
        self.soon = make_label(self.tr("The curves begin soon."), "muted")
        self._small = FlowLayout(space=SPACE_L)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE_M)
        self._column.addWidget(self.soon)
        self._column.addLayout(self._small)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        state = self._state
        return state is None or len(state.losses) + len(state.heldout) < 2

    def show_state(self, state: RunState | None) -> None:
        """Draw a state, soon; of several within a quarter of a second, the last."""
        if state is not None and state.choices:
            # What is learned from choices has a loss of its own kind, which belongs into no plot of nats a token.
            state = replace(state, losses=())
        self._state = state
        self._stale = True
        self.setVisible(state is not None and bool(state.losses or state.heldout))
        if not self._due.isActive():
            self._draw_if_due()

    def close_jobs(self) -> None:
        """End what is under way."""
        self._jobs.close()

    def showEvent(self, event: QShowEvent) -> None:
        """Draw what came while nobody could see it."""
        super().showEvent(event)
        self._draw_if_due()

    def _draw_if_due(self) -> None:
        state = self._state
        if not self._stale or state is None or self.is_empty or not self.isVisible():
            return
        if self._plotting is None:
            self._load()
            return
        self._stale = False
        self._due.start()
        self._draw(state)
        self.drawn.emit()

    def _load(self) -> None:
        if not self._loading:
            self._loading = True
            self._jobs.start(lambda _: load_plotting(), on_success=self._on_loaded)

    def _on_loaded(self, plotting: Any) -> None:
        self._plotting = plotting
        self._draw_if_due()

    def _draw(self, state: RunState) -> None:
        self.soon.hide()
        for kind in self._kinds:
            curves = self._make_curves(kind, state)
            has_points = any(curve.points for curve in curves)
            if has_points and kind not in self.plots:
                self._add_plot(kind)
            if kind in self.plots:
                self.plots[kind].setVisible(has_points)
                self.plots[kind].show_curves(curves, self._describe(kind, curves))

    def _add_plot(self, kind: str) -> None:
        titles = {
            LOSS: self.tr("Surprise, in nats a token"),
            PERPLEXITY: self.tr("Perplexity"),
            SPEED: self.tr("Tokens a second"),
            MEMORY: self.tr("Memory"),
            TEMPERATURE: self.tr("Temperature"),
        }
        lines = TALL if kind == LOSS else LOW
        plot = self.plots[kind] = MeasurePlot(self._plotting, titles[kind], _WORDS[kind], lines=lines)
        if kind == LOSS:
            self._column.insertWidget(0, plot)
        else:
            self._small.add(plot, stretched=True)

    def _make_curves(self, kind: str, state: RunState) -> list[Curve]:
        if kind == LOSS:
            noise = [point for point in state.losses if math.isfinite(point[1])]
            unseen = [(step, math.log(value)) for step, value in state.heldout if 0 < value < math.inf]
            return [
                make_curve(self.tr("each step"), noise, Look.FAINT, is_main=False),
                make_curve(self.tr("as it reads"), smooth(noise), is_main=False),
                make_curve(self.tr("unseen pages"), unseen, Look.DOTS),
            ]
        if kind == SPEED:
            noise = [point for point in state.speeds if math.isfinite(point[1])]
            return [
                make_curve(self.tr("each step"), noise, Look.FAINT, is_main=False),
                make_curve(self.tr("tokens a second"), smooth(noise)),
            ]
        series: dict[str, tuple[str, Points]] = {
            PERPLEXITY: (self.tr("unseen pages"), state.heldout),
            MEMORY: (self.tr("memory"), state.memories),
            TEMPERATURE: (self.tr("temperature"), state.temperatures),
        }
        name, points = series[kind]
        return [make_curve(name, points, Look.DOTS if kind == PERPLEXITY else Look.LINE)]

    def _describe(self, kind: str, curves: Sequence[Curve]) -> str:
        """Return in a sentence what can be seen."""
        points = next((curve.points for curve in curves if curve.is_main and curve.points), ())
        if not points:
            return ""
        say = _WORDS[kind]
        values = [value for _, value in points]
        figures = {
            "first": say(values[0]),
            "last": say(values[-1]),
            "low": say(min(values)),
            "high": say(max(values)),
        }
        if kind in (LOSS, PERPLEXITY):
            said = self.tr("Surprise at unseen pages was {first} at first and is {last} now; the least was {low}.")
        elif kind == SPEED:
            said = self.tr("It reads {last} tokens a second now; between {low} and {high} so far.")
        elif kind == MEMORY:
            said = self.tr("It takes {last} of memory now; {high} at most so far.")
        else:
            said = self.tr("The graphics card has {last} now; {high} at most so far.")
        return said.format(**figures)


def _say_nats(value: float) -> str:
    return say_number(value, 2)


def _say_whole(value: float) -> str:
    return say_number(value)


def _say_memory(value: float) -> str:
    return say_size(max(0, round(value)))


def _say_warmth(value: float) -> str:
    return f"{say_number(value)} °C"


_WORDS: Final = {
    LOSS: _say_nats,
    PERPLEXITY: say_perplexity,
    SPEED: _say_whole,
    MEMORY: _say_memory,
    TEMPERATURE: _say_warmth,
}

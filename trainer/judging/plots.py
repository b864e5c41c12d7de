"""Plots of figures with their intervals as SVG that stands inside a page and takes its colours from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# Two plots stand beside each other on a page of this width, so that their words are as large as the page's.
WIDTH, ROW, LEFT, RIGHT, TOP, BOTTOM = 480, 26, 190, 26, 8, 30
_LONGEST_LABEL = 28


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a plot, ``low`` and ``high`` None without an interval; ``kind`` is a class of the page's style."""

    label: str
    value: float
    low: float | None
    high: float | None
    kind: str = "style"


def draw_intervals(
    marks: Sequence[Mark], title: str, *, guide: float | None = None, guide_label: str = "", percent: bool = False
) -> str:
    """Return a plot with a dot and an interval on each line, and a dashed upright ``guide``; empty without marks."""
    usable = [mark for mark in marks if math.isfinite(mark.value)]
    if not usable:
        return ""
    bounds = [each for mark in usable for each in (mark.value, mark.low, mark.high) if each is not None]
    low, high = _widen(min([*bounds, *_some(guide)]), max([*bounds, *_some(guide)]))
    height = TOP + ROW * len(usable) + BOTTOM
    scale = _Scale(low, high)
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title, quote=True)}">',
        *_draw_axis(scale, height, percent),
        *(_draw_guide(scale.place(guide), height, guide_label) if guide is not None else []),
    ]
    for number, mark in enumerate(usable):
        parts += _draw_mark(mark, TOP + ROW * number + ROW / 2, scale, percent)
    return "\n".join([*parts, "</svg>"])


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values to places on the page."""

    low: float
    high: float

    def place(self, value: float) -> float:
        """Return the place of a value, kept inside the plot."""
        share = (value - self.low) / (self.high - self.low)
        return LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - RIGHT)


def _draw_axis(scale: _Scale, height: float, percent: bool) -> list[str]:
    line = height - BOTTOM + 4
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{line}" y2="{line}"/>']
    for value in list_ticks(scale.low, scale.high):
        x = scale.place(value)
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{line}"/>')
        label = show(value, percent=percent).replace(".0 %", " %")
        parts.append(f'<text class="tick" x="{x:.1f}" y="{line + 17}">{label}</text>')
    return parts


def _draw_guide(x: float, height: float, label: str) -> list[str]:
    bottom, title = height - BOTTOM + 4, f"<title>{escape(label)}</title>"
    return [f'<line class="guide" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}">{title}</line>']


def _draw_mark(mark: Mark, y: float, scale: _Scale, percent: bool) -> list[str]:
    label = _shorten(mark.label)
    told = show(mark.value, percent=percent)
    parts = [f'<text class="label" x="{LEFT - 10}" y="{y + 4:.1f}">{escape(label)}</text>']
    if mark.low is not None and mark.high is not None:
        told += f" ({show(mark.low, percent=percent)} to {show(mark.high, percent=percent)})"
        left, right = scale.place(mark.low), scale.place(mark.high)
        parts.append(f'<line class="bar {mark.kind}" x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
    title = f"<title>{escape(mark.label)}: {told}</title>"
    parts.append(
        f'<circle class="dot {mark.kind}" cx="{scale.place(mark.value):.1f}" cy="{y:.1f}" r="5">{title}</circle>'
    )
    return parts


def _shorten(label: str) -> str:
    """Return a label without its middle where it is too long: models differ at its start, settings at its end."""
    if len(label) <= _LONGEST_LABEL:
        return label
    return f"{label[:8].rstrip()}…{label[9 - _LONGEST_LABEL :].lstrip()}"


def show(value: float | None, *, percent: bool = False, signed: bool = False) -> str:
    """Return a value as the report shows it: three figures or so, a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return "–"
    sign = "+" if signed and value > 0 else ""
    if percent:
        return f"{sign}{100 * value:.1f} %".replace("-", "−")
    size = abs(value)
    places = 0 if size >= 100 else 1 if size >= 20 else 2 if size >= 1 or size == 0 else 3
    return f"{sign}{value:.{places}f}".replace("-", "−")


def list_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round values between two, at most so many."""
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def _widen(low: float, high: float) -> tuple[float, float]:
    """Return bounds with some room, and with a width even where all values are one."""
    room = (high - low) * 0.06 or max(abs(high) * 0.1, 0.05)
    # Shares don't go below nothing.
    return (max(low - room, 0.0) if low >= 0 else low - room), high + room


def _some(value: float | None) -> list[float]:
    return [value] if value is not None and math.isfinite(value) else []

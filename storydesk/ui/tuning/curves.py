"""Series of a run made ready to be drawn: no infinities, noise averaged, never more points than a plot can show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

SMOOTHING: Final = 0.9
MOST_POINTS: Final = 600
"""Of one curve; a plot has three at most, and shows fewer pixels than that."""

Points = Sequence[tuple[int, float]]


class Look(Enum):
    """How a curve is drawn."""

    LINE = "line"
    FAINT = "faint"
    DOTS = "dots"


@dataclass(frozen=True, slots=True)
class Curve:
    """Values over steps under a name of their own; ``is_main`` marks the one that is read out."""

    name: str
    points: tuple[tuple[int, float], ...]
    look: Look = Look.LINE
    is_main: bool = True


def make_curve(
    name: str, points: Iterable[tuple[int, float]], look: Look = Look.LINE, *, is_main: bool = True
) -> Curve:
    """Return a curve of what is a number, in the order of the steps and thinned out."""
    finite = sorted(point for point in points if math.isfinite(point[1]))
    return Curve(name, tuple(thin_out(finite, MOST_POINTS)), look, is_main)


def thin_out(points: Points, most: int) -> list[tuple[int, float]]:
    """Return at most so many of the points, evenly chosen, the first and the last among them."""
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[round(place * last / (most - 1))] for place in range(most)]


def smooth(points: Points) -> list[tuple[int, float]]:
    """Return the points with their noise averaged out, unbiased at the start."""
    smoothed: list[tuple[int, float]] = []
    mean = weight = 0.0
    for step, value in points:
        mean = SMOOTHING * mean + (1 - SMOOTHING) * value
        weight = SMOOTHING * weight + (1 - SMOOTHING)
        smoothed.append((step, mean / weight))
    return smoothed


def find_bounds(curves: Sequence[Curve]) -> tuple[float, float]:
    """Return the ends of a scale: a little room around the values; of noise, the wildest twentieth is cut off."""
    values = [value for curve in curves if curve.look is not Look.FAINT for _, value in curve.points]
    for curve in curves:
        if curve.look is Look.FAINT:
            noise = sorted(value for _, value in curve.points)
            values += noise[len(noise) // 20 : len(noise) - len(noise) // 20]
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    room = max((high - low) * 0.08, abs(high) * 0.01, 1e-6)
    return low - room, high + room


def find_nearest(points: Points, step: float) -> int:
    """Return the index of the point that is nearest to a step; the points must not be empty."""
    return min(range(len(points)), key=lambda index: abs(points[index][0] - step))

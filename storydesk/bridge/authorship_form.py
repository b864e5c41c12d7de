"""Authorship spans between the page, which counts UTF-16 units, and the library, which counts code points. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from storydesk.domain.authorship import Run, Runs, join_runs, measure_runs

Units = str
"""A text in which each character is one UTF-16 unit: characters beyond the first 65,536 are written as two halves."""


@dataclass(frozen=True, slots=True)
class PageText:
    """What is on the page: the text, and its spans in UTF-16 units; no spans where nobody keeps account."""

    text: str
    runs: Runs = ()

    def __str__(self) -> str:
        """Return the text."""
        return self.text

    def points(self) -> Runs | None:
        """Return the spans in code points; None where they don't cover the text."""
        runs = to_points(self.text, self.runs)
        return runs if measure_runs(runs) == len(self.text) else None


def as_units(text: str) -> Units:
    """Return a text as one character for each UTF-16 unit; usually that is the text itself."""
    if text.isascii() or (text and max(text) <= "\uffff"):
        return text
    encoded = text.encode("utf-16-le", "surrogatepass")
    return "".join(map(chr, memoryview(encoded).cast("H"))) if encoded else text


def count_units(text: str) -> int:
    """Return how many UTF-16 units a text has."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def to_points(text: str, runs: Sequence[Run]) -> Runs:
    """Return runs that count UTF-16 units as runs that count code points; a halved character goes to its first half."""
    if count_units(text) == len(text):
        return join_runs(runs)
    points, place, unit, end = [], 0, 0, 0
    for length, origin in runs:
        end += length
        first = place
        while unit < end and place < len(text):
            unit += 2 if text[place] > "\uffff" else 1
            place += 1
        points.append((place - first, origin))
    return join_runs(points)


def to_units(text: str, runs: Sequence[Run]) -> Runs:
    """Return runs that count code points as runs that count UTF-16 units."""
    if count_units(text) == len(text):
        return join_runs(runs)
    units, place = [], 0
    for length, origin in runs:
        units.append((count_units(text[place : place + length]), origin))
        place += length
    return join_runs(units)

"""Marks over the text that follow its edits without being built anew: what was edited since is remembered. No Qt.

A layer keeps its marks as they were given and a log of the stretches of that text that still stand. Only when a
paragraph is about to be seen are its marks looked up through the log, so a keystroke costs the same with ten marks
and with three hundred thousand.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

_END = 1 << 60

F = TypeVar("F")
F_co = TypeVar("F_co", covariant=True)


class Marked(Protocol[F_co]):
    """A format over a stretch of the document, in its own UTF-16 positions."""

    @property
    def start(self) -> int:
        """Where it begins."""

    @property
    def end(self) -> int:
        """Where it ends."""

    @property
    def format(self) -> F_co:
        """How it looks."""


class EditLog:
    """Which stretches of an earlier text still stand, and where they are now. UTF-16 units or any other."""

    def __init__(self) -> None:
        """Begin with a text that nobody has touched."""
        self._starts = [0]
        self._ends = [_END]
        self._origins = [0]

    def __len__(self) -> int:
        """Return how many stretches there are."""
        return len(self._starts)

    def note(self, position: int, removed: int, added: int) -> None:
        """Hear of an edit."""
        end, change = position + removed, added - removed
        first = bisect_right(self._ends, position)
        after = bisect_left(self._starts, end, lo=first)
        starts, ends, origins = [], [], []
        if first < len(self._starts) and self._starts[first] < position:
            starts.append(self._starts[first])
            ends.append(position)
            origins.append(self._origins[first])
        last = max(after - 1, first)
        if last < len(self._starts) and self._starts[last] < end < self._ends[last]:
            starts.append(end + change)
            ends.append(self._ends[last] + change)
            origins.append(self._origins[last] + end - self._starts[last])
        elif not removed and starts:  # an insertion inside a stretch parts it
            starts.append(end + change)
            ends.append(self._ends[first] + change)
            origins.append(self._origins[first] + end - self._starts[first])
            after = first + 1
        if change:
            for number in range(after, len(self._starts)):
                self._starts[number] += change
                self._ends[number] += change
        self._starts[first:after] = starts
        self._ends[first:after] = ends
        self._origins[first:after] = origins

    def find(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield (start, end, origin) of the stretches that touch a range of the text as it is now."""
        number = bisect_right(self._ends, start)
        while number < len(self._starts) and self._starts[number] < end:
            yield self._starts[number], self._ends[number], self._origins[number]
            number += 1


class MarkLayer(Generic[F]):
    """Marks in order and apart from each other; a mark that an edit touches is gone. GUI thread."""

    def __init__(self, marks: Sequence[Marked[F]]) -> None:
        """Take the marks of the text as it is now; they are read when they are needed, so any sequence will do."""
        self._marks = marks
        self._log = EditLog()

    def note_edit(self, position: int, removed: int, added: int) -> None:
        """Follow an edit."""
        self._log.note(position, removed, added)

    def marks_between(self, start: int, end: int) -> Iterator[tuple[int, int, F]]:
        """Yield (start, end, format) of the marks that touch a range of the text as it is now."""
        marks = self._marks
        if not marks:
            return
        for now, now_end, origin in self._log.find(start, end):
            low, high = origin + max(start - now, 0), origin + min(end, now_end) - now
            number = max(bisect_right(marks, low, key=_start_of) - 1, 0)
            while number < len(marks):
                mark = marks[number]
                number += 1
                if mark.start >= high:
                    break
                whole = mark.start >= origin and mark.end <= origin + now_end - now
                if mark.end > low and whole:
                    yield mark.start - origin + now, mark.end - origin + now, mark.format


class MarkSource(Protocol[F_co]):
    """Somebody who always knows which marks there are, as the owner of authorship spans does. GUI thread."""

    def marks_between(self, start: int, end: int) -> Iterable[tuple[int, int, F_co]]:
        """Return (start, end, format) of the marks that touch a range, in order, in UTF-16 positions of now."""


def _start_of(mark: Marked[F]) -> int:
    return mark.start

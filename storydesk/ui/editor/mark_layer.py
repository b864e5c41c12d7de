"""Marks over the text that follow its edits without being built anew: what was edited since is remembered. No Qt.

A layer keeps its marks as they were given and a log of the stretches of that text that still stand. Only when a
paragraph is about to be seen are its marks looked up through the log, so a keystroke costs the same with ten marks
and with three hundred thousand.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

from storydesk.bridge.edit_log import EditLog

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


class MarkLayer(Generic[F]):
    """Marks in order and apart from each other; a mark that an edit touches is gone. GUI thread."""

    def __init__(self, marks: Sequence[Marked[F]], since: EditLog | None = None) -> None:
        """Take the marks of the text as it is now, or as it was before what was edited ``since``.

        They are read when they are needed, so any sequence will do.
        """
        self._marks = marks
        self._log = since.copy() if since is not None else EditLog()

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

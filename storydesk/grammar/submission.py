"""A writer's text in the form that checkers can take, and the way back to the writer's own code points."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_ENCODABLE = "\ufffd"
_CUTS = (
    re.compile(r"\n\s*\n|\r\n\s*\r\n"),
    re.compile(r"\r\n|\n|\r"),
    re.compile(r"[.!?…][\"'”’)]*\s"),
    re.compile(r"\s"),
)


class Submission:
    """One text on its way to a checker: composed accents, nothing that can't be encoded. Immutable, any thread.

    ``text`` is what the checker gets; ``original_span`` maps its code points to those of ``original``.
    """

    def __init__(self, original: str) -> None:
        """Prepare a text."""
        self.original = original
        encodable = _LONE_SURROGATE.sub(_ENCODABLE, original)
        self._sent_starts: list[int] = []
        self._original_starts: list[int] = []
        if unicodedata.is_normalized("NFC", encodable):
            self.text = encodable
        else:
            self.text = self._compose(encodable)

    def _compose(self, text: str) -> str:
        """Compose accents cluster by cluster, keeping where each cluster stood."""
        pieces: list[str] = []
        length = 0
        for start, end in _clusters(text):
            piece = unicodedata.normalize("NFC", text[start:end])
            self._sent_starts.append(length)
            self._original_starts.append(start)
            pieces.append(piece)
            length += len(piece)
        self._sent_starts.append(length)
        self._original_starts.append(len(text))
        return "".join(pieces)

    def original_span(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the writer's own span, or None where it holds something that no checker could read.

        A span is never cut between a letter and its accents.
        """
        if self._sent_starts:
            first = bisect_right(self._sent_starts, start) - 1
            last = bisect_right(self._sent_starts, max(end - 1, start)) - 1
            start = self._original_starts[first]
            end = self._original_starts[min(last + 1, len(self._original_starts) - 1)] if end > 0 else start
        if not 0 <= start <= end <= len(self.original) or _LONE_SURROGATE.search(self.original, start, end):
            return None
        return start, end


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Yield runs that compose on their own: the longest stretch of plain characters, or a base with its accents."""
    start = 0
    for index in range(1, len(text)):
        if unicodedata.combining(text[index]):
            continue
        yield start, index
        start = index
    if text:
        yield start, len(text)


def cut(text: str, limit: int) -> Iterator[tuple[int, str]]:
    """Yield ``(offset, piece)`` that join to the text, each at most ``limit`` code points.

    Pieces end at a paragraph where there is one, else at a line, a sentence, a space, and only then anywhere.
    """
    start = 0
    while len(text) - start > limit:
        end = _cutting_place(text, start, start + limit)
        yield start, text[start:end]
        start = end
    if start < len(text):
        yield start, text[start:]


def _cutting_place(text: str, start: int, limit: int) -> int:
    """Return the best end of a piece; the second half only is searched, so that pieces stay large."""
    for pattern in _CUTS:
        place = 0
        for match in pattern.finditer(text, start + (limit - start) // 2, limit):
            place = match.end()
        if place:
            return place
    while limit - start > 1 and unicodedata.combining(text[limit]):
        limit -= 1
    return limit

"""What was edited since something was placed in a text, so that its places can be looked up later. No Qt in here."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

_END = 1 << 60


class EditLog:
    """Which stretches of an earlier text still stand, and where they are now. UTF-16 units or any other."""

    def __init__(self) -> None:
        """Begin with a text that nobody has touched."""
        self._starts = [0]
        self._ends = [_END]
        self._origins = [0]
        self._noted = False

    def __len__(self) -> int:
        """Return how many stretches there are."""
        return len(self._starts)

    @property
    def is_untouched(self) -> bool:
        """Whether no edit was noted."""
        return not self._noted

    def note(self, position: int, removed: int, added: int) -> None:
        """Hear of an edit."""
        self._noted = True
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
        if change:
            for number in range(after, len(self._starts)):
                self._starts[number] += change
                self._ends[number] += change
        self._starts[first:after] = starts
        self._ends[first:after] = ends
        self._origins[first:after] = origins
        self._join(max(first - 1, 0), first + len(starts))

    def _join(self, first: int, last: int) -> None:
        """Join stretches that were parted by something that is gone again, as undo takes it away."""
        for number in range(min(last, len(self._starts) - 1), first, -1):
            before = number - 1
            gap = self._starts[number] - self._starts[before]
            if self._ends[before] == self._starts[number] and self._origins[number] - self._origins[before] == gap:
                self._ends[before] = self._ends[number]
                del self._starts[number], self._ends[number], self._origins[number]

    def find(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """Yield (start, end, origin) of the stretches that touch a range of the text as it is now."""
        number = bisect_right(self._ends, start)
        while number < len(self._starts) and self._starts[number] < end:
            yield self._starts[number], self._ends[number], self._origins[number]
            number += 1

    def trace(self, position: int) -> int:
        """Return the place in the earlier text that stands at a place of the text as it is now, or next after it."""
        number = min(bisect_right(self._ends, position), len(self._starts) - 1)
        return self._origins[number] + max(position - self._starts[number], 0)

    def copy(self) -> EditLog:
        """Return a log that goes on by itself from here."""
        copied = EditLog()
        copied._starts, copied._ends, copied._origins = self._starts[:], self._ends[:], self._origins[:]
        copied._noted = self._noted
        return copied

    def follow(self, start: int, end: int) -> int | None:
        """Return by how much a stretch of the earlier text has moved; None where an edit touched it."""
        number = bisect_right(self._origins, start) - 1
        length = self._ends[number] - self._starts[number]
        if number < 0 or end > self._origins[number] + length:
            return None
        return self._starts[number] - self._origins[number]

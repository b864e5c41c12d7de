"""How tall each paragraph is, and which one stands at a height: quick for tens of thousands of them. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

CHUNK = 128
"""About how many heights are added up in one piece."""


class Heights:
    """A list of heights in pixels with their sums; changes and questions cost far less than the list is long."""

    def __init__(self) -> None:
        """Begin with none."""
        self._chunks: list[list[float]] = [[]]
        self._sums: list[float] = [0.0]
        self._count = 0

    def __len__(self) -> int:
        """Return how many there are."""
        return self._count

    @property
    def total(self) -> float:
        """All of them together."""
        return sum(self._sums)

    def reset(self, heights: Sequence[float]) -> None:
        """Put others in the place of all."""
        self._chunks = [list(heights[at : at + CHUNK]) for at in range(0, len(heights), CHUNK)] or [[]]
        self._sums = [sum(chunk) for chunk in self._chunks]
        self._count = len(heights)

    def get(self, number: int) -> float:
        """Return one of them; IndexError where there is none."""
        chunk, inside = self._find_chunk(number)
        return self._chunks[chunk][inside]

    def set(self, number: int, height: float) -> float:
        """Change one of them and return by how much it grew; IndexError where there is none."""
        chunk, inside = self._find_chunk(number)
        change = height - self._chunks[chunk][inside]
        if change:
            self._chunks[chunk][inside] = height
            self._sums[chunk] = sum(self._chunks[chunk])
        return change

    def splice(self, first: int, removed: int, added: Sequence[float]) -> None:
        """Put ``added`` in the place of ``removed`` heights from ``first`` on."""
        if removed + len(added) > CHUNK * 8:
            flat = [height for chunk in self._chunks for height in chunk]
            flat[first : first + removed] = added
            self.reset(flat)
            return
        common = min(removed, len(added))
        for place in range(common):
            self.set(first + place, added[place])
        for _surplus in range(removed - common):
            self._remove(first + common)
        for place in range(common, len(added)):
            self._insert(first + place, added[place])

    def top_of(self, number: int) -> float:
        """Return where one begins: the sum of those before it."""
        chunk, inside = self._find_chunk(number)
        return sum(self._sums[:chunk]) + sum(self._chunks[chunk][:inside])

    def find(self, place: float) -> int:
        """Return which one covers a place, the first or last where it is outside; 0 where there are none."""
        number = 0
        for chunk, size in zip(self._chunks, self._sums, strict=True):
            if place < size:
                for inside, end in enumerate(accumulate(chunk)):
                    if place < end:
                        return number + inside
            place -= size
            number += len(chunk)
        return max(self._count - 1, 0)

    def _find_chunk(self, number: int) -> tuple[int, int]:
        if number < 0:
            raise IndexError(number)
        for place, chunk in enumerate(self._chunks):
            if number < len(chunk):
                return place, number
            number -= len(chunk)
        raise IndexError(number)

    def _insert(self, number: int, height: float) -> None:
        if number == self._count:
            place = len(self._chunks) - 1
            inside = len(self._chunks[place])
        else:
            place, inside = self._find_chunk(number)
        chunk = self._chunks[place]
        chunk.insert(inside, height)
        self._count += 1
        if len(chunk) > 2 * CHUNK:
            self._chunks[place : place + 1] = [chunk[:CHUNK], chunk[CHUNK:]]
            self._sums[place : place + 1] = [sum(chunk[:CHUNK]), sum(chunk[CHUNK:])]
        else:
            self._sums[place] = sum(chunk)

    def _remove(self, number: int) -> None:
        place, inside = self._find_chunk(number)
        del self._chunks[place][inside]
        self._count -= 1
        if not self._chunks[place] and len(self._chunks) > 1:
            del self._chunks[place], self._sums[place]
        else:
            self._sums[place] = sum(self._chunks[place])

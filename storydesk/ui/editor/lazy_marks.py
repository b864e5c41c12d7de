"""Marks that are made only when somebody looks at them: of thousands of places a screen shows a dozen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar, overload

from storydesk.ui.editor.compositor import Mark

T = TypeVar("T")


class LazyMarks(Sequence[Mark], Generic[T]):
    """One mark for each of some places, in their order. GUI thread."""

    def __init__(self, places: Sequence[T], make: Callable[[T], Mark]) -> None:
        """``make`` turns a place into its mark, each time it is asked for."""
        self._places = places
        self._make = make

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._places)

    @overload
    def __getitem__(self, number: int) -> Mark: ...

    @overload
    def __getitem__(self, number: slice) -> Sequence[Mark]: ...

    def __getitem__(self, number: int | slice) -> Mark | Sequence[Mark]:
        """Return one mark, or those of a stretch."""
        if isinstance(number, slice):
            return LazyMarks(self._places[number], self._make)
        return self._make(self._places[number])

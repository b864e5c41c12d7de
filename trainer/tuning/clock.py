"""The time a run has worked, without the hours in which the machine slept."""

from __future__ import annotations

import time
from collections.abc import Callable

# Linux and macOS stop the monotonic clock in sleep, Windows and some virtual machines don't. A gap between two ticks
# is taken for sleep where it is long and the process computed next to nothing in it.
_LONG_GAP = 60.0
_IDLE_SHARE = 0.02


class WorkClock:
    """Counts the seconds of work from tick to tick. One thread."""

    def __init__(
        self,
        elapsed: float = 0.0,
        *,
        now: Callable[[], float] | None = None,
        computed: Callable[[], float] | None = None,
    ) -> None:
        """Go on from ``elapsed``; ``now`` and ``computed`` are the wall's and the processor's seconds."""
        self._now = now or time.monotonic
        self._computed = computed or time.process_time
        self._counted = elapsed
        self._ticked = self._now()
        self._computed_then = self._computed()

    @property
    def elapsed(self) -> float:
        """Return the seconds of work so far, those since the last tick included."""
        return self._counted + self._count()

    def tick(self) -> float:
        """Count what has passed since the last tick, and return it."""
        passed = self._count()
        self._counted += passed
        self._ticked, self._computed_then = self._now(), self._computed()
        return passed

    def _count(self) -> float:
        gap = self._now() - self._ticked
        computed = self._computed() - self._computed_then
        slept = gap > _LONG_GAP and computed < gap * _IDLE_SHARE
        return computed if slept else max(gap, 0.0)

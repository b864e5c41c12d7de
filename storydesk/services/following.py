"""A run or job of the trainer as whoever follows it sees it: polled until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol, TypeVar

POLL_SECONDS: Final = 0.2


class _Ending(Protocol):
    """A state that may be the last."""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""


State = TypeVar("State", bound=_Ending)
State_co = TypeVar("State_co", bound=_Ending, covariant=True)


class FollowedRun(Protocol[State_co]):
    """What the trainer is at in a folder, at work or found again. Any thread."""

    @property
    def folder(self) -> Path:
        """The folder with request, journal and log."""

    def poll(self) -> State_co:
        """Return the state after all events so far; a process that died without a word has failed."""

    def stop(self) -> None:
        """Ask the trainer to save and end; it can go on later."""

    def detach(self) -> None:
        """Let the trainer go on when this program ends; it is found again by its journal."""

    def kill(self) -> None:
        """End it now; what was saved last stays."""


def wait_for(
    run: FollowedRun[State], report: Callable[[State], None], rest: Callable[[float], object] = time.sleep
) -> State:
    """Poll a run to its end, reporting each new state, and return the last; ``rest`` passes the seconds between."""
    shown: State | None = None
    while True:
        state = run.poll()
        if state != shown:
            report(state)
            shown = state
        if state.ended:
            return state
        rest(POLL_SECONDS)

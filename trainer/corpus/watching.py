"""Slow reading is watched: it says how far it is, and breaks off where someone asked for the end."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

_EVERY_SECONDS = 0.2


class Watch(Protocol):
    """What reading and examining tell."""

    def check(self) -> None:
        """Raise StopRequested where the job should end."""

    def progress(self, done: int, total: int, place: str = "") -> None:
        """Say how far it is; ``total`` is 0 where nobody knows. Checks as well."""


class Unwatched:
    """Implements Watch for whoever waits for the end."""

    def check(self) -> None:
        """Go on."""

    def progress(self, done: int, total: int, place: str = "") -> None:
        """Say nothing."""


class Watched:
    """Implements Watch over a stop request and a report; several reports a second are enough. One thread."""

    def __init__(self, check: Callable[[], None], report: Callable[[int, int, str], None]) -> None:
        """Ask ``check``, which may raise, and tell ``report``."""
        self._check = check
        self._report = report
        self._told = 0.0

    def check(self) -> None:
        """Raise StopRequested where the job should end."""
        self._check()

    def progress(self, done: int, total: int, place: str = "") -> None:
        """Say how far it is, and check."""
        self._check()
        now = time.monotonic()
        if now - self._told >= _EVERY_SECONDS:
            self._told = now
            self._report(done, total, place)

"""Breaking off what runs, from any thread, a long prefill included."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancelled(Exception):  # noqa: N818 - it is a wish fulfilled, no error
    """What was running has been broken off."""


class Cancellation:
    """One request's wish to end. Any thread may ask; one thread works."""

    def __init__(self, is_cancelled: Callable[[], bool] | None = None) -> None:
        """Start unasked; ``is_cancelled`` is polled too, between runs."""
        self._lock = threading.Lock()
        self._asked = False
        self._terminate: Callable[[], None] | None = None
        self._is_cancelled = is_cancelled

    def ask(self) -> None:
        """Ask for the end and break off the network's run that is under way."""
        with self._lock:
            self._asked = True
            if self._terminate is not None:
                self._terminate()

    @property
    def asked(self) -> bool:
        """Whether the end was asked for."""
        return self._asked or (self._is_cancelled is not None and self._is_cancelled())

    @property
    def polled(self) -> bool:
        """Whether somebody has to look whether the end was asked for."""
        return self._is_cancelled is not None

    def check(self) -> None:
        """Raise Cancelled where the end was asked for."""
        if self.asked:
            raise Cancelled

    @contextmanager
    def breaking(self, terminate: Callable[[], None]) -> Iterator[None]:
        """Let ``ask`` call ``terminate`` while the block runs."""
        with self._lock:
            if self._asked:
                raise Cancelled
            self._terminate = terminate
        try:
            yield
        finally:
            with self._lock:
                self._terminate = None

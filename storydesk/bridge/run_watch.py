"""One run or job of the trainer followed on a thread of its own, told about in signals."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from storydesk.bridge.phrases import as_failure, is_expected
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.following import FollowedRun, wait_for

Begin = Callable[[], FollowedRun[Any]]
"""Prepares and starts a run, or finds one that is at work. Called on the watch's thread."""
Conclude = Callable[[Any, Any], object]
"""Makes of a run and its last state what came of it. Called on the watch's thread."""
Wish = Callable[[Any], None]


class RunWatch(QObject):
    """Follows one run at a time. Lives on the GUI thread; the run is polled on a thread of its own.

    The launchers start the trainer without Qt, so nothing here is a QProcess: window and command line follow the same
    journal.
    """

    state_changed = Signal(object)
    """The run's state, five times a second at most."""
    ended = Signal(object, object)
    """What came of the run, and the Failure that kept it from coming; one of them is None."""
    busy_changed = Signal(bool)
    """Whether a run is under way, its preparation and its conclusion included."""
    _state_arrived = Signal(object)
    _run_ended = Signal(object, object)

    def __init__(self, name: str, parent: QObject | None = None, *, grace_seconds: float = math.inf) -> None:
        """Watch nothing yet; a run that was asked to stop is killed when it takes longer than ``grace_seconds``."""
        super().__init__(parent)
        self._name = name
        self._grace_seconds = grace_seconds
        self._thread: threading.Thread | None = None
        self._stop_asked = threading.Event()
        self._kill_asked = threading.Event()
        self._leave_asked = threading.Event()
        self._wake = threading.Event()
        self._wishes: queue.SimpleQueue[Wish] = queue.SimpleQueue()
        self._state_arrived.connect(self.state_changed, Qt.ConnectionType.QueuedConnection)
        self._run_ended.connect(self._on_run_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._thread is not None

    @property
    def is_killed(self) -> bool:
        """Whether the run was asked to end at once. Any thread."""
        return self._kill_asked.is_set()

    @property
    def is_unwanted(self) -> bool:
        """Whether the run was asked to end in any way. Any thread."""
        return self._stop_asked.is_set() or self._kill_asked.is_set()

    @property
    def is_left(self) -> bool:
        """Whether the run is to go on without the app."""
        return self._leave_asked.is_set()

    def begin(self, begin: Begin, conclude: Conclude) -> None:
        """Start a run and follow it to its end; ignored while one is under way."""
        if self._thread is not None:
            return
        for asked in (self._stop_asked, self._kill_asked, self._leave_asked, self._wake):
            asked.clear()
        self._wishes = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._follow, args=(begin, conclude), name=self._name, daemon=True)
        self.busy_changed.emit(True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the trainer to save and end."""
        self._ask(self._stop_asked)

    def kill(self) -> None:
        """End the run now; what was saved last stays."""
        self._ask(self._kill_asked)

    def leave(self) -> None:
        """Follow the run no longer; it goes on without the app."""
        self._ask(self._leave_asked)

    def tell(self, wish: Wish) -> None:
        """Do something to the run, once, on the watch's thread."""
        self._wishes.put(wish)
        self._wake.set()

    def close(self, wait_seconds: float) -> bool:
        """Stop the run unless it is left to itself, by force after a while; nothing is told any more."""
        thread = self._thread
        if thread is None:
            return True
        self.blockSignals(True)
        if not self.is_left:
            self.stop()
        thread.join(wait_seconds)
        if thread.is_alive():
            self.kill()
            thread.join(wait_seconds)
        self._thread = None
        return not thread.is_alive()

    def _ask(self, asked: threading.Event) -> None:
        asked.set()
        self._wake.set()

    def _follow(self, begin: Begin, conclude: Conclude) -> None:
        """Do the whole run; the thread's own function."""
        try:
            run = begin()
            state = wait_for(run, self._state_arrived.emit, self._make_rest(run))
            answer: tuple[object, Exception | None] = (conclude(run, state), None)
        except Exception as error:  # noqa: BLE001 - carried to the GUI thread, where the unexpected is raised again
            answer = (None, error)
        with contextlib.suppress(RuntimeError):  # the window may be gone by now
            self._run_ended.emit(*answer)

    def _make_rest(self, run: FollowedRun[Any]) -> Callable[[float], None]:
        """Return what passes the time between two looks, and does to the run what was asked meanwhile."""
        stopped: float | None = None

        def rest(seconds: float) -> None:
            nonlocal stopped
            self._wake.wait(seconds)
            self._wake.clear()
            if self.is_killed or (stopped is not None and time.monotonic() - stopped > self._grace_seconds):
                run.kill()
                return
            if self._stop_asked.is_set() and stopped is None:
                run.stop()
                stopped = time.monotonic()
            while not self._wishes.empty():
                self._wishes.get()(run)
            if self.is_left:
                run.detach()
                raise StorydeskError(FailureCode.CANCELLED)

        return rest

    @Slot(object, object)
    def _on_run_ended(self, outcome: object, error: Exception | None) -> None:
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        self.busy_changed.emit(False)
        self.ended.emit(outcome, None if error is None else as_failure(error))
        if error is not None and not is_expected(error):
            raise error  # sys.excepthook shows the crash dialog

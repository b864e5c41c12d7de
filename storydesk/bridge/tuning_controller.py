"""A tuning run as the window sees it: started, watched and ended on a thread, told about in signals."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal, Slot

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.phrases import as_failure, is_expected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.tuning import RunState, TuningPlan
from storydesk.services.ports import TuningRun
from storydesk.services.tuning import POLL_SECONDS, TuningOutcome, TuningService

GRACE_SECONDS: Final = 60.0
"""How long the trainer may take to save and end before it is killed; a step on a slow processor takes seconds."""


class TuningController(QObject):
    """Runs one tuning at a time. Lives on the GUI thread; the run is polled on a thread of its own.

    The launcher behind TuningService starts the trainer without Qt, so nothing here is a QProcess: window and command
    line follow the same journal.
    """

    state_changed = Signal(object)
    """A RunState, five times a second at most."""
    finished = Signal(object)
    """A TuningOutcome: completed (installed, perhaps adopted) or stopped by the writer."""
    failed = Signal(object)
    """A Failure; the old model stays."""
    busy_changed = Signal(bool)
    """Whether a run is under way, its preparation and installation included."""
    unfinished_found = Signal(object)
    """A tuple of RunState: runs that were broken off and can go on."""
    model_changed = Signal(str)
    """The name of the model that is now in use."""
    _state_arrived = Signal(object)
    _run_ended = Signal(object, object)

    def __init__(
        self, tuning: TuningService, parent: QObject | None = None, *, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        """Control runs of one TuningService; nothing is started yet."""
        super().__init__(parent)
        self._tuning = tuning
        self._grace_seconds = grace_seconds
        self._jobs = JobRunner(self)
        self._thread: threading.Thread | None = None
        self._stop_asked = threading.Event()
        self._kill_asked = threading.Event()
        self._best_asked = threading.Event()
        self._leave_asked = threading.Event()
        self._wake = threading.Event()
        self._closing = False
        self._state: RunState | None = None
        self._state_arrived.connect(self._on_state_arrived, Qt.ConnectionType.QueuedConnection)
        self._run_ended.connect(self._on_run_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._thread is not None

    @property
    def state(self) -> RunState | None:
        """The latest state of the run under way or just ended."""
        return self._state

    def start(self, make_plan: Callable[[], TuningPlan]) -> None:
        """Make the plan, prepare and run it, all on a thread; ignored while a run is under way."""
        self._begin(lambda: self._tuning.prepare(make_plan()))

    def start_prepared(self, prepare: Callable[[], Path]) -> None:
        """Let ``prepare`` make a run's folder and run it, all on a thread; ignored while a run is under way."""
        self._begin(prepare)

    def resume(self, folder: Path) -> None:
        """Go on with a run that was broken off; ignored while a run is under way."""
        self._begin(lambda: folder)

    def look_for_runs_left_alone(self) -> None:
        """Follow a run that was left at work when the app was closed, or install what it made meanwhile."""

        def on_found(folders: tuple[Path, ...]) -> None:
            if folders:
                self._begin(lambda: folders[0], self._tuning.follow)

        self._jobs.start(lambda _: tuple(self._tuning.list_left_alone()), on_success=on_found)

    def stop(self) -> None:
        """Ask the trainer to save and end; it is killed when it does not within the time of grace."""
        self._stop_asked.set()
        self._wake.set()

    def keep_best(self) -> None:
        """End the tuning here; the best weights so far become the model."""
        self._best_asked.set()
        self._wake.set()

    def kill(self) -> None:
        """End the run now; what was saved last stays."""
        self._kill_asked.set()
        self._wake.set()

    def look_for_unfinished(self) -> None:
        """Look for broken-off runs on a thread; ``unfinished_found`` tells."""
        self._jobs.start(lambda _: tuple(self._tuning.list_unfinished()), on_success=self._on_unfinished)

    def discard(self, folder: Path) -> None:
        """Delete a broken-off run on a thread; ``unfinished_found`` tells what is left."""
        self._jobs.start(lambda _: self._tuning.discard(folder), on_success=lambda _: self.look_for_unfinished())

    def leave_running(self) -> None:
        """Let the run under way go on when the program ends; ``close`` does not stop it then."""
        self._leave_asked.set()
        self._wake.set()

    def close(self, wait_seconds: float = 8.0) -> bool:
        """Ask a run to stop, wait a little, then kill it; call it before the window goes. Says whether all ended."""
        ended = self._jobs.close()
        thread = self._thread
        if thread is None:
            return ended
        self.blockSignals(True)
        self._closing = True
        if not self._leave_asked.is_set():
            self.stop()
        thread.join(wait_seconds)
        if thread.is_alive():
            self.kill()
            thread.join(wait_seconds)
        self._thread = None
        return ended and not thread.is_alive()

    def _begin(self, prepare: Callable[[], Path], begin: Callable[[Path], TuningRun] | None = None) -> None:
        if self._thread is not None:
            return
        begin = begin or self._tuning.start
        self._stop_asked.clear()
        self._kill_asked.clear()
        self._best_asked.clear()
        self._leave_asked.clear()
        self._state = None
        self._thread = threading.Thread(target=self._follow, args=(prepare, begin), name="tuning", daemon=True)
        self.busy_changed.emit(True)
        self._thread.start()

    def _follow(self, prepare: Callable[[], Path], begin: Callable[[Path], TuningRun]) -> None:
        """Do the whole run; the thread's own function."""
        try:
            folder = prepare()
            if self._stop_asked.is_set() or self._kill_asked.is_set():
                raise StorydeskError(FailureCode.CANCELLED)
            answer: tuple[TuningOutcome | None, Exception | None] = (self._watch(begin(folder)), None)
        except Exception as error:  # noqa: BLE001 - carried to the GUI thread, where the unexpected is raised again
            answer = (None, error)
        with contextlib.suppress(RuntimeError):  # the window may be gone by now
            self._run_ended.emit(*answer)

    def _watch(self, run: TuningRun) -> TuningOutcome:
        """Poll a run to its end and install what it made."""
        shown: RunState | None = None
        asked: float | None = None
        while True:
            if self._kill_asked.is_set() or (asked is not None and time.monotonic() - asked > self._grace_seconds):
                run.kill()
            elif self._stop_asked.is_set() and asked is None:
                run.stop()
                asked = time.monotonic()
            elif self._best_asked.is_set():
                self._best_asked.clear()
                run.keep_best()
            elif self._leave_asked.is_set():
                run.detach()
                raise StorydeskError(FailureCode.CANCELLED)
            state = run.poll()
            if state != shown:
                self._state_arrived.emit(state)
                shown = state
            if state.ended:
                break
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
        if self._kill_asked.is_set() and state.bundle is None:
            if not self._closing:
                self._tuning.discard(run.folder)  # the writer wants none of it; a pause keeps what was learnt
            raise StorydeskError(FailureCode.CANCELLED)
        return self._tuning.finish(state)

    @Slot(object)
    def _on_state_arrived(self, state: RunState) -> None:
        self._state = state
        self.state_changed.emit(state)

    @Slot(object, object)
    def _on_run_ended(self, outcome: TuningOutcome | None, error: Exception | None) -> None:
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        self.busy_changed.emit(False)
        if outcome is not None:
            self.finished.emit(outcome)
            if outcome.adopted and outcome.model is not None:
                self.model_changed.emit(outcome.model.name)
        elif error is not None:
            failure: Failure = as_failure(error)
            self.failed.emit(failure)
            if not is_expected(error):
                raise error  # sys.excepthook shows the crash dialog

    @Slot(object)
    def _on_unfinished(self, states: tuple[RunState, ...]) -> None:
        if not self.busy:
            self.unfinished_found.emit(states)

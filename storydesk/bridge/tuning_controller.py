"""A tuning run as the window sees it: started, watched and ended on a thread, told about in signals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.run_watch import RunWatch
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.tuning import RunState, TuningPlan
from storydesk.services.ports import TuningRun
from storydesk.services.tuning import TuningOutcome, TuningService

GRACE_SECONDS: Final = 60.0
"""How long the trainer may take to save and end before it is killed; a step on a slow processor takes seconds."""


class TuningController(QObject):
    """Runs one tuning at a time. Lives on the GUI thread; a RunWatch follows the run on a thread of its own."""

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

    def __init__(
        self, tuning: TuningService, parent: QObject | None = None, *, grace_seconds: float = GRACE_SECONDS
    ) -> None:
        """Control runs of one TuningService; nothing is started yet."""
        super().__init__(parent)
        self._tuning = tuning
        self._jobs = JobRunner(self)
        self._watch = RunWatch("tuning", self, grace_seconds=grace_seconds)
        self._closing = False
        self._state: RunState | None = None
        self._watch.state_changed.connect(self._on_state_changed)
        self._watch.busy_changed.connect(self.busy_changed)
        self._watch.ended.connect(self._on_ended)

    @property
    def busy(self) -> bool:
        """Whether a run is under way."""
        return self._watch.busy

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
        self._watch.stop()

    def keep_best(self) -> None:
        """End the tuning here; the best weights so far become the model."""
        self._watch.tell(lambda run: run.keep_best())

    def kill(self) -> None:
        """End the run now; what was saved last stays."""
        self._watch.kill()

    def look_for_unfinished(self) -> None:
        """Look for broken-off runs on a thread; ``unfinished_found`` tells."""
        self._jobs.start(lambda _: tuple(self._tuning.list_unfinished()), on_success=self._on_unfinished)

    def discard(self, folder: Path) -> None:
        """Delete a broken-off run on a thread; ``unfinished_found`` tells what is left."""
        self._jobs.start(lambda _: self._tuning.discard(folder), on_success=lambda _: self.look_for_unfinished())

    def leave_running(self) -> None:
        """Let the run under way go on when the program ends; ``close`` does not stop it then."""
        self._watch.leave()

    def close(self, wait_seconds: float = 8.0) -> bool:
        """Ask a run to stop, wait a little, then kill it; call it before the window goes. Says whether all ended."""
        ended = self._jobs.close()
        if not self.busy:
            return ended
        self.blockSignals(True)
        self._closing = True
        return self._watch.close(wait_seconds) and ended

    def _begin(self, prepare: Callable[[], Path], start: Callable[[Path], TuningRun] | None = None) -> None:
        start = start or self._tuning.start

        def begin() -> TuningRun:
            folder = prepare()
            if self._watch.is_unwanted:
                raise StorydeskError(FailureCode.CANCELLED)
            return start(folder)

        if not self.busy:
            self._state = None
            self._watch.begin(begin, self._conclude)

    def _conclude(self, run: TuningRun, state: RunState) -> TuningOutcome:
        """Install what a run made, or throw it away; on the watch's thread."""
        if self._watch.is_killed and state.bundle is None:
            if not self._closing:
                self._tuning.discard(run.folder)  # the writer wants none of it; a pause keeps what was learnt
            raise StorydeskError(FailureCode.CANCELLED)
        return self._tuning.finish(state)

    def _on_state_changed(self, state: RunState) -> None:
        self._state = state
        self.state_changed.emit(state)

    def _on_ended(self, outcome: TuningOutcome | None, failure: Failure | None) -> None:
        if outcome is not None:
            self.finished.emit(outcome)
            if outcome.adopted and outcome.model is not None:
                self.model_changed.emit(outcome.model.name)
        elif failure is not None:
            self.failed.emit(failure)

    def _on_unfinished(self, states: tuple[RunState, ...]) -> None:
        if not self.busy:
            self.unfinished_found.emit(states)

"""One run or job of the trainer as the app holds it: what it says, and how it is ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.tuning import RunState
from storydesk.training.journal import JournalReader
from storydesk.training.processes import LOG_NAME, STDOUT_NAME, ChildProcess, FoundProcess
from trainer.protocol.messages import FINISH_LINE, STOP_LINE, Event

GRACE_SECONDS = 5.0


class _JobState(Protocol):
    """What is known of a run or a job, as a fold over its journal."""

    @property
    def ended(self) -> bool: ...

    def fail(self, failure: Failure) -> Self: ...

    def halt(self) -> Self: ...


State = TypeVar("State", bound=_JobState)


class TrainerJob(Generic[State]):
    """Follows a process of the trainer by its journal. Any thread.

    A child's standard input stays open as long as this object lives: its end, whatever ends the app, stops the
    trainer, unless it was detached. Events come from the journal alone.
    """

    def __init__(
        self,
        folder: Path,
        state: State,
        journal: JournalReader,
        process: ChildProcess | FoundProcess,
        fold: Callable[[State, Event], State],
    ) -> None:
        """Follow a process; ``state`` and ``journal`` stand where reading ended."""
        self._folder = folder
        self._state = state
        self._journal = journal
        self._process = process
        self._fold = fold
        self._killed = False
        self._lock = threading.RLock()

    @property
    def folder(self) -> Path:
        """The folder with request, journal and log."""
        return self._folder

    def poll(self) -> State:
        """Return the state after all events so far; a process that died without a word has failed."""
        with self._lock:
            if self._state.ended and self._process.is_let_go:
                return self._state
            exit_code = self._process.poll()  # before reading: what was written until the end is then read below
            for event in self._journal.read():
                self._state = self._fold(self._state, event)
            if exit_code is not None:
                self._process.let_go()
                if not self._state.ended:
                    self._conclude(exit_code)
            return self._state

    def stop(self) -> None:
        """Ask the trainer to save and end."""
        with self._lock:
            self._process.say(STOP_LINE)

    def detach(self) -> None:
        """Let the trainer go on when this program ends; it is found again by its journal."""
        with self._lock:
            self._process.detach()

    def kill(self) -> None:
        """End it now, by force after a few seconds; what was saved stays."""
        with self._lock:
            self._killed = True
        self._process.end(GRACE_SECONDS)
        with self._lock:
            self._process.let_go()

    def _conclude(self, exit_code: int) -> None:
        """Name the end of a process that wrote no final event into its journal."""
        for event in JournalReader(self._folder / STDOUT_NAME).read():
            # A journal that could not be written (no disk, no folder) leaves the last word on standard output.
            after = self._fold(self._state, event)
            if after.ended:
                self._state = after
                return
        if self._killed:
            self._state = self._state.halt()
            return
        parameters: dict[str, str | int | float | bool] = {"exit_code": exit_code, "log": str(self._folder / LOG_NAME)}
        self._state = self._state.fail(Failure(FailureCode.TRAINER_ENDED.value, parameters))


class TrainerRun(TrainerJob[RunState]):
    """Implements TuningRun over a process. Any thread."""

    def keep_best(self) -> None:
        """Ask the trainer to end its tuning here and to make the model of the best weights so far."""
        with self._lock:
            self._process.say(FINISH_LINE)

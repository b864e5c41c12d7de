"""One thing after another: calls that must not run at once, each on a thread; some of them can be given up."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from storydesk.bridge.jobs import Job, JobRunner
from storydesk.domain.dataset import DatasetProgress
from storydesk.domain.failures import Failure, StorydeskError
from storydesk.services.dataset_ports import ReportProgress
from storydesk.services.ports import Progress


class TurnKind(Enum):
    """What a turn is for. An ACT is done even when the program ends; a LOOK_UP changes nothing."""

    ACT = auto()
    LOOK_UP = auto()
    READ = auto()
    EXAMINE = auto()


@dataclass(frozen=True, slots=True)
class _Turn:
    kind: TurnKind
    work: Callable[[ReportProgress], Any]
    on_done: Callable[[Any], None]
    on_failed: Callable[[Failure], None]


class Turns(QObject):
    """Takes turns in the order they came. Lives on the GUI thread, where all answers are heard."""

    changed = Signal(object)
    """The TurnKind of a turn that came, began, ended or was given up."""
    reported = Signal(object, object)
    """The TurnKind of the turn under way and its DatasetProgress."""
    _progressed = Signal(int, object)

    def __init__(self, parent: QObject | None = None) -> None:
        """Begin with nothing to do."""
        super().__init__(parent)
        self.lock = threading.Lock()
        """Held while a turn works; whoever works on the same things beside the turns takes it too."""
        self._jobs = JobRunner(self)
        self._queue: deque[_Turn] = deque()
        self._running: _Turn | None = None
        self._job: Job | None = None
        self._number = 0
        self._is_given_up = False
        self._closed = False
        self._progressed.connect(self._on_progressed, Qt.ConnectionType.QueuedConnection)

    @property
    def is_free(self) -> bool:
        """Whether nothing is under way or waits."""
        return self._running is None and not self._queue

    def has(self, kind: TurnKind) -> bool:
        """Say whether a turn of a kind is under way or waits."""
        return self.is_running(kind) or any(turn.kind is kind for turn in self._queue)

    def is_running(self, kind: TurnKind) -> bool:
        """Say whether a turn of a kind is under way and was not given up."""
        return self._running is not None and self._running.kind is kind and not self._is_given_up

    def add(
        self,
        kind: TurnKind,
        work: Callable[[ReportProgress], Any],
        on_done: Callable[[Any], None],
        on_failed: Callable[[Failure], None],
    ) -> None:
        """Queue a call; nothing is taken any more after ``close``."""
        if not self._closed:
            self._queue.append(_Turn(kind, work, on_done, on_failed))
            self._begin_next()
            self.changed.emit(kind)

    def break_off(self, kind: TurnKind) -> None:
        """Give up turns of a kind: those that wait, and the one under way at its next report; nobody is told."""
        self._queue = deque(turn for turn in self._queue if turn.kind is not kind)
        if self.is_running(kind) and self._job is not None:
            self._job.cancel()
            self._is_given_up = True
        self.changed.emit(kind)

    def close(self, wait_seconds: float) -> bool:
        """Do the acts that wait, give up the rest, and say whether every thread ended in time."""
        self._closed = True
        if self.is_running(TurnKind.ACT) and self._job is not None:
            self._job.join(wait_seconds)
        ended = self._jobs.close(wait_seconds)
        for turn in self._queue:
            if turn.kind is TurnKind.ACT:
                with contextlib.suppress(StorydeskError), self.lock:
                    turn.work(lambda _: None)
        self._queue.clear()
        self._running = self._job = None
        return ended

    def _begin_next(self) -> None:
        if self._running is not None or not self._queue or self._closed:
            return
        turn = self._running = self._queue.popleft()
        self._is_given_up = False
        self._number += 1
        number = self._number

        def work(progress: Progress) -> Any:
            def report(step: DatasetProgress) -> None:
                progress(step.done, step.total)  # raises where this turn was given up
                self._progressed.emit(number, step)

            with self.lock:
                return turn.work(report)

        job = self._job = self._jobs.start(work)
        job.succeeded.connect(lambda value: self._on_over(turn, lambda: turn.on_done(value)))
        job.failed.connect(lambda failure: self._on_over(turn, lambda: turn.on_failed(failure)))

    def _on_over(self, turn: _Turn, tell: Callable[[], None]) -> None:
        self._running = self._job = None
        if not self._is_given_up:
            tell()
        self._begin_next()
        self.changed.emit(turn.kind)

    @Slot(int, object)
    def _on_progressed(self, number: int, step: DatasetProgress) -> None:
        if number == self._number and self._running is not None and not self._is_given_up:
            self.reported.emit(self._running.kind, step)

"""A thread that does one thing after another: the library's own, so that saves keep their order."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, QThread, Signal, Slot

from storydesk.domain.failures import Failure, FailureCode, StorydeskError

T = TypeVar("T")
STACK_BYTES = 4 * 1024 * 1024

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Job:
    call: Callable[[], Any]
    on_done: Callable[[Any], None] | None
    on_failed: Callable[[Failure], None] | None


@dataclass(frozen=True, slots=True)
class _Outcome:
    job: _Job
    value: Any
    failure: Failure | None


def describe_unexpected(error: BaseException) -> Failure:
    """Return an unforeseen exception as a failure that a notice can show."""
    return Failure(str(FailureCode.UNEXPECTED), {"detail": f"{type(error).__name__}: {error}"})


class SerialWorker(QThread):
    """Runs calls in the order they came; answers arrive in the GUI thread, where this object lives."""

    failed = Signal(object)
    """A Failure that nobody asked to hear about."""
    _answered = Signal(object)

    def __init__(self, name: str, parent: QObject | None = None) -> None:
        """Prepare; ``start`` begins."""
        super().__init__(parent)
        self.setObjectName(name)
        self.setStackSize(STACK_BYTES)
        self._condition = threading.Condition()
        self._jobs: deque[_Job] = deque()
        self._running = False
        self._closing = False
        self._answered.connect(self._on_answered)

    def submit(
        self,
        call: Callable[[], T],
        on_done: Callable[[T], None] | None = None,
        on_failed: Callable[[Failure], None] | None = None,
    ) -> None:
        """Queue a call; ``on_done`` gets its value in the GUI thread. Any thread."""
        with self._condition:
            self._jobs.append(_Job(call, on_done, on_failed))
            self._condition.notify_all()

    def drain(self, timeout_seconds: float) -> bool:
        """Wait until everything queued is done and its answers were given; False when that took too long."""
        with self._condition:
            idle = self._condition.wait_for(lambda: not self._jobs and not self._running, timeout_seconds)
        QCoreApplication.sendPostedEvents(self, 0)
        return idle

    def close(self, timeout_seconds: float = 5.0) -> bool:
        """Do what is queued, end the thread, and say whether that worked."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        ended = not self.isRunning() or self.wait(int(timeout_seconds * 1000))
        QCoreApplication.sendPostedEvents(self, 0)
        return ended

    def run(self) -> None:
        """Work until closed; the thread's own function."""
        while True:
            with self._condition:
                self._running = False
                self._condition.notify_all()
                self._condition.wait_for(lambda: bool(self._jobs) or self._closing)
                if not self._jobs:
                    return
                job = self._jobs.popleft()
                self._running = True
            self._answered.emit(self._do(job))

    def _do(self, job: _Job) -> _Outcome:
        try:
            return _Outcome(job, job.call(), None)
        except StorydeskError as error:
            return _Outcome(job, None, error.failure)
        except Exception as error:  # noqa: BLE001 - the thread outlives any one job, and the failure is shown
            _log.exception("a job of %s failed", self.objectName())
            return _Outcome(job, None, describe_unexpected(error))

    @Slot(object)
    def _on_answered(self, outcome: _Outcome) -> None:
        if outcome.failure is None:
            if outcome.job.on_done is not None:
                outcome.job.on_done(outcome.value)
        elif outcome.job.on_failed is not None:
            outcome.job.on_failed(outcome.failure)
        else:
            self.failed.emit(outcome.failure)

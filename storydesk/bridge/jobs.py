"""One slow service call on a thread of its own, its answer back on the GUI thread."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot

from storydesk.bridge.phrases import as_failure, is_expected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.services.ports import Progress

T = TypeVar("T")
Work = Callable[[Progress], T]
"""The slow call; it hands ``Progress`` to a service that reports, and that raises once the job is cancelled."""


class Job(QObject):
    """One call under way. Lives on the GUI thread, where all its signals are heard."""

    succeeded = Signal(object)
    """What the call returned."""
    failed = Signal(object)
    """The Failure, ``cancelled`` among them."""
    progressed = Signal(object, object)
    """What is done and what there is in all; objects, because bytes outgrow Qt's int."""
    ended = Signal()
    """After ``succeeded`` or ``failed``, once."""
    _progress_made = Signal(object, object)
    _answered = Signal(object, object)

    def __init__(self, work: Work[object], parent: QObject | None = None) -> None:
        """Prepare the call; ``start`` begins it."""
        super().__init__(parent)
        self._work = work
        self._cancelled = threading.Event()
        self._thread = threading.Thread(target=self._run, name="job", daemon=True)
        self._progress_made.connect(self._on_progress_made, Qt.ConnectionType.QueuedConnection)
        self._answered.connect(self._on_answered, Qt.ConnectionType.QueuedConnection)
        self._is_over = False

    @property
    def is_over(self) -> bool:
        """Whether the answer was given."""
        return self._is_over

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the call to end at its next report of progress; it then fails as ``cancelled``."""
        self._cancelled.set()

    def join(self, timeout_seconds: float) -> bool:
        """Wait for the thread and say whether it ended in time."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            answer: tuple[object, Exception | None] = (self._work(self._report), None)
        except Exception as error:  # noqa: BLE001 - carried to the GUI thread, where the unexpected is raised again
            answer = (None, error)
        with contextlib.suppress(RuntimeError):  # a thread that outlived the patience of close() finds nobody
            self._answered.emit(*answer)

    def _report(self, done: int, total: int) -> None:
        if self._cancelled.is_set():
            raise StorydeskError(FailureCode.CANCELLED)
        self._progress_made.emit(done, total)

    @Slot(object, object)
    def _on_progress_made(self, done: int, total: int) -> None:
        if not self._is_over and not self._cancelled.is_set():
            self.progressed.emit(done, total)

    @Slot(object, object)
    def _on_answered(self, value: object, error: Exception | None) -> None:
        self._is_over = True
        if error is None:
            self.succeeded.emit(value)
        else:
            self.failed.emit(Failure(FailureCode.CANCELLED) if self._cancelled.is_set() else as_failure(error))
        self.ended.emit()
        if error is not None and not is_expected(error):
            raise error  # sys.excepthook shows the crash dialog


class JobRunner(QObject):
    """Starts jobs and leaves no thread behind. Lives on the GUI thread; whoever owns it calls ``close``."""

    def __init__(self, parent: QObject | None = None) -> None:
        """Start with no jobs."""
        super().__init__(parent)
        self._jobs: list[Job] = []

    @property
    def busy(self) -> bool:
        """Whether any job is under way."""
        return any(not job.is_over for job in self._jobs)

    def start(
        self,
        work: Work[T],
        *,
        on_success: Callable[[T], None] | None = None,
        on_failure: Callable[[Failure], None] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> Job:
        """Run ``work`` on a thread; the callbacks come on the GUI thread, and not after ``close``."""
        self._jobs = [job for job in self._jobs if not job.is_over]
        job = Job(work, self)
        for signal, callback in (
            (job.succeeded, on_success),
            (job.failed, on_failure),
            (job.progressed, on_progress),
        ):
            if callback is not None:
                signal.connect(callback)
        job.ended.connect(job.deleteLater)
        self._jobs.append(job)
        job.start()
        return job

    def close(self, timeout_seconds: float = 10.0) -> bool:
        """Cancel and wait for what is under way, answers dropped; say whether every thread ended in time."""
        running = [job for job in self._jobs if not job.is_over]
        for job in running:
            job.blockSignals(True)
            job.cancel()
        ended = [job.join(timeout_seconds) for job in running]
        self._jobs.clear()
        return all(ended)

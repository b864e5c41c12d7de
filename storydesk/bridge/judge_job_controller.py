"""Automatic judging as the window sees it: a job started, watched and stopped on a thread, told about in signals."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal, Slot

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.phrases import as_failure, is_expected
from storydesk.domain.judgement import JudgePlan, JudgeReport, JudgeState
from storydesk.services.desk import Desk
from storydesk.services.judge_job import POLL_SECONDS, MetricWords, collect_ratings
from storydesk.services.judge_job_ports import JudgeRun
from storydesk.services.judge_prompts import find_prompts


@dataclass(frozen=True, slots=True)
class JudgeWish:
    """What the writer wants judged; ``file`` is a file of prompts, where None ``plan`` says which prompts."""

    plan: JudgePlan
    file: Path | None = None


@dataclass(frozen=True, slots=True)
class JudgeSources:
    """What there is to judge, and jobs from before, the newest first."""

    models: tuple[str, ...]
    active: str
    samples: Path
    shelf: tuple[str, ...]
    finished: tuple[JudgeState, ...]
    unfinished: tuple[JudgeState, ...]


class JudgeJobController(QObject):
    """Runs one judging job at a time. Lives on the GUI thread; the job is polled on a thread of its own."""

    sources_found = Signal(object)
    """JudgeSources."""
    state_changed = Signal(object)
    """A JudgeState."""
    reported = Signal(object)
    """A JudgeReport whose metrics are in the reader's words."""
    stopped = Signal()
    """The writer stopped the job; it can go on later."""
    failed = Signal(object)
    """A Failure."""
    busy_changed = Signal(bool)
    _state_arrived = Signal(object)
    _run_ended = Signal(object, object)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Control the jobs of one desk; nothing is started yet."""
        super().__init__(parent)
        self._desk = desk
        self._judge = desk.judge_jobs
        self._jobs = JobRunner(self)
        self._thread: threading.Thread | None = None
        self._stop_asked = threading.Event()
        self._kill_asked = threading.Event()
        self._leave_asked = threading.Event()
        self._wake = threading.Event()
        self._follows = False
        self._state_arrived.connect(self.state_changed, Qt.ConnectionType.QueuedConnection)
        self._run_ended.connect(self._on_run_ended, Qt.ConnectionType.QueuedConnection)

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._thread is not None

    def look(self) -> None:
        """Look for models, prompts and earlier jobs; a job that is at work without the app is followed again."""

        def work(_report: object) -> tuple[JudgeSources, tuple[Path, ...]]:
            return self._find_sources(), tuple(self._judge.list_left_alone())

        def on_found(found: tuple[JudgeSources, tuple[Path, ...]]) -> None:
            sources, alive = found
            self.sources_found.emit(sources)
            if alive and not self.busy:
                self._begin(lambda: self._judge.follow(alive[0]), follows=True)

        self._jobs.start(work, on_success=on_found, on_failure=self.failed.emit)

    def start(self, wish: JudgeWish) -> None:
        """Prepare and start a job; ignored while one is under way."""
        self._begin(lambda: self._judge.start(self._judge.prepare(self._make_plan(wish))))

    def resume(self, folder: Path) -> None:
        """Go on with a job that was broken off; ignored while one is under way."""
        self._begin(lambda: self._judge.start(folder))

    def stop(self) -> None:
        """End the job after what it is at; what is done is kept."""
        self._stop_asked.set()
        self._wake.set()

    def read_report(self, state: JudgeState) -> None:
        """Read a finished job's report; ``reported`` tells."""
        self._jobs.start(lambda _: self._read(state), on_success=self.reported.emit, on_failure=self.failed.emit)

    def close(self, wait_seconds: float = 5.0) -> bool:
        """Stop the job, by force if need be: nothing done is lost. One that others started is left at work."""
        ended = self._jobs.close()
        thread = self._thread
        if thread is None:
            return ended
        self.blockSignals(True)
        (self._leave_asked if self._follows else self._stop_asked).set()
        self._wake.set()
        thread.join(wait_seconds)
        if thread.is_alive():
            self._kill_asked.set()
            self._wake.set()
            thread.join(wait_seconds)
        self._thread = None
        return ended and not thread.is_alive()

    def _find_sources(self) -> JudgeSources:
        desk = self._desk
        prompts = (" ".join(each.text.split()) for each in desk.prompts.list_prompts() if not each.in_trash)
        return JudgeSources(
            tuple(model.name for model in desk.models.list_models()),
            desk.models.active,
            desk.samples,
            tuple(dict.fromkeys(each for each in prompts if each)),
            tuple(self._judge.list_finished()),
            tuple(self._judge.list_unfinished()),
        )

    def _make_plan(self, wish: JudgeWish) -> JudgePlan:
        plan = replace(wish.plan, ratings=collect_ratings(self._desk.judging))
        if wish.file is None:
            return plan
        pairs, data = find_prompts(wish.file)
        return replace(plan, pairs=pairs, data=data)

    def _read(self, state: JudgeState) -> JudgeReport:
        report = self._judge.read_report(state)
        words = MetricWords(self._desk.samples.parent / "i18n" / "en.toml")
        return replace(report, metrics=tuple(words.translate(metric) for metric in report.metrics))

    def _begin(self, begin: Callable[[], JudgeRun], *, follows: bool = False) -> None:
        if self._thread is not None:
            return
        for asked in (self._stop_asked, self._kill_asked, self._leave_asked, self._wake):
            asked.clear()
        self._follows = follows
        self._thread = threading.Thread(target=self._follow, args=(begin,), name="judging", daemon=True)
        self.busy_changed.emit(True)
        self._thread.start()

    def _follow(self, begin: Callable[[], JudgeRun]) -> None:
        """Do the whole job; the thread's own function."""
        try:
            answer: tuple[JudgeReport | None, Exception | None] = (self._watch(begin()), None)
        except Exception as error:  # noqa: BLE001 - carried to the GUI thread, where the unexpected is raised again
            answer = (None, error)
        with contextlib.suppress(RuntimeError):  # the window may be gone by now
            self._run_ended.emit(*answer)

    def _watch(self, run: JudgeRun) -> JudgeReport | None:
        """Poll a job to its end and read its report; None where it was stopped."""
        shown: JudgeState | None = None
        told = False
        while True:
            if self._leave_asked.is_set():
                run.detach()
                return None
            if self._kill_asked.is_set():
                run.kill()
            elif self._stop_asked.is_set() and not told:
                run.stop()
                told = True
            state = run.poll()
            if state != shown:
                self._state_arrived.emit(state)
                shown = state
            if state.ended:
                break
            self._wake.wait(POLL_SECONDS)
            self._wake.clear()
        if state.failure is None and state.report is None:
            return None
        return self._read(state)

    @Slot(object, object)
    def _on_run_ended(self, report: JudgeReport | None, error: Exception | None) -> None:
        if self._thread is not None:
            self._thread.join()
        self._thread = None
        self.busy_changed.emit(False)
        if error is not None:
            self.failed.emit(as_failure(error))
            if not is_expected(error):
                raise error  # sys.excepthook shows the crash dialog
        elif report is not None:
            self.reported.emit(report)
        else:
            self.stopped.emit()

"""Automatic judging as the window sees it: a job started, watched and stopped on a thread, told about in signals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QLocale, QObject, Signal

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.run_watch import Begin, RunWatch
from storydesk.domain.failures import Failure
from storydesk.domain.judgement import JudgePlan, JudgeReport, JudgeState
from storydesk.services.desk import Desk
from storydesk.services.judge_job import MetricWords, collect_ratings
from storydesk.services.judge_job_ports import JudgeRun
from storydesk.services.judge_prompts import find_prompts
from storydesk.services.verdict_words import VerdictWords


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
    """Runs one judging job at a time. Lives on the GUI thread; a RunWatch follows it on a thread of its own."""

    sources_found = Signal(object)
    """JudgeSources."""
    state_changed = Signal(object)
    """A JudgeState."""
    reported = Signal(object)
    """A JudgeReport whose metrics are in the reader's words."""
    stopped = Signal()
    """The writer stopped the job; it can go on later."""
    discarded = Signal(str)
    """The name of a job that is in the trash now."""
    failed = Signal(object)
    """A Failure."""
    busy_changed = Signal(bool)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Control the jobs of one desk; nothing is started yet."""
        super().__init__(parent)
        self._desk = desk
        self._judge = desk.judge_jobs
        self._jobs = JobRunner(self)
        self._watch = RunWatch("judging", self)
        self._follows = False
        self._watch.state_changed.connect(self.state_changed)
        self._watch.busy_changed.connect(self.busy_changed)
        self._watch.ended.connect(self._on_ended)

    @property
    def busy(self) -> bool:
        """Whether a job is under way."""
        return self._watch.busy

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

    def count_ratings(self, report: JudgeReport) -> None:
        """Write a finished job's report anew with the ratings of now; ignored while a job is under way."""
        judge, judging = self._judge, self._desk.judging
        self._begin(lambda: judge.start_again(report.job_id, collect_ratings(judging)))

    def stop(self) -> None:
        """End the job after what it is at; what is done is kept."""
        self._watch.stop()

    def read_report(self, state: JudgeState) -> None:
        """Read a finished job's report; ``reported`` tells."""
        self._jobs.start(lambda _: self._read(state), on_success=self.reported.emit, on_failure=self.failed.emit)

    def discard(self, folder: Path) -> None:
        """Put a job into the trash; ``discarded`` tells, and what is left is looked for."""
        self._change(lambda: self._judge.discard(folder), lambda: self.discarded.emit(folder.name))

    def restore(self, name: str) -> None:
        """Take a job out of the trash again and look for what there is."""
        self._change(lambda: self._judge.restore(name), lambda: None)

    def _change(self, work: Callable[[], object], tell: Callable[[], None]) -> None:
        def on_done(_answer: object) -> None:
            tell()
            self.look()

        self._jobs.start(lambda _: work(), on_success=on_done, on_failure=self.failed.emit)

    def close(self, wait_seconds: float = 5.0) -> bool:
        """Stop the job, by force if need be: nothing done is lost. One that others started is left at work."""
        ended = self._jobs.close()
        self.blockSignals(self.busy)
        if self._follows:
            self._watch.leave()
        return self._watch.close(wait_seconds) and ended

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
        path = self._desk.samples.parent / "i18n" / "en.toml"
        metrics = MetricWords(path)
        report = replace(report, metrics=tuple(metrics.translate(metric) for metric in report.metrics))
        write = QLocale()
        verdicts = VerdictWords(path, lambda value, decimals: write.toString(float(value), "f", decimals))
        return replace(report, verdicts=verdicts.translate(report))

    def _begin(self, begin: Begin, *, follows: bool = False) -> None:
        if not self.busy:
            self._follows = follows
            self._watch.begin(begin, self._conclude)

    def _conclude(self, _run: JudgeRun, state: JudgeState) -> JudgeReport | None:
        """Read the report; None where the job was stopped. On the watch's thread."""
        return None if state.failure is None and state.report is None else self._read(state)

    def _on_ended(self, report: JudgeReport | None, failure: Failure | None) -> None:
        if failure is not None:
            self.failed.emit(failure)
        elif report is not None:
            self.reported.emit(report)
        else:
            self.stopped.emit()

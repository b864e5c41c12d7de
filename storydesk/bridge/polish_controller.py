"""Polishing a whole story: both checkers read it, the model has its say, and a plan comes out; nothing is changed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal, Slot

from storydesk.bridge.engine_worker import EngineWorker
from storydesk.bridge.grammar_worker import CheckedStory, GrammarFailed, GrammarReport, GrammarWorker
from storydesk.bridge.offsets import place_findings
from storydesk.bridge.serial_worker import describe_unexpected
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.polish_plan import PolishPlan, make_plan
from storydesk.domain.readability import Readability, measure_readability
from storydesk.services.desk import Desk
from storydesk.services.polishing import Check
from storydesk.services.ports import IsCancelled
from storydesk.services.ranking import EngineRanker, rank_findings

_log = logging.getLogger(__name__)

READING, RANKING = "reading", "ranking"


@dataclass(frozen=True, slots=True)
class PolishReady:
    """A plan for the text at ``revision``, how it reads now and with all of the plan (None where it isn't English)."""

    revision: int
    plan: PolishPlan
    before: Readability | None
    after: Readability | None
    check: Check


class PolishController(QObject):
    """Leads one polish at a time through the two threads. GUI thread."""

    progress_changed = Signal(str, int, int)
    """What is going on (READING, RANKING), how much is done and how much there is."""
    report_ready = Signal(object)
    """A GrammarReport like the grammar thread's, with the model's order."""
    plan_ready = Signal(object)
    ended = Signal()
    """The polish is over, with or without a plan."""
    _ranked = Signal(int, object)
    _told = Signal(int, int, int)

    def __init__(self, desk: Desk, grammar: GrammarWorker, engine: EngineWorker, parent: QObject | None = None) -> None:
        """Listen to the grammar thread."""
        super().__init__(parent)
        self._desk = desk
        self._grammar = grammar
        self._engine = engine
        self._run = 0
        self._busy = False
        self._story = CheckedStory()
        self._report: GrammarReport | None = None
        grammar.report_ready.connect(self._on_report_ready)
        grammar.check_failed.connect(self._on_check_failed)
        grammar.deep_progress.connect(self._on_deep_progress)
        grammar.deep_cancelled.connect(self.cancel)
        self._ranked.connect(self._on_ranked)
        self._told.connect(self._on_told)

    @property
    def busy(self) -> bool:
        """Whether a polish is under way."""
        return self._busy

    def start(self, revision: int, text: str, story: CheckedStory) -> None:
        """Begin; one that is under way is given up."""
        self._run += 1
        self._busy, self._story = True, story
        self._report = None
        self.progress_changed.emit(READING, 0, 0)
        self._grammar.check_deeply(revision, text, story)

    @Slot()
    def cancel(self) -> None:
        """Give up; what was read stays known."""
        if not self._busy:
            return
        self._run += 1
        self._busy = False
        self._grammar.cancel_deep()
        self._engine.drop_errand()
        self.ended.emit()

    @Slot(object)
    def _on_report_ready(self, report: GrammarReport) -> None:
        if not self._busy or not report.deep or report.check is None or self._report is not None:
            return
        self._report = report
        self._engine.run_errand(self._make_errand(self._run, report, report.check))

    def _make_errand(self, run: int, report: GrammarReport, check: Check) -> Callable[[IsCancelled], None]:
        """Return what the engine's thread does for this run: the model's say, the plan and how the text reads."""
        settings = self._story.settings

        def work(is_cancelled: IsCancelled) -> None:
            if self._run != run:
                return
            try:
                ranked = self._rank(run, report.text, check, is_cancelled) if settings.rank else check
                plan = make_plan(report.text, ranked.findings, dialogue=settings.mend_dialogue)
            except StorydeskError:
                if self._run == run:
                    raise  # it made way, and begins again
                return
            english = settings.language.startswith("en")
            before, after = (
                (measure_readability(report.text), measure_readability(plan.result())) if english else (None, None)
            )
            self._ranked.emit(run, PolishReady(report.revision, plan, before, after, ranked))

        return work

    def _rank(self, run: int, text: str, check: Check, is_cancelled: IsCancelled) -> Check:
        """Return the check in the model's order; raise StorydeskError(CANCELLED) only. In the engine's thread."""
        try:
            ranking = rank_findings(
                text,
                check.findings,
                EngineRanker(self._desk.engines),
                progress=lambda done, total: self._told.emit(run, done, total),
                is_cancelled=lambda: is_cancelled() or self._run != run,
            )
        except StorydeskError as error:
            if error.failure.code == FailureCode.CANCELLED:
                raise
            return replace(check, failures=(*check.failures, error.failure))
        except Exception as error:  # noqa: BLE001 - the engine's thread outlives any errand, and the failure is shown
            _log.exception("ranking suggestions failed")
            return replace(check, failures=(*check.failures, describe_unexpected(error)))
        return replace(check, findings=ranking.findings, model=ranking.model)

    @Slot(int, int, int)
    def _on_told(self, run: int, done: int, total: int) -> None:
        if run == self._run:
            self.progress_changed.emit(RANKING, done, total)

    @Slot(int, object)
    def _on_ranked(self, run: int, ready: PolishReady) -> None:
        if run != self._run or self._report is None:
            return
        self._busy = False
        placed = tuple(place_findings(self._report.text, ready.check.findings))
        self.report_ready.emit(replace(self._report, findings=placed, check=ready.check, failures=()))
        self.ended.emit()
        self.plan_ready.emit(ready)

    @Slot(object)
    def _on_check_failed(self, event: GrammarFailed) -> None:
        if event.deep and self._busy:
            self._run += 1
            self._busy = False
            self.ended.emit()

    @Slot(int, int)
    def _on_deep_progress(self, done: int, total: int) -> None:
        if self._busy:
            self.progress_changed.emit(READING, done, total)

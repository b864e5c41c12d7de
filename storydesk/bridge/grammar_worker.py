"""The thread that checks grammar: Harper on what changed while the writer types, LanguageTool when asked."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QThread, Signal

from storydesk.bridge.offsets import place_findings
from storydesk.bridge.serial_worker import STACK_BYTES, describe_unexpected
from storydesk.domain.failures import Failure, StorydeskError
from storydesk.domain.polishing import Finding
from storydesk.domain.settings import GRAMMAR_ENGINE
from storydesk.services.desk import Desk
from storydesk.services.polishing import HARPER, PolishingService

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GrammarReport:
    """Findings of the text at ``revision``, in UTF-16 units; ``deep`` says which pass, ``failures`` what held back."""

    revision: int
    text: str
    findings: tuple[Finding, ...]
    deep: bool
    engines: tuple[str, ...]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class GrammarFailed:
    """Why a check has no result."""

    deep: bool
    failure: Failure


@dataclass(frozen=True, slots=True)
class _Job:
    revision: int
    text: str


class GrammarWorker(QThread):
    """Owns a PolishingService. Methods from the GUI thread; only the newest text of each pass counts."""

    report_ready = Signal(object)
    check_failed = Signal(object)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Prepare; ``start`` begins."""
        super().__init__(parent)
        self.setObjectName("grammar")
        self.setStackSize(STACK_BYTES)
        self._desk = desk
        self._condition = threading.Condition()
        self._quick: _Job | None = None
        self._deep: _Job | None = None
        self._closing = False
        self._forget = False
        self._reading = False
        self._polishing: PolishingService | None = None
        self._known: dict[str, tuple[Finding, ...]] = {}

    def check(self, revision: int, text: str) -> None:
        """Check what changed with Harper."""
        with self._condition:
            self._quick = _Job(revision, text)
            self._condition.notify_all()

    def check_deeply(self, revision: int, text: str) -> None:
        """Check the whole text with every checker that is chosen."""
        with self._condition:
            self._deep = _Job(revision, text)
            self._condition.notify_all()

    def forget(self) -> None:
        """Check everything afresh next time, since the writer's own words have changed."""
        with self._condition:
            self._forget = True

    def close(self, timeout_seconds: float = 20.0) -> bool:
        """End the checkers and the thread; say whether it ended in time."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        if self.isRunning() and self._reading and self._polishing is not None:
            with contextlib.suppress(RuntimeError):  # a checker that is just being made closes with the thread
                self._polishing.close()  # breaks off a check that LanguageTool takes seconds for
        return not self.isRunning() or self.wait(int(timeout_seconds * 1000))

    def run(self) -> None:
        """Work until closed; the thread's own function."""
        polishing = self._polishing = self._desk.new_polishing()
        try:
            while self._work_once(polishing):
                pass
        finally:
            polishing.close()

    def _work_once(self, polishing: PolishingService) -> bool:
        with self._condition:
            self._reading = False
            self._condition.wait_for(lambda: self._closing or self._quick is not None or self._deep is not None)
            if self._closing:
                return False
            if self._forget:
                self._known.clear()
                self._forget = False
            deep = self._quick is None
            job = self._deep if deep else self._quick
            self._reading = deep
            if deep:
                self._deep = None
            else:
                self._quick = None
        if job is None:
            return True
        try:
            report = self._check_deeply(polishing, job) if deep else self._check_quickly(polishing, job)
            self.report_ready.emit(report)
        except StorydeskError as error:
            self.check_failed.emit(GrammarFailed(deep, error.failure))
        except Exception as error:  # noqa: BLE001 - the thread outlives any one job, and the failure is shown
            _log.exception("a grammar check failed")
            self.check_failed.emit(GrammarFailed(deep, describe_unexpected(error)))
        return True

    def _check_deeply(self, polishing: PolishingService, job: _Job) -> GrammarReport:
        check = polishing.check(job.text, self._desk.settings.get(GRAMMAR_ENGINE))
        placed = tuple(place_findings(job.text, check.findings))
        return GrammarReport(job.revision, job.text, placed, True, check.engines, check.failures)

    def _check_quickly(self, polishing: PolishingService, job: _Job) -> GrammarReport:
        paragraphs = job.text.split("\n")
        self._learn(polishing, [paragraph for paragraph in dict.fromkeys(paragraphs) if paragraph not in self._known])
        self._known = {paragraph: self._known[paragraph] for paragraph in paragraphs}
        findings: list[Finding] = []
        start = 0
        for paragraph in paragraphs:
            findings += [
                replace(finding, start=finding.start + start, end=finding.end + start)
                for finding in self._known[paragraph]
            ]
            start += len(paragraph) + 1
        return GrammarReport(job.revision, job.text, tuple(place_findings(job.text, findings)), False, (HARPER,))

    def _learn(self, polishing: PolishingService, paragraphs: Sequence[str]) -> None:
        """Check paragraphs together, since each call costs something, and remember what is in each."""
        joined = "\n\n".join(paragraphs)
        found = list(polishing.check(joined, HARPER).findings)
        start = 0
        for paragraph in paragraphs:
            end = start + len(paragraph)
            self._known[paragraph] = tuple(
                replace(finding, start=finding.start - start, end=finding.end - start)
                for finding in found
                if start <= finding.start and finding.end <= end
            )
            start = end + 2

"""The thread that checks grammar: Harper on what changed while the writer types, LanguageTool when asked."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass

from PySide6.QtCore import QObject, QThread, Signal

from storydesk.bridge.offsets import place_findings
from storydesk.bridge.serial_worker import STACK_BYTES, describe_unexpected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.polishing import Finding, PolishSettings
from storydesk.domain.settings import GRAMMAR_ENGINE
from storydesk.services.desk import Desk
from storydesk.services.polishing import AS_USUAL, AUTO, HARPER, Check, PolishingService

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
    check: Check | None = None
    """A deep pass as the service gave it, in code points."""


@dataclass(frozen=True, slots=True)
class GrammarFailed:
    """Why a check has no result."""

    deep: bool
    failure: Failure


@dataclass(frozen=True, slots=True)
class CheckedStory:
    """Whose text is checked: its settings and the names in it that are never flagged (of title, people, places)."""

    settings: PolishSettings = AS_USUAL
    names: tuple[str, ...] = ()


UNKNOWN_STORY = CheckedStory()


@dataclass(frozen=True, slots=True)
class _Job:
    revision: int
    text: str
    story: CheckedStory


class GrammarWorker(QThread):
    """Owns a PolishingService. Methods from the GUI thread; only the newest text of each pass counts."""

    report_ready = Signal(object)
    check_failed = Signal(object)
    deep_progress = Signal(int, int)
    """Code points read by the deep check, and how many there are to read."""
    deep_cancelled = Signal()
    languages_ready = Signal(object)
    """The codes of the languages that LanguageTool has rules for."""

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Prepare; ``start`` begins."""
        super().__init__(parent)
        self.setObjectName("grammar")
        self.setStackSize(STACK_BYTES)
        self._desk = desk
        self._condition = threading.Condition()
        self._quick: _Job | None = None
        self._deep: _Job | None = None
        self._languages_wanted = False
        self._closing = False
        self._cancelled = False
        self._reading = False
        self._polishing: PolishingService | None = None

    def check(self, revision: int, text: str, story: CheckedStory = UNKNOWN_STORY) -> None:
        """Check what changed with Harper."""
        with self._condition:
            self._quick = _Job(revision, text, story)
            self._condition.notify_all()

    def check_deeply(self, revision: int, text: str, story: CheckedStory = UNKNOWN_STORY) -> None:
        """Check the whole text with every checker that is chosen; what is known from earlier isn't read again."""
        with self._condition:
            self._deep = _Job(revision, text, story)
            self._cancelled = False
            self._condition.notify_all()

    def ask_languages(self) -> None:
        """Ask LanguageTool, which is started for it, what languages it has; ``check_failed`` says where it can't."""
        with self._condition:
            self._languages_wanted = True
            self._condition.notify_all()

    def cancel_deep(self) -> None:
        """Break off the deep check after the batch that it is at; what was read by then stays known."""
        with self._condition:
            self._cancelled = True
            if self._deep is not None:
                self._deep = None
                self.deep_cancelled.emit()

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
            self._condition.wait_for(lambda: self._closing or self._has_work())
            if self._closing:
                return False
            asked = self._quick is None and self._deep is None
            self._languages_wanted = self._languages_wanted and not asked
            deep = self._quick is None
            job = self._deep if deep else self._quick
            self._reading = deep
            if deep:
                self._deep = None
            else:
                self._quick = None
        if asked:
            self._list_languages(polishing)
        if job is None:
            return True
        try:
            report = self._check_deeply(polishing, job) if deep else self._check_quickly(polishing, job)
            self.report_ready.emit(report)
        except StorydeskError as error:
            if error.failure.code == FailureCode.CANCELLED:
                self._on_broken_off(job)
            else:
                self.check_failed.emit(GrammarFailed(deep, error.failure))
        except Exception as error:  # noqa: BLE001 - the thread outlives any one job, and the failure is shown
            _log.exception("a grammar check failed")
            self.check_failed.emit(GrammarFailed(deep, describe_unexpected(error)))
        return True

    def _has_work(self) -> bool:
        return self._quick is not None or self._deep is not None or self._languages_wanted

    def _list_languages(self, polishing: PolishingService) -> None:
        try:
            self.languages_ready.emit(tuple(polishing.list_languages()))
        except StorydeskError as error:
            self.check_failed.emit(GrammarFailed(False, error.failure))

    def _on_broken_off(self, job: _Job) -> None:
        """Go on after the quick check that was in a hurry, unless the writer had enough."""
        with self._condition:
            if not self._cancelled and not self._closing:
                self._deep = self._deep or job
                return
        if not self._closing:
            self.deep_cancelled.emit()

    def _check_deeply(self, polishing: PolishingService, job: _Job) -> GrammarReport:
        def must_stop() -> bool:
            return self._cancelled or self._closing or self._quick is not None

        settings = job.story.settings
        engine = self._desk.settings.get(GRAMMAR_ENGINE) if settings.engine == AUTO else settings.engine
        check = polishing.check(
            job.text,
            engine,
            settings=settings,
            names=job.story.names,
            progress=self.deep_progress.emit,
            is_cancelled=must_stop,
        )
        placed = tuple(place_findings(job.text, check.findings))
        return GrammarReport(job.revision, job.text, placed, True, check.engines, check.failures, check)

    def _check_quickly(self, polishing: PolishingService, job: _Job) -> GrammarReport:
        findings = polishing.check_quickly(job.text, settings=job.story.settings, names=job.story.names)
        return GrammarReport(job.revision, job.text, tuple(place_findings(job.text, findings)), False, (HARPER,))

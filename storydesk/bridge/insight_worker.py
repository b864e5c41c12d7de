"""The thread that reads a draft for what it repeats, how it reads, where it surprises; only the newest wish counts."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QThread, Signal

from storydesk.bridge.courtesy import make_way_for_the_window
from storydesk.bridge.draft_score import DraftScore
from storydesk.bridge.serial_worker import STACK_BYTES, describe_unexpected
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.insight import TrendPoint, trace_chapters, trace_paragraphs
from storydesk.domain.outline import OutlineReader, PartKind
from storydesk.services.insight import Breather, InsightService, ProseReport, SurpriseFinder, SurpriseReport

SECONDS_OF_QUIET = 0.4
_CANCELLED = str(FailureCode.CANCELLED)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProseReady:
    """What the text of a revision repeats and how it reads."""

    revision: int
    report: ProseReport


@dataclass(frozen=True, slots=True)
class SurpriseReady:
    """Where the text of a revision surprises: what stands out, and its course by paragraphs and by chapters."""

    revision: int
    report: SurpriseReport
    paragraphs: tuple[TrendPoint, ...]
    chapters: tuple[TrendPoint, ...]


_Job = Callable[[Breather], None]


class InsightWorker(QThread):
    """Analyses drafts in small steps, so that the GUI thread is never kept waiting. Methods from the GUI thread."""

    prose_ready = Signal(object)
    surprise_ready = Signal(object)
    failed = Signal(object)

    def __init__(self, service: InsightService, parent: QObject | None = None) -> None:
        """Prepare; the thread starts with the first wish."""
        super().__init__(parent)
        self.setObjectName("insight")
        self.setStackSize(STACK_BYTES)
        self._analyst = service.new_analyst()
        self._surprises = SurpriseFinder()
        self._outline = OutlineReader()
        self._condition = threading.Condition()
        self._jobs: dict[str, _Job] = {}
        self._closing = False
        self._rests_until = 0.0

    def ask_prose(self, revision: int, text: str, language: str) -> None:
        """Say what a text repeats and how it reads."""

        def work(pause: Breather) -> None:
            report = self._analyst.analyse(text.split("\n"), language, pause)
            self.prose_ready.emit(ProseReady(revision, report))

        self._ask("prose", work)

    def ask_surprise(self, revision: int, text: str, score: DraftScore) -> None:
        """Say where a text surprises; the score is its own."""

        def work(pause: Breather) -> None:
            lines = text.split("\n")
            if len(lines) != len(score.lines):
                return
            report = self._surprises.find(lines, score.lines, pause)
            paragraphs = trace_paragraphs(score.lines)
            pause()
            chapters = trace_chapters(score.lines, self._find_headings(text, lines))
            pause()
            self.surprise_ready.emit(SurpriseReady(revision, report, tuple(paragraphs), tuple(chapters)))

        self._ask("surprise", work)

    def forget(self) -> None:
        """Drop what is being done: another draft is on the page."""
        with self._condition:
            self._jobs = {"": lambda _pause: None}
            self._condition.notify_all()

    def rest(self) -> None:
        """Let the writer type: go on a moment after the last key."""
        self._rests_until = time.monotonic() + SECONDS_OF_QUIET

    def close(self, timeout_seconds: float = 20.0) -> bool:
        """Break off, end the thread and say whether it ended in time."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        return not self.isRunning() or self.wait(int(timeout_seconds * 1000))

    def run(self) -> None:
        """Work until closed; the thread's own function."""
        make_way_for_the_window()
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closing or bool(self._jobs))
                if self._closing:
                    return
                name = next(iter(self._jobs))
                job = self._jobs.pop(name)
            self._do(name, job)

    def _ask(self, name: str, job: _Job) -> None:
        with self._condition:
            self._jobs.pop(name, None)
            self._jobs[name] = job
            self._condition.notify_all()
        if not self._closing and not self.isRunning():
            self.start(QThread.Priority.LowPriority)

    def _do(self, name: str, job: _Job) -> None:
        try:
            job(
                Breather(
                    lambda: self._closing or name in self._jobs or "" in self._jobs,
                    lambda: time.monotonic() < self._rests_until,
                )
            )
        except StorydeskError as error:
            if error.failure.code != _CANCELLED:
                self.failed.emit(error.failure)
        except Exception as error:  # noqa: BLE001 - the thread outlives any one job, and the failure is shown
            _log.exception("reading a draft failed")
            self.failed.emit(describe_unexpected(error))

    def _find_headings(self, text: str, lines: list[str]) -> list[tuple[int, str]]:
        """Return line and title of each chapter, of each scene where there are no chapters."""
        parts = self._outline.read(text).parts
        chapters = [part for part in parts if part.kind is PartKind.CHAPTER] or parts
        wanted = iter(chapters)
        part = next(wanted, None)
        found, place = [], 0
        for number, line in enumerate(lines):
            place += len(line) + 1
            while part is not None and part.start < place:
                found.append((number, part.title))
                part = next(wanted, None)
        return found

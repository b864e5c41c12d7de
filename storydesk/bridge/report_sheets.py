"""Blind sheets from what a judging job wrote: its stories are read on a thread, the sheet is a wish like any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QDateTime, QLocale, QObject, Signal

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.judging_controller import SheetWish
from storydesk.domain.judgement import JudgeReport
from storydesk.domain.judging import SHORT, Entry
from storydesk.services.desk import Desk
from storydesk.services.judge_job import collect_ratings
from storydesk.services.judge_sheets import Contender, count_pairs, make_duel, make_rating_entries


class ReportSheets(QObject):
    """Makes wishes for sheets. GUI thread."""

    wished = Signal(object)
    """A SheetWish."""
    failed = Signal(object)
    """A Failure."""

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Read the reports of one desk."""
        super().__init__(parent)
        self._desk = desk
        self._jobs = JobRunner(self)

    def ask_for_choices(self, report: JudgeReport, contenders: Sequence[Contender]) -> None:
        """Wish for pairs of the contenders' stories."""
        judge, most = self._desk.judge_jobs, count_pairs(contenders)
        self._ask(
            lambda: make_duel(report, judge.read_stories(report), contenders),
            lambda entries: SheetWish(self._name(self.tr("Two by two, {time}")), entries, most_pairs=most),
        )

    def ask_for_ratings(self, report: JudgeReport) -> None:
        """Wish for some of a report's stories to be rated."""
        desk = self._desk
        self._ask(
            lambda: make_rating_entries(report, desk.judge_jobs.read_stories(report), collect_ratings(desk.judging)),
            lambda entries: SheetWish(self._name(self.tr("One by one, {time}")), entries, SHORT),
        )

    def close(self) -> None:
        """Give up what is being read."""
        self._jobs.close()

    def _ask(self, read: Callable[[], list[Entry]], wish: Callable[[tuple[Entry, ...]], SheetWish]) -> None:
        self._jobs.start(
            lambda _report: read(),
            on_success=lambda entries: self.wished.emit(wish(tuple(entries))),
            on_failure=self.failed.emit,
        )

    def _name(self, words: str) -> str:
        """Return a sheet's name: when it was made, and nothing of whose stories are on it."""
        now = QDateTime.currentDateTime()
        return words.format(time=QLocale().toString(now, QLocale.FormatType.ShortFormat))

"""Automatic judging: start a job over some models, follow it, go on with it, read its report."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judgement import (
    MOST_SETTINGS,
    JudgedMetric,
    JudgePlan,
    JudgeReport,
    JudgeState,
    Ratings,
    WrittenStory,
)
from storydesk.domain.judging import Criterion
from storydesk.domain.judging_summary import average_ratings
from storydesk.services.judge_job_ports import JudgeLauncher, JudgeRun
from storydesk.services.judging import JudgingService
from storydesk.services.ports import ModelLibrary


class JudgeJobService:
    """Judges models by metrics, as a job of the trainer. ``prepare`` may build graphs: not on the GUI thread."""

    def __init__(self, launcher: JudgeLauncher, models: ModelLibrary) -> None:
        """Join the trainer's launcher with the shelf whose models are judged."""
        self._launcher = launcher
        self._models = models

    def prepare(self, plan: JudgePlan) -> Path:
        """Return the folder of a job that is ready to start.

        Raise StorydeskError(BAD_ARGUMENT, MODEL_NOT_FOUND, MODEL_DAMAGED, FILE_NOT_FOUND, DISK_FULL, NOT_WRITABLE).
        """
        names = tuple(dict.fromkeys(plan.models))
        if not names:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="models", value="nothing", expected="names of models")
        if not plan.pairs and not plan.data:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="prompts", value="nothing", expected="prompts")
        if not 1 <= len(plan.settings) <= MOST_SETTINGS:
            expected = f"1 to {MOST_SETTINGS} choices of settings"
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="settings", value=len(plan.settings), expected=expected)
        if plan.reader and plan.reader not in names:
            raise StorydeskError(
                FailureCode.BAD_ARGUMENT, name="reader", value=plan.reader, expected="one of the judged models"
            )
        for path in plan.data:
            if not path.exists():
                raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(path))
        folders = {name: self._models.get(name).folder for name in names}
        return self._launcher.prepare(replace(plan, models=names), folders)

    def start(self, folder: Path) -> JudgeRun:
        """Start a prepared job, or go on with one that was broken off; what is done is not done again."""
        return self._launcher.start(folder)

    def start_again(self, job_id: str, ratings: Ratings) -> JudgeRun:
        """Start a finished job once more, to write nothing but its report, held against the ``ratings`` of now.

        Raise StorydeskError(JOB_NOT_FOUND, TRAINER_NOT_STARTED, DISK_FULL, NOT_WRITABLE).
        """
        folder = self._launcher.find(job_id)
        self._launcher.put_ratings(folder, ratings)
        return self._launcher.start(folder)

    def follow(self, folder: Path) -> JudgeRun:
        """Follow a job that an earlier start of the app left at work."""
        return self._launcher.follow(folder)

    def list_jobs(self) -> Sequence[JudgeState]:
        """Return all jobs, newest first, those at work too."""
        return self._launcher.list_jobs()

    def list_finished(self) -> Sequence[JudgeState]:
        """Return the jobs whose reports are there, newest first."""
        return [state for state in self._launcher.list_jobs() if state.report is not None]

    def list_unfinished(self) -> Sequence[JudgeState]:
        """Return the jobs that were broken off or stopped and can go on, newest first."""
        return [
            state
            for state in self._launcher.list_jobs()
            if state.report is None and not self._launcher.is_alive(state.folder)
        ]

    def list_left_alone(self) -> Sequence[Path]:
        """Return the jobs that are at work without an app."""
        return [state.folder for state in self._launcher.list_jobs() if self._launcher.is_alive(state.folder)]

    def find_job(self, name: str) -> Path:
        """Return the folder of a job by its name; raise StorydeskError(JOB_NOT_FOUND)."""
        return self._launcher.find(name)

    def discard(self, folder: Path) -> None:
        """Put a job into the trash for 30 days; raise JOB_NOT_FOUND, JOB_AT_WORK, NOT_WRITABLE."""
        self._launcher.discard(folder)

    def restore(self, name: str) -> Path:
        """Take a job out of the trash and return its folder; raise JOB_NOT_FOUND, NOT_WRITABLE."""
        return self._launcher.restore(name)

    def read_report(self, state: JudgeState) -> JudgeReport:
        """Return the report of a finished job; raise what ended one that failed.

        A job that failed when it was started once more has its report still.
        """
        if state.failure is not None and state.report is None:
            raise StorydeskError(state.failure.code, **state.failure.parameters)
        return self._launcher.read_report(state.report or state.folder)

    def read_stories(self, report: JudgeReport) -> Sequence[WrittenStory]:
        """Return the stories of a report, to be read and rated; raise FILE_NOT_FOUND, FILE_DAMAGED."""
        return self._launcher.read_stories(report.folder)


def collect_ratings(judging: JudgingService) -> dict[str, dict[str, float]]:
    """Return the mean ratings of every story that was rated so far, by its fingerprint and criterion."""
    contents = [judging.load_sheet(card.sheet.id) for card in judging.list_sheets()]
    found: dict[str, dict[str, float]] = {}
    for criterion in Criterion:
        for story, (_, mean) in average_ratings(contents, criterion).items():
            found.setdefault(story, {})[str(criterion)] = mean
    return found


class MetricWords:
    """What metrics are called and what they can and can't tell, in one language. Immutable, any thread."""

    def __init__(self, path: Path) -> None:
        """Read ``[metric.*]`` of a language's table; what is missing there keeps the report's English words."""
        try:
            record = tomllib.loads(path.read_text(encoding="utf-8")).get("metric", {})
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            record = {}
        self._words = record if isinstance(record, dict) else {}

    def translate(self, metric: JudgedMetric) -> JudgedMetric:
        """Return a metric in this language."""
        entry = self._words.get(metric.name)
        if not isinstance(entry, dict):
            return metric
        words = {part: str(entry[part]) for part in ("title", "tells", "misses") if part in entry}
        return replace(metric, **words)

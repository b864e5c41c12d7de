"""What automatic judging needs from the outside: starting, finding and reading judging jobs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from storydesk.domain.judgement import JudgePlan, JudgeReport, JudgeState, Ratings, WrittenStory
from storydesk.services.following import FollowedRun

JudgeRun = FollowedRun[JudgeState]
"""One judging job of the trainer, at work or found again. Any thread."""


class JudgeLauncher(Protocol):
    """Starts and finds judging jobs; needs no Qt."""

    def prepare(self, plan: JudgePlan, folders: Mapping[str, Path]) -> Path:
        """Write the job's folder with its request and return it; ``folders`` holds each model's bundle by name.

        Raise StorydeskError(DISK_FULL, NOT_WRITABLE).
        """

    def put_ratings(self, folder: Path, ratings: Ratings) -> None:
        """Let a job's report be held against other ratings when it is next written; raise DISK_FULL, NOT_WRITABLE."""

    def start(self, folder: Path) -> JudgeRun:
        """Start a prepared job, or go on with one that was broken off; raise TRAINER_NOT_STARTED."""

    def follow(self, folder: Path) -> JudgeRun:
        """Follow a job that is at work without this program."""

    def read(self, folder: Path) -> JudgeState:
        """Return the state that a job's journal gives."""

    def list_jobs(self) -> Sequence[JudgeState]:
        """Return all jobs, newest first."""

    def is_alive(self, folder: Path) -> bool:
        """Return whether a trainer is at work on a job."""

    def find(self, name: str) -> Path:
        """Return the folder of a job by its name; raise JOB_NOT_FOUND."""

    def discard(self, folder: Path) -> None:
        """Put a job that nobody works on into the trash, with its stories; a report elsewhere stays.

        Raise JOB_NOT_FOUND, JOB_AT_WORK, NOT_WRITABLE.
        """

    def restore(self, name: str) -> Path:
        """Take a job out of the trash and return its folder; raise JOB_NOT_FOUND, NOT_WRITABLE."""

    def read_report(self, folder: Path) -> JudgeReport:
        """Return a finished report; raise FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_DAMAGED."""

    def read_stories(self, folder: Path) -> Sequence[WrittenStory]:
        """Return the stories of a report, people's included; raise like ``read_report``."""

"""A stand-in for the trainer's judging jobs: states are what a test puts there, reports are made up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judgement import (
    JudgeCard,
    JudgedDifference,
    JudgedFigure,
    JudgedMetric,
    JudgePlan,
    JudgeReport,
    JudgeState,
    Ratings,
    WrittenStory,
)
from storydesk.domain.tuning import RunStatus

BEGUN = 1_790_000_000.0


def make_report(folder: Path, models: tuple[str, ...] = ("starter", "mine")) -> JudgeReport:
    """Return a report in which the last model predicts better and the stories can't be told apart."""
    metrics = (
        JudgedMetric(
            "perplexity", "heldout", "Held-out perplexity", "lower", "number", "How surprised.", "Not how good."
        ),
        JudgedMetric(
            "distinct_2", "variety", "Different pairs of words", "nearer", "percent", "Variety.", "Not sense."
        ),
    )
    figures = [JudgedFigure("distinct_2", "", -1, False, 0.91, 0.88, 0.94, 12, 12)]
    for number, model in enumerate(models):
        value = 40.0 - 5 * number
        figures.append(JudgedFigure("perplexity", model, -1, False, value, value - 2, value + 2, 12, 12))
        figures.append(JudgedFigure("distinct_2", model, 0, False, 0.9, 0.86, 0.93, 12, 12))
    differences = (
        JudgedDifference("perplexity", -1, False, models[0], models[-1], 5.0, 3.0, 7.0, models[-1]),
        JudgedDifference("distinct_2", 0, False, models[0], models[-1], 0.0, -0.02, 0.02, ""),
    )
    return JudgeReport(
        folder, "Judged", "2026-01-01T00:00:00+00:00", models, ("usual settings",), 12, 12, 90,
        metrics, tuple(figures), differences, (), {}, settings_values=({},), job_id=folder.name,
    )  # fmt: skip


class FakeJudgeRun:
    """Implements JudgeRun; each poll gives the next of its states and stays at the last."""

    def __init__(self, folder: Path, states: Sequence[JudgeState]) -> None:
        """Begin before the first state."""
        self.folder = folder
        self._states = list(states)
        self.calls: list[str] = []

    def poll(self) -> JudgeState:
        """Return the next state."""
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]

    def stop(self) -> None:
        """End as stopped."""
        self.calls.append("stop")
        self._states = [replace(self._states[0], status=RunStatus.STOPPED)]

    def detach(self) -> None:
        """Remember it."""
        self.calls.append("detach")

    def kill(self) -> None:
        """End as stopped."""
        self.calls.append("kill")
        self._states = [replace(self._states[0], status=RunStatus.STOPPED)]


class FakeJudgeLauncher:
    """Implements JudgeLauncher in memory; every started job works once and completes, unless ``states`` say more."""

    def __init__(self) -> None:
        """Begin without jobs."""
        self.plans: list[tuple[JudgePlan, Mapping[str, Path]]] = []
        self.states: dict[Path, list[JudgeState]] = {}
        self.alive: set[Path] = set()
        self.trash: dict[str, tuple[Path, list[JudgeState]]] = {}
        self.stories: list[WrittenStory] = []
        self.ratings: dict[Path, Ratings] = {}

    def prepare(self, plan: JudgePlan, folders: Mapping[str, Path]) -> Path:
        """Keep the plan."""
        folder = Path(f"/judgements/{len(self.plans) + 1}")
        self.plans.append((plan, dict(folders)))
        card = JudgeCard(plan.title, plan.models, plan.prompts or len(plan.pairs), len(plan.settings), BEGUN)
        start = JudgeState(folder.name, folder, card=card)
        at_work = replace(start, status=RunStatus.RUNNING, work="writing", model=plan.models[0], done=1, total=4)
        self.states[folder] = [start, at_work, replace(at_work, status=RunStatus.COMPLETED, done=4, report=folder)]
        return folder

    def put_ratings(self, folder: Path, ratings: Ratings) -> None:
        """Keep the ratings."""
        self.ratings[folder] = ratings

    def start(self, folder: Path) -> FakeJudgeRun:
        """Return a run over the job's states."""
        return FakeJudgeRun(folder, self.states[folder])

    def follow(self, folder: Path) -> FakeJudgeRun:
        """Return a run over the job's states."""
        return self.start(folder)

    def read(self, folder: Path) -> JudgeState:
        """Return the job's last state."""
        return self.states[folder][-1]

    def list_jobs(self) -> Sequence[JudgeState]:
        """Return all jobs, newest first."""
        return [states[-1] for states in reversed(self.states.values())]

    def is_alive(self, folder: Path) -> bool:
        """Return whether a test says so."""
        return folder in self.alive

    def find(self, name: str) -> Path:
        """Return a job by its name."""
        for folder in self.states:
            if folder.name == name:
                return folder
        raise StorydeskError(FailureCode.JOB_NOT_FOUND, name=name)

    def discard(self, folder: Path) -> None:
        """Put a job into the trash."""
        if folder in self.alive:
            raise StorydeskError(FailureCode.JOB_AT_WORK, name=folder.name)
        self.trash[folder.name] = (folder, self.states.pop(self.find(folder.name)))

    def restore(self, name: str) -> Path:
        """Take a job out of the trash; it comes last."""
        if name not in self.trash:
            raise StorydeskError(FailureCode.JOB_NOT_FOUND, name=name)
        folder, states = self.trash.pop(name)
        self.states[folder] = states
        return folder

    def read_report(self, folder: Path) -> JudgeReport:
        """Return a report over the plan's models."""
        plan = self.plans[-1][0] if self.plans else None
        return make_report(folder, plan.models if plan and len(plan.models) > 1 else ("starter", "mine"))

    def read_stories(self, folder: Path) -> Sequence[WrittenStory]:
        """Return what a test put there."""
        return self.stories

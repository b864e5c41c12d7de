"""Judging jobs of the trainer: their folders, their processes, and their journals as a pure fold."""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.judgement import JudgePlan, JudgeReport, JudgeState, Ratings, WrittenStory
from storydesk.domain.tuning import RunStatus
from storydesk.services.atomic_file import make_folder, write_atomically
from storydesk.services.input_file import read_limited
from storydesk.training.journal import JOURNAL_NAME, JournalReader
from storydesk.training.judge_reports import load_report, load_stories
from storydesk.training.judge_shelf import REQUEST_NAME, discard, read_card, restore
from storydesk.training.processes import FoundProcess, find_trainer, is_alive, start_trainer
from storydesk.training.run import TrainerJob
from trainer.protocol import messages
from trainer.protocol.judging import JudgedPair, JudgedStyle, JudgeRequest, encode_judge_request
from trainer.protocol.manifest import ManifestError, read_manifest

JUDGE = "judge"
RATINGS_NAME = "ratings.json"
_MOST_MEGABYTES = 100
_LOG = logging.getLogger(__name__)


def fold_judging(state: JudgeState, event: messages.Event) -> JudgeState:
    """Return the state after one more event; those of other jobs change nothing."""
    match event:
        case messages.RunStarted():
            return replace(
                state,
                status=RunStatus.RUNNING,
                device=event.device,
                done=event.resumed_step,
                notices=(),
                failure=None,
                report=None,
                process_id=event.process_id,
            )
        case messages.JudgingAdvanced():
            return replace(
                state,
                work=event.work,
                model=event.style_model,
                done=event.done,
                total=event.total,
                seconds_left=event.seconds_left,
            )
        case messages.NoticeGiven():
            return replace(state, notices=(*state.notices, Failure(event.code, event.parameters)))
        case messages.ReportWritten():
            return replace(state, status=RunStatus.COMPLETED, report=Path(event.folder), seconds_left=0.0)
        case messages.RunStopped():
            return replace(state, status=RunStatus.STOPPED, seconds_left=0.0)
        case messages.RunFailed():
            return state.fail(Failure(event.code, event.parameters))
        case _:
            return state


class TrainerJudgeRun(TrainerJob[JudgeState]):
    """Implements JudgeRun over a process. Any thread."""


class TrainerJudgeLauncher:
    """Implements JudgeLauncher over a folder of jobs; ``runs`` is where tuning runs keep what they learned from."""

    def __init__(self, jobs: Path, runs: Path, program: Sequence[str] | None = None) -> None:
        """``program`` is what ``judge FOLDER`` is said to, by default this Python's trainer."""
        self._jobs = jobs
        self._runs = runs
        self._program = tuple(program) if program is not None else find_trainer()

    def prepare(self, plan: JudgePlan, folders: Mapping[str, Path]) -> Path:
        """Write the job's folder with its request and return it; raise DISK_FULL, NOT_WRITABLE."""
        job_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}"
        folder = make_folder(self._jobs / job_id)
        if plan.ratings:
            _write_ratings(folder, plan.ratings)
        request = JudgeRequest(
            job_id=job_id,
            styles=tuple(self._describe(name, folders[name]) for name in plan.models),
            pairs=tuple(JudgedPair(prompt, story) for prompt, story in plan.pairs),
            data=tuple(str(path.absolute()) for path in plan.data),
            prompts=plan.prompts,
            stories=plan.stories,
            tokens=plan.tokens,
            settings=tuple(dict(settings) for settings in plan.settings),
            reader=plan.reader,
            metrics=plan.metrics,
            ratings=str(folder / RATINGS_NAME) if plan.ratings else "",
            out=str(plan.out.absolute()) if plan.out else "",
            title=plan.title,
            seed=plan.seed,
        )
        write_atomically(folder / REQUEST_NAME, encode_judge_request(request).encode("utf-8", "replace"))
        return folder

    def put_ratings(self, folder: Path, ratings: Ratings) -> None:
        """Write the ratings beside a job's request and name them there; raise FILE_DAMAGED, DISK_FULL, NOT_WRITABLE."""
        path = folder / REQUEST_NAME
        raw = read_limited(path, _MOST_MEGABYTES)
        try:
            record = {**json.loads(raw), "ratings": str((folder / RATINGS_NAME).absolute())}
        except (ValueError, TypeError, RecursionError) as error:
            raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="request") from error
        _write_ratings(folder, ratings)
        write_atomically(path, json.dumps(record, ensure_ascii=False, indent=2).encode("utf-8", "replace"))

    def _describe(self, name: str, folder: Path) -> JudgedStyle:
        """Return a model with the run that it came from, and those of the models it was made of, as far as known."""
        training = []
        with contextlib.suppress(ManifestError, StorydeskError):
            run = read_manifest(folder).run_id
            if run and Path(run).name == run and (self._runs / run).is_dir():
                training.append(str((self._runs / run).absolute()))
        return JudgedStyle(name, str(folder.absolute()), tuple(training))

    def start(self, folder: Path) -> TrainerJudgeRun:
        """Start a prepared job, or go on with one that was broken off; raise TRAINER_NOT_STARTED."""
        state, journal = _read_journal(folder)
        process = start_trainer((*self._program, JUDGE, str(folder.absolute())), folder)
        fresh = replace(state, status=RunStatus.STARTING, failure=None, report=None, process_id=process.process_id)
        return TrainerJudgeRun(folder, fresh, journal, process, fold_judging)

    def follow(self, folder: Path) -> TrainerJudgeRun:
        """Follow a job that is at work without this program."""
        state, journal = _read_journal(folder)
        return TrainerJudgeRun(folder, state, journal, FoundProcess(folder, state.process_id), fold_judging)

    def read(self, folder: Path) -> JudgeState:
        """Return the state that a job's journal gives."""
        return _read_journal(folder)[0]

    def list_jobs(self) -> Sequence[JudgeState]:
        """Return all jobs, newest first; one whose journal can't be read is passed over."""
        found = []
        with contextlib.suppress(OSError):
            for folder in sorted(self._jobs.iterdir(), reverse=True):
                if not (folder / REQUEST_NAME).is_file():
                    continue
                try:
                    found.append(self.read(folder))
                except StorydeskError as error:
                    _LOG.warning("the judging in %s is passed over: %s", folder, error)
        return found

    def is_alive(self, folder: Path) -> bool:
        """Return whether a trainer is at work on a job."""
        return is_alive(folder)

    def find(self, name: str) -> Path:
        """Return the folder of a job by its name; raise JOB_NOT_FOUND."""
        # A name, and not a way out of the folder of jobs.
        folder = self._jobs / name
        if Path(name).name != name or not (folder / REQUEST_NAME).is_file():
            raise StorydeskError(FailureCode.JOB_NOT_FOUND, name=name)
        return folder

    def discard(self, folder: Path) -> None:
        """Put a job that nobody works on into the trash; raise JOB_NOT_FOUND, JOB_AT_WORK, NOT_WRITABLE."""
        discard(self._jobs, folder)

    def restore(self, name: str) -> Path:
        """Take a job out of the trash and return its folder; raise JOB_NOT_FOUND, NOT_WRITABLE."""
        return restore(self._jobs, name)

    def read_report(self, folder: Path) -> JudgeReport:
        """Return a finished report; raise FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_DAMAGED."""
        return load_report(folder)

    def read_stories(self, folder: Path) -> Sequence[WrittenStory]:
        """Return the stories of a report; raise like ``read_report``."""
        return load_stories(folder)


def _write_ratings(folder: Path, ratings: Ratings) -> None:
    record = json.dumps({"stories": {story: dict(means) for story, means in ratings.items()}})
    write_atomically(folder / RATINGS_NAME, record.encode("utf-8", "replace"))


def _read_journal(folder: Path) -> tuple[JudgeState, JournalReader]:
    state = JudgeState(folder.name, folder, card=read_card(folder))
    journal = JournalReader(folder / JOURNAL_NAME)
    for event in journal.read():
        state = fold_judging(state, event)
    return state, journal

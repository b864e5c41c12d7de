"""Starts the trainer and finds runs that were broken off; Qt-free, for the window and the command line alike."""

from __future__ import annotations

import contextlib
import logging
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.run_settings import RunSetting
from storydesk.domain.tuning import RunState, RunStatus, TuningPlan
from storydesk.services.atomic_file import make_folder, write_atomically
from storydesk.services.ports import TUNE
from storydesk.training.folding import fold
from storydesk.training.journal import JOURNAL_NAME, JournalReader, fold_journal
from storydesk.training.processes import FoundProcess, find_trainer, is_alive, start_trainer
from storydesk.training.run import TrainerRun
from storydesk.training.run_settings import estimate_needs, list_run_settings
from trainer.protocol.codec import decode_request, encode_request
from trainer.protocol.failures import TrainerError
from trainer.protocol.manifest import ManifestError, read_manifest
from trainer.protocol.messages import Request

REQUEST_NAME = "request.json"

_ONLY_READ = ("", "reading", "cleaning", "packing")
_HUB_PREFIX = "hub:"
_LOG = logging.getLogger(__name__)


class TrainerLauncher:
    """Implements RunLauncher over a folder of runs. Any thread."""

    def __init__(self, runs: Path, program: Sequence[str] | None = None) -> None:
        """Keep runs in ``runs``; ``program`` is what ``tune FOLDER`` is said to, by default this Python's trainer."""
        self._runs = runs
        self._program = tuple(program) if program is not None else find_trainer()

    def list_settings(self) -> Sequence[RunSetting]:
        """Return every setting that a run can be given, group by group."""
        return list_run_settings()

    def estimate_needs(self, weights: int, vocabulary: int, *, adapters: bool) -> tuple[int, int]:
        """Return the bytes of memory and disk that tuning a network of so many weights takes at least."""
        return estimate_needs(weights, vocabulary, adapters=adapters)

    def prepare(self, plan: TuningPlan, weights: Path, bundle: Path) -> Path:
        """Write the run folder with its request and return it; raise DISK_FULL, NOT_WRITABLE."""
        run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}"
        request = Request(
            run_id=run_id,
            base=str(weights.absolute()),
            data=tuple(item if item.startswith(_HUB_PREFIX) else str(Path(item).absolute()) for item in plan.data),
            name=plan.name,
            bundle=str(bundle.absolute()),
            minutes=plan.minutes,
            seed=plan.seed,
            settings=dict(plan.settings),
        )
        folder = make_folder(self._runs / run_id)
        text = encode_request(request).encode("utf-8", "surrogateescape")
        write_atomically(folder / REQUEST_NAME, text)
        return folder

    def find_data(self, bundle: Path) -> tuple[str, ...]:
        """Return the files and folders that a bundle's model learned from, where they are known and still there."""
        with contextlib.suppress(ManifestError, TrainerError, OSError, ValueError):
            run = read_manifest(bundle).run_id
            if run and Path(run).name == run:
                request = decode_request((self._runs / run / REQUEST_NAME).read_text(encoding="utf-8"))
                if all(Path(item).exists() for item in request.data):
                    return tuple(request.data)
        return ()

    def command(self, folder: Path, job: str = TUNE) -> Sequence[str]:
        """Return the trainer's argument vector for a prepared run."""
        return (*self._program, job, str(folder.absolute()))

    def start(self, folder: Path, job: str = TUNE) -> TrainerRun:
        """Start the trainer on a prepared or broken-off run; raise TRAINER_NOT_STARTED."""
        state, journal = _read_journal(folder)
        process = start_trainer(self.command(folder, job), folder)
        # What an earlier process of this run said about its end no longer holds.
        fresh = replace(state, status=RunStatus.STARTING, failure=None, process_id=process.process_id)
        return TrainerRun(folder, fresh, journal, process, fold)

    def follow(self, folder: Path) -> TrainerRun:
        """Follow a run that an earlier start of the app left at work, or that came to its end meanwhile."""
        state, journal = _read_journal(folder)
        return TrainerRun(folder, state, journal, FoundProcess(folder, state.process_id), fold)

    def left_alone(self) -> Sequence[Path]:
        """Return the folders of runs that are at work without an app, or whose model nobody has installed yet."""
        found = []
        for folder in self._list_folders():
            with contextlib.suppress(StorydeskError):
                state = self.read(folder)
                waits = state.status is RunStatus.COMPLETED and state.bundle is not None and state.bundle.is_dir()
                if waits or is_alive(folder):
                    found.append(folder)
        return found

    def unfinished(self) -> Sequence[RunState]:
        """Return runs that were broken off and can be resumed, newest first."""
        found = []
        for folder in self._list_folders():
            try:
                state = self.read(folder)
            except StorydeskError as error:
                _LOG.warning("the run in %s is passed over: %s", folder, error)
                continue
            if _can_go_on(state) and not is_alive(folder):
                found.append(state)
        return found

    def _list_folders(self) -> list[Path]:
        """Return the folders of all runs, newest first."""
        with contextlib.suppress(OSError):
            return [folder for folder in sorted(self._runs.iterdir(), reverse=True) if _is_run(folder)]
        return []

    def find(self, name: str) -> Path:
        """Return the folder of any run by its name, also of one that was stopped; raise RUN_NOT_FOUND."""
        # A name, and not a way out of the folder of runs.
        folder = self._runs / name
        if Path(name).name != name or not (folder / REQUEST_NAME).is_file():
            raise StorydeskError(FailureCode.RUN_NOT_FOUND, name=name)
        return folder

    def discard(self, folder: Path) -> None:
        """Delete a run that nobody works on, with its checkpoints; one that is at work stays."""
        if folder.parent.resolve() == self._runs.resolve() and not is_alive(folder):
            shutil.rmtree(folder, ignore_errors=True)

    def read(self, folder: Path) -> RunState:
        """Return the state that a run's journal gives."""
        return fold_journal(folder.name, folder)


def _read_journal(folder: Path) -> tuple[RunState, JournalReader]:
    """Return what is known of a run so far, and the journal at the place where reading ended."""
    state, journal = RunState(folder.name, folder), JournalReader(folder / JOURNAL_NAME)
    for event in journal.read():
        state = fold(state, event)
    return state, journal


def _is_run(folder: Path) -> bool:
    return (folder / REQUEST_NAME).is_file()


def _can_go_on(state: RunState) -> bool:
    """Say whether a run was broken off, paused, or failed with something saved."""
    if state.status in (RunStatus.STOPPED, RunStatus.FAILED):
        return state.checkpoint_step > 0
    # One that only began to read has nothing to lose, and may have been a look at what a run would be like.
    began = state.step > 0 or state.stage not in _ONLY_READ
    return state.status is RunStatus.RUNNING and began

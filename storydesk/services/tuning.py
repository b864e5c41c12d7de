"""One click from stories to a model of one's own: prepare, run, judge the figures, adopt."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.run_settings import MisfitError, RunSetting, describe_range
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.style_model import StyleModel
from storydesk.domain.tuning import RunState, RunStatus, TuningPlan
from storydesk.services.following import wait_for
from storydesk.services.gathering import HUB_PREFIX, read_document, split_path
from storydesk.services.ports import (
    FORESEE,
    DocumentReader,
    ModelLibrary,
    Progress,
    RunLauncher,
    SettingsStore,
    TuningRun,
)

WriteDataset = Callable[[Sequence[tuple[str, str, str]], Path], None]
"""Writes (title, prompt, story) triples as a dataset file that the trainer reads."""


@dataclass(frozen=True, slots=True)
class TuningOutcome:
    """How a run ended: the installed model where there is one, and whether it is now the one in use."""

    state: RunState
    model: StyleModel | None
    adopted: bool


class TuningService:
    """Starts and finishes tuning runs. ``prepare`` and ``finish`` read and move files: not on the GUI thread."""

    def __init__(
        self,
        launcher: RunLauncher,
        models: ModelLibrary,
        settings: SettingsStore,
        reader: DocumentReader,
        write_dataset: WriteDataset,
    ) -> None:
        """Join the trainer's launcher with the shelf it feeds."""
        self._launcher = launcher
        self._models = models
        self._settings = settings
        self._reader = reader
        self._write_dataset = write_dataset

    def list_settings(self) -> Sequence[RunSetting]:
        """Return every setting that a run can be given, group by group."""
        return self._launcher.list_settings()

    def estimate_needs(self, weights: int, vocabulary: int, *, adapters: bool) -> tuple[int, int]:
        """Return the bytes of memory and disk that tuning a network of so many weights takes at least."""
        return self._launcher.estimate_needs(weights, vocabulary, adapters=adapters)

    def find_name(self, wanted: str) -> str:
        """Return ``wanted``, or what a model of that name would be called where there is one already."""
        return self._models.free_name(wanted)

    def prepare(self, plan: TuningPlan) -> Path:
        """Return the folder of a run that is ready to start.

        Rich documents are read here, once, and reach the trainer as a dataset file. Raises StorydeskError for paths
        that are not there, documents that can't be read, a base that is missing and a disk that is full.
        """
        return self._prepare(plan)[0]

    def foresee(self, plan: TuningPlan, progress: Progress) -> RunState:
        """Return what a run would be like (``planned``), by a few steps of the trainer that are thrown away.

        ``progress`` is called all the while and may raise to break off. Raise what preparing and the trainer raise.
        """

        def rest(seconds: float) -> None:
            progress(0, 0)
            time.sleep(seconds)

        folder, chosen = self._prepare(plan)
        run = None
        try:
            run = self._launcher.start(folder, FORESEE)
            state = wait_for(run, lambda _: None, rest)
        finally:
            if run is not None:
                run.kill()
            self._launcher.discard(folder)
            for item in set(chosen.data) - {str(Path(item).resolve()) for item in plan.data} - set(plan.data):
                Path(item).unlink(missing_ok=True)  # what was read out of documents for this look alone
        if state.failure is not None:
            raise StorydeskError(state.failure.code, **state.failure.parameters)
        if state.planned is None:
            raise StorydeskError(FailureCode.TRAINER_ENDED, exit_code=0, log=str(folder))
        return state

    def _prepare(self, plan: TuningPlan) -> tuple[Path, TuningPlan]:
        self._check_settings(plan)
        if not plan.data:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="data", value="nothing", expected="files or folders")
        for item in plan.data:
            if not item.startswith(HUB_PREFIX) and not Path(item).exists():
                raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=item)
        base = self._models.get(plan.base or self._settings.get(ACTIVE_MODEL))
        name = self._models.free_name(plan.name)
        staging = self._models.staging_folder() / f"{name}-{time.time_ns()}"
        data = self._convert(plan.data, staging.with_suffix(".jsonl"))
        chosen = replace(plan, base=base.name, name=name, data=data)
        return self._launcher.prepare(chosen, base.folder, staging), chosen

    def _check_settings(self, plan: TuningPlan) -> None:
        """Raise BAD_ARGUMENT for a setting that there is not, or a value that it can't have."""
        known = {setting.name: setting for setting in self._launcher.list_settings()}
        for name, value in plan.settings.items():
            if name not in known:
                nearest = difflib.get_close_matches(name, known, 1)
                expected = nearest[0] if nearest else "a setting that `storydesk tune --list-settings` shows"
                raise StorydeskError(FailureCode.BAD_ARGUMENT, name="A setting", value=name, expected=expected)
            try:
                known[name].accept(value)
            except MisfitError as error:
                expected = describe_range(known[name])
                raise StorydeskError(FailureCode.BAD_ARGUMENT, name=name, value=value, expected=expected) from error

    def start(self, folder: Path) -> TuningRun:
        """Start a prepared run, or go on with one that was broken off."""
        return self._launcher.start(folder)

    def follow(self, folder: Path) -> TuningRun:
        """Follow a run that was left at work when the app was closed, or that came to its end meanwhile."""
        return self._launcher.follow(folder)

    def list_left_alone(self) -> Sequence[Path]:
        """Return the runs that are at work without an app, or whose model nobody has installed yet."""
        return self._launcher.left_alone()

    def list_unfinished(self) -> Sequence[RunState]:
        """Return runs that were broken off or paused and can go on."""
        return self._launcher.unfinished()

    def discard(self, folder: Path) -> None:
        """Delete a run that will not go on, with its checkpoints."""
        self._launcher.discard(folder)

    def find_run(self, name: str) -> Path:
        """Return the folder of a run by its name; raise StorydeskError(RUN_NOT_FOUND)."""
        return self._launcher.find(name)

    def finish(self, state: RunState, *, use: bool | None = None) -> TuningOutcome:
        """Install the model of a completed run and make it the one in use.

        With ``use`` None it is used only if it predicts held-out text better than its base did.
        """
        if state.status is RunStatus.FAILED and state.failure is not None:
            raise StorydeskError(state.failure.code, **state.failure.parameters)
        if state.status is not RunStatus.COMPLETED or state.bundle is None:
            return TuningOutcome(state, None, adopted=False)
        model = self._models.install(state.bundle)
        adopted = state.improved if use is None else use
        if adopted:
            self._settings.set(ACTIVE_MODEL, model.name)
        return TuningOutcome(state, model, adopted=adopted)

    def _convert(self, data: Sequence[str], target: Path) -> tuple[str, ...]:
        """Return the data with every rich document replaced by one dataset file of what is in them."""
        plain: list[str] = []
        triples: list[tuple[str, str, str]] = []
        for item in data:
            if item.startswith(HUB_PREFIX):
                plain.append(item)
                continue
            pairs, _rich, more = split_path(Path(item), lambda path, *_count: read_document(path, self._reader))
            triples += [(pair.title, pair.prompt, pair.story) for pair in pairs]
            if more:
                plain.append(str(Path(item).resolve()))
        if triples:
            self._write_dataset(triples, target)
            plain.append(str(target))
        return tuple(plain)

"""The shelf of models: list, use and roll back, take in and give out, rename, delete, compare."""

from __future__ import annotations

import datetime
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.model_shelf import (
    DeletedModel,
    ExportForm,
    LineageNode,
    ModelComparison,
    ModelDetails,
    UseRecord,
    build_lineage,
    compare_models,
    find_previous,
)
from storydesk.domain.settings import ACTIVE_MODEL, MODEL_PRECISIONS
from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.services.model_ports import ModelShelf
from storydesk.services.ports import ModelLibrary, Progress, SettingsStore

PRECISIONS = ("fp32", "int8", "int4")
"""What can be asked for; a GPU takes fp16 by itself where the model has it."""


def read_precision(settings: SettingsStore, name: str) -> str:
    """Return the precision that was asked for a model, "" where none was."""
    return _read_precisions(settings).get(name, "")


def _read_precisions(settings: SettingsStore) -> dict[str, str]:
    try:
        asked = json.loads(settings.get(MODEL_PRECISIONS) or "{}")
    except (ValueError, RecursionError):
        return {}
    return {str(key): str(value) for key, value in asked.items()} if isinstance(asked, dict) else {}


class ModelService:
    """Keeps the shelf and remembers which model is in use. Slow methods: never on the GUI thread."""

    def __init__(
        self,
        library: ModelLibrary,
        settings: SettingsStore,
        shelf: ModelShelf,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Work on one model library and its shelf."""
        self._library = library
        self._settings = settings
        self._shelf = shelf
        self._now = now

    @property
    def folder(self) -> Path:
        """Where the models lie."""
        return self._shelf.folder

    @property
    def active(self) -> str:
        """The name of the model in use."""
        return self._settings.get(ACTIVE_MODEL)

    def list_models(self) -> Sequence[StyleModel]:
        """Return what is installed; a rename that was broken off is followed first."""
        self._follow_rename()
        return self._library.list_models()

    def list_hub_models(self) -> Sequence[HubModel]:
        """Return what can be fetched."""
        return self._library.hub_models()

    def show(self, name: str) -> StyleModel:
        """Return one model, ready to be loaded."""
        return self._library.get(name)

    def use(self, name: str, precision: str | None = None) -> StyleModel:
        """Make a model the one in use; raise MODEL_NOT_FOUND or MODEL_DAMAGED and keep the old one.

        ``precision`` asks for one of its graphs from now on, ``auto`` for the one that fits; raise BAD_ARGUMENT for
        one that it has not.
        """
        return self._use(name, precision)

    def _use(self, name: str, precision: str | None = None, *, back: bool = False) -> StyleModel:
        model = self._library.verify(name)
        if precision is not None:
            self._ask_precision(model, precision)
            model = self._library.get(name)
        self._note_active()
        if model.name != self.active:
            self._shelf.note_use(UseRecord(model.name, self._now(), back))
        self._settings.set(ACTIVE_MODEL, model.name)
        return model

    def roll_back(self) -> StyleModel:
        """Use the model that was in use before this one; raise MODEL_NO_OTHER. Twice goes back two models."""
        previous = self.find_previous()
        if not previous:
            raise StorydeskError(FailureCode.MODEL_NO_OTHER, name=self.active)
        return self._use(previous, back=True)

    def find_previous(self) -> str:
        """Return the model that ``roll_back`` would use, "" where there is none."""
        there = {model.name for model in self.list_models()}
        return find_previous(self.list_uses(), there, self.active)

    def list_uses(self) -> Sequence[UseRecord]:
        """Return which model came into use when, oldest first."""
        self._note_active()
        return self._shelf.list_uses()

    def _note_active(self) -> None:
        """Catch up with a model that came into use elsewhere: a finished tuning, or another program."""
        self._follow_rename()
        uses = self._shelf.list_uses()
        if uses and uses[-1].name == self.active:
            return
        made = next((model.created for model in self._library.list_models() if model.name == self.active), "")
        since = _read_time(made) if uses else 0.0
        if uses and since <= uses[-1].since:
            since = self._now()
        self._shelf.note_use(UseRecord(self.active, since))

    def _follow_rename(self) -> None:
        present = self._shelf.find_name(self.active)
        if present != self.active:
            self._move_settings(self.active, present)

    def _move_settings(self, old: str, new: str) -> None:
        precisions = _read_precisions(self._settings)
        if old in precisions:
            precisions[new] = precisions.pop(old)
            self._settings.set(MODEL_PRECISIONS, json.dumps(precisions))
        if self.active == old:
            self._settings.set(ACTIVE_MODEL, new)

    def _ask_precision(self, model: StyleModel, precision: str) -> None:
        known = ["auto", *(each for each in PRECISIONS if each in model.graphs)]
        if precision not in known:
            expected = ", ".join(known)
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="precision", value=precision[:40], expected=expected)
        asked = {**_read_precisions(self._settings), model.name: precision}
        self._settings.set(MODEL_PRECISIONS, json.dumps({key: each for key, each in asked.items() if each != "auto"}))

    def add(self, source: Path, name: str | None = None, progress: Progress | None = None) -> StyleModel:
        """Take in a GPT-2 folder, a Storydesk bundle, or a zip of either; ``progress`` may raise to break off."""
        return self._shelf.take_in(source, name, progress)

    def fetch(self, hub_id: str, progress: Progress | None = None) -> StyleModel:
        """Fetch and install one of the hub's models."""
        return self._library.fetch(hub_id, progress)

    def remove(self, name: str) -> None:
        """Remove a model that is not in use, for good."""
        self._refuse_active(name)
        self._library.remove(name)

    def rename(self, name: str, new: str) -> StyleModel:
        """Give a model another name; what speaks of it by the old one goes on finding it."""
        old = self._shelf.find_name(name)
        model = self._shelf.rename(name, new)
        self._move_settings(old, model.name)
        return model

    def delete(self, name: str, instead: str | None = None) -> DeletedModel:
        """Put a model into the trash; the one in use only with another to use ``instead``, else raise MODEL_IN_USE."""
        old = self._shelf.find_name(name)
        if instead is not None and old == self.active and self._shelf.find_name(instead) != old:
            self.use(instead)
        self._refuse_active(old)
        return self._shelf.delete(name)

    def _refuse_active(self, name: str) -> None:
        if self._shelf.find_name(name) == self.active:
            raise StorydeskError(FailureCode.MODEL_IN_USE, name=name)

    def list_deleted(self) -> Sequence[DeletedModel]:
        """Return what is in the trash, the last first."""
        return self._shelf.list_deleted()

    def restore(self, deleted: str) -> StyleModel:
        """Put a model of the trash back, by its id there or its name; raise MODEL_NOT_FOUND."""
        found = next((each for each in self.list_deleted() if deleted in (each.id, each.name)), None)
        if found is None:
            raise StorydeskError(FailureCode.MODEL_NOT_FOUND, name=deleted)
        return self._shelf.restore(found.id)

    def empty_trash(self) -> None:
        """Delete for good what is in the trash."""
        self._shelf.delete_for_good()

    def details(self, name: str) -> ModelDetails:
        """Return what is known of a model's making."""
        return self._shelf.details(name)

    def compare(self, first: str, second: str) -> ModelComparison:
        """Return what two models have in common and what not."""
        return compare_models(self._shelf.details(first), self._shelf.details(second))

    def trace_lineage(self) -> tuple[LineageNode, ...]:
        """Return the trees of who was tuned from whom."""
        return build_lineage(self._shelf.list_details())

    def export(
        self,
        name: str,
        form: ExportForm,
        target: Path,
        progress: Progress | None = None,
        *,
        overwrite: bool = False,
    ) -> Path:
        """Write a model to a folder or a zip and return the path."""
        return self._shelf.export(name, form, target, progress, overwrite=overwrite)


def _read_time(moment: str) -> float:
    try:
        return datetime.datetime.fromisoformat(moment).timestamp()
    except (ValueError, OverflowError):
        return 0.0

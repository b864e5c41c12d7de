"""The shelf of models: list, add, fetch, use, remove."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.settings import ACTIVE_MODEL, MODEL_PRECISIONS
from storydesk.domain.style_model import HubModel, StyleModel
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

    def __init__(self, library: ModelLibrary, settings: SettingsStore) -> None:
        """Work on one model library."""
        self._library = library
        self._settings = settings

    @property
    def active(self) -> str:
        """The name of the model in use."""
        return self._settings.get(ACTIVE_MODEL)

    def list_models(self) -> Sequence[StyleModel]:
        """Return what is installed."""
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
        model = self._library.verify(name)
        if precision is not None:
            self._ask_precision(model, precision)
            model = self._library.get(name)
        self._settings.set(ACTIVE_MODEL, model.name)
        return model

    def _ask_precision(self, model: StyleModel, precision: str) -> None:
        known = ["auto", *(each for each in PRECISIONS if each in model.graphs)]
        if precision not in known:
            expected = ", ".join(known)
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="precision", value=precision[:40], expected=expected)
        asked = {**_read_precisions(self._settings), model.name: precision}
        self._settings.set(MODEL_PRECISIONS, json.dumps({key: each for key, each in asked.items() if each != "auto"}))

    def add(self, folder: Path, name: str | None = None) -> StyleModel:
        """Build and install a GPT-2 folder."""
        return self._library.add_folder(folder, name)

    def fetch(self, hub_id: str, progress: Progress | None = None) -> StyleModel:
        """Fetch and install one of the hub's models."""
        return self._library.fetch(hub_id, progress)

    def remove(self, name: str) -> None:
        """Remove a model that is not in use."""
        if name == self.active:
            raise StorydeskError(FailureCode.MODEL_IN_USE, name=name)
        self._library.remove(name)

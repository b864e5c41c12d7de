"""A shelf in memory, over the dictionary of a FakeModels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.model_shelf import DeletedModel, ExportForm, ModelDetails, UseRecord
from storydesk.domain.style_model import StyleModel
from storydesk.services.ports import Progress

if TYPE_CHECKING:
    from tests.fakes.services import FakeModels


class FakeShelf:
    """Implements ModelShelf in lists."""

    def __init__(self, models: FakeModels, folder: Path) -> None:
        self._models = models
        self.folder = folder
        self.uses: list[UseRecord] = []
        self.trash: dict[str, StyleModel] = {}
        self.renamed: dict[str, str] = {}
        self.made: dict[str, ModelDetails] = {}
        """Details that a test wants a model to have."""
        self.exported: list[tuple[str, ExportForm, Path]] = []

    def find_name(self, name: str) -> str:
        return name if name in self._models.shelf else self.renamed.get(name, name)

    def rename(self, name: str, new: str) -> StyleModel:
        model = self._get(name)
        if new in self._models.shelf:
            raise StorydeskError(FailureCode.MODEL_NAME_TAKEN, name=new)
        del self._models.shelf[model.name]
        self.renamed[model.name] = new
        self._models.shelf[new] = replace(model, name=new)
        return self._models.shelf[new]

    def delete(self, name: str) -> DeletedModel:
        model = self._get(name)
        del self._models.shelf[model.name]
        self.trash[f"deleted-{model.name}"] = model
        return self.list_deleted()[-1]

    def list_deleted(self) -> Sequence[DeletedModel]:
        return [DeletedModel(key, model.name, 0.0, model.bytes) for key, model in self.trash.items()]

    def restore(self, deleted_id: str) -> StyleModel:
        model = self.trash.pop(deleted_id)
        self._models.shelf[model.name] = model
        return model

    def delete_for_good(self, deleted_id: str = "") -> None:
        self.trash.clear()

    def details(self, name: str) -> ModelDetails:
        model = self._get(name, built_in=True)
        return replace(self.made.get(model.name, ModelDetails(model)), model=model)

    def list_details(self) -> Sequence[ModelDetails]:
        return [self.details(name) for name in self._models.shelf]

    def note_use(self, record: UseRecord) -> None:
        self.uses.append(record)

    def list_uses(self) -> Sequence[UseRecord]:
        return [replace(each, name=self.find_name(each.name)) for each in self.uses]

    def export(
        self, name: str, form: ExportForm, target: Path, progress: Progress | None = None, *, overwrite: bool = False
    ) -> Path:
        if progress is not None:
            progress(1, 2)
        self.exported.append((name, form, target))
        return target

    def take_in(self, source: Path, name: str | None = None, progress: Progress | None = None) -> StyleModel:
        return self._models.add_folder(source, name, progress)

    def _get(self, name: str, *, built_in: bool = False) -> StyleModel:
        model = self._models.get(self.find_name(name))
        if model.built_in and not built_in:
            raise StorydeskError(FailureCode.MODEL_BUILT_IN, name=name)
        return model

"""What the shelf of models can do besides holding them, as a Protocol; ``storage`` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from storydesk.domain.model_shelf import DeletedModel, ExportForm, ModelDetails, UseRecord
from storydesk.domain.style_model import StyleModel
from storydesk.services.ports import Progress


class ModelShelf(Protocol):
    """Renames, deletes, remembers, takes in and gives out models. Any thread, several processes; slow."""

    @property
    def folder(self) -> Path:
        """Where the models lie; who watches it notices what others do there."""

    def find_name(self, name: str) -> str:
        """Return what a model is called now that was once called ``name``; ``name`` itself where nobody knows."""

    def rename(self, name: str, new: str) -> StyleModel:
        """Give a model another name; the old one goes on finding it.

        Raise MODEL_NOT_FOUND, MODEL_BUILT_IN, MODEL_NAME_BAD, MODEL_NAME_TAKEN, MODEL_IN_USE.
        """

    def delete(self, name: str) -> DeletedModel:
        """Put a model into the shelf's trash; raise MODEL_NOT_FOUND, MODEL_BUILT_IN, MODEL_IN_USE."""

    def list_deleted(self) -> Sequence[DeletedModel]:
        """Return what is in the trash, the last first; what has lain there for 30 days goes for good."""

    def restore(self, deleted_id: str) -> StyleModel:
        """Put a model back, with a number behind its name where that was taken meanwhile; raise MODEL_NOT_FOUND."""

    def delete_for_good(self, deleted_id: str = "") -> None:
        """Delete one model of the trash, or all of them."""

    def details(self, name: str) -> ModelDetails:
        """Return what a model's bundle says of its making; raise MODEL_NOT_FOUND, MODEL_DAMAGED."""

    def list_details(self) -> Sequence[ModelDetails]:
        """Return the details of every model on the shelf."""

    def note_use(self, record: UseRecord) -> None:
        """Remember that a model came into use."""

    def list_uses(self) -> Sequence[UseRecord]:
        """Return which model came into use when, oldest first, by the names that they have now."""

    def export(
        self,
        name: str,
        form: ExportForm,
        target: Path,
        progress: Progress | None = None,
        *,
        overwrite: bool = False,
    ) -> Path:
        """Write a model to ``target``, a folder or (by its suffix) a zip, whole or not at all; return the path.

        Raise MODEL_..., FILE_EXISTS, NOT_WRITABLE, DISK_FULL, and what making a portable graph raises.
        """

    def take_in(self, source: Path, name: str | None = None, progress: Progress | None = None) -> StyleModel:
        """Import a folder or a zip of either kind under a name that is free.

        Raise MODEL_FOLDER_BAD, MODEL_ARCHIVE_BAD, MODEL_DAMAGED, MODEL_NAME_BAD, MODEL_NAME_TAKEN, DISK_FULL.
        """

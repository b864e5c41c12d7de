"""What can be done with models beside writing: rename, delete and bring back, remember, take in and give out."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import shutil
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.model_shelf import DeletedModel, ExportForm, ModelDetails, UseRecord
from storydesk.domain.style_model import StyleModel
from storydesk.services.atomic_file import explain_error, make_folder, sync_folder, write_atomically
from storydesk.services.ports import Progress
from storydesk.storage.bundle import read_bundle
from storydesk.storage.model_archive import is_archive, unpack
from storydesk.storage.model_export import MakePortable, ModelExport, make_portable, read_card
from storydesk.storage.model_library import BundleLibrary, explain_move
from storydesk.storage.model_names import is_fit, make_key
from storydesk.storage.starter import STARTER
from storydesk.storage.weights_folder import refuse
from trainer.protocol.manifest import MANIFEST_NAME, Manifest, encode_manifest, fingerprint_weights

KEPT_SECONDS = 30 * 24 * 3600


class BundleShelf:
    """Implements ModelShelf over a BundleLibrary's folder. Any thread; several processes may share it.

    Every change is one rename of a folder: whatever breaks off before it or after it, each model is where it was or
    where it should be. What a rename needs beside it is written before, and means nothing until then.
    """

    def __init__(
        self,
        library: BundleLibrary,
        models: Path,
        portable: MakePortable = make_portable,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Work on the models that ``library`` keeps in ``models``."""
        self._library = library
        self._models = models
        self._trash = models / ".deleted"
        self._portable = portable
        self._now = now

    @property
    def folder(self) -> Path:
        """Where the models lie."""
        return self._models

    def find_name(self, name: str) -> str:
        """Return what a model is called now that was once called ``name``; ``name`` itself where nobody knows."""
        return self._library.notes.follow(name, {STARTER, *self._library.list_names()})

    def rename(self, name: str, new: str) -> StyleModel:
        """Give a model another name; the old one goes on finding it."""
        self._refuse_starter(name)
        new = unicodedata.normalize("NFC", new.strip())
        with self._library.lock_shelf():
            found, folder = self._library.find_folder(name)
            if new == found:
                return self._library.get(found)
            if make_key(new) != make_key(found):
                self._library.require_free(new)
            elif not is_fit(new):
                raise StorydeskError(FailureCode.MODEL_NAME_BAD, name=new)
            manifest = read_bundle(folder, found)
            # Each of these means nothing before the folder has its new name, and may be done again.
            self._library.notes.add_rename(found, new)
            text = encode_manifest(dataclasses.replace(manifest, name=new))
            write_atomically(folder / MANIFEST_NAME, text.encode("utf-8"))
            with explain_move(new, folder):
                folder.rename(self._models / new)
            sync_folder(self._models)
        self._library.forget_verified(found)
        return self._library.get(new)

    def delete(self, name: str) -> DeletedModel:
        """Put a model into the shelf's trash."""
        self._refuse_starter(name)
        with self._library.lock_shelf():
            found, folder = self._library.find_folder(name)
            place = make_folder(self._trash / f"{int(self._now())}-{secrets.token_hex(6)}")
            try:
                with explain_move(found, folder):
                    folder.rename(place / found)
            except StorydeskError:
                with contextlib.suppress(OSError):
                    place.rmdir()
                raise
            sync_folder(self._models)
            with contextlib.suppress(StorydeskError):
                self._library.notes.drop_rename(found)
        self._library.forget_verified(found)
        return self._describe_deleted(place, place / found)

    def list_deleted(self) -> Sequence[DeletedModel]:
        """Return what is in the trash, the last first; what has lain there for 30 days goes for good."""
        found = [self._describe_deleted(place, model) for place, model in self._walk_trash()]
        oldest = self._now() - KEPT_SECONDS
        for old in [each for each in found if each.deleted < oldest]:
            with contextlib.suppress(StorydeskError):
                self.delete_for_good(old.id)
        return sorted((each for each in found if each.deleted >= oldest), key=lambda each: -each.deleted)

    def restore(self, deleted_id: str) -> StyleModel:
        """Put a model back, with a number behind its name where that was taken meanwhile."""
        with self._library.lock_shelf():
            place, model = self._find_deleted(deleted_id)
            name = self._library.free_name(model.name)
            with explain_move(name, model):
                model.rename(self._models / name)
            sync_folder(self._models)
            with contextlib.suppress(OSError):
                place.rmdir()
        self._library.forget_verified(name)
        return self._library.get(name)

    def delete_for_good(self, deleted_id: str = "") -> None:
        """Delete one model of the trash, or all of them."""
        with self._library.lock_shelf():
            wanted = [self._find_deleted(deleted_id)] if deleted_id else list(self._walk_trash())
            for place, model in wanted:
                with explain_move(model.name, model):
                    self._library.throw_away(model)
                shutil.rmtree(place, ignore_errors=True)
            if not deleted_id:
                shutil.rmtree(self._trash, ignore_errors=True)  # empty places that a broken-off delete left

    def details(self, name: str) -> ModelDetails:
        """Return what a model's bundle says of its making."""
        present = STARTER if make_key(name) == STARTER else name
        listed = {model.name: model for model in self._library.list_models()}
        present = present if present in listed else self._library.find_folder(present)[0]
        if present not in listed:
            return self._describe(self._library.get(present))  # raises with what is wrong with it
        return self._describe(listed[present])

    def list_details(self) -> Sequence[ModelDetails]:
        """Return the details of every model on the shelf."""
        return [self._describe(model) for model in self._library.list_models()]

    def note_use(self, record: UseRecord) -> None:
        """Remember that a model came into use; where nothing can be written, that is done without."""
        with contextlib.suppress(StorydeskError), self._library.lock_shelf():
            self._library.notes.add_use(record)

    def list_uses(self) -> Sequence[UseRecord]:
        """Return which model came into use when, oldest first, by the names that they have now."""
        there = {STARTER, *self._library.list_names()}
        notes = self._library.notes
        return [dataclasses.replace(each, name=notes.follow(each.name, there)) for each in notes.list_uses()]

    def export(
        self,
        name: str,
        form: ExportForm,
        target: Path,
        progress: Progress | None = None,
        *,
        overwrite: bool = False,
    ) -> Path:
        """Write a model to ``target``, a folder or (by its suffix) a zip, whole or not at all."""
        model = self._library.get(name)
        export = ModelExport(model, read_bundle(model.folder, model.name), progress)
        if form is not ExportForm.ONNX or export.has_portable:
            return export.write(form, target, overwrite=overwrite)
        export.refuse(target, overwrite=overwrite)  # before minutes are spent on the graph
        with self._library.temporary_folder() as temporary:
            bundle = temporary / "portable"
            self._portable(model.folder, bundle, model.name, export.report_making)
            return export.write(form, target, overwrite=overwrite, portable=bundle / "portable")

    def take_in(self, source: Path, name: str | None = None, progress: Progress | None = None) -> StyleModel:
        """Import a folder or a zip of either kind under a name that is free."""
        if name is not None:
            self._library.require_free(name)
        if source.is_file() and source.name in (MANIFEST_NAME, "config.json", "model.safetensors"):
            source = source.parent
        if source.is_dir() or not source.exists():
            return self._library.add_folder(source, name, progress)
        if not is_archive(source):
            raise refuse(source, "it is neither a folder nor a zip")
        with self._library.temporary_folder() as temporary:
            root = unpack(source, make_folder(temporary / "unpacked"), progress)
            if (root / MANIFEST_NAME).is_file():
                manifest = read_bundle(root, source.stem)
                _drop_unlisted(root, manifest)
                return self._library.take_bundle(root, manifest, name)
            wanted = source.stem if root.parent == temporary else root.name
            return self._library.add_folder(root, name, progress, wanted=wanted)

    def _describe(self, model: StyleModel) -> ModelDetails:
        try:
            manifest = read_bundle(model.folder, model.name)
        except StorydeskError:  # the starter before its graphs are built, or a model that has just gone
            return ModelDetails(model)
        return ModelDetails(
            dataclasses.replace(model, lineage=tuple(self.find_name(name) for name in model.lineage)),
            fingerprint_weights(manifest.files),
            manifest.parent,
            dict(manifest.data),
            dict(manifest.settings),
            read_card(model.folder),
        )

    def _refuse_starter(self, name: str) -> None:
        if make_key(name) == STARTER:
            raise StorydeskError(FailureCode.MODEL_BUILT_IN, name=name)

    def _walk_trash(self) -> Iterator[tuple[Path, Path]]:
        """Yield each place of the trash and the model's folder in it."""
        with contextlib.suppress(OSError):
            for place in sorted(self._trash.iterdir()):
                if place.is_dir() and not place.is_symlink():
                    for model in place.iterdir():
                        if is_fit(unicodedata.normalize("NFC", model.name)) and model.is_dir():
                            yield place, model

    def _find_deleted(self, deleted_id: str) -> tuple[Path, Path]:
        for place, model in self._walk_trash():
            if place.name == deleted_id:
                return place, model
        raise StorydeskError(FailureCode.MODEL_NOT_FOUND, name=deleted_id)

    def _describe_deleted(self, place: Path, model: Path) -> DeletedModel:
        when = place.name.partition("-")[0]
        size = 0
        with contextlib.suppress(OSError):
            size = sum(path.stat().st_size for path in model.rglob("*") if path.is_file())
        return DeletedModel(place.name, model.name, float(when) if when.isdecimal() else 0.0, size)


def _drop_unlisted(root: Path, manifest: Manifest) -> None:
    """Leave nothing in a bundle that its manifest does not vouch for."""
    try:
        for path in root.rglob("*"):
            listed = path.relative_to(root).as_posix()
            if path.is_file() and listed != MANIFEST_NAME and listed not in manifest.files:
                path.unlink()
    except OSError as error:
        raise explain_error(error, root) from error

"""The shelf of models: folders of verified bundles, and the starter that is built from shipped weights at first use."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import hashlib
import logging
import secrets
import shutil
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.services.atomic_file import explain_error, make_folder, write_atomically
from storydesk.services.file_lock import FileLock
from storydesk.services.ports import Progress
from storydesk.storage.bundle import BundleError, check_file, explain_damage, make_style_model, read_bundle
from storydesk.storage.bundle_builder import Builder, build_bundle
from storydesk.storage.copying import copy_file
from storydesk.storage.hub import HubSource
from storydesk.storage.model_names import find_free, is_fit, make_fit, make_key
from storydesk.storage.shelf_notes import ShelfNotes
from storydesk.storage.starter import LICENCE, ORIGIN, STARTER, StarterStamp, describe_unbuilt
from storydesk.storage.verified_files import VerifiedFiles
from storydesk.storage.weights_folder import check_weights_folder, refuse
from trainer.protocol.manifest import MANIFEST_NAME, Manifest, encode_manifest

_STALE_SECONDS = 30 * 24 * 3600
_ATTEMPTS = 5
_LOG = logging.getLogger(__name__)


class BundleLibrary:
    """Implements ModelLibrary over a folder of bundles. Any thread; several processes may share the folder.

    What begins with a dot in the folder is this class's own: staging, trash, locks, and what was verified when.
    """

    def __init__(
        self,
        models: Path,
        built_in: Path,
        builder: Builder = build_bundle,
        hub: HubSource | None = None,
        wanted: Callable[[str], str] = lambda _name: "",
    ) -> None:
        """Keep models in ``models``; ``built_in`` holds the starter's weights. Nothing is read or made yet.

        ``wanted`` says which precision was asked for a model, "" where none was.
        """
        self._wanted = wanted
        self._models = models
        self._built_in = built_in
        self._build = builder
        self._hub = hub or HubSource(models / ".fetched")
        self._verified = VerifiedFiles(models / ".verified.json")
        self._lock = threading.RLock()
        self.notes = ShelfNotes(models / ".shelf.json")
        """Old names and uses; changed under ``lock_shelf``."""

    def list_models(self) -> Sequence[StyleModel]:
        """Return the models that can be used, built-in first, then by date.

        The starter stands in the list before its graphs are built; ``get`` builds them.
        """
        found = []
        for name, folder in self._list_folders().items():
            if name == STARTER:
                continue
            try:
                found.append(self._describe(folder, name, read_bundle(folder, name)))
            except StorydeskError as error:
                _LOG.warning("the model in %s is passed over: %s", folder, error)
        found.sort(key=lambda model: (model.created, model.name))
        return [self._describe_starter(), *found]

    def get(self, name: str) -> StyleModel:
        """Return a model, building the starter's graphs at first use; raise MODEL_NOT_FOUND, MODEL_DAMAGED."""
        if make_key(name) == STARTER:
            return self._get_starter()
        return self._check(*self.find_folder(name))

    def verify(self, name: str) -> StyleModel:
        """Check every file's checksum; raise MODEL_DAMAGED."""
        if make_key(name) == STARTER:
            self._get_starter()
            name = STARTER
        return self._check(*self.find_folder(name), anew=True)

    def install(self, bundle: Path) -> StyleModel:
        """Take in a finished bundle (renamed where possible); raise MODEL_DAMAGED, MODEL_NAME_TAKEN, DISK_FULL."""
        manifest = read_bundle(bundle, bundle.name)
        name = manifest.name
        self.require_free(name)
        checked = self._hash_all(bundle, name, manifest)
        target = make_folder(self._models) / name
        with self.lock_shelf():
            self.require_free(name)
            try:
                _move(bundle, target, self._make_staging())
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    raise StorydeskError(FailureCode.MODEL_NAME_TAKEN, name=name) from error
                raise explain_error(error, target) from error
        self._verified.remember(name, target, checked)
        return self._describe(target, name, manifest)

    def add_folder(
        self, folder: Path, name: str | None = None, progress: Progress | None = None, *, wanted: str = ""
    ) -> StyleModel:
        """Build and install a model from a GPT-2 folder; raise MODEL_FOLDER_BAD, MODEL_NAME_TAKEN.

        A folder that is a bundle already is copied and verified. Without a ``name`` the model is called as ``wanted``,
        or as its bundle or folder, with a number behind it where that is taken.
        """
        if name is not None:
            self.require_free(name)
        if not folder.is_dir():
            raise refuse(folder, "there is no such folder")
        progress = progress or _say_nothing
        if (folder / MANIFEST_NAME).is_file():
            return self._add_bundle(folder, name, progress)
        check_weights_folder(folder)
        called = wanted or folder.resolve().name
        origin = f"added from {called}"
        return self._build_and_install(folder.resolve(), name or self.free_name(called), origin, "unknown", progress)

    def hub_models(self) -> Sequence[HubModel]:
        """Return what can be fetched."""
        return self._hub.models

    def fetch(self, hub_id: str, progress: Progress | None = None) -> StyleModel:
        """Download, check, build and install; a broken download resumes; raise HUB_..., MODEL_NAME_TAKEN.

        A model that was fetched before is returned as it is.
        """
        model = self._hub.find(hub_id)
        origin = f"{model.repository}@{model.revision[:12]}"
        if hub_id in self._list_folders():
            installed = self.get(hub_id)
            if installed.origin == origin:
                return installed
        self.require_free(hub_id)
        folder = self._hub.fetch(model, progress)
        report = progress or _say_nothing
        try:
            check_weights_folder(folder)
        except StorydeskError:
            self._hub.forget(model)  # the rest of what came is no GPT-2: the next try begins anew
            raise
        size = model.weight_bytes  # all of it is here: building it shows as that, and can be cancelled

        def still_there(_done: int, _total: int) -> None:
            report(size, size)

        fetched = self._build_and_install(folder, hub_id, origin, model.licence, still_there)
        self._hub.forget(model)
        return fetched

    def remove(self, name: str) -> None:
        """Delete an installed model; raise MODEL_BUILT_IN, MODEL_NOT_FOUND, MODEL_IN_USE."""
        if make_key(name) == STARTER:
            raise StorydeskError(FailureCode.MODEL_BUILT_IN, name=name)
        with self.lock_shelf():
            found, folder = self.find_folder(name)
            with explain_move(found, folder):
                self.throw_away(folder)
            self.notes.drop_rename(found)
        self._verified.forget(found)

    def free_name(self, wanted: str) -> str:
        """Return ``wanted`` made fit for a folder, with a number behind it where it is taken."""
        return find_free(wanted, self._list_taken())

    def staging_folder(self) -> Path:
        """Return a folder on the models' disk where a new bundle may be written before it is installed."""
        staging = self._make_staging()
        with contextlib.suppress(StorydeskError):
            self._sweep()
        return staging

    def _make_staging(self) -> Path:
        return make_folder(self._models / ".staging")

    def _sweep(self) -> None:
        """Delete what broken-off jobs left long ago; a run that can still go on is younger."""
        oldest = time.time() - _STALE_SECONDS
        with contextlib.suppress(OSError):
            for left_over in [*(self._models / ".staging").iterdir(), *self._models.glob(".trash-*")]:
                if left_over.name.startswith(".trash-") or left_over.stat().st_mtime < oldest:
                    shutil.rmtree(left_over, ignore_errors=True)
                    with contextlib.suppress(OSError):
                        left_over.unlink(missing_ok=True)

    def _list_folders(self) -> dict[str, Path]:
        """Return the folders that may hold a model, by name."""
        folders = {}
        with contextlib.suppress(OSError):
            for folder in self._models.iterdir():
                name = unicodedata.normalize("NFC", folder.name)
                if is_fit(name) and folder.is_dir() and not folder.is_symlink():
                    folders[name] = folder
        return folders

    def _list_taken(self) -> list[str]:
        """Return the names that no new model can have: whatever the system would not let stand beside it."""
        taken = [STARTER]
        with contextlib.suppress(OSError):
            taken += [path.name for path in self._models.iterdir()]
        return taken

    def list_names(self) -> list[str]:
        """Return the names of the folders that may hold a model."""
        return list(self._list_folders())

    def find_folder(self, name: str) -> tuple[str, Path]:
        """Return a model's name and folder, by an old name of it as well; raise MODEL_NOT_FOUND."""
        folders = self._list_folders()
        present = self.notes.follow(unicodedata.normalize("NFC", name), {*folders})
        if present in folders:
            return present, folders[present]
        raise StorydeskError(FailureCode.MODEL_NOT_FOUND, name=name)

    def lock_shelf(self) -> FileLock:
        """Return the lock that whoever moves folders or changes the notes holds, in this process and any other."""
        return FileLock(self._models / ".shelf.lock")

    def forget_verified(self, name: str) -> None:
        """Hash a model's files again when it is next wanted: another model may get its name."""
        self._verified.forget(name)

    def require_free(self, name: str) -> None:
        """Raise MODEL_NAME_BAD or MODEL_NAME_TAKEN for a name that no new model can have."""
        if not is_fit(name):
            raise StorydeskError(FailureCode.MODEL_NAME_BAD, name=name)
        if make_key(name) in map(make_key, self._list_taken()):
            raise StorydeskError(FailureCode.MODEL_NAME_TAKEN, name=name)

    def _check(self, name: str, folder: Path, *, anew: bool = False) -> StyleModel:
        """Return the model after hashing what has changed since it was last hashed, or everything ``anew``."""
        manifest = read_bundle(folder, name)
        if anew or not self._verified.holds(name, folder, manifest):
            self._verified.remember(name, folder, self._hash_all(folder, name, manifest))
        return self._describe(folder, name, manifest)

    def _describe(self, folder: Path, name: str, manifest: Manifest) -> StyleModel:
        built_in = name == STARTER
        return make_style_model(folder, name, manifest, built_in=built_in, wanted=self._wanted(name))

    def _hash_all(self, folder: Path, name: str, manifest: Manifest) -> Manifest:
        with explain_damage(name):
            for path, entry in manifest.files.items():
                place = check_file(folder, path, entry)
                with place.open("rb") as stream:
                    if hashlib.file_digest(stream, "sha256").hexdigest() != entry.sha256:
                        raise BundleError(f"{path} is damaged")
        return manifest

    def _add_bundle(self, folder: Path, name: str | None, progress: Progress) -> StyleModel:
        manifest = read_bundle(folder, name or folder.resolve().name)
        total = sum(entry.bytes for entry in manifest.files.values())
        done = 0
        with self.temporary_folder() as temporary:
            copy = temporary / (name or make_fit(manifest.name))
            try:
                for path, entry in manifest.files.items():
                    (copy / path).parent.mkdir(parents=True, exist_ok=True)
                    copy_file(folder / path, copy / path, functools.partial(_report_part, progress, done, total))
                    done += entry.bytes
            except OSError as error:
                raise explain_error(error, copy) from error
            return self.take_bundle(copy, manifest, name)

    def take_bundle(self, copy: Path, manifest: Manifest, name: str | None) -> StyleModel:
        """Install a bundle that is ours to move, under ``name`` or a free one like the manifest's.

        Another process may take a free name meanwhile: then the next one is tried.
        """
        for attempt in range(_ATTEMPTS):
            chosen = name or self.free_name(manifest.name)
            text = encode_manifest(dataclasses.replace(manifest, name=chosen))
            write_atomically(copy / MANIFEST_NAME, text.encode("utf-8"))
            try:
                return self.install(copy)
            except StorydeskError as error:
                if name or error.failure.code != FailureCode.MODEL_NAME_TAKEN or attempt == _ATTEMPTS - 1:
                    raise
        raise AssertionError("unreachable")

    def _build_and_install(
        self, weights: Path, name: str, origin: str, licence: str, progress: Progress | None = None
    ) -> StyleModel:
        with self.temporary_folder() as temporary:
            self._build(weights, temporary / name, name, origin, licence, progress)
            return self.install(temporary / name)

    @contextlib.contextmanager
    def temporary_folder(self) -> Iterator[Path]:
        """Yield an empty folder on the models' disk that goes away with everything in it."""
        folder = make_folder(self._make_staging() / secrets.token_hex(6))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def throw_away(self, folder: Path) -> None:
        """Rename first, so that a model is there or not and never half; raise OSError."""
        trash = self._models / f".trash-{secrets.token_hex(6)}"
        folder.rename(trash)
        shutil.rmtree(trash, ignore_errors=True)

    def _get_starter(self) -> StyleModel:
        """Return the starter; build its graphs where they are missing, damaged or made from other weights."""
        folder = self._models / STARTER
        stamp = StarterStamp(self._models / ".starter.json", self._built_in)
        with self._lock:
            ready = self._find_ready_starter(folder, stamp)
            if ready is None:
                make_folder(self._models)
                with FileLock(self._models / ".starter.lock"):  # another process may be building it
                    ready = self._find_ready_starter(folder, stamp)
                    if ready is None:
                        self._build_starter(folder, stamp)
                        ready = self._check(STARTER, folder)
            return ready

    def _find_ready_starter(self, folder: Path, stamp: StarterStamp) -> StyleModel | None:
        if not folder.is_dir() or not stamp.fits():
            return None
        with contextlib.suppress(StorydeskError):
            return self._check(STARTER, folder)
        return None

    def _build_starter(self, folder: Path, stamp: StarterStamp) -> None:
        check_weights_folder(self._built_in)
        with self.temporary_folder() as temporary:
            bundle = temporary / STARTER
            self._build(self._built_in, bundle, STARTER, ORIGIN, LICENCE)
            read_bundle(bundle, STARTER)
            try:
                if folder.exists():
                    self.throw_away(folder)
                bundle.rename(folder)
            except PermissionError as error:
                raise StorydeskError(FailureCode.MODEL_IN_USE, name=STARTER) from error
            except OSError as error:
                raise explain_error(error, folder) from error
        stamp.write()

    def _describe_starter(self) -> StyleModel:
        """Return the starter as far as it is known without building it."""
        folder = self._models / STARTER
        with contextlib.suppress(StorydeskError):
            return self._describe(folder, STARTER, read_bundle(folder, STARTER))
        return describe_unbuilt(self._built_in, folder)


class explain_move(contextlib.AbstractContextManager[None]):  # noqa: N801 - used as a word in front of a block
    """Turn what moving a model's folder may raise into a StorydeskError."""

    def __init__(self, name: str, folder: Path) -> None:
        """Name the model that the failure speaks of."""
        self._name, self._folder = name, folder

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise the failure in the error's place."""
        if isinstance(error, FileNotFoundError):
            raise StorydeskError(FailureCode.MODEL_NOT_FOUND, name=self._name) from error
        if isinstance(error, PermissionError):  # Windows: a graph of it is open
            raise StorydeskError(FailureCode.MODEL_IN_USE, name=self._name) from error
        if isinstance(error, OSError):
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                raise StorydeskError(FailureCode.MODEL_NAME_TAKEN, name=self._name) from error
            raise explain_error(error, self._folder) from error


def _report_part(progress: Progress, before: int, total: int, count: int) -> None:
    progress(before + count, total)


def _say_nothing(_done: int, _total: int) -> None:
    """Be told, and go on."""


def _move(bundle: Path, target: Path, staging: Path) -> None:
    """Rename a bundle, or copy it whole to the same disk first where it is on another; raise OSError."""
    try:
        bundle.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy = staging / secrets.token_hex(6)
        try:
            shutil.copytree(bundle, copy)
            copy.rename(target)
        finally:
            shutil.rmtree(copy, ignore_errors=True)
        shutil.rmtree(bundle, ignore_errors=True)

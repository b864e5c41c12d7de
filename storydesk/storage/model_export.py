"""A model on its way out: whole for another Storydesk, as a Hugging Face folder, or as a graph for other tools."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.model_shelf import ExportForm
from storydesk.domain.style_model import StyleModel
from storydesk.services.atomic_file import (
    explain_error,
    make_folder,
    refuse_existing,
    sync_folder,
    write_atomically,
)
from storydesk.services.ports import Progress
from storydesk.storage.bundle import WEIGHTS
from storydesk.storage.bundle_builder import build_bundle
from storydesk.storage.copying import copy_file, copy_stream
from trainer.protocol.manifest import MANIFEST_NAME, Manifest

CARD = "README.md"
_PORTABLE = "portable"
_LONGEST_CARD = 1 << 18
_LICENCES = {"mit": "mit", "apache-2.0": "apache-2.0", "cc0": "cc0-1.0", "cc0-1.0": "cc0-1.0", "cc-by-4.0": "cc-by-4.0"}
_MAKING, _COPYING = 0.9, 0.1

MakePortable = Callable[[Path, Path, str, Progress], None]
"""Makes a bundle with a portable graph: the model's bundle, the new folder, a name, progress."""


def make_portable(model: Path, bundle: Path, name: str, progress: Progress) -> None:
    """Let the trainer export the graph in standard operators; it needs torch and takes minutes for large models."""
    build_bundle(model, bundle, name, "", "", progress, portable=True)


def read_card(folder: Path) -> str:
    """Return a bundle's model card, "" where it has none; only so much of it as somebody would read."""
    with contextlib.suppress(OSError):
        place = folder / CARD
        if place.is_file() and not place.is_symlink():
            with place.open("rb") as stream:
                return stream.read(_LONGEST_CARD).decode("utf-8", "replace")
    return ""


class ModelExport:
    """Writes one model out. One thread; ``progress`` hears thousandths and may raise to break off."""

    def __init__(self, model: StyleModel, manifest: Manifest, progress: Progress | None = None) -> None:
        """Prepare; nothing is written yet."""
        self._model = model
        self._manifest = manifest
        self._progress = progress
        self._begun = 0.0

    @property
    def has_portable(self) -> bool:
        """Whether the bundle holds the graph for other tools already."""
        return any(graph.precision == _PORTABLE for graph in self._manifest.graphs)

    def report_making(self, done: int, total: int) -> None:
        """Hear how far the making of the graph is; it takes most of the time."""
        self._begun = _MAKING
        self._say(_MAKING * done / total if total else 0.0)

    def refuse(self, target: Path, *, overwrite: bool) -> None:
        """Raise FILE_EXISTS where something is in the way that is not to be written over."""
        if not overwrite and not (target.is_dir() and not any(target.iterdir())):
            refuse_existing(target)

    def write(self, form: ExportForm, target: Path, *, overwrite: bool = False, portable: Path | None = None) -> Path:
        """Write everything beside ``target`` and rename it; return the path.

        ``portable`` is the folder of a graph that was made for this. Raises StorydeskError(FILE_EXISTS, DISK_FULL,
        NOT_WRITABLE) and what ``progress`` raises; nothing is left then.
        """
        target = target.absolute()
        self.refuse(target, overwrite=overwrite)
        files = self._list_files(form, portable)
        texts = {} if form is ExportForm.STORYDESK else {CARD: self._write_card(form)}
        if form is ExportForm.STORYDESK:
            files[MANIFEST_NAME] = self._model.folder / MANIFEST_NAME
        if target.suffix.lower() == ".zip":
            make_folder(target.parent)
            write_atomically(target, lambda stream: self._write_zip(stream, files, texts), overwrite=overwrite)
        else:
            self._write_folder(target, files, texts, overwrite=overwrite)
        return target

    def _list_files(self, form: ExportForm, portable: Path | None) -> dict[str, Path]:
        """Return what goes out, by its path there."""
        folder = self._model.folder
        if form is ExportForm.STORYDESK:
            return {path: folder / path for path in self._manifest.files}
        if portable is not None:
            return {
                path.relative_to(portable).as_posix(): path for path in sorted(portable.rglob("*")) if path.is_file()
            }
        part = f"{WEIGHTS if form is ExportForm.HUGGING_FACE else _PORTABLE}/"
        return {
            path.removeprefix(part): folder / path
            for path in self._manifest.files
            if path.startswith(part) and path != f"{part}{CARD}"
        }

    def _write_folder(
        self, target: Path, files: Mapping[str, Path], texts: Mapping[str, str], *, overwrite: bool
    ) -> None:
        make_folder(target.parent)
        partial = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}.partial")
        try:
            partial.mkdir()
            tell = self._make_teller(files)
            for path, source in files.items():
                place = partial.joinpath(*PurePosixPath(path).parts)
                place.parent.mkdir(parents=True, exist_ok=True)
                copy_file(source, place, tell(path))
            for path, text in texts.items():
                write_atomically(partial / path, text.encode("utf-8"))
            for folder in [each for each in partial.rglob("*") if each.is_dir()]:
                sync_folder(folder)
            sync_folder(partial)
            _put_in_place(partial, target, overwrite=overwrite)
            sync_folder(target.parent)
        except OSError as error:
            raise explain_error(error, target) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _write_zip(self, stream: BinaryIO, files: Mapping[str, Path], texts: Mapping[str, str]) -> None:
        """Write the files stored as they are, in one folder: weights hardly pack, and take their time over it."""
        tell = self._make_teller(files)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
            for path, source in files.items():
                entry = zipfile.ZipInfo.from_file(source, f"{self._model.name}/{path}", strict_timestamps=False)
                with source.open("rb") as reading, archive.open(entry, "w") as writing:
                    copy_stream(reading, cast("BinaryIO", writing), tell(path))
            for path, text in texts.items():
                archive.writestr(f"{self._model.name}/{path}", text)

    def _make_teller(self, files: Mapping[str, Path]) -> Callable[[str], Callable[[int], None]]:
        sizes = {path: source.stat().st_size for path, source in files.items()}
        total = max(sum(sizes.values()), 1)
        before: dict[str, int] = {}
        so_far = 0
        for path, size in sizes.items():
            before[path] = so_far
            so_far += size

        def tell(path: str) -> Callable[[int], None]:
            return lambda count: self._say(self._begun + (1 - self._begun) * (before[path] + count) / total)

        return tell

    def _say(self, share: float) -> None:
        if self._progress is not None:
            self._progress(round(min(share, 1.0) * 1000), 1000)

    def _write_card(self, form: ExportForm) -> str:
        """Return the card with the head that the hub reads, under the name that the model has now."""
        name = self._model.name
        card = read_card(self._model.folder) or f"# {name}\n\nA GPT-2 model, {self._model.origin}.\n"
        card = re.sub(r"\A---\n.*?\n---\n", "", card, flags=re.DOTALL)
        card = re.sub(r"\A\s*# [^\n]*", lambda _: f"# {name}", card)
        licence = _LICENCES.get(self._model.licence.lower(), "other")
        library = "onnx" if form is ExportForm.ONNX else "transformers"
        head = [
            "---",
            "language: en",
            f"license: {licence}",
            f"library_name: {library}",
            "pipeline_tag: text-generation",
        ]
        head += ["tags:", "- gpt2", "- storydesk", "---", ""]
        return "\n".join(head) + "\n" + card.strip() + "\n\n" + _say_how(form)


def _say_how(form: ExportForm) -> str:
    if form is ExportForm.ONNX:
        return (
            "## How to load it\n\nThe graph `model.onnx` uses ONNX's standard operators.\n\n```python\n"
            "from optimum.onnxruntime import ORTModelForCausalLM\n"
            'model = ORTModelForCausalLM.from_pretrained("path/to/this/folder")\n```\n'
        )
    return (
        "## How to load it\n\n```python\nfrom transformers import AutoTokenizer, GPT2LMHeadModel\n"
        'tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")\n'
        'model = GPT2LMHeadModel.from_pretrained("path/to/this/folder")\n```\n'
    )


def _put_in_place(partial: Path, target: Path, *, overwrite: bool) -> None:
    """Rename; what stood there goes only once the new is there."""
    if target.is_dir() and not any(target.iterdir()):
        target.rmdir()  # an empty folder that the writer made for this
    if not target.exists():
        partial.rename(target)
        return
    if not overwrite:
        raise StorydeskError(FailureCode.FILE_EXISTS, path=str(target))
    aside = target.with_name(f".{target.name[:60]}.{secrets.token_hex(4)}.old")
    target.rename(aside)
    try:
        partial.rename(target)
    except OSError:
        aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)
    with contextlib.suppress(OSError):
        aside.unlink()

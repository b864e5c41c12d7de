"""A model bundle on disk, read as if a stranger had made it: every path, number and type is checked."""

from __future__ import annotations

import contextlib
import math
import re
from pathlib import Path, PurePosixPath

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.style_model import StyleModel
from storydesk.storage.graph_choice import choose_graph, read_memory
from trainer.protocol.failures import TrainerError
from trainer.protocol.manifest import MANIFEST_NAME, FileEntry, Manifest, ManifestError, decode_manifest

WEIGHTS = "weights"
_LARGEST_MANIFEST = 8 << 20
_LARGEST_FILE = 1 << 50
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NEEDED = (f"{WEIGHTS}/config.json", f"{WEIGHTS}/tokenizer.json")
_LIMITS = {
    "layers": (1, 1000),
    "heads": (1, 1000),
    "width": (1, 100_000),
    "positions": (2, 1_000_000),
    "vocabulary": (2, 10_000_000),
    "end_token_id": (0, 10_000_000),
}


class BundleError(Exception):
    """A bundle is not what it should be; the text says how."""


def read_bundle(folder: Path, name: str) -> Manifest:
    """Return the manifest of a bundle after checking all that it says, hashes excepted.

    Raises StorydeskError(MODEL_DAMAGED) under ``name``, or the trainer's failure for a manifest that is too new.
    """
    with explain_damage(name):
        manifest = _read_manifest(folder)
        _check_values(manifest)
        for path, entry in manifest.files.items():
            check_file(folder, path, entry)
        return manifest


def check_file(folder: Path, path: str, entry: FileEntry) -> Path:
    """Return the file that an entry describes; raise BundleError where it is not inside, not there or off in size."""
    parts = PurePosixPath(path).parts
    outside = path.startswith("/") or not parts or any(part in ("..", ".") for part in parts)
    if outside or re.search(r"[\\:\0]", path) or "/".join(parts) != path:
        raise BundleError(f"{path[:80]!r} is no path inside it")
    place = folder
    for part in parts:
        place = place / part
        if place.is_symlink():
            raise BundleError(f"{path} is a link")
    if not place.is_file():
        raise BundleError(f"{path} is missing")
    if place.stat().st_size != entry.bytes:
        raise BundleError(f"{path} has the wrong size")
    return place


def make_style_model(folder: Path, name: str, manifest: Manifest, *, built_in: bool, wanted: str = "") -> StyleModel:
    """Return the model in a bundle that was read by ``read_bundle``, with the graph that was wanted or fits."""
    graphs = {graph.precision: folder / graph.path for graph in manifest.graphs}
    choice = choose_graph(manifest, wanted, read_memory())
    measures = manifest.architecture
    return StyleModel(
        name=name,
        kind="starter" if built_in else manifest.kind,
        folder=folder,
        weights=folder / WEIGHTS,
        tokenizer=folder / WEIGHTS / "tokenizer.json",
        graph=graphs[choice.precision],
        precision=choice.precision,
        layers=measures.layers,
        heads=measures.heads,
        width=measures.width,
        positions=measures.positions,
        vocabulary=measures.vocabulary,
        end_token_id=measures.end_token_id,
        normaliser=manifest.text_form.normaliser,
        template=manifest.text_form.template,
        licence=manifest.licence,
        origin=manifest.origin,
        created=manifest.created,
        built_in=built_in,
        lineage=manifest.lineage,
        heldout=manifest.heldout,
        bytes=sum(entry.bytes for entry in manifest.files.values()),
        graphs=graphs,
        choice=choice.reason,
        choice_parameters=choice.parameters,
    )


class explain_damage(contextlib.AbstractContextManager[None]):  # noqa: N801 - used as a word in front of a block
    """Turn whatever a stranger's bundle may provoke into StorydeskError(MODEL_DAMAGED)."""

    def __init__(self, name: str) -> None:
        """Name the model that the failure speaks of."""
        self._name = name

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Raise the failure in the error's place."""
        if isinstance(error, TrainerError):
            raise StorydeskError(error.code.value, **error.parameters) from error
        if isinstance(error, BundleError | ManifestError | RecursionError | OverflowError | ValueError | OSError):
            detail = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise StorydeskError(FailureCode.MODEL_DAMAGED, name=self._name, detail=detail) from error


def _read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST_NAME
    if path.is_symlink() or not path.is_file():
        raise BundleError(f"{MANIFEST_NAME} is missing")
    if path.stat().st_size > _LARGEST_MANIFEST:
        raise BundleError(f"{MANIFEST_NAME} is too large")
    return decode_manifest(path.read_text(encoding="utf-8"))


def _check_values(manifest: Manifest) -> None:
    for key, (low, high) in _LIMITS.items():
        value = getattr(manifest.architecture, key)
        _require(type(value) is int and low <= value <= high, f"{key} is no usable number")
    _require(manifest.architecture.end_token_id < manifest.architecture.vocabulary, "end_token_id is no token")
    form = manifest.text_form
    _require(isinstance(form.normaliser, str) and _is_mapping_of(form.template, str), "its text form is unreadable")
    _require(all(math.isfinite(value) for value in manifest.heldout.values()), "its held-out figures are no numbers")
    for path, entry in manifest.files.items():
        fits = type(entry.bytes) is int and 0 <= entry.bytes < _LARGEST_FILE
        _require(fits and isinstance(entry.sha256, str) and _SHA256.fullmatch(entry.sha256) is not None,
                 f"the entry of {path[:80]!r} is unreadable")  # fmt: skip
    for needed in _NEEDED:
        _require(needed in manifest.files, f"{needed} is not listed")
    for graph in manifest.graphs:
        words = isinstance(graph.precision, str) and isinstance(graph.path, str)
        _require(words and graph.path in manifest.files, "a graph is not listed")
        figures = (graph.perplexity, graph.reference_perplexity)
        _require(all(type(each) in (int, float) and math.isfinite(each) for each in figures), "a figure is no number")
    precisions = [graph.precision for graph in manifest.graphs]
    _require(manifest.default_graph in precisions, "its default graph is not there")


def _is_mapping_of(value: object, kind: type) -> bool:
    return isinstance(value, dict) and all(isinstance(part, kind) for item in value.items() for part in item)


def _require(holds: bool, detail: str) -> None:
    if not holds:
        raise BundleError(detail)

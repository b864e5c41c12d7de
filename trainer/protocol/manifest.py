"""A model bundle's manifest: what the model is, its text form, its graphs, and a checksum for every file.

A bundle is a folder::

    manifest.json
    weights/    config.json, model.safetensors, tokenizer.json ...: what tuning starts from
    fast/       fp32.onnx, int8.onnx ...: graphs of ONNX Runtime's own operators, for writing and scoring
    portable/   model.onnx and its configuration: the graph that other tools load
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainer.protocol.codec import check_version

MANIFEST_NAME = "manifest.json"
FORMAT_VERSION = "1.3"
DRIFT = "perplexity_drift"
"""Among the held-out figures: how many times as perplexed a model became by learning choices, over all generations."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """The limits of the network, all from the model's own configuration."""

    layers: int
    heads: int
    width: int
    positions: int
    vocabulary: int
    end_token_id: int


@dataclass(frozen=True, slots=True)
class TextForm:
    """How text meets this model: the normaliser's name and the template's parts (see ``trainer.text``)."""

    normaliser: str
    template: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Graph:
    """One graph file: ``precision`` is ``fp32``, ``fp16``, ``int8``, ``int4`` or ``portable``.

    Figures are those of GraphCompared. ``kernel`` (from 1.1) says how it multiplies: ``float``, ``blocks``, ``rows``
    (blocks for few tokens, whole rows for many), ``mixed`` (some parts at 8 bits), "" where nobody says. Weights that
    do not lie in the graph lie in ``<path>.data``.
    """

    precision: str
    path: str
    reference: str
    largest_difference: float
    perplexity: float
    reference_perplexity: float
    kernel: str = ""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """Size in bytes and SHA-256 of one file of the bundle."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """The whole description of a bundle; ``files`` maps POSIX paths inside it to their checksums.

    ``heldout`` holds ``perplexity_before`` and ``perplexity_after`` for a tuned model, and ``DRIFT`` for one that
    learned from choices. ``lineage`` names the bases, nearest first. ``created`` is ISO 8601 in UTC. ``data`` (from
    1.2) says what text a tuned model has learned from: its SHA-256 and how much there was. ``parent`` (from 1.3) is the
    fingerprint of the weights that it was tuned from.
    """

    name: str
    kind: str
    created: str
    licence: str
    origin: str
    architecture: Architecture
    text_form: TextForm
    graphs: tuple[Graph, ...]
    default_graph: str
    files: Mapping[str, FileEntry]
    lineage: tuple[str, ...] = ()
    run_id: str = ""
    heldout: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    data: Mapping[str, str | int | float | bool] = field(default_factory=dict)
    parent: str = ""


class ManifestError(ValueError):
    """The bundle is not what its manifest says, or the manifest cannot be understood."""


def encode_manifest(manifest: Manifest) -> str:
    """Return the text of ``manifest.json``."""
    return json.dumps({"v": FORMAT_VERSION, **dataclasses.asdict(manifest)}, ensure_ascii=False, indent=2)


def decode_manifest(text: str) -> Manifest:
    """Return the manifest; raise ManifestError where it is damaged, TrainerError(PROTOCOL_TOO_NEW) on its version."""
    try:
        record: dict[str, Any] = json.loads(text)
        check_version(record.pop("v"))
        return Manifest(
            name=str(record["name"]),
            kind=str(record["kind"]),
            created=str(record["created"]),
            licence=str(record["licence"]),
            origin=str(record["origin"]),
            architecture=Architecture(**record["architecture"]),
            text_form=TextForm(**record["text_form"]),
            graphs=tuple(_decode_graph(graph) for graph in record["graphs"]),
            default_graph=str(record["default_graph"]),
            files={str(path): FileEntry(**entry) for path, entry in record["files"].items()},
            lineage=tuple(str(name) for name in record.get("lineage", ())),
            run_id=str(record.get("run_id", "")),
            heldout={str(key): float(value) for key, value in record.get("heldout", {}).items()},
            settings=dict(record.get("settings", {})),
            data=dict(record.get("data", {})),
            parent=str(record.get("parent", "")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ManifestError(f"the manifest cannot be read: {error}") from error


def _decode_graph(record: Mapping[str, Any]) -> Graph:
    """Return a graph's entry; what a newer minor version adds is passed over."""
    known = {each.name for each in dataclasses.fields(Graph)}
    return Graph(**{key: value for key, value in record.items() if key in known})


def read_manifest(bundle: Path) -> Manifest:
    """Return the manifest of a bundle folder; raise ManifestError, also where there is none."""
    try:
        text = (bundle / MANIFEST_NAME).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"no readable {MANIFEST_NAME}: {error}") from error
    return decode_manifest(text)


def checksum_file(path: Path) -> FileEntry:
    """Return size and SHA-256 of a file, read in blocks of one MiB."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
            size += len(block)
    return FileEntry(bytes=size, sha256=digest.hexdigest())


def fingerprint_weights(files: Mapping[str, FileEntry]) -> str:
    """Return the SHA-256 that stands for a bundle's weights whatever it is called; "" where it has none."""
    weights = sorted((path, entry.sha256) for path, entry in files.items() if path.endswith(".safetensors"))
    lines = "".join(f"{path} {sha256}\n" for path, sha256 in weights)
    return hashlib.sha256(lines.encode("utf-8")).hexdigest() if weights else ""


def checksum_tree(bundle: Path) -> dict[str, FileEntry]:
    """Return the entries of every file below ``bundle`` but the manifest itself, by POSIX path."""
    return {
        path.relative_to(bundle).as_posix(): checksum_file(path)
        for path in sorted(bundle.rglob("*"))
        if path.is_file() and path.name != MANIFEST_NAME
    }


def verify_files(bundle: Path, manifest: Manifest, paths: Iterable[str] | None = None) -> None:
    """Check sizes and SHA-256 of all files, or of ``paths``; raise ManifestError naming the first that is off."""
    for path in manifest.files if paths is None else paths:
        entry = manifest.files.get(path)
        target = bundle / path
        if entry is None or not target.resolve().is_relative_to(bundle.resolve()):
            raise ManifestError(f"{path} is not part of the bundle")
        if not target.is_file():
            raise ManifestError(f"{path} is missing")
        if target.stat().st_size != entry.bytes or checksum_file(target) != entry:
            raise ManifestError(f"{path} is damaged")

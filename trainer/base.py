"""The model a run starts from: a bundle of ours or a plain GPT-2 folder, checked before anything is loaded."""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path

from trainer.export.weights import Shape, read_shape, refuse
from trainer.protocol.manifest import (
    DRIFT,
    MANIFEST_NAME,
    Architecture,
    Manifest,
    ManifestError,
    TextForm,
    fingerprint_weights,
    read_manifest,
)
from trainer.text.normaliser import ASCII, NAMES
from trainer.text.template import Template

LEAST_DRIFT = 0.95
"""What generations gained on stories is there for the next to spend on choices, up to this."""

_BYTES = {"F32": 4, "F16": 2, "BF16": 2}


@dataclass(frozen=True, slots=True)
class Base:
    """Where the weights lie and how text meets them; ``kind`` of number is that of the embedding on disk."""

    name: str
    weights: Path
    shape: Shape
    number: str
    weight_count: int
    normaliser: str
    template: Template
    licence: str
    lineage: tuple[str, ...]
    fingerprint: str = ""
    """Of the weights, where the base is a bundle."""
    drift: float = 1.0
    """How many times as perplexed by held-out stories it became by learning choices, over all generations."""

    @property
    def text_form(self) -> TextForm:
        """Return the text form as a manifest records it."""
        return TextForm(normaliser=self.normaliser, template=self.template.as_mapping())

    @property
    def architecture(self) -> Architecture:
        """Return the limits as a manifest records them."""
        shape = self.shape
        return Architecture(
            layers=shape.layers,
            heads=shape.heads,
            width=shape.width,
            positions=shape.positions,
            vocabulary=shape.vocabulary,
            end_token_id=shape.end_token_id,
        )


def open_base(path: Path) -> Base:
    """Return the base at ``path``; raise TrainerError(BASE_NOT_USABLE) where there is no whole GPT-2."""
    if not path.is_dir():
        raise refuse(path, "there is no such folder")
    name, weights, normaliser, template, licence = path.name, path, ASCII, Template(), "unknown"
    lineage: tuple[str, ...] = ()
    fingerprint, drift = "", 1.0
    if (path / MANIFEST_NAME).is_file():
        try:
            manifest = read_manifest(path)
            template = Template.from_mapping(manifest.text_form.template)
        except (ManifestError, ValueError) as error:
            raise refuse(path, str(error)) from error
        name, weights, licence = manifest.name, path / "weights", manifest.licence
        normaliser, lineage = manifest.text_form.normaliser, manifest.lineage
        fingerprint, drift = fingerprint_weights(manifest.files), read_drift(manifest)
        if normaliser not in NAMES:
            raise refuse(path, f"its text form {normaliser[:40]} is not known")
    shape = read_shape(weights)
    number, count = _read_numbers(weights)
    if not any((weights / file).is_file() for file in ("tokenizer.json", "vocab.json")):
        raise refuse(weights, "the tokenizer is missing")
    return Base(name, weights, shape, number, count, normaliser, template, licence, lineage, fingerprint, drift)


def read_drift(manifest: Manifest) -> float:
    """Return how many times as perplexed by held-out stories a model became by learning choices.

    No less than LEAST_DRIFT, whatever the manifest says.
    """
    drift = manifest.heldout.get(DRIFT, 1.0)
    return max(LEAST_DRIFT, drift) if math.isfinite(drift) else 1.0


def list_weight_files(weights: Path) -> list[Path]:
    """Return the safetensors files of a folder and the index of their shards."""
    if (weights / "model.safetensors").is_file():
        return [weights / "model.safetensors"]
    return sorted([*weights.glob("model-*.safetensors"), *weights.glob("model.safetensors.index.json")])


def _read_numbers(weights: Path) -> tuple[str, int]:
    """Return the kind of number most weights are stored in, and how many there are; raise BASE_NOT_USABLE."""
    bytes_by_kind: dict[str, int] = {}
    files = [path for path in list_weight_files(weights) if path.suffix == ".safetensors"]
    if not files:
        raise refuse(weights, "model.safetensors is missing")
    for path in files:
        try:
            with path.open("rb") as stream:
                (length,) = struct.unpack("<Q", stream.read(8))
                if length > path.stat().st_size:
                    raise ValueError("the header is longer than the file")
                header = json.loads(stream.read(length))
            for key, tensor in header.items():
                if key != "__metadata__":
                    start, end = tensor["data_offsets"]
                    if end > path.stat().st_size - 8 - length:
                        raise ValueError("the file is cut short")
                    bytes_by_kind[tensor["dtype"]] = bytes_by_kind.get(tensor["dtype"], 0) + end - start
        except (OSError, ValueError, KeyError, TypeError, AttributeError, struct.error) as error:
            raise refuse(weights, f"{path.name}: {error}") from error
    floats = {kind: size for kind, size in bytes_by_kind.items() if kind in _BYTES}
    if not floats:
        raise refuse(weights, "model.safetensors holds no weights")
    return max(floats, key=lambda kind: floats[kind]), sum(size // _BYTES[kind] for kind, size in floats.items())

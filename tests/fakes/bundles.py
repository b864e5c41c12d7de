"""Bundles without graphs that run: everything a model library looks at, made in milliseconds."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from storydesk.services.ports import Progress
from trainer.protocol.manifest import (
    MANIFEST_NAME,
    Architecture,
    Graph,
    Manifest,
    TextForm,
    checksum_tree,
    encode_manifest,
)


def build_quickly(
    weights: Path, bundle: Path, name: str, origin: str, licence: str, progress: Progress | None = None
) -> None:
    """Do as the trainer's ``build`` does, with a few bytes in the place of graphs."""
    if progress is not None:
        progress(0, 3)
    partial = bundle.with_name(f".{bundle.name}.partial")
    shutil.copytree(weights, partial / "weights")
    (partial / "fast").mkdir()
    (partial / "fast" / "fp32.onnx").write_bytes(b"full " * 50)
    (partial / "fast" / "int8.onnx").write_bytes(b"small " * 20)
    write_manifest(partial, name, origin=origin, licence=licence)
    partial.rename(bundle)


def write_manifest(
    folder: Path, name: str, *, origin: str = "made for tests", licence: str = "CC0", kind: str = "base"
) -> Manifest:
    """Write the manifest of what lies in a folder."""
    config = json.loads((folder / "weights" / "config.json").read_text(encoding="utf-8"))
    manifest = Manifest(
        name=name,
        kind=kind,
        created="2026-01-02T03:04:05+00:00",
        licence=licence,
        origin=origin,
        architecture=Architecture(
            config["n_layer"],
            config["n_head"],
            config["n_embd"],
            config["n_positions"],
            config["vocab_size"],
            config["eos_token_id"],
        ),
        text_form=TextForm("ascii-1", {"before": "Prompt: ", "between": "\n\nStory:\n"}),
        graphs=(
            Graph("fp32", "fast/fp32.onnx", "fp32", 0.0, 30.0, 30.0),
            Graph("int8", "fast/int8.onnx", "fp32", 0.01, 30.1, 30.0),
        ),
        default_graph="int8",
        files=checksum_tree(folder),
        lineage=("starter",),
        heldout={"perplexity_before": 30.0, "perplexity_after": 20.0} if kind == "tuned" else {},
    )
    (folder / MANIFEST_NAME).write_text(encode_manifest(manifest), encoding="utf-8")
    return manifest

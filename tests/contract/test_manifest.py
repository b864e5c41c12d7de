"""A bundle is what its manifest says, or it is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.protocol.failures import TrainerError
from trainer.protocol.manifest import (
    MANIFEST_NAME,
    Architecture,
    FileEntry,
    Graph,
    Manifest,
    ManifestError,
    TextForm,
    checksum_tree,
    decode_manifest,
    encode_manifest,
    read_manifest,
    verify_files,
)

MANIFEST = Manifest(
    name="mine",
    kind="tuned",
    created="2026-11-22T10:00:00+00:00",
    licence="CC0-1.0",
    origin="tuned from starter",
    architecture=Architecture(2, 2, 32, 128, 384, 0),
    text_form=TextForm("ascii-1", {"before": "Prompt: ", "between": "\n\nStory:\n"}),
    graphs=(Graph("int8", "fast/int8.onnx", "torch", 0.01, 30.1, 30.0),),
    default_graph="int8",
    files={},
    lineage=("starter",),
    heldout={"perplexity_before": 40.0, "perplexity_after": 30.0},
)


def _bundle(folder: Path) -> Manifest:
    (folder / "fast").mkdir(parents=True)
    (folder / "fast" / "int8.onnx").write_bytes(b"graph")
    manifest = replace(MANIFEST, files=checksum_tree(folder))
    (folder / MANIFEST_NAME).write_text(encode_manifest(manifest), encoding="utf-8")
    return manifest


def test_a_manifest_reads_back_and_its_files_verify(tmp_path: Path) -> None:
    manifest = _bundle(tmp_path)
    assert read_manifest(tmp_path) == manifest
    verify_files(tmp_path, manifest)


def test_a_changed_byte_is_found(tmp_path: Path) -> None:
    manifest = _bundle(tmp_path)
    (tmp_path / "fast" / "int8.onnx").write_bytes(b"Graph")
    with pytest.raises(ManifestError, match=r"int8\.onnx is damaged"):
        verify_files(tmp_path, manifest)


def test_a_path_that_leaves_the_bundle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    inside = tmp_path / "bundle"
    inside.mkdir()
    entry = FileEntry(1, "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")
    with pytest.raises(ManifestError, match="not part"):
        verify_files(inside, replace(MANIFEST, files={"../secret": entry}))


@given(st.text())
def test_garbage_is_refused_in_words(text: str) -> None:
    with pytest.raises((ManifestError, TrainerError)):
        decode_manifest(text)


def test_missing_parts_are_refused() -> None:
    record = json.loads(encode_manifest(MANIFEST))
    for key in ("v", "architecture", "files", "graphs", "text_form"):
        damaged = {name: value for name, value in record.items() if name != key}
        with pytest.raises((ManifestError, TrainerError)):
            decode_manifest(json.dumps(damaged))

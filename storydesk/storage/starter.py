"""The starter: shipped as weights, its graphs built once; what was built from which weights."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from storydesk.domain.style_model import StyleModel
from storydesk.services.atomic_file import write_atomically

STARTER = "starter"
ORIGIN = "shipped with Storydesk"
LICENCE = "CC0-1.0, with texts under CC-BY credited in CREDITS_CC-BY.tsv"
BUILD_VERSION = 2
"""Raised when the builder's graphs change, so that the starter's are built anew."""

_FILES = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


class StarterStamp:
    """Knows whether built graphs belong to the shipped weights; hashes those only when they look different."""

    def __init__(self, path: Path, built_in: Path) -> None:
        """Keep the stamp at ``path``."""
        self._path = path
        self._built_in = built_in

    def fits(self) -> bool:
        """Return whether the stamp was made for the weights as they are, by this version of the builder."""
        stamp: Any = None
        with contextlib.suppress(OSError, ValueError, RecursionError):
            stamp = json.loads(self._path.read_text(encoding="utf-8"))
        if not isinstance(stamp, dict) or stamp.get("version") != BUILD_VERSION:
            return False
        if stamp.get("seen") == self._look():
            return True
        if stamp.get("sha256") != self._hash():
            return False
        with contextlib.suppress(Exception):  # only a time changed; without a new stamp it is hashed again
            self.write()
        return True

    def write(self) -> None:
        """Note that graphs were just built from the weights as they are; raise StorydeskError."""
        stamp = {"version": BUILD_VERSION, "seen": self._look(), "sha256": self._hash()}
        write_atomically(self._path, json.dumps(stamp).encode("ascii"))

    def _look(self) -> dict[str, list[int]]:
        seen = {}
        for name in _FILES:
            with contextlib.suppress(OSError):
                status = (self._built_in / name).stat()
                seen[name] = [status.st_size, status.st_mtime_ns]
        return seen

    def _hash(self) -> str:
        digest = hashlib.sha256()
        for name in _FILES:
            with contextlib.suppress(OSError), (self._built_in / name).open("rb") as stream:
                digest.update(name.encode() + b"\0" + hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()


def describe_unbuilt(built_in: Path, folder: Path) -> StyleModel:
    """Return the starter as far as it is known before its graphs are built into ``folder``."""
    config: Any = None
    size = 0
    with contextlib.suppress(OSError, ValueError):
        config = json.loads((built_in / "config.json").read_text(encoding="utf-8"))
        size = sum(path.stat().st_size for path in built_in.iterdir())

    def read(key: str) -> int:
        value = config.get(key) if isinstance(config, dict) else None
        return value if isinstance(value, int) else 0

    return StyleModel(
        name=STARTER,
        kind=STARTER,
        folder=folder,
        weights=folder / "weights",
        tokenizer=folder / "weights" / "tokenizer.json",
        graph=folder / "fast" / "int8.onnx",
        precision="int8",
        layers=read("n_layer"),
        heads=read("n_head"),
        width=read("n_embd"),
        positions=read("n_positions"),
        vocabulary=read("vocab_size"),
        end_token_id=read("eos_token_id"),
        normaliser="",
        template={},
        licence=LICENCE,
        origin=ORIGIN,
        created="",
        built_in=True,
        bytes=size,
    )

"""Whole checkpoints: written beside, forced to disk, checksummed, then renamed; half of one is never seen."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.manifest import checksum_file
from trainer.reporter import is_disk_full

CHECKSUMS = "checksums.json"
_FOLDER = re.compile(r"^(checkpoint|best)-(\d+)$")
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that claims to be a checkpoint of ``step``."""

    folder: Path
    step: int


class CheckpointStore:
    """The checkpoints of one run: the newest for going on, and the best weights so far. One thread at a time."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``; what a killed run left unfinished in it is removed."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob(".partial-*"):
            shutil.rmtree(leftover, ignore_errors=True)

    @contextlib.contextmanager
    def write(self, kind: str, step: int) -> Iterator[Path]:
        """Yield an empty folder to fill; on leaving it becomes ``kind-step`` and older ones of that kind go.

        An exception inside leaves the older checkpoints untouched.
        """
        partial = self.partial_folder(kind, step)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        try:
            yield partial
            self._seal(partial)
            final = self.folder / f"{kind}-{step}"
            if final.exists():
                shutil.rmtree(final)
            partial.rename(final)
            sync_folder(self.folder)
        except BaseException as error:
            shutil.rmtree(partial, ignore_errors=True)
            if is_disk_full(error):
                raise TrainerError(TrainerFailure.DISK_FULL, path=str(self.folder)) from error
            raise
        self._prune(kind, keep=_KEPT if kind == "checkpoint" else 1)

    def partial_folder(self, kind: str, step: int) -> Path:
        """Return the folder in which ``write`` lets a checkpoint be filled."""
        return self.folder / f".partial-{kind}-{step}"

    def find_newest(self, kind: str, on_damage: Callable[[Path], None]) -> Checkpoint | None:
        """Return the newest whole one; ``on_damage`` hears of each that is skipped, which is moved out of the way."""
        for checkpoint in self._list(kind):
            if is_whole(checkpoint.folder):
                return checkpoint
            on_damage(checkpoint.folder)
            shutil.rmtree(checkpoint.folder, ignore_errors=True)
        return None

    def clear(self, kind: str) -> None:
        """Remove all of a kind."""
        for checkpoint in self._list(kind):
            shutil.rmtree(checkpoint.folder, ignore_errors=True)

    def _list(self, kind: str) -> list[Checkpoint]:
        """Return all of a kind, newest first."""
        found = []
        for folder in self.folder.iterdir():
            match = _FOLDER.match(folder.name)
            if match and match.group(1) == kind and folder.is_dir():
                found.append(Checkpoint(folder, int(match.group(2))))
        return sorted(found, key=lambda checkpoint: -checkpoint.step)

    def _prune(self, kind: str, *, keep: int) -> None:
        for checkpoint in self._list(kind)[keep:]:
            shutil.rmtree(checkpoint.folder, ignore_errors=True)

    def _seal(self, folder: Path) -> None:
        """Write the checksums and force every file to disk."""
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        sums = {path.relative_to(folder).as_posix(): checksum_file(path).sha256 for path in files}
        write_json(folder / CHECKSUMS, sums)
        for path in files:
            sync_file(path)
        sync_folder(folder)


def is_whole(folder: Path) -> bool:
    """Say whether every file is there with the checksum it was written with, and no file besides."""
    try:
        sums = json.loads((folder / CHECKSUMS).read_text(encoding="utf-8"))
        present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        if not isinstance(sums, dict) or present != {*sums, CHECKSUMS}:
            return False
        return all(checksum_file(folder / name).sha256 == digest for name, digest in sums.items())
    except (OSError, ValueError):
        return False


def write_json(path: Path, content: Any) -> None:
    """Write JSON durably: beside, forced to disk, renamed."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as stream:
        json.dump(content, stream, ensure_ascii=False, indent=2)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    """Return a JSON object, or an empty one where the file is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def sync_file(path: Path) -> None:
    """Force a file's content to disk."""
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to disk, where the system can (Windows can't and needn't)."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

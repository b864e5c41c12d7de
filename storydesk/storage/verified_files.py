"""Which files were hashed when, so that a model is hashed once and then only looked at."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from pathlib import Path
from typing import Any

from storydesk.domain.failures import StorydeskError
from storydesk.services.atomic_file import write_atomically
from trainer.protocol.manifest import Manifest

_LOG = logging.getLogger(__name__)


class VerifiedFiles:
    """Remembers size, time of change and SHA-256 of verified files in a small JSON file. Any thread.

    The file is a note and no proof: a file that was changed keeps its hash here only if somebody set its time back
    on purpose. ``verify`` of the model library never asks it.
    """

    def __init__(self, path: Path) -> None:
        """Keep the notes at ``path``; nothing is read yet."""
        self._path = path
        self._lock = threading.Lock()

    def holds(self, name: str, folder: Path, manifest: Manifest) -> bool:
        """Return whether every file of a model is as it was when it was hashed, and was then as the manifest says."""
        with self._lock:
            known = self._read().get(name)
        if not isinstance(known, dict):
            return False
        with contextlib.suppress(OSError):
            return all(
                known.get(path) == [*_look(folder / path), entry.sha256] for path, entry in manifest.files.items()
            )
        return False

    def remember(self, name: str, folder: Path, manifest: Manifest) -> None:
        """Note that all files of a model were hashed just now; a note that can't be written is done without."""
        with self._lock, contextlib.suppress(OSError):
            notes = self._read()
            notes[name] = {path: [*_look(folder / path), entry.sha256] for path, entry in manifest.files.items()}
            self._write(notes)

    def forget(self, name: str) -> None:
        """Drop what is known of a model."""
        with self._lock:
            notes = self._read()
            if notes.pop(name, None) is not None:
                self._write(notes)

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            notes = json.loads(self._path.read_text(encoding="utf-8"))
            if isinstance(notes, dict):
                return notes
        return {}

    def _write(self, notes: dict[str, Any]) -> None:
        try:
            write_atomically(self._path, json.dumps(notes).encode("ascii"))
        except StorydeskError as error:
            _LOG.warning("files will be hashed again: %s", error)


def _look(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_size, status.st_mtime_ns

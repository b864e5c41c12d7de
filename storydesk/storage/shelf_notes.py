"""What the shelf remembers beside its folders: old names of models, and which was in use when."""

from __future__ import annotations

import contextlib
import json
import logging
import math
from pathlib import Path
from typing import Any

from storydesk.domain.failures import StorydeskError
from storydesk.domain.model_shelf import UseRecord
from storydesk.services.atomic_file import write_atomically

_LARGEST = 4 << 20
_MOST = 500
"""Names and uses that are kept, the newest."""
_LOG = logging.getLogger(__name__)


class ShelfNotes:
    """A small JSON file, written whole. Any thread; whoever changes it holds the shelf's lock.

    A file that can't be read counts as empty: it holds comforts, and no model depends on it.
    """

    def __init__(self, path: Path) -> None:
        """Keep the notes at ``path``; nothing is read yet."""
        self._path = path

    def list_renames(self) -> list[tuple[str, str]]:
        """Return old and new names, oldest first."""
        pairs = self._read().get("renamed")
        return [
            (pair[0], pair[1])
            for pair in (pairs if isinstance(pairs, list) else ())
            if isinstance(pair, list) and len(pair) == 2 and all(isinstance(name, str) for name in pair)
        ]

    def add_rename(self, old: str, new: str) -> None:
        """Note that a model is about to get another name; raise DISK_FULL, NOT_WRITABLE.

        A name that comes into use again is nobody's old one.
        """
        kept = [[before, after] for before, after in self.list_renames() if before not in (old, new)]
        self._write("renamed", [*kept, [old, new]][-_MOST:])

    def drop_rename(self, old: str) -> None:
        """Forget where an old name led to: it is, or was until now, the name of another model."""
        renames = self.list_renames()
        kept = [[before, after] for before, after in renames if before != old]
        if len(kept) < len(renames):
            self._write("renamed", kept)

    def follow(self, name: str, there: set[str]) -> str:
        """Return the present name of what was once called ``name``; ``name`` itself where that leads nowhere."""
        renames = dict(self.list_renames())
        seen: set[str] = set()
        at = name
        while at not in there and at in renames and at not in seen:
            seen.add(at)
            at = renames[at]
        return at if at in there else name

    def list_uses(self) -> list[UseRecord]:
        """Return what came into use, oldest first."""
        found = []
        uses = self._read().get("used")
        for entry in uses if isinstance(uses, list) else ():
            with contextlib.suppress(KeyError, TypeError, ValueError):
                record = UseRecord(str(entry["name"]), float(entry["since"]), bool(entry.get("back", False)))
                if math.isfinite(record.since):
                    found.append(record)
        return found

    def add_use(self, record: UseRecord) -> None:
        """Note that a model came into use; a note that can't be kept is done without."""
        records = [*self.list_uses(), record][-_MOST:]
        try:
            self._write("used", [{"name": each.name, "since": each.since, "back": each.back} for each in records])
        except StorydeskError as error:
            _LOG.warning("the shelf's notes can't be kept: %s", error)

    def _read(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError, RecursionError):
            if self._path.stat().st_size <= _LARGEST:
                notes = json.loads(self._path.read_text(encoding="utf-8"))
                if isinstance(notes, dict):
                    return notes
        return {}

    def _write(self, key: str, value: list[Any]) -> None:
        write_atomically(self._path, json.dumps({**self._read(), key: value}).encode("ascii"))

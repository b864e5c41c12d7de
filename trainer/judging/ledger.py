"""What a judging job has done, one line a unit: appended and forced to disk once, never done twice."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.reporter import drop_torn_line, naming_a_full_disk

LEDGER_NAME = "units.jsonl"
_HEAD = "job"


class Ledger:
    """The finished units of one job by their keys. One thread."""

    def __init__(self, path: Path, fingerprint: str) -> None:
        """Open the ledger of a job, or begin it; raise TrainerError(BAD_REQUEST) where it is another job's.

        ``fingerprint`` stands for all that the units depend on. Lines that were damaged are passed over, so that what
        stood in them is done again; the torn last line of a killed job is cut off.
        """
        self._path = path
        with naming_a_full_disk(path):
            drop_torn_line(path)
            self._records = _read(path)
            self._stream = path.open("ab")
        head = self._records.pop(_HEAD, None)
        if head is None and not self._records:
            self._append({"unit": _HEAD, "fingerprint": fingerprint})
        elif head is None or head.get("fingerprint") != fingerprint:
            self._stream.close()
            detail = "a model, the prompts or the settings are others than when this job began"
            raise TrainerError(TrainerFailure.BAD_REQUEST, detail=detail)

    def __contains__(self, key: str) -> bool:
        """Return whether a unit is done."""
        return key in self._records

    def __len__(self) -> int:
        """Return how many units are done."""
        return len(self._records)

    def get(self, key: str) -> Mapping[str, Any]:
        """Return what a unit found; raise KeyError where it is not done."""
        return self._records[key]

    def add(self, key: str, **found: Any) -> None:
        """Write down a unit, on disk when this returns; raise ValueError where it was done before."""
        if key in self._records:
            raise ValueError(f"{key} was done before")
        record = {"unit": key, **found}
        self._append(record)
        self._records[key] = record

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def _append(self, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        with naming_a_full_disk(self._path):
            self._stream.write(line.encode("utf-8", "replace"))
            self._stream.flush()
            os.fsync(self._stream.fileno())


def _read(path: Path) -> dict[str, dict[str, Any]]:
    records: dict[str, dict[str, Any]] = {}
    if not path.is_file():
        return records
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            record = json.loads(line) if line else None
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and isinstance(record.get("unit"), str):
            records.setdefault(record["unit"], record)
    return records

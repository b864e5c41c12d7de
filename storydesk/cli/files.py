"""Texts that commands read: files of any known format, or standard input for ``-``."""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.services.publishing import PublishingService

STANDARD_INPUT = "-"
_BLOCK = 1 << 20
# Well above what the readers take: they say so in words, and an endless pipe can't fill the disk.
_MOST_BLOCKS = 256


@dataclass(frozen=True, slots=True)
class Source:
    """A text that was read; ``path`` is None for standard input."""

    title: str
    text: str
    path: Path | None
    lost: tuple[Failure, ...] = ()


def read_source(name: str, publishing: PublishingService) -> Source:
    """Return title and text of a file or of standard input; raise what the DocumentReader raises."""
    if name != STANDARD_INPUT:
        path = Path(name)
        found = publishing.read_document(path)
        return Source(found.title, found.text, path, found.lost)
    return _read_standard_input(publishing)


def _read_standard_input(publishing: PublishingService) -> Source:
    with tempfile.TemporaryDirectory(prefix="storydesk-") as folder:
        spool = Path(folder) / "input.txt"
        with spool.open("wb") as stream:
            for _ in range(_MOST_BLOCKS):
                block = sys.stdin.buffer.read(_BLOCK)
                if not block:
                    break
                stream.write(block)
        try:
            _, text = publishing.read(spool)
        except StorydeskError as error:
            shown = {**error.failure.parameters, "path": "Standard input"}
            raise StorydeskError(FailureCode(error.failure.code), **shown) from error
    return Source("", text, None)

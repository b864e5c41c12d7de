"""Large files copied in blocks, so that somebody hears how far it is and can break it off."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

BLOCK = 4 << 20


def copy_stream(source: BinaryIO, target: BinaryIO, report: Callable[[int], object]) -> int:
    """Copy to the end and return the bytes; ``report`` hears how many there are so far and may raise."""
    count = 0
    report(0)
    while block := source.read(BLOCK):
        target.write(block)
        count += len(block)
        report(count)
    return count


def copy_file(source: Path, target: Path, report: Callable[[int], object]) -> None:
    """Copy a file into a new one and bring it to disk; raise OSError and what ``report`` raises."""
    with source.open("rb") as reading, target.open("xb") as writing:
        copy_stream(reading, writing, report)
        writing.flush()
        os.fsync(writing.fileno())

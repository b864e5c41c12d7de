"""Large memory pages for weights: with pages of 4 KB a step spends a fifth of its time looking up where they lie."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_PAGE = 2 << 20
_PIECE = 16 * _PAGE
# What was not moved by then is left to the system, which does it in its own time or not at all.
_MOST_SECONDS = 0.4
# Linux's numbers: have large pages here from now on; move what is here into such pages now (since 6.1).
_MADV_HUGEPAGE = 14
_MADV_COLLAPSE = 25

Range = tuple[int, int]


@contextlib.contextmanager
def keep_in_large_pages() -> Iterator[None]:
    """Move what the block allocates into pages of 2 MB, where the system is a Linux that has them.

    It is advice: nothing depends on its being taken, other systems are not asked, and no failure is one of the block's.
    """
    before = list_memory()
    yield
    _advise(subtract_ranges(list_memory(), before))


def list_memory() -> list[Range]:
    """Return where this process keeps memory of its own that no file stands for; empty where Linux is not."""
    if sys.platform != "linux":
        return []
    ranges = []
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
            place, rights, _offset, _device, inode, *name = line.split(maxsplit=5)
            if rights == "rw-p" and inode == "0" and name in ([], ["[heap]"]):
                start, end = (int(part, 16) for part in place.split("-"))
                ranges.append((start, end))
    return ranges


def subtract_ranges(ranges: list[Range], others: list[Range]) -> list[Range]:
    """Return what of ``ranges`` no range of ``others`` covers; both are sorted and free of overlaps."""
    left = []
    for start, end in ranges:
        for first, last in others:
            if last <= start or first >= end:
                continue
            if first > start:
                left.append((start, first))
            start = max(start, last)
        if start < end:
            left.append((start, end))
    return left


def _advise(ranges: list[Range]) -> None:
    """Ask for large pages in what has room for whole ones, the largest ranges first."""
    ends = time.perf_counter() + _MOST_SECONDS
    whole = [(-(-start // _PAGE) * _PAGE, end // _PAGE * _PAGE) for start, end in ranges]
    whole = sorted((each for each in whole if each[0] < each[1]), key=lambda each: each[0] - each[1])
    if not whole:
        return
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for start, end in whole:
        if advise(start, end - start, _MADV_HUGEPAGE):
            return
    for start, end in whole:
        for place in range(start, end, _PIECE):
            if time.perf_counter() > ends:
                return
            advise(place, min(_PIECE, end - place), _MADV_COLLAPSE)

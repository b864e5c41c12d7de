"""How an earlier start of a run ended: with a word, or killed, and whether memory was the reason.

A process that the system kills for want of memory can't say so. Before each try the run notes with how much thrift it
begins and how often the system has killed for memory so far; a later start that finds the note still there compares.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trainer.protocol.messages import MachineMeasured

CRASH_NAME = "crash.txt"
"""Where Python writes its last frames when a library takes the process with it; empty while all is well."""

SETTLED_STEPS = 3
"""After so many steps a try has held all that a step holds: weights, gradients, both averages, several batches."""

_SCARCE_SHARE = 0.05
_VMSTAT = Path("/proc/vmstat")
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_LAST_LINES = 200


def open_note(deaths: int) -> dict[str, Any]:
    """Return what is written down before a try that follows ``deaths`` others that ended alike."""
    return {"deaths": deaths, "settled": False, **count_kills()}


def count_kills() -> dict[str, Any]:
    """Return how many processes Linux has killed for want of memory since it was started; empty where nobody says."""
    with contextlib.suppress(OSError, ValueError):
        for line in _VMSTAT.read_text(encoding="ascii").splitlines():
            name, _, count = line.partition(" ")
            if name == "oom_kill":
                return {"boot": _BOOT.read_text(encoding="ascii").strip(), "killed": int(count)}
    return {}


def judge_ending(
    note: Mapping[str, Any], now: Mapping[str, Any], *, crashed: bool, scarce: bool
) -> tuple[bool | None, int]:
    """Return whether memory ended the last try, and how many tries in a row ended alike.

    None means that it looks like it: two in a row died at their beginning, and nothing says what killed them. A kill
    that the system's count knows nothing of was somebody's wish, unless memory was ``scarce`` when the machine was last
    looked at (desktops kill before the kernel does) or the process ``crashed`` by itself (as where a driver gives up).
    """
    if not note:
        return False, 0
    if note.get("boot") and note.get("boot") == now.get("boot"):
        if int(now["killed"]) > int(note["killed"]):
            return True, 0
        if not (crashed or scarce):
            return False, 0
    if note.get("settled"):
        return False, 0
    deaths = int(note.get("deaths", 0)) + 1
    return (None, 0) if deaths > 1 else (False, deaths)


@contextlib.contextmanager
def keeping_last_frames(folder: Path) -> Iterator[None]:
    """Let Python write where it was, should a library take the process with it."""
    path = folder / CRASH_NAME
    with path.open("ab") as stream:
        faulthandler.enable(stream)
        try:
            yield
        finally:
            faulthandler.disable()
    with contextlib.suppress(OSError):
        if path.stat().st_size == 0:
            path.unlink()


def take_crash(folder: Path) -> bool:
    """Say whether the last process of a run left its last frames behind; they go to the log."""
    path = folder / CRASH_NAME
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        if text.strip():
            print(f"the last process ended with:\n{text}", file=sys.stderr)
            with path.open("r+b") as stream:
                stream.truncate(0)
        return bool(text.strip())
    except OSError:
        return False


def was_memory_scarce(journal: Path) -> bool:
    """Say whether next to no memory was free when the machine was last looked at."""
    try:
        with journal.open(encoding="utf-8", errors="replace") as stream:
            lines = deque(stream, _LAST_LINES)
    except OSError:
        return False
    for line in reversed(lines):
        if f'"{MachineMeasured.kind}"' in line:
            with contextlib.suppress(ValueError, TypeError, KeyError):
                record = json.loads(line)
                return bool(0 < record["memory_free"] < record["memory_total"] * _SCARCE_SHARE)
    return False

"""A piece of work that dies, or finds the disk full, at each of its file operations in turn: POSIX only."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_CHANGES = frozenset({"os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link", "os.truncate"})
_GROWS = frozenset({"os.rename", "os.mkdir", "os.link"})
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
DONE, KILLED, REFUSED, CRASHED = 0, 9, 3, 70


def kill_at_each(work: Callable[[], object], below: Path) -> Iterator[int]:
    """Run ``work`` in a process that ends without a word before its first change of a file, its second, and so on.

    Yield the number of the change each time; the last time the work was done to its end.
    """
    number, status = 0, KILLED
    while status == KILLED:
        status = _run(work, below, number, full=False)
        assert status in (DONE, KILLED), status
        yield number
        number += 1


def fill_at_each(work: Callable[[], object], below: Path, expected: type[Exception]) -> Iterator[int]:
    """Run ``work`` in a process that finds the disk full from its first new file on, its second, and so on.

    ``expected`` is what the work has to raise then.
    """
    number, status = 0, REFUSED
    while status == REFUSED:
        status = _run(work, below, number, full=True, expected=expected)
        assert status in (DONE, REFUSED), status
        yield number
        number += 1


def _run(
    work: Callable[[], object], below: Path, number: int, *, full: bool, expected: type[Exception] | None = None
) -> int:
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    status = CRASHED
    try:
        _watch(below, number, full=full)
        work()
        status = DONE
    except BaseException as error:  # noqa: BLE001 - the child has no other way to say how it ended
        status = REFUSED if expected is not None and isinstance(error, expected) else CRASHED
        if status == CRASHED:
            print(repr(error), file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def _watch(below: Path, number: int, *, full: bool) -> None:
    inside = str(below)
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event == "open":
            flags = arguments[2]
            if not isinstance(flags, int) or not flags & _WRITES:
                return
        elif event not in (_GROWS if full else _CHANGES):
            return
        if not any(isinstance(path, str | os.PathLike) and str(path).startswith(inside) for path in arguments[:2]):
            return
        seen += 1
        if seen > number:
            if full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os._exit(KILLED)

    sys.addaudithook(hook)

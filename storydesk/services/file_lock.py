"""A lock between processes that frees itself when its holder dies, however it dies.

Standard library only; shared by the adapters. The trainer locks its run folder in the same way.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from storydesk.services.atomic_file import explain_error, make_folder

_POLL_SECONDS = 0.1
_HELD = frozenset({errno.EACCES, errno.EAGAIN, errno.EDEADLK})


class FileLock:
    """An exclusive lock on a file of its own; the file stays, only the lock on it means something.

    One object is used by one thread; two objects exclude each other within a process as well.
    """

    def __init__(self, path: Path) -> None:
        """Name the lock's file; nothing is created yet."""
        self._path = path
        self._stream: BinaryIO | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._stream is not None

    def acquire(self) -> bool:
        """Take the lock and return True, or return False at once where another holds it.

        Raises StorydeskError(NOT_WRITABLE, DISK_FULL). Where a file system knows no locks, the lock counts as taken:
        SQLite has its own to fall back on, and a writer must be able to write.
        """
        if self._stream is not None:
            return True
        make_folder(self._path.parent)
        try:
            stream = self._path.open("ab")
        except OSError as error:
            raise explain_error(error, self._path) from error
        try:
            _lock(stream)
        except OSError as error:
            if error.errno in _HELD:
                stream.close()
                return False
        self._stream = stream
        return True

    def wait(self) -> None:
        """Take the lock, however long another holds it."""
        while not self.acquire():
            time.sleep(_POLL_SECONDS)

    def release(self) -> None:
        """Give the lock back; safe to call twice."""
        if self._stream is not None:
            with contextlib.suppress(OSError):
                _unlock(self._stream)
            self._stream.close()
            self._stream = None

    def __enter__(self) -> FileLock:
        """Wait for the lock."""
        self.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self.release()


if sys.platform == "win32":
    import msvcrt

    def _lock(stream: BinaryIO) -> None:
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(stream: BinaryIO) -> None:
        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(stream: BinaryIO) -> None:
        os.set_inheritable(stream.fileno(), False)
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _unlock(stream: BinaryIO) -> None:
        fcntl.flock(stream.fileno(), fcntl.LOCK_UN)

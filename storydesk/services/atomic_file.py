"""Whole files or none: what a crash, a full disk or a second writer can never leave half done.

Standard library only; shared by the adapters that write files. Any thread.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from storydesk.domain.failures import FailureCode, StorydeskError

Content = bytes | Callable[[BinaryIO], object]

_DISK_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


def write_atomically(path: Path, content: Content, *, overwrite: bool = True) -> None:
    """Write bytes, or what a function writes to the open file, so that ``path`` is old or new and nothing between.

    On disk when this returns. Raises StorydeskError(FILE_EXISTS) where the file is there and ``overwrite`` is not
    set, DISK_FULL, NOT_WRITABLE.
    """
    if not overwrite:
        refuse_existing(path)
    try:
        # A link goes on pointing to the file that is written.
        target = path.resolve() if path.is_symlink() else path
        temporary = target.with_name(f".{secrets.token_hex(6)}.tmp")
        try:
            _write_new(temporary, content)
            _put_in_place(temporary, target, overwrite=overwrite)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        sync_folder(target.parent)
    except FileExistsError as error:
        raise StorydeskError(FailureCode.FILE_EXISTS, path=str(path)) from error
    except (OSError, ValueError) as error:
        raise explain_error(error, path) from error


def refuse_existing(path: Path) -> None:
    """Raise StorydeskError(FILE_EXISTS) where something stands in the way, before anything is made for nothing."""
    if os.path.lexists(path):
        raise StorydeskError(FailureCode.FILE_EXISTS, path=str(path))


def explain_error(error: OSError | ValueError, path: Path) -> StorydeskError:
    """Return the failure that stands for an error of the system's while writing ``path``.

    A ValueError is what Python says to a path that no system takes, such as one with a NUL in it.
    """
    if isinstance(error, OSError) and error.errno in _DISK_FULL:
        return StorydeskError(FailureCode.DISK_FULL, path=str(path))
    detail = error.strerror if isinstance(error, OSError) else None
    return StorydeskError(FailureCode.NOT_WRITABLE, path=str(path), detail=(detail or str(error)).lower())


def make_folder(folder: Path) -> Path:
    """Create a folder with its parents where it is missing and return it; raise DISK_FULL, NOT_WRITABLE."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise explain_error(error, folder) from error
    return folder


def sync_folder(folder: Path) -> None:
    """Bring a folder's entries to disk, where the system can do that."""
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write_new(temporary: Path, content: Content) -> None:
    with temporary.open("xb") as stream:
        if callable(content):
            content(stream)
        else:
            stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _put_in_place(temporary: Path, target: Path, *, overwrite: bool) -> None:
    if overwrite:
        with contextlib.suppress(OSError):
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
        return
    if os.name == "nt":
        temporary.rename(target)  # fails there where the target exists
        return
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise
    except OSError:
        # A disk without hard links (a memory stick, a network share): the check and the rename stand close together.
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        temporary.rename(target)

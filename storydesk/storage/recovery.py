"""A damaged library, put aside for the newest backup that is whole. Nothing is deleted."""

from __future__ import annotations

import secrets
import shutil
import time
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.library import BackupFile
from storydesk.services.atomic_file import explain_error, sync_folder
from storydesk.services.file_lock import FileLock
from storydesk.storage.backups import list_all_backups, sync_file
from storydesk.storage.merging import open_checked, prepare_copy

_BESIDE = ("-wal", "-shm", "-journal")


def find_whole_backup(backups: Path) -> BackupFile | None:
    """Return the newest backup that passes its check and has stories in it."""
    for backup in list_all_backups(backups):
        try:
            with open_checked(backup.path) as connection:
                if connection.execute("SELECT EXISTS (SELECT 1 FROM stories)").fetchone()[0]:
                    return backup
        except StorydeskError:
            continue
    return None


def put_back(library: Path, backup: Path) -> Path:
    """Put a copy of a backup in a damaged library's place and return where the damaged one is now.

    The last step is one renaming; before it everything can be done again. Raises LIBRARY_LOCKED where a window has
    the library open, LIBRARY_DAMAGED, DISK_FULL, NOT_WRITABLE.
    """
    lock = FileLock(library.with_name(library.name + ".lock"))
    if not lock.acquire():
        raise StorydeskError(FailureCode.LIBRARY_LOCKED, path=str(library))
    aside = library.with_name(f"{library.stem}-damaged-{time.strftime('%Y-%m-%dT%H%M%S')}{library.suffix}")
    fresh = library.with_name(f".{secrets.token_hex(6)}.tmp")
    try:
        prepare_copy(backup, fresh)
        sync_file(fresh)
        if library.exists():
            shutil.copy2(library, aside)
            sync_file(aside)
        # A journal of the damaged library must not be taken for one of the fresh copy.
        for ending in _BESIDE:
            journal = library.with_name(library.name + ending)
            if journal.exists():
                journal.replace(aside.with_name(aside.name + ending))
        sync_folder(library.parent)
        fresh.replace(library)
        sync_folder(library.parent)
    except OSError as error:
        raise explain_error(error, library) from error
    finally:
        fresh.unlink(missing_ok=True)
        lock.release()
    return aside

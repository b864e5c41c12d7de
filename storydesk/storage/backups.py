"""Dated copies of the library: every day for a week, every week for a month, every month for a year."""

from __future__ import annotations

import contextlib
import datetime
import logging
import os
import re
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from storydesk.domain.library import BackupFile, BackupReason
from storydesk.services.atomic_file import make_folder, sync_folder

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"library-(\d{4}-\d{2}-\d{2})(-2)?\.sqlite3")
_REASONS = {
    BackupReason.MIGRATION: "before-version-",
    BackupReason.RESTORE: "before-restore-",
    BackupReason.HAND: "by-hand-",
}
DAYS = 7
WEEKS = 5
MONTHS = 12
FUTURE = 7
"""So many backups are kept that bear dates to come: somebody's clock was wrong."""
OTHERS = 10
"""So many are kept for each of the other reasons."""


def choose_kept(
    dates: Iterable[datetime.date],
    today: datetime.date,
    *,
    days: int = DAYS,
    weeks: int = WEEKS,
    months: int = MONTHS,
) -> set[datetime.date]:
    """Return the dates to keep: the newest ``days``, and the newest one of each of the newest weeks and months.

    Dates behind ``today`` say that the clock was set back; they push nothing out.
    """
    newest_first = sorted(set(dates), reverse=True)
    future = [date for date in newest_first if date > today]
    past = [date for date in newest_first if date <= today]
    kept = {*past[:days], *future[-FUTURE:]}
    of_week: dict[tuple[int, int], datetime.date] = {}
    of_month: dict[tuple[int, int], datetime.date] = {}
    for date in past:
        year, week, _ = date.isocalendar()
        of_week.setdefault((year, week), date)
        of_month.setdefault((date.year, date.month), date)
    return kept | set(list(of_week.values())[:weeks]) | set(list(of_month.values())[:months])


def find_today() -> datetime.date:
    """Return the date on the writer's calendar."""
    return datetime.datetime.now().astimezone().date()


def list_backups(folder: Path) -> dict[datetime.date, Path]:
    """Return the daily backups in a folder by their date; empty where there is no folder."""
    found: dict[datetime.date, Path] = {}
    for path in sorted(_list_files(folder)):
        match = _NAME.fullmatch(path.name)
        if match:
            with contextlib.suppress(ValueError):
                date = datetime.date.fromisoformat(match.group(1))
                if date not in found or match.group(2):
                    found[date] = path
    return found


def list_all_backups(folder: Path) -> list[BackupFile]:
    """Return every backup in a folder, newest first."""
    found = []
    for path in _list_files(folder):
        reason = _read_reason(path.name)
        if reason is not None:
            with contextlib.suppress(OSError):
                state = path.stat()
                found.append(BackupFile(path, state.st_mtime, state.st_size, reason))
    return sorted(found, key=lambda backup: (backup.taken, backup.path.name), reverse=True)


def keep_backup(library: Path, folder: Path, *, today: datetime.date | None = None) -> Path | None:
    """Copy the library once a day, drop what the rule does not keep, and return the copy, or None without one.

    Never raises: a library must open on a full disk as well. A library without stories is not copied, and a copy
    that does not pass SQLite's check never pushes a good one out. Slow for large libraries: not on the GUI thread.
    """
    today = today or find_today()
    target = _choose_name(folder, today)
    if target is None:
        return None
    try:
        make_folder(folder)
        for left_over in folder.glob(".library-*.tmp*"):
            left_over.unlink(missing_ok=True)
        if not place_copy(library, target):
            return None
        backups = list_backups(folder)
        kept = choose_kept(backups, today)
        for path in _list_files(folder):
            match = _NAME.fullmatch(path.name)
            if match and _parse_date(match.group(1)) not in kept:
                path.unlink(missing_ok=True)
    except Exception:  # noqa: BLE001 - see above: whatever happens to a backup, the writer goes on writing
        _LOG.warning("no backup was made of %s", library, exc_info=True)
        return None
    return target


def make_backup(library: Path, folder: Path, reason: BackupReason) -> Path | None:
    """Copy the library now, for this reason, and return the copy; None where there is no story to keep.

    Of each reason the newest are kept. Raises sqlite3.Error, OSError, StorydeskError.
    """
    make_folder(folder)
    stamp = datetime.datetime.now().astimezone().strftime("%Y-%m-%dT%H%M%S")
    target = folder / f"{_REASONS[reason]}{stamp}-{secrets.token_hex(2)}.sqlite3"
    if not place_copy(library, target):
        return None
    others = [backup for backup in list_all_backups(folder) if backup.reason is reason and backup.path != target]
    for old in others[OTHERS - 1 :]:
        with contextlib.suppress(OSError):
            old.path.unlink(missing_ok=True)
    return target


def place_copy(library: Path, target: Path) -> bool:
    """Copy a library so that the copy is whole or not there; return whether there was a story to keep."""
    temporary = target.with_name(f".library-{secrets.token_hex(6)}.tmp")
    try:
        if not copy_library(library, temporary):
            return False
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def copy_library(library: Path, target: Path) -> bool:
    """Copy an open or closed library into one file and return whether there was anything worth keeping in it.

    Raises sqlite3.Error where reading or writing fails or the copy does not pass the check.
    """
    source = sqlite3.connect(make_address(library), uri=True, timeout=5)
    try:
        if not source.execute("SELECT EXISTS (SELECT 1 FROM stories)").fetchone()[0]:
            return False
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, with no others beside it
            if copy.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("the copy is damaged")
        finally:
            copy.close()
        sync_file(target)
    finally:
        source.close()
    return True


def make_address(library: Path) -> str:
    """Return SQLite's address of a file that is to be read and never written."""
    return library.absolute().as_uri() + "?mode=ro"


def sync_file(path: Path) -> None:
    """Bring a file's content to disk."""
    with contextlib.suppress(OSError), path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _choose_name(folder: Path, today: datetime.date) -> Path | None:
    """Return the name of a day's backup, None where it is there already.

    A clock that was set back comes to days that have a backup from before; they get a second one.
    """
    first = folder / f"library-{today.isoformat()}.sqlite3"
    if not first.exists():
        return first
    second = first.with_name(f"library-{today.isoformat()}-2.sqlite3")
    was_set_back = any(date > today for date in list_backups(folder))
    return second if was_set_back and not second.exists() else None


def _list_files(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(folder.iterdir())
    return []


def _parse_date(text: str) -> datetime.date | None:
    with contextlib.suppress(ValueError):
        return datetime.date.fromisoformat(text)
    return None


def _read_reason(name: str) -> BackupReason | None:
    if _NAME.fullmatch(name):
        return BackupReason.DAY
    if name.endswith(".sqlite3"):
        for reason, beginning in _REASONS.items():
            if name.startswith(beginning):
                return reason
    return None

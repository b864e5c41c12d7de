"""Dated copies of the library: one a day, seven days and four weeks kept."""

from __future__ import annotations

import contextlib
import datetime
import logging
import re
import secrets
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from storydesk.services.atomic_file import make_folder, sync_folder

_LOG = logging.getLogger(__name__)
_NAME = re.compile(r"library-(\d{4}-\d{2}-\d{2})\.sqlite3")
DAYS = 7
WEEKS = 4


def choose_kept(dates: Iterable[datetime.date], *, days: int = DAYS, weeks: int = WEEKS) -> set[datetime.date]:
    """Return the dates to keep: the newest ``days``, and the newest of each of the newest ``weeks`` calendar weeks."""
    newest_first = sorted(set(dates), reverse=True)
    kept = set(newest_first[:days])
    of_week: dict[tuple[int, int], datetime.date] = {}
    for date in newest_first:
        year, week, _ = date.isocalendar()
        of_week.setdefault((year, week), date)
    return kept | set(list(of_week.values())[:weeks])


def find_today() -> datetime.date:
    """Return the date on the writer's calendar."""
    return datetime.datetime.now().astimezone().date()


def list_backups(folder: Path) -> dict[datetime.date, Path]:
    """Return the backups in a folder by their date; empty where there is no folder."""
    found: dict[datetime.date, Path] = {}
    with contextlib.suppress(OSError):
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            if match:
                with contextlib.suppress(ValueError):
                    found[datetime.date.fromisoformat(match.group(1))] = path
    return found


def keep_backup(library: Path, folder: Path, *, today: datetime.date | None = None) -> Path | None:
    """Copy the library once a day, drop what the rule does not keep, and return the copy, or None without one.

    Never raises: a library must open on a full disk as well. A library without stories is not copied, and a copy
    that does not pass SQLite's check never pushes a good one out. Slow for large libraries: not on the GUI thread.
    """
    today = today or find_today()
    target = folder / f"library-{today.isoformat()}.sqlite3"
    if target.exists():
        return None
    try:
        make_folder(folder)
        for left_over in folder.glob(".library-*.tmp"):
            left_over.unlink(missing_ok=True)
        temporary = folder / f".library-{secrets.token_hex(6)}.tmp"
        try:
            if not copy_library(library, temporary):
                return None
            temporary.replace(target)
            sync_folder(folder)
        finally:
            temporary.unlink(missing_ok=True)
        backups = list_backups(folder)
        for date in backups.keys() - choose_kept(backups):
            backups[date].unlink(missing_ok=True)
    except Exception:  # noqa: BLE001 - see above: whatever happens to a backup, the writer goes on writing
        _LOG.warning("no backup was made of %s", library, exc_info=True)
        return None
    return target


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
    finally:
        source.close()
    return True


def make_address(library: Path) -> str:
    """Return SQLite's address of a file that is to be read and never written."""
    return library.absolute().as_uri() + "?mode=ro"

"""The backups as the writer sees them: listed, looked into, restored whole or story by story."""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.library import ArchiveContent, BackupContent, BackupFile, BackupReason, BackupStory
from storydesk.domain.manuscript import Story, count_words
from storydesk.services.atomic_file import explain_error, make_folder
from storydesk.services.ports import Progress
from storydesk.storage.backups import list_all_backups, make_backup
from storydesk.storage.library import SqliteLibrary, explain_sqlite
from storydesk.storage.merging import merge_stories, open_checked, prepare_copy

_BEGINNING = 400
_SLOW_CHECK_LINES = 20


class SqliteBackups:
    """Implements BackupStore over an open library. Any thread; everything here may take seconds."""

    def __init__(self, library: SqliteLibrary) -> None:
        """Work on this library and the folder of its backups."""
        self._library = library

    def list_backups(self) -> Sequence[BackupFile]:
        """Return the backups, newest first."""
        return list_all_backups(self._library.backups)

    def back_up(self, reason: str) -> BackupFile | None:
        """Copy the library now; None where there is no story to keep; raise DISK_FULL, NOT_WRITABLE."""
        folder = self._library.backups
        with explain_sqlite(folder), _explain_files(folder):
            made = make_backup(self._library.path, folder, BackupReason(reason))
        return next((backup for backup in self.list_backups() if backup.path == made), None)

    def look_inside(self, backup: Path) -> BackupContent:
        """Check a backup and return what is in it; raise LIBRARY_DAMAGED, LIBRARY_TOO_NEW, FILE_NOT_FOUND."""
        with open_checked(backup) as connection:
            rows = connection.execute(
                "SELECT id, title, prompt, created, changed, in_trash FROM stories ORDER BY in_trash, changed DESC"
            ).fetchall()
            return BackupContent(tuple(_describe(connection, row) for row in rows))

    def restore_library(self, backup: Path) -> None:
        """Bring the whole library back as it was, after a copy of it as it is now.

        Raises what looking inside raises, and LIBRARY_LOCKED, DISK_FULL, NOT_WRITABLE; the library is then as before.
        """
        if self._library.read_only:
            raise StorydeskError(FailureCode.LIBRARY_LOCKED, path=str(self._library.path))
        self._library.settle_backup()
        with self._prepare(backup) as copy:
            self.back_up(BackupReason.RESTORE)
            self._library.replace_content(copy)

    def restore_story(self, backup: Path, story_id: int, title: str) -> int:
        """Add one story of a backup, with all that belongs to it, under this title; return its new number."""
        self._library.settle_backup()
        with self._prepare(backup) as copy, open_checked(copy) as connection:
            added, _drafts = merge_stories(self._library, connection, only=story_id, title=title)
        return added[0]

    def export_library(
        self, path: Path, *, overwrite: bool = False, progress: Progress | None = None
    ) -> ArchiveContent:
        """Write the library as one zip archive; raise FILE_EXISTS, DISK_FULL, NOT_WRITABLE, CANCELLED."""
        from storydesk.storage.library_archive import write_archive

        with self._make_room() as copy, explain_sqlite(self._library.backups):
            return write_archive(self._library.path, path, copy, overwrite=overwrite, progress=progress)

    def import_library(self, path: Path) -> ArchiveContent:
        """Add every story of an archive as a new one, or none where something is wrong.

        Raises FILE_NOT_FOUND, FILE_DAMAGED, FILE_TOO_LARGE, LIBRARY_TOO_NEW, LIBRARY_LOCKED, DISK_FULL.
        """
        from storydesk.storage.library_archive import read_archive

        if self._library.read_only:
            raise StorydeskError(FailureCode.LIBRARY_LOCKED, path=str(self._library.path))
        self._library.settle_backup()
        damaged = StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="zip")
        with self._make_room() as inside:
            read_archive(path, inside)
            try:
                with self._prepare(inside) as copy, open_checked(copy) as connection:
                    added, drafts = merge_stories(self._library, connection)
            except StorydeskError as error:
                if error.failure.code == FailureCode.LIBRARY_DAMAGED:
                    raise damaged from error
                raise
        return ArchiveContent(len(added), drafts)

    def check_library(self) -> Sequence[str]:
        """Return what SQLite finds wrong with the library; nothing where it is whole."""
        with self._library.reading() as connection:
            lines = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_SLOW_CHECK_LINES})")]
            lines += [f"{row[0]}: {row[2]}" for row in connection.execute("PRAGMA foreign_key_check")]
        return [line for line in lines if line != "ok"][:_SLOW_CHECK_LINES]

    @contextlib.contextmanager
    def _prepare(self, source: Path) -> Iterator[Path]:
        """Lend a checked copy of a library file, brought up to this program's version."""
        with self._make_room() as copy:
            with explain_sqlite(self._library.backups):
                prepare_copy(source, copy)
            yield copy

    @contextlib.contextmanager
    def _make_room(self) -> Iterator[Path]:
        """Lend a name for a file that is gone afterwards."""
        make_folder(self._library.backups)
        path = self._library.backups / f".library-{secrets.token_hex(6)}.tmp"
        try:
            yield path
        finally:
            for left in (path, *(path.with_name(path.name + ending) for ending in ("-journal", "-wal", "-shm"))):
                with contextlib.suppress(OSError):
                    left.unlink(missing_ok=True)


@contextlib.contextmanager
def _explain_files(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise explain_error(error, folder) from error


def _describe(connection: sqlite3.Connection, row: tuple[object, ...]) -> BackupStory:
    number, title, prompt, created, changed, in_trash = row
    story_id = number if isinstance(number, int) else 0
    texts = connection.execute(
        "SELECT text FROM drafts WHERE story_id = ? ORDER BY id DESC LIMIT 1", (story_id,)
    ).fetchone()
    drafts = connection.execute("SELECT COUNT(*) FROM drafts WHERE story_id = ?", (story_id,)).fetchone()[0]
    text = str(texts[0]) if texts else ""
    story = Story(story_id, str(title), str(prompt), _as_time(created), _as_time(changed), bool(in_trash))
    return BackupStory(story, int(drafts), count_words(text), text[:_BEGINNING])


def _as_time(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0

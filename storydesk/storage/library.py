"""The library: every story, draft and generation in one SQLite file."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.library import BackupReason
from storydesk.domain.manuscript import Draft, GenerationRecord, Story
from storydesk.services.atomic_file import make_folder
from storydesk.services.file_lock import FileLock
from storydesk.storage.backups import keep_backup, list_backups, make_address, make_backup
from storydesk.storage.migrations import NEWEST, migrate, read_version
from storydesk.storage.word_index import create_index, find_stories, refresh_index

# Larger libraries are checked with their daily backup, which happens behind the window.
_CHECKED_AT_ONCE = 32 << 20
_WAIT_SECONDS = 3.0
_LITTLE_SPACE = 1 << 20

_STORY = "SELECT id, title, prompt, created, changed, in_trash FROM stories"
_ORDER = "ORDER BY position, changed DESC, id DESC"
_DRAFT = "SELECT id, story_id, name, text, created, changed, origin, authorship, parent_id FROM drafts"


class SqliteLibrary:
    """Implements LibraryStore. Any thread: one connection behind one lock, each method one transaction.

    One process writes; a second one reads, and its ``read_only`` stays True until it opens the library anew.
    """

    def __init__(self, path: Path, backups: Path | None = None) -> None:
        """Open or create the library; backups go to ``backups``, by default the folder of that name beside it.

        Raises StorydeskError(LIBRARY_DAMAGED, LIBRARY_TOO_NEW, LIBRARY_LOCKED, NOT_WRITABLE, DISK_FULL); a damaged
        file is left as it is.
        """
        self._path = path
        self._backups = backups or path.parent / "backups"
        self._lock = threading.RLock()
        self._backup_thread: threading.Thread | None = None
        self._indexed = False
        self._is_new = False
        self._file_lock = FileLock(path.with_name(path.name + ".lock"))
        make_folder(path.parent)
        self._read_only = not self._file_lock.acquire()
        try:
            with explain_sqlite(path):
                self._connection = self._open_to_read() if self._read_only else self._open_to_write()
        except BaseException:
            self._file_lock.release()
            raise
        if not (self._read_only or self._is_new):
            self._backup_thread = threading.Thread(
                target=keep_backup, args=(path, self._backups), name="library-backup", daemon=True
            )
            self._backup_thread.start()

    @property
    def read_only(self) -> bool:
        """Whether another window holds the library, so that nothing can be changed here."""
        return self._read_only

    @property
    def path(self) -> Path:
        """The library's file."""
        return self._path

    @property
    def backups(self) -> Path:
        """The folder of its backups."""
        return self._backups

    @property
    def has_index(self) -> bool:
        """Whether this SQLite has full-text search."""
        return self._indexed

    def has_no_writer(self) -> bool:
        """Return whether nobody writes this library at the moment, so that one who only reads may open it anew."""
        if not self._read_only:
            return False
        lock = FileLock(self._path.with_name(self._path.name + ".lock"))
        free = lock.acquire()
        lock.release()
        return free

    def replace_content(self, source: Path) -> None:
        """Become a copy of another library of this version, in one transaction that a crash undoes.

        Raises LIBRARY_LOCKED in a window that only reads, DISK_FULL, LIBRARY_DAMAGED.
        """
        if self._read_only:
            raise StorydeskError(FailureCode.LIBRARY_LOCKED, path=str(self._path))
        self.settle_backup()
        with self._lock, explain_sqlite(self._path):
            other = sqlite3.connect(make_address(source), uri=True, timeout=5)
            try:
                other.backup(self._connection)
            finally:
                other.close()
            # What the connection remembers of the old content, the index above all, must not outlive it.
            self._connection.close()
            self._connection = self._connect()

    def settle_backup(self) -> None:
        """Wait until the day's backup is made."""
        if self._backup_thread is not None:
            self._backup_thread.join()

    def list_stories(self, *, trash: bool = False) -> Sequence[Story]:
        """Return the stories in the writer's order; before them, last changed first, those that were never placed."""
        with self.reading() as connection:
            rows = connection.execute(f"{_STORY} WHERE in_trash = ? {_ORDER}", (trash,))
            return [make_story(row) for row in rows]

    def add_story(self, title: str, prompt: str = "", text: str = "", origin: str = "written") -> Story:
        """Create a story with its first draft."""
        now = time.time()
        with self.writing() as connection:
            cursor = connection.execute(
                "INSERT INTO stories (title, prompt, created, changed) VALUES (?, ?, ?, ?)",
                (mend_text(title), mend_text(prompt), now, now),
            )
            story_id = int(cursor.lastrowid or 0)
            _insert_draft(connection, story_id, "1", text, origin, now)
            return _find_story(connection, story_id)

    def change_story(self, story_id: int, *, title: str | None = None, prompt: str | None = None) -> Story:
        """Change a story's card; raise StorydeskError(STORY_NOT_FOUND)."""
        with self.writing() as connection:
            story = _find_story(connection, story_id)
            new_title = story.title if title is None else mend_text(title)
            new_prompt = story.prompt if prompt is None else mend_text(prompt)
            if (new_title, new_prompt) == (story.title, story.prompt):
                return story
            connection.execute(
                "UPDATE stories SET title = ?, prompt = ?, changed = ? WHERE id = ?",
                (new_title, new_prompt, time.time(), story_id),
            )
            return _find_story(connection, story_id)

    def trash_story(self, story_id: int, *, restore: bool = False) -> None:
        """Put a story into the trash or back; raise StorydeskError(STORY_NOT_FOUND)."""
        with self.writing() as connection:
            _find_story(connection, story_id)
            connection.execute("UPDATE stories SET in_trash = ? WHERE id = ?", (not restore, story_id))

    def delete_story(self, story_id: int) -> None:
        """Delete a story that is in the trash, for good; raise STORY_NOT_FOUND for one that is not there."""
        with self.writing() as connection:
            if not _find_story(connection, story_id).in_trash:
                raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(story_id))
            if self._indexed:
                connection.execute(
                    "DELETE FROM draft_words WHERE rowid IN (SELECT id FROM drafts WHERE story_id = ?)", (story_id,)
                )
            connection.execute("DELETE FROM stories WHERE id = ?", (story_id,))

    def list_drafts(self, story_id: int) -> Sequence[Draft]:
        """Return the drafts of a story, newest first."""
        with self.reading() as connection:
            rows = connection.execute(f"{_DRAFT} WHERE story_id = ? ORDER BY id DESC", (story_id,))
            return [Draft(*row) for row in rows]

    def add_draft(
        self,
        story_id: int,
        name: str,
        text: str,
        origin: str = "written",
        *,
        authorship: str = "",
        parent_id: int | None = None,
    ) -> Draft:
        """Add a draft; raise StorydeskError(STORY_NOT_FOUND)."""
        now = time.time()
        with self.writing() as connection:
            _find_story(connection, story_id)
            draft_id = _insert_draft(connection, story_id, name, text, origin, now)
            connection.execute(
                "UPDATE drafts SET authorship = ?, parent_id = ? WHERE id = ?",
                (mend_text(authorship), parent_id, draft_id),
            )
            connection.execute("UPDATE stories SET changed = ? WHERE id = ?", (now, story_id))
            return _find_draft(connection, draft_id)

    def save_draft(self, draft_id: int, text: str, authorship: str | None = None) -> Draft:
        """Save a draft's whole text with its spans; on disk when this returns. An unchanged text changes no date.

        Without ``authorship`` the spans stay as they were, and are no longer believed where they fit another text.
        """
        mended, now = mend_text(text), time.time()
        spans = None if authorship is None else mend_text(authorship)
        with self.writing() as connection:
            cursor = connection.execute(
                "UPDATE drafts SET text = ?, authorship = coalesce(?, authorship), changed = ?, indexed = 0 "
                "WHERE id = ? AND text <> ?",
                (mended, spans, now, draft_id, mended),
            )
            if not cursor.rowcount and spans is not None:
                connection.execute(
                    "UPDATE drafts SET authorship = ? WHERE id = ? AND authorship <> ?", (spans, draft_id, spans)
                )
            draft = _find_draft(connection, draft_id)
            if cursor.rowcount:
                connection.execute("UPDATE stories SET changed = ? WHERE id = ?", (now, draft.story_id))
            return draft

    def load_draft(self, draft_id: int) -> Draft:
        """Return a draft; raise StorydeskError(STORY_NOT_FOUND)."""
        with self.reading() as connection:
            return _find_draft(connection, draft_id)

    def search(self, words: str) -> Sequence[Story]:
        """Return stories, the trash included, that hold all the words in title, prompt or drafts; any query will do."""
        query = mend_text(words)
        if self._indexed and not self._read_only:
            # A search that can't index (the disk is full) reads the texts instead.
            with contextlib.suppress(StorydeskError), self.writing() as connection:
                refresh_index(connection)
        with self.reading() as connection:
            try:
                found = find_stories(connection, query, use_index=self._indexed)
            except sqlite3.DatabaseError:
                if not self._indexed:
                    raise
                found = find_stories(connection, query, use_index=False)
            rows = connection.execute(f"{_STORY} {_ORDER}")
            return [make_story(row) for row in rows if row[0] in found]

    def record_generation(self, record: GenerationRecord) -> None:
        """Keep what made a piece of text; raise StorydeskError(STORY_NOT_FOUND) without its draft."""
        with self.writing() as connection:
            _find_draft(connection, record.draft_id)
            connection.execute(
                "INSERT INTO generations (draft_id, model, seed, prompt, settings, text, accepted, created) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    record.draft_id,
                    mend_text(record.model),
                    str(record.seed),
                    mend_text(record.prompt),
                    mend_text(record.settings),
                    mend_text(record.text),
                    record.accepted,
                    record.created,
                ),
            )

    def list_generations(self, draft_id: int) -> Sequence[GenerationRecord]:
        """Return what was generated for a draft, newest first."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT draft_id, model, seed, prompt, settings, text, accepted, created FROM generations "
                "WHERE draft_id = ? ORDER BY id DESC",
                (draft_id,),
            )
            return [
                GenerationRecord(draft, model, int(seed), prompt, settings, text, bool(accepted), created)
                for draft, model, seed, prompt, settings, text, accepted, created in rows
            ]

    def list_dictionary(self) -> Sequence[str]:
        """Return the writer's own words in the order of the alphabet."""
        with self.reading() as connection:
            return [row[0] for row in connection.execute("SELECT word FROM dictionary ORDER BY word")]

    def add_to_dictionary(self, word: str) -> None:
        """Learn a word; learning it twice, or nothing, changes nothing."""
        mended = mend_text(word).strip()
        if mended:
            with self.writing() as connection:
                connection.execute("INSERT OR IGNORE INTO dictionary VALUES (?, ?)", (mended, time.time()))

    def get_story_setting(self, story_id: int, name: str) -> str:
        """Return what is set for a story under a name; empty where nothing is."""
        with self.reading() as connection:
            row = connection.execute(
                "SELECT value FROM story_settings WHERE story_id = ? AND name = ?", (story_id, name)
            ).fetchone()
            return str(row[0]) if row is not None else ""

    def set_story_setting(self, story_id: int, name: str, value: str) -> None:
        """Set something for a story; raise StorydeskError(STORY_NOT_FOUND)."""
        with self.writing() as connection:
            _find_story(connection, story_id)
            connection.execute(
                "INSERT OR REPLACE INTO story_settings VALUES (?, ?, ?)", (story_id, mend_text(name), mend_text(value))
            )

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self.settle_backup()
        with self._lock:
            self._connection.close()
            self._file_lock.release()

    def _open_to_write(self) -> sqlite3.Connection:
        version = self._inspect()
        self._is_new = version == 0
        if 0 < version < NEWEST:
            make_backup(self._path, self._backups, BackupReason.MIGRATION)
        return self._connect()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False, timeout=5)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA fullfsync = 1")  # what fsync does everywhere but on macOS
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection)
            self._indexed = create_index(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_to_read(self) -> sqlite3.Connection:
        # The other process may be creating the library at this very moment.
        end = time.monotonic() + _WAIT_SECONDS
        while self._inspect() < NEWEST:
            if time.monotonic() > end:
                raise StorydeskError(FailureCode.LIBRARY_LOCKED, path=str(self._path))
            time.sleep(0.05)
        address = make_address(self._path)
        connection = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=5)
        self._indexed = bool(connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'draft_words'").fetchone())
        return connection

    def _inspect(self) -> int:
        """Return the library's version without changing a byte; 0 for a new one; raise DAMAGED, TOO_NEW."""
        damaged = StorydeskError(FailureCode.LIBRARY_DAMAGED, path=str(self._path))
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return 0
        if size == 0 and not self._path.with_name(self._path.name + "-wal").exists():
            if list_backups(self._backups):
                raise damaged  # a library that had stories is not empty
            return 0
        connection = sqlite3.connect(make_address(self._path), uri=True, isolation_level=None, timeout=5)
        try:
            version = read_version(connection)
            if version > NEWEST:
                raise StorydeskError(FailureCode.LIBRARY_TOO_NEW, path=str(self._path))
            tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if (version == 0 and tables) or (version > 0 and not {"stories", "drafts"} <= tables):
                raise damaged
            if size <= _CHECKED_AT_ONCE and not self._read_only:
                result = connection.execute("PRAGMA quick_check(1)").fetchone()
                if result[0] != "ok":
                    raise damaged
            return version
        finally:
            connection.close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for reading; other stores of the same library read through it, too."""
        with self._lock, explain_sqlite(self._path):
            yield self._connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection for one transaction; raise LIBRARY_LOCKED where another window writes."""
        if self._read_only:
            raise StorydeskError(FailureCode.LIBRARY_LOCKED, path=str(self._path))
        with self._lock, explain_sqlite(self._path):
            connection = self._connection
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


@contextlib.contextmanager
def explain_sqlite(path: Path) -> Iterator[None]:
    """Turn SQLite's errors about a library into failures."""
    try:
        yield
    except OverflowError as error:  # a number that no row can have
        raise StorydeskError(FailureCode.STORY_NOT_FOUND, name="with that number") from error
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        place = str(path)
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(path)):
            raise StorydeskError(FailureCode.DISK_FULL, path=place) from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise StorydeskError(FailureCode.LIBRARY_DAMAGED, path=place) from error
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StorydeskError(FailureCode.LIBRARY_LOCKED, path=place) from error
        if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR):
            raise StorydeskError(FailureCode.NOT_WRITABLE, path=place, detail=str(error)) from error
        raise


def _is_full(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LITTLE_SPACE
    return False


def _insert_draft(
    connection: sqlite3.Connection, story_id: int, name: str, text: str, origin: str, created: float
) -> int:
    cursor = connection.execute(
        "INSERT INTO drafts (story_id, name, text, created, changed, origin) VALUES (?, ?, ?, ?, ?, ?)",
        (story_id, mend_text(name), mend_text(text), created, created, mend_text(origin)),
    )
    return int(cursor.lastrowid or 0)


def _find_story(connection: sqlite3.Connection, story_id: int) -> Story:
    row = connection.execute(f"{_STORY} WHERE id = ?", (story_id,)).fetchone()
    if row is None:
        raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(story_id))
    return make_story(row)


def _find_draft(connection: sqlite3.Connection, draft_id: int) -> Draft:
    row = connection.execute(f"{_DRAFT} WHERE id = ?", (draft_id,)).fetchone()
    if row is None:
        raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(draft_id))
    return Draft(*row)


def make_story(row: tuple[int, str, str, float, float, int]) -> Story:
    """Return the story of a row: id, title, prompt, created, changed, in_trash."""
    return Story(*row[:5], in_trash=bool(row[5]))

"""Stories of another library file, taken into the open one with all that belongs to them.

The other file may come from anywhere: it is checked first, nothing in it is executed, and only tables and columns that
this program knows are read.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.storage.backups import make_address
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.migrations import NEWEST, migrate, read_version
from storydesk.storage.word_index import TABLE as INDEX

_LEFT_OUT = ("story_queue", "rating_sheets", "rating_texts", "rating_items", "ratings", "rating_choices")
"""Work that is waiting, and who judged what, is the business of the library it was asked in."""
_SHARED = {"dictionary": ("word",), "prompts": ("text",), "lorebook": ("title", "text", "keys")}
"""Tables whose rows belong to no story, and the columns by which a row is known to be there already."""
_PATIENCE_SECONDS = 120.0
_STEPS_BETWEEN_LOOKS = 100_000


@contextlib.contextmanager
def open_checked(path: Path) -> Iterator[sqlite3.Connection]:
    """Lend a library file for reading, after it passed its check.

    Raises StorydeskError(FILE_NOT_FOUND, LIBRARY_DAMAGED, LIBRARY_TOO_NEW).
    """
    if not path.is_file():
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(path))
    damaged = StorydeskError(FailureCode.LIBRARY_DAMAGED, path=str(path))
    connection = None
    try:
        connection = sqlite3.connect(make_address(path), uri=True, isolation_level=None, timeout=5)
        connection.text_factory = _decode
        _beware(connection)
        version = read_version(connection)
        if version > NEWEST:
            raise StorydeskError(FailureCode.LIBRARY_TOO_NEW, path=str(path))
        if version < 1 or not _is_ours(connection):
            raise damaged
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise damaged
        yield connection
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
            raise StorydeskError(FailureCode.DISK_FULL, path=str(path)) from error
        raise damaged from error
    finally:
        if connection is not None:
            connection.close()


def prepare_copy(source: Path, target: Path) -> None:
    """Copy a checked library file and bring the copy up to this program's version.

    Raises StorydeskError(LIBRARY_DAMAGED, LIBRARY_TOO_NEW, DISK_FULL, NOT_WRITABLE).
    """
    with open_checked(source) as connection:
        copy = sqlite3.connect(target, isolation_level=None)
        try:
            connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            copy.execute("PRAGMA foreign_keys = ON")
            migrate(copy)
        finally:
            copy.close()


@dataclass
class _Numbers:
    """Old row numbers and the new ones, by table."""

    of: dict[str, dict[int, int]] = field(default_factory=dict)

    def find(self, table: str, number: object) -> int | None:
        return self.of.get(table, {}).get(number) if isinstance(number, int) else None


def merge_stories(
    library: SqliteLibrary, source: sqlite3.Connection, *, only: int | None = None, title: str = ""
) -> tuple[list[int], int]:
    """Add the stories of a checked source (or ``only`` one, under ``title``) in one transaction.

    Returns the new stories' numbers and how many drafts came with them. With all stories come the writer's words,
    prompts and lore that belong to none. Raises STORY_NOT_FOUND, LIBRARY_DAMAGED, DISK_FULL.
    """
    with library.writing() as target:
        numbers = _Numbers()
        _copy_rows(target, source, "stories", numbers, only=only)
        added = list(numbers.of.get("stories", {}).values())
        if only is not None and not added:
            raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(only))
        target.executemany("UPDATE stories SET position = 0 WHERE id = ?", [(number,) for number in added])
        if only is not None:
            target.execute(
                "UPDATE stories SET title = ?, in_trash = 0, changed = ? WHERE id = ?", (title, time.time(), added[0])
            )
        _copy_rows(target, source, "drafts", numbers, only=only)
        new_drafts = list(numbers.of.get("drafts", {}).values())
        target.executemany("UPDATE drafts SET indexed = 0 WHERE id = ?", [(number,) for number in new_drafts])
        for table in _list_dependent(target):
            _copy_rows(target, source, table, numbers, only=only)
        if only is None:
            for table in _SHARED:
                _copy_shared(target, source, table)
    return added, len(new_drafts)


def _copy_rows(
    target: sqlite3.Connection, source: sqlite3.Connection, table: str, numbers: _Numbers, *, only: int | None
) -> None:
    """Copy the rows of a table that belong to stories which came along, with new numbers."""
    columns = _shared_columns(target, source, table)
    kinds = {row[1]: row[2] for row in target.execute(f"PRAGMA table_info({table})")}
    links = _read_links(target, table)
    if table == "stories":
        links = {}
    elif not links:
        return
    has_number = "id" in columns
    kept = [column for column in columns if column != "id"]
    names = ", ".join(["id", *kept] if has_number else kept)
    condition = f" WHERE id = {only:d}" if table == "stories" and only is not None else ""
    order = " ORDER BY id" if has_number else ""
    known = numbers.of.setdefault(table, {})
    statement = f"INSERT INTO {table} ({', '.join(kept)}) VALUES ({', '.join('?' * len(kept))})"  # noqa: S608 - our names
    for row in source.execute(f"SELECT {names} FROM {table}{condition}{order}"):  # noqa: S608 - our own names
        old, values = (row[0], list(row[1:])) if has_number else (None, list(row))
        _fit(values, [kinds[column] for column in kept])
        if not _renumber(values, kept, links, numbers):
            continue
        new = target.execute(statement, values).lastrowid
        if isinstance(old, int) and new is not None:
            known[old] = new


def _renumber(values: list[object], columns: Sequence[str], links: dict[str, str], numbers: _Numbers) -> bool:
    """Put new numbers in place of old ones; say whether the row belongs to something that came along."""
    belongs = not links
    for place, column in enumerate(columns):
        if column not in links:
            continue
        values[place] = numbers.find(links[column], values[place])
        belongs = belongs or (values[place] is not None and column in ("story_id", "draft_id"))
    return belongs


def _copy_shared(target: sqlite3.Connection, source: sqlite3.Connection, table: str) -> None:
    columns = [column for column in _shared_columns(target, source, table) if column != "id"]
    key = _SHARED[table]
    if not set(key) <= set(columns):
        return
    condition = " WHERE story_id IS NULL" if "story_id" in columns else ""
    there = {tuple(row) for row in target.execute(f"SELECT {', '.join(key)} FROM {table}{condition}")}  # noqa: S608
    names = ", ".join(columns)
    places = [columns.index(column) for column in key]
    statement = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - our own names
    kinds = {row[1]: row[2] for row in target.execute(f"PRAGMA table_info({table})")}
    for row in source.execute(f"SELECT {names} FROM {table}{condition}"):  # noqa: S608 - our own names
        values = list(row)
        _fit(values, [kinds[column] for column in columns])
        known = tuple(values[place] for place in places)
        if known not in there:
            there.add(known)
            target.execute(statement, values)


def _shared_columns(target: sqlite3.Connection, source: sqlite3.Connection, table: str) -> list[str]:
    theirs = {row[1] for row in source.execute(f"PRAGMA table_info({table})")}
    return [row[1] for row in target.execute(f"PRAGMA table_info({table})") if row[1] in theirs]


def _fit(values: list[object], kinds: Sequence[str]) -> None:
    """Make every value one of its column's kind: a file from elsewhere may hold anything anywhere."""
    for place, (value, kind) in enumerate(zip(values, kinds, strict=True)):
        if value is None:
            continue
        if kind == "TEXT":
            values[place] = mend_text(value if isinstance(value, str) else _decode(_as_bytes(value)))
        elif kind == "BLOB":
            values[place] = _as_bytes(value)
        elif not isinstance(value, (int, float)):
            values[place] = 0


def _as_bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


def _decode(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _read_links(target: sqlite3.Connection, table: str) -> dict[str, str]:
    """Return which columns name rows of which tables."""
    links = {row[3]: row[2] for row in target.execute(f"PRAGMA foreign_key_list({table})")}
    columns = {row[1] for row in target.execute(f"PRAGMA table_info({table})")}
    for column, other in (("story_id", "stories"), ("draft_id", "drafts")):
        if column in columns:
            links.setdefault(column, other)
    return links


def _list_dependent(target: sqlite3.Connection) -> list[str]:
    """Return the tables besides drafts that hang on stories, what others refer to first."""
    rows = target.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
    names = [row[0] for row in rows if not row[0].startswith((INDEX, "sqlite_"))]
    done = ["stories", "drafts"]
    waiting = [name for name in names if name not in (*done, *_LEFT_OUT) and _read_links(target, name)]
    while waiting:
        ready = [name for name in waiting if set(_read_links(target, name).values()) <= {*done, name}] or waiting
        done += ready
        waiting = [name for name in waiting if name not in ready]
    return done[2:]


def _beware(connection: sqlite3.Connection) -> None:
    """Let a strange file do nothing but be read, and not for ever."""
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    connection.execute("PRAGMA mmap_size = 0")
    end = time.monotonic() + _PATIENCE_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > end, _STEPS_BETWEEN_LOOKS)


def _is_ours(connection: sqlite3.Connection) -> bool:
    """Return whether a file has plain tables of our names and nothing that could act: no views, no triggers."""
    ours = _known_tables()
    found = set()
    for kind, name, table, sql in connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master"):
        is_index_table = name == INDEX or name.startswith(f"{INDEX}_")
        if kind not in ("table", "index") or not (is_index_table or table in ours or name.startswith("sqlite_")):
            return False
        if kind == "table" and str(sql or "").upper().startswith("CREATE VIRTUAL") and name != INDEX:
            return False
        found.add(name)
    return {"stories", "drafts"} <= found


def _known_tables() -> set[str]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection)
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    finally:
        connection.close()

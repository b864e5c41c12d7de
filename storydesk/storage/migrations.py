"""The library's tables, one step a version; a step that was shipped is never changed, only followed by another."""

from __future__ import annotations

import sqlite3

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE stories (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            title TEXT NOT NULL,
            prompt TEXT NOT NULL,
            created REAL NOT NULL,
            changed REAL NOT NULL,
            in_trash INTEGER NOT NULL DEFAULT 0)""",
        # "indexed" says whether the search index holds the text as it is now: saving must not wait for indexing.
        """CREATE TABLE drafts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            story_id INTEGER NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            text TEXT NOT NULL,
            created REAL NOT NULL,
            changed REAL NOT NULL,
            origin TEXT NOT NULL,
            indexed INTEGER NOT NULL DEFAULT 0)""",
        "CREATE INDEX drafts_of_story ON drafts (story_id)",
        # A seed may be wider than SQLite's integers.
        """CREATE TABLE generations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            draft_id INTEGER NOT NULL REFERENCES drafts (id) ON DELETE CASCADE,
            model TEXT NOT NULL,
            seed TEXT NOT NULL,
            prompt TEXT NOT NULL,
            settings TEXT NOT NULL,
            text TEXT NOT NULL,
            accepted INTEGER NOT NULL,
            created REAL NOT NULL)""",
        "CREATE INDEX generations_of_draft ON generations (draft_id)",
        "CREATE TABLE dictionary (word TEXT PRIMARY KEY, created REAL NOT NULL)",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    (
        # What is set for one story alone, by name; each value is its owner's own text.
        """CREATE TABLE story_settings (
            story_id INTEGER NOT NULL REFERENCES stories (id) ON DELETE CASCADE,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (story_id, name))""",
    ),
)

NEWEST = len(STEPS)
"""The version that this program reads and writes; kept in SQLite's ``user_version``."""


def read_version(connection: sqlite3.Connection) -> int:
    """Return the version of an open library; 0 for a new file."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a library up to NEWEST in one transaction; ``connection`` is in autocommit mode."""
    if read_version(connection) >= NEWEST:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Read again: another process may have been quicker.
        for step in STEPS[read_version(connection) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {NEWEST:d}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise

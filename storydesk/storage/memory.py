"""The lorebook and each story's memory in the library."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.lorebook import HIGHEST_PRIORITY, LOWEST_PRIORITY, LoreEntry, tidy_keys
from storydesk.domain.memory import StoryMemory
from storydesk.storage.library import SqliteLibrary

_SETTING = "memory"
_ENTRY = "SELECT id, title, text, keys, aliases, priority, enabled, always, story_id IS NULL, extra FROM lorebook"


class LorebookStore:
    """Implements MemoryStore on the library's connection. Any thread; each method is one transaction."""

    def __init__(self, library: SqliteLibrary) -> None:
        """Share the library."""
        self._library = library

    def load_memory(self, story_id: int) -> StoryMemory:
        """Return a story's memory; an empty one where none was kept."""
        return StoryMemory.from_text(self._library.get_story_setting(story_id, _SETTING))

    def keep_memory(self, story_id: int, memory: StoryMemory) -> None:
        """Keep a story's memory; raise StorydeskError(STORY_NOT_FOUND)."""
        self._library.set_story_setting(story_id, _SETTING, memory.within_limits().to_text())

    def list_entries(self, story_id: int) -> Sequence[LoreEntry]:
        """Return a story's entries and those for all stories, by title."""
        with self._library.reading() as connection:
            rows = connection.execute(
                f"{_ENTRY} WHERE story_id = ? OR story_id IS NULL ORDER BY title COLLATE NOCASE, id", (story_id,)
            )
            return [_make_entry(row) for row in rows]

    def keep_entries(self, story_id: int, entries: Iterable[LoreEntry]) -> Sequence[LoreEntry]:
        """Add or change entries, all or none, and return them with their ids; raise STORY_NOT_FOUND.

        One whose id is not there any more comes back under it.
        """
        now = time.time()
        with self._library.writing() as connection:
            if not connection.execute("SELECT 1 FROM stories WHERE id = ?", (story_id,)).fetchone():
                raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(story_id))
            kept = [_keep(connection, story_id, entry, now) for entry in entries]
            return [_make_entry(connection.execute(f"{_ENTRY} WHERE id = ?", (each,)).fetchone()) for each in kept]

    def delete_entries(self, ids: Iterable[int]) -> None:
        """Delete entries; those that are not there don't matter."""
        with self._library.writing() as connection:
            connection.executemany("DELETE FROM lorebook WHERE id = ?", [(each,) for each in ids])


def _keep(connection: sqlite3.Connection, story_id: int, entry: LoreEntry, now: float) -> int:
    values = (
        None if entry.everywhere else story_id,
        mend_text(entry.title),
        mend_text(entry.text),
        _write_list(entry.keys),
        _write_list(entry.aliases),
        min(max(entry.priority, LOWEST_PRIORITY), HIGHEST_PRIORITY),
        entry.enabled,
        entry.always,
        mend_text(entry.extra),
        now,
    )
    if entry.id:
        row = connection.execute("SELECT created FROM lorebook WHERE id = ?", (entry.id,)).fetchone()
        connection.execute(
            "INSERT OR REPLACE INTO lorebook (id, story_id, title, text, keys, aliases, priority, enabled, always, "
            "extra, changed, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (entry.id, *values, row[0] if row else now),
        )
        return entry.id
    cursor = connection.execute(
        "INSERT INTO lorebook (story_id, title, text, keys, aliases, priority, enabled, always, extra, changed, "
        "created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*values, now),
    )
    return int(cursor.lastrowid or 0)


def _write_list(keys: Sequence[str]) -> str:
    return json.dumps([mend_text(key) for key in tidy_keys(keys)], ensure_ascii=False)


def _read_list(text: str) -> tuple[str, ...]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        return ()
    return tuple(value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _make_entry(row: Any) -> LoreEntry:
    number, title, text, keys, aliases, priority, enabled, always, everywhere, extra = row
    return LoreEntry(
        id=number,
        title=title,
        text=text,
        keys=_read_list(keys),
        aliases=_read_list(aliases),
        priority=priority,
        enabled=bool(enabled),
        always=bool(always),
        everywhere=bool(everywhere),
        extra=extra,
    )

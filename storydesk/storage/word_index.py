"""Full-text search over drafts: SQLite's FTS5 where it is built in, else reading every text.

Indexing happens when somebody searches, never when somebody saves. Every function is called under the library's lock.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator

from storydesk.storage.folding import fold, fold_quickly

TABLE = "draft_words"
_WORDS = re.compile(r"\w+")


def create_index(connection: sqlite3.Connection) -> bool:
    """Create the index where it is missing and return whether this SQLite has full-text search."""
    try:
        connection.execute(
            f"CREATE VIRTUAL TABLE IF NOT EXISTS {TABLE} USING fts5 (text, tokenize = 'unicode61 remove_diacritics 2')"
        )
    except sqlite3.OperationalError as error:
        if "no such module" in str(error):
            return False
        raise
    return True


def refresh_index(connection: sqlite3.Connection) -> None:
    """Index the drafts that were saved since the last search; inside a transaction."""
    while refresh_draft(connection):
        pass


def refresh_draft(connection: sqlite3.Connection) -> bool:
    """Index one draft that was saved since the last search and return whether there was one; inside a transaction."""
    row = connection.execute("SELECT id, text FROM drafts WHERE NOT indexed LIMIT 1").fetchone()
    if row is None:
        return False
    draft_id, text = row
    connection.execute(f"DELETE FROM {TABLE} WHERE rowid = ?", (draft_id,))  # noqa: S608 - a constant
    connection.execute(f"INSERT INTO {TABLE} (rowid, text) VALUES (?, ?)", (draft_id, fold_quickly(text)))  # noqa: S608
    connection.execute("UPDATE drafts SET indexed = 1 WHERE id = ?", (draft_id,))
    return True


def find_stories(connection: sqlite3.Connection, query: str, *, use_index: bool) -> set[int]:
    """Return the ids of the stories that hold every word of the query, each in title, prompt or any draft.

    A word is found at the start of words, without regard to case and accents; what has no letters (a dash, a face) is
    found anywhere. An empty query finds every story.
    """
    found = {int(row[0]) for row in connection.execute("SELECT id FROM stories")}
    for part in query.split():
        words = _WORDS.findall(part)
        if words:
            for word in words:
                found &= _find_word(connection, word, use_index=use_index)
        else:
            found &= {story_id for story_id, text in _read_texts(connection, only_new=False) if part in text}
        if not found:
            break
    return found


def _find_word(connection: sqlite3.Connection, word: str, *, use_index: bool) -> set[int]:
    start = re.compile(r"(?<!\w)" + re.escape(fold(word)))

    def holds(text: str) -> bool:
        return start.search(fold_quickly(text)) is not None

    if not use_index:
        return _scan(connection, holds, only_new=False)
    quoted = '"' + fold(word).replace('"', '""') + '"*'
    rows = connection.execute(
        f"SELECT DISTINCT story_id FROM {TABLE} JOIN drafts ON drafts.id = {TABLE}.rowid "  # noqa: S608 - a constant
        f"WHERE {TABLE} MATCH ? AND indexed",
        (quoted,),
    )
    return {int(row[0]) for row in rows} | _scan(connection, holds, only_new=True)


def _scan(connection: sqlite3.Connection, holds: Callable[[str], bool], *, only_new: bool) -> set[int]:
    """Return the stories whose card or drafts (those not indexed yet, with ``only_new``) satisfy ``holds``."""
    return {story_id for story_id, text in _read_texts(connection, only_new=only_new) if holds(text)}


def _read_texts(connection: sqlite3.Connection, *, only_new: bool) -> Iterator[tuple[int, str]]:
    for story_id, title, prompt in connection.execute("SELECT id, title, prompt FROM stories"):
        yield story_id, title
        yield story_id, prompt
    condition = "WHERE NOT indexed" if only_new else ""
    yield from connection.execute(f"SELECT story_id, text FROM drafts {condition}")  # noqa: S608 - a constant

"""Status, target, tags and order of stories, and what is kept of their parts, in the library's file."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.manuscript import count_words
from storydesk.domain.outline import KeptPart, PartDetails, PartKind, StoryDetails, read_status
from storydesk.storage.library import SqliteLibrary

NOTE = "note"
MOST_WORDS = 100_000_000
_LONGEST_TAG = 60


class SqliteOutline:
    """Implements OutlineStore over an open library. Any thread."""

    def __init__(self, library: SqliteLibrary) -> None:
        """Work on this library's tables."""
        self._library = library
        self._lock = threading.Lock()
        self._words: dict[int, tuple[float, int]] = {}

    def read_details(self) -> Mapping[int, StoryDetails]:
        """Return the details of every story; words are counted for those with a target only, and remembered."""
        with self._library.reading() as connection:
            tags: dict[int, list[str]] = {}
            for story_id, tag in connection.execute("SELECT story_id, tag FROM story_tags ORDER BY tag"):
                tags.setdefault(story_id, []).append(tag)
            notes = dict(connection.execute("SELECT story_id, value FROM story_settings WHERE name = ?", (NOTE,)))
            rows = connection.execute("SELECT id, status, target FROM stories").fetchall()
            newest = {
                story_id: (draft_id, changed)
                for story_id, draft_id, changed in connection.execute(
                    "SELECT story_id, MAX(id), changed FROM drafts GROUP BY story_id"
                )
            }
            texts = {
                newest[story_id]: connection.execute(
                    "SELECT text FROM drafts WHERE id = ?", (newest[story_id][0],)
                ).fetchone()[0]
                for story_id, _status, target in rows
                if target and story_id in newest and not self._knows(*newest[story_id])
            }
        with self._lock:  # counting is slow, and nobody should wait for the library meanwhile
            for (draft_id, changed), text in texts.items():
                self._words[draft_id] = (changed, count_words(text))
        return {
            story_id: StoryDetails(
                read_status(status),
                target,
                tuple(tags.get(story_id, ())),
                notes.get(story_id, ""),
                self._words.get(newest.get(story_id, (0, 0.0))[0], (0.0, 0))[1],
            )
            for story_id, status, target in rows
        }

    def write_details(self, story_id: int, details: StoryDetails) -> None:
        """Keep a story's details; raise StorydeskError(STORY_NOT_FOUND)."""
        tags = {mend_text(tag).strip()[:_LONGEST_TAG] for tag in details.tags}
        note = mend_text(details.note)
        with self._library.writing() as connection:
            changed = connection.execute(
                "UPDATE stories SET status = ?, target = ? WHERE id = ?",
                (str(details.status), _bound(details.target), story_id),
            )
            if not changed.rowcount:
                raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(story_id))
            connection.execute("DELETE FROM story_tags WHERE story_id = ?", (story_id,))
            connection.executemany("INSERT INTO story_tags VALUES (?, ?)", [(story_id, tag) for tag in tags if tag])
            connection.execute("DELETE FROM story_settings WHERE story_id = ? AND name = ?", (story_id, NOTE))
            if note:
                connection.execute("INSERT INTO story_settings VALUES (?, ?, ?)", (story_id, NOTE, note))

    def place_stories(self, order: Sequence[int]) -> None:
        """Let these stories stand in this order, behind those that were never placed."""
        with self._library.writing() as connection:
            connection.executemany(
                "UPDATE stories SET position = ? WHERE id = ?",
                [(float(number), story_id) for number, story_id in enumerate(order, start=1)],
            )

    def read_parts(self, story_id: int) -> Sequence[KeptPart]:
        """Return what is kept of a story's parts, in order."""
        with self._library.reading() as connection:
            rows = connection.execute(
                "SELECT title, kind, status, target, note, present FROM story_parts WHERE story_id = ? "
                "ORDER BY present DESC, ordinal",
                (story_id,),
            ).fetchall()
        return [
            KeptPart(title, _read_kind(kind), PartDetails(read_status(status), target, note), bool(present))
            for title, kind, status, target, note, present in rows
        ]

    def write_parts(self, story_id: int, parts: Sequence[KeptPart]) -> None:
        """Keep this of a story's parts and nothing else; raise StorydeskError(STORY_NOT_FOUND)."""
        rows = [
            (
                story_id,
                number,
                mend_text(part.title),
                str(part.kind),
                str(part.details.status),
                _bound(part.details.target),
                mend_text(part.details.note),
                part.present,
            )
            for number, part in enumerate(parts)
        ]
        with self._library.writing() as connection:
            if connection.execute("SELECT 1 FROM stories WHERE id = ?", (story_id,)).fetchone() is None:
                raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(story_id))
            connection.execute("DELETE FROM story_parts WHERE story_id = ?", (story_id,))
            connection.executemany(
                "INSERT INTO story_parts (story_id, ordinal, title, kind, status, target, note, present) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def _knows(self, draft_id: int, changed: float) -> bool:
        with self._lock:
            return self._words.get(draft_id, (None, 0))[0] == changed


def _bound(words: int) -> int:
    return max(0, min(int(words), MOST_WORDS))


def _read_kind(kind: str) -> PartKind:
    return PartKind.SCENE if kind == PartKind.SCENE else PartKind.CHAPTER

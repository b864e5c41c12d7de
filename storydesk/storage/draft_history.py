"""Snapshots and generations in the library."""

from __future__ import annotations

import base64
import sqlite3
import time
import zlib
from collections.abc import Sequence
from typing import Any

from storydesk.domain.characters import mend_text
from storydesk.domain.draft_history import DraftCard, KeptGeneration, Outcome, Snapshot, SnapshotRule
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.manuscript import count_words
from storydesk.storage.library import SqliteLibrary

_SNAPSHOT = "SELECT snapshots.id, draft_id, snapshots.name, rule, words, snapshots.created FROM snapshots"
_GENERATION = (
    "SELECT key, draft_id, kind, model, seed, prompt, settings, generations.text, outcome, accepted, perplexity, "
    "generations.created, request, drafts.name FROM generations JOIN drafts ON drafts.id = draft_id"
)
_LONGEST = 64 << 20  # bytes of a text; a novel has one or two million
_UNUSED = (
    "(SELECT generations.id FROM generations JOIN drafts ON drafts.id = draft_id WHERE accepted = 0 "
    "AND story_id = (SELECT story_id FROM drafts WHERE id = ?) ORDER BY generations.id DESC LIMIT -1 OFFSET ?)"
)
_FORGET = "DELETE FROM generations WHERE id IN " + _UNUSED  # noqa: S608 - nothing of this comes from outside
_SHORTEN = "UPDATE generations SET request = '' WHERE request <> '' AND id IN " + _UNUSED  # noqa: S608 - the same


class SqliteDraftHistory:
    """Implements DraftHistoryStore on the library's connection. Any thread; each method is one transaction."""

    def __init__(self, library: SqliteLibrary) -> None:
        """Share the library."""
        self._library = library
        self._words: dict[int, tuple[float, int]] = {}  # of each draft when it was changed last

    def list_cards(self, story_id: int) -> Sequence[DraftCard]:
        """Return a story's drafts, newest first."""
        with self._library.reading() as connection:
            rows = connection.execute(
                "SELECT id, name, text, created, changed, parent_id FROM drafts WHERE story_id = ? ORDER BY id DESC",
                (story_id,),
            ).fetchall()
        return [
            DraftCard(id_, name, self._count_words(id_, changed, text), created, changed, parent)
            for id_, name, text, created, changed, parent in rows
        ]

    def _count_words(self, draft_id: int, changed: float, text: str) -> int:
        known = self._words.get(draft_id)
        if known is None or known[0] != changed:
            known = self._words[draft_id] = (changed, count_words(text))
        return known[1]

    def add_snapshot(
        self, draft_id: int, name: str, rule: SnapshotRule, text: str, words: int, authorship: str
    ) -> Snapshot:
        """Keep a draft as it is; raise StorydeskError(STORY_NOT_FOUND)."""
        packed = zlib.compress(mend_text(text).encode("utf-8"), 6)
        with self._library.writing() as connection:
            _check_draft(connection, draft_id)
            cursor = connection.execute(
                "INSERT INTO snapshots (draft_id, name, rule, words, text, authorship, created) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (draft_id, mend_text(name), str(rule), words, packed, mend_text(authorship), time.time()),
            )
            row = connection.execute(f"{_SNAPSHOT} WHERE snapshots.id = ?", (cursor.lastrowid,)).fetchone()
            return _make_snapshot(row)

    def list_snapshots(self, story_id: int) -> Sequence[Snapshot]:
        """Return the snapshots of all drafts of a story, newest first."""
        with self._library.reading() as connection:
            rows = connection.execute(
                f"{_SNAPSHOT} JOIN drafts ON drafts.id = draft_id WHERE story_id = ? ORDER BY snapshots.id DESC",
                (story_id,),
            )
            return [_make_snapshot(row) for row in rows]

    def load_snapshot(self, snapshot_id: int) -> tuple[Snapshot, str, str]:
        """Return a snapshot with its text and authorship; raise StorydeskError(STORY_NOT_FOUND)."""
        with self._library.reading() as connection:
            row = connection.execute(f"{_SNAPSHOT} WHERE snapshots.id = ?", (snapshot_id,)).fetchone()
            if row is None:
                raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(snapshot_id))
            packed, authorship = connection.execute(
                "SELECT text, authorship FROM snapshots WHERE id = ?", (snapshot_id,)
            ).fetchone()
        return _make_snapshot(row), self._unfold(packed), str(authorship)

    def newest_text(self, draft_id: int) -> str | None:
        """Return the text of a draft's newest snapshot, None where it has none or that can't be read."""
        with self._library.reading() as connection:
            row = connection.execute(
                "SELECT text FROM snapshots WHERE draft_id = ? ORDER BY id DESC LIMIT 1", (draft_id,)
            ).fetchone()
        if row is None:
            return None
        try:
            return self._unfold(row[0])
        except StorydeskError:
            return None  # a damaged snapshot is no reason to take no other

    def _unfold(self, packed: bytes) -> str:
        """Return a snapshot's text; one that came with somebody else's library may be anything."""
        try:
            return _inflate(packed)
        except (ValueError, TypeError, zlib.error) as error:
            raise StorydeskError(FailureCode.LIBRARY_DAMAGED, path=str(self._library.path)) from error

    def delete_snapshots(self, ids: Sequence[int]) -> None:
        """Delete snapshots; those that are not there don't matter."""
        with self._library.writing() as connection:
            connection.executemany("DELETE FROM snapshots WHERE id = ?", [(each,) for each in ids])

    def rename_snapshot(self, snapshot_id: int, name: str) -> None:
        """Give a snapshot a name; it is then no rule's any more and never thinned."""
        with self._library.writing() as connection:
            connection.execute(
                "UPDATE snapshots SET name = ?, rule = ? WHERE id = ?",
                (mend_text(name), str(SnapshotRule.HAND), snapshot_id),
            )

    def keep_generation(self, generation: KeptGeneration) -> None:
        """Keep what a model wrote; raise StorydeskError(STORY_NOT_FOUND) without its draft."""
        with self._library.writing() as connection:
            _check_draft(connection, generation.draft_id)
            values: dict[str, Any] = {
                "draft_id": generation.draft_id,
                "model": mend_text(generation.model),
                "seed": str(generation.seed),
                "prompt": mend_text(generation.prompt),
                "settings": mend_text(generation.settings),
                "text": mend_text(generation.text),
                "accepted": generation.outcome in (Outcome.ACCEPTED, Outcome.EDITED),
                "created": generation.created,
                "kind": generation.kind,
                "request": _pack(generation.request),
                "perplexity": generation.perplexity,
                "outcome": str(generation.outcome),
                "key": generation.key,
            }
            names = ", ".join(values)
            marks = ", ".join(f":{name}" for name in values)
            connection.execute(f"INSERT INTO generations ({names}) VALUES ({marks})", values)  # noqa: S608 - our names

    def settle_generation(self, key: str, outcome: Outcome | None, perplexity: float | None) -> None:
        """Note what became of a generation, or how surprising it is."""
        if not key:
            return
        with self._library.writing() as connection:
            if outcome is not None:
                used = outcome in (Outcome.ACCEPTED, Outcome.EDITED)
                connection.execute(
                    "UPDATE generations SET outcome = ?, accepted = ? WHERE key = ?", (str(outcome), used, key)
                )
            if perplexity is not None:
                connection.execute("UPDATE generations SET perplexity = ? WHERE key = ?", (perplexity, key))

    def find_generations(self, story_id: int, words: str, limit: int) -> Sequence[KeptGeneration]:
        """Return a story's generations that hold all words in text, prompt or model, newest first."""
        query, given = f"{_GENERATION} WHERE story_id = ?", [story_id]  # type: str, list[object]
        for word in mend_text(words).split():
            query += " AND instr(lower(generations.text || ' ' || prompt || ' ' || model), lower(?))"
            given.append(word)
        with self._library.reading() as connection:
            rows = connection.execute(f"{query} ORDER BY generations.id DESC LIMIT ?", (*given, limit))
            return [_make_generation(row) for row in rows]

    def find_generation(self, key: str) -> KeptGeneration | None:
        """Return one generation."""
        with self._library.reading() as connection:
            row = connection.execute(f"{_GENERATION} WHERE key = ?", (key,)).fetchone()
            return _make_generation(row) if row is not None else None

    def prune_generations(self, draft_id: int, most: int, most_repeatable: int) -> None:
        """Forget the oldest unused generations of a draft's story, and the requests of all but some of the rest."""
        with self._library.writing() as connection:
            connection.execute(_FORGET, (draft_id, most))
            connection.execute(_SHORTEN, (draft_id, most_repeatable))


def _check_draft(connection: sqlite3.Connection, draft_id: int) -> None:
    if connection.execute("SELECT 1 FROM drafts WHERE id = ?", (draft_id,)).fetchone() is None:
        raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(draft_id))


def _make_snapshot(row: tuple[int, int, str, str, int, float]) -> Snapshot:
    id_, draft_id, name, rule, words, created = row
    known = rule if rule in list(SnapshotRule) else SnapshotRule.HAND
    return Snapshot(id_, draft_id, name, SnapshotRule(known), words, created)


def _make_generation(row: Sequence[Any]) -> KeptGeneration:
    key, draft_id, kind, model, seed, prompt, settings, text, outcome, accepted, perplexity, created, request, name = (
        row
    )
    known = Outcome(outcome) if outcome in list(Outcome) else Outcome.ACCEPTED if accepted else Outcome.UNUSED
    return KeptGeneration(
        key or f"{draft_id}-{created}",
        draft_id,
        kind,
        model,
        int(seed) if str(seed).isdecimal() else 0,
        prompt,
        settings,
        text,
        known,
        perplexity,
        created,
        _unpack(request),
        name,
    )


def _pack(request: str) -> str:
    """Return a request in little room: it holds what stands before the generated text."""
    return base64.b85encode(zlib.compress(mend_text(request).encode("utf-8"), 9)).decode("ascii") if request else ""


def _inflate(packed: bytes) -> str:
    """Return what was compressed; raise ValueError where that is longer than any draft."""
    opened = zlib.decompressobj()
    content = opened.decompress(packed, _LONGEST)
    if opened.unconsumed_tail or not opened.eof:
        raise ValueError(len(content))
    return content.decode("utf-8")


def _unpack(packed: str) -> str:
    try:
        return _inflate(base64.b85decode(packed)) if packed else ""
    except (ValueError, zlib.error):
        return ""

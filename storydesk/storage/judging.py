"""Rating sheets, raters and what they said, in the library."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judging import (
    Choice,
    ContenderKind,
    Criterion,
    Entry,
    ItemChoice,
    Rater,
    Rating,
    Sheet,
    SheetContent,
    SheetItem,
)
from storydesk.storage.library import SqliteLibrary

_SHEET = "SELECT id, key, name, criteria, seed, created, is_guest, revealed, in_trash, checksum FROM rating_sheets"
_RATER = "SELECT id, key, name, is_guest FROM raters"
# Of each rater only what was said last counts; rows are only ever added.
_LAST_RATINGS = (
    "SELECT item_id, rater_id, criterion, value, created FROM ratings WHERE id IN (SELECT max(id) FROM ratings "
    "WHERE item_id IN (SELECT id FROM rating_items WHERE sheet_id = ?) GROUP BY item_id, rater_id, criterion) "
    "ORDER BY id"
)
_LAST_CHOICES = (
    "SELECT item_id, rater_id, choice, why, created FROM rating_choices WHERE id IN (SELECT max(id) "
    "FROM rating_choices WHERE item_id IN (SELECT id FROM rating_items WHERE sheet_id = ?) GROUP BY item_id, rater_id) "
    "ORDER BY id"
)
_ITEM = (
    "SELECT i.id, i.key, a.prompt, a.text, a.contender, a.kind, a.made_by, "
    "b.prompt, b.text, b.contender, b.kind, b.made_by FROM rating_items i JOIN rating_texts a ON a.id = i.first_id "
    "LEFT JOIN rating_texts b ON b.id = i.second_id"
)


class SqliteJudging:
    """Implements JudgingStore on the library's connection. Any thread; each method is one transaction."""

    def __init__(self, library: SqliteLibrary) -> None:
        """Share the library."""
        self._library = library

    def add_sheet(self, sheet: Sheet, items: Sequence[SheetItem]) -> Sheet:
        """Keep a new sheet with its items and return it with its number; one with that key is returned as it is."""
        with self._library.writing() as connection:
            known = connection.execute(f"{_SHEET} WHERE key = ?", (sheet.key,)).fetchone()
            if known is not None:
                return _make_sheet(known)
            cursor = connection.execute(
                "INSERT INTO rating_sheets (key, name, criteria, seed, is_guest, revealed, in_trash, checksum, "
                "created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    mend_text(sheet.key),
                    mend_text(sheet.name),
                    json.dumps([str(each) for each in sheet.criteria]),
                    str(sheet.seed),
                    sheet.is_guest,
                    sheet.revealed,
                    sheet.in_trash,
                    sheet.checksum,
                    sheet.created,
                ),
            )
            sheet_id = int(cursor.lastrowid or 0)
            texts: dict[Entry, int] = {}
            for item in items:
                for entry in item.entries:
                    if entry not in texts:
                        texts[entry] = _insert_text(connection, sheet_id, entry)
                second = texts[item.second] if item.second is not None else None
                connection.execute(
                    "INSERT INTO rating_items (sheet_id, key, first_id, second_id) VALUES (?, ?, ?, ?)",
                    (sheet_id, item.key, texts[item.first], second),
                )
            return _make_sheet(connection.execute(f"{_SHEET} WHERE id = ?", (sheet_id,)).fetchone())

    def list_sheets(self) -> Sequence[Sheet]:
        """Return all sheets, those in the trash too, the newest first."""
        with self._library.reading() as connection:
            return [_make_sheet(row) for row in connection.execute(f"{_SHEET} ORDER BY id DESC")]

    def find_sheet(self, key: str) -> Sheet | None:
        """Return the sheet with a key."""
        with self._library.reading() as connection:
            row = connection.execute(f"{_SHEET} WHERE key = ?", (mend_text(key),)).fetchone()
            return _make_sheet(row) if row is not None else None

    def load_sheet(self, sheet_id: int) -> SheetContent:
        """Return a sheet with everything; raise StorydeskError(SHEET_NOT_FOUND)."""
        with self._library.reading() as connection:
            sheet = _find_sheet(connection, sheet_id)
            return SheetContent(
                sheet,
                tuple(
                    _make_item(row)
                    for row in connection.execute(f"{_ITEM} WHERE i.sheet_id = ? ORDER BY i.id", (sheet_id,))
                ),
                tuple(_make_rating(row) for row in connection.execute(_LAST_RATINGS, (sheet_id,)) if _is_rating(row)),
                tuple(_make_choice(row) for row in connection.execute(_LAST_CHOICES, (sheet_id,))),
            )

    def find_item(self, sheet_id: int, item_id: int) -> tuple[Sheet, SheetItem]:
        """Return one item and its sheet; raise StorydeskError(SHEET_NOT_FOUND) where it is not on that sheet."""
        with self._library.reading() as connection:
            sheet = _find_sheet(connection, sheet_id)
            row = connection.execute(f"{_ITEM} WHERE i.sheet_id = ? AND i.id = ?", (sheet_id, item_id)).fetchone()
            if row is None:
                raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name="with that text")
            return sheet, _make_item(row)

    def change_sheet(self, sheet: Sheet) -> None:
        """Keep a sheet's name, its trash mark and when it was revealed; raise StorydeskError(SHEET_NOT_FOUND)."""
        with self._library.writing() as connection:
            _find_sheet(connection, sheet.id)
            connection.execute(
                "UPDATE rating_sheets SET name = ?, in_trash = ?, revealed = ? WHERE id = ?",
                (mend_text(sheet.name), sheet.in_trash, sheet.revealed, sheet.id),
            )

    def delete_sheet(self, sheet_id: int) -> None:
        """Delete a sheet that is in the trash, for good, with all that was said; another one stays."""
        with self._library.writing() as connection:
            connection.execute("DELETE FROM rating_sheets WHERE id = ? AND in_trash <> 0", (sheet_id,))

    def count_items(self, sheet_id: int) -> int:
        """Return how many items a sheet has."""
        with self._library.reading() as connection:
            row = connection.execute("SELECT count(*) FROM rating_items WHERE sheet_id = ?", (sheet_id,)).fetchone()
            return int(row[0])

    def count_done(self, sheet_id: int) -> Sequence[tuple[Rater, int]]:
        """Return who said something about a sheet, and how many of its items each has finished."""
        said: dict[int, dict[int, int]] = {}
        with self._library.reading() as connection:
            row = connection.execute("SELECT criteria FROM rating_sheets WHERE id = ?", (sheet_id,)).fetchone()
            asked = max(1, len(json.loads(row[0]))) if row is not None else 1
            for query in (_LAST_RATINGS, _LAST_CHOICES):
                for row in connection.execute(query, (sheet_id,)):
                    item, rater, value = row[0], row[1], row[3] if query is _LAST_RATINGS else row[2]
                    if value is not None:
                        items = said.setdefault(rater, {})
                        items[item] = items.get(item, 0) + 1
        return [
            (rater, sum(count >= asked for count in said[rater.id].values()))
            for rater in self.list_raters()
            if rater.id in said
        ]

    def list_raters(self) -> Sequence[Rater]:
        """Return all raters, the first one first."""
        with self._library.reading() as connection:
            return [_make_rater(row) for row in connection.execute(f"{_RATER} ORDER BY id")]

    def keep_rater(self, rater: Rater) -> Rater:
        """Add a rater, or change the name of the one with this key; return it with its number."""
        with self._library.writing() as connection:
            connection.execute(
                "INSERT INTO raters (key, name, is_guest, created) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET name = excluded.name",
                (mend_text(rater.key), mend_text(rater.name), rater.is_guest, time.time()),
            )
            row = connection.execute(f"{_RATER} WHERE key = ?", (mend_text(rater.key),)).fetchone()
            return _make_rater(row)

    def add_opinions(self, ratings: Iterable[Rating], choices: Iterable[ItemChoice] = ()) -> None:
        """Keep what was said, all or nothing; raise StorydeskError(SHEET_NOT_FOUND) without item or rater."""
        try:
            with self._library.writing() as connection:
                connection.executemany(
                    "INSERT INTO ratings (item_id, rater_id, criterion, value, created) VALUES (?, ?, ?, ?, ?)",
                    [(each.item_id, each.rater_id, str(each.criterion), each.value, each.created) for each in ratings],
                )
                connection.executemany(
                    "INSERT INTO rating_choices (item_id, rater_id, choice, why, created) VALUES (?, ?, ?, ?, ?)",
                    [(each.item_id, each.rater_id, each.choice, mend_text(each.why), each.created) for each in choices],
                )
        except sqlite3.IntegrityError as error:
            raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name="any more") from error

    def list_left_out(self) -> Collection[str]:
        """Return the keys of feedback that no model is to learn from."""
        with self._library.reading() as connection:
            return frozenset(row[0] for row in connection.execute("SELECT key FROM feedback_left_out"))

    def leave_out(self, keys: Iterable[str], *, undo: bool = False) -> None:
        """Leave feedback out, or take it in again."""
        with self._library.writing() as connection:
            if undo:
                connection.executemany("DELETE FROM feedback_left_out WHERE key = ?", [(key,) for key in keys])
            else:
                now = time.time()
                connection.executemany(
                    "INSERT OR IGNORE INTO feedback_left_out VALUES (?, ?)", [(key, now) for key in keys]
                )


def _insert_text(connection: sqlite3.Connection, sheet_id: int, entry: Entry) -> int:
    cursor = connection.execute(
        "INSERT INTO rating_texts (sheet_id, prompt, text, contender, kind, made_by) VALUES (?, ?, ?, ?, ?, ?)",
        (
            sheet_id,
            mend_text(entry.prompt),
            mend_text(entry.text),
            mend_text(entry.contender),
            str(entry.kind),
            mend_text(entry.made_by),
        ),
    )
    return int(cursor.lastrowid or 0)


def _find_sheet(connection: sqlite3.Connection, sheet_id: int) -> Sheet:
    row = connection.execute(f"{_SHEET} WHERE id = ?", (sheet_id,)).fetchone()
    if row is None:
        raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name=str(sheet_id))
    return _make_sheet(row)


def _make_sheet(row: Any) -> Sheet:
    number, key, name, criteria, seed, created, is_guest, revealed, in_trash, checksum = row
    try:
        names = json.loads(criteria)
    except (ValueError, RecursionError):
        names = []
    known = set(Criterion)
    asked = tuple(Criterion(each) for each in names if each in known) if isinstance(names, list) else ()
    return Sheet(
        number,
        key,
        name,
        asked,
        int(seed) if str(seed).isdecimal() and len(str(seed)) < 40 else 0,
        created,
        bool(is_guest),
        revealed,
        bool(in_trash),
        checksum,
    )


def _make_item(row: Any) -> SheetItem:
    number, key, *entries = row
    second = _make_entry(entries[5:]) if entries[5] is not None else None
    return SheetItem(number, key, _make_entry(entries[:5]), second)


def _make_entry(values: Sequence[Any]) -> Entry:
    prompt, text, contender, kind, made_by = values
    known = ContenderKind(kind) if kind in set(ContenderKind) else ContenderKind.MODEL
    return Entry(prompt, text, contender, known, made_by)


def _make_rater(row: Any) -> Rater:
    return Rater(row[0], row[1], row[2], bool(row[3]))


def _is_rating(row: Any) -> bool:
    """Return whether this program knows the criterion."""
    return row[2] in set(Criterion)


def _make_rating(row: Any) -> Rating:
    item, rater, criterion, value, created = row
    return Rating(item, rater, Criterion(criterion), value, created)


def _make_choice(row: Any) -> ItemChoice:
    item, rater, choice, why, created = row
    return ItemChoice(item, rater, Choice(choice) if choice in set(Choice) else None, why, created)

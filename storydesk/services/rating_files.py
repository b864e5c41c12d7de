"""Rating sheets and ratings as files that go to a friend and come back.

One JSON object: what it is, the version of its form, its content, and a checksum over all of it, so that what was
changed on its way is noticed. A sheet holds texts and never who wrote them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judging import (
    LEAST,
    LONGEST_WHY,
    MOST,
    MOST_CHARACTERS,
    MOST_ITEMS,
    Choice,
    Criterion,
    CriterionGuide,
    Entry,
    ItemChoice,
    Rater,
    Rating,
    Sheet,
    SheetContent,
    SheetItem,
    tidy_name,
)
from storydesk.services.atomic_file import write_atomically
from storydesk.services.input_file import read_limited

KIND = "storydesk"
SHEET, RATINGS = "rating-sheet", "ratings"
VERSION = 1
MOST_MEGABYTES = 50
_LATEST = 32_503_680_000  # the year 3000: what comes later is no moment
_LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A sheet that came in a file."""

    sheet: Sheet
    items: tuple[SheetItem, ...]


@dataclass(frozen=True, slots=True)
class RatingsFile:
    """One rater's ratings that came in a file; items are named by their keys."""

    sheet_key: str
    sheet_checksum: str
    rater: Rater
    ratings: tuple[tuple[str, Criterion, int, float], ...]
    choices: tuple[tuple[str, Choice, str, float], ...]


def checksum_sheet(criteria: Iterable[Criterion], items: Iterable[SheetItem]) -> str:
    """Return what tells a sheet's content from any other: its texts and what is asked, not its name."""
    return _checksum({"criteria": [str(each) for each in criteria], "items": _list_items(items)})


def write_sheet(
    content: SheetContent, guides: Iterable[CriterionGuide], path: Path, *, overwrite: bool = False
) -> None:
    """Write a sheet for somebody else; raise StorydeskError(FILE_EXISTS, DISK_FULL, NOT_WRITABLE)."""
    sheet = content.sheet
    asked = [guide for guide in guides if guide.criterion in sheet.criteria]
    record = {
        KIND: SHEET,
        "version": VERSION,
        "key": sheet.key,
        "name": sheet.name,
        "criteria": [str(each) for each in sheet.criteria],
        "guide": {
            str(guide.criterion): {"name": guide.name, "question": guide.question, "anchors": list(guide.anchors)}
            for guide in asked
        },
        "items": _list_items(content.items),
    }
    _write(record, path, overwrite=overwrite)


def write_ratings(content: SheetContent, rater: Rater, path: Path, *, overwrite: bool = False) -> None:
    """Write what one rater said; raise StorydeskError(FILE_EXISTS, DISK_FULL, NOT_WRITABLE)."""
    keys = {item.id: item.key for item in content.items}
    record = {
        KIND: RATINGS,
        "version": VERSION,
        "sheet": content.sheet.key,
        "sheet_checksum": checksum_sheet(content.sheet.criteria, content.items),
        "rater": {"key": rater.key, "name": rater.name},
        "ratings": [
            {
                "item": keys[each.item_id],
                "criterion": str(each.criterion),
                "value": each.value,
                "when": int(each.created),
            }
            for each in content.ratings
            if each.rater_id == rater.id and each.value is not None
        ],
        "choices": [
            {"item": keys[each.item_id], "choice": str(each.choice), "why": each.why, "when": int(each.created)}
            for each in content.choices
            if each.rater_id == rater.id and each.choice is not None
        ],
    }
    _write(record, path, overwrite=overwrite)


def read_file(path: Path) -> SheetFile | RatingsFile:
    """Return what a file holds, whoever made it, or say in a code why nothing of it can be taken.

    Raise StorydeskError(FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_EMPTY, FILE_TOO_LARGE, FILE_DAMAGED,
    RATING_FILE_FOREIGN, RATING_FILE_VERSION, RATING_FILE_CHANGED).
    """
    record = _parse(read_limited(path, MOST_MEGABYTES), path)
    version = record.get("version")
    if isinstance(version, bool) or version != VERSION:
        shown = str(version)[:20] if isinstance(version, (int, str)) else "unknown"
        raise StorydeskError(FailureCode.RATING_FILE_VERSION, path=str(path), version=shown)
    given = record.pop("checksum", None)
    if given != _checksum(record):
        raise StorydeskError(FailureCode.RATING_FILE_CHANGED, path=str(path))
    try:
        return _read_sheet(record) if record[KIND] == SHEET else _read_ratings(record)
    except (KeyError, TypeError, ValueError) as error:
        # Its checksum is right, so somebody made it like this.
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="rating") from error


def bind_ratings(found: RatingsFile, content: SheetContent, rater: Rater, path: Path) -> SheetContent:
    """Return the sheet with those ratings of a file that say something new; ``rater`` is who they belong to here.

    Raise StorydeskError(RATING_FILE_CHANGED) where they are about other texts, FILE_DAMAGED where about no item of it.
    """
    if found.sheet_checksum != checksum_sheet(content.sheet.criteria, content.items):
        raise StorydeskError(FailureCode.RATING_FILE_CHANGED, path=str(path))
    items = {item.key: item for item in content.items}
    damaged = StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="rating")
    said = {(each.item_id, each.criterion): each for each in content.ratings if each.rater_id == rater.id}
    chosen = {each.item_id: each for each in content.choices if each.rater_id == rater.id}
    ratings, choices = [], []
    for key, criterion, value, when in found.ratings:
        item = items.get(key)
        if item is None or item.is_pair or criterion not in content.sheet.criteria:
            raise damaged
        before = said.get((item.id, criterion))
        if before is None or (when > int(before.created) and value != before.value):
            ratings.append(Rating(item.id, rater.id, criterion, value, when))
    for key, choice, why, when in found.choices:
        item = items.get(key)
        if item is None or not item.is_pair:
            raise damaged
        earlier = chosen.get(item.id)
        if earlier is None or (when > int(earlier.created) and (choice, why) != (earlier.choice, earlier.why)):
            choices.append(ItemChoice(item.id, rater.id, choice, why, when))
    return SheetContent(content.sheet, content.items, tuple(ratings), tuple(choices))


def _list_items(items: Iterable[SheetItem]) -> list[dict[str, Any]]:
    return [{"key": item.key, "prompt": item.prompt, "texts": [entry.text for entry in item.entries]} for item in items]


def _checksum(record: Mapping[str, Any]) -> str:
    plain = json.dumps(record, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode("ascii")).hexdigest()


def _write(record: Mapping[str, Any], path: Path, *, overwrite: bool) -> None:
    whole = {**record, "checksum": _checksum(record)}
    content = json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    write_atomically(path, mend_text(content).encode("utf-8"), overwrite=overwrite)


def _parse(content: bytes, path: Path) -> dict[str, Any]:
    try:
        record = json.loads(content.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        is_json = content.lstrip()[:1] == b"{" and KIND.encode() in content[:200]
        if is_json:  # it began as ours and is not whole
            raise StorydeskError(FailureCode.RATING_FILE_CHANGED, path=str(path)) from error
        raise StorydeskError(FailureCode.RATING_FILE_FOREIGN, path=str(path)) from error
    if not isinstance(record, dict) or record.get(KIND) not in (SHEET, RATINGS):
        raise StorydeskError(FailureCode.RATING_FILE_FOREIGN, path=str(path))
    return record


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def _read_sheet(record: Mapping[str, Any]) -> SheetFile:
    key = _text(record["key"], _LONGEST_KEY)
    names = _list(record["criteria"], len(Criterion))
    criteria = tuple(Criterion(_text(each, 40)) for each in names)
    if len(set(criteria)) != len(criteria):
        raise ValueError("a criterion twice")
    items = []
    for each in _list(record["items"], MOST_ITEMS):
        prompt = _text(each["prompt"], MOST_CHARACTERS, empty=True)
        texts = [Entry(prompt, _text(text, MOST_CHARACTERS)) for text in _list(each["texts"], 2)]
        items.append(SheetItem(0, _text(each["key"], _LONGEST_KEY), texts[0], texts[1] if len(texts) > 1 else None))
    if not items or len({item.key for item in items}) != len(items):
        raise ValueError("no items, or one twice")
    if not criteria and not all(item.is_pair for item in items):
        raise ValueError("nothing is asked")
    name = tidy_name(_text(record["name"], 1000, empty=True))
    seed = int(hashlib.sha256(key.encode("utf-8")).hexdigest()[:15], 16)
    checksum = checksum_sheet(criteria, items)
    return SheetFile(Sheet(0, key, name, criteria, seed, 0.0, is_guest=True, checksum=checksum), tuple(items))


def _read_ratings(record: Mapping[str, Any]) -> RatingsFile:
    rater = Rater(0, _text(record["rater"]["key"], _LONGEST_KEY), tidy_name(_text(record["rater"]["name"], 1000)), True)
    ratings, choices = [], []
    for each in _list(record["ratings"], MOST_ITEMS * len(Criterion)):
        criterion = Criterion(_text(each["criterion"], 40))
        ratings.append((_text(each["item"], _LONGEST_KEY), criterion, _whole(each["value"], LEAST, MOST), _when(each)))
    for each in _list(record["choices"], MOST_ITEMS):
        why = _text(each["why"], LONGEST_WHY, empty=True)
        choices.append((_text(each["item"], _LONGEST_KEY), Choice(_text(each["choice"], 10)), why, _when(each)))
    if len({(key, criterion) for key, criterion, _, _ in ratings}) != len(ratings):
        raise ValueError("a rating twice")
    if len({key for key, *_ in choices}) != len(choices):
        raise ValueError("a choice twice")
    return RatingsFile(
        _text(record["sheet"], _LONGEST_KEY),
        _text(record["sheet_checksum"], _LONGEST_KEY),
        rater,
        tuple(ratings),
        tuple(choices),
    )


def _text(value: object, longest: int, *, empty: bool = False) -> str:
    if not isinstance(value, str) or len(value) > longest or not (empty or value.strip()):
        raise ValueError("no text")
    if "\0" in value or mend_text(value) != value:
        raise ValueError("no text that can be kept")
    return value


def _list(value: object, most: int) -> Sequence[Any]:
    if not isinstance(value, list) or len(value) > most:
        raise ValueError("no list")
    return value


def _whole(value: object, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError("no such number")
    return value


def _when(record: Mapping[str, Any]) -> float:
    return float(_whole(record["when"], 0, _LATEST))

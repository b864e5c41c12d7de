"""Lorebooks of other programs and our own as plain data: KoboldAI's world info, NovelAI's lorebook.

What an entry holds that we have no place for stays with it (``LoreEntry.extra``). Written in the format it came in, an
entry is its old self with only what was changed changed; written in another one, the rest stays behind.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from storydesk.domain.key_pattern import is_pattern
from storydesk.domain.lorebook import HIGHEST_PRIORITY, LOWEST_PRIORITY, MOST_KEYS, LoreEntry, tidy_keys

MOST_ENTRIES = 20_000
MOST_TEXT = 200_000

Record = dict[str, Any]


class LoreFormat(StrEnum):
    """Whose lorebook it is."""

    OURS = "storydesk"
    KOBOLD = "kobold"
    NOVELAI = "novelai"


@dataclass(frozen=True, slots=True)
class ReadLorebook:
    """The entries of a file, whose format it was, and how many were left out because there was nothing in them."""

    entries: tuple[LoreEntry, ...]
    form: LoreFormat
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Dialect:
    """How one format says what we know: a reader of one entry's record, and a writer onto one."""

    form: LoreFormat
    read: Callable[[Record], LoreEntry]
    write: Callable[[LoreEntry, LoreEntry, Record], None]
    new: Callable[[], Record]


def read_lorebook(data: object) -> ReadLorebook:
    """Return the lorebook in what a JSON file holds; raise ValueError where there is none that is known.

    Whole stories of KoboldAI and NovelAI are searched for theirs.
    """
    dialect, records = _find_records(data)
    entries = []
    left_out = 0
    for record in itertools.islice(records, MOST_ENTRIES):
        entry = dialect.read(record) if isinstance(record, dict) else LoreEntry()
        if entry.text.strip() or entry.title.strip():
            entries.append(_keep_extra(dialect, entry, record))
        else:
            left_out += 1
    return ReadLorebook(tuple(entries), dialect.form, left_out)


def write_lorebook(entries: Iterable[LoreEntry], form: LoreFormat) -> Record:
    """Return what a JSON file in this format holds."""
    dialect = {LoreFormat.OURS: _OURS, LoreFormat.KOBOLD: _KOBOLD, LoreFormat.NOVELAI: _NOVELAI}[form]
    records = [_write_entry(dialect, entry) for entry in entries]
    if form is LoreFormat.OURS:
        return {"format": "storydesk-lorebook", "version": 1, "entries": records}
    if form is LoreFormat.NOVELAI:
        return {
            "lorebookVersion": 5,
            "entries": records,
            "settings": {"orderByKeyLocations": False},
            "categories": [],
        }
    folders: dict[str, list[int]] = {}
    for number, record in enumerate(records):
        folder = record.get("folder")
        folders.setdefault(folder if isinstance(folder, str) else "root", []).append(number)
    return {
        "folders": folders,
        "entries": {str(number): {**record, "uid": number} for number, record in enumerate(records)},
    }


def _find_records(data: object) -> tuple[_Dialect, Sequence[object]]:
    if isinstance(data, list):
        return _KOBOLD, data
    if not isinstance(data, dict):
        raise ValueError("no lorebook")
    entries = data.get("entries")
    if str(data.get("format", "")).startswith("storydesk") and isinstance(entries, list):
        return _OURS, entries
    if isinstance(entries, list):
        return _NOVELAI, entries
    if isinstance(entries, dict):
        return _KOBOLD, list(entries.values())
    if isinstance(data.get("worldinfo"), list):
        return _KOBOLD, data["worldinfo"]
    for inner in ("lorebook", "content", "savedsettings", "story"):
        if isinstance(data.get(inner), dict):
            try:
                return _find_records(data[inner])
            except ValueError:
                continue
    raise ValueError("no lorebook")


def _keep_extra(dialect: _Dialect, entry: LoreEntry, record: object) -> LoreEntry:
    if dialect is _OURS:
        return entry
    return replace(entry, extra=json.dumps({"format": dialect.form, "entry": record}, ensure_ascii=False))


def _write_entry(dialect: _Dialect, entry: LoreEntry) -> Record:
    record = _find_extra(entry, dialect.form)
    if record is None:
        record = dialect.new()
        unlike = LoreEntry(enabled=not entry.enabled, always=not entry.always, priority=entry.priority + 1)
        dialect.write(entry, unlike, record)
    else:
        dialect.write(entry, dialect.read(record), record)
    return record


def _find_extra(entry: LoreEntry, form: LoreFormat) -> Record | None:
    """Return what the entry was in this format, if it ever was."""
    try:
        kept = json.loads(entry.extra) if entry.extra else None
    except (ValueError, RecursionError):
        return None
    if isinstance(kept, dict) and kept.get("format") == form and isinstance(kept.get("entry"), dict):
        return dict(kept["entry"])
    return None


# Values of any kind.


def _as_text(value: object) -> str:
    return value[:MOST_TEXT] if isinstance(value, str) else ""


def _as_keys(value: object) -> tuple[str, ...]:
    """Return keys that are a list, or one string with commas between them."""
    if isinstance(value, str):
        value = [value] if is_pattern(value) else value.split(",")
    if not isinstance(value, list):
        return ()
    return tidy_keys(key[:1_000] for key in itertools.islice(value, MOST_KEYS) if isinstance(key, str))


def _as_number(value: object, default: int = 0) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return default
    try:
        return int(min(max(value, LOWEST_PRIORITY), HIGHEST_PRIORITY))
    except ValueError:
        return default


def _as_switch(value: object, *, default: bool) -> bool:
    return value if isinstance(value, bool) else default


# Ours.


def _read_ours(record: Record) -> LoreEntry:
    return LoreEntry(
        title=_as_text(record.get("title")),
        text=_as_text(record.get("text")),
        keys=_as_keys(record.get("keys")),
        aliases=_as_keys(record.get("aliases")),
        priority=_as_number(record.get("priority")),
        enabled=_as_switch(record.get("enabled"), default=True),
        always=_as_switch(record.get("always"), default=False),
        everywhere=_as_switch(record.get("everywhere"), default=False),
        extra=_as_text(record.get("extra")),
    )


def _write_ours(entry: LoreEntry, _before: LoreEntry, record: Record) -> None:
    record.update(
        title=entry.title,
        text=entry.text,
        keys=list(entry.keys),
        aliases=list(entry.aliases),
        priority=entry.priority,
        enabled=entry.enabled,
        always=entry.always,
        everywhere=entry.everywhere,
    )
    if entry.extra:
        record["extra"] = entry.extra


# KoboldAI: keys are a list (United) or a line with commas (Client, Lite); "selective" wants one of "keysecondary", too.


def _read_kobold(record: Record) -> LoreEntry:
    keys = _as_keys(record.get("key"))
    others = _as_keys(record.get("keysecondary"))
    if record.get("selective") is True and others:
        pairs = itertools.islice(itertools.product(keys, others), MOST_KEYS)
        keys = tidy_keys(f"{one} & {other}" for one, other in pairs)
    return LoreEntry(
        title=_as_text(record.get("title")) or _as_text(record.get("comment")),
        text=_as_text(record.get("content")),
        keys=keys,
        priority=_as_number(record.get("order")),
        enabled=not (record.get("disable") is True or record.get("widisabled") is True),
        always=_as_switch(record.get("constant"), default=False),
    )


def _write_kobold(entry: LoreEntry, before: LoreEntry, record: Record) -> None:
    title = "title" if "title" in record or "comment" not in record else "comment"
    _change(record, title, entry.title, before.title)
    _change(record, "content", entry.text, before.text)
    if "manual_text" in record:
        _change(record, "manual_text", entry.text, before.text)
    keys = (*entry.keys, *entry.aliases)
    if keys != before.keys:
        is_line = isinstance(record.get("key"), str)
        record["key"] = ",".join(keys) if is_line else list(keys)
        record["keysecondary"] = "" if is_line else []
        record["selective"] = False
    _change(record, "constant", entry.always, before.always)
    _change(record, "order", entry.priority, before.priority)
    if entry.enabled is not before.enabled:
        off = "widisabled" if "widisabled" in record else "disable"
        record[off] = not entry.enabled


def _new_kobold() -> Record:
    return {
        "title": "",
        "key": [],
        "keysecondary": [],
        "folder": "root",
        "constant": False,
        "manual_text": "",
        "content": "",
        "comment": "",
        "selective": False,
        "use_wpp": False,
        "wpp": {"name": "", "type": "", "format": "W++", "attributes": {}},
        "token_length": 0,
        "used_in_game": False,
        "disable": False,
    }


# NovelAI: the priority stands in the entry's own context settings.


def _read_novelai(record: Record) -> LoreEntry:
    config = record.get("contextConfig")
    return LoreEntry(
        title=_as_text(record.get("displayName")),
        text=_as_text(record.get("text")),
        keys=_as_keys(record.get("keys")),
        priority=_as_number(config.get("budgetPriority") if isinstance(config, Mapping) else None),
        enabled=_as_switch(record.get("enabled"), default=True),
        always=_as_switch(record.get("forceActivation"), default=False),
    )


def _write_novelai(entry: LoreEntry, before: LoreEntry, record: Record) -> None:
    _change(record, "displayName", entry.title, before.title)
    _change(record, "text", entry.text, before.text)
    keys = (*entry.keys, *entry.aliases)
    if keys != before.keys:
        record["keys"] = list(keys)
    _change(record, "enabled", entry.enabled, before.enabled)
    _change(record, "forceActivation", entry.always, before.always)
    if entry.priority != before.priority:
        config = record.get("contextConfig")
        record["contextConfig"] = {
            **(config if isinstance(config, dict) else {}),
            "budgetPriority": entry.priority,
        }


def _new_novelai() -> Record:
    return {
        "text": "",
        "contextConfig": {
            "prefix": "",
            "suffix": "\n",
            "tokenBudget": 2048,
            "reservedTokens": 0,
            "budgetPriority": 0,
            "trimDirection": "trimBottom",
            "insertionType": "newline",
            "maximumTrimType": "sentence",
            "insertionPosition": -1,
        },
        "lastUpdatedAt": 0,
        "displayName": "",
        "id": str(uuid.uuid4()),
        "keys": [],
        "searchRange": 1000,
        "enabled": True,
        "forceActivation": False,
        "keyRelative": False,
        "nonStoryActivatable": False,
        "category": "",
        "loreBiasGroups": [],
    }


def _change(record: Record, name: str, value: object, before: object) -> None:
    if value != before:
        record[name] = value


_OURS = _Dialect(LoreFormat.OURS, _read_ours, _write_ours, dict)
_KOBOLD = _Dialect(LoreFormat.KOBOLD, _read_kobold, _write_kobold, _new_kobold)
_NOVELAI = _Dialect(LoreFormat.NOVELAI, _read_novelai, _write_novelai, _new_novelai)

"""Texts to judge out of files: what ``storydesk write --json`` printed, lists of records, tables."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judging import MOST_CHARACTERS, MOST_ITEMS, Entry, tidy_name
from storydesk.services.input_file import read_limited

MOST_MEGABYTES = 200
_TEXTS = ("text", "story", "output", "completion")
_NAMES = ("model", "contender", "draft", "settings", "name")
_SETTINGS = ("seed", "settings", "temperature", "top_p")


def read_entries(path: Path) -> list[Entry]:
    """Return the texts in a file: json, jsonl, csv or tsv with ``text`` (or ``story``), ``prompt`` and ``model``.

    A record that does not say who wrote it gets the file's name. Raise StorydeskError(FILE_NOT_FOUND,
    FILE_NOT_READABLE, FILE_EMPTY, FILE_TOO_LARGE, FILE_DAMAGED).
    """
    suffix = path.suffix.lower().lstrip(".")
    content = read_limited(path, MOST_MEGABYTES)
    try:
        text = content.decode("utf-8-sig")
        records = _read_table(text, suffix) if suffix in ("csv", "tsv") else _read_json(text)
        entries = [entry for record in records if (entry := _make_entry(record, path.stem)) is not None]
    except (ValueError, RecursionError, csv.Error) as error:
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format=suffix or "json") from error
    if not entries:
        raise StorydeskError(FailureCode.FILE_EMPTY, path=str(path))
    return entries[:MOST_ITEMS]


def _read_table(text: str, suffix: str) -> Iterable[Mapping[str, Any]]:
    csv.field_size_limit(MOST_CHARACTERS)
    reader = csv.DictReader(io.StringIO(text.replace("\0", "")), delimiter="\t" if suffix == "tsv" else ",")
    for row in reader:
        yield {str(name).strip().casefold(): value for name, value in row.items() if name is not None}


def _read_json(text: str) -> list[Mapping[str, Any]]:
    try:
        whole = json.loads(text)
    except ValueError:
        whole = [json.loads(line) for line in text.splitlines() if line.strip()]
    if isinstance(whole, dict):
        whole = whole.get("stories", [whole])
    if not isinstance(whole, list):
        raise ValueError("no list")
    return [record for record in whole if isinstance(record, dict)]


def _make_entry(record: Mapping[str, Any], name: str) -> Entry | None:
    text = next((record[key] for key in _TEXTS if isinstance(record.get(key), str)), "")
    if not text.strip() or len(text) > MOST_CHARACTERS:
        return None
    prompt = record.get("prompt")
    who = next((str(record[key]) for key in _NAMES if isinstance(record.get(key), str) and record[key].strip()), name)
    made_by = {key: record[key] for key in _SETTINGS if key in record}
    return Entry(
        mend_text(prompt.strip()) if isinstance(prompt, str) else "",
        mend_text(text.strip()),
        tidy_name(mend_text(who)) or name,
        made_by=json.dumps(made_by, sort_keys=True) if made_by else "",
    )

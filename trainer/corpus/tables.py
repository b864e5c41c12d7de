"""Tables to documents: columns are found by their names, delimiters by looking."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from trainer.corpus.document import Document
from trainer.corpus.encodings import unreadable

_PROMPT_NAMES = ("prompt", "writing_prompt", "wp_source", "source", "title", "instruction", "topic", "heading", "name")
_STORY_NAMES = (
    "story",
    "wp_target",
    "target",
    "text",
    "body",
    "content",
    "completion",
    "response",
    "output",
    "chapter",
)
_DELIMITERS = ",;\t|"


def find_columns(names: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the prompt's and the story's column among ``names``; None where no name fits."""
    by_form = {_reduce(name): name for name in reversed(names)}
    prompt = next((by_form[name] for name in map(_reduce, _PROMPT_NAMES) if name in by_form), None)
    story = next((by_form[name] for name in map(_reduce, _STORY_NAMES) if name in by_form), None)
    return prompt, story


def documents_from_records(records: Iterable[Mapping[str, Any]], source: str) -> list[Document]:
    """Return the documents of rows that have a story; rows may differ in their columns."""
    documents = []
    for record in records:
        prompt, story = find_columns([str(name) for name in record])
        if story is None or not isinstance(record[story], str):
            continue
        head = record[prompt] if prompt is not None and isinstance(record[prompt], str) else ""
        documents.append(Document(story=record[story], prompt=" ".join(head.split()), source=source))
    return documents


def read_csv(text: str, path: Path) -> list[Document]:
    """Return the documents of a table with a header; raise TrainerError(DATA_NOT_READABLE) without a story column.

    A table of two columns without a known header is taken as prompt and story.
    """
    text = text.removeprefix("\ufeff")
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))  # a story is longer than the 128 KiB that csv allows
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_find_delimiter(text)))
    except csv.Error as error:
        raise unreadable(path, str(error)) from error
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        return []
    header = [name.strip() for name in rows[0]]
    _, story = find_columns(header)
    if story is not None:
        return documents_from_records((dict(zip(header, row, strict=False)) for row in rows[1:]), str(path))
    if all(len(row) == 2 for row in rows):
        return [Document(story=row[1], prompt=" ".join(row[0].split()), source=str(path)) for row in rows]
    if all(len(row) == 1 for row in rows):
        return [Document(story=row[0], source=str(path)) for row in rows]
    raise unreadable(path, "columns: " + ", ".join(header)[:200])


def read_json_lines(text: str, path: Path) -> list[Document]:
    """Return the documents of one JSON object or string a line; raise TrainerError(DATA_NOT_READABLE) with the line."""
    values = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except (ValueError, RecursionError) as error:
                raise unreadable(path, f"line {number}") from error
    return _documents_from_values(values, path)


def read_json(text: str, path: Path) -> list[Document]:
    """Return the documents of a list, of an object that holds one, of one story, or of JSON lines in disguise."""
    if not text.strip():
        return []
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        if text.lstrip("\ufeff \t\n").startswith("{") and "\n" in text.strip():
            return read_json_lines(text, path)
        raise unreadable(path, str(error)) from error
    if isinstance(value, dict):
        if find_columns([str(name) for name in value])[1] is not None:
            value = [value]
        else:
            value = next((inner for inner in value.values() if isinstance(inner, list)), [])
    return _documents_from_values(value if isinstance(value, list) else [value], path)


def _documents_from_values(values: list[Any], path: Path) -> list[Document]:
    """Return documents of objects and of bare strings; raise TrainerError where there are values and no story."""
    records = [value for value in values if isinstance(value, dict)]
    strings = [value for value in values if isinstance(value, str)]
    documents = documents_from_records(records, str(path))
    documents.extend(Document(story=value, source=str(path)) for value in strings)
    if values and not documents:
        names = ", ".join(str(name) for name in records[0]) if records else "none"
        raise unreadable(path, f"columns: {names}"[:200])
    return documents


def _find_delimiter(text: str) -> str:
    """Return the delimiter: the one that stands in the header, else what csv's sniffer thinks, else a comma."""
    header = text.split("\n", 1)[0]
    for delimiter in _DELIMITERS:
        cells = [cell.strip().strip('"') for cell in header.split(delimiter)]
        if len(cells) > 1 and find_columns(cells)[1] is not None:
            return delimiter
    try:
        return csv.Sniffer().sniff(text[:20_000], delimiters=_DELIMITERS).delimiter
    except csv.Error:
        return ","


def _reduce(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())

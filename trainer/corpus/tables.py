"""Tables to documents: columns are found by their names, delimiters by looking."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from trainer.corpus.document import Document
from trainer.corpus.encodings import LARGEST_LINE, read_lines, unreadable

_PROMPT_NAMES = ("prompt", "writing_prompt", "wp_source", "source", "title", "instruction", "topic", "heading", "name")
_TITLE_NAMES = ("title", "heading", "name", "story_title", "chapter_title", "headline")
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
PASSAGE_COLUMN = "goes_on_from"
"""Holds the text before a passage of something longer; rows without it are whole stories."""
_DELIMITERS = ",;\t|"
_NO_DELIMITER = "\x1f"
"""A separator that no text holds, for tables of one column."""

_SAMPLE = 20_000
_DECLARED = re.compile(r"\Asep=(.)[ \t]*(?:\r\n|\r|\n)", re.IGNORECASE)


def find_columns(names: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the prompt's and the story's column among ``names``; None where no name fits."""
    by_form = {_reduce(name): name for name in reversed(names)}
    prompt = next((by_form[name] for name in map(_reduce, _PROMPT_NAMES) if name in by_form), None)
    story = next((by_form[name] for name in map(_reduce, _STORY_NAMES) if name in by_form), None)
    return prompt, story


def find_title(names: Sequence[str]) -> str | None:
    """Return the title's column among ``names``."""
    by_form = {_reduce(name): name for name in reversed(names)}
    return next((by_form[name] for name in map(_reduce, _TITLE_NAMES) if name in by_form), None)


def documents_from_records(records: Iterable[Mapping[str, Any]], source: str) -> Iterator[Document]:
    """Yield the documents of rows that have a story; rows may differ in their columns."""
    for record in records:
        names = [str(name) for name in record]
        (prompt, story), title = find_columns(names), find_title(names)
        if story is None or not isinstance(record[story], str):
            continue
        head, name = _read_cell(record, prompt), _read_cell(record, title)
        origin = "column" if head and prompt != title else "title" if head or name else ""
        before = record.get(PASSAGE_COLUMN)
        yield Document(
            record[story],
            head or name,
            source,
            title=name,
            prompt_from=origin,
            before=before if isinstance(before, str) else None,
        )


def _read_cell(record: Mapping[str, Any], name: str | None) -> str:
    cell = record[name] if name is not None else ""
    return " ".join(cell.split()) if isinstance(cell, str) else ""


def read_csv(stream: TextIO, path: Path) -> Iterator[Document]:
    """Yield the documents of a table with a header; raise TrainerError(DATA_NOT_READABLE) without a story column.

    A table of two columns without a known header is taken as prompt and story.
    """
    csv.field_size_limit(LARGEST_LINE)  # a story is longer than the 128 KiB that csv allows
    lines = read_lines(stream, path)
    sample, lines = _look_ahead(lines)
    sample = sample.removeprefix("\ufeff")
    declared = _DECLARED.match(sample)
    if declared is not None:
        sample = sample[declared.end() :]
        next(lines)
    delimiter = declared[1] if declared is not None else _find_delimiter(sample)
    # Some programs escape a quote by a backslash instead of doubling it.
    escape = "\\" if '\\"' in sample and '""' not in sample else None
    rows = csv.reader(_strip_mark(lines), delimiter=delimiter, escapechar=escape, doublequote=escape is None)
    yield from _read_rows((row for row in _guard(rows, path) if any(cell.strip() for cell in row)), path)


def _read_rows(rows: Iterator[list[str]], path: Path) -> Iterator[Document]:
    first = next(rows, None)
    if first is None:
        return
    header = [name.strip() for name in first]
    if find_columns(header)[1] is not None:
        yield from documents_from_records((dict(zip(header, row, strict=False)) for row in rows), str(path))
        return
    width = len(first)
    if width > 2:
        raise unreadable(path, "columns: " + ", ".join(header)[:200])
    found = []
    for row in itertools.chain([first], rows):
        # Without a header nothing but the same width everywhere says that this is a table.
        if len(row) != width:
            raise unreadable(path, "columns: " + ", ".join(header)[:200])
        prompt = " ".join(row[0].split()) if width == 2 else ""
        found.append(Document(row[-1], prompt, str(path), prompt_from="column" if prompt else ""))
    yield from found


def read_json_lines(stream: TextIO, path: Path) -> Iterator[Document]:
    """Yield the documents of one JSON object or string a line; raise TrainerError(DATA_NOT_READABLE) with the line."""
    values = found = 0
    names = "none"
    for number, line in enumerate(read_lines(stream, path), start=1):
        bare = line.removeprefix("\ufeff") if number == 1 else line
        if not bare.strip():
            continue
        try:
            value = json.loads(bare)
        except (ValueError, RecursionError) as error:
            raise unreadable(path, f"line {number}") from error
        if isinstance(value, dict) and not values:
            names = ", ".join(map(str, value))
        values += 1
        for document in _documents_from_value(value, str(path)):
            found += 1
            yield document
    if values and not found:
        raise unreadable(path, f"columns: {names}"[:200])


def read_json(text: str, path: Path) -> Iterator[Document]:
    """Yield the documents of a list, of an object that holds one, of one story, or of JSON lines in disguise."""
    if not text.strip():
        return
    try:
        value = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        if text.lstrip("\ufeff \t\n").startswith("{") and "\n" in text.strip():
            yield from read_json_lines(io.StringIO(text, newline="\n"), path)
            return
        detail = "nested too deep" if isinstance(error, RecursionError) else str(error)
        raise unreadable(path, detail) from error
    if isinstance(value, dict):
        if find_columns([str(name) for name in value])[1] is not None:
            value = [value]
        else:
            value = next((inner for inner in value.values() if isinstance(inner, list)), [])
    values = value if isinstance(value, list) else [value]
    documents = [document for item in values for document in _documents_from_value(item, str(path))]
    if values and not documents:
        first = next((item for item in values if isinstance(item, dict)), None)
        names = ", ".join(map(str, first)) if first else "none"
        raise unreadable(path, f"columns: {names}"[:200])
    yield from documents


def _documents_from_value(value: object, source: str) -> Iterator[Document]:
    """Yield the document of an object or of a bare string, none where it has no story."""
    if isinstance(value, dict):
        yield from documents_from_records((value,), source)
    elif isinstance(value, str):
        yield Document(value, source=source)


def _look_ahead(lines: Iterator[str]) -> tuple[str, Iterator[str]]:
    """Return the beginning of a text, and all of its lines."""
    seen: list[str] = []
    length = 0
    for line in lines:
        seen.append(line)
        length += len(line)
        if length >= _SAMPLE:
            break
    return "".join(seen)[:_SAMPLE], itertools.chain(seen, lines)


def _strip_mark(lines: Iterator[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line.removeprefix("\ufeff") if number == 0 else line


def _guard(rows: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from rows
    except csv.Error as error:
        raise unreadable(path, str(error)) from error


def _find_delimiter(text: str) -> str:
    """Return the delimiter: the one that stands in the header, else what csv's sniffer thinks, else a comma."""
    header = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0]
    for delimiter in _DELIMITERS:
        cells = [cell.strip().strip('"') for cell in header.split(delimiter)]
        if len(cells) > 1 and find_columns(cells)[1] is not None:
            return delimiter
    if find_columns([header.strip().strip('"')])[1] is not None:
        return _NO_DELIMITER  # one column of stories, whose commas part nothing
    try:
        return csv.Sniffer().sniff(text, delimiters=_DELIMITERS).delimiter
    except csv.Error:
        return ","


def _reduce(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())

"""The prompt shelf: prompts that are kept for later, and reading them out of files."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_CHARACTERS = 10_000
MOST_PROMPTS = 50_000
MOST_TAGS = 30
_TAG = re.compile(r"^\s*[\[(]\s*[A-Za-z]{2,3}\s*[\])]\s*")
"""What writing prompts begin with where they come from: ``[ WP ]``, ``[EU]``, ``(TT)``."""
_SPLIT_MARKS = re.compile(r" +([.,;:!?…])(?=\s|$)")
_BREAK = "<newline>"


@dataclass(frozen=True, slots=True)
class ShelfPrompt:
    """A prompt on the shelf; an ``id`` of 0 is not stored yet. Times are seconds since 1970."""

    id: int
    text: str
    tags: tuple[str, ...] = ()
    in_trash: bool = False
    created: float = 0.0


def tidy_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags in small letters without spaces around them, empty ones and repeats."""
    return tuple(dict.fromkeys(tag for tag in (" ".join(each.split()).casefold() for each in tags) if tag))[:MOST_TAGS]


def split_tags(line: str) -> tuple[str, ...]:
    """Return the tags of a line with commas between them."""
    return tidy_tags(line.split(","))


def search_prompts(prompts: Iterable[ShelfPrompt], words: str, tag: str = "") -> list[ShelfPrompt]:
    """Return the prompts that hold all words, in text or tags, and carry a tag where one is given."""
    wanted = words.casefold().split()
    found = []
    for prompt in prompts:
        hay = f"{prompt.text} {' '.join(prompt.tags)}".casefold()
        if all(word in hay for word in wanted) and (not tag or tag in prompt.tags):
            found.append(prompt)
    return found


def list_tags(prompts: Iterable[ShelfPrompt]) -> list[str]:
    """Return every tag in the order of the alphabet."""
    return sorted({tag for prompt in prompts for tag in prompt.tags})


def read_prompts(text: str, suffix: str) -> list[str]:
    """Return the prompts in a file's text, tidied, each once.

    ``csv`` and ``tsv`` have a column ``prompt`` (or the first one), ``jsonl`` and ``json`` objects with a ``prompt`` or
    strings; of pairs of prompt and story only the prompt is taken. Anything else has a prompt on each line. Raise
    ValueError where it can't be read as what its suffix says.
    """
    readers = {"csv": _read_table, "tsv": _read_table, "jsonl": _read_lines_of_json, "json": _read_json}
    found = readers.get(suffix.lower(), _read_lines)(text)
    tidy = (tidy_prompt(prompt) for prompt in found)
    return list(dict.fromkeys(prompt for prompt in tidy if prompt))[:MOST_PROMPTS]


def tidy_prompt(prompt: str) -> str:
    """Return a prompt without tags before it and with its marks where a reader expects them."""
    text = prompt.replace(_BREAK, "\n").strip()
    while (shorter := _TAG.sub("", text)) != text:
        text = shorter
    lines = (_SPLIT_MARKS.sub(r"\1", " ".join(line.split())) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)[:MOST_CHARACTERS].strip()


def _read_lines(text: str) -> Sequence[str]:
    return text.splitlines()


def _read_table(text: str) -> Sequence[str]:
    first = text.split("\n", 1)[0]
    delimiter = "\t" if "\t" in first else ";" if ";" in first and "," not in first else ","
    csv.field_size_limit(1_000_000)
    try:
        rows = [row for row in csv.reader(io.StringIO(text.replace("\0", "")), delimiter=delimiter) if row]
    except csv.Error as error:
        raise ValueError("no table") from error
    if not rows:
        return []
    names = [name.strip().casefold() for name in rows[0]]
    if "prompt" in names:
        column = names.index("prompt")
        return [row[column] for row in rows[1:] if len(row) > column]
    return [row[0] for row in rows]


def _read_lines_of_json(text: str) -> Sequence[str]:
    found = []
    for line in text.splitlines():
        if line.strip():
            found += _take_prompts(_parse(line))
    return found


def _read_json(text: str) -> Sequence[str]:
    record = _parse(text)
    records = record.get("prompts", [record]) if isinstance(record, dict) else record
    if not isinstance(records, list):
        raise ValueError("no prompts")
    return [prompt for each in records for prompt in _take_prompts(each)]


def _take_prompts(record: object) -> list[str]:
    if isinstance(record, str):
        return [record]
    if isinstance(record, dict):
        value = record.get("prompt") or record.get("text")
        if isinstance(value, str):
            return [value]
    return []


def _parse(text: str) -> object:
    try:
        record: object = json.loads(text)
    except RecursionError as error:
        raise ValueError("too deep") from error
    return record

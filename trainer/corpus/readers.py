"""Files and folders to documents: txt, md, csv, tsv, json, jsonl, WritingPrompts' pair of files, and kept versions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trainer.corpus.document import Document
from trainer.corpus.encodings import open_text, read_lines, read_text, unreadable
from trainer.corpus.front_matter import find_prompt, split_front_matter
from trainer.corpus.tables import read_csv, read_json, read_json_lines
from trainer.corpus.unwrapping import unwrap_lines
from trainer.corpus.versions import read_record, read_version
from trainer.protocol.failures import TrainerError, TrainerFailure

HUB_PREFIX = "hub:"
PLAIN_SUFFIXES = frozenset({".txt", ".text", ".md", ".markdown"})
TABLE_SUFFIXES = frozenset({".csv", ".tsv"})
LINES_SUFFIXES = frozenset({".jsonl", ".ndjson"})
PROMPTS_SUFFIX = ".wp_source"
STORIES_SUFFIX = ".wp_target"
KNOWN_SUFFIXES = PLAIN_SUFFIXES | TABLE_SUFFIXES | LINES_SUFFIXES | {".json", PROMPTS_SUFFIX, STORIES_SUFFIX}

_BLOCK = re.compile(r"^[ \t]*(?:\*\*|#+[ \t]*)?Prompt[ \t]*:(?:\*\*)?[ \t]*", re.IGNORECASE | re.MULTILINE)
_STORY = re.compile(r"^[ \t]*(?:\*\*|#+[ \t]*)?Story[ \t]*:(?:\*\*)?[ \t]*", re.IGNORECASE | re.MULTILINE)
_HEADING = re.compile(r"^\s*#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*(?:\n|\Z)")
# A title underlined, as in Setext's Markdown and old text files, and one in capitals with a blank line behind it.
_UNDERLINED_HEADING = re.compile(r"^\s*([^\n]+?)[ \t]*\n[ \t]*(?:={3,}|-{3,})[ \t]*(?:\n|\Z)")
_CAPITALS = re.compile(r"^\s*(?=[^\n]*[A-Z]{2})([^\na-z.!?\"“”]{3,}?)[ \t]*\n[ \t]*\n(?=\s*\S)")
_LONGEST_TITLE = 120

LARGEST_JSON = 32
"""Megabytes of a JSON file: read as a whole, it takes many times that in memory. JSON lines may be of any length."""
_ABOUT_FOLDER = frozenset({"README", "LICENSE", "LICENCE", "COPYING", "NOTICE", "CHANGELOG"})


@dataclass(slots=True)
class Reading:
    """What the sources held: documents in a stable order, and the files in folders that nobody here can read."""

    documents: list[Document] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def read_sources(sources: tuple[str, ...]) -> Reading:
    """Return the documents of files, folders, versions of datasets and ``hub:`` names.

    Raise TrainerError naming what can't be used.
    """
    reading = Reading()
    for source in sources:
        if source.startswith(HUB_PREFIX):
            # datasets takes seconds to import, so only those who ask for the Hub pay for it.
            from trainer.corpus.hub import read_dataset

            reading.documents.extend(read_dataset(source.removeprefix(HUB_PREFIX)))
            continue
        path = Path(source)
        if read_record(path) is not None:
            reading.documents.extend(read_version(path)[1])
        elif path.is_dir():
            _read_folder(path, reading)
        elif path.exists():
            reading.documents.extend(read_file(path))
        else:
            raise TrainerError(TrainerFailure.DATA_NOT_FOUND, path=source)
    return reading


def read_file(path: Path) -> list[Document]:
    """Return the documents of one file; raise like ``iterate_file``."""
    return list(iterate_file(path))


def iterate_file(path: Path) -> Iterator[Document]:
    """Yield the documents of one file; tables and lines are read as they come.

    Raise TrainerError(DATA_FORMAT_UNKNOWN, DATA_NOT_READABLE, DATA_NOT_FOUND, FILE_TOO_LARGE).
    """
    suffix = path.suffix.lower()
    if suffix not in KNOWN_SUFFIXES:
        raise TrainerError(TrainerFailure.DATA_FORMAT_UNKNOWN, path=str(path))
    if suffix in (PROMPTS_SUFFIX, STORIES_SUFFIX):
        yield from _read_pair(path)
    elif suffix in TABLE_SUFFIXES:
        with open_text(path, newline="") as stream:
            yield from read_csv(stream, path)
    elif suffix in LINES_SUFFIXES:
        with open_text(path) as stream:
            yield from read_json_lines(stream, path)
    elif suffix == ".json":
        yield from read_json(read_text(path, LARGEST_JSON), path)
    else:
        yield from split_text(read_text(path), title=_title_from_name(path), source=str(path))


def split_text(text: str, *, title: str, source: str = "") -> Iterator[Document]:
    """Yield the stories of a plain text: its ``Prompt:`` ... ``Story:`` blocks, or the whole.

    The whole answers what its front matter says, else its heading, else ``title`` (made of the file's name).
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    entries, text = split_front_matter(text)
    starts = list(_BLOCK.finditer(text))
    if starts:
        before = text[: starts[0].start()]
        if len(before.split()) > 20:
            yield Document(unwrap_lines(before), title, source, title=title, prompt_from="title" if title else "")
        bounds = [match.start() for match in starts[1:]] + [len(text)]
        for match, end in zip(starts, bounds, strict=True):
            prompt, story = _split_block(text[match.end() : end])
            yield Document(story, prompt, source, title=title, prompt_from="label" if prompt else "")
        return
    named = " ".join(entries.get("title", "").split())
    told = find_prompt(entries)
    heading, body = _split_heading(text)
    name = named or heading or title
    if told or named:
        yield Document(unwrap_lines(body), told or named, source, title=name, prompt_from="front_matter")
    elif heading:
        yield Document(unwrap_lines(body), heading, source, title=heading, prompt_from="heading")
    else:
        yield Document(unwrap_lines(text), title, source, title=title, prompt_from="title" if title else "")


def split_blocks(text: str, *, title: str) -> Iterator[tuple[str, str]]:
    """Yield (prompt, story) of a plain text (see ``split_text``)."""
    yield from ((document.prompt, document.story) for document in split_text(text, title=title))


def _split_heading(text: str) -> tuple[str, str]:
    """Return the heading that a text begins with, empty where it has none, and the text behind it."""
    for pattern in (_HEADING, _UNDERLINED_HEADING, _CAPITALS):
        match = pattern.match(text)
        if match and len(match[1]) <= _LONGEST_TITLE:
            return _strip_marks(match[1]), text[match.end() :]
    return "", text


def _split_block(block: str) -> tuple[str, str]:
    """Return (prompt, story) of what follows ``Prompt:``; without ``Story:`` the first line is the prompt."""
    story = _STORY.search(block)
    if story:
        return " ".join(block[: story.start()].split()), unwrap_lines(block[story.end() :])
    prompt, _, rest = block.strip().partition("\n")
    return " ".join(prompt.split()), unwrap_lines(rest)


def is_about_folder(path: Path) -> bool:
    """Say whether a file tells about its folder and is no story: a read-me, a licence."""
    return path.stem.upper().split(".")[0] in _ABOUT_FOLDER


def _strip_marks(title: str) -> str:
    return re.sub(r"[*_`]+", "", title).strip()


def _title_from_name(path: Path) -> str:
    """Return a file's name as a title; names that say nothing give no prompt."""
    title = " ".join(re.split(r"[\s_\-]+", path.stem)).strip()
    return title if sum(character.isalpha() for character in title) >= 4 else ""


def _read_folder(folder: Path, reading: Reading) -> None:
    """Read every known file below a folder; raise TrainerError(DATA_FORMAT_UNKNOWN) where there is none."""
    files = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    known = [path for path in files if path.suffix.lower() in KNOWN_SUFFIXES and not is_about_folder(path)]
    if not known:
        raise TrainerError(TrainerFailure.DATA_FORMAT_UNKNOWN, path=str(folder))
    reading.passed_over.extend(str(path) for path in files if path not in known)
    for path in known:
        if path.suffix.lower() == STORIES_SUFFIX and path.with_suffix(PROMPTS_SUFFIX) in known:
            continue  # read together with its prompts
        reading.documents.extend(read_file(path))


def _read_pair(path: Path) -> Iterator[Document]:
    """Yield WritingPrompts' documents: line N of the prompts belongs to line N of the stories."""
    prompts_path, stories_path = path.with_suffix(PROMPTS_SUFFIX), path.with_suffix(STORIES_SUFFIX)
    for needed in (prompts_path, stories_path):
        if not needed.is_file():
            raise TrainerError(TrainerFailure.DATA_NOT_FOUND, path=str(needed))
    # Only line feeds end a line here: the stories hold other separators of Unicode.
    counts = []
    for each in (prompts_path, stories_path):
        with open_text(each) as stream:
            counts.append(sum(1 for _ in read_lines(stream, each)))
    if counts[0] != counts[1]:
        raise unreadable(stories_path, f"{counts[0]} prompts, {counts[1]} stories")
    with open_text(prompts_path) as prompts, open_text(stories_path) as stories:
        for prompt, story in zip(read_lines(prompts, prompts_path), read_lines(stories, stories_path), strict=True):
            head = prompt.removesuffix("\n")
            yield Document(story.removesuffix("\n"), head, str(path), prompt_from="column" if head.strip() else "")

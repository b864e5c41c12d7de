"""Files and folders to documents: txt, md, csv, tsv, json, jsonl, and WritingPrompts' pair of files."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from trainer.corpus.document import Document
from trainer.corpus.encodings import read_text, unreadable
from trainer.corpus.tables import read_csv, read_json, read_json_lines
from trainer.corpus.unwrapping import unwrap_lines
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
_LONGEST_TITLE = 120
_ABOUT_FOLDER = frozenset({"README", "LICENSE", "LICENCE", "COPYING", "NOTICE", "CHANGELOG"})


@dataclass(slots=True)
class Reading:
    """What the sources held: documents in a stable order, and the files in folders that nobody here can read."""

    documents: list[Document] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)


def read_sources(sources: tuple[str, ...]) -> Reading:
    """Return the documents of files, folders and ``hub:`` names; raise TrainerError naming what can't be used."""
    reading = Reading()
    for source in sources:
        if source.startswith(HUB_PREFIX):
            # datasets takes seconds to import, so only those who ask for the Hub pay for it.
            from trainer.corpus.hub import read_dataset

            reading.documents.extend(read_dataset(source.removeprefix(HUB_PREFIX)))
            continue
        path = Path(source)
        if path.is_dir():
            _read_folder(path, reading)
        elif path.exists():
            reading.documents.extend(read_file(path))
        else:
            raise TrainerError(TrainerFailure.DATA_NOT_FOUND, path=source)
    return reading


def read_file(path: Path) -> list[Document]:
    """Return the documents of one file; raise TrainerError(DATA_FORMAT_UNKNOWN, DATA_NOT_READABLE, DATA_NOT_FOUND)."""
    suffix = path.suffix.lower()
    if suffix not in KNOWN_SUFFIXES:
        raise TrainerError(TrainerFailure.DATA_FORMAT_UNKNOWN, path=str(path))
    if suffix in (PROMPTS_SUFFIX, STORIES_SUFFIX):
        return _read_pair(path)
    text = read_text(path)
    name = str(path)
    if suffix in TABLE_SUFFIXES:
        return read_csv(text, path)
    if suffix in LINES_SUFFIXES:
        return read_json_lines(text, path)
    if suffix == ".json":
        return read_json(text, path)
    return [
        Document(story=story, prompt=prompt, source=name)
        for prompt, story in split_blocks(text, title=_title_from_name(path))
    ]


def split_blocks(text: str, *, title: str) -> Iterator[tuple[str, str]]:
    """Yield (prompt, story) of a plain text: its ``Prompt:`` ... ``Story:`` blocks, or the whole under its title."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    starts = list(_BLOCK.finditer(text))
    if starts:
        before = text[: starts[0].start()]
        if len(before.split()) > 20:
            yield title, unwrap_lines(before)
        bounds = [match.start() for match in starts[1:]] + [len(text)]
        for match, end in zip(starts, bounds, strict=True):
            yield _split_block(text[match.end() : end])
        return
    heading = _HEADING.match(text)
    if heading and len(heading.group(1)) <= _LONGEST_TITLE:
        yield _strip_marks(heading.group(1)), unwrap_lines(text[heading.end() :])
    else:
        yield title, unwrap_lines(text)


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


def _read_pair(path: Path) -> list[Document]:
    """Return WritingPrompts' documents: line N of the prompts belongs to line N of the stories."""
    prompts_path, stories_path = path.with_suffix(PROMPTS_SUFFIX), path.with_suffix(STORIES_SUFFIX)
    for needed in (prompts_path, stories_path):
        if not needed.is_file():
            raise TrainerError(TrainerFailure.DATA_NOT_FOUND, path=str(needed))
    # Only line feeds end a line here: the stories hold other separators of Unicode.
    prompts = read_text(prompts_path).removesuffix("\n").split("\n")
    stories = read_text(stories_path).removesuffix("\n").split("\n")
    if len(prompts) != len(stories):
        raise unreadable(stories_path, f"{len(prompts)} prompts, {len(stories)} stories")
    return [
        Document(story=story, prompt=prompt, source=str(path)) for prompt, story in zip(prompts, stories, strict=True)
    ]

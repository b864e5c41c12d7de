"""A folder of text as cleaned stories on disk, read one at a time, on two sides that share no copies."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.corpus.cleaning import clean_document, cut_to_parts, fingerprint_story
from trainer.corpus.document import CleaningReport, Document
from trainer.corpus.encodings import read_text
from trainer.corpus.readers import PLAIN_SUFFIXES, is_about_folder, read_file
from trainer.corpus.splitting import (
    HELDOUT_SHARE,
    MOST_HELDOUT,
    NEEDED_STORIES,
    NEEDED_WORDS,
    pair_sketches,
    sketch_story,
)
from trainer.pretraining.settings import refuse
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.text.ngrams import count_words

HELDOUT_BYTES_SHARE = 0.05
"""Texts come in very different sizes: held-out ones may hold this share of the whole at most."""

_LONGEST_PART = 2_500


@dataclass(frozen=True, slots=True)
class Story:
    """Where a cleaned story lies in the file of stories, its words and bytes, and what copies of it are known by."""

    offset: int
    words: int
    size: int
    fingerprint: bytes
    sketch: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Sides:
    """Stories to learn from and to measure with, in the order they are packed in."""

    training: tuple[Story, ...]
    heldout: tuple[Story, ...]
    same_story: bool = False


class StoryFile:
    """Cleaned stories in a file, one JSON line each, so that memory holds one at a time. One thread."""

    def __init__(self, path: Path) -> None:
        """Use ``path``, which is made new by ``write``."""
        self.path = path

    def write(self, documents: Iterable[Document]) -> list[Story]:
        """Write the documents and return where each lies."""
        stories = []
        with self.path.open("wb") as stream:
            for document in documents:
                stories.append(_describe(document, stream.tell()))
                line = json.dumps([document.prompt, document.story], ensure_ascii=False)
                stream.write(line.encode("utf-8", "replace") + b"\n")
        return stories

    def read(self, stories: Iterable[Story]) -> Iterator[tuple[str, str]]:
        """Yield (title, story) of each."""
        with self.path.open("rb") as stream:
            for story in stories:
                stream.seek(story.offset)
                title, text = json.loads(stream.readline())
                yield title, text


def list_texts(folder: Path) -> list[Path]:
    """Return the text files below a folder in a stable order; raise TrainerError where there is none."""
    if not folder.is_dir():
        raise TrainerError(TrainerFailure.DATA_NOT_FOUND, path=str(folder))
    found = [
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PLAIN_SUFFIXES
        and path.is_file()
        and not is_about_folder(path)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not found:
        raise TrainerError(TrainerFailure.DATA_FORMAT_UNKNOWN, path=str(folder))
    return sorted(found, key=lambda path: path.relative_to(folder).as_posix())


def fingerprint_files(folder: Path, files: Sequence[Path], check: Callable[[], None]) -> str:
    """Return the SHA-256 of every file's name and content, in order."""
    digest = hashlib.sha256()
    for path in files:
        check()
        with path.open("rb") as stream:
            content = hashlib.file_digest(stream, "sha256")
        digest.update(f"{path.relative_to(folder).as_posix()}\x00{content.hexdigest()}\n".encode("utf-8", "replace"))
    return digest.hexdigest()


def read_titles(table: Path | None) -> dict[str, str]:
    """Return titles by file from a table with the columns ``file`` and ``title``, tabs between them."""
    if table is None:
        return {}
    if not table.is_file():
        raise TrainerError(TrainerFailure.DATA_NOT_FOUND, path=str(table))
    rows = list(csv.DictReader(read_text(table).splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or not {"file", "title"} <= rows[0].keys():
        raise refuse(f"{table.name} has no columns named file and title")
    return {str(row["file"]): str(row["title"] or "") for row in rows if row["file"]}


def read_stories(
    folder: Path,
    files: Sequence[Path],
    titles: Mapping[str, str],
    normaliser: str,
    report: CleaningReport,
    check: Callable[[], None],
) -> Iterator[Document]:
    """Yield the cleaned stories of the files, each once; titles come from the table, the text or the file's name."""
    seen: set[bytes] = set()
    for path in files:
        check()
        title = titles.get(path.relative_to(folder).as_posix(), "")
        for document in read_file(path):
            cleaned = clean_document(replace(document, prompt=title or document.prompt), normaliser, report)
            if cleaned is None:
                continue
            fingerprint = fingerprint_story(cleaned.story)
            if fingerprint in seen:
                report.note_drop("duplicate", cleaned.story)
                continue
            seen.add(fingerprint)
            yield cleaned


def split_stories(stories: Sequence[Story], seed: int) -> Sides:
    """Return the two sides; near copies stay together, and a story's side doesn't hang on which others there are.

    Raise TrainerError(TOO_LITTLE_TEXT) where there is not enough for both.
    """
    groups = _group(stories)
    ordered = sorted(groups, key=lambda group: _draw(stories[group[0]].fingerprint, seed))
    wanted = min(MOST_HELDOUT, max(1, round(len(stories) * HELDOUT_SHARE)))
    room = sum(story.size for story in stories) * HELDOUT_BYTES_SHARE
    chosen: set[int] = set()
    taken = 0
    for group in ordered:
        size = sum(stories[index].size for index in group)
        if len(chosen) + len(group) <= wanted and taken + size <= room:
            chosen.update(group)
            taken += size
    if not chosen and len(groups) > 1:
        chosen.update(min(ordered, key=lambda group: sum(stories[index].size for index in group)))
    order = [index for group in ordered for index in group]
    sides = Sides(
        training=tuple(stories[index] for index in order if index not in chosen),
        heldout=tuple(stories[index] for index in order if index in chosen),
    )
    if not sides.training or not sides.heldout:
        raise _too_little(stories)
    return sides


def require_enough(stories: Sequence[Story]) -> None:
    """Raise TrainerError(TOO_LITTLE_TEXT) where there are too few words."""
    if sum(story.words for story in stories) < NEEDED_WORDS:
        raise _too_little(stories)


def are_few(stories: Sequence[Story]) -> bool:
    """Say whether the stories are too few to give up whole ones for measuring."""
    return len(_group(stories)) < NEEDED_STORIES


def cut_stories(texts: Iterable[tuple[str, str]], words: int) -> Iterator[Document]:
    """Yield the parts of a few long stories, so that some can be held out."""
    for title, story in texts:
        yield from cut_to_parts(Document(story=story, prompt=title), max(120, min(_LONGEST_PART, words // 40)))


def _describe(document: Document, offset: int) -> Story:
    return Story(
        offset=offset,
        words=count_words(document.story),
        size=len(document.story.encode("utf-8", "replace")),
        fingerprint=fingerprint_story(document.story),
        sketch=tuple(sketch_story(document.story)),
    )


def _group(stories: Sequence[Story]) -> list[list[int]]:
    """Return indices of stories that are near copies of each other, in order of their first."""
    parents = list(range(len(stories)))

    def find(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for first, second in pair_sketches([story.sketch for story in stories]):
        low, high = sorted((find(first), find(second)))
        parents[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(stories)):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _draw(fingerprint: bytes, seed: int) -> bytes:
    """Return what a story's place is drawn by."""
    return hashlib.blake2b(fingerprint, digest_size=8, key=str(seed).encode()).digest()


def _too_little(stories: Sequence[Story]) -> TrainerError:
    return TrainerError(
        TrainerFailure.TOO_LITTLE_TEXT,
        stories=len(stories),
        words=sum(story.words for story in stories),
        needed_stories=NEEDED_STORIES,
        needed_words=NEEDED_WORDS,
    )

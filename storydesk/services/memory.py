"""Memory, author's note and lorebook: kept, recalled, brought in and taken out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.lorebook_formats import LoreFormat, ReadLorebook, read_lorebook, write_lorebook
from storydesk.domain.memory import Recollection, StoryMemory, recall
from storydesk.services.atomic_file import write_atomically
from storydesk.services.input_file import read_limited

MOST_MEGABYTES = 8
"""Lorebooks are kilobytes; what a larger one would take in memory is many times its size."""
SUFFIXES = {LoreFormat.OURS: "json", LoreFormat.KOBOLD: "json", LoreFormat.NOVELAI: "lorebook"}
KNOWN = "Storydesk, KoboldAI, NovelAI"


class MemoryStore(Protocol):
    """Memory and lorebook in the library. Any thread; each method is one transaction."""

    def load_memory(self, story_id: int) -> StoryMemory:
        """Return a story's memory; an empty one where none was kept."""

    def keep_memory(self, story_id: int, memory: StoryMemory) -> None:
        """Keep a story's memory; raise StorydeskError(STORY_NOT_FOUND)."""

    def list_entries(self, story_id: int) -> Sequence[LoreEntry]:
        """Return a story's entries and those for all stories, by title."""

    def keep_entries(self, story_id: int, entries: Iterable[LoreEntry]) -> Sequence[LoreEntry]:
        """Add or change entries, all or none, and return them with their ids; raise STORY_NOT_FOUND."""

    def delete_entries(self, ids: Iterable[int]) -> None:
        """Delete entries; those that are not there don't matter."""


@dataclass(frozen=True, slots=True)
class MemoryPage:
    """Everything that a story's model can be reminded of."""

    memory: StoryMemory = field(default_factory=StoryMemory)
    entries: tuple[LoreEntry, ...] = ()

    def recall(self, text: str, prompt: str = "") -> Recollection:
        """Return what the model is reminded of when it goes on after ``text``."""
        return recall(self.memory, self.entries, text, prompt)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name in the lorebook, those of entries that are switched off too."""
        return tuple(dict.fromkeys(name for entry in self.entries for name in entry.names))


class MemoryService:
    """Keeps what a story's model is reminded of. Any thread."""

    def __init__(self, store: MemoryStore) -> None:
        """Work on one library."""
        self._store = store

    def load(self, story_id: int) -> MemoryPage:
        """Return a story's memory and lorebook."""
        return MemoryPage(self._store.load_memory(story_id), tuple(self._store.list_entries(story_id)))

    def keep_memory(self, story_id: int, memory: StoryMemory) -> None:
        """Keep a story's memory; raise StorydeskError(STORY_NOT_FOUND)."""
        self._store.keep_memory(story_id, memory)

    def keep_entries(self, story_id: int, entries: Iterable[LoreEntry]) -> Sequence[LoreEntry]:
        """Add or change entries, all or none, and return them with their ids."""
        return self._store.keep_entries(story_id, entries)

    def delete_entries(self, ids: Iterable[int]) -> None:
        """Delete entries."""
        self._store.delete_entries(ids)

    def copy(self, from_story: int, to_story: int) -> None:
        """Give another story the same memory and its own copies of the entries that are not for all stories."""
        page = self.load(from_story)
        self._store.keep_memory(to_story, page.memory)
        own = [replace(entry, id=0) for entry in page.entries if not entry.everywhere]
        self._store.keep_entries(to_story, own)

    def import_lorebook(self, story_id: int, path: Path) -> tuple[Sequence[LoreEntry], ReadLorebook]:
        """Add the entries of a file to a story; what is there already, word for word, is not added again.

        Raise StorydeskError(FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_TOO_LARGE, FILE_DAMAGED, FORMAT_UNKNOWN).
        """
        book = read_lorebook_file(path)
        known = {_describe(entry) for entry in self._store.list_entries(story_id)}
        fresh = [entry for entry in book.entries if _describe(entry) not in known]
        return self._store.keep_entries(story_id, fresh), book

    def export_lorebook(
        self, entries: Sequence[LoreEntry], path: Path, form: LoreFormat, *, overwrite: bool = False
    ) -> None:
        """Write entries as a file; raise StorydeskError(FILE_EXISTS, NOT_WRITABLE, DISK_FULL)."""
        record = write_lorebook(entries, form)
        text = json.dumps(record, ensure_ascii=False, indent=2)
        write_atomically(path, text.encode("utf-8", "replace"), overwrite=overwrite)


def read_lorebook_file(path: Path) -> ReadLorebook:
    """Return the lorebook in a file; raise what ``import_lorebook`` says."""
    content = read_limited(path, MOST_MEGABYTES)
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="lorebook") from error
    try:
        return read_lorebook(data)
    except ValueError as error:
        raise StorydeskError(FailureCode.FORMAT_UNKNOWN, format=f"of {path.name}", known=KNOWN) from error


def _describe(entry: LoreEntry) -> tuple[str, str, tuple[str, ...]]:
    return entry.title.strip(), entry.text.strip(), entry.keys

"""Memory, lorebook, prompts and queue in lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.memory import StoryMemory


class FakeMemoryStore:
    """A MemoryStore for tests that need no file."""

    def __init__(self) -> None:
        self.memories: dict[int, StoryMemory] = {}
        self.entries: dict[int, tuple[int, LoreEntry]] = {}

    def load_memory(self, story_id: int) -> StoryMemory:
        return self.memories.get(story_id, StoryMemory())

    def keep_memory(self, story_id: int, memory: StoryMemory) -> None:
        self.memories[story_id] = memory

    def list_entries(self, story_id: int) -> Sequence[LoreEntry]:
        return [entry for story, entry in self.entries.values() if story == story_id or entry.everywhere]

    def keep_entries(self, story_id: int, entries: Iterable[LoreEntry]) -> Sequence[LoreEntry]:
        kept = [replace(entry, id=entry.id or len(self.entries) + 1 + number) for number, entry in enumerate(entries)]
        self.entries |= {entry.id: (story_id, entry) for entry in kept}
        return kept

    def delete_entries(self, ids: Iterable[int]) -> None:
        for each in ids:
            self.entries.pop(each, None)

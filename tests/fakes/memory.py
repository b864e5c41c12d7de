"""Memory, lorebook, prompts and queue in lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.memory import StoryMemory
from storydesk.domain.prompt_shelf import ShelfPrompt
from storydesk.domain.whole_story import QueuedStory, StoryWish


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


class FakePromptStore:
    """A PromptStore for tests that need no file."""

    def __init__(self) -> None:
        self.prompts: dict[int, ShelfPrompt] = {}
        self.queue: dict[int, QueuedStory] = {}

    def list_prompts(self) -> Sequence[ShelfPrompt]:
        return list(reversed(self.prompts.values()))

    def keep_prompts(self, prompts: Iterable[ShelfPrompt]) -> Sequence[ShelfPrompt]:
        kept = [replace(each, id=each.id or len(self.prompts) + 1 + number) for number, each in enumerate(prompts)]
        self.prompts |= {each.id: each for each in kept}
        return kept

    def delete_prompts(self, ids: Iterable[int]) -> None:
        for each in ids:
            self.prompts.pop(each, None)

    def list_queue(self) -> Sequence[QueuedStory]:
        return list(self.queue.values())

    def add_to_queue(self, wishes: Iterable[StoryWish]) -> Sequence[QueuedStory]:
        added = [QueuedStory(len(self.queue) + 1 + number, wish) for number, wish in enumerate(wishes)]
        self.queue |= {each.id: each for each in added}
        return added

    def keep_queued(self, story: QueuedStory) -> None:
        if story.id in self.queue:
            self.queue[story.id] = story

    def remove_queued(self, ids: Iterable[int]) -> None:
        for each in ids:
            self.queue.pop(each, None)

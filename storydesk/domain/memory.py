"""What a story's model is reminded of beside the text: memory, author's note, lorebook."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from storydesk.domain.lorebook import LoreEntry, LoreHit, find_hits
from storydesk.domain.manuscript import WORD
from storydesk.domain.prompting import NOTE_DEPTH

MOST_DEPTH = 50
RECENT_WORDS = 600
LEAST_RECENT, MOST_RECENT = 50, 5_000
MOST_CHARACTERS = 100_000
MOST_HITS = 100
"""Entries of the lorebook that are considered for one request; the window has room for fewer."""
_CHARACTERS_PER_WORD = 12


@dataclass(frozen=True, slots=True)
class StoryMemory:
    """What is set for one story: memory, author's note and how many paragraphs stand behind it.

    Names of the lorebook are looked for in the last ``recent_words`` words.
    """

    memory: str = ""
    author_note: str = ""
    note_depth: int = NOTE_DEPTH
    recent_words: int = RECENT_WORDS

    def to_text(self) -> str:
        """Return the memory as it is kept."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_text(cls, text: str) -> StoryMemory:
        """Read a memory; what can't be understood is as usual."""
        try:
            record = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            record = {}
        values: dict[str, Any] = {}
        for field in fields(cls):
            value = record.get(field.name) if isinstance(record, dict) else None
            if type(value) is type(field.default):
                values[field.name] = value
        return cls(**values).within_limits()

    def within_limits(self) -> StoryMemory:
        """Return the memory with its numbers inside their limits."""
        return StoryMemory(
            self.memory[:MOST_CHARACTERS],
            self.author_note[:MOST_CHARACTERS],
            min(max(self.note_depth, 0), MOST_DEPTH),
            min(max(self.recent_words, LEAST_RECENT), MOST_RECENT),
        )


@dataclass(frozen=True, slots=True)
class Recollection:
    """What goes with one request: the texts of memory and note, and of the entries that came up, in their order."""

    memory: str = ""
    author_note: str = ""
    note_depth: int = NOTE_DEPTH
    lore: tuple[str, ...] = ()
    hits: tuple[LoreHit, ...] = ()


NOTHING = Recollection()


def recall(memory: StoryMemory, entries: Iterable[LoreEntry], text: str, prompt: str = "") -> Recollection:
    """Return what the model is reminded of when it goes on after ``text``; names in the prompt count, too."""
    recent = take_recent(text, memory.recent_words)
    hits = find_hits(entries, f"{prompt}\n\n{recent}" if prompt else recent)[:MOST_HITS]
    return Recollection(
        memory.memory,
        memory.author_note,
        memory.note_depth,
        tuple(hit.entry.text.strip() for hit in hits),
        hits,
    )


def take_recent(text: str, words: int) -> str:
    """Return the end of a text with so many words."""
    tail = text[-words * _CHARACTERS_PER_WORD :]
    places = [match.start() for match in WORD.finditer(tail)]
    return tail[places[-words] :] if len(places) > words else tail

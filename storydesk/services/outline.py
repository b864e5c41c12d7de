"""What a writer says of stories and their parts: status, targets, tags, notes, order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from storydesk.domain.outline import KeptPart, StoryDetails
from storydesk.services.library_ports import OutlineStore


class OutlineService:
    """Keeps the outline of the library's stories. Any thread."""

    def __init__(self, store: OutlineStore) -> None:
        """Work on one library."""
        self._store = store

    def read_details(self) -> Mapping[int, StoryDetails]:
        """Return the details of every story by its id."""
        return self._store.read_details()

    def change_details(self, story_id: int, details: StoryDetails) -> None:
        """Keep a story's details; raise StorydeskError(STORY_NOT_FOUND)."""
        self._store.write_details(story_id, replace(details, tags=tidy_tags(details.tags)))

    def place_stories(self, order: Sequence[int]) -> None:
        """Let the stories of the shelf stand in this order."""
        self._store.place_stories(order)

    def read_parts(self, story_id: int) -> Sequence[KeptPart]:
        """Return what is kept of a story's parts."""
        return self._store.read_parts(story_id)

    def keep_parts(self, story_id: int, parts: Sequence[KeptPart]) -> None:
        """Keep this of a story's parts; raise StorydeskError(STORY_NOT_FOUND)."""
        self._store.write_parts(story_id, parts)


def tidy_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return the tags without blanks around them and without doubles, in the order of the alphabet."""
    found: dict[str, str] = {}
    for tag in tags:
        cleaned = " ".join(tag.split()).strip("#, ")
        if cleaned:
            found.setdefault(cleaned.casefold(), cleaned)
    return tuple(sorted(found.values(), key=str.casefold))


def move_story(order: Sequence[int], moved: int, before: int) -> list[int]:
    """Return the order with one story moved before another, to the end where ``before`` is not among them."""
    rest = [story_id for story_id in order if story_id != moved]
    at = rest.index(before) if before in rest else len(rest)
    return [*rest[:at], moved, *rest[at:]]

"""Stories and drafts: the library's use cases."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from storydesk.domain.authorship import Run, dump_runs
from storydesk.domain.characters import mend_text
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.manuscript import Draft, GenerationRecord, Story
from storydesk.domain.polishing import PolishSettings
from storydesk.services.ports import DocumentReader, LibraryStore
from storydesk.services.writing import WritingRequest

_POLISH = "polish"

UNTITLED = ""
"""A story without a title; the window shows a translated word for it."""


class ManuscriptService:
    """Opens, saves and finds stories. Any thread."""

    def __init__(self, store: LibraryStore, reader: DocumentReader) -> None:
        """Work on one library."""
        self._store = store
        self._reader = reader

    @property
    def read_only(self) -> bool:
        """Whether another window writes this library."""
        return self._store.read_only

    def has_no_writer(self) -> bool:
        """Return whether the window that wrote this library is gone, so that another may open it anew."""
        return self._store.has_no_writer()

    def list_stories(self, words: str = "", *, trash: bool = False) -> Sequence[Story]:
        """Return the stories, last changed first; only those that hold all of ``words`` where there are any."""
        if words.strip():
            return [story for story in self._store.search(words) if story.in_trash is trash]
        return self._store.list_stories(trash=trash)

    def add_story(self, title: str = UNTITLED, prompt: str = "", text: str = "", origin: str = "written") -> Story:
        """Create a story with its first draft."""
        return self._store.add_story(title, prompt, text, origin)

    def import_document(self, path: Path) -> tuple[Story, Sequence[Failure]]:
        """Read a document into a new story and return what it held that a story has no place for, too."""
        found = self._reader.read_document(path)
        return self._store.add_story(found.title, "", found.text, "imported"), found.lost

    def open_story(self, story_id: int) -> Draft:
        """Return the newest draft of a story, an empty one where it has none."""
        drafts = self._store.list_drafts(story_id)
        return drafts[0] if drafts else self._store.add_draft(story_id, "1", "")

    def list_drafts(self, story_id: int) -> Sequence[Draft]:
        """Return the drafts of a story, newest first."""
        return self._store.list_drafts(story_id)

    def polish_settings(self, story_id: int) -> PolishSettings:
        """Return how a story is polished."""
        return PolishSettings.from_text(self._store.get_story_setting(story_id, _POLISH))

    def keep_polish_settings(self, story_id: int, settings: PolishSettings) -> None:
        """Keep how a story is polished."""
        self._store.set_story_setting(story_id, _POLISH, settings.to_text())

    def load_draft(self, draft_id: int) -> Draft:
        """Return a draft."""
        return self._store.load_draft(draft_id)

    def save_draft(self, draft_id: int, text: str, runs: Sequence[Run] | None = None) -> Draft:
        """Save a draft with its spans (code points); both are on disk when this returns."""
        mended = mend_text(text)
        return self._store.save_draft(draft_id, mended, None if runs is None else dump_runs(runs, mended))

    def keep_draft(
        self,
        story_id: int,
        text: str,
        origin: str = "written",
        *,
        runs: Sequence[Run] | None = None,
        parent_id: int | None = None,
    ) -> Draft:
        """Add a draft with the next number as its name; ``runs`` are its spans (code points)."""
        number = len(self._store.list_drafts(story_id)) + 1
        mended = mend_text(text)
        spans = "" if runs is None else dump_runs(runs, mended)
        return self._store.add_draft(story_id, str(number), mended, origin, authorship=spans, parent_id=parent_id)

    def rename_story(self, story_id: int, title: str) -> Story:
        """Give a story another title."""
        return self._store.change_story(story_id, title=title.strip())

    def set_prompt(self, story_id: int, prompt: str) -> Story:
        """Keep the prompt that a story answers."""
        return self._store.change_story(story_id, prompt=prompt)

    def trash_story(self, story_id: int) -> None:
        """Put a story into the trash."""
        self._store.trash_story(story_id)

    def restore_story(self, story_id: int) -> None:
        """Take a story out of the trash."""
        self._store.trash_story(story_id, restore=True)

    def delete_story(self, story_id: int) -> None:
        """Delete a story of the trash for good."""
        self._store.delete_story(story_id)

    def record_generation(
        self, draft_id: int, request: WritingRequest, model: str, text: str, *, accepted: bool
    ) -> None:
        """Keep what made a piece of text, so that it can be made again."""
        settings = json.dumps({**asdict(request.settings), "words": request.words}, sort_keys=True)
        self._store.record_generation(
            GenerationRecord(draft_id, model, request.seed, request.prompt, settings, text, accepted, time.time())
        )

    def find_story(self, name: str) -> Story:
        """Return the story with this title or number; raise StorydeskError(STORY_NOT_FOUND)."""
        for story in self._store.list_stories():
            if str(story.id) == name or story.title.casefold() == name.casefold():
                return story
        raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=name)

    def close(self) -> None:
        """Close the library."""
        self._store.close()

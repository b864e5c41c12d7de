"""The prompt shelf and the queue of stories in the library."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from storydesk.domain.characters import mend_text
from storydesk.domain.prompt_shelf import ShelfPrompt, tidy_tags
from storydesk.domain.whole_story import QueuedStory, StoryState, StoryWish
from storydesk.storage.library import SqliteLibrary

_PROMPT = "SELECT id, text, tags, in_trash, created FROM prompts"
_QUEUED = (
    "SELECT id, prompt, words, settings, state, text, stretches, story_id, model, perplexity, ending, end_chance, "
    "detail FROM story_queue"
)


class PromptShelfStore:
    """Implements PromptStore on the library's connection. Any thread; each method is one transaction."""

    def __init__(self, library: SqliteLibrary) -> None:
        """Share the library."""
        self._library = library

    def list_prompts(self) -> Sequence[ShelfPrompt]:
        """Return all prompts, those in the trash too, the newest first."""
        with self._library.reading() as connection:
            return [_make_prompt(row) for row in connection.execute(f"{_PROMPT} ORDER BY created DESC, id DESC")]

    def keep_prompts(self, prompts: Iterable[ShelfPrompt]) -> Sequence[ShelfPrompt]:
        """Add or change prompts, all or none, and return them with their ids."""
        now = time.time()
        kept = []
        with self._library.writing() as connection:
            for prompt in prompts:
                tags = json.dumps([mend_text(tag) for tag in tidy_tags(prompt.tags)], ensure_ascii=False)
                values = (mend_text(prompt.text), tags, prompt.in_trash, now)
                if prompt.id:
                    connection.execute(
                        "UPDATE prompts SET text = ?, tags = ?, in_trash = ?, changed = ? WHERE id = ?",
                        (*values, prompt.id),
                    )
                    kept.append(prompt.id)
                else:
                    cursor = connection.execute(
                        "INSERT INTO prompts (text, tags, in_trash, changed, created) VALUES (?, ?, ?, ?, ?)",
                        (*values, now),
                    )
                    kept.append(int(cursor.lastrowid or 0))
            rows = [connection.execute(f"{_PROMPT} WHERE id = ?", (each,)).fetchone() for each in kept]
            return [_make_prompt(row) for row in rows if row is not None]

    def delete_prompts(self, ids: Iterable[int]) -> None:
        """Delete prompts for good."""
        with self._library.writing() as connection:
            connection.executemany("DELETE FROM prompts WHERE id = ?", [(each,) for each in ids])

    def list_queue(self) -> Sequence[QueuedStory]:
        """Return the queue in its order."""
        with self._library.reading() as connection:
            return [_make_queued(row) for row in connection.execute(f"{_QUEUED} ORDER BY id")]

    def add_to_queue(self, wishes: Iterable[StoryWish]) -> Sequence[QueuedStory]:
        """Put wishes at the queue's end and return them as they are kept."""
        now = time.time()
        with self._library.writing() as connection:
            kept = []
            for wish in wishes:
                cursor = connection.execute(
                    "INSERT INTO story_queue (prompt, words, settings, state, created, changed) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (mend_text(wish.prompt), wish.words, mend_text(wish.to_text()), StoryState.WAITING, now, now),
                )
                kept.append(int(cursor.lastrowid or 0))
            return [_make_queued(connection.execute(f"{_QUEUED} WHERE id = ?", (each,)).fetchone()) for each in kept]

    def keep_queued(self, story: QueuedStory) -> None:
        """Keep how far a story has come; one that is not in the queue any more is passed over."""
        with self._library.writing() as connection:
            connection.execute(
                "UPDATE story_queue SET state = ?, text = ?, stretches = ?, story_id = ?, model = ?, perplexity = ?, "
                "ending = ?, end_chance = ?, detail = ?, changed = ? WHERE id = ?",
                (
                    story.state,
                    mend_text(story.text),
                    story.stretches,
                    story.story_id or None,
                    mend_text(story.model),
                    story.perplexity,
                    story.ending,
                    story.end_chance,
                    mend_text(story.detail),
                    time.time(),
                    story.id,
                ),
            )

    def remove_queued(self, ids: Iterable[int]) -> None:
        """Take stories out of the queue; what they became stays in the library."""
        with self._library.writing() as connection:
            connection.executemany("DELETE FROM story_queue WHERE id = ?", [(each,) for each in ids])


def _make_prompt(row: Any) -> ShelfPrompt:
    number, text, tags, in_trash, created = row
    try:
        values = json.loads(tags)
    except (ValueError, RecursionError):
        values = []
    known = tuple(tag for tag in values if isinstance(tag, str)) if isinstance(values, list) else ()
    return ShelfPrompt(number, text, known, bool(in_trash), created)


def _make_queued(row: Any) -> QueuedStory:
    number, prompt, words, settings, state, text, stretches, story_id, model, perplexity, ending, chance, detail = row
    return QueuedStory(
        id=number,
        wish=StoryWish.from_text(prompt, words, settings),
        state=StoryState(state) if state in set(StoryState) else StoryState.FAILED,
        text=text,
        stretches=stretches,
        story_id=story_id or 0,
        model=model,
        perplexity=perplexity,
        ending=ending,
        end_chance=chance,
        detail=detail,
    )

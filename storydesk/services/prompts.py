"""The prompt shelf, the queue of stories, and writing a whole story."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from storydesk.domain.authorship import Kind, Origin, Source
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import Finished, FinishReason, TextChunk
from storydesk.domain.manuscript import Story
from storydesk.domain.memory import Recollection
from storydesk.domain.prompt_shelf import ShelfPrompt, read_prompts
from storydesk.domain.whole_story import (
    ENDINGS,
    QueuedStory,
    StopPlace,
    StoryEnding,
    StoryState,
    StoryWish,
    choose_ending,
    close_text,
    list_stop_places,
    plan_step,
    repeats_itself,
    title_prompt,
)
from storydesk.services.input_file import read_limited
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.memory import MemoryPage, MemoryService
from storydesk.services.ports import IsCancelled
from storydesk.services.scoring import ScoringService
from storydesk.services.writing import Started, WritingRequest, WritingService

MOST_MEGABYTES = 20
FORMATS = ("txt", "csv", "tsv", "jsonl", "json", "md")


class PromptStore(Protocol):
    """Prompts and queue in the library. Any thread; each method is one transaction."""

    def list_prompts(self) -> Sequence[ShelfPrompt]:
        """Return all prompts, those in the trash too, the newest first."""

    def keep_prompts(self, prompts: Iterable[ShelfPrompt]) -> Sequence[ShelfPrompt]:
        """Add or change prompts, all or none, and return them with their ids."""

    def delete_prompts(self, ids: Iterable[int]) -> None:
        """Delete prompts for good."""

    def list_queue(self) -> Sequence[QueuedStory]:
        """Return the queue in its order."""

    def add_to_queue(self, wishes: Iterable[StoryWish]) -> Sequence[QueuedStory]:
        """Put wishes at the queue's end and return them as they are kept."""

    def keep_queued(self, story: QueuedStory) -> None:
        """Keep how far a story has come; one that is not in the queue any more is passed over."""

    def remove_queued(self, ids: Iterable[int]) -> None:
        """Take stories out of the queue; what they became stays in the library."""


class PromptService:
    """Keeps prompts and the queue. Any thread."""

    def __init__(self, store: PromptStore, manuscripts: ManuscriptService, memory: MemoryService) -> None:
        """Work on one library."""
        self._store = store
        self._manuscripts = manuscripts
        self._memory = memory

    def list_prompts(self) -> Sequence[ShelfPrompt]:
        """Return all prompts, those in the trash too, the newest first."""
        return self._store.list_prompts()

    def keep_prompts(self, prompts: Iterable[ShelfPrompt]) -> Sequence[ShelfPrompt]:
        """Add or change prompts and return them with their ids."""
        return self._store.keep_prompts(prompts)

    def delete_prompts(self, ids: Iterable[int]) -> None:
        """Delete prompts for good."""
        self._store.delete_prompts(ids)

    def import_prompts(self, path: Path, tags: Sequence[str] = ()) -> tuple[Sequence[ShelfPrompt], int]:
        """Put a file's prompts on the shelf; return the new ones and how many were there already.

        Raise StorydeskError(FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_EMPTY, FILE_TOO_LARGE, FILE_DAMAGED).
        """
        found = read_prompt_file(path)
        known = {prompt.text for prompt in self._store.list_prompts() if not prompt.in_trash}
        fresh = [ShelfPrompt(0, text, tuple(tags)) for text in found if text not in known]
        return self._store.keep_prompts(fresh), len(found) - len(fresh)

    def list_queue(self) -> Sequence[QueuedStory]:
        """Return the queue in its order."""
        return self._store.list_queue()

    def add_to_queue(self, wishes: Iterable[StoryWish]) -> Sequence[QueuedStory]:
        """Put wishes at the queue's end."""
        return self._store.add_to_queue(wishes)

    def keep_queued(self, story: QueuedStory) -> None:
        """Keep how far a story has come."""
        self._store.keep_queued(story)

    def remove_queued(self, ids: Iterable[int]) -> None:
        """Take stories out of the queue."""
        self._store.remove_queued(ids)

    def finish(self, story: QueuedStory) -> tuple[QueuedStory, Story]:
        """Put a written story into the library as a draft of its own, with what made it and the memory it used."""
        wish = story.wish
        known = {each.id: each for each in self._manuscripts.list_stories()} if story.story_id else {}
        made = known.get(story.story_id)
        if made is None:
            made = self._manuscripts.add_story(title_prompt(wish.prompt), wish.prompt, story.text, "generated")
            # Were we to end here, the story would be found again and not be there twice.
            self._store.keep_queued(replace(story, state=StoryState.WRITING, story_id=made.id))
        draft = self._manuscripts.open_story(made.id)
        whole = Origin(Kind.GENERATED, Source("", story.model, wish.seed, time.time()))
        self._manuscripts.save_draft(draft.id, draft.text, [(len(draft.text), whole)])
        request = WritingRequest(0, wish.prompt, "", wish.words, wish.seed, wish.settings, story.model)
        self._manuscripts.record_generation(draft.id, request, story.model, story.text, accepted=True)
        if wish.memory_of:
            try:
                self._memory.copy(wish.memory_of, made.id)
            except StorydeskError as error:
                if error.failure.code != FailureCode.STORY_NOT_FOUND:
                    raise
        done = replace(story, state=StoryState.DONE, story_id=made.id)
        self._store.keep_queued(done)
        return done, made


class StoryWriter:
    """Writes whole stories, a step at a time. Lives where its EngineHost lives."""

    def __init__(self, writing: WritingService, scoring: ScoringService, memory: MemoryService) -> None:
        """Write with the services that share one engine."""
        self._writing = writing
        self._scoring = scoring
        self._memory = memory

    def advance(self, story: QueuedStory, is_cancelled: IsCancelled, page: MemoryPage | None = None) -> QueuedStory:
        """Return the story one step further: a stretch, its ending, or its perplexity, with which it is DONE.

        ``page`` is what it is reminded of where that is not kept with a story of the library.

        Raise StorydeskError(CANCELLED) where it has to make way, with nothing changed, and what loading may raise.
        """
        if not story.wish.prompt.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        if story.ending:
            return self._measure(story, is_cancelled)
        step = plan_step(story.words, story.wish.words, story.tries)
        if step.is_ending:
            return self._end(story, step.words, is_cancelled, page)
        [(addition, reason)], model = self._write(story, step.words, 1, is_cancelled, page)
        later = replace(story, state=StoryState.WRITING, stretches=story.stretches + 1, model=model)
        if reason is FinishReason.LOOP or not addition.strip() or repeats_itself(story.text, addition):
            return replace(later, tries=story.tries + 1)
        return replace(later, text=story.text + addition, tries=0)

    def _write(
        self, story: QueuedStory, words: int, count: int, is_cancelled: IsCancelled, page: MemoryPage | None
    ) -> tuple[list[tuple[str, FinishReason]], str]:
        """Return so many ways to go on, with how each ended, and the model that wrote them."""
        wish = story.wish
        # A stretch is no ending, so the end of the text is held back until its words are written.
        settings = replace(wish.settings, minimum_words=words if count == 1 else 0, maximum_words=0)
        request = self._writing.request(
            wish.prompt,
            story.text,
            words=words,
            seed=story.next_seed,
            settings=settings,
            model=wish.model or None,
            count=count,
            until_sentence_end=count > 1,  # the next stretch goes on in the middle of a sentence, too
            recalled=self._recall(story, page),
        )
        pieces: list[list[str]] = [[] for _ in range(count)]
        reasons = [FinishReason.CANCELLED] * count
        model = story.model
        events = self._writing.write(request)
        try:
            for event in events:
                if is_cancelled():
                    raise StorydeskError(FailureCode.CANCELLED)
                if isinstance(event, Started):
                    model = event.model
                elif isinstance(event, TextChunk):
                    pieces[event.candidate].append(event.text)
                elif isinstance(event, Finished):
                    reasons[event.candidate] = event.reason
        finally:
            events.close()
        if FinishReason.CANCELLED in reasons:
            raise StorydeskError(FailureCode.CANCELLED)
        return [("".join(each), reason) for each, reason in zip(pieces, reasons, strict=True)], model

    def _end(self, story: QueuedStory, words: int, is_cancelled: IsCancelled, page: MemoryPage | None) -> QueuedStory:
        """Try several last passages and stop where the model finds an end likeliest."""
        ways, model = self._write(story, words, ENDINGS, is_cancelled, page)
        candidates = [
            (text, reason is FinishReason.END_OF_TEXT) for text, reason in ways if reason is not FinishReason.LOOP
        ]
        places = list_stop_places(story.text, candidates, story.wish.words)
        later = replace(story, state=StoryState.WRITING, stretches=story.stretches + 1, model=model)
        if not places:
            fresh = [text for text, _own in candidates if not repeats_itself(story.text, text)]
            longest = max(fresh, key=len, default="")
            return replace(later, text=close_text(story.text + longest), ending=StoryEnding.CUT)
        chances = [self._measure_end(story, place, is_cancelled, page) for place in places]
        place, ending, chance = choose_ending(places, chances)
        return replace(later, text=close_text(story.text + place.addition), ending=ending, end_chance=chance)

    def _measure_end(
        self, story: QueuedStory, place: StopPlace, is_cancelled: IsCancelled, page: MemoryPage | None
    ) -> float:
        if is_cancelled():
            raise StorydeskError(FailureCode.CANCELLED)
        wish = story.wish
        request = self._writing.request(
            wish.prompt,
            story.text + place.addition,
            words=1,
            seed=0,
            settings=wish.settings,
            model=wish.model or None,
            recalled=self._recall(story, page),
        )
        return self._writing.measure_end(request)

    def _measure(self, story: QueuedStory, is_cancelled: IsCancelled) -> QueuedStory:
        if not story.text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        scored = self._scoring.score(
            story.text, story.wish.prompt, model=story.wish.model or None, is_cancelled=is_cancelled
        )
        return replace(story, state=StoryState.DONE, perplexity=scored.score.perplexity)

    def _recall(self, story: QueuedStory, page: MemoryPage | None) -> Recollection:
        if page is None and story.wish.memory_of:
            page = self._memory.load(story.wish.memory_of)
        return page.recall(story.text, story.wish.prompt) if page is not None else Recollection()


def read_prompt_file(path: Path) -> Sequence[str]:
    """Return the prompts in a file; raise what ``PromptService.import_prompts`` says."""
    content = read_limited(path, MOST_MEGABYTES)
    suffix = path.suffix.lstrip(".").lower()
    if b"\0" in content[:4096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise StorydeskError(FailureCode.FILE_BINARY, path=str(path))
    try:
        found = read_prompts(_decode(content), suffix)
    except ValueError as error:
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format=suffix or "text") from error
    if not found:
        raise StorydeskError(FailureCode.FILE_EMPTY, path=str(path))
    return found


def describe_failure(failure: Failure) -> str:
    """Return a failure as a queued story keeps it."""
    return json.dumps({"code": str(failure.code), "parameters": dict(failure.parameters)}, ensure_ascii=False)


def read_failure(detail: str) -> Failure | None:
    """Return the failure that a queued story keeps."""
    try:
        record = json.loads(detail) if detail else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not isinstance(record.get("code"), str):
        return None
    parameters = record.get("parameters")
    return Failure(record["code"], parameters if isinstance(parameters, dict) else {})


def _decode(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")

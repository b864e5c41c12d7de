"""Drafts through time: snapshots, branches, comparing and merging, and every generation, to be made again."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from storydesk.domain.authorship import Run, Runs, dump_runs, load_runs
from storydesk.domain.characters import mend_text
from storydesk.domain.comparison import Difference, compare_texts, find_edits, merge_runs, merge_texts
from storydesk.domain.draft_history import (
    MOST_REPEATABLE,
    MOST_UNACCEPTED,
    DraftCard,
    KeptGeneration,
    Outcome,
    Snapshot,
    SnapshotRule,
    choose_stale,
)
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import SamplingSettings
from storydesk.domain.manuscript import Draft, count_words
from storydesk.services.draft_ports import DraftHistoryStore
from storydesk.services.ports import IsCancelled, LibraryStore
from storydesk.services.writing import WritingRequest, find_recent


@dataclass(frozen=True, slots=True)
class Version:
    """A draft, or a snapshot of one."""

    id: int
    is_snapshot: bool = False


@dataclass(frozen=True, slots=True)
class VersionText:
    """What a version holds; ``runs`` count code points. ``card`` is the draft's or the snapshot's."""

    version: Version
    draft_id: int
    story_id: int
    text: str
    runs: Runs


@dataclass(frozen=True, slots=True)
class DraftShelf:
    """All versions of a story, newest first."""

    drafts: tuple[DraftCard, ...]
    snapshots: tuple[Snapshot, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two texts and what differs; places are code points."""

    old: str
    new: str
    old_runs: Runs
    new_runs: Runs
    differences: tuple[Difference, ...]

    def merge(self, taken: Collection[int]) -> tuple[str, Runs]:
        """Return the old text with these differences as the new one has them, and its spans."""
        if len(taken) == len(self.differences):
            return self.new, self.new_runs  # what both have alike is then the new one's, too
        text = merge_texts(self.old, self.new, self.differences, taken)
        return text, merge_runs(self.old_runs, self.new_runs, self.differences, taken, len(self.old))


class DraftService:
    """Keeps and compares versions, and keeps generations. Any thread."""

    def __init__(self, store: DraftHistoryStore, library: LibraryStore) -> None:
        """Work on one library."""
        self._store = store
        self._library = library

    # Versions

    def list_versions(self, story_id: int) -> DraftShelf:
        """Return a story's drafts and their snapshots."""
        return DraftShelf(tuple(self._store.list_cards(story_id)), tuple(self._store.list_snapshots(story_id)))

    def load(self, version: Version) -> VersionText:
        """Return what a version holds; raise StorydeskError(STORY_NOT_FOUND)."""
        if version.is_snapshot:
            snapshot, text, authorship = self._store.load_snapshot(version.id)
            story_id = self._library.load_draft(snapshot.draft_id).story_id
            return VersionText(version, snapshot.draft_id, story_id, text, load_runs(authorship, text))
        draft = self._library.load_draft(version.id)
        return VersionText(version, draft.id, draft.story_id, draft.text, read_runs(draft))

    def take_snapshot(
        self, draft_id: int, text: str, runs: Sequence[Run] | None, rule: SnapshotRule, name: str = ""
    ) -> Snapshot | None:
        """Keep a text as a snapshot of a draft; None where the newest one is the same and nobody asked by hand."""
        mended = mend_text(text)
        if rule is not SnapshotRule.HAND and self._store.newest_text(draft_id) == mended:
            return None
        spans = dump_runs(runs, mended) if runs is not None else ""
        taken = self._store.add_snapshot(draft_id, name, rule, mended, count_words(mended), spans)
        self._thin(draft_id)
        return taken

    def count_changed(self, draft_id: int, text: str) -> int:
        """Return how many words are others than in a draft's newest snapshot; all of them where it has none."""
        before = self._store.newest_text(draft_id)
        if before is None:
            return count_words(text)
        return sum(
            max(count_words(before[each.old_start : each.old_end]), count_words(text[each.new_start : each.new_end]))
            for each in find_edits(before, text)
        )

    def name_snapshot(self, snapshot_id: int, name: str) -> None:
        """Give a snapshot a name; from then on it stays."""
        self._store.rename_snapshot(snapshot_id, name.strip())

    def drop_snapshot(self, snapshot_id: int) -> None:
        """Delete a snapshot."""
        self._store.delete_snapshots([snapshot_id])

    def branch(self, version: Version) -> Draft:
        """Begin a new draft with what a version holds."""
        held = self.load(version)
        return self._add_draft(held.story_id, held.text, held.runs, held.draft_id)

    def add_merged(self, parent: VersionText, text: str, runs: Sequence[Run]) -> Draft:
        """Keep the result of a merge as a new draft."""
        return self._add_draft(parent.story_id, text, runs, parent.draft_id)

    def compare(
        self, old: tuple[str, Runs], new: tuple[str, Runs], is_cancelled: IsCancelled | None = None
    ) -> Comparison:
        """Compare two texts with their spans word by word; raise StorydeskError(CANCELLED)."""
        return Comparison(old[0], new[0], old[1], new[1], tuple(compare_texts(old[0], new[0], is_cancelled)))

    def _add_draft(self, story_id: int, text: str, runs: Sequence[Run], parent_id: int) -> Draft:
        number = len(self._library.list_drafts(story_id)) + 1
        spans = dump_runs(runs, text)
        return self._library.add_draft(story_id, str(number), text, authorship=spans, parent_id=parent_id)

    def _thin(self, draft_id: int) -> None:
        story_id = self._library.load_draft(draft_id).story_id
        own = [each for each in self._store.list_snapshots(story_id) if each.draft_id == draft_id]
        if stale := choose_stale(own, time.time()):
            self._store.delete_snapshots(stale)

    # Generations

    def keep_generation(
        self,
        key: str,
        draft_id: int,
        request: WritingRequest,
        model: str,
        text: str,
        *,
        place: int = 0,
        prefix: str = "",
        seed: int | None = None,
        kind: str = "go_on",
        perplexity: float = 0.0,
        outcome: Outcome = Outcome.UNUSED,
    ) -> None:
        """Keep what ``request`` brought as its candidate ``place``, behind ``prefix``; the oldest unused ones go."""
        settings = json.dumps({**asdict(request.settings), "words": request.words}, sort_keys=True)
        self._store.keep_generation(
            KeptGeneration(
                key,
                draft_id,
                kind,
                model,
                request.seed if seed is None else seed,
                request.prompt,
                settings,
                text,
                outcome,
                perplexity,
                time.time(),
                dump_request(replace(request, model=model or request.model), place, prefix),
            )
        )
        self._store.prune_generations(draft_id, MOST_UNACCEPTED, MOST_REPEATABLE)

    def settle_generation(self, key: str, outcome: Outcome | None = None, perplexity: float | None = None) -> None:
        """Note what became of a generation, or how surprising it is."""
        self._store.settle_generation(key, outcome, perplexity)

    def find_generations(self, story_id: int, words: str = "", limit: int = 500) -> Sequence[KeptGeneration]:
        """Return a story's generations that hold all words, newest first."""
        return self._store.find_generations(story_id, words, limit)

    def find_generation(self, key: str) -> KeptGeneration | None:
        """Return the generation that an authorship span names."""
        return self._store.find_generation(key)


def new_key() -> str:
    """Return a name for a generation that no other has, in no library."""
    return uuid.uuid4().hex


def read_runs(draft: Draft) -> Runs:
    """Return a draft's spans (code points)."""
    return load_runs(draft.authorship, draft.text, draft.origin)


def dump_request(request: WritingRequest, place: int, prefix: str) -> str:
    """Return a request as JSON, its text as far as an answer depends on it."""
    recent = replace(request, id=0, text=request.text[find_recent(request.text) :])
    return json.dumps({"request": asdict(recent), "place": place, "prefix": prefix}, ensure_ascii=False)


def load_request(stored: str) -> tuple[WritingRequest, int, str]:
    """Return request, place and prefix; raise StorydeskError(TEXT_EMPTY) where nothing usable is stored."""
    try:
        record = json.loads(stored)
        given: dict[str, Any] = dict(record["request"])
        settings = dict(given.pop("settings"))
        known = {each.name for each in fields(SamplingSettings)}
        chosen = SamplingSettings(**{name: _freeze(value) for name, value in settings.items() if name in known})
        known = {each.name for each in fields(WritingRequest)}
        given = {name: _freeze(value) for name, value in given.items() if name in known}
        return WritingRequest(**given, settings=chosen), int(record["place"]), str(record["prefix"])
    except (ValueError, TypeError, KeyError) as error:
        raise StorydeskError(FailureCode.TEXT_EMPTY) from error


def _freeze(value: Any) -> Any:
    """Return lists as the tuples that they were."""
    return tuple(_freeze(each) for each in value) if isinstance(value, list) else value

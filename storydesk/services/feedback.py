"""What the writer's models can learn from: collected, looked through, left out and taken in again, written down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from storydesk.domain.authorship import load_runs
from storydesk.domain.draft_history import MOST_UNACCEPTED, KeptGeneration, Outcome
from storydesk.domain.failures import StorydeskError
from storydesk.domain.feedback import Feedback, Suggestion, collect_feedback
from storydesk.domain.manuscript import Draft
from storydesk.services.draft_ports import DraftHistoryStore
from storydesk.services.drafts import load_request
from storydesk.services.judging_ports import JudgingStore
from storydesk.services.ports import LibraryStore

HELD_OUT_SEED = 7
"""Always the same, so that what was held out from one generation of a model is held out from the next one too."""
MOST_BEFORE = 8000
"""Characters before a suggestion that go with it: about what GPT-2 can see."""
_MOST_SUGGESTIONS = 4 * MOST_UNACCEPTED


class FeedbackWriter(Protocol):
    """Writes feedback as the trainer reads it."""

    def __call__(self, feedback: Feedback, path: Path, *, overwrite: bool = True) -> int:
        """Return how many records were written; raise StorydeskError(FILE_EXISTS, DISK_FULL, NOT_WRITABLE)."""


class FeedbackService:
    """Collects feedback out of the library. Any thread but the GUI's: it reads every draft and generation."""

    def __init__(
        self, judging: JudgingStore, history: DraftHistoryStore, library: LibraryStore, write: FeedbackWriter
    ) -> None:
        """Read one library."""
        self._judging = judging
        self._history = history
        self._library = library
        self._write = write

    def collect(self) -> Feedback:
        """Return everything that ratings, choices and suggestions say; stories and sheets in the trash say nothing."""
        sheets = [sheet for sheet in self._judging.list_sheets() if not sheet.in_trash]
        contents = [self._judging.load_sheet(sheet.id) for sheet in sheets]
        left_out = self._judging.list_left_out()
        return collect_feedback(contents, self._list_suggestions(), left_out=left_out, seed=HELD_OUT_SEED)

    def leave_out(self, keys: Iterable[str], *, undo: bool = False) -> None:
        """Learn nothing from these pairs or examples, or take them in again; raise StorydeskError(LIBRARY_LOCKED)."""
        self._judging.leave_out(tuple(keys), undo=undo)

    def write(self, feedback: Feedback, path: Path, *, overwrite: bool = True) -> int:
        """Write ``feedback.jsonl`` for the trainer and return its records; raises what FeedbackWriter does."""
        return self._write(feedback, path, overwrite=overwrite)

    def _list_suggestions(self) -> list[Suggestion]:
        found: list[Suggestion] = []
        for story in self._library.list_stories():
            kept = self._history.find_generations(story.id, "", _MOST_SUGGESTIONS)
            if kept:
                drafts = self._library.list_drafts(story.id)
                standing = _find_standing(drafts)
                counted = any(draft.authorship for draft in drafts)
                found += [made for each in kept if (made := _make_suggestion(story.id, each, standing, counted))]
        return found


def _make_suggestion(
    story_id: int, kept: KeptGeneration, standing: Mapping[str, str], counted: bool
) -> Suggestion | None:
    """Return a generation with the text it went on from.

    None where that is not known any more, or where its text was taken and then cut out again, which says nothing;
    ``counted`` says whether anybody kept account of what stands in the drafts.
    """
    used = kept.outcome in (Outcome.ACCEPTED, Outcome.EDITED)
    if used and counted and kept.key not in standing:
        return None
    try:
        request, _place, prefix = load_request(kept.request)
    except StorydeskError:
        return None
    before = request.text.removesuffix(prefix) if prefix else request.text
    if len(before) > MOST_BEFORE:
        before = before[-MOST_BEFORE:]
        before = before[before.find(" ") + 1 :]
    now = standing.get(kept.key, "") if used else ""
    return Suggestion(str(story_id), kept.prompt, before, kept.text, kept.outcome, kept.created, now)


def _find_standing(drafts: Sequence[Draft]) -> dict[str, str]:
    """Return what of each generation stands in the newest draft that has any of it, with the writer's own words in it.

    Where more than half of that is not the generation's, it was torn apart or grew into something else: an empty text.
    """
    found: dict[str, str] = {}
    for draft in drafts:  # the newest first
        places: dict[str, tuple[int, int, int]] = {}
        start = 0
        for length, origin in load_runs(draft.authorship, draft.text, draft.origin):
            end = start + length
            if origin.source is not None and origin.source.key and origin.from_model:
                first, _, own = places.get(origin.source.key, (start, end, 0))
                places[origin.source.key] = (first, end, own + length)
            start = end
        for key, (first, last, own) in places.items():
            found.setdefault(key, draft.text[first:last] if 2 * own >= last - first else "")
    return found

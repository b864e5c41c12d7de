"""Versions of a draft in a real library: snapshots and their thinning, branches, merges, generations kept and found."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from storydesk.domain.authorship import PASTED, UNKNOWN, WRITTEN, Kind, Origin, Source
from storydesk.domain.draft_history import Outcome, Snapshot, SnapshotRule, choose_stale
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import SamplingSettings
from storydesk.domain.manuscript import Draft
from storydesk.services.drafts import DraftService, Version, dump_request, load_request, new_key
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.writing import WritingRequest, find_recent
from storydesk.storage.draft_history import SqliteDraftHistory
from storydesk.storage.library import SqliteLibrary
from tests.fakes.services import FakeDocuments

MADE = Origin(Kind.GENERATED, Source("a1", "starter", 7, 1_000_000.0))
HOUR = 3600.0
TEXT = "Mara woke. 😀 The bell rang."
RUNS = ((13, WRITTEN), (len(TEXT) - 13, MADE))


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SqliteLibrary]:
    opened = SqliteLibrary(tmp_path / "library.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def draft(library: SqliteLibrary) -> Draft:
    story = library.add_story("The Salt Road")
    found = library.list_drafts(story.id)[0]
    return ManuscriptService(library, FakeDocuments()).save_draft(found.id, TEXT, RUNS)


@pytest.fixture
def drafts(library: SqliteLibrary) -> DraftService:
    return DraftService(SqliteDraftHistory(library), library)


def _request(text: str = "Before. ", **changed: object) -> WritingRequest:
    settings = SamplingSettings(banned=("sea",), phrase_bias=(("bell", 1.5),))
    request = WritingRequest(9, "A door", text, 60, 1234, settings, lore=("one", "two"))
    return replace(request, **changed)  # type: ignore[arg-type]


def test_spans_are_saved_with_the_text_and_stay_when_only_they_change(
    library: SqliteLibrary, drafts: DraftService, draft: Draft
) -> None:
    assert drafts.load(Version(draft.id)).runs == RUNS
    again = library.save_draft(draft.id, TEXT, "")
    assert (again.changed, again.authorship) == (draft.changed, "")
    assert drafts.load(Version(draft.id)).runs == ((len(TEXT), UNKNOWN),)


def test_a_text_saved_without_its_spans_is_unknown_and_not_lost(
    library: SqliteLibrary, drafts: DraftService, draft: Draft
) -> None:
    library.save_draft(draft.id, TEXT + " More.")
    held = drafts.load(Version(draft.id))
    assert (held.text, held.runs) == (TEXT + " More.", ((len(TEXT) + 6, UNKNOWN),))


def test_a_snapshot_brings_text_and_spans_back(drafts: DraftService, draft: Draft) -> None:
    taken = drafts.take_snapshot(draft.id, TEXT, RUNS, SnapshotRule.HAND, "before the storm")
    assert taken is not None
    held = drafts.load(Version(taken.id, is_snapshot=True))
    assert (held.text, held.runs, held.draft_id) == (TEXT, RUNS, draft.id)
    assert (taken.name, taken.words, taken.rule) == ("before the storm", 5, SnapshotRule.HAND)


def test_a_rule_takes_nothing_twice(drafts: DraftService, draft: Draft) -> None:
    assert drafts.take_snapshot(draft.id, TEXT, RUNS, SnapshotRule.TIME)
    assert drafts.take_snapshot(draft.id, TEXT, RUNS, SnapshotRule.POLISH) is None
    assert drafts.take_snapshot(draft.id, TEXT + "!", None, SnapshotRule.TIME)
    assert drafts.take_snapshot(draft.id, TEXT + "!", None, SnapshotRule.HAND)
    assert len(drafts.list_versions(draft.story_id).snapshots) == 3


def test_a_named_snapshot_is_by_hand_and_one_can_be_dropped(drafts: DraftService, draft: Draft) -> None:
    first = drafts.take_snapshot(draft.id, "one", None, SnapshotRule.TIME)
    second = drafts.take_snapshot(draft.id, "two", None, SnapshotRule.TIME)
    assert first is not None
    assert second is not None
    drafts.name_snapshot(first.id, " The good one ")
    drafts.drop_snapshot(second.id)
    [left] = drafts.list_versions(draft.story_id).snapshots
    assert (left.name, left.rule) == ("The good one", SnapshotRule.HAND)


def test_snapshots_thin_out_with_age_but_those_by_hand_stay() -> None:
    now = 1000 * 24 * HOUR
    ages = [*range(48), *range(48, 24 * 90, 6)]
    taken = [Snapshot(number, 1, "", SnapshotRule.TIME, 5, now - age * HOUR) for number, age in enumerate(ages)]
    taken += [Snapshot(1000 + age, 1, "", SnapshotRule.HAND, 5, now - age * HOUR) for age in (1, 500, 2000)]
    stale = set(choose_stale(taken, now))
    left = [each for each in taken if each.id not in stale]
    assert {each.id for each in left if each.id >= 1000} == {1001, 1500, 3000}
    by_rule = [now - each.created for each in left if each.id < 1000]
    assert sum(age <= 24 * HOUR for age in by_rule) == 25
    assert sum(30 * 24 * HOUR < age <= 60 * 24 * HOUR for age in by_rule) in range(28, 32)
    assert sum(age > 60 * 24 * HOUR for age in by_rule) in range(3, 7)
    assert choose_stale([each for each in taken if each.id not in stale], now) == []


def test_a_branch_knows_its_parent_and_keeps_the_spans(drafts: DraftService, draft: Draft) -> None:
    branch = drafts.branch(Version(draft.id))
    assert (branch.text, branch.parent_id, branch.name) == (TEXT, draft.id, "2")
    assert drafts.load(Version(branch.id)).runs == RUNS
    cards = drafts.list_versions(draft.story_id).drafts
    assert [(card.name, card.parent_id, card.words) for card in cards] == [("2", draft.id, 5), ("1", None, 5)]


def test_picked_differences_become_a_draft_with_the_spans_of_both(drafts: DraftService, draft: Draft) -> None:
    new = "Mara slept. 😀 The bell rang twice over the sea."
    compared = drafts.compare((TEXT, RUNS), (new, ((len(new), PASTED),)))
    assert len(compared.differences) == 2
    text, runs = compared.merge({1})
    merged = drafts.add_merged(drafts.load(Version(draft.id)), text, runs)
    assert merged.text == "Mara woke. 😀 The bell rang twice over the sea."
    held = drafts.load(Version(merged.id))
    assert [origin for _, origin in held.runs][:2] == [WRITTEN, MADE]
    assert PASTED in [origin for _, origin in held.runs]


def test_what_is_not_there_is_said(drafts: DraftService) -> None:
    for missing in (Version(999), Version(999, is_snapshot=True)):
        with pytest.raises(StorydeskError) as raised:
            drafts.load(missing)
        assert raised.value.failure.code == FailureCode.STORY_NOT_FOUND


def test_every_generation_is_kept_found_and_settled(drafts: DraftService, draft: Draft) -> None:
    first, second = new_key(), new_key()
    drafts.keep_generation(first, draft.id, _request(), "starter", " The bell rang.", perplexity=0.0)
    drafts.keep_generation(second, draft.id, _request(), "my voice", " Nothing came.", place=2, seed=1236)
    drafts.settle_generation(first, Outcome.ACCEPTED)
    drafts.settle_generation(first, perplexity=12.5)
    newest, oldest = drafts.find_generations(draft.story_id)
    assert (oldest.key, oldest.outcome, oldest.perplexity, oldest.draft) == (first, Outcome.ACCEPTED, 12.5, "1")
    assert (newest.seed, newest.model, newest.outcome) == (1236, "my voice", Outcome.UNUSED)
    assert [kept.key for kept in drafts.find_generations(draft.story_id, "BELL rang")] == [first]
    assert [kept.key for kept in drafts.find_generations(draft.story_id, "voice")] == [second]
    assert drafts.find_generation("nobody's") is None


def test_a_request_comes_back_whole(drafts: DraftService, draft: Draft) -> None:
    request = _request(model="starter")
    drafts.keep_generation("k", draft.id, request, "starter", "x", place=1, prefix=" so")
    kept = drafts.find_generation("k")
    assert kept is not None
    assert load_request(kept.request) == (replace(request, id=0), 1, " so")
    with pytest.raises(StorydeskError):
        load_request("{}")


def test_only_the_end_of_a_novel_is_kept_and_all_that_an_answer_depends_on(draft: Draft) -> None:
    novel = "The bell rang over the sea. " * 9000
    request, _, _ = load_request(dump_request(_request(novel), 0, ""))
    assert len(request.text) < 140_000
    assert request.text == novel[find_recent(novel) :]
    assert find_recent(request.text) == 0


def test_unused_generations_are_bounded_and_used_ones_stay(
    drafts: DraftService, library: SqliteLibrary, draft: Draft
) -> None:
    store = SqliteDraftHistory(library)
    for number in range(6):
        drafts.keep_generation(f"k{number}", draft.id, _request(), "starter", f"text {number}")
    drafts.settle_generation("k0", Outcome.EDITED)
    store.prune_generations(draft.id, 3, 1)
    left = drafts.find_generations(draft.story_id)
    assert [kept.key for kept in left] == ["k5", "k4", "k3", "k0"]
    assert [kept.can_repeat for kept in left] == [True, False, False, True]


@pytest.mark.parametrize(
    "blob", [b"", b"nothing that was packed", zlib.compress(b"x" * (65 << 20), 9), zlib.compress(b"\xff")]
)
def test_a_snapshot_of_somebody_elses_may_be_anything(
    drafts: DraftService, library: SqliteLibrary, draft: Draft, blob: bytes
) -> None:
    taken = drafts.take_snapshot(draft.id, TEXT, RUNS, SnapshotRule.HAND)
    assert taken is not None
    with library.writing() as connection:
        connection.execute("UPDATE snapshots SET text = ?, rule = 'strange', authorship = '{'", (blob,))
        connection.execute("UPDATE drafts SET authorship = '[[['")
    with pytest.raises(StorydeskError) as raised:
        drafts.load(Version(taken.id, is_snapshot=True))
    assert raised.value.failure.code == FailureCode.LIBRARY_DAMAGED
    assert drafts.load(Version(draft.id)).runs == ((len(TEXT), UNKNOWN),)
    assert len(drafts.list_versions(draft.story_id).snapshots) == 1


def test_a_generation_of_somebody_elses_may_be_anything(
    drafts: DraftService, library: SqliteLibrary, draft: Draft
) -> None:
    drafts.keep_generation("k", draft.id, _request(), "starter", "text")
    with library.writing() as connection:
        connection.execute("UPDATE generations SET seed = 'many', outcome = 'odd', request = 'odd', settings = '{'")
    [kept] = drafts.find_generations(draft.story_id)
    assert (kept.seed, kept.outcome, kept.can_repeat) == (0, Outcome.UNUSED, False)
    drafts.settle_generation("", Outcome.EDITED)
    assert drafts.find_generations(draft.story_id)[0].outcome is Outcome.UNUSED

"""What a model could learn: out of ratings, choices and suggestions, each once, some of it kept aside."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.authorship import Kind, Origin, Source, dump_runs
from storydesk.domain.draft_history import Outcome
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.feedback import (
    Feedback,
    FeedbackOrigin,
    GoodExample,
    PreferencePair,
    Suggestion,
    choose_held_out,
    collect_feedback,
)
from storydesk.domain.generation import SamplingSettings
from storydesk.domain.judging import (
    Choice,
    Criterion,
    Entry,
    ItemChoice,
    Rating,
    Sheet,
    SheetContent,
    SheetItem,
)
from storydesk.services.drafts import DraftService
from storydesk.services.feedback import FeedbackService
from storydesk.services.writing import WritingRequest
from storydesk.storage.draft_history import SqliteDraftHistory
from storydesk.storage.judging import SqliteJudging
from storydesk.storage.library import SqliteLibrary
from storydesk.training.feedback import write_feedback
from trainer.protocol.feedback import FeedbackExample, FeedbackPair, decode_feedback, encode_feedback, read_feedback

SHEET = Sheet(1, "k", "S", tuple(Criterion), 1, 0.0)
GOOD, FAIR, BAD = ("The good text, warm.", "The fair text, mild.", "The bad text, cold.")


def texts(*words: str, prompt: str = "A door.") -> tuple[SheetItem, ...]:
    return tuple(SheetItem(place, f"k{place}", Entry(prompt, text, "Salt")) for place, text in enumerate(words, 1))


def rated(items: tuple[SheetItem, ...], *points: tuple[int, int, int]) -> SheetContent:
    """Return a sheet on which (item, rater, value) was said about the whole."""
    ratings = [Rating(item, rater, Criterion.OVERALL, value, 5.0) for item, rater, value in points]
    return SheetContent(SHEET, items, tuple(ratings))


def chosen(*choices: Choice | None, first: str = GOOD, second: str = BAD) -> SheetContent:
    item = SheetItem(1, "k1", Entry("A door.", first, "Salt"), Entry("A door.", second, "Amber"))
    said = [ItemChoice(1, rater, choice, "", 5.0) for rater, choice in enumerate(choices)]
    return SheetContent(SHEET, (item,), (), tuple(said))


def suggest(
    text: str, outcome: Outcome, *, before: str = "It rang.", standing: str = "", at: float = 1.0
) -> Suggestion:
    return Suggestion("7", "A door.", before, text, outcome, at, standing)


def words_of(feedback: Feedback) -> list[tuple[str, str, float]]:
    return [(pair.chosen, pair.rejected, round(pair.weight, 3)) for pair in feedback.pairs]


def test_one_raters_points_say_which_text_is_better_and_which_is_good() -> None:
    feedback = collect_feedback([rated(texts(GOOD, FAIR, BAD), (1, 1, 5), (2, 1, 4), (3, 1, 2))], [])
    assert sorted(words_of(feedback)) == [(FAIR, BAD, 1.0), (GOOD, BAD, 1.0), (GOOD, FAIR, 0.5)]
    assert {each.text: each.weight for each in feedback.examples} == {GOOD: 1.0, FAIR: 0.5}
    assert {each.origin for each in feedback.pairs} == {FeedbackOrigin.RATING}


def test_points_of_different_raters_and_prompts_are_not_compared() -> None:
    apart = rated(texts(GOOD, BAD), (1, 1, 5), (2, 2, 1))
    assert collect_feedback([apart], []).pairs == ()
    others = (texts(GOOD)[0], dataclasses.replace(texts(BAD, prompt="A window.")[0], id=2))
    assert collect_feedback([rated(others, (1, 1, 5), (2, 1, 1))], []).pairs == ()


@pytest.mark.parametrize(
    ("choices", "pairs"),
    [
        ((Choice.FIRST,), [(GOOD, BAD, 1.0)]),
        ((Choice.SECOND,), [(BAD, GOOD, 1.0)]),
        ((Choice.FIRST, Choice.FIRST, Choice.SECOND), [(GOOD, BAD, 0.333)]),
        ((Choice.FIRST, Choice.SECOND), []),
        ((Choice.NEITHER,), []),
        ((None,), []),
    ],
)
def test_choices_become_pairs_as_far_as_they_agree(
    choices: tuple[Choice | None, ...], pairs: list[tuple[str, str, float]]
) -> None:
    assert words_of(collect_feedback([chosen(*choices)], [])) == pairs


def test_what_was_taken_is_better_than_what_was_not() -> None:
    feedback = collect_feedback(
        [],
        [
            suggest(GOOD, Outcome.ACCEPTED),
            suggest(BAD, Outcome.REJECTED),
            suggest(FAIR, Outcome.UNUSED),
            suggest("Of another place.", Outcome.REJECTED, before="Elsewhere."),
        ],
    )
    assert sorted(words_of(feedback)) == [(GOOD, BAD, 1.0), (GOOD, FAIR, 0.5)]
    assert [each.text for each in feedback.examples] == [GOOD]
    assert {each.before for each in feedback.pairs} == {"It rang."}


def test_an_edit_is_better_than_what_was_edited() -> None:
    better = "The good text, warm and clear."
    feedback = collect_feedback([], [suggest(GOOD, Outcome.EDITED, standing=better), suggest(BAD, Outcome.REJECTED)])
    assert sorted((p.chosen, p.rejected, str(p.origin)) for p in feedback.pairs) == [
        (better, BAD, "suggestion"),
        (better, GOOD, "edit"),
    ]


def test_the_same_thing_counts_once_and_contrary_things_against_each_other() -> None:
    twice = [suggest(GOOD, Outcome.ACCEPTED), suggest(BAD, Outcome.REJECTED), suggest(f" {BAD} ", Outcome.REJECTED)]
    assert len(collect_feedback([], twice).pairs) == 1
    contrary = [chosen(Choice.FIRST), chosen(Choice.FIRST, Choice.FIRST, Choice.SECOND, first=BAD, second=GOOD)]
    assert words_of(collect_feedback(contrary, [])) == [(GOOD, BAD, 0.667)]
    even = [chosen(Choice.FIRST), chosen(Choice.SECOND)]
    assert collect_feedback(even, []).pairs == ()


def test_held_out_prompts_stay_held_out_when_others_come() -> None:
    groups = [f"prompt:{number}" for number in range(50)]
    held = choose_held_out(groups, 7)
    assert 4 <= len(held) <= 16
    more = choose_held_out([*groups, *(f"prompt:more {number}" for number in range(50))], 7)
    assert held <= more
    assert choose_held_out(groups[:4], 7) == frozenset()
    assert len(choose_held_out(groups[:5], 7, share=0.999)) < 5
    assert choose_held_out(groups, 7, share=0) == frozenset()


@settings(max_examples=50, deadline=None)
@given(st.sets(st.text(max_size=6), min_size=5, max_size=30), st.integers())
def test_something_is_held_out_and_something_is_left(groups: set[str], seed: int) -> None:
    held = choose_held_out(groups, seed)
    assert 0 < len(held) < len(groups)


def test_all_of_a_prompt_is_held_out_together() -> None:
    contents = [
        rated(texts(f"{GOOD} {number}", f"{BAD} {number}", prompt=f"Prompt {number}"), (1, 1, 5), (2, 1, 1))
        for number in range(30)
    ]
    feedback = collect_feedback(contents, [])
    held = {pair.group for pair in feedback.pairs if pair.held_out}
    assert held
    assert held == {each.group for each in feedback.examples if each.held_out}
    assert not {each.group for each in feedback.training_pairs} & held
    assert len(feedback.heldout_pairs) + len(feedback.training_pairs) == 30


# The service over a real library


@pytest.fixture
def library(tmp_path: Path) -> SqliteLibrary:
    return SqliteLibrary(tmp_path / "library.sqlite3")


def make_service(library: SqliteLibrary) -> FeedbackService:
    return FeedbackService(SqliteJudging(library), SqliteDraftHistory(library), library, write_feedback)


def keep(library: SqliteLibrary, draft: int, key: str, text: str, outcome: Outcome, before: str = "It rang.") -> None:
    request = WritingRequest(0, "A door.", before, 10, 1, SamplingSettings(), "starter")
    DraftService(SqliteDraftHistory(library), library).keep_generation(
        key, draft, request, "starter", text, outcome=outcome
    )


def test_suggestions_are_read_as_they_stand_in_the_draft_now(library: SqliteLibrary) -> None:
    story = library.add_story("Night", "A door.", "It rang.")
    draft = library.list_drafts(story.id)[0].id
    keep(library, draft, "one", " Nobody came, and the lamp went out.", Outcome.EDITED)
    keep(library, draft, "two", " Somebody was at the window.", Outcome.REJECTED)
    keep(library, draft, "gone", " A dog barked at the moon.", Outcome.ACCEPTED)
    source = Source("one", "starter", 1, 1.0)
    pieces = [
        ("It rang.", Origin(Kind.WRITTEN)),
        (" Nobody came, and ", Origin(Kind.GENERATED, source)),
        ("every lamp", Origin(Kind.EDITED, source)),
        (" went out.", Origin(Kind.GENERATED, source)),
        (" Then it was day.", Origin(Kind.WRITTEN)),
    ]
    text = "".join(piece for piece, _ in pieces)
    library.save_draft(draft, text, dump_runs([(len(piece), origin) for piece, origin in pieces], text))
    feedback = make_service(library).collect()
    standing = " Nobody came, and every lamp went out."
    assert sorted((pair.chosen, pair.rejected) for pair in feedback.pairs) == [
        (standing, " Nobody came, and the lamp went out."),
        (standing, " Somebody was at the window."),
    ]
    assert [each.text for each in feedback.examples] == [standing]  # what was cut out again says nothing
    library.trash_story(story.id)
    assert make_service(library).collect() == Feedback()
    library.close()


def test_what_is_left_out_stays_out_until_it_is_taken_in_again(library: SqliteLibrary, tmp_path: Path) -> None:
    story = library.add_story("Night", "A door.", "It rang.")
    draft = library.list_drafts(story.id)[0].id
    keep(library, draft, "one", " Nobody came, and the lamp went out.", Outcome.ACCEPTED)
    keep(library, draft, "two", " Somebody was at the window.", Outcome.REJECTED)
    service = make_service(library)
    [pair], [example] = service.collect().pairs, service.collect().examples
    service.leave_out([pair.key, example.key])
    feedback = make_service(library).collect()
    assert not feedback.training_pairs
    assert not feedback.training_examples
    assert [each.left_out for each in feedback.pairs] == [True]
    assert service.write(feedback, tmp_path / "feedback.jsonl") == 0
    service.leave_out([pair.key, example.key], undo=True)
    assert service.collect().training_pairs == (pair,)
    library.close()


# What crosses to the trainer


def make_feedback() -> Feedback:
    pair = PreferencePair("a", "g", "A “door”.", "It\nrang.", GOOD, BAD, FeedbackOrigin.CHOICE, 0.5, 1.0, held_out=True)
    example = GoodExample("b", "g", "A door.", "", GOOD, FeedbackOrigin.SUGGESTION, 1.0, 1.0)
    return Feedback((pair, dataclasses.replace(pair, left_out=True)), (example,))


def test_the_trainer_reads_what_the_app_wrote(tmp_path: Path) -> None:
    path = tmp_path / "run" / "feedback.jsonl"
    assert write_feedback(make_feedback(), path) == 2
    with path.open(encoding="utf-8") as lines:
        pair, example = read_feedback(lines)
    assert pair == FeedbackPair("A “door”.", "It\nrang.", GOOD, BAD, 0.5, "choice", True)
    assert example == FeedbackExample("A door.", "", GOOD, 1.0, "suggestion", False)
    with pytest.raises(StorydeskError) as caught:
        write_feedback(make_feedback(), path, overwrite=False)
    assert caught.value.failure.code == FailureCode.FILE_EXISTS


def test_what_a_newer_version_adds_is_passed_over() -> None:
    record = json.loads(encode_feedback(FeedbackExample("P", "", GOOD, 1.0, "rating", False)))
    assert decode_feedback(json.dumps({**record, "mood": 3})) == FeedbackExample("P", "", GOOD, 1.0, "rating", False)
    assert decode_feedback(json.dumps({**record, "kind": "chorus"})) is None


@pytest.mark.parametrize(
    "line",
    [
        "7",
        "{}",
        "[" * 100_000,
        '{"kind": "pair", "chosen": "a"}',
        '{"kind": "example", "text": " "}',
        '{"kind": "example", "text": "a", "weight": 2}',
        '{"kind": "example", "text": "a", "weight": NaN}',
        '{"kind": "example", "text": "a", "prompt": 3}',
    ],
)
def test_a_line_that_is_no_feedback_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"^line 2: "):
        list(read_feedback(["\n", line]))

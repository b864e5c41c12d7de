"""The model's order of suggestions, and what it takes to hold a correction back."""

from __future__ import annotations

import pytest

from storydesk.domain.polishing import Category, Finding
from storydesk.domain.ranking import GAIN_WANTED, MOST_VARIANTS, judge, make_trials
from storydesk.domain.vocabulary import count_edits


def _finding(start: int, end: int, *suggestions: str, category: Category = Category.SPELLING) -> Finding:
    return Finding(start, end, category, "rule", "message", suggestions, "harper")


def test_a_trial_is_the_sentence_with_each_suggestion_after_what_stands_before() -> None:
    text = "It was dark. He smield at her. She left."
    start = text.index("smield")
    (_, trial), *rest = make_trials(text, [_finding(start, start + 6, "shield", "smiled")])
    assert not rest
    assert trial.before == "It was dark. "
    assert trial.variants == ("He smield at her.", "He shield at her.", "He smiled at her.")


def test_only_so_many_suggestions_are_tried_and_style_is_not() -> None:
    many = _finding(0, 3, *(f"word{number}" for number in range(20)))
    assert len(make_trials("Teh sea.", [many])[0][1].variants) == MOST_VARIANTS + 1
    assert not make_trials("Teh sea.", [_finding(0, 3, "The", category=Category.STYLE), _finding(0, 3)])


def test_the_likeliest_comes_first_and_what_was_not_tried_stays_behind() -> None:
    names = ("shield", "smiled", "smell", "a", "b", "c", "not tried")
    judged = judge("smield", _finding(0, 6, *names), [60.0, 55.0, 40.0, 58.0, 70.0, 70.0, 70.0])
    assert judged.suggestions[0] == "smiled"
    assert judged.suggestions[-1] == "not tried"
    assert not judged.doubtful


def test_a_near_spelling_goes_before_one_that_is_hardly_likelier() -> None:
    judged = judge("wouldnt", _finding(0, 7, "would", "wouldn't"), [60.0, 40.0, 41.5])
    assert judged.suggestions[0] == "wouldn't"


@pytest.mark.parametrize("category", list(GAIN_WANTED))
def test_a_correction_that_gains_too_little_is_doubtful(category: Category) -> None:
    enough = 60.0 - GAIN_WANTED[category] - 0.1
    finding = _finding(0, 3, "the", category=category)
    assert not judge("teh", finding, [60.0, enough]).doubtful
    assert judge("teh", finding, [60.0, enough + 0.2]).doubtful


@pytest.mark.parametrize(
    ("one", "other", "edits"),
    [("teh", "the", 1), ("smield", "smiled", 1), ("wouldnt", "Wouldn’t", 0), ("", "abc", 3), ("kitten", "sitting", 3)],
)
def test_edits_are_counted_as_fingers_slip(one: str, other: str, edits: int) -> None:
    assert count_edits(one, other) == count_edits(other, one) == edits

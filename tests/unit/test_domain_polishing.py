"""Findings: merged without doubles, applied without touching each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.polishing import (
    Category,
    Finding,
    PolishSettings,
    agree_on_spelling,
    apply_findings,
    fingerprint,
    leave_alone,
    merge_findings,
)
from storydesk.domain.vocabulary import Vocabulary


def _finding(
    start: int, end: int, *suggestions: str, category: Category = Category.GRAMMAR, source: str = "a"
) -> Finding:
    return Finding(start, end, category, "rule", "message", suggestions, source)


def test_overlapping_findings_keep_the_first_list() -> None:
    deep = [_finding(4, 8, source="deep")]
    quick = [_finding(0, 3, source="quick"), _finding(6, 9, source="quick")]
    assert [(item.start, item.source) for item in merge_findings(deep, quick)] == [(0, "quick"), (4, "deep")]


def test_first_suggestions_are_applied_in_one_go() -> None:
    text = "Teh door are open."
    mended, applied = apply_findings(text, [_finding(9, 12, "is"), _finding(0, 3, "The", "Ten")])
    assert mended == "The door is open."
    assert len(applied) == 2


def test_style_and_findings_without_a_remedy_are_left_to_the_writer() -> None:
    text = "It was very very good."
    mended, applied = apply_findings(text, [_finding(7, 11, "extremely", category=Category.STYLE), _finding(0, 2)])
    assert (mended, applied) == (text, [])


def test_overlapping_remedies_are_not_both_applied() -> None:
    mended, applied = apply_findings("abcdef", [_finding(0, 4, "X"), _finding(2, 6, "Y")])
    assert (mended, len(applied)) == ("Xef", 1)


def test_a_name_in_the_sentence_is_left_alone_and_a_slip_at_its_start_is_not() -> None:
    text = "Teh barque met Halcombe. “Teh sea,” he said."
    slips = [_finding(place, place + 3, "The", category=Category.SPELLING) for place in (0, 26)]
    name = _finding(15, 23, "Holcomb", category=Category.SPELLING)
    mended, applied = apply_findings(text, [*slips, name])
    assert mended == "The barque met Halcombe. “The sea,” he said."
    assert name not in applied


def test_a_word_that_one_dictionary_has_is_spelt_right() -> None:
    quick = [_finding(0, 5, "Pray", category=Category.SPELLING), _finding(9, 12, "the", category=Category.SPELLING)]
    deep = [_finding(9, 12, "The", category=Category.SPELLING)]
    first, second = agree_on_spelling(deep, quick, [(0, 12)])
    assert [item.start for item in merge_findings(first, second)] == [9]
    assert merge_findings(first, second)[0].suggestions == ("The", "the")
    assert agree_on_spelling(deep, quick, [])[1] == quick  # only Harper has read it


def test_a_mistake_beats_a_matter_of_style_and_never_the_other_way_round() -> None:
    style, slip = _finding(0, 9, category=Category.STYLE), _finding(4, 6, "is")
    assert merge_findings([style], [slip]) == [slip]
    assert merge_findings([slip], [style]) == [slip]


_PLACES = st.tuples(st.integers(0, 30), st.integers(0, 6), st.sampled_from(list(Category)))


@given(st.lists(_PLACES, max_size=8), st.lists(_PLACES, max_size=8))
def test_merged_findings_are_in_order_without_two_about_one_place(
    first: list[tuple[int, int, Category]], second: list[tuple[int, int, Category]]
) -> None:
    lists = [
        [_finding(start, start + length, "x", category=category, source=source) for start, length, category in places]
        for places, source in ((first, "a"), (second, "b"))
    ]
    merged = merge_findings(*lists)
    assert [(item.start, item.end) for item in merged] == sorted({(item.start, item.end) for item in merged})
    for one in merged:
        assert not any(
            one.source != other.source and one.start < other.end and other.start < one.end for other in merged
        )
    assert bool(merged) == bool(first or second)


def _kept(text: str, words: str, settings: PolishSettings = PolishSettings(), **changes: Any) -> list[Finding]:  # noqa: B008 - frozen
    start = text.index(words)
    given = {"category": Category.SPELLING, **changes}
    finding = replace(_finding(start, start + len(words), "wider"), **given)
    return leave_alone(text, [finding], settings, Vocabulary(["Skerrow"]))


def test_known_words_rules_and_places_are_left_alone() -> None:
    text = "The Skerrow lay wide. It was wyde."
    assert not _kept(text, "Skerrow")
    assert _kept(text, "wyde")
    assert not _kept(text, "wyde", PolishSettings(ignored_rules=frozenset({"rule"})))
    once = PolishSettings(ignored=frozenset({fingerprint(text, _kept(text, "wyde")[0])}))
    assert not _kept(text, "wyde", once)
    assert not _kept("Another beginning. It was wyde.", "wyde", once)  # the sentence moved
    assert _kept("It was very wyde.", "wyde", once)


def test_speech_and_dialect_are_left_alone_where_that_is_wished() -> None:
    text = "“It was wyde,” she said."
    assert _kept(text, "wyde")
    assert not _kept(text, "wyde", PolishSettings(leave_dialogue=True))
    dialect = "I ain’t goin’ nowhere wyde."
    assert not _kept(dialect, "wyde")
    assert _kept(dialect, "wyde", PolishSettings(leave_dialect=False))


def test_names_and_words_of_other_languages_are_doubtful() -> None:
    assert _kept("He met Wider1 there.", "Wider1")[0].doubtful
    assert _kept("The wydé sea.", "wydé")[0].doubtful
    assert not _kept("The wydé sea.", "wydé", PolishSettings(language="fr"), suggestions=("wyde",))[0].doubtful
    assert _kept("The slivovitz ran.", "slivovitz")[0].doubtful
    assert not _kept("The wyde sea.", "wyde")[0].doubtful


def test_suggestions_have_the_texts_own_apostrophes() -> None:
    assert _kept("“Thats it,” she said.", "Thats", suggestions=("That's",))[0].suggestions == ("That’s",)
    assert _kept("Thats it, it's done.", "Thats", suggestions=("That's",))[0].suggestions == ("That's",)


@given(
    st.builds(
        PolishSettings,
        language=st.sampled_from(["en-GB", "fr"]),
        leave_dialogue=st.booleans(),
        rank=st.booleans(),
        ignored=st.frozensets(st.text(max_size=5), max_size=3),
        words=st.frozensets(st.text(max_size=5), max_size=3),
    )
)
def test_settings_come_back_as_they_were_kept(settings: PolishSettings) -> None:
    assert PolishSettings.from_text(settings.to_text()) == settings


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", '{"language": 3, "ignored": "x", "other": 1}'])
def test_settings_that_cannot_be_read_are_as_in_a_new_story(text: str) -> None:
    assert PolishSettings.from_text(text) == PolishSettings()


def test_a_capital_word_is_mended_unasked_only_where_a_finger_slipped_once() -> None:
    text = "Ysolvane ran. Untill dusk."
    name = _finding(0, 8, "Solvate", category=Category.SPELLING)
    slip = _finding(14, 20, "Until", category=Category.SPELLING)
    assert apply_findings(text, [name, slip])[1] == [slip]

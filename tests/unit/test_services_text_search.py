"""Finding words and patterns, and what a replacement would change."""

from __future__ import annotations

import pytest

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.text_search import Hit, SearchQuery, apply_replacements, plan_replacements, tick
from storydesk.services.text_search import find_hits

TEXT = "The sea rose. the Sea, theSea and (sea)."


def found(query: SearchQuery, text: str = TEXT, replacement: str = "") -> list[str]:
    return [text[hit.start : hit.end] for hit in find_hits(text, query, replacement)]


def test_plain_words_are_found_as_they_are_asked_for() -> None:
    assert found(SearchQuery("sea")) == ["sea", "Sea", "Sea", "sea"]
    assert found(SearchQuery("sea", match_case=True)) == ["sea", "sea"]
    assert found(SearchQuery("sea", whole_word=True)) == ["sea", "Sea", "sea"]
    assert found(SearchQuery("(sea)")) == ["(sea)"]
    assert found(SearchQuery("")) == []
    assert found(SearchQuery("sea", start=14, end=22)) == ["Sea"]


def test_patterns_have_groups_and_line_ends() -> None:
    hits = find_hits("Ann met Bob.\nBob left.", SearchQuery(r"^(\w+) (met|left)", regex=True), r"\2 \1")
    assert [hit.replacement for hit in hits] == ["met Ann", "left Bob"]
    assert found(SearchQuery("x*", regex=True)) == []  # what may be nothing is found nowhere


def test_a_plain_replacement_is_taken_as_it_is() -> None:
    assert find_hits("a.b", SearchQuery("."), r"\1\n")[0].replacement == r"\1\n"


@pytest.mark.parametrize(("pattern", "place"), [("(ab", 4), ("[z-a]", 5), ("a**", 3), (r"(a)\2", 5)])
def test_a_pattern_that_cant_be_read_is_a_failure_with_a_place(pattern: str, place: int) -> None:
    with pytest.raises(StorydeskError) as caught:
        find_hits(TEXT, SearchQuery(pattern, regex=True))
    assert caught.value.failure.code == FailureCode.PATTERN_BAD
    at = caught.value.failure.parameters["place"]
    assert isinstance(at, int)
    assert 1 <= at <= place + 1


def test_a_replacement_that_names_no_group_is_a_failure() -> None:
    with pytest.raises(StorydeskError) as caught:
        find_hits(TEXT, SearchQuery("(sea)", regex=True), r"\7")
    assert caught.value.failure.code == FailureCode.PATTERN_BAD


def test_a_pattern_without_end_is_stopped() -> None:
    with pytest.raises(StorydeskError) as caught:
        find_hits("a" * 34 + "b", SearchQuery("(a|aa)+$", regex=True), seconds=0.05)
    assert caught.value.failure.code == FailureCode.PATTERN_SLOW


def test_a_plan_shows_the_surroundings_and_applies_what_is_ticked() -> None:
    text = "One sea.\nTwo seas."
    plan = plan_replacements(text, find_hits(text, SearchQuery("sea"), "lake"))
    assert [(line.before, line.found, line.after) for line in plan] == [
        ("One ", "sea", ". ¶ Two seas."),
        ("One sea. ¶ Two ", "sea", "s."),
    ]
    assert apply_replacements(text, plan) == "One lake.\nTwo lakes."
    assert apply_replacements(text, [tick(plan[0], False), plan[1]]) == "One sea.\nTwo lakes."
    assert plan_replacements("sea", [Hit(0, 3, "sea")]) == []

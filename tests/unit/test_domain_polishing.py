"""Findings: merged without doubles, applied without touching each other."""

from __future__ import annotations

from storydesk.domain.polishing import Category, Finding, apply_findings, merge_findings


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

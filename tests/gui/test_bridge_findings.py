"""Findings follow the text; offsets count as Qt does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from storydesk.bridge.draft_score import split_sections
from storydesk.bridge.findings import Findings
from storydesk.bridge.offsets import Utf16Map, place_findings
from storydesk.bridge.wildness import settings_for
from storydesk.domain.generation import SamplingSettings
from storydesk.domain.polishing import Category, Finding


def _finding(start: int, end: int, rule: str = "R") -> Finding:
    return Finding(start, end, Category.SPELLING, rule, "Misspelt.", ("the",), "harper")


@given(st.text(), st.data())
def test_offsets_are_qt_s(text: str, data: st.DataObject) -> None:
    text = text.encode("utf-8", "replace").decode("utf-8")
    offset = data.draw(st.integers(0, len(text)))
    assert Utf16Map(text).to_units(offset) == len(text[:offset].encode("utf-16-le")) // 2


def test_a_finding_behind_an_emoji_is_placed_in_units() -> None:
    [placed] = place_findings("😀 teh", [_finding(2, 5)])
    assert (placed.start, placed.end) == (3, 6)


def test_findings_move_with_edits_and_go_when_touched() -> None:
    findings = Findings()
    findings.set_quick("teh bell teh", [_finding(0, 3), _finding(9, 12)])
    findings.shift(4, 4, 6)
    assert [(found.start, found.end) for found in findings.shown] == [(0, 3), (11, 14)]
    findings.shift(12, 0, 1)
    assert [(found.start, found.end) for found in findings.shown] == [(0, 3)]
    findings.shift(0, 3, 3)
    assert not findings.shown


def test_what_was_ignored_stays_away_in_its_sentence_only() -> None:
    text = "😀 I saw teh. Then teh sea."
    findings = Findings()
    late = [_finding(9, 12), _finding(19, 22)]
    findings.set_quick(text, late)
    findings.ignore(text, findings.shown[1])
    assert [found.start for found in findings.shown] == [9]
    findings.set_quick(text, late)
    assert [found.start for found in findings.shown] == [9]


def test_a_check_that_began_before_brings_back_neither_a_learnt_word_nor_an_ignored_rule() -> None:
    text = "Teh bell, teh sea, the the."
    late = [_finding(0, 3), _finding(10, 13), _finding(19, 26, "TWICE")]
    findings = Findings()
    findings.set_quick(text, late)
    findings.learn(text, "teh")
    findings.set_quick(text, late)
    assert [found.rule for found in findings.shown] == ["TWICE"]
    findings.ignore_rule("TWICE")
    findings.set_deep(text, late)
    assert not findings.shown


def test_the_deep_pass_wins_where_both_found_something() -> None:
    findings = Findings()
    findings.set_quick("teh", [_finding(0, 3, "QUICK")])
    findings.set_deep("teh", [_finding(0, 3, "DEEP")])
    assert [found.rule for found in findings.shown] == ["DEEP"]


@given(st.lists(st.text(alphabet="ab \n", max_size=30_000), max_size=6).map("\n".join))
def test_sections_make_up_the_text(text: str) -> None:
    pieces = list(split_sections(text))
    assert "".join(section for _, section in pieces) == text
    assert all(section for _, section in pieces)


def test_the_slider_s_middle_is_the_default() -> None:
    assert settings_for(0.5) == SamplingSettings()
    assert settings_for(0.0).temperature < settings_for(1.0).temperature

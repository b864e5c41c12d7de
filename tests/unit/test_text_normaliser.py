"""The normaliser: the model's form of a text, and the way back to every character of the writer's own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.text.normaliser import normalise, normalise_text


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("“Open,” she said.", '"Open," she said.'),
        ("‘It’s mine…’", "'It's mine...'"),
        ("wait—no – yes", "wait--no - yes"),
        ("one  two\tthree\u00a0four", "one two three four"),
        ("first\r\nsecond\n\n\n  third", "first\n\nsecond\n\nthird"),
        ("\ufeffbegin", "begin"),
        ("na\u00efve caf\u00e9 \U0001f469\u200d\U0001f680", "na\u00efve caf\u00e9 \U0001f469\u200d\U0001f680"),
        ("", ""),
    ],
)
def test_typeset_text_takes_the_plain_form(written: str, normal: str) -> None:
    assert normalise(written).text == normal


def test_unknown_normaliser_is_refused() -> None:
    with pytest.raises(ValueError, match="future-9"):
        normalise("text", "future-9")


def test_a_dash_leads_back_to_its_one_character() -> None:
    result = normalise("no—yes")
    assert result.text == "no--yes"
    assert result.source_span(2, 4) == (2, 3)
    assert result.source_span(4, 7) == (3, 6)
    assert result.source_span(7, 7) == (6, 6)


@given(st.text())
def test_every_character_knows_its_source(written: str) -> None:
    result = normalise(written)
    assert len(result.starts) == len(result.ends) == len(result.text)
    assert all(0 <= start < end <= len(written) for start, end in zip(result.starts, result.ends, strict=True))
    assert list(result.starts) == sorted(result.starts)
    assert list(result.ends) == sorted(result.ends)


@given(st.text())
def test_normal_text_stays_as_it_is(written: str) -> None:
    once = normalise(written).text
    assert normalise(once).text == once


@given(st.text(st.sampled_from(" \t\n\r\u00a0\u2028\u200b\ufeff\u00ad\u2014\u2026\u201c'ab-.") | st.characters()))
def test_the_quick_way_writes_the_same(written: str) -> None:
    assert normalise_text(written) == normalise(written).text

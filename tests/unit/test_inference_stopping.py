"""Texts end where a reader would end them, and never run into another story's prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.inference.stopping import StopRule

MARKS = ("\nPrompt:",)


def run(rule: StopRule, text: str, size: int = 3) -> tuple[str, bool]:
    shown = ""
    for start in range(0, len(text), size):
        piece, ended = rule.feed(text[start : start + size])
        shown += piece
        if ended:
            return shown, True
    return shown + rule.finish(), False


@pytest.mark.parametrize("size", [1, 2, 3, 7, 200])
@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("One two three. Four five six. Seven", 2, "One two three."),
        ("One two three. Four five six. Seven", 3, "One two three."),
        ("One two three. Four five six. Seven", 4, "One two three. Four five six."),
        ('She said "go on." Then he left.', 3, 'She said "go on."'),
        ('"Go on, you two!" she said. Then he left.', 3, '"Go on, you two!" she said.'),
        ("It was Mr. Brown and Dr. Grey. They left. So", 3, "It was Mr. Brown and Dr. Grey."),
        ("It cost 3.14 pounds or so. They left", 2, "It cost 3.14 pounds or so."),
        ("And then ... nothing came of it. They", 2, "And then ... nothing came of it."),
        ("One two three.\n\nFour five", 3, "One two three."),
        ("Who (if he knew?) went there. They", 4, "Who (if he knew?) went there."),
    ],
)
def test_it_ends_at_the_sentence(text: str, words: int, expected: str, size: int) -> None:
    assert run(StopRule(words, until_sentence_end=True), text, size) == (expected, True)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_without_a_sentence_it_ends_after_so_many_words(size: int) -> None:
    assert run(StopRule(3, until_sentence_end=False), "one two three four five", size) == ("one two three", True)


def test_a_sentence_without_end_is_cut_off() -> None:
    shown, ended = run(StopRule(10, until_sentence_end=True), "and so on " * 200)
    assert ended
    assert 10 < len(shown.split()) <= 60
    assert not shown.endswith(" ")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 200])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The end.\n\nPrompt: A sheep\n\nStory:\nIt", "The end."),
        ("The end.\n\n\n\nPrompt: A sheep", "The end."),
        ("The end.<|endoftext|>More", "The end."),
        ("\n\nPrompt: A sheep", ""),
    ],
)
def test_another_story_never_gets_out(text: str, expected: str, size: int) -> None:
    rule = StopRule(500, until_sentence_end=True, marks=MARKS)
    assert run(rule, text, size) == (expected, True)
    assert rule.met_mark


def test_a_mark_that_began_in_the_context_is_found() -> None:
    rule = StopRule(500, until_sentence_end=True, context="He went.\n\n", marks=MARKS)
    assert run(rule, "Prompt: A sheep") == ("", True)


def test_the_words_of_the_mark_inside_a_sentence_may_stand() -> None:
    text = "He was prompt: at noon he came. Prompt: that he was.\nPromptly he left"
    assert run(StopRule(500, until_sentence_end=True, marks=MARKS), text) == (text, False)


@given(st.text("ab .\nPromt:<", max_size=80), st.integers(1, 9))
def test_the_text_comes_through_unchanged_in_pieces_of_any_size(text: str, size: int) -> None:
    rule = StopRule(500, until_sentence_end=True, marks=MARKS)
    shown, ended = run(rule, text, size)
    place = text.find("\nPrompt:")
    expected = text if place < 0 else text[:place]
    assert shown == expected.rstrip()
    assert ended == (place >= 0)


@given(
    st.lists(st.sampled_from(["one", " two", ".", " Three", "\n\n", '"', "!", ","]), max_size=120), st.integers(1, 30)
)
def test_it_ends_whole_and_not_before_its_time(pieces: list[str], words: int) -> None:
    text = "".join(pieces)
    shown, ended = run(StopRule(words, until_sentence_end=True), text)
    assert text.startswith(shown)
    assert shown == shown.rstrip()
    if not ended:
        assert shown == text.rstrip()

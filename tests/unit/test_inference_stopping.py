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


@given(
    st.text("ab .\n", max_size=60), st.lists(st.text("ab .\n", min_size=1, max_size=5), max_size=3), st.integers(1, 9)
)
def test_a_stop_never_shows_and_ends_the_text_before_it(text: str, stops: list[str], size: int) -> None:
    rule = StopRule(500, until_sentence_end=True, stops=stops)
    shown, ended = run(rule, text, size)
    places = [place for stop in stops if (place := text.find(stop)) >= 0]
    if not places:
        assert (shown, ended) == (text.rstrip(), False)
        return
    # Of two stops that overlap the one that is complete first ends the text.
    assert ended
    assert rule.met_stop
    assert text.startswith(shown)
    assert len(shown) <= max(places)
    assert not any(stop.strip() and stop in shown for stop in stops)


def test_a_stop_may_begin_only_in_the_new_text() -> None:
    assert run(StopRule(500, until_sentence_end=True, context="Go.\n", stops=["\n\n"]), "\nHe went.") == (
        "\nHe went.",
        False,
    )


@pytest.mark.parametrize("size", [1, 3, 50])
@pytest.mark.parametrize("until_sentence_end", [True, False])
def test_length_in_words_has_limits(size: int, until_sentence_end: bool) -> None:
    text = "One two three. Four five six seven eight nine. Ten eleven twelve."
    longer = StopRule(1, until_sentence_end=until_sentence_end, minimum_words=5)
    assert len(run(longer, text, size)[0].split()) == (9 if until_sentence_end else 5)
    shorter = StopRule(9, until_sentence_end=until_sentence_end, maximum_words=5)
    assert run(shorter, text, size) == ("One two three. Four five", True)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_long_text_without_sentences_ends_at_its_most_words(size: int) -> None:
    shown, ended = run(StopRule(10, until_sentence_end=True, maximum_words=12), "and so on " * 50, size)
    assert (len(shown.split()), ended) == (12, True)


def test_a_rule_goes_back_and_on_another_way() -> None:
    rule = StopRule(500, until_sentence_end=True, marks=MARKS)
    shown, ended = rule.feed("The end.\n\nPrompt: A")
    assert (shown, ended, rule.met_mark) == ("The end.", True, True)
    rule.rewind("The end.")
    assert rule.feed(" Or not. So") == (" Or not. So", False)
    assert not rule.met_mark


def test_nobody_is_left_speaking() -> None:
    rule = StopRule(3, until_sentence_end=True)
    shown, ended = rule.feed('"Nothing is here. Nothing at all," he said. Then he left.')
    assert (shown, ended) == ('"Nothing is here. Nothing at all," he said.', True)


def test_a_speech_that_was_open_at_the_cursor_is_closed_first() -> None:
    rule = StopRule(2, until_sentence_end=True, context='A quiet hall.\n\n"Come in,')
    shown, ended = rule.feed(' they said. And sit down." He sat. The end.')
    assert ended
    assert shown == ' they said. And sit down."'


def test_a_speech_without_end_is_left_after_a_while() -> None:
    rule = StopRule(3, until_sentence_end=True)
    shown, ended = rule.feed('"' + "We go on and on. " * 20)
    assert ended
    assert shown.endswith("on.")

"""Scores by line, classes, courses and what stands out."""

from __future__ import annotations

import math
import re

from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.insight import (
    NOTHING,
    HeatKind,
    LineScore,
    gather_points,
    join_words,
    pick_surprising,
    rate_gain,
    rate_paragraph,
    rate_rank,
    rate_sentences,
    rate_surprise,
    rate_words,
    say_odds,
    split_by_line,
    take_words,
    trace_chapters,
    trace_paragraphs,
)
from storydesk.domain.scoring import TokenScore

TEXTS = st.text(alphabet="ab. \n😀é", max_size=80)


def _tokens(text: str, nats: float = 1.0) -> list[TokenScore]:
    """Return tokens of at most two letters with the space before them, as byte pairs would be."""
    found = re.finditer(r"\n|[^\S\n]?\S{1,2}|[^\S\n]", text)
    return [TokenScore(match.start(), match.end(), nats, rank=match.start()) for match in found]


@given(TEXTS)
def test_every_token_is_counted_once(text: str) -> None:
    tokens = _tokens(text.rstrip())  # white space at the end is never scored
    scores = split_by_line(tokens, text)
    assert len(scores) == text.count("\n") + 1
    whole = [score for score in scores if score is not None]
    assert sum(score.cost for score in whole) == sum(score.tokens for score in whole) == len(tokens)
    for line, score in zip(text.split("\n"), whole, strict=True):
        assert [line[start:end] for start, end in zip(score.starts, score.ends, strict=True)] == line.split()


@given(TEXTS, TEXTS)
def test_a_section_is_scored_like_a_text_of_its_own(before: str, section: str) -> None:
    tokens = [TokenScore(each.start + len(before), each.end + len(before), each.nats) for each in _tokens(section)]
    own = split_by_line(_tokens(section), section)
    later = split_by_line([*_tokens(before), *tokens], section, len(before))
    assert [list(score.nats) for score in own if score] == [list(score.nats) for score in later if score]


def test_a_word_of_several_tokens_has_their_sum_and_their_highest_rank() -> None:
    tokens = [TokenScore(0, 2, 1.0, 3), TokenScore(2, 4, 2.5, 900), TokenScore(4, 7, 0.5, 1)]
    (score,) = split_by_line(tokens, "abcd ef")
    assert score is not None
    assert list(score.nats) == [3.5, 0.5]
    assert list(score.ranks) == [900, 1]
    assert score.words == 2


def test_a_line_break_belongs_to_what_comes_after_it() -> None:
    tokens = [TokenScore(0, 1, 1.0), TokenScore(1, 3, 4.0), TokenScore(3, 4, 2.0)]
    first, gap, last = split_by_line(tokens, "a\n\nb")
    assert gap is NOTHING
    assert first is not None
    assert last is not None
    assert (first.cost, last.cost, last.tokens) == (1.0, 6.0, 2)
    assert list(last.nats) == [2.0]


def test_classes_are_one_in_fifty_and_gltr_s() -> None:
    assert [rate_surprise(math.log(odds)) for odds in (2, 49, 51, 499, 501, 4999, 5001)] == [0, 0, 1, 1, 2, 2, 3]
    assert [rate_rank(rank) for rank in (1, 10, 11, 100, 101, 1000, 1001)] == [0, 0, 1, 1, 2, 2, 3]
    assert [rate_gain(gain) for gain in (-3.0, -1.0, -0.1, 0.0, 0.1, 1.0, 3.0)] == [-2, -1, 0, 0, 0, 1, 2]


def test_the_voice_is_what_the_base_finds_more_surprising() -> None:
    (own,) = split_by_line([TokenScore(0, 1, 1.0), TokenScore(1, 3, 4.0)], "a b")
    (base,) = split_by_line([TokenScore(0, 1, 4.0), TokenScore(1, 3, 1.0)], "a b")
    assert own is not None
    assert rate_words(HeatKind.VOICE, own, base) == [2, -2]
    assert rate_words(HeatKind.VOICE, own) == [0, 0]


def test_odds_are_said_with_two_figures() -> None:
    assert [say_odds(math.log(odds)) for odds in (1, 3.2, 57.4, 312, 5_234, 123_456)] == [1, 3, 57, 310, 5200, 120_000]
    assert say_odds(1000.0) > 1e15


@given(TEXTS, st.integers(0, 20), st.integers(-5, 5))
def test_words_taken_apart_and_joined_are_the_same(text: str, cut: int, shift: int) -> None:
    line = text.replace("\n", " ")
    (score,) = split_by_line(_tokens(line), line)
    assert score is not None
    cut = min(cut, len(score.starts))
    whole = join_words(take_words(score, 0, cut), take_words(score, cut, len(score.starts)))
    assert (whole.starts, whole.ends, whole.nats) == (score.starts, score.ends, score.nats)
    assert list(take_words(score, 0, cut, shift).starts) == [start + shift for start in score.starts[:cut]]


def test_a_word_is_found_from_its_beginning_to_behind_its_end() -> None:
    (score,) = split_by_line(_tokens("ab  cd"), "ab  cd")
    assert score is not None
    assert [score.find_word(place) for place in range(7)] == [0, 0, 0, -1, 1, 1, 1]
    assert LineScore().find_word(0) == -1


def test_courses_leave_out_what_is_not_known() -> None:
    text = "a\n\nb\n# Two\nc\nd"
    scores = split_by_line(_tokens(text), text)
    assert [point.first for point in trace_paragraphs(scores)] == [0, 2, 3, 4, 5]
    headings = [(3, "Two")]
    assert [(point.first, point.last, point.title) for point in trace_chapters(scores, headings)] == [
        (0, 2, ""),
        (3, 5, "Two"),
    ]
    unknown = [*scores[:4], None, scores[5]]
    assert [point.title for point in trace_chapters(unknown, headings)] == [""]
    assert len(trace_paragraphs(unknown)) == 4


@given(st.integers(0, 60), st.integers(1, 20))
def test_gathered_points_keep_the_sums(count: int, most: int) -> None:
    points = trace_paragraphs(split_by_line(_tokens("a\n" * count), "a\n" * count))
    gathered = gather_points(points, most)
    assert len(gathered) == min(most, len(points))
    assert sum(point.tokens for point in gathered) == sum(point.tokens for point in points)
    assert [point.first for point in gathered] == sorted(point.first for point in gathered)


def test_what_surprises_most_comes_first_and_short_sentences_not_at_all() -> None:
    line = "Gone! The sea was very calm that day. A drowned piano sang beneath the pier."
    costs = {"piano": 9.0, "Gone!": 50.0}
    tokens, place = [], 0
    for word in line.split():
        start = line.index(word, place)
        place = start + len(word)
        tokens.append(TokenScore(start, place, costs.get(word, 1.0)))
    (score,) = split_by_line(tokens, line)
    assert score is not None
    ratings = [tuple(rate_sentences(line, score))]
    parts = pick_surprising([line], ratings, 5, lambda: None)
    assert [part.text for part in parts] == [
        "A drowned piano sang beneath the pier.",
        "The sea was very calm that day.",
    ]
    assert math.isclose(parts[0].nats_per_word, 15 / 7)
    assert rate_paragraph(NOTHING) == ()

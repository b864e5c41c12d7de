"""Perplexity and its relatives, by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.scoring import TextScore, TokenScore, measure_text, score_difference, summarise


def test_figures_by_hand() -> None:
    words, size = measure_text("The door’s blue.")
    score = TextScore((TokenScore(0, 3, 1.0), TokenScore(3, 16, 3.0)), words, size, stride=256)
    assert (words, size) == (3, 18)
    assert score.perplexity == pytest.approx(math.exp(2.0))
    assert score.nats_per_word == pytest.approx(4.0 / 3)
    assert score.bits_per_byte == pytest.approx(4.0 / math.log(2) / 18)


def test_nothing_scores_zero() -> None:
    empty = TextScore((), 0, 0, stride=1)
    assert (empty.perplexity, empty.nats_per_word, empty.bits_per_byte) == (0.0, 0.0, 0.0)


TEXT = 'He came. Mr. Grey went -- "Go!" she said.\n\nThen fog. Nobody saw.'


def _score_words(text: str, nats: float, step: int = 4) -> TextScore:
    tokens = [TokenScore(start, min(start + step, len(text)), nats) for start in range(0, len(text), step)]
    return TextScore(tuple(tokens), *measure_text(text), stride=8)


def test_parts_are_sentences_and_paragraphs_and_add_up() -> None:
    score = _score_words(TEXT, 1.5)
    summary = summarise(score, TEXT)
    assert [TEXT[part.start : part.end] for part in summary.sentences] == [
        "He came.",
        'Mr. Grey went -- "Go!" she said.',
        "Then fog.",
        "Nobody saw.",
    ]
    assert [part.words for part in summary.paragraphs] == [8, 4]
    assert summary.draft.nats == pytest.approx(score.nats)
    for parts in (summary.sentences, summary.paragraphs):
        assert sum(part.tokens for part in parts) == len(score.tokens)
        assert sum(part.nats for part in parts) == pytest.approx(score.nats)
    assert summary.draft.perplexity == pytest.approx(score.perplexity)
    assert summary.draft.nats_per_word == pytest.approx(score.nats_per_word)
    assert summary.stride == 8


@given(st.text(alphabet='ab .!"\n\u2028', max_size=80), st.integers(1, 9))
def test_nothing_is_lost_between_parts(text: str, step: int) -> None:
    score = _score_words(text, 1.0, step)
    summary = summarise(score, text)
    if text.strip():
        assert sum(part.tokens for part in summary.sentences) == len(score.tokens)
        assert sum(part.tokens for part in summary.paragraphs) == len(score.tokens)
    for part in summary.sentences:
        assert text[part.start : part.end] == text[part.start : part.end].strip() != ""


def test_two_models_meet_at_words_however_they_cut_them() -> None:
    text = "The fog came."
    tuned = TextScore((TokenScore(0, 3, 1.0), TokenScore(3, 7, 2.0), TokenScore(7, 13, 0.5)), 3, 13, 8)
    base = TextScore(
        (TokenScore(0, 2, 1.0), TokenScore(2, 3, 1.0), TokenScore(3, 7, 1.0), TokenScore(7, 13, 4.0)), 3, 13, 8
    )
    words = score_difference(tuned, base, text)
    assert [text[word.start : word.end] for word in words] == ["The", "fog", "came."]
    assert [word.gain for word in words] == [1.0, -1.0, 3.5]

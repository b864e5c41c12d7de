"""Perplexity and its relatives, by hand."""

from __future__ import annotations

import math

import pytest

from storydesk.domain.scoring import TextScore, TokenScore, measure_text


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

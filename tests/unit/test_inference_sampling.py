"""Tokens are drawn from exactly the distribution that the settings describe."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import SamplingSettings
from storydesk.inference.sampling import (
    TokenSampler,
    bar_repeated_ngrams,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    penalise_repetition,
)

PLAIN = SamplingSettings(temperature=1.0, top_p=1.0, repetition_penalty=1.0, no_repeat_ngram=0)
logits_of_30 = st.lists(st.floats(-20, 20, width=32), min_size=30, max_size=30).map(
    lambda values: np.array(values, np.float32)
)
tokens_of_30 = st.lists(st.integers(0, 29), max_size=40)


def all_words(count: int) -> NDArray[np.bool_]:
    return np.ones(count, np.bool_)


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float64]:
    values = np.exp((logits.astype(np.float64) - logits.max()) / temperature)
    result: NDArray[np.float64] = values / values.sum()
    return result


@pytest.mark.parametrize(
    ("chosen", "expected_tokens"),
    [
        (SamplingSettings(1.0, 1.0, 0, 0.0, 1.0, 0), 12),
        (SamplingSettings(0.7, 1.0, 5, 0.0, 1.0, 0), 5),
        (SamplingSettings(1.3, 0.8, 0, 0.0, 1.0, 0), None),
        (SamplingSettings(1.0, 1.0, 0, 0.2, 1.0, 0), None),
    ],
)
def test_draws_pass_a_chi_square_test(chosen: SamplingSettings, expected_tokens: int | None) -> None:
    logits = np.random.default_rng(4).normal(0, 1.5, 12).astype(np.float32)
    sampler = TokenSampler(chosen, 11, all_words(12))
    exact = sampler.probabilities(logits)
    assert exact.sum() == pytest.approx(1)
    count = 20_000
    drawn = np.bincount([sampler.draw(logits, [], []) for _ in range(count)], minlength=12)
    possible = exact > 0
    if expected_tokens is not None:
        assert possible.sum() == expected_tokens
    assert not drawn[~possible].any()
    expected = exact[possible] * count
    statistic = float(((drawn[possible] - expected) ** 2 / expected).sum())
    freedom = int(possible.sum()) - 1
    # Wilson and Hilferty: five standard deviations out would be a wrong distribution and no bad luck.
    deviations = ((statistic / freedom) ** (1 / 3) - (1 - 2 / (9 * freedom))) / math.sqrt(2 / (9 * freedom))
    assert deviations < 5


@given(logits_of_30, st.floats(0.2, 3))
def test_without_limits_it_is_the_softmax_at_that_temperature(logits: NDArray[np.float32], temperature: float) -> None:
    sampler = TokenSampler(SamplingSettings(temperature, 1.0, 0, 0.0, 1.0, 0), 1, all_words(30))
    assert np.allclose(sampler.probabilities(logits), softmax(logits, temperature), atol=1e-9)


@given(logits_of_30, st.floats(0.05, 0.999))
def test_top_p_is_the_smallest_set_that_reaches_its_share(logits: NDArray[np.float32], share: float) -> None:
    chances = softmax(logits)
    keep = keep_top_p(chances, share)
    assert chances[keep].sum() >= share - 1e-9
    assert chances[keep].sum() - chances[keep].min() < share + 1e-9
    if not keep.all():
        assert chances[keep].min() >= chances[~keep].max()


@given(logits_of_30, st.integers(1, 40), st.floats(0, 1))
def test_top_k_and_min_p_keep_the_likeliest(logits: NDArray[np.float32], k: int, share: float) -> None:
    chances = softmax(logits)
    kept = keep_top_k(chances, k)
    assert kept.sum() >= min(k, 30)
    assert kept[int(chances.argmax())]
    assert (chances[keep_min_p(chances, share)] >= share * chances.max()).all()


@given(logits_of_30, tokens_of_30, st.floats(1, 3))
def test_the_penalty_makes_seen_words_less_likely_and_nothing_else(
    logits: NDArray[np.float32], seen: list[int], penalty: float
) -> None:
    words = np.arange(30) % 3 > 0
    adjusted = penalise_repetition(logits, seen, penalty, words)
    penalised = [token for token in set(seen) if words[token]]
    others = [token for token in range(30) if token not in penalised]
    assert (adjusted[penalised] <= logits[penalised]).all()
    assert np.array_equal(adjusted[others], logits[others])


@given(logits_of_30, tokens_of_30, st.integers(1, 5))
@settings(max_examples=200)
def test_a_run_of_words_is_never_written_twice(logits: NDArray[np.float32], written: list[int], n: int) -> None:
    adjusted = bar_repeated_ngrams(logits, written, n, all_words(30))
    token = int(adjusted.argmax())
    runs = {tuple(written[start : start + n]) for start in range(len(written) - n + 1)}
    tail = tuple(written[len(written) - n + 1 :]) if len(written) >= n else ()
    if len(written) >= n and len({run for run in runs if run[:-1] == tail}) < 30:
        assert (*tail, token) not in runs


def test_dialogue_may_begin_a_paragraph_again_and_again() -> None:
    stop, line, quote, word, other = range(5)
    words = np.array([False, False, False, True, True])
    logits = np.zeros(5, np.float32)
    written = [word, stop, line, quote, other, stop, line]
    assert np.array_equal(bar_repeated_ngrams(logits, written, 3, words), logits)
    assert not np.isfinite(bar_repeated_ngrams(logits, [word, other, word, other, word], 3, words)[other])


@given(logits_of_30, st.integers(0, 2**31 - 1))
def test_temperature_zero_takes_the_likeliest(logits: NDArray[np.float32], seed: int) -> None:
    sampler = TokenSampler(SamplingSettings(0.0, 0.9, 0, 0.0, 1.0, 0), seed, all_words(30))
    assert logits[sampler.draw(logits, [], [])] == logits.max()
    assert sampler.probabilities(logits).max() == 1


def test_the_same_seed_draws_the_same_tokens() -> None:
    logits = np.random.default_rng(0).normal(0, 2, 500).astype(np.float32)

    def draw(seed: int) -> list[int]:
        sampler = TokenSampler(SamplingSettings(), seed, all_words(500))
        return [sampler.draw(logits, [1, 2], [3]) for _ in range(50)]

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        (SamplingSettings(temperature=-0.1), "temperature"),
        (SamplingSettings(temperature=float("nan")), "temperature"),
        (SamplingSettings(top_p=0), "top_p"),
        (SamplingSettings(top_k=-1), "top_k"),
        (SamplingSettings(min_p=1.5), "min_p"),
        (SamplingSettings(repetition_penalty=0), "repetition_penalty"),
        (SamplingSettings(no_repeat_ngram=-2), "no_repeat_ngram"),
    ],
)
def test_settings_out_of_range_are_refused(chosen: SamplingSettings, name: str) -> None:
    with pytest.raises(StorydeskError) as caught:
        TokenSampler(chosen, 1, all_words(3))
    assert caught.value.failure.code == FailureCode.BAD_ARGUMENT
    assert caught.value.failure.parameters["name"] == name

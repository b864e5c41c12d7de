"""Tokens are drawn from exactly the distribution that the settings describe."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import SamplingSettings
from storydesk.inference.sampling import (
    PhraseRules,
    TokenSampler,
    bar_phrases,
    bar_repeated_ngrams,
    bias_phrases,
    keep_min_p,
    keep_top_k,
    keep_top_p,
    keep_typical,
    list_likeliest,
    penalise_frequency,
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


def compute_exactly(
    logits: NDArray[np.float32], chosen: SamplingSettings, window: list[int], rules: PhraseRules | None
) -> NDArray[np.float64]:
    """Return the distribution of the settings the slow way, token by token."""
    values = logits.astype(np.float64)
    for spellings, nats in rules.biases if rules else ():
        for token in {spelling[0] for spelling in spellings}:
            values[token] += nats
    for token in set(window):
        values[token] = (
            values[token] / chosen.repetition_penalty
            if values[token] > 0
            else (values[token] * chosen.repetition_penalty)
        )
    for token in set(window):
        values[token] -= chosen.frequency_penalty * window.count(token) + chosen.presence_penalty
    for spelling in rules.banned if rules else ():
        if spelling[:-1] == tuple(window[len(window) - len(spelling) + 1 :]):
            values[spelling[-1]] = -np.inf
    chances = np.exp((values - values.max()) / chosen.temperature)
    chances /= chances.sum()
    order = sorted(range(len(chances)), key=lambda token: -chances[token])
    keep = order[: chosen.top_k or None]
    total = sum(chances[token] for token in keep)
    kept: list[int] = []
    for token in keep:
        if sum(chances[each] for each in kept) < chosen.top_p * total:
            kept.append(token)
    kept = [token for token in kept if chances[token] >= chosen.min_p * chances.max() and chances[token] > 0]
    if chosen.typical_p < 1:
        normal = {token: chances[token] / sum(chances[each] for each in kept) for token in kept}
        entropy = -sum(chance * math.log(chance) for chance in normal.values())
        nearest = sorted(normal, key=lambda token: abs(-math.log(normal[token]) - entropy))
        kept = []
        for token in nearest:
            if sum(normal[each] for each in kept) < chosen.typical_p:
                kept.append(token)
    exact = np.zeros(len(chances))
    exact[kept] = chances[kept] / chances[kept].sum()
    return exact


@pytest.mark.parametrize(
    ("chosen", "expected_tokens"),
    [
        (SamplingSettings(1.0, 1.0, 0, 0.0, 1.0, 0), 12),
        (SamplingSettings(0.7, 1.0, 5, 0.0, 1.0, 0), 5),
        (SamplingSettings(1.3, 0.8, 0, 0.0, 1.0, 0), None),
        (SamplingSettings(1.0, 1.0, 0, 0.2, 1.0, 0), None),
        (SamplingSettings(1.0, 1.0, 0, 0.0, 1.0, 0, typical_p=0.6), None),
        (SamplingSettings(0.9, 0.9, 8, 0.05, 1.0, 0, typical_p=0.9), None),
        (SamplingSettings(1.0, 1.0, 0, 0.0, 1.3, 3, frequency_penalty=0.7, presence_penalty=0.4), 11),
    ],
)
def test_draws_pass_a_chi_square_test(chosen: SamplingSettings, expected_tokens: int | None) -> None:
    logits = np.random.default_rng(4).normal(0, 1.5, 12).astype(np.float32)
    rules = PhraseRules(frozenset({(5,), (1, 7)}), ((frozenset({(9,)}), 1.5),)) if chosen.no_repeat_ngram else None
    sampler = TokenSampler(chosen, 11, all_words(12), rules)
    window = [4, 2, 2, 3] if chosen.no_repeat_ngram else []
    exact = sampler.probabilities(logits, window, window)
    assert exact.sum() == pytest.approx(1)
    assert np.allclose(exact, compute_exactly(logits, chosen, window, rules), atol=1e-6)
    count = 20_000
    drawn = np.bincount([sampler.draw(logits, window, window) for _ in range(count)], minlength=12)
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


@given(logits_of_30, tokens_of_30, st.floats(-3, 3), st.floats(-3, 3))
def test_penalties_count_what_was_written(
    logits: NDArray[np.float32], written: list[int], frequency: float, presence: float
) -> None:
    words = np.arange(30) % 3 > 0
    adjusted = penalise_frequency(logits, written, frequency, presence, words)
    for token in range(30):
        times = written.count(token) if words[token] else 0
        expected = logits[token] - (frequency * times + presence if times else 0)
        assert adjusted[token] == pytest.approx(expected, abs=1e-3)


spellings_of_30 = st.lists(st.integers(0, 29), min_size=1, max_size=4).map(tuple)


@given(logits_of_30, tokens_of_30, st.frozensets(spellings_of_30, max_size=5))
def test_a_banned_phrase_is_never_completed(
    logits: NDArray[np.float32], window: list[int], banned: frozenset[tuple[int, ...]]
) -> None:
    adjusted = bar_phrases(logits, window, banned)
    complete = {token for token in range(30) for phrase in banned if tuple([*window, token][-len(phrase) :]) == phrase}
    for token in range(30):
        assert adjusted[token] == (-np.inf if token in complete else logits[token])


@given(logits_of_30, tokens_of_30, spellings_of_30, st.floats(-20, 20, width=32))
def test_a_bias_adds_up_to_its_nats_over_the_phrase(
    logits: NDArray[np.float32], window: list[int], phrase: tuple[int, ...], nats: float
) -> None:
    gained = 0.0
    for length, token in enumerate(phrase):
        before = [*window, *phrase[:length]]
        adjusted = bias_phrases(logits, before, [(frozenset({phrase}), nats)])
        gained += float(adjusted[token] - logits[token])
    assert gained == pytest.approx(nats, abs=1e-3)
    assert np.array_equal(bias_phrases(logits, window, []), logits)


@given(logits_of_30, st.floats(0.05, 0.99))
def test_typical_keeps_what_is_as_surprising_as_expected(logits: NDArray[np.float32], share: float) -> None:
    chances = softmax(logits)
    keep = keep_typical(chances, share)
    assert chances[keep].sum() >= share - 1e-9
    distance = np.abs(-np.log(chances) + (chances * np.log(chances)).sum())
    if not keep.all():
        assert distance[keep].max() <= distance[~keep].min() + 1e-12


@given(logits_of_30, st.integers(1, 40), st.integers(0, 29))
def test_the_likeliest_come_in_order_with_their_chances(logits: NDArray[np.float32], count: int, drawn: int) -> None:
    own, likeliest = list_likeliest(logits, count, drawn)
    chances = softmax(logits)
    assert own == pytest.approx(chances[drawn], rel=1e-4, abs=1e-12)
    assert [chance for _, chance in likeliest] == pytest.approx(np.sort(chances)[::-1][:count].tolist(), rel=1e-4)
    assert all(chance == pytest.approx(chances[token], rel=1e-4) for token, chance in likeliest)


def test_barred_tokens_come_only_where_nothing_else_is_left() -> None:
    logits = np.array([5.0, 4.0, 3.0], np.float32)
    sampler = TokenSampler(dataclasses.replace(PLAIN, temperature=0), 1, all_words(3))
    assert sampler.draw(logits, [], [], barred={0}) == 1
    assert sampler.draw(logits, [], [], barred={0, 1, 2}) == 0


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
        (SamplingSettings(typical_p=0), "typical_p"),
        (SamplingSettings(frequency_penalty=float("inf")), "frequency_penalty"),
        (SamplingSettings(presence_penalty=-11), "presence_penalty"),
        (SamplingSettings(phrase_bias=(("a", float("nan")),)), "phrase_bias"),
        (SamplingSettings(minimum_words=9, maximum_words=8), "maximum_words"),
    ],
)
def test_settings_out_of_range_are_refused(chosen: SamplingSettings, name: str) -> None:
    with pytest.raises(StorydeskError) as caught:
        TokenSampler(chosen, 1, all_words(3))
    assert caught.value.failure.code == FailureCode.BAD_ARGUMENT
    assert caught.value.failure.parameters["name"] == name


def test_what_min_p_leaves_stays_where_top_p_asks_for_more() -> None:
    # Three tokens with 4 % each are left of a flat distribution; half of the whole can't be had from them.
    sampler = TokenSampler(SamplingSettings(temperature=1.0, min_p=0.9, top_p=0.5), 7, np.ones(60, np.bool_))
    logits = np.full(60, -1.0, np.float32)
    logits[[3, 5, 8]] = 0.0
    chances = sampler.probabilities(logits)
    assert np.flatnonzero(chances).tolist() == [3, 5, 8]

"""Intervals, correlations and differences: published values, and how often intervals hold the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from trainer.judging.quantities import Figure, Quantity, compare, take_means, take_ratios
from trainer.judging.statistics import (
    Estimate,
    Resampling,
    bound,
    bound_correlation,
    correlate_partly,
    correlate_ranks,
    find_t,
    rank,
)


def test_students_t_as_in_the_tables() -> None:
    # Abramowitz and Stegun, table 26.10.
    for freedom, expected in ((1, 12.706), (2, 4.303), (3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042)):
        assert find_t(0.975, freedom) == pytest.approx(expected, rel=0.003)


def test_ranks_and_correlation_with_ties_by_hand() -> None:
    assert rank([10, 30, 30, 20]).tolist() == [1, 3.5, 3.5, 2]
    assert correlate_ranks([1, 2, 3, 4], [10, 20, 30, 40]) == pytest.approx(1.0)
    # Without ties rho is 1 - 6 sum d^2 / (n (n^2 - 1)): ranks 1 2 3 4 5 against 2 1 4 3 5 give 1 - 24/120.
    assert correlate_ranks([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) == pytest.approx(0.8)
    assert math.isnan(correlate_ranks([1, 1, 1], [1, 2, 3]))


def test_length_is_taken_out_of_a_correlation() -> None:
    random = np.random.default_rng(1)
    length = random.normal(size=3000)
    metric, rating = length + random.normal(size=3000), length + random.normal(size=3000)
    assert correlate_ranks(metric, rating) > 0.4
    assert abs(correlate_partly(metric, rating, length)) < 0.06
    assert correlate_partly(metric, rating, np.ones(3000)) == pytest.approx(correlate_ranks(metric, rating))


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    # 500 reports over 12 prompts with two stories each, which resemble each other; the truth is 5.
    random = np.random.default_rng(7)
    prompts = [prompt for prompt in range(12) for _ in range(2)]
    held = 0
    for number in range(500):
        values = 5 + np.repeat(random.normal(size=12), 2) + random.normal(size=24)
        estimate = take_means(values.tolist(), prompts).add_up(12).estimate(Resampling(12, number, draws=400))
        held += estimate.low <= 5 <= estimate.high
    assert 0.92 <= held / 500 <= 0.98


def test_a_ratio_is_of_sums_and_a_story_without_value_counts_nothing() -> None:
    values = take_ratios([(10.0, 4.0), (2.0, 4.0), (0.0, 0.0)], [0, 1, 2], Figure.EXPONENTIAL)
    quantity = values.add_up(3)
    assert quantity.value == pytest.approx(math.exp(12 / 8))
    assert (quantity.stories, quantity.prompts) == (2, 2)
    assert math.isnan(values.value_of(2))
    # Two prompts are too few for an interval.
    assert math.isnan(quantity.estimate(Resampling(3, 1)).low)


def _add_up(values: list[float]) -> Quantity:
    return take_means(values, list(range(len(values)))).add_up(len(values))


def test_differences_are_paired_by_prompt() -> None:
    random = np.random.default_rng(3)
    hard = random.normal(scale=10, size=20)
    first, second = _add_up(hard.tolist()), _add_up((hard + 1 + 0.1 * random.normal(size=20)).tolist())
    resampling = Resampling(20, 5)
    # The prompts differ far more than the models do, and yet the models are told apart.
    assert first.estimate(resampling).high > second.estimate(resampling).low
    difference, away = compare(first, second, resampling)
    assert difference.high < 0
    assert away is None
    assert difference.value == pytest.approx(-1, abs=0.1)
    assert not compare(first, first, resampling)[0].excludes_zero


def test_nearer_to_people_may_be_higher_or_lower() -> None:
    people, near, far = (_add_up([middle + step / 10 for step in range(12)]) for middle in (5.0, 4.0, 9.0))
    _, away = compare(near, far, Resampling(12, 1), nearer_to=people)
    assert away is not None
    assert away.high < 0
    assert away.value == pytest.approx(1 - 4)


def test_too_little_gives_no_interval() -> None:
    assert math.isnan(bound(1.0, np.array([1.0] * 10), 2).low)
    assert bound(1.0, np.array([1.0] * 10), 5) == Estimate(1.0, 1.0, 1.0)


def test_a_correlation_counts_prompts_and_not_stories() -> None:
    random = np.random.default_rng(2)
    prompts = [prompt for prompt in range(8) for _ in range(20)]
    of_prompt = random.normal(size=8).repeat(20)
    metric, rating = of_prompt + 0.01 * random.normal(size=160), 0.7 * of_prompt + random.normal(size=8).repeat(20)
    together, apart = bound_correlation(metric, rating, np.ones(160), prompts, 3)
    singly, _ = bound_correlation(metric, rating, np.ones(160), list(range(160)), 3)
    assert together.value == pytest.approx(correlate_ranks(metric, rating))
    # A hundred and sixty stories on eight prompts tell hardly more than eight.
    assert together.high - together.low > 2 * (singly.high - singly.low)
    assert apart.value == pytest.approx(together.value)


def test_yes_every_time_does_not_mean_always() -> None:
    always = take_ratios([(1.0, 1.0)] * 7, list(range(7)), Figure.SHARE).add_up(7).estimate(Resampling(7, 1))
    # The exact 95 % interval of 7 of 7 (Clopper and Pearson) begins at 0.025 ** (1/7).
    assert (always.value, always.high) == (1.0, 1.0)
    assert always.low == pytest.approx(0.5904, abs=1e-4)
    never = take_ratios([(0.0, 1.0)] * 7, list(range(7)), Figure.SHARE).add_up(7).estimate(Resampling(7, 1))
    assert never.high == pytest.approx(0.4096, abs=1e-4)

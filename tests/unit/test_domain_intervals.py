"""Intervals: published ones, those of scipy, and that they hold the truth as often as they say."""

from __future__ import annotations

import math
import random

import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.correlation import kendall, partial_spearman, pearson, rank_values, spearman
from storydesk.domain.estimates import bootstrap, estimate_mean, estimate_share, f_quantile, percentile, t_quantile
from tests.bench.interval_coverage import Simulation, list_simulations, measure_coverage

# All of the bench's simulations that are quick; the rest takes minutes: python -m tests.bench.interval_coverage
QUICK = [simulation for simulation in list_simulations() if simulation.cost <= 0.001]


@pytest.mark.parametrize("simulation", QUICK, ids=lambda each: each.name)
def test_intervals_hold_the_truth_as_often_as_they_say(simulation: Simulation) -> None:
    share, _ = measure_coverage(simulation, 600)
    assert 0.93 <= share <= 0.97


# Newcombe 1998, Statistics in Medicine 17, table I, method 3 (score interval without correction).
@pytest.mark.parametrize(
    ("hits", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_share_has_the_published_interval(hits: int, count: int, low: float, high: float) -> None:
    estimate = estimate_share(hits, count)
    assert (round(estimate.low, 4), round(estimate.high, 4)) == (low, high)


def test_ties_narrow_the_interval_and_never_to_nothing() -> None:
    without, with_ties = estimate_share(20, 40), estimate_share(20, 40, ties=20)
    assert with_ties.width < without.width
    all_tied = estimate_share(10, 20, ties=20)
    assert all_tied.value == 0.5
    assert all_tied.width > 0.1
    assert estimate_share(0, 0).width == 1.0


@pytest.mark.parametrize("freedom", [(1, 4), (5, 18), (3, 0.7), (29, 58), (120, 2)])
@pytest.mark.parametrize("share", [0.025, 0.5, 0.975])
def test_quantiles_are_those_of_scipy(share: float, freedom: tuple[float, float]) -> None:
    assert f_quantile(share, *freedom) == pytest.approx(scipy.stats.f.ppf(share, *freedom), rel=1e-6)
    assert t_quantile(share, freedom[1]) == pytest.approx(scipy.stats.t.ppf(share, freedom[1]), rel=1e-6, abs=1e-9)


def test_a_mean_has_students_interval() -> None:
    values = [3.0, 4.0, 2.5, 5.0, 3.5]
    estimate = estimate_mean(values)
    assert estimate is not None
    expected = scipy.stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high))
    alone = estimate_mean([3.0])
    assert alone is not None
    assert math.isinf(alone.high)
    assert estimate_mean([]) is None


def test_the_bootstrap_is_near_scipys() -> None:
    draw = random.Random(3)
    sample = [draw.gammavariate(2, 30) for _ in range(80)]
    ours = bootstrap(sample, lambda drawn: sum(drawn) / len(drawn))
    assert ours is not None
    theirs = scipy.stats.bootstrap((sample,), lambda x, axis: x.mean(axis=axis), method="BCa", rng=1)
    low, high = theirs.confidence_interval
    assert ours.low == pytest.approx(low, abs=0.05 * (high - low))
    assert ours.high == pytest.approx(high, abs=0.05 * (high - low))
    assert bootstrap(sample[:1], lambda drawn: drawn[0]) is None
    assert bootstrap(sample, lambda drawn: None) is None
    plain = bootstrap(sample, lambda drawn: sum(drawn) / len(drawn), corrected=False, resamples=500)
    assert plain is not None
    assert plain.low < plain.value < plain.high


def test_percentiles_lie_between_neighbours() -> None:
    assert percentile([1.0, 2.0, 4.0], 0.75) == 3.0
    assert percentile([1.0], 0.3) == 1.0


def test_correlations_of_ranks_are_those_of_scipy() -> None:
    draw = random.Random(5)
    first = [draw.randint(1, 5) for _ in range(40)]
    second = [value + draw.randint(-2, 2) for value in first]
    by_rank, tau = spearman(first, second), kendall(first, second)
    assert by_rank is not None
    assert tau is not None
    assert by_rank.value == pytest.approx(scipy.stats.spearmanr(first, second).statistic)
    assert tau.value == pytest.approx(scipy.stats.kendalltau(first, second).statistic)
    assert rank_values(first) == pytest.approx(list(scipy.stats.rankdata(first)))


def test_length_held_still_takes_away_what_length_alone_explains() -> None:
    draw = random.Random(9)
    lengths = [float(draw.randint(50, 800)) for _ in range(60)]
    metric = [length + draw.gauss(0, 60) for length in lengths]
    rating = [length + draw.gauss(0, 60) for length in lengths]
    plain, held = spearman(metric, rating), partial_spearman(metric, rating, [lengths])
    assert plain is not None
    assert held is not None
    assert plain.low > 0.8
    assert held.holds(0.0)
    # By hand: the correlation of what is left of the ranks when length has explained its part.
    ranks = [scipy.stats.rankdata(each) for each in (metric, rating, lengths)]
    left = [each - scipy.stats.linregress(ranks[2], each).slope * ranks[2] for each in ranks[:2]]
    assert held.value == pytest.approx(float(scipy.stats.pearsonr(left[0], left[1]).statistic))


def test_too_few_or_constant_figures_say_nothing() -> None:
    assert spearman([1, 2, 3], [1, 2, 3]) is None
    assert kendall([1, 1, 1, 1, 1], [1, 2, 3, 4, 5]) is None
    assert partial_spearman([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [[1, 2, 3, 4, 5]]) is None
    with pytest.raises(ValueError, match="different length"):
        pearson([1.0], [1.0, 2.0])
    perfect = spearman([1, 2, 3, 4, 5, 6], [2, 4, 6, 8, 10, 12])
    assert perfect is not None
    assert perfect.low == 1.0


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=5, max_size=25))
def test_a_correlation_never_leaves_its_bounds(pairs: list[tuple[int, int]]) -> None:
    first, second = [float(a) for a, _ in pairs], [float(b) for _, b in pairs]
    for found in (spearman(first, second), kendall(first, second), partial_spearman(first, second, [second[::-1]])):
        if found is not None:
            assert -1 <= found.low <= found.value + 1e-9 <= found.high + 2e-9 <= 1 + 3e-9

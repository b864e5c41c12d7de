"""How far several raters agree: Krippendorff's alpha and the intraclass correlations."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean, variance

from storydesk.domain.estimates import CONFIDENCE, Estimate, bootstrap, f_quantile, t_quantile

Unit = Sequence[float | None]
"""What every rater said about one thing, None where one said nothing."""
_Pairs = Mapping[tuple[float, float], float]
_UPPER = 0.5 + CONFIDENCE / 2
FEW_UNITS = 30
"""Below so many the bootstrap alone is too sure of alpha."""


class Level(StrEnum):
    """What the values mean: mere names, an order, steps of one size, or amounts from nothing up."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"
    RATIO = "ratio"


def krippendorff_alpha(units: Sequence[Unit], level: Level = Level.ORDINAL) -> float | None:
    """Return alpha: 1 for perfect agreement, 0 for that of chance; any number of raters, any of them may be silent.

    None where nothing can be compared: no unit has two values, or all values are the same. Source: Krippendorff 2011,
    "Computing Krippendorff's Alpha-Reliability".
    """
    return _alpha([_pair_values(unit) for unit in units], level)


def estimate_alpha(
    units: Sequence[Unit], level: Level = Level.ORDINAL, *, resamples: int = 1000, seed: int = 7
) -> Estimate | None:
    """Return alpha with an interval by drawing units again (BCa), wider where there are few; None where it has none."""
    pairs = [pairs for pairs in map(_pair_values, units) if pairs]
    found = bootstrap(pairs, lambda drawn: _alpha(drawn, level), resamples=resamples, seed=seed)
    return _widen(found, pairs, level) if found is not None and len(pairs) < FEW_UNITS else found


def _widen(found: Estimate, pairs: Sequence[_Pairs], level: Level) -> Estimate:
    """Return the interval together with Student's about the jackknife (Tukey 1958).

    A handful of units drawn again varies far less than other units would: of four with three raters the bootstrap's
    interval holds the truth 60 to 75 times in 100, both together 85 to 95 times. Where all agree, neither varies; then
    it reaches to what one more unit, on which they took the two ends, would make of it.
    """
    without = (_alpha([*pairs[:place], *pairs[place + 1 :]], level) for place in range(len(pairs)))
    left_out = [value for value in without if value is not None]
    low, high = found.low, found.high
    if len(left_out) > 1:
        spread = (len(left_out) - 1) ** 2 / len(left_out) * variance(left_out)
        reach = t_quantile(_UPPER, len(pairs) - 1) * math.sqrt(spread)
        low, high = min(low, found.value - reach), max(high, found.value + reach)
    if found.value >= 1:
        values = [value for each in pairs for pair in each for value in pair]
        doubted = _alpha([*pairs, _pair_values((min(values), max(values)))], level)
        low = min(low, doubted) if doubted is not None else low
    return Estimate(found.value, low, min(1.0, high), found.count)


def _pair_values(unit: Unit) -> _Pairs:
    """Return a unit's share of the coincidences: every pair of values of different raters, the smaller first."""
    counts = Counter(value for value in unit if value is not None)
    raters = counts.total()
    if raters < 2:
        return {}
    values = sorted(counts)
    pairs: dict[tuple[float, float], float] = {}
    for place, value in enumerate(values):
        if counts[value] > 1:
            pairs[value, value] = counts[value] * (counts[value] - 1) / (raters - 1)
        for other in values[place + 1 :]:
            pairs[value, other] = counts[value] * counts[other] / (raters - 1)
    return pairs


def _alpha(units: Sequence[_Pairs], level: Level) -> float | None:
    together: dict[tuple[float, float], float] = {}
    for pairs in units:
        for pair, weight in pairs.items():
            together[pair] = together.get(pair, 0.0) + weight
    totals: dict[float, float] = {}
    for (value, other), weight in together.items():
        totals[value] = totals.get(value, 0.0) + weight
        if other != value:
            totals[other] = totals.get(other, 0.0) + weight
    distances = _measure_distances(totals, level)
    observed = sum(weight * distances[pair] for pair, weight in together.items() if pair[0] != pair[1])
    expected = sum(totals[value] * totals[other] * apart for (value, other), apart in distances.items())
    if expected <= 0:
        return None
    return 1 - (sum(totals.values()) - 1) * observed / expected


def _measure_distances(totals: Mapping[float, float], level: Level) -> dict[tuple[float, float], float]:
    """Return how far apart two values are, squared, for each pair of different ones."""
    values = sorted(totals)
    below, reached = {}, 0.0
    for value in values:
        below[value] = reached + totals[value] / 2
        reached += totals[value]
    distances = {}
    for place, value in enumerate(values):
        for other in values[place + 1 :]:
            if level is Level.NOMINAL:
                apart = 1.0
            elif level is Level.ORDINAL:
                apart = below[other] - below[value]
            elif level is Level.INTERVAL:
                apart = other - value
            else:
                apart = (other - value) / (other + value) if other + value else 0.0
            distances[value, other] = apart * apart
    return distances


@dataclass(frozen=True, slots=True)
class IntraclassCorrelations:
    """The six of Shrout and Fleiss (1979): of one rater's values, and (``_mean``) of the mean of all raters.

    ``one_way``: each thing has raters of its own. ``agreement``: the same raters, drawn from many, judge all, and how
    strict each of them is counts as disagreement. ``consistency``: these raters only, strictness left out.
    """

    one_way: Estimate
    agreement: Estimate
    consistency: Estimate
    one_way_mean: Estimate
    agreement_mean: Estimate
    consistency_mean: Estimate
    raters: int


@dataclass(frozen=True, slots=True)
class _Spread:
    """Mean squares of a table of ``rows`` things by ``raters`` raters."""

    rows: int
    raters: int
    between_rows: float
    within_rows: float
    between_raters: float
    rest: float


def intraclass_correlations(units: Sequence[Unit]) -> IntraclassCorrelations | None:
    """Return the intraclass correlations over those units that every rater judged.

    None with fewer than two such units or raters, or where every value is the same. Intervals after Shrout and Fleiss
    1979, Psychological Bulletin 86, and McGraw and Wong 1996, Psychological Methods 1.
    """
    table = [[value for value in unit if value is not None] for unit in units if None not in unit]
    if len(table) < 2 or len(table[0]) < 2 or any(len(row) != len(table[0]) for row in table):
        return None
    spread = _measure_spread(table)
    if spread.between_rows <= 0 and spread.within_rows <= 0:
        return None
    free = spread.rows - 1
    one_way = _ratio_based(spread, spread.within_rows, spread.rows * (spread.raters - 1))
    consistency = _ratio_based(spread, spread.rest, free * (spread.raters - 1))
    agreement = _agreement(spread)
    return IntraclassCorrelations(
        one_way,
        agreement,
        consistency,
        _of_mean(one_way, spread.raters),
        _of_mean(agreement, spread.raters),
        _of_mean(consistency, spread.raters),
        spread.raters,
    )


def _measure_spread(table: Sequence[Sequence[float]]) -> _Spread:
    rows, raters = len(table), len(table[0])
    middle = fmean(value for row in table for value in row)
    row_means = [fmean(row) for row in table]
    rater_means = [fmean(row[place] for row in table) for place in range(raters)]
    whole = sum((value - middle) ** 2 for row in table for value in row)
    of_rows = raters * sum((mean - middle) ** 2 for mean in row_means)
    of_raters = rows * sum((mean - middle) ** 2 for mean in rater_means)
    rest = max(whole - of_rows - of_raters, 0.0)
    return _Spread(
        rows,
        raters,
        of_rows / (rows - 1),
        max(whole - of_rows, 0.0) / (rows * (raters - 1)),
        of_raters / (raters - 1),
        rest / ((rows - 1) * (raters - 1)),
    )


def _ratio_based(spread: _Spread, error: float, freedom: int) -> Estimate:
    """Return the correlation of one rater where the spread of rows over an error follows F."""
    free, more = spread.rows - 1, spread.raters - 1
    if error <= 0:
        return Estimate(1.0, 1.0, 1.0, spread.rows)
    ratio = spread.between_rows / error
    low = ratio / f_quantile(_UPPER, free, freedom)
    high = ratio * f_quantile(_UPPER, freedom, free)
    value, lower, upper = ((each - 1) / (each + more) for each in (ratio, low, high))
    return Estimate(value, lower, upper, spread.rows)


def _agreement(spread: _Spread) -> Estimate:
    rows, raters = spread.rows, spread.raters
    of_rows, of_raters, rest = spread.between_rows, spread.between_raters, spread.rest
    whole = of_rows + (raters - 1) * rest + raters * (of_raters - rest) / rows
    value = (of_rows - rest) / whole
    if rest <= 0 and of_raters <= 0:
        return Estimate(1.0, 1.0, 1.0, rows)
    beside = raters * of_raters + (raters * rows - raters - rows) * rest
    if value >= 1:
        return Estimate(value, value, value, rows)
    per_rater = raters * value / (rows * (1 - value))
    per_rest = 1 + raters * value * (rows - 1) / (rows * (1 - value))
    above = (per_rater * of_raters + per_rest * rest) ** 2
    below = (per_rater * of_raters) ** 2 / (raters - 1) + (per_rest * rest) ** 2 / ((rows - 1) * (raters - 1))
    freedom = above / below if below > 0 else float((rows - 1) * (raters - 1))
    freedom = max(freedom, 0.1)
    upper = f_quantile(_UPPER, rows - 1, freedom)
    lower = f_quantile(_UPPER, freedom, rows - 1)
    # With hardly any freedom the quantile is endless; then it is the limit.
    low = rows * (of_rows / upper - rest) / (beside + rows * of_rows / upper)
    high = rows * (lower * of_rows - rest) / (beside + rows * lower * of_rows)
    return Estimate(value, low, high, rows)


def _of_mean(single: Estimate, raters: int) -> Estimate:
    """Return the correlation of the mean of all raters (Spearman and Brown)."""

    def step_up(value: float) -> float:
        below = 1 + (raters - 1) * value
        return raters * value / below if below > 0 else float("-inf")

    return Estimate(step_up(single.value), step_up(single.low), step_up(single.high), single.count)

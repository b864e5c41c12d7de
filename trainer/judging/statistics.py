"""Intervals and correlations: bootstrap over prompts, Spearman's rho and its partial form. numpy only, any thread.

All stories on one prompt are drawn together, since they resemble each other. With n prompts the plain percentile
interval is too short by about sqrt((n - 1) / n) and by the normal instead of the t distribution; its percentiles are
moved outwards by as much (T. Hesterberg, "What Teachers Should Know About the Bootstrap", The American Statistician
69, 2015, section 5.3: the expanded percentile interval).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

DRAWS = 2_000
CONFIDENCE = 0.95
FEWEST_PROMPTS = 3
"""With fewer prompts no interval is given: there is nothing to draw from."""

FEWEST_RATED = 8
"""With fewer rated stories no correlation is given."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its interval; ``low`` and ``high`` are NaN where there are too few prompts for one."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Return whether the interval lies on one side of zero."""
        return self.low > 0 or self.high < 0


class Resampling:
    """The same draws of prompts for every figure of a report, so that differences are paired. Immutable."""

    def __init__(self, prompts: int, seed: int, draws: int = DRAWS) -> None:
        """Draw ``draws`` times as many prompts as there are, with replacement."""
        random = np.random.default_rng(seed)
        chances = np.full(prompts, 1 / prompts) if prompts else np.empty(0)
        shape = (draws, prompts)
        self.counts: Numbers = random.multinomial(prompts, chances, draws).astype(np.float64).reshape(shape)
        """[draws, prompts]: how often each prompt was drawn."""

    def draw_means(self, sums: Numbers, sizes: Numbers) -> Numbers:
        """Return [draws] of the sum of ``sums`` over that of ``sizes``, both [prompts]; NaN where nothing was drawn."""
        with np.errstate(invalid="ignore", divide="ignore"):
            drawn: Numbers = (self.counts @ sums) / (self.counts @ sizes)
        return drawn


def bound(value: float, drawn: Numbers, prompts: int, *, confidence: float = CONFIDENCE) -> Estimate:
    """Return a value with the interval that its draws give; ``prompts`` counts those that it rests on."""
    usable = drawn[np.isfinite(drawn)]
    if prompts < FEWEST_PROMPTS or len(usable) < len(drawn) / 2 or not math.isfinite(value):
        return Estimate(value, math.nan, math.nan)
    tail = _expand((1 - confidence) / 2, prompts)
    low, high = np.quantile(usable, (tail, 1 - tail))
    return Estimate(value, float(low), float(high))


def _expand(tail: float, prompts: int) -> float:
    """Return the share of draws to leave out at each end for an interval that leaves out ``tail``."""
    spread = math.sqrt(prompts / (prompts - 1)) * find_t(1 - tail, prompts - 1)
    return NormalDist().cdf(-spread)


def find_t(share: float, freedom: int) -> float:
    """Return the quantile of Student's t distribution; exact for 1 and 2 degrees of freedom, else to about 0.1 %.

    Hill's expansion about the normal quantile (Abramowitz and Stegun, 26.7.5).
    """
    if freedom == 1:
        return math.tan(math.pi * (share - 0.5))
    if freedom == 2:
        return (2 * share - 1) / math.sqrt(2 * share * (1 - share))
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    for power, term in enumerate(terms, start=1):
        z += term / float(freedom) ** power
    return z


def rank(values: Sequence[float] | Numbers) -> Numbers:
    """Return ranks from 1; equal values share the mean of theirs."""
    found = np.asarray(values, np.float64)
    _, inverse, counts = np.unique(found, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    means: Numbers = (ends - (counts - 1) / 2)[inverse]
    return means


def correlate_ranks(first: Sequence[float] | Numbers, second: Sequence[float] | Numbers) -> float:
    """Return Spearman's rho, with ties; NaN where one side is constant."""
    return float(_correlate(_sum_products([first, second, second]).sum(axis=0, keepdims=True))[0][0])


def correlate_partly(
    first: Sequence[float] | Numbers, second: Sequence[float] | Numbers, third: Sequence[float] | Numbers
) -> float:
    """Return Spearman's rho of two rows with what a third explains of both taken out; NaN where it can't be."""
    return float(_take_out(*_correlate(_sum_products([first, second, third]).sum(axis=0, keepdims=True)))[0])


def bound_correlation(
    first: Sequence[float] | Numbers,
    second: Sequence[float] | Numbers,
    third: Sequence[float] | Numbers,
    prompts: Sequence[int],
    seed: int,
) -> tuple[Estimate, Estimate]:
    """Return rho of the first two, and again with the third taken out, with intervals; stories of a prompt together.

    The ranks are those among all stories, whichever are drawn: ranking each draw anew changes next to nothing and takes
    a thousand times as long.
    """
    products = _sum_products([first, second, third])
    groups, places = np.unique(np.asarray(prompts), return_inverse=True)
    sums = np.zeros((len(groups), products.shape[1]))
    np.add.at(sums, places, products)
    drawn = Resampling(len(groups), seed).counts @ sums
    whole, draws = _correlate(sums.sum(axis=0, keepdims=True)), _correlate(drawn)
    return (
        bound(float(whole[0][0]), draws[0], len(groups)),
        bound(float(_take_out(*whole)[0]), _take_out(*draws), len(groups)),
    )


_PAIRS = ((0, 1), (0, 2), (1, 2))


def _sum_products(rows: Sequence[Sequence[float] | Numbers]) -> Numbers:
    """Return [stories, 10]: of three rows' ranks what adds up to their correlations."""
    ranks = [rank(row) - (len(row) + 1) / 2 for row in rows]
    parts = [np.ones(len(ranks[0])), *ranks, *(row * row for row in ranks), *(ranks[i] * ranks[j] for i, j in _PAIRS)]
    return np.stack(parts, axis=1)


def _correlate(sums: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return the correlations of rows 1 and 2, 1 and 3, 2 and 3 for each draw's sums, [draws, 10].

    A constant row has no correlation: NaN.
    """
    count = sums[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [sums[:, 1 + row] / count for row in range(3)]
        spreads = [sums[:, 4 + row] / count - means[row] ** 2 for row in range(3)]
        found = []
        for number, (one, two) in enumerate(_PAIRS):
            both = sums[:, 7 + number] / count - means[one] * means[two]
            size = np.sqrt(np.maximum(spreads[one], 0) * np.maximum(spreads[two], 0))
            found.append(np.where(size > 1e-9, both / size, np.nan))
    return found[0], found[1], found[2]


def _take_out(between: Numbers, with_one: Numbers, with_two: Numbers) -> Numbers:
    """Return partial correlations; where the third row is constant it explains nothing."""
    with np.errstate(invalid="ignore", divide="ignore"):
        rest = (1 - with_one**2) * (1 - with_two**2)
        partial = np.where(rest > 1e-12, (between - with_one * with_two) / np.sqrt(rest), np.nan)
    found: Numbers = np.where(np.isnan(with_one) | np.isnan(with_two), between, partial)
    return found

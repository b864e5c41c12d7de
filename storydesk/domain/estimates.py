"""Figures that say how sure they are: intervals for shares, means and anything that can be drawn again.

Standard library only. Every interval is two-sided, 95 % unless said otherwise.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance
from typing import TypeVar

CONFIDENCE = 0.95
RESAMPLES = 2000

_T = TypeVar("_T")
_TINY = 1e-300
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, the interval that holds the true one 95 times in 100, and how many observations stand behind it."""

    value: float
    low: float
    high: float
    count: int

    def holds(self, value: float) -> bool:
        """Whether a value lies in the interval."""
        return self.low <= value <= self.high

    @property
    def width(self) -> float:
        """How wide the interval is."""
        return self.high - self.low


def z_of(confidence: float = CONFIDENCE) -> float:
    """Return how many standard errors an interval reaches to each side."""
    return _NORMAL.inv_cdf(0.5 + confidence / 2)


def estimate_share(successes: float, count: float, ties: float = 0.0, *, observed: int | None = None) -> Estimate:
    """Return a share by Wilson's interval; ``successes`` holds half of each tie.

    A tie varies less than a win or a loss; how many of them there are is itself uncertain, so that a handful of nothing
    but ties does not claim to know it all. ``observed`` is what was counted where ``count`` is an effective number
    (Wilson 1927; Newcombe 1998, Statistics in Medicine 17, method 3).
    """
    seen = round(count) if observed is None else observed
    if count <= 0:
        return Estimate(0.5, 0.0, 1.0, 0)
    z2 = z_of() ** 2
    share = successes / count
    tied = ties / (count + z2)
    centre = share + z2 / (2 * count)
    spread = math.sqrt(max(centre**2 - (1 + z2 / count) * (share**2 + z2 * tied / (4 * count)), 0.0))
    low, high = (centre - spread) / (1 + z2 / count), (centre + spread) / (1 + z2 / count)
    return Estimate(share, max(0.0, min(low, share)), min(1.0, max(high, share)), seen)


def estimate_mean(values: Sequence[float]) -> Estimate | None:
    """Return a mean by Student's interval; None without values, an endless interval for a single one."""
    if not values:
        return None
    mean, count = fmean(values), len(values)
    if count == 1:
        return Estimate(mean, -math.inf, math.inf, 1)
    reach = t_quantile(0.5 + CONFIDENCE / 2, count - 1) * math.sqrt(variance(values) / count)
    return Estimate(mean, mean - reach, mean + reach, count)


def bootstrap(
    sample: Sequence[_T],
    statistic: Callable[[Sequence[_T]], float | None],
    *,
    resamples: int = RESAMPLES,
    seed: int = 7,
    corrected: bool = True,
) -> Estimate | None:
    """Return a statistic with an interval out of samples drawn again from the sample.

    ``corrected`` gives Efron's BCa interval (1987, JASA 82), else the percentiles; both a little wider for small
    samples, which vary less than what they come from (Hesterberg 2015, The American Statistician 69). Samples for which
    there is no such statistic (None) are passed over. None where there is none at all, or where nothing can be drawn.
    """
    value = statistic(sample)
    if value is None or len(sample) < 2:
        return None
    draw = random.Random(seed)
    count = len(sample)
    drawn = (statistic(draw.choices(sample, k=count)) for _ in range(resamples))
    found = sorted(each for each in drawn if each is not None)
    if not found:
        return None
    reach = t_quantile(0.5 + CONFIDENCE / 2, count - 1) * math.sqrt(count / (count - 1))
    outer = (_NORMAL.cdf(-reach), _NORMAL.cdf(reach))
    if corrected:
        outer = _correct(sample, statistic, value, found, outer)
    return Estimate(value, percentile(found, outer[0]), percentile(found, outer[1]), count)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which a share of an ordered sample lies, between neighbours where none is at it."""
    place = min(max(share, 0.0), 1.0) * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def _correct(
    sample: Sequence[_T],
    statistic: Callable[[Sequence[_T]], float | None],
    value: float,
    found: Sequence[float],
    outer: tuple[float, float],
) -> tuple[float, float]:
    """Return the shares that stand for ``outer`` where the statistic is biased or varies with its size."""
    below = sum(each < value for each in found) + sum(each == value for each in found) / 2
    bias = _NORMAL.inv_cdf(min(max(below / len(found), 1 / (2 * len(found))), 1 - 1 / (2 * len(found))))
    left_out = [statistic([*sample[:place], *sample[place + 1 :]]) for place in range(len(sample))]
    known = [each for each in left_out if each is not None]
    middle = fmean(known) if known else value
    apart = [middle - each for each in known]
    squares = sum(each**2 for each in apart)
    skew = sum(each**3 for each in apart) / (6 * squares**1.5) if squares > _TINY else 0.0

    def move(share: float) -> float:
        shifted = bias + _NORMAL.inv_cdf(share)
        return _NORMAL.cdf(bias + shifted / max(1 - skew * shifted, 1e-6))

    return move(outer[0]), move(outer[1])


# Distributions


@functools.lru_cache(maxsize=4096)
def f_quantile(share: float, above: float, below: float) -> float:
    """Return the quantile of Fisher's F distribution with these degrees of freedom (above and below the line)."""
    if share <= 0:
        return 0.0
    first, second = above / 2, below / 2
    scale = math.lgamma(first + second) - math.lgamma(first) - math.lgamma(second)
    low, high, place = 0.0, 1.0, first / (first + second)
    for _ in range(200):  # Newton's method, halving where it would leave the bracket
        off = beta_share(place, first, second) - share
        if off > 0:
            high = place
        else:
            low = place
        if abs(off) < 1e-13 or high - low < 1e-16:
            break
        slope = math.exp(scale + (first - 1) * math.log(place) + (second - 1) * math.log1p(-place))
        next_place = place - off / slope if slope > _TINY else 0.0
        place = next_place if low < next_place < high else (low + high) / 2
        if place in (0.0, 1.0):
            break
    return math.inf if place >= 1 else below * place / (above * (1 - place))


def t_quantile(share: float, freedom: float) -> float:
    """Return the quantile of Student's t distribution."""
    if share < 0.5:
        return -t_quantile(1 - share, freedom)
    return math.sqrt(f_quantile(2 * share - 1, 1.0, freedom))


def beta_share(place: float, first: float, second: float) -> float:
    """Return the share of a beta distribution below a place: the regularised incomplete beta function."""
    if place <= 0:
        return 0.0
    if place >= 1:
        return 1.0
    if place > (first + 1) / (first + second + 2):
        return 1 - beta_share(1 - place, second, first)
    front = math.exp(
        math.lgamma(first + second)
        - math.lgamma(first)
        - math.lgamma(second)
        + first * math.log(place)
        + second * math.log1p(-place)
    )
    return front * _continued_fraction(place, first, second) / first


def _continued_fraction(place: float, first: float, second: float) -> float:
    """Return the fraction of the incomplete beta function by Lentz's method."""
    upper, lower = 1.0, 1 / _keep_apart(1 - (first + second) * place / (first + 1))
    whole = lower
    for step in range(1, 1000):
        twice = first + 2 * step
        for term in (
            step * (second - step) * place / ((twice - 1) * twice),
            -(first + step) * (first + second + step) * place / (twice * (twice + 1)),
        ):
            lower = 1 / _keep_apart(1 + term * lower)
            upper = _keep_apart(1 + term / upper)
            factor = upper * lower
            whole *= factor
        if abs(factor - 1) < 1e-15:
            break
    return whole


def _keep_apart(value: float) -> float:
    """Return a value that can be divided by."""
    return value if abs(value) > _TINY else _TINY

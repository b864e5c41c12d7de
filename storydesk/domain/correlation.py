"""How far two rows of figures go together: by rank, with an interval, and with a third one held still."""

from __future__ import annotations

import math
from collections.abc import Sequence

from storydesk.domain.estimates import Estimate, z_of

FEWEST = 5
"""With fewer pairs of figures nothing is said."""


def rank_values(values: Sequence[float]) -> list[float]:
    """Return each value's rank from 1 on; equal ones share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for place in order[start : end + 1]:
            ranks[place] = (start + end) / 2 + 1
        start = end + 1
    return ranks


def pearson(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Return the linear correlation of two rows of one length; None where either does not vary."""
    count = len(first)
    if count != len(second):
        raise ValueError("rows of different length")
    if count < 2:
        return None
    middle, other = math.fsum(first) / count, math.fsum(second) / count
    apart = [value - middle for value in first]
    apart_too = [value - other for value in second]
    scale = math.sqrt(math.fsum(a * a for a in apart)) * math.sqrt(math.fsum(b * b for b in apart_too))
    if scale <= 1e-12 * max(1.0, middle * middle, other * other):
        return None
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(apart, apart_too, strict=True)) / scale))


def spearman(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """Return the correlation of ranks (Bonett and Wright 2000, Psychometrika 65); None with too few figures."""
    if len(first) < FEWEST:
        return None
    value = pearson(rank_values(first), rank_values(second))
    return None if value is None else _by_fisher(value, math.sqrt((1 + value**2 / 2) / (len(first) - 3)), len(first))


def kendall(first: Sequence[float], second: Sequence[float]) -> Estimate | None:
    """Return tau-b, which allows for equal values (interval as for Spearman's); None with too few figures."""
    count = len(first)
    if count < FEWEST:
        return None
    agree = tied_first = tied_second = 0
    for place in range(count):
        for other in range(place):
            one, two = first[place] - first[other], second[place] - second[other]
            tied_first += one == 0
            tied_second += two == 0
            agree += (one * two > 0) - (one * two < 0)
    pairs = count * (count - 1) // 2
    scale = math.sqrt((pairs - tied_first) * (pairs - tied_second))
    return _by_fisher(agree / scale, math.sqrt(0.437 / (count - 4)), count) if scale else None


def partial_spearman(
    first: Sequence[float], second: Sequence[float], held: Sequence[Sequence[float]]
) -> Estimate | None:
    """Return the correlation of ranks with others, such as the length of each text, held still.

    By recursion over what is held; None with too few figures or where nothing is left to vary. Fisher's interval with
    one observation less for each row that is held.
    """
    count = len(first)
    if count < FEWEST + len(held):
        return None
    value = _partial(rank_values(first), rank_values(second), [rank_values(each) for each in held])
    if value is None:
        return None
    return _by_fisher(value, math.sqrt((1 + value**2 / 2) / (count - 3 - len(held))), count)


def _partial(first: Sequence[float], second: Sequence[float], held: Sequence[Sequence[float]]) -> float | None:
    if not held:
        return pearson(first, second)
    *rest, last = held
    both, one, two = _partial(first, second, rest), _partial(first, last, rest), _partial(second, last, rest)
    if one is None or two is None:
        return both  # what does not vary holds nothing back
    scale = (1 - one**2) * (1 - two**2)
    if both is None or scale < 1e-12:
        return None
    return max(-1.0, min(1.0, (both - one * two) / math.sqrt(scale)))


def _by_fisher(value: float, error: float, count: int) -> Estimate:
    """Return a correlation with the interval that is even after Fisher's transformation."""
    if abs(value) >= 1 - 1e-12:
        return Estimate(value, value, value, count)
    middle, reach = math.atanh(value), z_of() * error
    return Estimate(value, math.tanh(middle - reach), math.tanh(middle + reach), count)

"""Which of two is better, and an order of many, out of choices between two; and how many more choices it would take.

Strengths are Bradley and Terry's (1952, Biometrika 39): the log-odds of the first being chosen are the difference of
the two strengths. "No difference" is half a choice for each.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist

from storydesk.domain.estimates import Estimate, estimate_share, z_of
from storydesk.domain.linear_algebra import invert, multiply, solve

FEWEST = 10
"""With fewer choices nothing is called better, however they fell."""
POWER = 0.8
"""How likely the difference is to be told with as many choices as are asked for, if the rate stays what it is."""
MOST = 100_000
"""More choices than this are never asked for: nobody would make them."""
_ENOUGH_CLUSTERS = 30
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Comparison:
    """One choice: ``score`` is 1 where the first was chosen, 0 where the second, 0.5 for no difference.

    Choices with the same ``cluster`` (by several raters about one pair of texts) are not independent of each other.
    """

    first: str
    second: str
    score: float
    cluster: Hashable = None


class Verdict(StrEnum):
    """What can be said of two by now."""

    TOO_FEW = "too_few"
    OPEN = "open"
    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class Duel:
    """Two beside each other: how often the first was chosen (half of each tie), and what that says.

    ``more`` is how many choices besides those made it would take to tell the difference if the rate stays, 0 where it
    is told, None where no number would do.
    """

    first: str
    second: str
    wins: int
    losses: int
    ties: int
    rate: Estimate
    verdict: Verdict
    more: int | None

    @property
    def count(self) -> int:
        """How many choices there are."""
        return self.wins + self.losses + self.ties


def judge_duel(first: str, second: str, comparisons: Iterable[Comparison]) -> Duel:
    """Return what all choices between these two say; those between others are passed over."""
    scores, clusters = [], []
    for place, each in enumerate(comparisons):
        if {each.first, each.second} != {first, second} or first == second:
            continue
        scores.append(each.score if each.first == first else 1 - each.score)
        clusters.append(each.cluster if each.cluster is not None else ("alone", place))
    wins, losses = sum(score > 0.5 for score in scores), sum(score < 0.5 for score in scores)
    ties = len(scores) - wins - losses
    rate = win_rate(scores, clusters)
    if len(scores) < FEWEST:
        verdict = Verdict.TOO_FEW
    elif rate.holds(0.5):
        verdict = Verdict.OPEN
    else:
        verdict = Verdict.FIRST if rate.value > 0.5 else Verdict.SECOND
    told = verdict in (Verdict.FIRST, Verdict.SECOND)
    return Duel(first, second, wins, losses, ties, rate, verdict, 0 if told else _count_more(scores, clusters))


def win_rate(scores: Sequence[float], clusters: Sequence[Hashable] = ()) -> Estimate:
    """Return how often the first was chosen, by Wilson's interval over the effective number of choices.

    Choices that share a cluster count for less than one each, by as much as they are alike.
    """
    count = len(scores)
    effective = count / spread_factor(scores, clusters)
    ties = sum(score == 0.5 for score in scores)
    scale = effective / count if count else 0.0
    return estimate_share(sum(scores) * scale, effective, ties * scale, observed=count)


def spread_factor(scores: Sequence[float], clusters: Sequence[Hashable]) -> float:
    """Return by how much a mean varies more than if all its choices were independent; at least 1 (Kish 1965)."""
    count = len(scores)
    if not clusters or len(set(clusters)) == count:
        return 1.0
    sums: dict[Hashable, float] = {}
    mean = sum(scores) / count
    for score, cluster in zip(scores, clusters, strict=True):
        sums[cluster] = sums.get(cluster, 0.0) + score - mean
    alone = sum((score - mean) ** 2 for score in scores)
    if len(sums) < 2 or alone <= 0:
        return count / len(sums)
    together = sum(each**2 for each in sums.values()) * len(sums) / (len(sums) - 1)
    return min(max(together / alone, 1.0), count / len(sums) if len(sums) else 1.0)


def count_needed(rate: float, *, ties: float = 0.0, power: float = POWER) -> int | None:
    """Return how many choices tell a rate from a half, with this power; None where no number below MOST does.

    ``ties`` is their share, which makes choices vary less.
    """
    apart = abs(rate - 0.5)
    if apart <= 0:
        return None
    alike = math.sqrt(max((1 - ties) / 4, 0.0))
    different = math.sqrt(max(rate * (1 - rate) - ties / 4, 0.0))
    needed = ((z_of() * alike + _NORMAL.inv_cdf(power) * different) / apart) ** 2
    return None if needed > MOST else max(math.ceil(needed), FEWEST)


def count_for_width(rate: float, width: float, *, ties: float = 0.0) -> int:
    """Return how many choices make the interval of a rate no wider than this; MOST where that is still too few."""
    low, high = 1, MOST
    while low < high:
        middle = (low + high) // 2
        if estimate_share(rate * middle, middle, ties * middle).width <= width:
            high = middle
        else:
            low = middle + 1
    return low


def _count_more(scores: Sequence[float], clusters: Sequence[Hashable]) -> int | None:
    """Return how many more choices are needed; without any it is what a rate of two in three would take."""
    count = len(scores)
    if not count:
        return count_needed(2 / 3)
    # A handful of choices that all fell one way must not promise that ten are enough.
    rate = (sum(scores) + 1) / (count + 2)
    needed = count_needed(rate, ties=sum(score == 0.5 for score in scores) / (count + 2))
    if needed is None:
        return None
    whole = math.ceil(needed * spread_factor(scores, clusters))
    return max(whole - count, FEWEST - count, 1) if whole <= MOST else None


# Many


@dataclass(frozen=True, slots=True)
class Standing:
    """One of many: its strength beside the average of its group, and the places that it may hold.

    ``best`` and ``worst`` are 1 for the strongest: so many others are surely stronger, or surely weaker, that it can
    stand no higher and no lower.
    """

    name: str
    strength: Estimate
    best: int
    worst: int
    wins: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """An order of many, the strongest first.

    ``groups`` are those who met each other, directly or through others; strengths of different groups can't be
    compared, so more than one means that there is no common order. ``held_back`` says that somebody won or lost all,
    so that half a choice each way was added to every pair that met, to keep strengths finite.
    """

    standings: tuple[Standing, ...]
    groups: tuple[tuple[str, ...], ...]
    held_back: bool
    apart: Mapping[tuple[str, str], Estimate]
    """The difference of strength for each two of one group, the first less the second."""

    def win_chance(self, first: str, second: str) -> Estimate | None:
        """Return how likely the first is to be chosen over the second; None where they can't be compared."""
        known = self.apart.get((first, second))
        if known is None:
            return None
        return Estimate(_logistic(known.value), _logistic(known.low), _logistic(known.high), known.count)


def rank_all(comparisons: Sequence[Comparison], names: Sequence[str] = ()) -> Ranking:
    """Return an order of all that were compared, and of ``names`` that were not, by Bradley and Terry's model.

    Intervals come from the information; where there are ties or clusters, and of those 30 or more, from how the
    clusters really vary (White 1980, Econometrica 48).
    """
    useful = [each for each in comparisons if each.first != each.second]
    everybody = sorted({name for each in useful for name in (each.first, each.second)} | set(names))
    groups = _find_groups(everybody, useful)
    standings: list[Standing] = []
    apart: dict[tuple[str, str], Estimate] = {}
    held_back = False
    for group in groups:
        own = [each for each in useful if each.first in group]
        found, differences, held = _rank_group(group, own)
        standings += found
        apart |= differences
        held_back = held_back or held
    standings.sort(key=lambda each: (-each.strength.value, each.name))
    return Ranking(tuple(standings), tuple(groups), held_back, apart)


def fit_strengths(wins: Sequence[Sequence[float]], *, steps: int = 200) -> list[float]:
    """Return the strengths of greatest likelihood, their mean 0, for a connected table of wins (row over column).

    Newton's method, kept from overshooting by halving. Raise ValueError where they would be endless.
    """
    size = len(wins)
    if not is_bounded(wins):
        raise ValueError("somebody won or lost everything")
    strengths = [0.0] * size
    likelihood = _measure_likelihood(wins, strengths)
    for _ in range(steps):
        slope, information = _differentiate(wins, strengths)
        step = solve(information, slope)
        scale = 1.0
        while scale > 1e-9:
            trial = [strength + scale * move for strength, move in zip(strengths, step, strict=True)]
            reached = _measure_likelihood(wins, trial)
            if reached >= likelihood:
                break
            scale /= 2
        else:
            break
        middle = sum(trial) / size
        strengths, likelihood = [strength - middle for strength in trial], reached
        if scale * max(map(abs, step)) < 1e-10:
            break
    return strengths


def is_bounded(wins: Sequence[Sequence[float]]) -> bool:
    """Return whether every two are joined by wins in both directions, so that strengths are finite (Ford 1957)."""
    size = len(wins)
    for forward in (True, False):
        seen, waiting = {0}, [0]
        while waiting:
            one = waiting.pop()
            for other in range(size):
                if other not in seen and (wins[one][other] if forward else wins[other][one]) > 0:
                    seen.add(other)
                    waiting.append(other)
        if len(seen) < size:
            return False
    return True


def _rank_group(
    group: Sequence[str], comparisons: Sequence[Comparison]
) -> tuple[list[Standing], dict[tuple[str, str], Estimate], bool]:
    places = {name: place for place, name in enumerate(group)}
    size = len(group)
    wins = [[0.0] * size for _ in group]
    for each in comparisons:
        first, second = places[each.first], places[each.second]
        wins[first][second] += each.score
        wins[second][first] += 1 - each.score
    totals = [sum(row) for row in wins]
    met = [sum(wins[one][other] + wins[other][one] for other in range(size)) for one in range(size)]
    if size == 1:
        return [Standing(group[0], Estimate(0.0, -math.inf, math.inf, 0), 1, 1, 0.0)], {}, False
    held_back = not is_bounded(wins)
    if held_back:
        wins = [
            [wins[one][other] + (0.5 if wins[one][other] + wins[other][one] > 0 else 0.0) for other in range(size)]
            for one in range(size)
        ]
    strengths = fit_strengths(wins)
    covariance = _measure_covariance(wins, strengths, comparisons, places)
    reach = z_of()

    def measure(value: float, spread: float, count: float) -> Estimate:
        error = reach * math.sqrt(max(spread, 0.0))
        return Estimate(value, value - error, value + error, round(count))

    apart = {
        (name, other): measure(
            strengths[one] - strengths[two],
            covariance[one][one] + covariance[two][two] - 2 * covariance[one][two],
            min(met[one], met[two]),
        )
        for one, name in enumerate(group)
        for two, other in enumerate(group)
        if one != two
    }
    standings = []
    for place, name in enumerate(group):
        others = [apart[name, other] for other in group if other != name]
        best = 1 + sum(each.high < 0 for each in others)
        worst = size - sum(each.low > 0 for each in others)
        strength = measure(strengths[place], covariance[place][place], met[place])
        standings.append(Standing(name, strength, best, worst, totals[place]))
    return standings, apart, held_back


def _find_groups(names: Sequence[str], comparisons: Iterable[Comparison]) -> list[tuple[str, ...]]:
    """Return those who met, directly or through others, the largest group first."""
    leader = {name: name for name in names}

    def lead(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    for each in comparisons:
        leader[lead(each.first)] = lead(each.second)
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(lead(name), []).append(name)
    return sorted((tuple(group) for group in groups.values()), key=lambda group: (-len(group), group))


def _measure_likelihood(wins: Sequence[Sequence[float]], strengths: Sequence[float]) -> float:
    return sum(
        count * _log_logistic(strengths[one] - strengths[other])
        for one, row in enumerate(wins)
        for other, count in enumerate(row)
        if count > 0
    )


def _differentiate(
    wins: Sequence[Sequence[float]], strengths: Sequence[float]
) -> tuple[list[float], list[list[float]]]:
    """Return the slope of the likelihood and the information; a constant on it keeps the mean where it is."""
    size = len(wins)
    slope = [0.0] * size
    information = [[1.0 / size] * size for _ in range(size)]
    for one in range(size):
        for other in range(size):
            met = wins[one][other] + wins[other][one]
            if one == other or met <= 0:
                continue
            chance = _logistic(strengths[one] - strengths[other])
            slope[one] += wins[one][other] - met * chance
            weight = met * chance * (1 - chance)
            information[one][one] += weight
            information[one][other] -= weight
    return slope, information


def _measure_covariance(
    wins: Sequence[Sequence[float]],
    strengths: Sequence[float],
    comparisons: Sequence[Comparison],
    places: Mapping[str, int],
) -> list[list[float]]:
    """Return how the strengths vary together, their sum held at 0."""
    size = len(wins)
    _, information = _differentiate(wins, strengths)
    inverse = invert(information)
    inverse = [[value - 1.0 / size for value in row] for row in inverse]
    slopes: dict[Hashable, list[float]] = {}
    for number, each in enumerate(comparisons):
        first, second = places[each.first], places[each.second]
        surplus = each.score - _logistic(strengths[first] - strengths[second])
        slope = slopes.setdefault(each.cluster if each.cluster is not None else ("alone", number), [0.0] * size)
        slope[first] += surplus
        slope[second] -= surplus
    clusters = len(slopes)
    is_plain = clusters == len(comparisons) and all(each.score in (0.0, 1.0) for each in comparisons)
    if is_plain or clusters < max(_ENOUGH_CLUSTERS, 3 * size):
        return inverse
    scale = clusters / (clusters - size + 1)
    middle = [[0.0] * size for _ in range(size)]
    for slope in slopes.values():
        busy = [place for place, value in enumerate(slope) if value]
        for one in busy:
            for other in busy:
                middle[one][other] += scale * slope[one] * slope[other]
    return multiply(multiply(inverse, middle), inverse)


def _logistic(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))


def _log_logistic(value: float) -> float:
    return -math.log1p(math.exp(-value)) if value >= 0 else value - math.log1p(math.exp(value))

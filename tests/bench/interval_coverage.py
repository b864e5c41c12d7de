"""How often intervals that should hold the truth 95 times in 100 do, in simulations whose truth is known.

``python -m tests.bench.interval_coverage [--trials N] [--only WORDS]`` prints a table;
tests/unit/test_domain_intervals.py runs the quick ones with fewer trials.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import fmean

from storydesk.domain.agreement import Level, estimate_alpha, intraclass_correlations, krippendorff_alpha
from storydesk.domain.correlation import kendall, partial_spearman, spearman
from storydesk.domain.estimates import Estimate, bootstrap, estimate_mean, estimate_share
from storydesk.domain.pairwise import Comparison, rank_all, win_rate

Trial = Callable[[random.Random], Estimate | None]


@dataclass(frozen=True)
class Simulation:
    """A way to draw data and estimate, and the truth that the interval ought to hold; ``cost`` is seconds a trial."""

    name: str
    truth: float
    trial: Trial
    cost: float = 0.0005


def measure_coverage(simulation: Simulation, trials: int, seed: int = 7) -> tuple[float, float]:
    """Return the share of trials whose interval holds the truth, and the mean width of the intervals."""
    draw = random.Random(seed)
    held, widths = 0, []
    for _ in range(trials):
        estimate = simulation.trial(draw)
        assert estimate is not None
        held += estimate.holds(simulation.truth)
        widths.append(estimate.width)
    return held / trials, fmean(widths)


def list_simulations() -> list[Simulation]:
    """Return all of them."""
    return [
        *_shares(),
        Simulation("mean of 12 ratings from 1 to 5", *_rating_mean(12)),
        Simulation("mean of 40 ratings from 1 to 5", *_rating_mean(40)),
        *_bootstraps(),
        *_agreements(),
        *_rankings(),
        *_correlations(),
    ]


def _shares() -> Iterable[Simulation]:
    for rate, count in ((0.5, 20), (0.7, 30), (0.6, 100), (0.85, 50)):

        def draw_share(draw: random.Random, rate: float = rate, count: int = count) -> Estimate:
            return estimate_share(sum(draw.random() < rate for _ in range(count)), count)

        yield Simulation(f"win rate {rate:g}, {count} choices", rate, draw_share)

    def draw_ties(draw: random.Random) -> Estimate:
        return win_rate([draw.choices((1.0, 0.5, 0.0), (0.45, 0.3, 0.25))[0] for _ in range(40)])

    yield Simulation("win rate 0.6, 40 choices, 30 % ties", 0.6, draw_ties)

    def draw_clusters(draw: random.Random) -> Estimate:
        scores, clusters = [], []
        for number in range(40):
            rate = draw.betavariate(1.8, 1.2)  # of 0.6 in the mean; raters of one pair are alike
            scores += [float(draw.random() < rate) for _ in range(3)]
            clusters += [number] * 3
        return win_rate(scores, clusters)

    yield Simulation("win rate 0.6, 3 raters on each of 40 pairs", 0.6, draw_clusters)


def _rating_mean(count: int) -> tuple[float, Trial]:
    points, weights = (1, 2, 3, 4, 5), (0.1, 0.2, 0.3, 0.25, 0.15)
    truth = sum(point * weight for point, weight in zip(points, weights, strict=True))
    return truth, lambda draw: estimate_mean([float(each) for each in draw.choices(points, weights, k=count)])


def _bootstraps() -> Iterable[Simulation]:
    def lengths(draw: random.Random) -> list[float]:
        return [draw.gammavariate(4, 50) for _ in range(60)]

    yield Simulation("bootstrap (BCa): mean of 60 lengths", 200.0, lambda draw: bootstrap(lengths(draw), fmean), 0.02)

    def ratio(pairs: Iterable[tuple[float, float]]) -> float:
        kept = list(pairs)
        return sum(a for a, _ in kept) / sum(b for _, b in kept)

    def draw_ratio(draw: random.Random) -> Estimate | None:
        sizes = [draw.gammavariate(4, 50) for _ in range(60)]
        return bootstrap([(size * draw.gauss(2, 0.5), size) for size in sizes], ratio)

    yield Simulation("bootstrap (BCa): ratio of sums, 60 texts", 2.0, draw_ratio, 0.06)


def _agreements() -> Iterable[Simulation]:
    def rows(draw: random.Random, count: int, raters: int, spread: float, of_raters: float) -> list[list[float]]:
        strict = [draw.gauss(0, of_raters) for _ in range(raters)]
        middles = [draw.gauss(0, 1) for _ in range(count)]
        return [[middle + rater + draw.gauss(0, spread) for rater in strict] for middle in middles]

    def pick(name: str, of_raters: float, count: int, raters: int) -> Trial:
        def trial(draw: random.Random) -> Estimate | None:
            found = intraclass_correlations(rows(draw, count, raters, 1.0, of_raters))
            return getattr(found, name) if found is not None else None

        return trial

    yield Simulation("ICC(1,1) 0.5, 30 texts, 3 raters", 0.5, pick("one_way", 0.0, 30, 3))
    yield Simulation("ICC(2,1) 0.44, 30 texts, 4 raters", 1 / 2.25, pick("agreement", 0.5, 30, 4))
    yield Simulation("ICC(3,1) 0.5, 30 texts, 3 raters", 0.5, pick("consistency", 0.5, 30, 3))
    yield Simulation("ICC(3,k) 0.75, 30 texts, 3 raters", 0.75, pick("consistency_mean", 0.5, 30, 3))

    def scale(row: list[float]) -> list[float | None]:
        return [float(min(max(round(3 + value), 1), 5)) for value in row]

    for level in (Level.ORDINAL, Level.NOMINAL):
        sure = random.Random(1)
        truth = krippendorff_alpha([scale(row) for row in rows(sure, 60_000, 3, 0.8, 0.0)], level)
        assert truth is not None

        def draw_alpha(draw: random.Random, level: Level = level) -> Estimate | None:
            units = [scale(row) for row in rows(draw, 60, 3, 0.8, 0.0)]
            gaps = [[None if draw.random() < 0.1 else value for value in unit] for unit in units]
            return estimate_alpha(gaps, level)

        yield Simulation(f"alpha ({level}) {truth:.2f}, 60 texts, 3 raters, 10 % silent", truth, draw_alpha, 0.1)
        for count in (4, 6, 10, 15):

            def draw_few(draw: random.Random, level: Level = level, count: int = count) -> Estimate | None:
                found = None
                while found is None:  # where all said the same there is no alpha, and nothing is claimed
                    found = estimate_alpha([scale(row) for row in rows(draw, count, 3, 0.8, 0.0)], level, resamples=300)
                return found

            yield Simulation(f"alpha ({level}) {truth:.2f}, only {count} texts, 3 raters", truth, draw_few, 0.02)


def _rankings() -> Iterable[Simulation]:
    strengths = {"a": 0.8, "b": 0.3, "c": 0.0, "d": -0.3, "e": -0.8}
    names = list(strengths)

    def choices(draw: random.Random, each: int, ties: float) -> list[Comparison]:
        made = []
        for place, first in enumerate(names):
            for second in names[place + 1 :]:
                chance = 1 / (1 + math.exp(strengths[second] - strengths[first]))
                for _ in range(each):
                    tied = draw.random() < ties
                    made.append(Comparison(first, second, 0.5 if tied else float(draw.random() < chance)))
        return made

    def trial(each: int) -> Trial:
        return lambda draw: rank_all(choices(draw, each, 0.0)).apart["a", "c"]

    yield Simulation("Bradley-Terry: a less c, 5 models, 10 choices a pair", 0.8, trial(10), 0.002)
    yield Simulation("Bradley-Terry: a less c, 5 models, 40 choices a pair", 0.8, trial(40), 0.004)
    yield Simulation(
        "Bradley-Terry: strength of a, 5 models, 20 choices a pair",
        0.8,
        lambda draw: next(s.strength for s in rank_all(choices(draw, 20, 0.0)).standings if s.name == "a"),
        0.003,
    )
    yield Simulation(
        "Bradley-Terry: chance of b over c, 20 choices a pair",
        1 / (1 + math.exp(-0.3)),
        lambda draw: rank_all(choices(draw, 20, 0.0)).win_chance("b", "c"),
        0.003,
    )


def _correlations() -> Iterable[Simulation]:
    def two(draw: random.Random, count: int, rho: float) -> tuple[list[float], list[float]]:
        first = [draw.gauss(0, 1) for _ in range(count)]
        return first, [rho * each + math.sqrt(1 - rho**2) * draw.gauss(0, 1) for each in first]

    def of_ranks(rho: float) -> float:
        return 6 / math.pi * math.asin(rho / 2)

    yield Simulation("Spearman 0.48, 40 texts", of_ranks(0.5), lambda draw: spearman(*two(draw, 40, 0.5)))
    yield Simulation(
        "Kendall 0.33, 40 texts", 2 / math.pi * math.asin(0.5), lambda draw: kendall(*two(draw, 40, 0.5)), 0.001
    )

    def held(draw: random.Random) -> Estimate | None:
        lengths = [draw.gauss(0, 1) for _ in range(50)]
        shared = [draw.gauss(0, 1) for _ in lengths]
        first = [0.7 * length + 0.6 * own + 0.4 * draw.gauss(0, 1) for length, own in zip(lengths, shared, strict=True)]
        second = [
            0.5 * length + 0.6 * own + 0.6 * draw.gauss(0, 1) for length, own in zip(lengths, shared, strict=True)
        ]
        return partial_spearman(first, second, [lengths])

    one, two_ = math.sqrt(0.49 + 0.36 + 0.16), math.sqrt(0.25 + 0.36 + 0.36)
    both, with_first, with_second = of_ranks((0.35 + 0.36) / (one * two_)), of_ranks(0.7 / one), of_ranks(0.5 / two_)
    truth = (both - with_first * with_second) / math.sqrt((1 - with_first**2) * (1 - with_second**2))
    yield Simulation(f"Spearman {truth:.2f} with length held still, 50 texts", truth, held, 0.001)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--only", default="", help="simulations with these words in their name")
    arguments = parser.parse_args()
    trials = arguments.trials
    print(f"{'simulation':<62}{'truth':>8}{'held':>8}{'width':>8}  of {trials} trials")
    for simulation in list_simulations():
        if arguments.only.casefold() not in simulation.name.casefold():
            continue
        begun = time.perf_counter()
        share, width = measure_coverage(simulation, trials)
        seconds = time.perf_counter() - begun
        print(f"{simulation.name:<62}{simulation.truth:>8.3f}{share:>8.1%}{width:>8.3f}  {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()

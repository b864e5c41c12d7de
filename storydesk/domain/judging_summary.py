"""What raters said, added up: averages, choices, an order of many, how far they agree, and how much more it takes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

from storydesk.domain.agreement import IntraclassCorrelations, Level, estimate_alpha, intraclass_correlations
from storydesk.domain.correlation import kendall, partial_spearman, spearman
from storydesk.domain.estimates import Estimate, estimate_mean, z_of
from storydesk.domain.judging import Choice, ContenderKind, Criterion, Entry, SheetContent, fingerprint
from storydesk.domain.manuscript import count_words
from storydesk.domain.pairwise import (
    FEWEST,
    MOST,
    POWER,
    Comparison,
    Duel,
    Ranking,
    Verdict,
    judge_duel,
    rank_all,
)

_FEWEST_PROMPTS = 5
"""From so many prompts on, what is said of one prompt counts once, for a model is judged over prompts."""
_SCORES = {Choice.FIRST: 1.0, Choice.SECOND: 0.0, Choice.NEITHER: 0.5}


@dataclass(frozen=True, slots=True)
class ContenderAverages:
    """What was said about one contender: each criterion's average with its interval."""

    name: str
    kind: ContenderKind
    texts: int
    ratings: int
    averages: Mapping[Criterion, Estimate]


@dataclass(frozen=True, slots=True)
class RatedDifference:
    """By how many points the first is above the second, over the prompts that both answered.

    ``more`` is how many more such prompts it would take to tell, 0 where it is told, None where no number would do.
    """

    first: str
    second: str
    criterion: Criterion
    points: Estimate
    verdict: Verdict
    more: int | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far raters agree on one criterion, or on which of two is better where ``criterion`` is None.

    ``texts`` were judged by two raters at least. ``alpha`` and ``correlations`` are None where nothing can be said.
    """

    criterion: Criterion | None
    raters: int
    texts: int
    alpha: Estimate | None
    correlations: IntraclassCorrelations | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """All that one or several sheets say."""

    items: int
    ratings: int
    choices: int
    raters: int
    contenders: tuple[ContenderAverages, ...]
    differences: tuple[RatedDifference, ...]
    duels: tuple[Duel, ...]
    ranking: Ranking | None
    agreements: tuple[Agreement, ...]

    def find_difference(self, first: str, second: str, criterion: Criterion) -> RatedDifference | None:
        """Return a difference, whichever way round it is kept."""
        wanted = {first, second}
        return next((d for d in self.differences if {d.first, d.second} == wanted and d.criterion is criterion), None)


@dataclass(frozen=True, slots=True)
class MetricCorrelation:
    """How far a metric goes with a criterion over texts: by rank, and with the texts' length held still."""

    criterion: Criterion
    texts: int
    spearman: Estimate | None
    kendall: Estimate | None
    with_length_held: Estimate | None


def summarise(contents: Sequence[SheetContent], names: Mapping[str, str] | None = None) -> Summary:
    """Return what sheets say together. ``names`` are said in place of the contenders' own."""
    shown = names or {}
    comparisons = list_comparisons(contents, shown)
    everybody = sorted({shown.get(n, n) for each in contents for n in list_contenders(each)})
    duels = [
        judge_duel(first, second, comparisons)
        for place, first in enumerate(everybody)
        for second in everybody[place + 1 :]
    ]
    met = tuple(duel for duel in duels if duel.count)
    said = [rating for each in contents for rating in each.ratings if rating.value is not None]
    chosen = [choice for each in contents for choice in each.choices if choice.choice is not None]
    return Summary(
        sum(len(each.items) for each in contents),
        len(said),
        len(chosen),
        len({each.rater_id for each in said} | {each.rater_id for each in chosen}),
        tuple(_average_contenders(contents, shown)),
        tuple(_compare_contenders(contents, shown)),
        met,
        rank_all(comparisons) if comparisons else None,
        tuple(_measure_agreement(contents)),
    )


def list_contenders(content: SheetContent) -> list[str]:
    """Return who competes on a sheet, in the order of the alphabet; nobody on one from elsewhere."""
    return sorted({entry.contender for item in content.items for entry in item.entries if entry.contender})


def name_blindly(contents: Iterable[SheetContent]) -> dict[str, str]:
    """Return a letter for each contender, in an order that says nothing about who it is."""
    seeds: dict[str, str] = {}
    for content in contents:
        for name in list_contenders(content):
            seeds.setdefault(name, fingerprint(str(content.sheet.seed), name))
    return {name: _letter(place) for place, name in enumerate(sorted(seeds, key=seeds.__getitem__))}


def list_comparisons(contents: Iterable[SheetContent], names: Mapping[str, str] | None = None) -> list[Comparison]:
    """Return every choice between two different contenders.

    Those on one prompt, or with few prompts on one pair of texts, are a cluster.
    """
    shown = names or {}
    kept = list(contents)
    by_prompt = len({item.prompt for each in kept for item in each.items if item.is_pair}) >= _FEWEST_PROMPTS
    comparisons = []
    for content in kept:
        items = {item.id: item for item in content.items}
        for choice in content.choices:
            item = items.get(choice.item_id)
            if item is None or item.second is None or choice.choice is None:
                continue
            first, second = item.first.contender, item.second.contender
            if first and second and first != second:
                cluster = item.prompt if by_prompt else item.key
                score = _SCORES[choice.choice]
                comparisons.append(Comparison(shown.get(first, first), shown.get(second, second), score, cluster))
    return comparisons


def average_ratings(contents: Iterable[SheetContent], criterion: Criterion) -> dict[str, tuple[Entry, float]]:
    """Return each rated text by its fingerprint, with the mean of what all raters said."""
    said: dict[str, tuple[Entry, list[int]]] = {}
    for content in contents:
        items = {item.id: item for item in content.items}
        for rating in content.ratings:
            item = items.get(rating.item_id)
            if item is not None and rating.criterion is criterion and rating.value is not None:
                entry = item.first
                said.setdefault(fingerprint(entry.prompt, entry.text), (entry, []))[1].append(rating.value)
    return {key: (entry, fmean(values)) for key, (entry, values) in said.items()}


def correlate(
    contents: Sequence[SheetContent], criterion: Criterion, figures: Mapping[str, float]
) -> MetricCorrelation:
    """Return how far a metric goes with what raters said; ``figures`` by ``fingerprint`` of prompt and text."""
    rated = average_ratings(contents, criterion)
    both = [(figures[key], mean, entry) for key, (entry, mean) in rated.items() if key in figures]
    usable = [each for each in both if math.isfinite(each[0])]
    metric, means = [each[0] for each in usable], [each[1] for each in usable]
    lengths = [float(count_words(each[2].text)) for each in usable]
    return MetricCorrelation(
        criterion,
        len(usable),
        spearman(metric, means),
        kendall(metric, means),
        partial_spearman(metric, means, [lengths]),
    )


def _average_contenders(contents: Sequence[SheetContent], names: Mapping[str, str]) -> Iterable[ContenderAverages]:
    found: dict[str, dict[Criterion, list[tuple[str, float]]]] = {}
    kinds: dict[str, ContenderKind] = {}
    counts: dict[str, int] = {}
    for criterion in Criterion:
        for entry, mean in average_ratings(contents, criterion).values():
            if entry.contender:
                name = names.get(entry.contender, entry.contender)
                kinds[name] = entry.kind
                found.setdefault(name, {}).setdefault(criterion, []).append((entry.prompt, mean))
    for content in contents:
        items = {item.id: item for item in content.items}
        for rating in content.ratings:
            item = items.get(rating.item_id)
            if item is not None and rating.value is not None and item.first.contender:
                name = names.get(item.first.contender, item.first.contender)
                counts[name] = counts.get(name, 0) + 1
    for name in sorted(found):
        averages = {}
        for criterion, means in found[name].items():
            estimate = estimate_mean(_by_prompt(means))
            if estimate is not None:
                averages[criterion] = estimate
        texts = max(len(means) for means in found[name].values())
        yield ContenderAverages(name, kinds[name], texts, counts.get(name, 0), averages)


def _by_prompt(means: Sequence[tuple[str, float]]) -> list[float]:
    """Return one figure a prompt, or with few prompts one a text."""
    prompts: dict[str, list[float]] = {}
    for prompt, mean in means:
        prompts.setdefault(prompt, []).append(mean)
    if len(prompts) < _FEWEST_PROMPTS:
        return [mean for _, mean in means]
    return [fmean(values) for values in prompts.values()]


def _compare_contenders(contents: Sequence[SheetContent], names: Mapping[str, str]) -> Iterable[RatedDifference]:
    for criterion in Criterion:
        said: dict[str, dict[str, list[float]]] = {}
        for entry, mean in average_ratings(contents, criterion).values():
            if entry.contender:
                name = names.get(entry.contender, entry.contender)
                said.setdefault(name, {}).setdefault(entry.prompt, []).append(mean)
        everybody = sorted(said)
        for place, first in enumerate(everybody):
            for second in everybody[place + 1 :]:
                shared = [prompt for prompt in said[first] if prompt in said[second]]
                apart = [fmean(said[first][prompt]) - fmean(said[second][prompt]) for prompt in shared]
                if apart:
                    yield _judge_difference(first, second, criterion, apart)


def _judge_difference(first: str, second: str, criterion: Criterion, apart: Sequence[float]) -> RatedDifference:
    points = estimate_mean(apart) or Estimate(0.0, -math.inf, math.inf, 0)
    if len(apart) < FEWEST:
        verdict = Verdict.TOO_FEW
    elif points.holds(0.0):
        verdict = Verdict.OPEN
    else:
        verdict = Verdict.FIRST if points.value > 0 else Verdict.SECOND
    more: int | None = 0
    if verdict in (Verdict.TOO_FEW, Verdict.OPEN):
        more = _count_more_prompts(apart)
    return RatedDifference(first, second, criterion, points, verdict, more)


def _count_more_prompts(apart: Sequence[float]) -> int | None:
    """Return how many more prompts tell a difference that stays what it is; None where no number below MOST does."""
    middle = fmean(apart)
    if len(apart) < 2:
        return FEWEST - len(apart)
    if not middle:
        return None
    # With few prompts their spread is itself uncertain; half a point at least is what people differ by.
    spread = max(stdev(apart), 0.5)
    needed = ((z_of() + NormalDist().inv_cdf(POWER)) * spread / middle) ** 2
    return None if needed > MOST else max(math.ceil(needed) - len(apart), FEWEST - len(apart), 1)


def _measure_agreement(contents: Sequence[SheetContent]) -> Iterable[Agreement]:
    for criterion in Criterion:
        table: dict[int, dict[int, float]] = {}
        for content in contents:
            for rating in content.ratings:
                if rating.criterion is criterion and rating.value is not None:
                    table.setdefault(rating.item_id, {})[rating.rater_id] = float(rating.value)
        if table:
            yield _agree(criterion, table, Level.ORDINAL)
    chosen: dict[int, dict[int, float]] = {}
    for content in contents:
        for choice in content.choices:
            if choice.choice is not None:
                chosen.setdefault(choice.item_id, {})[choice.rater_id] = _SCORES[choice.choice]
    if chosen:
        yield _agree(None, chosen, Level.NOMINAL)


def _agree(criterion: Criterion | None, table: Mapping[int, Mapping[int, float]], level: Level) -> Agreement:
    raters = sorted({rater for row in table.values() for rater in row})
    units = [[row.get(rater) for rater in raters] for row in table.values()]
    shared = [unit for unit in units if sum(value is not None for value in unit) > 1]
    alpha = estimate_alpha(shared, level) if shared else None
    correlations = intraclass_correlations(shared) if shared and criterion is not None else None
    return Agreement(criterion, len(raters), len(shared), alpha, correlations)


def _letter(place: int) -> str:
    """Return A, B, … Z, AA, AB and so on."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(ord("A") + rest) + name
    return name

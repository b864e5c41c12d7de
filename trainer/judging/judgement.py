"""What a job found, as one record: figures with intervals, differences, correlations, settings in order."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from trainer.corpus.document import Document
from trainer.judging.cells import PEOPLE, Cell, make_story_id
from trainer.judging.material import Ratings
from trainer.judging.metrics import Direction, Group, Metric
from trainer.judging.quantities import Quantity, StoryValues, compare
from trainer.judging.statistics import (
    CONFIDENCE,
    FEWEST_RATED,
    Estimate,
    Numbers,
    Resampling,
    bound,
    bound_correlation,
)

AS_WRITTEN, EQUAL_LENGTH = "written", "equal"
"""Whether a figure is of whole stories or of stories cut to equal length."""

NO_SETTINGS = -1
"""Stands for the settings of what does not depend on any: how a model predicts stories of people."""

_EVERY_PAIR = 4
"""Of more models than this only the first is compared with each of the others."""

TARGETS = ("distinct_2", "repetition_3", "shared_3", "story_perplexity", "grade")
"""What has to be like people's stories for settings to be good; a figure each for variety, loops, sameness, dullness
and form. Length is left out, since the job cuts stories off."""

Key = tuple[int, int, str]
"""Model, settings and AS_WRITTEN or EQUAL_LENGTH."""


@dataclass(frozen=True, slots=True)
class Findings:
    """All values of stories, by metric and key; names of models and settings are the request's, by number."""

    styles: Sequence[str]
    settings: Sequence[Mapping[str, float]]
    documents: Sequence[Document]
    cells: Sequence[Cell]
    metrics: Sequence[Metric]
    values: Mapping[str, Mapping[Key, StoryValues]]
    seed: int
    quantities: dict[str, dict[Key, Quantity]] = field(default_factory=dict)

    def add_up(self) -> None:
        """Add the values of stories up for each prompt."""
        for name, by_key in self.values.items():
            prompts = len(self.documents)
            self.quantities[name] = {key: values.add_up(prompts) for key, values in by_key.items() if values.counted}


def judge_findings(findings: Findings, ratings: Ratings) -> dict[str, Any]:
    """Return values, differences, correlations and the order of settings as plain records; NaN is None."""
    findings.add_up()
    resampling = Resampling(len(findings.documents), findings.seed)
    found: dict[str, Any] = {
        "values": list(_list_values(findings, resampling)),
        "differences": list(_list_differences(findings, resampling)),
        "correlations": list(_list_correlations(findings, ratings)),
        "sweep": list(_order_settings(findings, resampling)),
    }
    return {name: _without_nan(part) for name, part in found.items()}


def _name_style(findings: Findings, style: int) -> str:
    return "" if style == PEOPLE else findings.styles[style]


def _list_values(findings: Findings, resampling: Resampling) -> Iterator[dict[str, Any]]:
    for metric in findings.metrics:
        for (style, settings, control), quantity in sorted(findings.quantities.get(metric.name, {}).items()):
            yield {
                "metric": metric.name,
                "style": _name_style(findings, style),
                "settings": settings,
                "control": control,
                **_as_record(quantity.estimate(resampling)),
                "stories": quantity.stories,
                "prompts": quantity.prompts,
            }


def _list_differences(findings: Findings, resampling: Resampling) -> Iterator[dict[str, Any]]:
    """Compare models with the same settings, paired by prompt."""
    numbers = range(len(findings.styles))
    pairs = list(itertools.combinations(numbers, 2))
    if len(numbers) > _EVERY_PAIR:
        pairs = [(0, other) for other in numbers[1:]]
    for metric in findings.metrics:
        found = findings.quantities.get(metric.name, {})
        for (style, settings, control), first in sorted(found.items()):
            for one, other in pairs:
                second = found.get((other, settings, control))
                if style != one or second is None:
                    continue
                people = found.get((PEOPLE, NO_SETTINGS, control)) if metric.direction is Direction.NEARER else None
                difference, away = compare(first, second, resampling, nearer_to=people)
                yield {
                    "metric": metric.name,
                    "settings": settings,
                    "control": control,
                    "first": findings.styles[one],
                    "second": findings.styles[other],
                    **_as_record(difference),
                    "better": _find_better(metric, difference, away, findings.styles[one], findings.styles[other]),
                }


def _find_better(metric: Metric, difference: Estimate, away: Estimate | None, first: str, second: str) -> str:
    """Return the better model's name, "" where they can't be told apart or neither way is better."""
    if metric.direction is Direction.NEARER:
        if away is None or not away.excludes_zero:
            return ""
        return first if away.high < 0 else second
    if metric.direction is Direction.NONE or not difference.excludes_zero:
        return ""
    return first if (difference.low > 0) == (metric.direction is Direction.HIGHER) else second


# Correlation with ratings.


_LENGTH = "words"
"""The metric that is length itself: nothing of it is left once length is taken out."""
_NOTHING: Mapping[str, float] = {"value": math.nan, "low": math.nan, "high": math.nan}


def _list_correlations(findings: Findings, ratings: Ratings) -> Iterator[dict[str, Any]]:
    """Compare each metric of single stories with each criterion of people's ratings."""
    if not ratings:
        return
    criteria = sorted({criterion for means in ratings.values() for criterion in means})
    for metric in findings.metrics:
        if metric.group is Group.HELDOUT or metric.name not in findings.values:
            continue  # of models and not of stories, or not known
        for criterion in criteria:
            rated = list(_pair_with_ratings(findings, metric, ratings, criterion))
            found = _correlate(rated, findings.seed)
            if metric.name == _LENGTH:
                found["length_out"] = _NOTHING
            yield {"metric": metric.name, "criterion": criterion, **found}


def _pair_with_ratings(
    findings: Findings, metric: Metric, ratings: Ratings, criterion: str
) -> Iterator[tuple[float, float, float, int]]:
    """Yield value, rating, length in words and prompt of each rated story that a model wrote."""
    of_metric = findings.values.get(metric.name, {})
    for cell in findings.cells:
        if cell.style == PEOPLE:
            continue
        values = of_metric.get((cell.style, cell.settings, AS_WRITTEN))
        for place, story in enumerate(cell.stories):
            means = ratings.get(make_story_id(findings.documents[story.prompt].prompt, story.text), {})
            if values is None or criterion not in means:
                continue
            value = values.value_of(place)
            if math.isfinite(value):
                yield value, means[criterion], float(len(story.text.split())), story.prompt


def _correlate(rated: Sequence[tuple[float, float, float, int]], seed: int) -> dict[str, Any]:
    """Return rho with its interval, and the same with length taken out; None where too little was rated."""
    if len(rated) < FEWEST_RATED:
        return {"stories": len(rated), **_NOTHING, "length_out": _NOTHING}
    values, means, lengths = (np.array([row[part] for row in rated]) for part in range(3))
    rho, rest = bound_correlation(values, means, lengths, [row[3] for row in rated], seed)
    return {"stories": len(rated), **_as_record(rho), "length_out": _as_record(rest)}


# Choosing settings.


def _order_settings(findings: Findings, resampling: Resampling) -> Iterator[dict[str, Any]]:
    """Put each model's settings in the order of their distance from what people write, nearest first."""
    if len(findings.settings) < 2:
        return
    spreads = _find_spreads(findings)
    for style, name in enumerate(findings.styles):
        cells = [
            _measure_distance(findings, style, number, spreads, resampling) for number in range(len(findings.settings))
        ]
        measured = [cell for cell in cells if cell is not None]
        if len(measured) < 2:
            continue
        measured.sort(key=lambda cell: cell.value)
        best = measured[0]
        # Each of the others is compared with the best, so each comparison has to be surer (Bonferroni).
        confidence = 1 - (1 - CONFIDENCE) / (len(measured) - 1)
        ranking = []
        for cell in measured:
            behind = bound(cell.value - best.value, cell.draws - best.draws, cell.prompts, confidence=confidence)
            told_apart = cell is not best and behind.low > 0
            estimate = bound(cell.value, cell.draws, cell.prompts)
            ranking.append(
                {"settings": cell.settings, **_as_record(estimate), "told_apart": told_apart, "parts": dict(cell.parts)}
            )
        yield {"style": name, "targets": list(spreads), "ranking": ranking}


@dataclass(frozen=True, slots=True)
class _Distance:
    """How far one cell is from people's stories, in the spread of people's stories; ``draws`` is [draws]."""

    settings: int
    value: float
    draws: Numbers
    prompts: int
    parts: Mapping[str, float]


def _find_spreads(findings: Findings) -> dict[str, tuple[str, float]]:
    """Return for each target which control it is taken at, and how much people's stories differ in it."""
    spreads = {}
    for name in TARGETS:
        for control in (EQUAL_LENGTH, AS_WRITTEN):
            values = findings.values.get(name, {}).get((PEOPLE, NO_SETTINGS, control))
            if values is None or values.counted < 2:
                continue
            found = [values.value_of(place) for place in range(len(values.prompts))]
            known = [math.log(each) if name == "story_perplexity" else each for each in found if math.isfinite(each)]
            spread = float(np.std(known, ddof=1))
            if spread > 0:
                spreads[name] = (control, spread)
                break
    return spreads


def _measure_distance(
    findings: Findings, style: int, settings: int, spreads: Mapping[str, tuple[str, float]], resampling: Resampling
) -> _Distance | None:
    """Return the mean over the targets of how many spreads a cell's figure is from that of people."""
    parts: dict[str, float] = {}
    draws: list[Numbers] = []
    prompts = []
    for name, (control, spread) in spreads.items():
        own = findings.quantities.get(name, {}).get((style, settings, control))
        people = findings.quantities.get(name, {}).get((PEOPLE, NO_SETTINGS, control))
        if own is None or people is None:
            continue
        value, target = own.value, people.value
        drawn, drawn_target = own.draw(resampling), people.draw(resampling)
        if name == "story_perplexity":
            value, target = math.log(value), math.log(target)
            drawn, drawn_target = np.log(drawn), np.log(drawn_target)
        parts[name] = (value - target) / spread
        draws.append(np.abs(drawn - drawn_target) / spread)
        prompts.append(own.prompts)
    if not parts:
        return None
    mean = sum(abs(part) for part in parts.values()) / len(parts)
    return _Distance(settings, mean, np.mean(draws, axis=0), min(prompts), parts)


def _as_record(estimate: Estimate) -> dict[str, Any]:
    return dataclasses.asdict(estimate)


def _without_nan(value: Any) -> Any:
    """Return a record in which None stands for what is no number: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _without_nan(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

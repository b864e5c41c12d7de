"""From values of stories to a figure with its interval: sums for each prompt, and how they make the figure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from trainer.judging.statistics import CONFIDENCE, Estimate, Numbers, Resampling, bound
from trainer.judging.wording import compute_bleu


class Figure(Enum):
    """How sums make a figure: a ratio, a share of yes and no, the exponential of a ratio, or corpus BLEU."""

    RATIO = "ratio"
    SHARE = "share"
    EXPONENTIAL = "exponential"
    BLEU = "bleu"


@dataclass(frozen=True, slots=True)
class StoryValues:
    """One metric on the stories of one cell: [stories, parts] sums, and whose prompt each story has.

    Of a ratio the parts are what is divided and what it is divided by; a story without a value has zeros.
    """

    figure: Figure
    parts: Numbers
    prompts: tuple[int, ...]

    @property
    def counted(self) -> int:
        """Return how many stories have a value."""
        return int((self.parts[:, -1] > 0).sum())

    def value_of(self, story: int) -> float:
        """Return the figure of one story by itself, NaN where it has none."""
        return _combine(self.figure, self.parts[story : story + 1])[0]

    def add_up(self, prompts: int) -> Quantity:
        """Return the sums for each of so many prompts."""
        sums = np.zeros((prompts, self.parts.shape[1]))
        np.add.at(sums, list(self.prompts), self.parts)
        return Quantity(self.figure, sums, self.counted)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One metric of one cell: [prompts, parts] sums; ``stories`` have a value."""

    figure: Figure
    sums: Numbers
    stories: int

    @property
    def prompts(self) -> int:
        """Return on how many prompts it rests."""
        return int((self.sums[:, -1] > 0).sum())

    @property
    def value(self) -> float:
        """Return the figure, NaN where no story has a value."""
        return _combine(self.figure, self.sums.sum(axis=0, keepdims=True))[0]

    def draw(self, resampling: Resampling) -> Numbers:
        """Return [draws] of the figure, each for another draw of the prompts."""
        return np.array(_combine(self.figure, resampling.counts @ self.sums))

    def estimate(self, resampling: Resampling) -> Estimate:
        """Return the figure with its interval.

        Where every answer was yes, or no, all draws are the same; then the exact bound of so many prompts is given
        (Clopper and Pearson 1934).
        """
        value, prompts = self.value, self.prompts
        found = bound(value, self.draw(resampling), prompts)
        if self.figure is Figure.SHARE and value in (0.0, 1.0) and math.isfinite(found.low):
            edge = ((1 - CONFIDENCE) / 2) ** (1 / prompts)
            return Estimate(value, edge, 1.0) if value else Estimate(value, 0.0, 1 - edge)
        return found


def take_means(values: Sequence[float], prompts: Sequence[int]) -> StoryValues:
    """Return values of stories whose mean is the figure; NaN stands for a story that has none."""
    found = np.array(values, np.float64).reshape(-1)
    known = np.isfinite(found)
    parts = np.stack([np.where(known, found, 0.0), known.astype(np.float64)], axis=1)
    return StoryValues(Figure.RATIO, parts, tuple(prompts))


def take_ratios(
    parts: Sequence[tuple[float, float]], prompts: Sequence[int], figure: Figure = Figure.RATIO
) -> StoryValues:
    """Return values of stories whose sums are divided by each other."""
    return StoryValues(figure, np.array(parts, np.float64).reshape(-1, 2), tuple(prompts))


def take_bleu(counts: Sequence[Sequence[float]], prompts: Sequence[int]) -> StoryValues:
    """Return values of stories as BLEU counts them: 4 matching, 4 in all, both lengths; zeros where there is none."""
    return StoryValues(Figure.BLEU, np.array(counts, np.float64).reshape(-1, 10), tuple(prompts))


def compare(
    first: Quantity, second: Quantity, resampling: Resampling, *, nearer_to: Quantity | None = None
) -> tuple[Estimate, Estimate | None]:
    """Return first minus second, paired by prompt, and how much further from ``nearer_to`` the first is."""
    one, two = first.draw(resampling), second.draw(resampling)
    prompts = min(first.prompts, second.prompts)
    difference = bound(first.value - second.value, one - two, prompts)
    if nearer_to is None or not math.isfinite(nearer_to.value):
        return difference, None
    target, value = nearer_to.draw(resampling), nearer_to.value
    further = np.abs(one - target) - np.abs(two - target)
    away = abs(first.value - value) - abs(second.value - value)
    return difference, bound(away, further, min(prompts, nearer_to.prompts))


def _combine(figure: Figure, sums: Numbers) -> list[float]:
    """Return the figure of each row of sums."""
    if figure is Figure.BLEU:
        return [compute_bleu(row) if row[-1] > 0 else math.nan for row in sums.tolist()]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        ratios = np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan)
        if figure is Figure.EXPONENTIAL:
            ratios = np.exp(np.minimum(ratios, 50.0))
    found: list[float] = ratios.tolist()
    return found

"""How many steps a run takes and how its learning rate goes; pure, no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trainer.config import Hyperparameters

# Passes through the stories that a small corpus bears, and below which nothing is learned (see 0008-loss-on.md).
_MOST_EPOCHS, _FEWEST_EPOCHS = 8, 2
_TOKENS_WANTED = 160_000

_LARGE_MODEL = 100_000_000
_LARGE_MODEL_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Schedule:
    """The planned steps, where held-out text is measured between them, and the learning rate's top."""

    total_steps: int
    evaluate_every: int
    learning_rate: float
    warmup_steps: int


def choose_epochs(settings: Hyperparameters, training_tokens: int) -> int:
    """Return how often the stories are seen: as set, or the fewer the more text there is."""
    if settings.epochs:
        return settings.epochs
    return max(_FEWEST_EPOCHS, min(_MOST_EPOCHS, round(_TOKENS_WANTED / max(training_tokens, 1))))


def plan_schedule(settings: Hyperparameters, *, batches: int, epochs: int, weights: int, rate_scale: float) -> Schedule:
    """Return the schedule for ``batches`` over ``epochs``; ``weights`` counts the network's numbers."""
    total = max(1, batches // settings.accumulation)
    per_epoch = max(1, total // max(epochs, 1))
    share = _LARGE_MODEL_SHARE if weights > _LARGE_MODEL else 1.0
    return Schedule(
        total_steps=total,
        evaluate_every=max(1, min(math.ceil(per_epoch / settings.evaluations_per_epoch), settings.evaluation_steps)),
        learning_rate=settings.learning_rate * share * rate_scale,
        warmup_steps=max(1, round(total * settings.warmup_share)),
    )


def fit_steps(planned: int, *, seconds: float | None, seconds_per_step: float) -> int:
    """Return how many of the planned steps go into ``seconds``; all where there is no limit."""
    if seconds is None or seconds_per_step <= 0:
        return planned
    return max(1, min(planned, int(seconds / seconds_per_step)))


def rate_factor(settings: Hyperparameters, schedule: Schedule, *, step: int, elapsed_share: float = 0.0) -> float:
    """Return the share of the top learning rate at ``step``; what time has passed counts like steps.

    ``elapsed_share`` is the spent share of a time limit, so that a machine slower than planned still ends low.
    """
    if step < schedule.warmup_steps:
        return (step + 1) / (schedule.warmup_steps + 1)
    rest = max(1, schedule.total_steps - schedule.warmup_steps)
    progress = min(1.0, max((step - schedule.warmup_steps) / rest, elapsed_share))
    if settings.schedule == "constant":
        return 1.0
    falling = 1 - progress if settings.schedule == "linear" else 0.5 * (1 + math.cos(math.pi * progress))
    return settings.final_rate_share + (1 - settings.final_rate_share) * falling

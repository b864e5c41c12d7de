"""How a pretraining goes along: its learning rate, its rows and its end; pure, no torch."""

from __future__ import annotations

from trainer.pretraining.settings import PretrainingSettings


def measure_progress(settings: PretrainingSettings, *, tokens: int, seconds: float, one_pass: int) -> float:
    """Return the share of the run that is over, 0 to 1: of its time or its tokens, whichever is nearer to the end.

    ``tokens`` and ``seconds`` are what was spent; ``one_pass``, the tokens of the text, is the goal where none is set.
    """
    shares = []
    if settings.minutes:
        shares.append(seconds / (settings.minutes * 60))
    if settings.tokens or not settings.minutes:
        shares.append(tokens / max(settings.tokens or one_pass, 1))
    return min(1.0, max(shares))


def rate_factor(settings: PretrainingSettings, *, step: int, progress: float) -> float:
    """Return the share of the learning rate for the step after ``step`` steps: it rises, stays, and falls in a line."""
    rising = min(1.0, (step + 1) / max(settings.warmup_steps, 1))
    if progress <= settings.hold_share:
        return rising
    fallen = (progress - settings.hold_share) / (1 - settings.hold_share)
    return rising * (1 - (1 - settings.final_rate_share) * min(1.0, fallen))


def choose_row_length(settings: PretrainingSettings, progress: float) -> int:
    """Return the tokens of a row: half as many at first, when there is little to be learned from what lies far back."""
    return settings.positions // 2 if progress < settings.short_share else settings.positions

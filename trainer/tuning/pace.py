"""How fast a run goes: tokens and seconds a step, what measuring and samples take, and what is left."""

from __future__ import annotations

from trainer.tuning.clock import WorkClock

_SPEED_WINDOW = 0.9
# Before anything is known of what a sample takes.
_FIRST_SAMPLE_SECONDS = 1.0


class Pace:
    """Keeps the figures of one fit; times are those of a WorkClock, so that sleep counts for nothing. One thread."""

    def __init__(self, clock: WorkClock, *, limit: float | None, sampled: float, sample_seconds: float) -> None:
        """Count on ``clock`` towards ``limit``; ``sampled`` seconds went into samples, which take so many each."""
        self._clock = clock
        self._limit = limit
        self.sampled = sampled
        self._sample_seconds = sample_seconds or _FIRST_SAMPLE_SECONDS
        self._measuring_seconds = 0.0
        self._seconds_per_step = 0.0
        self.tokens_per_second = 0.0

    @property
    def elapsed(self) -> float:
        """Return the seconds of tuning so far, those before a resume included."""
        return self._clock.elapsed

    @property
    def elapsed_share(self) -> float:
        """Return the spent share of the time limit, 0 without one."""
        return self.elapsed / self._limit if self._limit else 0.0

    def begin(self) -> None:
        """Count what comes next from here."""
        self._clock.tick()

    def end_step(self, tokens: int) -> None:
        """Note that a step with so many tokens was done."""
        seconds = max(self._clock.tick(), 1e-6)
        known = self.tokens_per_second > 0
        speed = tokens / seconds
        self.tokens_per_second = _blend(self.tokens_per_second, speed) if known else speed
        self._seconds_per_step = _blend(self._seconds_per_step, seconds) if known else seconds

    def end_measuring(self) -> None:
        """Note that held-out text was measured since ``begin``."""
        self._measuring_seconds = self._clock.tick()

    def end_sample(self) -> None:
        """Note that samples were written since ``begin``."""
        self._sample_seconds = self._clock.tick()
        self.sampled += self._sample_seconds

    def may_sample(self, share: float) -> bool:
        """Say whether samples may be written now: within their share of the time so far, and within the limit."""
        in_time = self._limit is None or self.elapsed + self._sample_seconds + self._measuring_seconds < self._limit
        return in_time and self.sampled + self._sample_seconds <= share * self.elapsed

    def is_late(self) -> bool:
        """Say whether the time limit is used up but for one more measurement."""
        rest = self._measuring_seconds + self._seconds_per_step
        return self._limit is not None and self.elapsed + rest > self._limit

    def estimate_left(self, steps: int, evaluate_every: int) -> float:
        """Return the seconds that so many more steps will take."""
        left = steps * self._seconds_per_step + steps / evaluate_every * self._measuring_seconds
        return left if self._limit is None else min(left, max(0.0, self._limit - self.elapsed))


def _blend(old: float, new: float) -> float:
    return _SPEED_WINDOW * old + (1 - _SPEED_WINDOW) * new

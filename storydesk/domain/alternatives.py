"""Other ways to say a passage: what is known of each, and their order. All texts are the writer's own form."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rewording:
    """One way to say a passage: its text, how well it fits, how close to the original it is (0..1), its seed.

    ``follow`` is the mean log-probability (nats a token, at most 0) of what stands after the passage, ``own`` that of
    the text itself; ``follow`` is None where nothing stands after it.
    """

    text: str
    own: float
    follow: float | None
    closeness: float
    candidate: int = 0

    @property
    def fit(self) -> float:
        """What it is ranked by: how well what stands after follows, or the text itself where nothing does."""
        return self.own if self.follow is None else self.follow

    @property
    def perplexity(self) -> float:
        """The perplexity that goes with the fit."""
        return math.exp(min(-self.fit, 700.0))


@dataclass(frozen=True, slots=True)
class Passage:
    """A selected passage with what stands around it; the white space at its ends belongs to what is around it."""

    before: str
    text: str
    after: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends in the text that it was cut from."""
        return self.start + len(self.text)


def cut_passage(text: str, start: int, end: int) -> Passage:
    """Return the passage between two places (code points) without white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Passage(text[:start], text[start:end], text[end:], start)


def rank_rewordings(ways: Sequence[Rewording], closeness_share: float) -> list[Rewording]:
    """Return the ways, best first: (1 - share) of how well they fit and ``share`` (0..1) of how close they are.

    The best fit counts 1 and the others the ratio of their probability a token to its, so both parts are 0..1.
    """
    if not ways:
        return []
    share = min(max(closeness_share, 0.0), 1.0)
    best = max(way.fit for way in ways)
    return sorted(ways, key=lambda way: -((1 - share) * math.exp(way.fit - best) + share * way.closeness))

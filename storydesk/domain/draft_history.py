"""What is kept of a draft besides its text: snapshots, and everything a model wrote for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

_HOUR = 3600.0
_DAY = 24 * _HOUR
# Snapshots of a rule: all of the last day stay, then one an hour, a day and at last a week.
_THINNED = ((_DAY, 0.0), (7 * _DAY, _HOUR), (60 * _DAY, _DAY), (float("inf"), 7 * _DAY))

MOST_UNACCEPTED = 2000
"""Generations of one story that were never used and are kept all the same; those that were used stay for good."""
MOST_REPEATABLE = 400
"""Of those, how many keep their whole request, so that they can be made again."""


class Outcome(StrEnum):
    """What became of a generation."""

    UNUSED = "unused"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"


class SnapshotRule(StrEnum):
    """Why a snapshot was taken."""

    HAND = "hand"
    TIME = "time"
    POLISH = "polish"
    RESTORE = "restore"
    MERGE = "merge"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A draft as it was at a moment (seconds since 1970), without its text."""

    id: int
    draft_id: int
    name: str
    rule: SnapshotRule
    words: int
    created: float


@dataclass(frozen=True, slots=True)
class DraftCard:
    """A draft without its text."""

    id: int
    name: str
    words: int
    created: float
    changed: float
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class KeptGeneration:
    """What a model wrote, and all that is needed to make it again.

    ``key`` is what authorship spans know it by. ``request`` is what services.drafts made of the whole request; empty
    where it is too old to be repeated. ``settings`` is JSON, ``perplexity`` 0 where it is not known.
    """

    key: str
    draft_id: int
    kind: str
    model: str
    seed: int
    prompt: str
    settings: str
    text: str
    outcome: Outcome
    perplexity: float
    created: float
    request: str = ""
    draft: str = ""

    @property
    def can_repeat(self) -> bool:
        """Whether its whole request is still there."""
        return bool(self.request)


def choose_stale(snapshots: Iterable[Snapshot], now: float) -> list[int]:
    """Return which snapshots of one draft may go: those that a rule took, thinner the older they are."""
    stale: list[int] = []
    kept = float("inf")  # when the last one that stays was taken
    for snapshot in sorted(snapshots, key=lambda each: (-each.created, -each.id)):
        if snapshot.rule is SnapshotRule.HAND:
            continue
        age = now - snapshot.created
        apart = next(apart for limit, apart in _THINNED if age <= limit)
        if kept - snapshot.created < apart:
            stale.append(snapshot.id)
        else:
            kept = snapshot.created
    return stale

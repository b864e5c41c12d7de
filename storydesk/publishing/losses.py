"""What a document held that a story has no place for, counted while it is read."""

from __future__ import annotations

from collections import Counter

from storydesk.domain.failures import Failure, FailureCode

_ORDER = (
    FailureCode.LOST_PAGES,
    FailureCode.LOST_LAYOUT,
    FailureCode.LOST_IMAGES,
    FailureCode.LOST_TABLES,
    FailureCode.LOST_NOTES,
    FailureCode.LOST_COMMENTS,
    FailureCode.LOST_CHANGES,
    FailureCode.LOST_LISTS,
    FailureCode.LOST_LINKS,
    FailureCode.LOST_STYLES,
)
_UNCOUNTED = frozenset({FailureCode.LOST_LAYOUT, FailureCode.LOST_STYLES})

Losses = Counter[FailureCode]


def list_losses(losses: Losses) -> tuple[Failure, ...]:
    """Return what is to be said, the gravest first."""
    return tuple(
        Failure(str(code), {} if code in _UNCOUNTED else {"count": losses[code]}) for code in _ORDER if losses[code]
    )

"""How close another way to say something is to the original: the letters in a row that both have."""

from __future__ import annotations

from collections import Counter

LONGEST_ROW = 6
"""Letters in a row that are compared at most."""


def measure_closeness(original: str, other: str) -> float:
    """Return 0 for nothing in common to 1 for the same letters; case and white space don't count.

    The mean over rows of 1 to 6 letters of F1, which is twice the rows in common by the rows of both: chrF (Popović
    2015) with equal weights, so it is the same both ways and a word's other form counts for most of the word.
    """
    first, second = ("".join(text.casefold().split()) for text in (original, other))
    if not first or not second:
        return 1.0 if first == second else 0.0
    longest = min(LONGEST_ROW, max(len(first), len(second)))
    scores = [_share_rows(first, second, length) for length in range(1, longest + 1)]
    return sum(scores) / len(scores)


def _share_rows(first: str, second: str, length: int) -> float:
    rows = [
        Counter(text[place : place + length] for place in range(len(text) - length + 1)) for text in (first, second)
    ]
    total = sum(rows[0].values()) + sum(rows[1].values())
    return 2 * sum((rows[0] & rows[1]).values()) / total if total else 0.0

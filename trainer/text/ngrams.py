"""N-gram statistics of stories: how varied the words are and how much repeats."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

_WORD = re.compile(r"\w+(?:['’]\w+)*", re.UNICODE)


def split_words(text: str) -> list[str]:
    """Return the words of a text in lower case; an apostrophe inside a word belongs to it."""
    return [word.lower() for word in _WORD.findall(text)]


def count_words(text: str) -> int:
    """Return how many words a text has."""
    return len(_WORD.findall(text))


def iterate_ngrams(words: Sequence[str], n: int) -> Iterable[tuple[str, ...]]:
    """Yield every run of ``n`` words in order."""
    return (tuple(words[start : start + n]) for start in range(len(words) - n + 1))


def measure_distinct(words: Sequence[str], n: int) -> float:
    """Return distinct-n: different n-grams over all n-grams, 0 to 1; 0 for a text shorter than ``n``."""
    counts = Counter(iterate_ngrams(words, n))
    total = sum(counts.values())
    return len(counts) / total if total else 0.0


def measure_repetition(words: Sequence[str], n: int) -> float:
    """Return the share of n-grams that stood earlier in the same text, 0 to 1."""
    counts = Counter(iterate_ngrams(words, n))
    total = sum(counts.values())
    return (total - len(counts)) / total if total else 0.0

"""Words: the writer's own, which no checker may call misspelt, and how far two spellings are apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*")
_POSSESSIVE = re.compile(r"['’]s?$")


class Vocabulary:
    """A set of learnt words. Replaced as a whole, so any thread may read while another sets."""

    def __init__(self, words: Iterable[str] = ()) -> None:
        """Learn words."""
        self._words: frozenset[str] = frozenset()
        self.set_words(words)

    def set_words(self, words: Iterable[str]) -> None:
        """Replace all words; an entry of several words teaches each of them."""
        known = set()
        for entry in words:
            known.add(_folded(entry.strip()))
            known.update(_folded(word) for word in _WORD.findall(_composed(entry)))
        self._words = frozenset(known - {""})

    def knows(self, passage: str) -> bool:
        """Return whether all words of a passage were learnt; case doesn't matter, nor does a possessive ending."""
        if not self._words:
            return False
        words = _WORD.findall(_composed(passage))
        return _folded(passage.strip()) in self._words or (bool(words) and all(map(self._knows_word, words)))

    def _knows_word(self, word: str) -> bool:
        folded = _folded(word)
        return folded in self._words or _POSSESSIVE.sub("", folded) in self._words


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _folded(word: str) -> str:
    return _composed(word).casefold().replace("’", "'")


@lru_cache(maxsize=20_000)
def count_edits(one: str, other: str) -> int:
    """Return how many letters were mistyped between two words: changed, left out, added, or two swapped."""
    first, second = _letters(one), _letters(other)
    before: list[int] = []
    above = list(range(len(second) + 1))
    for row, letter in enumerate(first, 1):
        line = [row]
        for column, wanted in enumerate(second, 1):
            best = min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != wanted))
            if row > 1 and column > 1 and letter == second[column - 2] and first[row - 2] == wanted:
                best = min(best, before[column - 2] + 1)
            line.append(best)
        before, above = above, line
    return above[-1]


def _letters(word: str) -> str:
    return word.casefold().replace("'", "").replace("’", "")

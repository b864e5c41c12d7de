"""The writer's own words, which no checker may call misspelt."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

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

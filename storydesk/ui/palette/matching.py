"""How well the words that were typed fit the words of an action; pure."""

from __future__ import annotations

import unicodedata

WHOLE, START, WORD_START, INSIDE, LETTERS = 5.0, 4.0, 3.0, 2.0, 1.0


def score(query: str, text: str) -> float:
    """Return how well ``text`` answers ``query``, 0 where it does not: every word must be found, in any order.

    A word is found as a whole word, at the start of one, inside one, or (from two letters on) as letters in their
    order that begin at the start of a word: ``kd`` finds *Keep this draft*.
    """
    words, wanted = _fold(text).split(), _fold(query).split()
    if not wanted:
        return LETTERS
    total = 0.0
    for part in wanted:
        best = max((_score_word(part, word, at) for at, word in enumerate(words)), default=0.0)
        if not best and len(part) > 1 and _has_letters(part, words):
            best = LETTERS
        if not best:
            return 0.0
        total += best
    return total / len(wanted) + 1 / (1 + len(words))  # of two that fit alike, the shorter is meant


def _score_word(part: str, word: str, at: int) -> float:
    if part == word:
        return WHOLE
    if word.startswith(part):
        return START if at == 0 else WORD_START
    return INSIDE if len(part) > 1 and part in word else 0.0


def _has_letters(part: str, words: list[str]) -> bool:
    """Return whether the letters of ``part`` come in this order, the first of them at the start of a word."""
    for at, word in enumerate(words):
        if word[0] == part[0]:
            rest = iter("".join(words[at:]))
            if all(letter in rest for letter in part):
                return True
    return False


def _fold(text: str) -> str:
    """Return the text without case, accents and punctuation."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = (" " if not letter.isalnum() else letter for letter in plain if not unicodedata.combining(letter))
    return "".join(kept)

"""Drawing the next token by the settings of writing, exactly as the app does; pure numpy.

The app's sampler (``storydesk/inference/sampling.py``) can't be imported here, or a sweep would tell nothing about
writing in the app if the two differed: ``tests/contract/test_drawing.py`` holds them together, token for token.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

Logits = NDArray[np.float32]
Chances = NDArray[np.float64]
WordTokens = NDArray[np.bool_]

DEFAULTS: Mapping[str, float] = {
    "temperature": 0.8,
    "top_p": 0.95,
    "top_k": 0,
    "min_p": 0.04,
    "typical_p": 1.0,
    "repetition_penalty": 1.1,
    "frequency_penalty": 0.0,
    "presence_penalty": 0.0,
    "no_repeat_ngram": 4,
}
"""What the app writes with where nothing else is set."""


class TokenDrawer:
    """Draws the tokens of one story by its settings and its own seed. One thread."""

    def __init__(self, settings: Mapping[str, float], seed: int, words: WordTokens) -> None:
        """``words`` says, [vocabulary], which tokens carry words; penalties pass over all others."""
        self._settings = {**DEFAULTS, **settings}
        self._random = np.random.default_rng(seed)
        self._words = words

    def draw(self, logits: Logits, window: Sequence[int], written: Sequence[int]) -> int:
        """Return the next token for [vocabulary] logits; ``window`` is prompt and story, ``written`` the story."""
        adjusted = self._adjust(logits, window, written)
        if self._settings["temperature"] == 0:
            return int(np.argmax(adjusted))
        tokens, chances = self._narrow(adjusted)
        place = np.searchsorted(np.cumsum(chances), self._random.random() * chances.sum(), side="right")
        return int(tokens[min(int(place), len(tokens) - 1)])

    def _adjust(self, logits: Logits, window: Sequence[int], written: Sequence[int]) -> Logits:
        settings = self._settings
        penalty = settings["repetition_penalty"]
        adjusted = logits.copy()
        if penalty != 1 and window:
            tokens = np.unique(np.asarray(window, np.intp))
            tokens = tokens[self._words[tokens]]
            chosen = adjusted[tokens]
            adjusted[tokens] = np.where(chosen > 0, chosen / penalty, chosen * penalty)
        frequency, presence = settings["frequency_penalty"], settings["presence_penalty"]
        if written and (frequency or presence):
            tokens, counts = np.unique(np.asarray(written, np.intp), return_counts=True)
            carry = self._words[tokens]
            adjusted[tokens[carry]] -= (frequency * counts[carry] + presence).astype(np.float32)
        barred = self._find_repeated(written, int(settings["no_repeat_ngram"]))
        if len(barred):
            kept = adjusted.copy()
            kept[barred] = -np.inf
            if np.isfinite(kept.max()):
                return kept
        return adjusted

    def _find_repeated(self, written: Sequence[int], n: int) -> NDArray[np.intp]:
        """Return the tokens that would complete a run of ``n`` that was written before, if it is words by half."""
        if n < 1 or len(written) < n:
            return np.empty(0, np.intp)
        tail = written[len(written) - n + 1 :]
        if -(-n // 2) - sum(bool(self._words[token]) for token in tail) > 1:
            return np.empty(0, np.intp)
        text = np.asarray(written, np.intp)
        ends = self._words[text[n - 1 :]]
        for place, token in enumerate(tail):
            ends &= text[place : len(text) - n + 1 + place] == token
        found: NDArray[np.intp] = np.unique(text[n - 1 :][ends])
        return found

    def _narrow(self, logits: Logits) -> tuple[NDArray[np.intp], Chances]:
        """Return the tokens that may be drawn, by number, and their chances up to a common factor."""
        settings = self._settings
        temperature, top_k, min_p = settings["temperature"], int(settings["top_k"]), settings["min_p"]
        highest = logits.max()
        weights = np.exp((logits - highest) * np.float32(1 / temperature))
        keep = np.ones(len(weights), np.bool_)
        if 0 < top_k < len(weights):
            keep = weights >= np.partition(weights, -top_k)[-top_k]
        total = float(weights[keep].sum(dtype=np.float64))
        keep &= (weights >= min_p * weights.max()) & (weights > 0)
        tokens = np.flatnonzero(keep)
        chances = np.exp((logits[tokens].astype(np.float64) - float(highest)) / temperature)
        top_p = settings["top_p"]
        if top_p < 1:
            tokens, chances = _take(tokens, chances, -chances, chances, top_p * total)
        typical_p = settings["typical_p"]
        if typical_p < 1:
            normal = chances / chances.sum()
            surprise = -np.log(normal)
            oddness = np.abs(surprise - (normal * surprise).sum())
            tokens, chances = _take(tokens, chances, oddness, normal, typical_p)
        return tokens, chances


def _take(
    tokens: NDArray[np.intp], chances: Chances, by: Chances, shares: Chances, needed: float
) -> tuple[NDArray[np.intp], Chances]:
    """Return the fewest tokens, those lowest in ``by`` first, whose ``shares`` come to what is needed."""
    order = np.argsort(by, kind="stable")
    count = int(np.searchsorted(np.cumsum(shares[order]), needed)) + 1
    kept = np.sort(order[:count])
    return tokens[kept], chances[kept]


def find_words(tokenizer: Tokenizer, vocabulary: int) -> WordTokens:
    """Return [vocabulary]: whether a token carries letters, digits or parts of characters, not just marks."""
    byte_of = {character: value for value, character in enumerate(_byte_alphabet())}
    added = tokenizer.get_added_tokens_decoder()
    words = np.zeros(vocabulary, np.bool_)
    for token, number in tokenizer.get_vocab(with_added_tokens=True).items():
        if not 0 <= number < vocabulary or (number in added and added[number].special):
            continue
        if number in added:
            values: Iterable[int] = token.encode("utf-8", "replace")
        else:
            values = [byte_of.get(character, 0) for character in token]
        words[number] = any(value > 127 or chr(value).isalnum() for value in values)
    return words


def _byte_alphabet() -> list[str]:
    """Return the character that stands for each byte in a byte-level tokenizer's vocabulary."""
    shown = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    characters, hidden = [], 0
    for value in range(256):
        characters.append(chr(value if value in shown else 256 + hidden))
        hidden += value not in shown
    return characters

"""Drawing the next token: pure numpy, the same numbers on every machine for the same logits and seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import SamplingSettings

Logits = NDArray[np.float32]
Probabilities = NDArray[np.float64]
WordTokens = NDArray[np.bool_]
"""[vocabulary]: which tokens carry words. Full stops and line breaks have to come back, so nothing bars them."""


class TokenSampler:
    """Draws tokens by one request's settings and seed. Lives on one thread; one sampler for one text."""

    def __init__(self, settings: SamplingSettings, seed: int, words: WordTokens) -> None:
        """Raise StorydeskError(BAD_ARGUMENT) for a setting outside its range."""
        check_settings(settings)
        self._settings = settings
        self._random = np.random.default_rng(abs(seed))
        self._words = words

    def draw(self, logits: Logits, window: Sequence[int], written: Sequence[int]) -> int:
        """Return the next token for [vocabulary] logits.

        ``window`` is what the model sees, ``written`` what it wrote of it: the repetition penalty looks at the
        first, repeated n-grams are those of the second.
        """
        adjusted = self._adjust(logits, window, written)
        if self._settings.temperature == 0:
            return int(np.argmax(adjusted))
        tokens, chances = self._narrow(adjusted)
        place = np.searchsorted(np.cumsum(chances), self._random.random() * chances.sum(), side="right")
        return int(tokens[min(int(place), len(tokens) - 1)])

    def probabilities(self, logits: Logits, window: Sequence[int] = (), written: Sequence[int] = ()) -> Probabilities:
        """Return the exact distribution, [vocabulary], that ``draw`` draws from."""
        adjusted = self._adjust(logits, window, written)
        exact = np.zeros(len(logits))
        if self._settings.temperature == 0:
            exact[int(np.argmax(adjusted))] = 1.0
        else:
            tokens, chances = self._narrow(adjusted)
            exact[tokens] = chances / chances.sum()
        return exact

    def _adjust(self, logits: Logits, window: Sequence[int], written: Sequence[int]) -> Logits:
        adjusted = penalise_repetition(logits, window, self._settings.repetition_penalty, self._words)
        return bar_repeated_ngrams(adjusted, written, self._settings.no_repeat_ngram, self._words)

    def _narrow(self, logits: Logits) -> tuple[NDArray[np.intp], Probabilities]:
        """Return the tokens that may be drawn, by number, and their chances, which sum up to at most 1."""
        settings = self._settings
        chances = np.exp((logits.astype(np.float64) - float(logits.max())) / settings.temperature)
        chances /= chances.sum()
        keep = chances > 0
        keep &= keep_top_k(chances, settings.top_k)
        keep &= keep_top_p(np.where(keep, chances, 0.0), settings.top_p)
        keep &= keep_min_p(chances, settings.min_p)
        tokens = np.flatnonzero(keep)
        return tokens, chances[tokens]


def check_settings(settings: SamplingSettings) -> None:
    """Raise StorydeskError(BAD_ARGUMENT) for a setting outside its range."""
    ranges = (
        ("temperature", settings.temperature, 0.0, 10.0, "a number from 0 to 10"),
        ("top_p", settings.top_p, 1e-6, 1.0, "a number above 0 and up to 1"),
        ("top_k", settings.top_k, 0, 1e9, "a whole number from 0, which means all"),
        ("min_p", settings.min_p, 0.0, 1.0, "a number from 0 to 1"),
        ("repetition_penalty", settings.repetition_penalty, 0.1, 10.0, "a number from 0.1 to 10"),
        ("no_repeat_ngram", settings.no_repeat_ngram, 0, 1e9, "a whole number from 0, which means off"),
    )
    for name, value, low, high, expected in ranges:
        if not math.isfinite(value) or not low <= value <= high:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name=name, value=value, expected=expected)


def penalise_repetition(logits: Logits, seen: Sequence[int], penalty: float, words: WordTokens) -> Logits:
    """Return logits in which every word token of ``seen`` is less likely: positive ones divided, others multiplied."""
    if penalty == 1 or not seen:
        return logits
    tokens = np.unique(np.asarray(seen, np.intp))
    tokens = tokens[words[tokens]]
    adjusted = logits.copy()
    chosen = adjusted[tokens]
    adjusted[tokens] = np.where(chosen > 0, chosen / penalty, chosen * penalty)
    return adjusted


def bar_repeated_ngrams(logits: Logits, written: Sequence[int], n: int, words: WordTokens) -> Logits:
    """Return logits without the tokens that would complete a run of ``n`` tokens that was written before.

    Only runs count that end in a word and are words by half, or dialogue could not begin a paragraph twice.
    """
    if n < 1 or len(written) < n:
        return logits
    tail = tuple(written[len(written) - n + 1 :])
    needed = max(-(-n // 2) - sum(bool(words[token]) for token in tail), 0)
    if needed > 1:
        return logits
    barred = {
        written[end]
        for end in range(n - 1, len(written))
        if tuple(written[end - n + 1 : end]) == tail and words[written[end]]
    }
    if not barred:
        return logits
    adjusted = logits.copy()
    adjusted[list(barred)] = -np.inf
    return adjusted if np.isfinite(adjusted.max()) else logits


def keep_top_k(chances: Probabilities, k: int) -> NDArray[np.bool_]:
    """Return which tokens are among the ``k`` likeliest; ties with the last stay, 0 keeps all."""
    if not 0 < k < len(chances):
        return np.ones(len(chances), np.bool_)
    keep: NDArray[np.bool_] = chances >= np.partition(chances, -k)[-k]
    return keep


def keep_top_p(chances: Probabilities, p: float) -> NDArray[np.bool_]:
    """Return the smallest set of likeliest tokens with the share ``p`` of all chances."""
    if p >= 1:
        return np.ones(len(chances), np.bool_)
    total = chances.sum()
    # What all tokens below this could sum up to is left out anyway, so that only a few have to be sorted.
    candidates = np.flatnonzero(chances >= (1 - p) * total / len(chances))
    order = candidates[np.argsort(-chances[candidates], kind="stable")]
    count = int(np.searchsorted(np.cumsum(chances[order]), p * total)) + 1
    keep = np.zeros(len(chances), np.bool_)
    keep[order[:count]] = True
    return keep


def keep_min_p(chances: Probabilities, share: float) -> NDArray[np.bool_]:
    """Return which tokens have at least ``share`` of the likeliest one's chance."""
    keep: NDArray[np.bool_] = chances >= share * chances.max()
    return keep

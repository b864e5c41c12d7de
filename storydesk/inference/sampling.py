"""Drawing the next token: pure numpy, the same numbers on every machine for the same logits and seed."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import SamplingSettings

Logits = NDArray[np.float32]
Probabilities = NDArray[np.float64]
Weights = NDArray[np.float32] | NDArray[np.float64]
WordTokens = NDArray[np.bool_]
"""[vocabulary]: which tokens carry words. Full stops and line breaks have to come back, so nothing bars them."""
Spelling = tuple[int, ...]
"""One way to write a phrase, in tokens; never empty."""
PhraseBias = tuple[frozenset[Spelling], float]
"""All spellings of one phrase and the nats that they are likelier by."""


@dataclass(frozen=True, slots=True)
class PhraseRules:
    """Phrases in tokens: those that must not be completed, and those that are likelier or less likely."""

    banned: frozenset[Spelling] = frozenset()
    biases: tuple[PhraseBias, ...] = ()


class TokenSampler:
    """Draws tokens by one request's settings and seed. Lives on one thread; one sampler for one text."""

    def __init__(
        self, settings: SamplingSettings, seed: int, words: WordTokens, phrases: PhraseRules | None = None
    ) -> None:
        """Raise StorydeskError(BAD_ARGUMENT) for a setting outside its range."""
        check_settings(settings)
        self._settings = settings
        self._random = np.random.default_rng(abs(seed))
        self._words = words
        self._phrases = phrases or PhraseRules()

    def draw(
        self,
        logits: Logits,
        window: Sequence[int],
        written: Sequence[int],
        *,
        barred: Collection[int] = (),
        warmth: float = 0.0,
    ) -> int:
        """Return the next token for [vocabulary] logits.

        ``window`` is what the model sees, ``written`` what it wrote of it: the repetition penalty and phrases look
        at the first, the other penalties and repeated n-grams are those of the second. ``barred`` tokens don't come
        unless nothing else could. ``warmth`` raises the temperature, from 0 too.
        """
        adjusted = self._adjust(logits, window, written, barred)
        temperature = self._settings.temperature + warmth
        if temperature == 0:
            return int(np.argmax(adjusted))
        tokens, chances = self._narrow(adjusted, temperature)
        place = np.searchsorted(np.cumsum(chances), self._random.random() * chances.sum(), side="right")
        return int(tokens[min(int(place), len(tokens) - 1)])

    def probabilities(
        self,
        logits: Logits,
        window: Sequence[int] = (),
        written: Sequence[int] = (),
        *,
        barred: Collection[int] = (),
    ) -> Probabilities:
        """Return the exact distribution, [vocabulary], that ``draw`` draws from."""
        adjusted = self._adjust(logits, window, written, barred)
        exact = np.zeros(len(logits))
        if self._settings.temperature == 0:
            exact[int(np.argmax(adjusted))] = 1.0
        else:
            tokens, chances = self._narrow(adjusted, self._settings.temperature)
            exact[tokens] = chances / chances.sum()
        return exact

    def _adjust(self, logits: Logits, window: Sequence[int], written: Sequence[int], barred: Collection[int]) -> Logits:
        settings, phrases = self._settings, self._phrases
        adjusted = bias_phrases(logits, window, phrases.biases)
        adjusted = penalise_repetition(adjusted, window, settings.repetition_penalty, self._words)
        adjusted = penalise_frequency(
            adjusted, written, settings.frequency_penalty, settings.presence_penalty, self._words
        )
        adjusted = bar_repeated_ngrams(adjusted, written, settings.no_repeat_ngram, self._words)
        adjusted = bar_phrases(adjusted, window, phrases.banned)
        return bar_tokens(adjusted, barred)

    def _narrow(self, logits: Logits, temperature: float) -> tuple[NDArray[np.intp], Probabilities]:
        """Return the tokens that may be drawn, by number, and their chances up to a common factor.

        One pass in float32 over the vocabulary finds the few that matter; their chances are float64.
        """
        settings = self._settings
        highest = logits.max()
        weights = np.exp((logits - highest) * np.float32(1 / temperature))
        if 0 < settings.top_k < len(weights):
            keep = keep_top_k(weights, settings.top_k)
            total = float(weights[keep].sum(dtype=np.float64))
            keep &= keep_min_p(weights, settings.min_p)
        else:
            total = float(weights.sum(dtype=np.float64))
            keep = keep_min_p(weights, settings.min_p)
        keep &= weights > 0
        tokens = np.flatnonzero(keep)
        chances = np.exp((logits[tokens].astype(np.float64) - float(highest)) / temperature)
        # Both keep the likeliest, so it makes no difference that the least likely are gone; only their share counts.
        among = keep_top_p(chances, settings.top_p, total)
        tokens, chances = tokens[among], chances[among]
        if settings.typical_p < 1:
            typical = keep_typical(chances, settings.typical_p)
            tokens, chances = tokens[typical], chances[typical]
        return tokens, chances


def list_likeliest(logits: Logits, count: int, drawn: int) -> tuple[float, list[tuple[int, float]]]:
    """Return the model's own probability of the drawn token and the ``count`` likeliest tokens with theirs."""
    highest = logits.max()
    total = float(np.exp(logits - highest).sum(dtype=np.float64))
    count = min(count, len(logits))
    top = np.argpartition(logits, len(logits) - count)[len(logits) - count :]
    top = top[np.lexsort((top, -logits[top]))]
    shares = np.exp(logits[top].astype(np.float64) - float(highest)) / total
    own = math.exp(float(logits[drawn]) - float(highest)) / total
    return own, [(int(token), float(share)) for token, share in zip(top, shares, strict=True)]


def check_settings(settings: SamplingSettings) -> None:
    """Raise StorydeskError(BAD_ARGUMENT) for a setting outside its range."""
    ranges = (
        ("temperature", settings.temperature, 0.0, 10.0, "a number from 0 to 10"),
        ("top_p", settings.top_p, 1e-6, 1.0, "a number above 0 and up to 1"),
        ("top_k", settings.top_k, 0, 1e9, "a whole number from 0, which means all"),
        ("min_p", settings.min_p, 0.0, 1.0, "a number from 0 to 1"),
        ("repetition_penalty", settings.repetition_penalty, 0.1, 10.0, "a number from 0.1 to 10"),
        ("no_repeat_ngram", settings.no_repeat_ngram, 0, 1e9, "a whole number from 0, which means off"),
        ("typical_p", settings.typical_p, 1e-6, 1.0, "a number above 0 and up to 1"),
        ("frequency_penalty", settings.frequency_penalty, -10.0, 10.0, "a number from -10 to 10"),
        ("presence_penalty", settings.presence_penalty, -10.0, 10.0, "a number from -10 to 10"),
        ("minimum_words", settings.minimum_words, 0, 1e9, "a whole number from 0, which means none"),
        ("maximum_words", settings.maximum_words, 0, 1e9, "a whole number from 0, which means none"),
        *(("phrase_bias", nats, -100.0, 100.0, "nats from -100 to 100") for _, nats in settings.phrase_bias),
    )
    for name, value, low, high, expected in ranges:
        if not math.isfinite(value) or not low <= value <= high:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name=name, value=value, expected=expected)
    if 0 < settings.maximum_words < settings.minimum_words:
        expected = f"at least minimum_words, {settings.minimum_words}"
        raise StorydeskError(
            FailureCode.BAD_ARGUMENT, name="maximum_words", value=settings.maximum_words, expected=expected
        )


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


def penalise_frequency(
    logits: Logits, written: Sequence[int], frequency: float, presence: float, words: WordTokens
) -> Logits:
    """Return logits less ``frequency`` for each time that a word token was written and ``presence`` if it was at all.

    Both in nats; negative ones make words likelier to come again.
    """
    if not written or (frequency == 0 and presence == 0):
        return logits
    tokens, counts = np.unique(np.asarray(written, np.intp), return_counts=True)
    carry = words[tokens]
    tokens, counts = tokens[carry], counts[carry]
    adjusted = logits.copy()
    adjusted[tokens] -= (frequency * counts + presence).astype(np.float32)
    return adjusted


def bias_phrases(logits: Logits, window: Sequence[int], biases: Sequence[PhraseBias]) -> Logits:
    """Return logits with a share of each phrase's nats added to the token that begins it, or goes on where it began.

    A phrase of n tokens gets an n-th at each, so that as a whole it is likelier by its nats. Spellings of one phrase
    that share a token count once, with the largest share; different phrases add up.
    """
    if not biases:
        return logits
    adjusted = logits.copy()
    for spellings, nats in biases:
        shares: dict[int, float] = {}
        for spelling in spellings:
            share = nats / len(spelling)
            for length in range(len(spelling)):
                if length == 0 or tuple(window[-length:]) == spelling[:length]:
                    token = spelling[length]
                    shares[token] = max(shares.get(token, 0.0), share, key=abs)
        adjusted[list(shares)] += np.array(list(shares.values()), np.float32)
    return adjusted


def bar_phrases(logits: Logits, window: Sequence[int], banned: Collection[Spelling]) -> Logits:
    """Return logits without the tokens that would complete a banned phrase, unless nothing else is left."""
    last = {
        spelling[-1]
        for spelling in banned
        if len(spelling) == 1 or tuple(window[-(len(spelling) - 1) :]) == spelling[:-1]
    }
    return bar_tokens(logits, last)


def bar_tokens(logits: Logits, barred: Collection[int]) -> Logits:
    """Return logits in which ``barred`` tokens are impossible, or as they are where nothing else is left."""
    if not barred:
        return logits
    adjusted = logits.copy()
    adjusted[list(barred)] = -np.inf
    return adjusted if np.isfinite(adjusted.max()) else logits


def bar_repeated_ngrams(logits: Logits, written: Sequence[int], n: int, words: WordTokens) -> Logits:
    """Return logits without the tokens that would complete a run of ``n`` tokens that was written before.

    Only runs count that end in a word and are words by half, or dialogue could not begin a paragraph twice.
    """
    if n < 1 or len(written) < n:
        return logits
    tail = written[len(written) - n + 1 :]
    needed = max(-(-n // 2) - sum(bool(words[token]) for token in tail), 0)
    if needed > 1:
        return logits
    text = np.asarray(written, np.intp)
    ends = words[text[n - 1 :]]
    for place, token in enumerate(tail):
        ends &= text[place : len(text) - n + 1 + place] == token
    return bar_tokens(logits, set(text[n - 1 :][ends].tolist()))


def keep_top_k(chances: Weights, k: int) -> NDArray[np.bool_]:
    """Return which tokens are among the ``k`` likeliest; ties with the last stay, 0 keeps all."""
    if not 0 < k < len(chances):
        return np.ones(len(chances), np.bool_)
    keep: NDArray[np.bool_] = chances >= np.partition(chances, -k)[-k]
    return keep


def keep_top_p(chances: Probabilities, p: float, total: float | None = None) -> NDArray[np.bool_]:
    """Return the smallest set of likeliest tokens with the share ``p`` of all chances, or of ``total`` if given."""
    if p >= 1:
        return np.ones(len(chances), np.bool_)
    if total is None:
        total = float(chances.sum())
    # What all tokens below this could sum up to is left out anyway, so that only a few have to be sorted. Others may
    # be gone already: where too little is left, all of it stays.
    candidates = np.flatnonzero(chances >= (float(chances.sum()) - p * total) / len(chances))
    order = candidates[np.argsort(-chances[candidates], kind="stable")]
    count = int(np.searchsorted(np.cumsum(chances[order]), p * total)) + 1
    keep = np.zeros(len(chances), np.bool_)
    keep[order[:count]] = True
    return keep


def keep_min_p(chances: Weights, share: float) -> NDArray[np.bool_]:
    """Return which tokens have at least ``share`` of the likeliest one's chance."""
    keep: NDArray[np.bool_] = chances >= share * chances.max()
    return keep


def keep_typical(chances: Probabilities, share: float) -> NDArray[np.bool_]:
    """Return the smallest set with ``share`` of all chances whose surprise is nearest to the expected one.

    Locally typical sampling (Meister et al. 2023): neither the unlikely nor, where much is open, the obvious.
    """
    normal = chances / chances.sum()
    surprise = -np.log(normal)
    order = np.argsort(np.abs(surprise - (normal * surprise).sum()), kind="stable")
    count = int(np.searchsorted(np.cumsum(normal[order]), share)) + 1
    keep = np.zeros(len(chances), np.bool_)
    keep[order[:count]] = True
    return keep

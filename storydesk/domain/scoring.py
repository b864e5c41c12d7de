"""How surprising a text is to a model, per token, sentence and paragraph and as a whole, and to two models at once."""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from storydesk.domain.generation import Alternative
from storydesk.domain.manuscript import count_words
from storydesk.domain.sentences import split_sentences

_PARAGRAPH = re.compile(r"\S(?:[^\n\r\u2028\u2029]*\S)?")


@dataclass(frozen=True, slots=True)
class TokenScore:
    """One token's surprise in nats and the span of the writer's own text that it stands for (code points).

    ``rank`` counts from 1, the likeliest token; ``entropy`` in nats says how open the place was. ``alternatives``
    are the likeliest tokens there, where they were asked for.
    """

    start: int
    end: int
    nats: float
    rank: int = 0
    entropy: float = 0.0
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class TextScore:
    """A scored text: ``words`` and ``bytes`` (UTF-8) are of the scored part of the writer's own text.

    ``stride`` is how many tokens the window moves on at most; each token past the first window was seen with half as
    many before it at least.
    """

    tokens: tuple[TokenScore, ...]
    words: int
    bytes: int
    stride: int

    @property
    def nats(self) -> float:
        """The whole text's negative log-likelihood."""
        return math.fsum(token.nats for token in self.tokens)

    @property
    def perplexity(self) -> float:
        """Perplexity per token, exp of the mean nats; 0 for a text without tokens."""
        return compute_perplexity(self.nats, len(self.tokens))

    @property
    def nats_per_word(self) -> float:
        """Nats per word: comparable between models with different tokenizers."""
        return self.nats / self.words if self.words else 0.0

    @property
    def bits_per_byte(self) -> float:
        """Bits per UTF-8 byte of the text."""
        return compute_bits_per_byte(self.nats, self.bytes)


@dataclass(frozen=True, slots=True)
class PartScore:
    """A sentence, a paragraph or a draft: its span of the writer's text and what its tokens add up to."""

    start: int
    end: int
    nats: float
    tokens: int
    words: int
    bytes: int

    @property
    def perplexity(self) -> float:
        """Perplexity per token; 0 where no token ends in the part."""
        return compute_perplexity(self.nats, self.tokens)

    @property
    def nats_per_word(self) -> float:
        """Nats per word: comparable between models with different tokenizers."""
        return self.nats / self.words if self.words else 0.0

    @property
    def bits_per_byte(self) -> float:
        """Bits per UTF-8 byte of the text."""
        return compute_bits_per_byte(self.nats, self.bytes)


@dataclass(frozen=True, slots=True)
class ScoreSummary:
    """A score added up: the draft, its paragraphs and their sentences, in order."""

    draft: PartScore
    paragraphs: tuple[PartScore, ...]
    sentences: tuple[PartScore, ...]
    stride: int


@dataclass(frozen=True, slots=True)
class WordDifference:
    """A word with its punctuation, and how surprising it is to the tuned model and to its base, in nats."""

    start: int
    end: int
    tuned: float
    base: float

    @property
    def gain(self) -> float:
        """How much less surprising the word is to the tuned model: what sounds like its writer is above 0."""
        return self.base - self.tuned


def summarise(score: TextScore, text: str) -> ScoreSummary:
    """Return what the tokens of a score add up to for each part of the text that was scored.

    A token belongs to the part in which it ends; one between two parts, such as a paragraph break, to the next.
    """
    paragraphs = [match.span() for match in _PARAGRAPH.finditer(text)]
    sentences = split_sentences(text)
    draft = [(paragraphs[0][0], paragraphs[-1][1])] if paragraphs else [(0, 0)]
    return ScoreSummary(
        draft=_add_up(score.tokens, draft, text)[0],
        paragraphs=_add_up(score.tokens, paragraphs, text),
        sentences=_add_up(score.tokens, sentences, text),
        stride=score.stride,
    )


def score_difference(tuned: TextScore, base: TextScore, text: str) -> tuple[WordDifference, ...]:
    """Return both models' surprise at each word of the same text; their tokenizers may differ.

    Words are what white space separates, so no token of GPT-2's kind belongs to two of them.
    """
    spans = [match.span() for match in re.finditer(r"\S+", text)]
    columns = [_assign(score.tokens, spans) for score in (tuned, base)]
    return tuple(
        WordDifference(start, end, math.fsum(each.nats for each in left), math.fsum(each.nats for each in right))
        for (start, end), left, right in zip(spans, *columns, strict=True)
    )


def compute_perplexity(nats: float, tokens: int) -> float:
    """Return exp of the mean nats, 0 without tokens."""
    return math.exp(min(nats / tokens, 700.0)) if tokens else 0.0


def compute_bits_per_byte(nats: float, size: int) -> float:
    """Return bits for each of ``size`` bytes, 0 without bytes."""
    return nats / math.log(2) / size if size else 0.0


def measure_text(text: str) -> tuple[int, int]:
    """Return words and UTF-8 bytes of a text, lone surrogates counted as they would be replaced."""
    return count_words(text), len(text.encode("utf-8", "replace"))


def _add_up(tokens: Sequence[TokenScore], spans: Sequence[tuple[int, int]], text: str) -> tuple[PartScore, ...]:
    parts = []
    for (start, end), inside in zip(spans, _assign(tokens, spans), strict=True):
        words, size = measure_text(text[start:end])
        parts.append(PartScore(start, end, math.fsum(each.nats for each in inside), len(inside), words, size))
    return tuple(parts)


def _assign(tokens: Sequence[TokenScore], spans: Sequence[tuple[int, int]]) -> list[list[TokenScore]]:
    """Return each span's tokens: those whose last character it holds, or that stand before it and after the last."""
    inside: list[list[TokenScore]] = [[] for _ in spans]
    ends = [end for _, end in spans]
    for token in tokens:
        place = max(token.end - 1, token.start)
        index = min(bisect_right(ends, place), len(spans) - 1)
        if index >= 0:
            inside[index].append(token)
    return inside

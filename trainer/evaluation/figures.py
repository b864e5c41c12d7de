"""Sums of log-likelihood as the figures people compare; no torch in here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.corpus.tokens import TokenisedDocument
from trainer.protocol.messages import HeldoutMeasured


@dataclass(frozen=True, slots=True)
class TextSize:
    """What held-out stories measure: tokens that are predicted, words, and UTF-8 bytes of the normalised text."""

    tokens: int
    words: int
    bytes: int


@dataclass(frozen=True, slots=True)
class HeldoutFigures:
    """Held-out figures of story text given its prompt; nats, natural logarithm."""

    nats_per_token: float
    nats_per_word: float
    bits_per_byte: float
    tokens: int

    @property
    def perplexity(self) -> float:
        """Return exp of the nats per token, bounded so that it stays a number."""
        return bound_perplexity(self.nats_per_token)

    def as_event(self, moment: str, step: int) -> HeldoutMeasured:
        """Return the event that reports these figures."""
        return HeldoutMeasured(
            moment=moment,
            step=step,
            perplexity=self.perplexity,
            nats_per_token=self.nats_per_token,
            nats_per_word=self.nats_per_word,
            bits_per_byte=self.bits_per_byte,
            tokens=self.tokens,
        )


def measure_size(documents: Sequence[TokenisedDocument]) -> TextSize:
    """Return the size of all stories together."""
    return TextSize(
        tokens=sum(len(document.story_ids) for document in documents),
        words=sum(document.words for document in documents),
        bytes=sum(document.bytes for document in documents),
    )


def compute_figures(nats: float, size: TextSize) -> HeldoutFigures:
    """Return the figures of ``nats``, the negative log-likelihood of all story tokens together."""
    return HeldoutFigures(
        nats_per_token=nats / max(size.tokens, 1),
        nats_per_word=nats / max(size.words, 1),
        bits_per_byte=nats / math.log(2) / max(size.bytes, 1),
        tokens=size.tokens,
    )


def bound_perplexity(nats_per_token: float) -> float:
    """Return exp(nats), at most e^50: JSON has no infinity, and nobody tells such numbers apart."""
    return math.exp(min(nats_per_token, 50.0)) if not math.isnan(nats_per_token) else math.exp(50.0)

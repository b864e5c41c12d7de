"""How surprising a text is to a model, per token and as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass

from storydesk.domain.manuscript import count_words


@dataclass(frozen=True, slots=True)
class TokenScore:
    """One token's surprise in nats and the span of the writer's own text that it stands for (code points)."""

    start: int
    end: int
    nats: float


@dataclass(frozen=True, slots=True)
class TextScore:
    """A scored text: ``words`` and ``bytes`` (UTF-8) are of the scored part of the writer's own text."""

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
        return math.exp(min(self.nats / len(self.tokens), 700.0)) if self.tokens else 0.0

    @property
    def nats_per_word(self) -> float:
        """Nats per word: comparable between models with different tokenizers."""
        return self.nats / self.words if self.words else 0.0

    @property
    def bits_per_byte(self) -> float:
        """Bits per UTF-8 byte of the text."""
        return self.nats / math.log(2) / self.bytes if self.bytes else 0.0


def measure_text(text: str) -> tuple[int, int]:
    """Return words and UTF-8 bytes of a text, lone surrogates counted as they would be replaced."""
    return count_words(text), len(text.encode("utf-8", "replace"))

"""A request for text and what comes back: settings, chunks, and one closing event."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How the next token is drawn; a temperature of 0 always takes the likeliest."""

    temperature: float = 0.8
    top_p: float = 0.95
    top_k: int = 0
    min_p: float = 0.04
    repetition_penalty: float = 1.1
    no_repeat_ngram: int = 4


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """All that a generator needs, frozen: the same request gives the same text on the same machine.

    ``context`` is exactly what the model sees, in the model's own text form, the template included; it fits the
    model's positions together with the room for ``words``. ``seed`` draws the tokens.
    ``until_sentence_end`` lets the text
    end at the first sentence end after ``words`` words, and never far beyond.
    """

    id: int
    context: str
    words: int
    seed: int
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    until_sentence_end: bool = True


class FinishReason(StrEnum):
    """Why a generation ended."""

    LENGTH = "length"
    END_OF_TEXT = "end_of_text"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TextChunk:
    """Whole characters of new text in the model's form, in order."""

    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The one closing event: why it ended, how many tokens were made, and how fast (tokens per second)."""

    reason: FinishReason
    tokens: int
    tokens_per_second: float
    prefill_seconds: float = 0.0


GenerationEvent = TextChunk | Finished

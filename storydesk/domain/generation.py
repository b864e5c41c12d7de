"""A request for text and what comes back: settings, chunks, and one closing event for each candidate."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How the next token is drawn; a temperature of 0 always takes the likeliest.

    ``typical_p`` of 1 is off. ``frequency_penalty`` (for each time) and ``presence_penalty`` (once) are taken off the
    logits of word tokens that were written. ``banned`` words and phrases never come, in no spelling;
    ``phrase_bias`` makes phrases likelier by so many nats, or less likely. ``stops`` end the text before them.
    ``minimum_words`` holds back the end of the text, ``maximum_words`` cuts it off; 0 sets no such limit.
    ``avoid_loops`` notices that the text goes round in circles, backs up and draws again.
    """

    temperature: float = 0.8
    top_p: float = 0.95
    top_k: int = 0
    min_p: float = 0.04
    repetition_penalty: float = 1.1
    no_repeat_ngram: int = 4
    typical_p: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    banned: tuple[str, ...] = ()
    phrase_bias: tuple[tuple[str, float], ...] = ()
    stops: tuple[str, ...] = ()
    minimum_words: int = 0
    maximum_words: int = 0
    avoid_loops: bool = True


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """All that a generator needs, frozen: the same request gives the same text on the same machine.

    ``context`` is exactly what the model sees, in the model's own text form, the template included; it fits the
    model's positions together with the room for ``words``. Its first ``head`` characters and the span ``note`` stay
    when the window moves while writing; without a ``head`` the template's prompt stays. ``seed`` draws the tokens.
    ``until_sentence_end`` lets the text end at the first sentence end after ``words`` words, and never far beyond.
    ``count`` candidates are written at once, each with a seed one higher than the one before.
    ``alternatives`` asks for so many of the likeliest tokens beside each one drawn.
    """

    id: int
    context: str
    words: int
    seed: int
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    until_sentence_end: bool = True
    head: int = 0
    note: tuple[int, int] = (0, 0)
    count: int = 1
    alternatives: int = 0


MAXIMUM_SEED = 2**31 - 1


def count_seed(seed: int, candidate: int) -> int:
    """Return the seed of a candidate: the first has the given one, each further one the next."""
    return seed if candidate == 0 else (seed + candidate) % (MAXIMUM_SEED + 1)


class FinishReason(StrEnum):
    """Why a generation ended."""

    LENGTH = "length"
    END_OF_TEXT = "end_of_text"
    CANCELLED = "cancelled"
    STOP = "stop"
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class Alternative:
    """A token's text and the model's own probability of it, before any setting changed it."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """One token that was drawn: its span of the candidate's whole text (code points) and what else was likely.

    ``probability`` and the ``alternatives``, likeliest first, are the model's own, at temperature 1. The drawn token
    may be one of the alternatives. A character of several tokens belongs to the last; the others' spans are empty.
    """

    start: int
    end: int
    probability: float
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class TextChunk:
    """Whole characters of new text, in order; ``choices`` are the tokens that end in this chunk, if asked for."""

    text: str
    candidate: int = 0
    choices: tuple[TokenChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """A candidate's closing event: why it ended, how many tokens were made, and how fast (tokens per second).

    Of several candidates written at once each has its own; the speed is that of all of them together. ``loops`` is
    how often the text was found going round in circles and drawn again.
    """

    reason: FinishReason
    tokens: int
    tokens_per_second: float
    prefill_seconds: float = 0.0
    candidate: int = 0
    loops: int = 0


GenerationEvent = TextChunk | Finished

"""Perplexity of a draft that is being written: sections that did not change are not scored again. No Qt in here.

A draft of one section has exactly the score that ``storydesk score`` gives it; the engine itself reuses what stands
before an edit. A longer one is scored in sections, each after the end of the one before, so that an edit at the
beginning of a novel does not mean the whole novel.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.insight import LineScore, split_by_line
from storydesk.domain.scoring import compute_perplexity, measure_text
from storydesk.services.scoring import ScoredText

WHOLE_CHARACTERS = 40_000
"""The longest draft that is one section."""
SECTION_CHARACTERS = 16_000
"""The longest section of a longer one: a few seconds' reading, so that something is known soon."""
CONTEXT_CHARACTERS = 1200  # about 300 tokens: what the model remembers of the section before
_MARK = 60

IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class DraftScore:
    """How surprising a draft is to ``model``: perplexity a token, nats a word, and all there is to know of its lines.

    ``known`` is the share of the draft that the figures are of; lines beyond are None.
    """

    model: str
    perplexity: float
    nats_per_word: float
    tokens: int
    lines: Sequence[LineScore | None] = ()
    known: float = 1.0


class ScoreState(StrEnum):
    """How the score that is shown stands to the text on the page."""

    UNKNOWN = "unknown"
    STALE = "stale"
    WORKING = "working"
    CURRENT = "current"


class TextScorer(Protocol):
    """What scores a piece of text: the ScoringService, or its word for a second model."""

    def score(self, text: str, prompt: str = "", *, is_cancelled: IsCancelled | None = None) -> ScoredText:
        """Return the score; raise StorydeskError(CANCELLED and what loading may raise)."""


@dataclass(frozen=True, slots=True)
class _Sum:
    nats: float
    tokens: int
    words: int
    lines: Sequence[LineScore | None] = ()


def split_sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield (what stands before, section) pairs that end with a line break each and make up the whole text.

    The text itself says where a section ends, so that an edit moves the ends near it only: of the line breaks between
    half a section and a whole one, the one before the line whose checksum is smallest.
    """
    start = 0
    while start < len(text):
        end = _find_end(text, start)
        if not text[end:].strip():
            end = len(text)
        before = max(0, start - CONTEXT_CHARACTERS)
        if before:
            space = text.find(" ", before, start)
            before = space + 1 if space >= 0 else before
        yield text[before:start], text[start:end]
        start = end


def _find_end(text: str, start: int) -> int:
    if len(text) - start <= (SECTION_CHARACTERS if start else WHOLE_CHARACTERS):
        return len(text)
    best, smallest = 0, -1
    place = text.find("\n", start + SECTION_CHARACTERS // 2) + 1
    while 0 < place <= start + SECTION_CHARACTERS:
        mixed = zlib.crc32(text[place : place + _MARK].encode("utf-8", "surrogatepass"))
        if mixed < smallest or not best:
            best, smallest = place, mixed
        place = text.find("\n", place) + 1
    return best or place or len(text)


class DraftScorer:
    """Scores a growing draft and remembers its sections. Lives in the engine's thread."""

    def __init__(self, scoring: TextScorer) -> None:
        """Score with the model in use, or with another one."""
        self._scoring = scoring
        self._model = ""
        self._known: dict[tuple[str, str, str], _Sum] = {}

    def score(
        self,
        text: str,
        prompt: str,
        model: str,
        is_cancelled: IsCancelled,
        *,
        place: int = 0,
        on_grown: Callable[[DraftScore], None] | None = None,
    ) -> DraftScore:
        """Return the draft's score; raise StorydeskError(TEXT_EMPTY, CANCELLED ...).

        The section at ``place`` comes first. ``on_grown`` hears what is known whenever there is more and not yet all
        of it. What was done before a cancel is remembered, so a long draft is scored in the pauses of typing.
        """
        if not text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        if model != self._model:
            self._known.clear()
            self._model = model
        keys = [("" if context else prompt, context, section) for context, section in split_sections(text)]
        self._known = {key: self._known[key] for key in keys if key in self._known}
        for key in _begin_at(keys, place):
            if key in self._known:
                continue
            if is_cancelled():
                raise StorydeskError(FailureCode.CANCELLED)
            self._known[key] = self._score_section(*key, is_cancelled)
            if on_grown is not None and any(each not in self._known for each in keys):
                on_grown(self._add_up(keys, model))
        return self._add_up(keys, model)

    def _add_up(self, keys: Sequence[tuple[str, str, str]], model: str) -> DraftScore:
        """Return the score of what is known of these sections."""
        parts = [self._known[key] for key in keys if key in self._known]
        nats = math.fsum(part.nats for part in parts)
        tokens, words = sum(part.tokens for part in parts), sum(part.words for part in parts)
        lines: list[LineScore | None] = []
        size = 0
        for number, key in enumerate(keys):
            part = self._known.get(key)
            size += len(key[2]) if part is not None else 0
            found: Sequence[LineScore | None] = part.lines if part is not None else [None] * (key[2].count("\n") + 1)
            lines += (
                found if number == len(keys) - 1 else found[:-1]
            )  # the next section begins the line after the break
        known = size / max(sum(len(key[2]) for key in keys), 1)
        per_word = nats / words if words else 0.0
        return DraftScore(model, compute_perplexity(nats, tokens), per_word, tokens, lines, known)

    def measure_addition(self, before: str, added: str, prompt: str, is_cancelled: IsCancelled) -> float:
        """Return the perplexity of ``added`` where it follows ``before``; 0 where there is nothing to measure."""
        if not added.strip():
            return 0.0
        # The last section is what the engine has just seen, and it does not read that again.
        context, section = (list(split_sections(before)) or [("", "")])[-1]
        part = self._score_section("" if context else prompt, context + section, added, is_cancelled)
        return compute_perplexity(part.nats, part.tokens)

    def _score_section(self, prompt: str, context: str, section: str, is_cancelled: IsCancelled) -> _Sum:
        if not section.strip():
            return _Sum(0.0, 0, 0, split_by_line((), section))
        scored = self._scoring.score(context + section, prompt, is_cancelled=is_cancelled)
        tokens = [token for token in scored.score.tokens if token.end > len(context)]
        lines = split_by_line(tokens, section, len(context))
        return _Sum(math.fsum(token.nats for token in tokens), len(tokens), measure_text(section)[0], lines)


def _begin_at(keys: Sequence[tuple[str, str, str]], place: int) -> list[tuple[str, str, str]]:
    """Return the sections, the one that holds a place first, then those behind it."""
    end = 0
    for number, key in enumerate(keys):
        end += len(key[2])
        if place < end:
            return [*keys[number:], *keys[:number]]
    return list(keys)

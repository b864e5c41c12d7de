"""Perplexity of a draft that is being written: sections that did not change are not scored again. No Qt in here.

A draft of one section has exactly the score that ``storydesk score`` gives it; the engine itself reuses what stands
before an edit. A longer one is scored in sections, each after the end of the one before, so that an edit at the
beginning of a novel does not mean the whole novel.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.scoring import measure_text
from storydesk.services.scoring import ScoringService

SECTION_CHARACTERS = 40_000
CONTEXT_CHARACTERS = 1200  # about 300 tokens: what the model remembers of the section before

IsCancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class DraftScore:
    """How surprising a draft is to ``model``: perplexity a token, nats a word."""

    model: str
    perplexity: float
    nats_per_word: float
    tokens: int


@dataclass(frozen=True, slots=True)
class _Sum:
    nats: float
    tokens: int
    words: int


def split_sections(text: str) -> Iterator[tuple[str, str]]:
    """Yield (what stands before, section) pairs that end with a line break each and make up the whole text."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + SECTION_CHARACTERS)
        end = len(text) if end < 0 else end + 1
        if not text[end:].strip():
            end = len(text)
        before = max(0, start - CONTEXT_CHARACTERS)
        if before:
            space = text.find(" ", before, start)
            before = space + 1 if space >= 0 else before
        yield text[before:start], text[start:end]
        start = end


class DraftScorer:
    """Scores a growing draft and remembers its sections. Lives in the engine's thread."""

    def __init__(self, scoring: ScoringService) -> None:
        """Score with the model in use."""
        self._scoring = scoring
        self._model = ""
        self._known: dict[tuple[str, str, str], _Sum] = {}

    def score(self, text: str, prompt: str, model: str, is_cancelled: IsCancelled) -> DraftScore:
        """Return the draft's score; raise StorydeskError(TEXT_EMPTY, CANCELLED ...).

        What was done before a cancel is remembered, so a long draft is scored in the pauses of typing.
        """
        if not text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        if model != self._model:
            self._known.clear()
            self._model = model
        used: dict[tuple[str, str, str], _Sum] = {}
        for context, section in split_sections(text):
            key = ("" if context else prompt, context, section)
            if key not in self._known:
                if is_cancelled():
                    raise StorydeskError(FailureCode.CANCELLED)
                self._known[key] = self._score_section(*key, is_cancelled)
            used[key] = self._known[key]
        self._known = used
        nats = math.fsum(part.nats for part in used.values())
        tokens = sum(part.tokens for part in used.values())
        words = sum(part.words for part in used.values())
        perplexity = math.exp(min(nats / tokens, 700.0)) if tokens else 0.0
        return DraftScore(model, perplexity, nats / words if words else 0.0, tokens)

    def measure_addition(self, before: str, added: str, prompt: str, is_cancelled: IsCancelled) -> float:
        """Return the perplexity of ``added`` where it follows ``before``; 0 where there is nothing to measure."""
        if not added.strip():
            return 0.0
        # The last section is what the engine has just seen, and it does not read that again.
        context, section = (list(split_sections(before)) or [("", "")])[-1]
        part = self._score_section("" if context else prompt, context + section, added, is_cancelled)
        return math.exp(min(part.nats / part.tokens, 700.0)) if part.tokens else 0.0

    def _score_section(self, prompt: str, context: str, section: str, is_cancelled: IsCancelled) -> _Sum:
        if not section.strip():
            return _Sum(0.0, 0, 0)
        scored = self._scoring.score(context + section, prompt, is_cancelled=is_cancelled)
        nats = [token.nats for token in scored.score.tokens if token.end > len(context)]
        return _Sum(math.fsum(nats), len(nats), measure_text(section)[0])

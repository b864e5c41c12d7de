"""Perplexity of drafts: how surprising a text is to the model in use, and to another one beside it."""

from __future__ import annotations

from dataclasses import dataclass

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.scoring import TextScore, WordDifference, score_difference
from storydesk.services.engines import EngineHost
from storydesk.services.ports import IsCancelled


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A score and the model it belongs to; perplexities of different tokenizers can't be compared, nats a word can."""

    score: TextScore
    model: str


@dataclass(frozen=True, slots=True)
class ComparedText:
    """One text's scores by two models, and the difference at each word: above 0 it sounds more like the first."""

    tuned: ScoredText
    base: ScoredText
    words: tuple[WordDifference, ...]


class ScoringService:
    """Scores texts. Lives where its EngineHost lives."""

    def __init__(self, engines: EngineHost) -> None:
        """Score with whatever the host has loaded."""
        self._engines = engines

    def score(
        self,
        text: str,
        prompt: str = "",
        *,
        model: str | None = None,
        is_cancelled: IsCancelled | None = None,
        alternatives: int = 0,
    ) -> ScoredText:
        """Return the score of a text; raise StorydeskError(TEXT_EMPTY, CANCELLED and what loading may raise).

        ``alternatives`` asks for so many of the likeliest tokens in each place.
        """
        if not text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        engine = self._engines.engine(model)
        return ScoredText(engine.score(text, prompt, is_cancelled, alternatives=alternatives), engine.model.name)

    def beside(self, base: str) -> BesideScoring:
        """Return what scores by a second model, which is loaded when it is first needed."""
        return BesideScoring(self._engines, base)

    def compare(
        self,
        text: str,
        prompt: str = "",
        *,
        base: str,
        model: str | None = None,
        is_cancelled: IsCancelled | None = None,
    ) -> ComparedText:
        """Return what a text is to the model in use, or the named one, and to ``base``, both loaded at once.

        Raise StorydeskError(TEXT_EMPTY, CANCELLED and what loading may raise).
        """
        tuned = self.score(text, prompt, model=model, is_cancelled=is_cancelled)
        other = self._engines.companion(base)
        scored = ScoredText(other.score(text, prompt, is_cancelled), other.model.name)
        return ComparedText(tuned, scored, score_difference(tuned.score, scored.score, text))


class BesideScoring:
    """Scores texts by a second model beside the one in use. Lives where its EngineHost lives."""

    def __init__(self, engines: EngineHost, name: str) -> None:
        """Nothing is loaded yet."""
        self._engines = engines
        self._name = name

    def score(self, text: str, prompt: str = "", *, is_cancelled: IsCancelled | None = None) -> ScoredText:
        """Return the score of a text; raise StorydeskError(CANCELLED and what loading may raise)."""
        engine = self._engines.companion(self._name)
        return ScoredText(engine.score(text, prompt, is_cancelled), engine.model.name)

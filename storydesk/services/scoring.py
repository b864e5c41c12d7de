"""Perplexity of drafts: how surprising a text is to the model in use."""

from __future__ import annotations

from dataclasses import dataclass

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.scoring import TextScore
from storydesk.services.engines import EngineHost
from storydesk.services.ports import IsCancelled


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A score and the model it belongs to; perplexities of different tokenizers can't be compared, nats a word can."""

    score: TextScore
    model: str


class ScoringService:
    """Scores texts. Lives where its EngineHost lives."""

    def __init__(self, engines: EngineHost) -> None:
        """Score with whatever the host has loaded."""
        self._engines = engines

    def score(
        self, text: str, prompt: str = "", *, model: str | None = None, is_cancelled: IsCancelled | None = None
    ) -> ScoredText:
        """Return the score of a text; raise StorydeskError(TEXT_EMPTY, CANCELLED and what loading may raise)."""
        if not text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        engine = self._engines.engine(model)
        return ScoredText(engine.score(text, prompt, is_cancelled), engine.model.name)

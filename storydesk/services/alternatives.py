"""Other ways to say a passage: sampled from what stands before it, measured by how well what stands after it follows.

GPT-2 follows no instructions, so nothing can ask it to rewrite; it can write on from the same place, and it can say how
surprised it is at what comes next.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

from storydesk.domain.alternatives import Passage, Rewording
from storydesk.domain.closeness import measure_closeness
from storydesk.domain.endings import ends_whole, trim_to_sentence
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import Finished, FinishReason, SamplingSettings, TextChunk
from storydesk.domain.manuscript import count_words
from storydesk.domain.memory import Recollection
from storydesk.domain.scoring import TextScore
from storydesk.services.ports import IsCancelled, Progress
from storydesk.services.scoring import ScoringService
from storydesk.services.writing import WritingRequest, WritingService

WAYS = 8
"""Candidates that are drawn; they are written as one batch."""
CONTEXT_CHARACTERS = 1200
"""Of what stands before: about 300 tokens, which the scorer reads once for all candidates."""
FOLLOWING_TOKENS = 60
FOLLOWING_CHARACTERS = 420
MOST_WORDS = 300
"""Words of a passage that can be said otherwise; longer ones are parts of the story, not ways to say something."""
SPARE_SHARE = 0.35
"""How much longer or shorter than the passage a candidate may be."""
SPARE_WORDS = 10
"""How many words longer it may be in any case to come to the end of its sentence."""
FEWEST_WHOLE = 2
"""Whole sentences that are enough to leave out the candidates that broke off."""


class AlternativesService:
    """Finds other ways to say a passage. Lives where its WritingService and ScoringService live."""

    def __init__(self, writing: WritingService, scoring: ScoringService) -> None:
        """Write and score with the model in use."""
        self._writing = writing
        self._scoring = scoring

    def request(
        self,
        passage: Passage,
        prompt: str,
        settings: SamplingSettings,
        *,
        seed: int | None = None,
        count: int = WAYS,
        recalled: Recollection | None = None,
    ) -> WritingRequest:
        """Return the request for candidates about as long as the passage; raise TEXT_EMPTY, PASSAGE_TOO_LONG.

        Where the passage ends with a sentence so do they; elsewhere they stop at its number of words.
        """
        words = count_words(passage.text)
        if not passage.text:
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        if words > MOST_WORDS:
            raise StorydeskError(FailureCode.PASSAGE_TOO_LONG, words=words, most=MOST_WORDS)
        whole = ends_whole(passage.text)
        spare = max(round(words * SPARE_SHARE), 2)
        fitted = dataclasses.replace(
            settings,
            minimum_words=max(words - spare, 1) if whole else 0,
            maximum_words=words + (max(spare, SPARE_WORDS) if whole else spare),
            stops=(*settings.stops, "\n") if "\n" not in passage.text else settings.stops,
        )
        return self._writing.request(
            prompt,
            passage.before,
            words=max(words - spare // 2, 1) if whole else max(words, 1),
            seed=seed,
            settings=fitted,
            count=count,
            until_sentence_end=whole,
            recalled=recalled,
        )

    def find(
        self,
        passage: Passage,
        request: WritingRequest,
        *,
        progress: Progress | None = None,
        is_cancelled: IsCancelled | None = None,
    ) -> tuple[Rewording, list[Rewording]]:
        """Return the original's measure and the candidates', without those that say the very same or nothing.

        ``progress`` counts words that were written, then what was measured, as one. Raise StorydeskError(CANCELLED)
        and what loading a model may raise.
        """
        total = request.words + request.count + 1
        texts = self._write(request, lambda done: _tell(progress, done, total), is_cancelled)
        kept = [text for text in dict.fromkeys(texts) if text and text != passage.text]
        if request.until_sentence_end:
            whole = [text for text in kept if ends_whole(text) and _closes_speech(text)]
            kept = whole if len(whole) >= FEWEST_WHOLE else kept
        numbers = {text: texts.index(text) for text in kept}
        original = self._measure(passage, passage.text, is_cancelled)
        ways = []
        for done, text in enumerate(kept, start=1):
            _tell(progress, request.words + done, total)
            measured = self._measure(passage, text, is_cancelled)
            ways.append(dataclasses.replace(measured, candidate=numbers[text]))
        _tell(progress, total, total)
        return original, ways

    def _write(
        self, request: WritingRequest, told: Callable[[int], None], is_cancelled: IsCancelled | None
    ) -> list[str]:
        texts = [""] * request.count
        events = self._writing.write(request)
        try:
            for event in events:
                if is_cancelled is not None and is_cancelled():
                    raise StorydeskError(FailureCode.CANCELLED)
                if isinstance(event, TextChunk):
                    texts[event.candidate] += event.text
                    told(min(count_words(texts[event.candidate]), request.words))
                elif isinstance(event, Finished) and event.reason is FinishReason.CANCELLED:
                    raise StorydeskError(FailureCode.CANCELLED)
        finally:
            events.close()
        whole = request.until_sentence_end
        return [(trim_to_sentence(text, 1) if whole else text).strip() for text in texts]

    def _measure(self, passage: Passage, text: str, is_cancelled: IsCancelled | None) -> Rewording:
        before = passage.before[-CONTEXT_CHARACTERS:]
        if len(before) < len(passage.before):
            before = before[before.find(" ") + 1 :]
        after = passage.after[:FOLLOWING_CHARACTERS]
        score = self._scoring.score(before + text + after, is_cancelled=is_cancelled).score
        start, end = len(before), len(before) + len(text)
        own = _mean(score, start, end)
        follow = _mean(score, end, end + len(after), FOLLOWING_TOKENS) if after.strip() else None
        return Rewording(text, own if own is not None else 0.0, follow, measure_closeness(passage.text, text))


def _closes_speech(text: str) -> bool:
    """Return whether every quotation that opens in a text closes in it."""
    return text.count("“") == text.count("”") and text.count('"') % 2 == 0


def _mean(score: TextScore, start: int, end: int, most: int = 0) -> float | None:
    """Return the mean log-probability of the tokens that end between two places; None where none does."""
    nats = [token.nats for token in score.tokens if start < token.end <= end]
    nats = nats[:most] if most else nats
    return -math.fsum(nats) / len(nats) if nats else None


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)

"""A generation made again, exactly: the same model, seed and window give the same text."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from storydesk.domain.draft_history import KeptGeneration
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import TextChunk
from storydesk.services.arrival import ArrivalService, Replaced, Settled
from storydesk.services.drafts import load_request
from storydesk.services.polishing import PolishingService
from storydesk.services.ports import IsCancelled
from storydesk.services.writing import WritingRequest, WritingService


@dataclass(frozen=True, slots=True)
class Repeated:
    """What came when a generation was made again, and whether it is the same."""

    text: str
    same: bool


class GenerationRepeater:
    """Makes a generation again. Lives in the engine's thread."""

    def __init__(self, writing: WritingService, new_polishing: Callable[[], PolishingService]) -> None:
        """Write with the model that wrote it."""
        self._writing = writing
        self._new_polishing = new_polishing

    def repeat(self, kept: KeptGeneration, is_cancelled: IsCancelled) -> Repeated:
        """Write it once more and say whether it is the same; raise StorydeskError(CANCELLED, MODEL_...).

        An answer may have been mended on its way in, so one that comes out otherwise is tried mended, too.
        """
        request, place, prefix = load_request(kept.request)
        first = prefix + self._write(request, place, is_cancelled, polish=False)
        if _is_same(first, kept.text):
            return Repeated(first, True)
        mended = prefix + self._write(request, place, is_cancelled, polish=True)
        if _is_same(mended, kept.text):
            return Repeated(mended, True)
        return Repeated(first, False)

    def _write(self, request: WritingRequest, place: int, is_cancelled: IsCancelled, *, polish: bool) -> str:
        arrival = ArrivalService(self._writing, self._new_polishing)
        text = ""
        events: Generator[Any, None, None] = arrival.write(request, polish=polish)
        try:
            for event in events:
                if is_cancelled():
                    raise StorydeskError(FailureCode.CANCELLED)
                if isinstance(event, TextChunk) and event.candidate == place:
                    text += event.text
                elif isinstance(event, Replaced) and event.candidate == place:
                    text = event.text
                elif isinstance(event, Settled) and event.candidate == place:
                    break
        finally:
            events.close()
            arrival.close()
        return text


def _is_same(text: str, kept: str) -> bool:
    """Return whether a text is the one that was kept, which the writer may have stopped before its end."""
    return bool(kept.strip()) and text.startswith(kept.rstrip())

"""One request's answers on their way from the engine's thread to the window, about thirty signals a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from storydesk.domain.endings import Ending
from storydesk.domain.generation import FinishReason, TextChunk, TokenChoice
from storydesk.services.arrival import ArrivalEvent, Replaced, Settled
from storydesk.services.writing import Started, WritingRequest

SECONDS_BETWEEN_CHUNKS = 1 / 30


@dataclass(frozen=True, slots=True)
class WritingStarted:
    """A request's first answer: what the model will not see."""

    request_id: int
    started: Started


@dataclass(frozen=True, slots=True)
class Chunk:
    """New text of one candidate; with ``anew`` what came before of it is void. ``choices`` are its tokens."""

    request_id: int
    text: str
    candidate: int = 0
    choices: tuple[TokenChoice, ...] = ()
    anew: bool = False


@dataclass(frozen=True, slots=True)
class WritingEnded:
    """All of one candidate's text, how it ended and how fast it came (tokens per second).

    ``source`` is the request that gives this very text, as its candidate number ``place``; None for ``request``
    itself. ``ending`` says what was done to its end.
    """

    request: WritingRequest
    model: str
    text: str
    reason: FinishReason
    tokens_per_second: float
    candidate: int = 0
    ending: Ending = Ending.WHOLE
    source: WritingRequest | None = None
    place: int = 0


@dataclass(slots=True)
class _Waiting:
    text: list[str] = field(default_factory=list)
    choices: list[TokenChoice] = field(default_factory=list)


class AnswerStream:
    """Joins the events of one request to signals. Lives in the engine's thread; one for one request."""

    def __init__(self, request: WritingRequest, send: Callable[[object], None]) -> None:
        """``send`` gets WritingStarted, Chunks and WritingEnded."""
        self._request = request
        self._send = send
        self._model = ""
        self._texts = [""] * max(request.count, 1)
        self._waiting = [_Waiting() for _ in self._texts]
        self._open = set(range(len(self._texts)))
        self._last = 0.0
        self.ended: list[WritingEnded] = []
        """The candidates that came to their end, in the order in which they did."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing has come at all."""
        return not any(self._texts) and not any(each.text for each in self._waiting)

    def run(self, events: Iterator[ArrivalEvent], is_wanted: Callable[[], bool]) -> list[WritingEnded]:
        """Send what comes while it is wanted, and how each candidate ended; return the ends of those cut off."""
        cut_off = []
        for event in events:
            if isinstance(event, Started):
                self._model = event.model
                self._send(WritingStarted(self._request.id, event))
            elif isinstance(event, TextChunk):
                self._waiting[event.candidate].text.append(event.text)
                self._waiting[event.candidate].choices += event.choices
                self._flush_sometimes()
            elif isinstance(event, Replaced):
                self._waiting[event.candidate] = _Waiting()
                self._texts[event.candidate] = event.text
                self._send(Chunk(self._request.id, event.text, event.candidate, event.choices, anew=True))
            elif event.reason is FinishReason.CANCELLED:
                cut_off.append(self._end(event))
            else:
                self.ended.append(self._end(event))
                self._send(self.ended[-1])
            if not is_wanted() and not isinstance(event, Settled):
                break
        self._flush()
        return cut_off + [self._break_off(candidate) for candidate in sorted(self._open)]

    def _end(self, event: Settled) -> WritingEnded:
        self._flush()
        self._open.discard(event.candidate)
        return WritingEnded(
            self._request,
            self._model,
            self._texts[event.candidate],
            event.reason,
            event.tokens_per_second,
            event.candidate,
            event.ending,
            event.request,
            event.place,
        )

    def _break_off(self, candidate: int) -> WritingEnded:
        text = self._texts[candidate]
        return WritingEnded(self._request, self._model, text, FinishReason.CANCELLED, 0.0, candidate, place=candidate)

    def _flush_sometimes(self) -> None:
        if time.monotonic() - self._last >= SECONDS_BETWEEN_CHUNKS:
            self._last = time.monotonic()
            self._flush()

    def _flush(self) -> None:
        for candidate, waiting in enumerate(self._waiting):
            text = "".join(waiting.text)
            if text:
                self._texts[candidate] += text
                self._send(Chunk(self._request.id, text, candidate, tuple(waiting.choices)))
                self._waiting[candidate] = _Waiting()

"""Going on at the cursor and three ways: requests out, text in, strangers dropped."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from storydesk.bridge.engine_worker import (
    Chunk,
    EngineWorker,
    WritingEnded,
    WritingFailed,
    WritingMeasured,
    WritingStarted,
)
from storydesk.bridge.serial_worker import SerialWorker
from storydesk.bridge.wildness import settings_for
from storydesk.domain.generation import FinishReason
from storydesk.services.desk import Desk
from storydesk.services.writing import WritingRequest

WAYS = 3


@dataclass(slots=True)
class Candidate:
    """One way to go on, as far as it has come; ``perplexity`` is 0 while unknown."""

    number: int
    request: WritingRequest
    text: str = ""
    model: str = ""
    perplexity: float = 0.0
    ended: bool = False
    reason: FinishReason | None = None


class WritingController(QObject):
    """Asks the engine for text and keeps what belongs to the newest wish. GUI thread."""

    writing_changed = Signal(bool)
    """Whether text is being written."""
    cleared = Signal()
    candidate_changed = Signal(object)
    """A Candidate that has grown, ended or was measured."""
    prompt_cut = Signal(int, int)
    """How many characters of prompt and text the model does not see."""
    speed_measured = Signal(float)
    failed = Signal(object)

    def __init__(self, desk: Desk, engine: EngineWorker, library: SerialWorker, parent: QObject) -> None:
        """Speak to the engine's thread; generations are recorded through the library's."""
        super().__init__(parent)
        self._desk = desk
        self._engine = engine
        self._library = library
        self._candidates: dict[int, Candidate] = {}
        self._open: set[int] = set()
        engine.writing_started.connect(self._on_writing_started)
        engine.chunk_ready.connect(self._on_chunk_ready)
        engine.writing_ended.connect(self._on_writing_ended)
        engine.writing_measured.connect(self._on_writing_measured)
        engine.writing_failed.connect(self._on_writing_failed)

    @property
    def is_writing(self) -> bool:
        """Whether text is still to come."""
        return bool(self._open)

    @property
    def candidates(self) -> list[Candidate]:
        """The ways of the newest wish, in order."""
        return list(self._candidates.values())

    def go_on(self, prompt: str, text: str, *, words: int, wildness: float, ways: int = 1) -> None:
        """Go on after ``text`` in one or several ways; what was asked before is dropped."""
        settings = settings_for(wildness)
        requests = [self._desk.writing.request(prompt, text, words=words, settings=settings) for _way in range(ways)]
        self._candidates = {request.id: Candidate(number, request) for number, request in enumerate(requests, start=1)}
        self._open = set(self._candidates)
        self.cleared.emit()
        self.writing_changed.emit(True)
        self._engine.write(requests)

    def stop(self) -> None:
        """End the writing; what has come stays."""
        if not self._open:
            return
        self._open.clear()
        self._engine.cancel_writing()
        for candidate in self._candidates.values():
            if not candidate.ended:
                candidate.ended = True
                candidate.reason = FinishReason.CANCELLED
                self.candidate_changed.emit(candidate)
        self.writing_changed.emit(False)

    def drop(self) -> None:
        """Forget the newest wish altogether, for the text has moved on."""
        was_writing = bool(self._open)
        self._open.clear()
        if was_writing:
            self._engine.cancel_writing()
        if self._candidates:
            self._candidates = {}
            self.cleared.emit()
        if was_writing:
            self.writing_changed.emit(False)

    def find(self, number: int) -> Candidate | None:
        """Return the way with this number, if it has any text."""
        for candidate in self._candidates.values():
            if candidate.number == number and candidate.text:
                return candidate
        return None

    def record(self, draft_id: int, candidate: Candidate) -> None:
        """Keep what made the accepted text, so that it can be made again."""
        request, model, text = candidate.request, candidate.model, candidate.text
        manuscripts = self._desk.manuscripts
        if manuscripts.read_only:
            return
        self._library.submit(
            lambda: manuscripts.record_generation(draft_id, request, model, text, accepted=True),
            None,
            self.failed.emit,
        )

    @Slot(object)
    def _on_writing_started(self, event: WritingStarted) -> None:
        candidate = self._candidates.get(event.request_id)
        if candidate is None or candidate.ended:
            return
        candidate.model = event.started.model
        if candidate.number == 1 and (event.started.prompt_left_out or event.started.text_left_out):
            self.prompt_cut.emit(event.started.prompt_left_out, event.started.text_left_out)

    @Slot(object)
    def _on_chunk_ready(self, chunk: Chunk) -> None:
        candidate = self._candidates.get(chunk.request_id)
        if candidate is None or candidate.ended:
            return
        candidate.text += chunk.text
        self.candidate_changed.emit(candidate)

    @Slot(object)
    def _on_writing_ended(self, ended: WritingEnded) -> None:
        if ended.tokens_per_second > 0:
            self.speed_measured.emit(ended.tokens_per_second)
        candidate = self._candidates.get(ended.request.id)
        if candidate is None or candidate.ended:
            return
        candidate.ended = True
        candidate.reason = ended.reason
        self.candidate_changed.emit(candidate)
        self._close(ended.request.id)

    @Slot(object)
    def _on_writing_measured(self, measured: WritingMeasured) -> None:
        candidate = self._candidates.get(measured.request_id)
        if candidate is not None:
            candidate.perplexity = measured.perplexity
            self.candidate_changed.emit(candidate)

    @Slot(object)
    def _on_writing_failed(self, event: WritingFailed) -> None:
        candidate = self._candidates.get(event.request_id)
        if candidate is None:
            return
        if not any(other.ended for other in self._candidates.values()):
            self.failed.emit(event.failure)  # three ways that fail alike are told once
        candidate.ended = True
        self._close(event.request_id)

    def _close(self, request_id: int) -> None:
        self._open.discard(request_id)
        if not self._open:
            self.writing_changed.emit(False)

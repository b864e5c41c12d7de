"""Going on at the cursor in one or several ways: requests out, text in, strangers dropped, earlier ones at hand."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Signal, Slot

from storydesk.bridge.answer_stream import Chunk, WritingEnded, WritingStarted
from storydesk.bridge.engine_worker import EngineWorker, WritingFailed, WritingMeasured
from storydesk.bridge.serial_worker import SerialWorker
from storydesk.domain.endings import Ending
from storydesk.domain.generation import Alternative, FinishReason, TokenChoice, count_seed
from storydesk.services.desk import Desk
from storydesk.services.writing import Started, WritingRequest

MOST_EARLIER = 40
"""Generations that the way back leads to; the library keeps them all."""


@dataclass(slots=True, eq=False)
class Candidate:
    """One way to go on, as far as it has come; ``perplexity`` is 0 while unknown.

    ``request`` gives this text as its candidate number ``place``, after ``prefix``: what was kept of an earlier way.
    ``choices`` are its tokens, with spans in ``text``.
    """

    number: int
    request: WritingRequest
    text: str = ""
    model: str = ""
    perplexity: float = 0.0
    ended: bool = False
    reason: FinishReason | None = None
    place: int = 0
    prefix: str = ""
    choices: list[TokenChoice] = field(default_factory=list)
    ending: Ending = Ending.WHOLE
    taken: int = 0
    """Code points that are in the draft already."""

    @property
    def seed(self) -> int:
        """The seed that drew it."""
        return count_seed(self.request.seed, self.place)

    @property
    def rest(self) -> str:
        """What is still offered."""
        return self.text[self.taken :]

    def choice_at(self, place: int) -> TokenChoice | None:
        """Return the token that a place (code points) of the text belongs to, if its alternatives are known."""
        return next((each for each in self.choices if each.start <= place < each.end and each.alternatives), None)


@dataclass(slots=True, eq=False)
class Generation:
    """What one wish brought: its candidates, and the place in the library where they go on."""

    request: WritingRequest
    base: str
    draft: int
    candidates: list[Candidate]
    started: Started | None = None

    @property
    def has_text(self) -> bool:
        """Whether there is anything to come back to."""
        return any(each.text for each in self.candidates)


class WritingController(QObject):
    """Asks the engine for text and keeps what belongs to the newest wish. GUI thread."""

    writing_changed = Signal(bool)
    """Whether text is being written."""
    cleared = Signal()
    candidate_changed = Signal(object)
    """A Candidate that has grown, ended or was measured."""
    generation_changed = Signal()
    """Another generation is on show, or none, or one has come to its end."""
    window_told = Signal(object)
    """A Started: what the model does not see of the newest wish."""
    accepted = Signal(int, object)
    """The draft's id, and the Candidate whose text is in it now."""
    speed_measured = Signal(float)
    failed = Signal(object)

    def __init__(self, desk: Desk, engine: EngineWorker, library: SerialWorker, parent: QObject) -> None:
        """Speak to the engine's thread; generations are recorded through the library's."""
        super().__init__(parent)
        self._desk = desk
        self._engine = engine
        self._library = library
        self._generation: Generation | None = None
        self._earlier: list[Generation] = []
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
    def generation(self) -> Generation | None:
        """What is on show."""
        return self._generation

    @property
    def candidates(self) -> list[Candidate]:
        """The ways on show, in order."""
        return list(self._generation.candidates) if self._generation is not None else []

    def go_on(
        self, request: WritingRequest, draft: int = 0, *, polish: bool = False, names: Sequence[str] = ()
    ) -> None:
        """Write what is wished for; what was asked before is dropped, and can be come back to at its place."""
        candidates = [Candidate(number + 1, request, place=number) for number in range(max(request.count, 1))]
        self._begin(Generation(request, request.text, draft, candidates), polish, names)

    def go_on_from(
        self,
        candidate: Candidate,
        choice: TokenChoice,
        alternative: Alternative,
        *,
        polish: bool = False,
        names: Sequence[str] = (),
    ) -> None:
        """Go on from another word in the place of one that was drawn; what stood before it is kept."""
        generation = self._generation
        if generation is None:
            return
        base = dataclasses.replace(candidate.request, text=generation.base, words=generation.request.words)
        request = self._desk.writing.go_on_from(base, candidate.text, choice, alternative)
        prefix = candidate.text[: choice.start] + alternative.text
        kept = [each for each in candidate.choices if each.end <= choice.start]
        kept.append(TokenChoice(choice.start, len(prefix), alternative.probability, choice.alternatives))
        other = Candidate(1, request, prefix, candidate.model, prefix=prefix, choices=kept, taken=candidate.taken)
        self._begin(Generation(request, generation.base, generation.draft, [other]), polish, names)

    def retry(self, *, polish: bool = False, names: Sequence[str] = ()) -> None:
        """Ask for the same again with another seed."""
        generation = self._generation
        if generation is None:
            return
        first = generation.candidates[0]
        request = self._desk.writing.again(generation.request)
        candidates = [
            Candidate(each.number, request, first.prefix, prefix=first.prefix, place=each.number - 1)
            for each in generation.candidates
        ]
        for each in candidates:
            each.choices = [choice for choice in first.choices if choice.end <= len(first.prefix)]
        self._begin(Generation(request, generation.base, generation.draft, candidates), polish, names)

    def _begin(self, generation: Generation, polish: bool, names: Sequence[str]) -> None:
        self._keep()
        self._generation = generation
        self._open = {each.number for each in generation.candidates}
        self.cleared.emit()
        self.writing_changed.emit(True)
        self.generation_changed.emit()
        for candidate in generation.candidates:
            self.candidate_changed.emit(candidate)
        self._engine.write([generation.request], polish=polish, names=names)

    def narrow(self, candidate: Candidate) -> None:
        """Go on with this way only, for a part of it is in the text now; the way back leads to all of them."""
        here = self._generation
        if here is None or len(here.candidates) == 1 or candidate not in here.candidates:
            return
        self._keep()
        self._generation = dataclasses.replace(here, candidates=[candidate])
        self._open &= {candidate.number}
        self.cleared.emit()
        self.candidate_changed.emit(candidate)
        if not self._open:
            self.writing_changed.emit(False)
        self.generation_changed.emit()

    def stop(self) -> None:
        """End the writing; what has come stays."""
        if not self._open:
            return
        self._open.clear()
        self._engine.cancel_writing()
        for candidate in self.candidates:
            if not candidate.ended:
                candidate.ended = True
                candidate.reason = FinishReason.CANCELLED
                self.candidate_changed.emit(candidate)
        self.writing_changed.emit(False)
        self.generation_changed.emit()

    def drop(self) -> None:
        """Forget the newest wish, for the text has moved on; it can be come back to at its place."""
        was_writing = bool(self._open)
        self._open.clear()
        if was_writing:
            self._engine.cancel_writing()
        if self._generation is not None:
            self._keep()
            self._generation = None
            self.cleared.emit()
            self.generation_changed.emit()
        if was_writing:
            self.writing_changed.emit(False)

    # The way back

    def position(self) -> tuple[int, int]:
        """Return the number of the generation on show, counted from 1, and how many there are for its place."""
        here = self._generation
        if here is None:
            return 0, 0
        ids = self._ring(here.draft, here.base)
        return ids.index(here.request.id) + 1, len(ids)

    def turn(self, step: int, draft: int, text: str) -> bool:
        """Show the generation before (-1) or after (1) for the place behind ``text``; say whether there is one."""
        ids, here = self._ring(draft, text), self._generation
        at = len(ids) if here is None or here.request.id not in ids else ids.index(here.request.id)
        if not 0 <= at + step < len(ids):
            return False
        if self._open:
            self.stop()
        self._keep()
        chosen = next(each for each in self._earlier if each.request.id == ids[at + step])
        self._generation = chosen
        self.cleared.emit()
        for candidate in chosen.candidates:
            candidate.ended, candidate.taken = True, 0
            self.candidate_changed.emit(candidate)
        self.generation_changed.emit()
        return True

    def _keep(self) -> None:
        here = self._generation
        if here is not None and here.has_text and all(each.request.id != here.request.id for each in self._earlier):
            self._earlier = [*self._earlier, here][-MOST_EARLIER:]

    def _ring(self, draft: int, text: str) -> list[int]:
        """Return the requests of the generations for a place, the one on show among them."""
        here = [self._generation] if self._generation is not None else []
        known = [each for each in (*self._earlier, *here) if each.draft == draft and each.base == text]
        return list(dict.fromkeys(each.request.id for each in known))

    def find(self, number: int) -> Candidate | None:
        """Return the way with this number, if it has any text."""
        return next((each for each in self.candidates if each.number == number and each.text), None)

    def record(self, draft_id: int, candidate: Candidate) -> None:
        """Tell that the text of a candidate is in a draft now; the GenerationKeeper hears it."""
        self.accepted.emit(draft_id, candidate)

    # What the engine says

    def _of(self, request_id: int, place: int) -> Candidate | None:
        here = self._generation
        if here is None or here.request.id != request_id:
            return None
        return next((each for each in here.candidates if each.number == place + 1), None)

    @Slot(object)
    def _on_writing_started(self, event: WritingStarted) -> None:
        here = self._generation
        if here is None or here.request.id != event.request_id or not self._open:
            return
        here.started = event.started
        for candidate in here.candidates:
            candidate.model = event.started.model
        self.window_told.emit(event.started)

    @Slot(object)
    def _on_chunk_ready(self, chunk: Chunk) -> None:
        candidate = self._of(chunk.request_id, chunk.candidate)
        if candidate is None or candidate.ended:
            return
        if chunk.anew:
            if not (candidate.prefix + chunk.text).startswith(candidate.text[: candidate.taken]):
                self._keep_taken(candidate)
                return
            candidate.text = candidate.prefix
            candidate.choices = [each for each in candidate.choices if each.end <= len(candidate.prefix)]
        moved = len(candidate.prefix)
        candidate.text += chunk.text
        candidate.choices += [
            dataclasses.replace(each, start=each.start + moved, end=each.end + moved) for each in chunk.choices
        ]
        self.candidate_changed.emit(candidate)

    def _keep_taken(self, candidate: Candidate) -> None:
        """End a way whose beginning is in the draft already though the engine has thrown it away."""
        candidate.text = candidate.text[: candidate.taken]
        candidate.choices = [each for each in candidate.choices if each.end <= candidate.taken]
        candidate.ended, candidate.reason = True, FinishReason.CANCELLED
        self.candidate_changed.emit(candidate)
        self._close(candidate.number)

    @Slot(object)
    def _on_writing_ended(self, ended: WritingEnded) -> None:
        if ended.tokens_per_second > 0:
            self.speed_measured.emit(ended.tokens_per_second)
        candidate = self._of(ended.request.id, ended.candidate)
        if candidate is None or candidate.ended:
            return
        candidate.ended = True
        candidate.reason, candidate.ending = ended.reason, ended.ending
        candidate.request, candidate.place = ended.source or ended.request, ended.place
        self.candidate_changed.emit(candidate)
        self._close(candidate.number)

    @Slot(object)
    def _on_writing_measured(self, measured: WritingMeasured) -> None:
        candidate = self._of(measured.request_id, measured.candidate)
        if candidate is not None:
            candidate.perplexity = measured.perplexity
            self.candidate_changed.emit(candidate)

    @Slot(object)
    def _on_writing_failed(self, event: WritingFailed) -> None:
        here = self._generation
        if here is None or here.request.id != event.request_id or not self._open:
            return
        self.failed.emit(event.failure)
        for candidate in self.candidates:
            candidate.ended = True
        for number in sorted(self._open):
            self._close(number)

    def _close(self, number: int) -> None:
        self._open.discard(number)
        if not self._open:
            self.writing_changed.emit(False)
            self.generation_changed.emit()

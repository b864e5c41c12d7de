"""The thread that owns the engine: writes, scores and swaps models, one thing at a time, writing first."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QThread, Signal

from storydesk.bridge.answer_stream import AnswerStream, Chunk, WritingEnded, WritingStarted
from storydesk.bridge.courtesy import make_way_for_the_window
from storydesk.bridge.draft_score import DraftScore, DraftScorer
from storydesk.bridge.serial_worker import STACK_BYTES, describe_unexpected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import FinishReason
from storydesk.services.arrival import ArrivalService
from storydesk.services.desk import Desk
from storydesk.services.ports import IsCancelled, TextEngine
from storydesk.services.writing import WritingRequest

_CANCELLED = str(FailureCode.CANCELLED)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineState:
    """The model that is loaded, and where it runs."""

    model: str
    device: str


@dataclass(frozen=True, slots=True)
class WritingMeasured:
    """How surprising a candidate's text is where it would stand."""

    request_id: int
    perplexity: float
    candidate: int = 0


@dataclass(frozen=True, slots=True)
class WritingFailed:
    """Why a request has no text."""

    request_id: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class ScoreReady:
    """The score of the draft as it was at ``revision``; None for a text without anything to score."""

    revision: int
    score: DraftScore | None


Errand = Callable[[IsCancelled], None]
"""Something else to do with the engine, in its thread."""
IN_BACKGROUND = "background"
"""The owner whose errands make way for everybody else's, too."""


@dataclass(frozen=True, slots=True)
class _WriteJob:
    request: WritingRequest
    epoch: int
    polish: bool
    names: tuple[str, ...]
    again: bool = False


@dataclass(frozen=True, slots=True)
class _ScoreJob:
    revision: int
    text: str
    prompt: str
    place: int


class EngineWorker(QThread):
    """Owns ``desk.engines``, ``writing`` and ``scoring``. Methods from the GUI thread; work in the thread itself."""

    loading_started = Signal(object)
    """The name of the model that is being loaded."""
    engine_ready = Signal(object)
    engine_failed = Signal(object)
    writing_started = Signal(object)
    chunk_ready = Signal(object)
    writing_ended = Signal(object)
    writing_measured = Signal(object)
    writing_failed = Signal(object)
    score_ready = Signal(object)
    score_grown = Signal(object)
    """A ScoreReady whose score does not know every line yet."""
    score_failed = Signal(object)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Prepare; ``start`` begins to load the model in use."""
        super().__init__(parent)
        self.setObjectName("engine")
        self.setStackSize(STACK_BYTES)
        self._desk = desk
        self._scorer = DraftScorer(desk.scoring)
        self._arrival = ArrivalService(desk.writing, desk.new_polishing)
        self._condition = threading.Condition()
        self._writing: deque[_WriteJob] = deque()
        self._scoring: _ScoreJob | None = None
        self._errands: dict[str, Errand] = {}  # by owner, in the order in which they are done
        self._quick: set[str] = set()
        self._wanted_model: str | None = ""  # "" loads the model in use, None: nothing to load
        self._epoch = 0
        self._busy_writing = False
        self._on_errand = False
        self._closing = False
        self._announced: TextEngine | None = None

    def write(self, requests: Sequence[WritingRequest], *, polish: bool = False, names: Sequence[str] = ()) -> None:
        """Write these one after another; whatever was being written before is broken off.

        With ``polish`` their slips are mended before they are offered; ``names`` are none.
        """
        with self._condition:
            self._epoch += 1
            self._writing = deque(_WriteJob(request, self._epoch, polish, tuple(names)) for request in requests)
            self._interrupt()
            self._condition.notify_all()

    def cancel_writing(self) -> None:
        """Break off what is being written, a long prefill included; what came so far is reported as ended."""
        with self._condition:
            self._epoch += 1
            self._writing.clear()
            self._interrupt()

    def score(self, revision: int, text: str, prompt: str, place: int = 0) -> None:
        """Score a draft when nothing is being written, what stands at ``place`` first; only the newest call counts."""
        with self._condition:
            self._scoring = _ScoreJob(revision, text, prompt, place)
            self._condition.notify_all()

    def run_errand(self, errand: Errand, owner: str = "", *, quick: bool = False) -> None:
        """Run something with the engine when there is nothing else to do; only the newest errand of an owner counts.

        It is told by ``is_cancelled`` when it has to make way, and runs again from its beginning after that. It
        handles its own failures, CANCELLED excepted. Those of ``IN_BACKGROUND`` make way for all others. A ``quick``
        one, which a moment is enough for, comes before the score of the draft, too.
        """
        with self._condition:
            self._errands[owner] = errand
            (self._quick.add if quick else self._quick.discard)(owner)
            self._condition.notify_all()

    def drop_errand(self, owner: str = "") -> None:
        """Forget an errand that has not begun; one that has must look whether it is still wanted."""
        with self._condition:
            self._errands.pop(owner, None)

    def use_model(self, name: str = "") -> None:
        """Verify and swap in a model between two requests; without a name, load the one the settings name."""
        with self._condition:
            self._wanted_model = name
            self._condition.notify_all()

    def close(self, timeout_seconds: float = 20.0) -> bool:
        """Break off, give the engine back and end the thread; say whether it ended in time."""
        with self._condition:
            self._closing = True
            self._epoch += 1
            self._writing.clear()
            self._interrupt()
            self._condition.notify_all()
        return not self.isRunning() or self.wait(int(timeout_seconds * 1000))

    def _interrupt(self) -> None:
        engine = self._desk.engines.loaded
        if engine is not None and (self._busy_writing or self._on_errand):
            engine.cancel()

    def run(self) -> None:
        """Work until closed; the thread's own function."""
        make_way_for_the_window()
        try:
            while self._work_once():
                pass
        finally:
            self._arrival.close()
            self._desk.engines.close()

    def _work_once(self) -> bool:
        with self._condition:
            self._busy_writing = self._on_errand = False
            self._condition.wait_for(lambda: self._closing or self._has_work() or bool(self._errands))
            if self._closing:
                return False
            wanted, self._wanted_model = self._wanted_model, None
            write = score = errand = None
            owner = ""
            if wanted is None and self._writing:
                write = self._writing.popleft()
                self._busy_writing = True
            elif wanted is None and self._scoring is not None and not self._quick_waits():
                score, self._scoring = self._scoring, None
            elif wanted is None:
                owner = self._next_owner()
                errand = self._errands.pop(owner)
                self._on_errand = True
        if wanted is not None:
            self._load(wanted)
        elif write is not None:
            self._write(write)
        elif score is not None:
            self._score(score)
        elif errand is not None:
            self._run(errand, owner)
        return True

    def _has_work(self) -> bool:
        return self._wanted_model is not None or bool(self._writing) or self._scoring is not None

    def _quick_waits(self) -> bool:
        return any(owner in self._quick for owner in tuple(self._errands))

    def _next_owner(self) -> str:
        """Return whose errand is next: a quick one, one that somebody waits for, one in the background."""
        waited = [owner for owner in self._errands if owner != IN_BACKGROUND]
        return next((owner for owner in waited if owner in self._quick), (waited or [IN_BACKGROUND])[0])

    def _run(self, errand: Errand, owner: str) -> None:
        quick = owner in self._quick

        def makes_way() -> bool:
            if quick:
                return self._closing or self._wanted_model is not None or bool(self._writing) or owner in self._errands
            others = owner in self._errands if owner != IN_BACKGROUND else bool(self._errands)
            return self._closing or self._has_work() or others

        try:
            errand(makes_way)
        except StorydeskError as error:
            if error.failure.code != _CANCELLED:
                raise
            with self._condition:
                self._errands.setdefault(owner, errand)

    def _load(self, name: str) -> None:
        self.loading_started.emit(name or self._desk.models.active)
        try:
            if name:
                self._desk.models.use(name)
            self._announce(self._desk.engines.engine())
        except StorydeskError as error:
            self.engine_failed.emit(error.failure)
        except Exception as error:  # noqa: BLE001 - the thread outlives any one job, and the failure is shown
            _log.exception("loading a model failed")
            self.engine_failed.emit(describe_unexpected(error))

    def _announce(self, engine: TextEngine | None) -> None:
        if engine is not None and engine is not self._announced:
            self._announced = engine
            self.engine_ready.emit(EngineState(engine.model.name, engine.device))

    def _write(self, job: _WriteJob) -> None:
        try:
            ended = self._generate(job)
            self._announce(self._desk.engines.loaded)
            for each in ended:
                if each.reason is FinishReason.CANCELLED or self._epoch != job.epoch:
                    continue
                perplexity = self._scorer.measure_addition(
                    job.request.text, each.text, job.request.prompt, lambda: self._epoch != job.epoch
                )
                self.writing_measured.emit(WritingMeasured(job.request.id, perplexity, each.candidate))
        except StorydeskError as error:
            if error.failure.code != _CANCELLED:
                self.writing_failed.emit(WritingFailed(job.request.id, error.failure))
        except Exception as error:  # noqa: BLE001 - the thread outlives any one job, and the failure is shown
            _log.exception("writing failed")
            self.writing_failed.emit(WritingFailed(job.request.id, describe_unexpected(error)))

    def _generate(self, job: _WriteJob) -> list[WritingEnded]:
        """Run one request to its end and return how its candidates ended; empty where it has to be done again."""
        stream = AnswerStream(job.request, self._send)
        events = self._arrival.write(job.request, polish=job.polish, names=job.names)
        try:
            cut_off = stream.run(events, lambda: self._epoch == job.epoch)
        finally:
            events.close()
        if stream.is_empty and cut_off and not stream.ended and self._epoch == job.epoch and not job.again:
            # A cancel that was meant for the request before this one arrived late.
            with self._condition:
                self._writing.appendleft(replace(job, again=True))
            return []
        for each in cut_off:
            self.writing_ended.emit(each)
        return sorted([*stream.ended, *cut_off], key=lambda each: each.candidate)

    def _send(self, event: object) -> None:
        if isinstance(event, Chunk):
            self.chunk_ready.emit(event)
        elif isinstance(event, WritingStarted):
            self.writing_started.emit(event)
        else:
            self.writing_ended.emit(event)

    def _score(self, job: _ScoreJob) -> None:
        def is_cancelled() -> bool:
            return self._closing or self._has_work() or self._quick_waits()

        def on_grown(score: DraftScore) -> None:
            self.score_grown.emit(ScoreReady(job.revision, score))

        try:
            engine = self._desk.engines.engine()
            self._announce(engine)
            score = self._scorer.score(
                job.text, job.prompt, engine.model.name, is_cancelled, place=job.place, on_grown=on_grown
            )
            self.score_ready.emit(ScoreReady(job.revision, score))
        except StorydeskError as error:
            if error.failure.code == _CANCELLED:
                with self._condition:
                    self._scoring = self._scoring or job  # goes on after the writing, where no newer one came
            elif error.failure.code == str(FailureCode.TEXT_EMPTY):
                self.score_ready.emit(ScoreReady(job.revision, None))
            else:
                self.score_failed.emit(error.failure)
        except Exception as error:  # noqa: BLE001 - the thread outlives any one job, and the failure is shown
            _log.exception("scoring failed")
            self.score_failed.emit(describe_unexpected(error))

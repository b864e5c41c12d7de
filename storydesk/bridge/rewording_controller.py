"""Other ways to say what is selected: asked of the engine's thread, one search at a time, with progress and cancel."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from storydesk.bridge.engine_worker import EngineWorker
from storydesk.bridge.serial_worker import describe_unexpected
from storydesk.domain.alternatives import Passage, Rewording
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import SamplingSettings
from storydesk.domain.memory import Recollection
from storydesk.services.alternatives import AlternativesService
from storydesk.services.desk import Desk
from storydesk.services.ports import IsCancelled
from storydesk.services.writing import WritingRequest

OWNER = "rewording"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RewordingsFound:
    """The ways to say a passage, with the request that gave them and the measure of the passage itself."""

    passage: Passage
    request: WritingRequest
    model: str
    original: Rewording
    ways: tuple[Rewording, ...]


class RewordingController(QObject):
    """Leads one search at a time. GUI thread."""

    progress_changed = Signal(int, int)
    """How much is done, and how much there is."""
    found = Signal(object)
    """The RewordingsFound."""
    failed = Signal(object)
    ended = Signal()
    """The search is over, with or without a result."""
    _told = Signal(int, int, int)
    _answered = Signal(int, object)

    def __init__(self, desk: Desk, engine: EngineWorker, parent: QObject) -> None:
        """Work on the engine's thread."""
        super().__init__(parent)
        self._service = AlternativesService(desk.writing, desk.scoring)
        self._desk = desk
        self._engine = engine
        self._run = 0
        self._busy = False
        self.recall: Callable[[str, str], Recollection | None] = lambda _text, _prompt: None
        """What the model is reminded of; the workroom's memory knows."""
        self._told.connect(self._on_told)
        self._answered.connect(self._on_answered)

    @property
    def busy(self) -> bool:
        """Whether a search is under way."""
        return self._busy

    def find(self, passage: Passage, prompt: str, settings: SamplingSettings) -> None:
        """Look for other ways; one that is under way is given up."""
        try:
            recalled = self.recall(passage.before, prompt)
            request = self._service.request(passage, prompt, settings, recalled=recalled)
        except StorydeskError as error:
            self.failed.emit(error.failure)
            return
        self._run += 1
        self._busy = True
        self.progress_changed.emit(0, 0)
        self._engine.run_errand(self._make_errand(self._run, passage, request), OWNER, quick=True)

    def cancel(self) -> None:
        """Give up."""
        if not self._busy:
            return
        self._run += 1
        self._busy = False
        self._engine.drop_errand(OWNER)
        self.ended.emit()

    def _make_errand(self, run: int, passage: Passage, request: WritingRequest) -> Callable[[IsCancelled], None]:
        def work(is_cancelled: IsCancelled) -> None:
            if self._run != run:
                return
            try:
                original, ways = self._service.find(
                    passage,
                    request,
                    progress=lambda done, total: self._told.emit(run, done, total),
                    is_cancelled=lambda: is_cancelled() or self._run != run,
                )
                loaded = self._desk.engines.loaded
                model = loaded.model.name if loaded is not None else ""
                self._answered.emit(run, RewordingsFound(passage, request, model, original, tuple(ways)))
            except StorydeskError as error:
                if error.failure.code != FailureCode.CANCELLED:
                    self._answered.emit(run, error.failure)
                elif self._run == run:
                    raise  # it made way for something else, and begins again
            except Exception as error:  # noqa: BLE001 - the engine's thread outlives any errand, and the failure is shown
                _log.exception("looking for other ways failed")
                self._answered.emit(run, describe_unexpected(error))

        return work

    @Slot(int, int, int)
    def _on_told(self, run: int, done: int, total: int) -> None:
        if run == self._run:
            self.progress_changed.emit(done, total)

    @Slot(int, object)
    def _on_answered(self, run: int, answer: RewordingsFound | Failure) -> None:
        if run != self._run:
            return
        self._busy = False
        self.ended.emit()
        if isinstance(answer, Failure):
            self.failed.emit(answer)
        else:
            self.found.emit(answer)

"""Improving from feedback between the window, the library's thread and the one tuning that may be under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from storydesk.bridge.serial_worker import SerialWorker
from storydesk.bridge.tuning_controller import TuningController
from storydesk.domain.feedback import Feedback
from storydesk.domain.improving import ImprovingChances
from storydesk.services.desk import Desk
from storydesk.services.improving import FEEDBACK_NAME, ImprovingWish

Look = tuple[str, Feedback, ImprovingChances]


class ImprovingController(QObject):
    """Gathers feedback, leaves some of it out, and starts the run. GUI thread."""

    looked = Signal(object, object)
    """Feedback, and the ImprovingChances in it."""
    named = Signal(str)
    """What the new model would be called, "" for the first of the writer's own; comes before ``looked``."""
    left_out = Signal()
    """Something was left out or taken back, and that is on disk."""
    failed = Signal(object)
    """A Failure of gathering or leaving out."""

    def __init__(
        self, desk: Desk, library: SerialWorker, tuning: TuningController, parent: QObject | None = None
    ) -> None:
        """Share the window's tuning, so that one run at most is under way."""
        super().__init__(parent)
        self._desk = desk
        self._library = library
        self.tuning = tuning
        self._own = self._begins = False
        tuning.busy_changed.connect(self._on_busy_changed)

    @property
    def is_own_run(self) -> bool:
        """Whether the run that is under way, or has just ended, was begun here or learns from choices."""
        state = self.tuning.state
        return self._own or (state is not None and (state.folder / FEEDBACK_NAME).exists())

    def look(self) -> None:
        """Gather all feedback; ``looked`` tells."""
        self._library.submit(self._look, self._on_looked, self.failed.emit)

    def leave_out(self, keys: Iterable[str], *, undo: bool = False) -> None:
        """Leave feedback out or take it back, and gather it anew."""
        named, feedback = tuple(keys), self._desk.feedback

        def work() -> Look:
            feedback.leave_out(named, undo=undo)
            return self._look()

        def on_done(found: Look) -> None:
            self._on_looked(found)
            self.left_out.emit()

        self._library.submit(work, on_done, self.failed.emit)

    def start(self, wish: ImprovingWish) -> None:
        """Learn from what there is; ignored while a tuning is under way."""
        self._begin(lambda: self.tuning.start_prepared(lambda: self._desk.improving.prepare(wish)))

    def resume(self, folder: Path) -> None:
        """Go on with a run that was paused."""
        self._begin(lambda: self.tuning.resume(folder))

    def _begin(self, begin: Callable[[], None]) -> None:
        if not self.tuning.busy:
            self._begins = True
            begin()
            self._begins = False

    def _look(self) -> Look:
        """Read all of it; on the library's thread."""
        return (self._desk.improving.suggest_name(), *self._desk.improving.look())

    def _on_looked(self, found: Look) -> None:
        name, feedback, chances = found
        self.named.emit(name)
        self.looked.emit(feedback, chances)

    def _on_busy_changed(self, busy: bool) -> None:
        if busy:
            self._own = self._begins

"""What the machine has to say: the model and its speed in the status line, its failures as notices."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction

from storydesk.bridge.engine_worker import EngineState
from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import Failure, FailureCode
from storydesk.ui.status_bar import StatusBar

TOLD_BEFORE = (FailureCode.MODEL_NOT_FOUND, FailureCode.MODEL_DAMAGED, FailureCode.MODEL_NOT_LOADED)
"""A model that can't be loaded was told when that was tried."""


class MachineNews(QObject):
    """Tells the writer how the engine and the library's thread are doing. GUI thread."""

    def __init__(
        self, workroom: Workroom, notices: NoticeBus, status: StatusBar, actions: Mapping[str, QAction], *, writes: bool
    ) -> None:
        """Listen; ``writes`` is whether this window may change anything."""
        super().__init__(status)
        self._workroom = workroom
        self._notices = notices
        self._status = status
        self._stop, self._go_on = actions["stop"], actions["go_on"]
        self._writes = writes
        self._stop.setEnabled(False)
        engine, writing = workroom.engine, workroom.writing
        workroom.library.failed.connect(notices.post)
        workroom.score_changed.connect(status.show_score)
        workroom.score_state_changed.connect(status.show_score_state)
        engine.loading_started.connect(status.show_loading)
        engine.engine_ready.connect(self._on_engine_ready)
        engine.engine_failed.connect(self._on_engine_failed)
        engine.score_failed.connect(self._on_score_failed)
        writing.failed.connect(notices.post)
        writing.speed_measured.connect(status.show_speed)
        writing.writing_changed.connect(self._on_writing_changed)

    @Slot(object)
    def _on_engine_ready(self, state: EngineState) -> None:
        self._status.show_engine(state)

    @Slot(object)
    def _on_engine_failed(self, failure: Failure) -> None:
        self._notices.post(failure)
        loaded = self._workroom.desk.engines.loaded
        if loaded is None:
            self._status.show_no_engine()
        else:
            self._status.show_engine(EngineState(loaded.model.name, loaded.device))

    @Slot(object)
    def _on_score_failed(self, failure: Failure) -> None:
        self._status.show_score(None)
        if failure.code not in TOLD_BEFORE:
            self._notices.post(failure)

    @Slot(bool)
    def _on_writing_changed(self, writing: bool) -> None:
        self._stop.setEnabled(writing)
        self._go_on.setEnabled(self._writes and not writing)

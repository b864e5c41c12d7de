"""What keeps a text safe while the library can't: a file beside it as soon as more than a second is at risk."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QTimer, Slot

from storydesk.bridge.autosave import Autosave, SaveState
from storydesk.bridge.serial_worker import SerialWorker
from storydesk.services.rescue import RescueFolder

LOOK_MILLISECONDS = 300
MOST_SECONDS = 1.0


class SafetyNet(QObject):
    """Watches the autosave. GUI thread; files are written in a thread that only runs in trouble."""

    def __init__(
        self, autosave: Autosave, folder: RescueFolder, read: Callable[[], tuple[int, str]], parent: QObject
    ) -> None:
        """``read`` gives the open draft's number and its text."""
        super().__init__(parent)
        self._autosave = autosave
        self._folder = folder
        self._read = read
        self._worker = SerialWorker("rescue", self)
        self._kept: dict[int, str] = {}
        self._writing = False
        self._look = QTimer(self)
        self._look.setInterval(LOOK_MILLISECONDS)
        self._look.timeout.connect(self._on_look)
        autosave.state_changed.connect(self._on_state_changed)

    @property
    def kept(self) -> dict[int, str]:
        """What lies in the second place, by draft."""
        return self._kept

    def close(self) -> None:
        """Write what is being written and end."""
        self._look.stop()
        self._worker.close()

    @Slot(object)
    def _on_state_changed(self, state: SaveState) -> None:
        if state is not SaveState.SAVED:
            self._look.start()
            return
        self._look.stop()
        for draft_id in list(self._kept):
            del self._kept[draft_id]
            self._worker.submit(partial(self._folder.forget, draft_id))

    @Slot()
    def _on_look(self) -> None:
        if self._writing or self._autosave.seconds_at_risk < MOST_SECONDS:
            return
        draft_id, text = self._read()
        if not draft_id or self._kept.get(draft_id) == text:
            return
        self._writing = True

        def on_kept(taken: bool) -> None:
            self._writing = False
            if taken and self._autosave.state is not SaveState.SAVED:
                self._kept[draft_id] = text
            elif taken:
                self._worker.submit(lambda: self._folder.forget(draft_id))

        if not self._worker.isRunning():
            self._worker.start()
        self._worker.submit(lambda: self._folder.keep(draft_id, text), on_kept, lambda _failure: on_kept(False))

"""Saving while the writer types: soon after a pause, at least every second, and never out of order.

What is saved is what ``read`` gives at that moment, text and spans together; the two can't be of different moments.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from storydesk.bridge.serial_worker import SerialWorker
from storydesk.domain.failures import Failure

PAUSE_MILLISECONDS = 350
LONGEST_MILLISECONDS = 650  # with the time that a save takes, never more than the last second is at risk
RETRY_MILLISECONDS = 2000


class SaveState(StrEnum):
    """What the status bar says about the draft."""

    SAVED = "saved"
    CHANGED = "changed"
    FAILED = "failed"


class Autosave(QObject):
    """Saves drafts through the library's thread. GUI thread."""

    state_changed = Signal(object)
    failed = Signal(object)
    """A Failure, once for each row of failed attempts."""

    def __init__(
        self,
        worker: SerialWorker,
        save: Callable[[int, Any], object],
        read: Callable[[], object],
        parent: QObject | None = None,
    ) -> None:
        """``save`` runs in the worker's thread and gets what ``read`` gave here; ``str`` of that is the text."""
        super().__init__(parent)
        self._worker = worker
        self._save = save
        self._read = read
        self._draft = 0
        self._dirty = False
        self._unsaved: dict[int, tuple[int, object]] = {}
        self._number = 0
        self._in_flight = 0
        self._trouble = False
        self._changed_at: float | None = None
        self._sent_at: float | None = None
        self._state = SaveState.SAVED
        self._pause = self._make_timer(PAUSE_MILLISECONDS, self._on_due)
        self._longest = self._make_timer(LONGEST_MILLISECONDS, self._on_due)
        self._retry = self._make_timer(RETRY_MILLISECONDS, self._on_retry_due)

    @property
    def state(self) -> SaveState:
        """Whether all that was typed is on disk."""
        return self._state

    @property
    def seconds_at_risk(self) -> float:
        """How long ago the first change was made that is not on disk; 0 where all of them are."""
        times = [at for at in (self._changed_at, self._sent_at) if at is not None]
        return time.monotonic() - min(times) if times else 0.0

    def begin(self, draft_id: int) -> None:
        """Watch another draft; what was not saved of the last one is still being saved. 0 watches none."""
        self._draft = draft_id
        self._dirty = False
        self._changed_at = None
        self._pause.stop()
        self._longest.stop()
        self._tell()

    def note_change(self) -> None:
        """Hear that the text was changed."""
        if not self._draft:
            return
        self._dirty = True
        self._changed_at = self._changed_at or time.monotonic()
        self._pause.start()
        if not self._longest.isActive():
            self._longest.start()
        self._tell()

    def save_now(self) -> None:
        """Save at once what has changed; returns before it is on disk."""
        self._pause.stop()
        self._longest.stop()
        if not self._dirty:
            return
        self._dirty = False
        self._sent_at, self._changed_at = self._sent_at or self._changed_at, None
        self._number += 1
        self._unsaved[self._draft] = (self._number, self._read())
        self._submit(self._draft)

    def flush(self, timeout_seconds: float = 4.0) -> bool:
        """Save and wait; say whether everything is on disk. For closing and for crashes only."""
        self.save_now()
        if self._unsaved and not self._in_flight:
            for draft_id in list(self._unsaved):
                self._submit(draft_id)
        self._worker.drain(timeout_seconds)
        return not self._dirty and not self._unsaved

    def unsaved_texts(self) -> list[str]:
        """Return what could not be saved so far, for a rescue file."""
        return [str(page) for _, page in self._unsaved.values()]

    def _submit(self, draft_id: int) -> None:
        number, page = self._unsaved[draft_id]
        self._in_flight += 1

        def on_done(_value: object) -> None:
            self._in_flight -= 1
            if self._unsaved.get(draft_id, (0, ""))[0] == number:
                del self._unsaved[draft_id]
            if not self._unsaved:
                self._trouble = False
                self._sent_at = None
            elif not self._in_flight:
                self._retry.start()
            self._tell()

        def on_failed(failure: Failure) -> None:
            self._in_flight -= 1
            if not self._trouble:
                self._trouble = True
                self.failed.emit(failure)
            self._retry.start()
            self._tell()

        self._worker.submit(lambda: self._save(draft_id, page), on_done, on_failed)

    @Slot()
    def _on_due(self) -> None:
        if self._in_flight:  # a slow disk gets one save at a time, always of the newest text
            self._pause.start()
            return
        self.save_now()

    @Slot()
    def _on_retry_due(self) -> None:
        if self._in_flight:
            return
        self.save_now()
        if not self._in_flight:
            for draft_id in list(self._unsaved):
                self._submit(draft_id)

    def _tell(self) -> None:
        state = SaveState.SAVED
        if self._trouble:
            state = SaveState.FAILED
        elif self._dirty or self._unsaved:
            state = SaveState.CHANGED
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)

    def _make_timer(self, milliseconds: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer

"""Things to tell the writer, from any thread; kept until a window listens."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal, Slot

from storydesk.domain.failures import Failure


class NoticeBus(QObject):
    """Carries failures to the one window that shows them. Lives on the GUI thread; ``post`` from any."""

    _arrived = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        """Start with nobody listening."""
        super().__init__(parent)
        self._lock = threading.Lock()
        self._waiting: list[Failure] = []
        self._listener: Callable[[Failure], None] | None = None
        self._arrived.connect(self._on_arrived, Qt.ConnectionType.QueuedConnection)

    def post(self, failure: Failure) -> None:
        """Tell the writer, now or as soon as a window listens."""
        with self._lock:
            self._waiting.append(failure)
        self._arrived.emit(None)

    def listen(self, listener: Callable[[Failure], None]) -> None:
        """Hand everything that waits, and all that comes, to ``listener``, on the GUI thread."""
        self._listener = listener
        self._on_arrived(None)

    def leave(self) -> None:
        """Stop handing things on; they wait for the next listener."""
        self._listener = None

    @Slot(object)
    def _on_arrived(self, _nothing: object) -> None:
        while self._listener is not None:
            with self._lock:
                if not self._waiting:
                    return
                failure = self._waiting.pop(0)
            self._listener(failure)

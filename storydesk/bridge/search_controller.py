"""Searching all drafts on a thread of its own, so that nothing the writer does waits for it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from storydesk.bridge.serial_worker import SerialWorker
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.library import SearchResult
from storydesk.services.desk import Desk


class SearchController(QObject):
    """Answers the newest question only. GUI thread."""

    found = Signal(object)
    """A SearchResult; one without words ends a search."""
    failed = Signal(object)

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Prepare; the thread begins with the first search."""
        super().__init__(parent)
        self._desk = desk
        self._worker = SerialWorker("search", self)
        self._number = 0

    def search(self, words: str) -> None:
        """Look for words; nothing ends the search."""
        self._number += 1
        number, asked = self._number, words.strip()
        if not asked:
            self.found.emit(SearchResult(""))
            return
        if not self._worker.isRunning():
            self._worker.start()

        def look() -> SearchResult:
            return self._desk.search.search(asked, lambda: number != self._number)

        def on_found(result: SearchResult) -> None:
            if number == self._number:
                self.found.emit(result)

        def on_failed(failure: Failure) -> None:
            if number == self._number and failure.code != FailureCode.CANCELLED:
                self.failed.emit(failure)

        self._worker.submit(look, on_found, on_failed)

    def close(self) -> bool:
        """Break off what is running and end the thread."""
        self._number += 1
        return self._worker.close()

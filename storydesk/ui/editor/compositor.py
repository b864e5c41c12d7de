"""The one writer of layout formats: grammar marks now, whatever else lies over the text later."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from PySide6.QtCore import QObject, QPoint, QTimer, Slot
from PySide6.QtGui import QTextBlock, QTextCharFormat, QTextLayout
from PySide6.QtWidgets import QTextEdit


@dataclass(frozen=True, slots=True)
class Mark:
    """A format over a stretch of the document, in its own UTF-16 positions."""

    start: int
    end: int
    format: QTextCharFormat


def _start_of(mark: Mark) -> int:
    return mark.start


class FormatCompositor(QObject):
    """Puts the marks of all layers onto the blocks that can be seen. GUI thread.

    Layout formats are no document formats: they are neither saved nor undone. A block where an input method composes
    is left alone, since Qt keeps the look of the preedit text in the same place.
    """

    def __init__(self, page: QTextEdit) -> None:
        """Serve one editor."""
        super().__init__(page)
        self._page = page
        self._layers: dict[str, Sequence[Mark]] = {}
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.setInterval(0)
        self._due.timeout.connect(self._on_due)
        page.verticalScrollBar().valueChanged.connect(self._due.start)

    def set_layer(self, name: str, marks: Sequence[Mark]) -> None:
        """Give a layer its marks, sorted and apart from each other; later layers lie above."""
        self._layers[name] = marks
        self.refresh()

    def refresh(self) -> None:
        """Compose again before the next paint."""
        self._due.start()

    @Slot()
    def _on_due(self) -> None:
        block = self._page.cursorForPosition(QPoint(0, 0)).block()
        layout = self._page.document().documentLayout()
        bottom = self._page.verticalScrollBar().value() + self._page.viewport().height()
        while block.isValid() and layout.blockBoundingRect(block).top() <= bottom:
            self._compose(block)
            block = block.next()

    def _compose(self, block: QTextBlock) -> None:
        layout = block.layout()
        if layout.preeditAreaText():
            return
        start, length = block.position(), block.length() - 1
        ranges: list[QTextLayout.FormatRange] = []
        for marks in self._layers.values():
            first = max(bisect_right(marks, start, key=_start_of) - 1, 0)
            for mark in islice(marks, first, None):
                if mark.start >= start + length:
                    break
                if mark.end > start:
                    piece = QTextLayout.FormatRange()
                    piece.start = max(mark.start - start, 0)
                    piece.length = min(mark.end - start, length) - piece.start
                    piece.format = mark.format
                    ranges.append(piece)
        if ranges or layout.formats():
            if ranges == layout.formats():
                return
            layout.setFormats(ranges)
            self._page.document().markContentsDirty(start, block.length())

"""The one writer of layout formats: whatever lies over the text is put on here, and formats merge.

``page.marks.set_layer(name, marks)`` gives a layer its marks. They are looked up only for paragraphs that are about to
be seen, and follow edits by themselves (a mark that an edit touches goes), so a layer of 300,000 marks costs a
keystroke nothing and is given once, not at each edit. ``marks`` may be any sequence, also one that makes its Marks
when they are asked for. An owner that always knows better registers a ``MarkSource`` with ``set_source``.

Layers have priorities: where two set the same property of a character, the higher one wins, and different properties
meet (heat as background, authorship as colour, spelling as underline).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QTextBlock, QTextCharFormat, QTextLayout

from storydesk.bridge.edit_log import EditLog
from storydesk.ui.editor.mark_layer import MarkLayer, MarkSource

PRIORITIES = {"markup": 0, "authorship": 20, "heat": 30, "search": 60, "grammar": 80}
"""What the layers of the window mean to each other; a layer of another name lies at 50."""
_MIDDLE = 50

Piece = tuple[int, int, QTextCharFormat]


@dataclass(frozen=True, slots=True)
class Mark:
    """A format over a stretch of the document, in its own UTF-16 positions."""

    start: int
    end: int
    format: QTextCharFormat


class FormatCompositor(QObject):
    """Composes the formats of one paragraph at a time from all layers. GUI thread.

    Layout formats are no document formats: they are neither saved nor undone. A paragraph where an input method
    composes is left alone, since Qt keeps the look of the preedit text in the same place.
    """

    changed = Signal()
    """Formats that are seen may be others now."""

    def __init__(self, parent: QObject) -> None:
        """Begin without layers."""
        super().__init__(parent)
        self._layers: dict[str, MarkLayer[QTextCharFormat]] = {}
        self._sources: dict[str, MarkSource[QTextCharFormat]] = {}
        self._painters: dict[str, Callable[[QTextBlock], Iterable[Piece]]] = {}
        self._order: list[str] = []
        self._priorities = dict(PRIORITIES)

    def set_layer(
        self, name: str, marks: Sequence[Mark], priority: int | None = None, *, since: EditLog | None = None
    ) -> None:
        """Give a layer its marks, sorted and apart from each other; none takes the layer away.

        They belong to the text as it is now, or to the text before what was edited ``since``.
        """
        if not marks and name not in self._layers:
            return
        self._forget(name)
        if marks:
            self._layers[name] = MarkLayer(marks, since)
        self._arrange(name, priority)

    def set_source(self, name: str, source: MarkSource[QTextCharFormat] | None, priority: int | None = None) -> None:
        """Ask ``source`` for a layer's marks whenever a paragraph is composed; call ``refresh`` when they changed."""
        self._forget(name)
        if source is not None:
            self._sources[name] = source
        self._arrange(name, priority)

    def set_painter(self, name: str, painter: Callable[[QTextBlock], Iterable[Piece]] | None) -> None:
        """Let a layer follow from a paragraph's own text: pieces are (start in the paragraph, end, format)."""
        self._forget(name)
        if painter is not None:
            self._painters[name] = painter
        self._arrange(name, None)

    def refresh(self) -> None:
        """Compose what is seen again before the next paint."""
        self.changed.emit()

    def clear(self) -> None:
        """Forget all marks, for another text; sources and painters stay."""
        self._layers.clear()
        self._sort()
        self.changed.emit()

    def note_edit(self, position: int, removed: int, added: int) -> None:
        """Let all marks follow an edit."""
        for layer in self._layers.values():
            layer.note_edit(position, removed, added)

    def compose(self, block: QTextBlock) -> list[QTextLayout.FormatRange] | None:
        """Return the formats of a paragraph, lowest layer first; None while an input method composes there."""
        if block.layout().preeditAreaText():
            return None
        start, length = block.position(), block.length() - 1
        ranges: list[QTextLayout.FormatRange] = []
        if not length:
            return ranges
        for name in self._order:
            if name in self._painters:
                for first, last, look in self._painters[name](block):
                    ranges.append(_make_range(first, last, look))
                continue
            layer = self._layers.get(name) or self._sources[name]
            for first, last, look in layer.marks_between(start, start + length):
                begin, end = max(first - start, 0), min(last - start, length)
                if begin < end:
                    ranges.append(_make_range(begin, end, look))
        return ranges

    def _forget(self, name: str) -> None:
        self._layers.pop(name, None)
        self._sources.pop(name, None)
        self._painters.pop(name, None)

    def _arrange(self, name: str, priority: int | None) -> None:
        if priority is not None:
            self._priorities[name] = priority
        self._sort()
        self.changed.emit()

    def _sort(self) -> None:
        names = [*self._layers, *self._sources, *self._painters]
        self._order = sorted(names, key=lambda name: (self._priorities.get(name, _MIDDLE), name))


def _make_range(start: int, end: int, look: QTextCharFormat) -> QTextLayout.FormatRange:
    piece = QTextLayout.FormatRange()
    piece.start, piece.length, piece.format = start, end - start, look
    return piece

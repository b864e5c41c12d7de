"""Who wrote what on the page: spans that follow the document through typing, pasting, undo and redo."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QTextBlock, QTextCursor

from storydesk.bridge.authorship_form import as_units, count_units
from storydesk.domain.authorship import (
    PASTED,
    UNKNOWN,
    WRITTEN,
    Change,
    Kind,
    Origin,
    Run,
    Runs,
    Source,
    SpanJournal,
    Spans,
    dump_runs,
    edit_spans,
    find_touched,
    join_runs,
    load_runs,
    measure_runs,
)
from storydesk.domain.comparison import Difference, find_edits

if TYPE_CHECKING:
    from storydesk.ui.editor.page import PageEdit

MIME = "application/x-storydesk-authorship"
_PARAGRAPH = "\u2029"


class AuthorshipTracker(QObject):
    """Keeps the spans of one page, in UTF-16 units. GUI thread.

    Qt tells of a step that made several changes as of one change from the first to the last, so the tracker remembers
    every paragraph's text and looks what has really changed. Undo and redo are known by the height of Qt's undo stack.
    """

    changed = Signal()
    """Some span is another now."""
    generation_edited = Signal(str)
    """The writer has changed text of the generation with this key."""

    def __init__(self, page: PageEdit) -> None:
        """Follow the document of a page; ``begin`` says what it holds."""
        super().__init__(page)
        self._page = page
        self._document = page.document()
        self._spans = Spans()
        self._journal = SpanJournal()
        self._lines: list[str] | None = None
        self._stale = False
        self._height = 0
        self._commanded = False
        self._source: Source | None = None
        self._ghost_source: Callable[[str], Source | None] = lambda _words: None
        self._becoming: Runs | None = None
        self._expected: Sequence[tuple[int, int, str]] = ()
        self._pasted: tuple[int, Runs] | None = None
        self._read_due = QTimer(self)
        self._read_due.setSingleShot(True)
        self._read_due.setInterval(0)
        self._read_due.timeout.connect(self._read_lines)
        page.copied.connect(self._on_copied)
        page.pasting.connect(self._on_pasting)
        self._document.undoCommandAdded.connect(self._on_command_added)
        self._document.contentsChange.connect(self._on_contents_change)

    # What others ask

    def begin(self, runs: Sequence[Run] = ()) -> None:
        """Another text is on the page and has these runs; where they don't fit, it is of unknown origin."""
        length = self._measure()
        fits = measure_runs(runs) == length
        self._spans = Spans(runs if fits else [(length, UNKNOWN)])
        self._journal.clear()
        self._lines = None
        self._stale = self._commanded = False
        self._pasted = None
        self._height = self._document.availableUndoSteps()
        self._read_due.start()
        self.changed.emit()

    def runs(self) -> Runs:
        """Return all runs of the text on the page."""
        self._freshen()
        return self._spans.runs()

    def slice(self, start: int, end: int) -> Runs:
        """Return the runs of a stretch."""
        self._freshen()
        end = min(end, self._spans.length)
        return self._spans.slice(min(start, end), end)

    @contextlib.contextmanager
    def generating(self, source: Source) -> Iterator[None]:
        """Whatever is put into the text inside this context comes from a generation. Let it be outside edit blocks."""
        before, self._source = self._source, source
        try:
            yield
        finally:
            self._source = before

    @contextlib.contextmanager
    def becoming(self, runs: Sequence[Run]) -> Iterator[None]:
        """The one change inside this context makes a text of which the runs are known, as merging drafts does."""
        self._becoming = join_runs(runs)
        try:
            yield
        finally:
            self._becoming = None

    @contextlib.contextmanager
    def replacing(self, edits: Sequence[tuple[int, int, str]]) -> Iterator[None]:
        """The one change inside this context is made of these (start, end, text), in order and apart."""
        self._expected = edits
        try:
            yield
        finally:
            self._expected = ()

    def watch_ghost(self, source: Callable[[str], Source | None]) -> None:
        """Ask ``source`` which generation the words of a suggestion that is accepted come from."""
        self._ghost_source = source

    @Slot(object, int, int)
    def _on_copied(self, data: QMimeData, start: int, end: int) -> None:
        """Write the origin of the selection into what is copied of it."""
        text, runs = self._text_at(start, end), self.slice(start, end)
        if text and measure_runs(runs) == len(text):
            data.setData(MIME, dump_runs(runs, text).encode("utf-8"))

    @Slot(object, str)
    def _on_pasting(self, data: QMimeData, text: str) -> None:
        """Hear that ``text`` of ``data`` is about to be put in the place of the selection."""
        if not text or self._stale:
            return
        units = as_units(text)
        runs: Runs = ((len(units), PASTED),)
        if data.hasFormat(MIME):
            signed = bytes(data.data(MIME).data()).decode("utf-8", "replace")
            runs = self._read_signed(signed, as_units(data.text()), units)
        self._pasted = (self._page.textCursor().selectionStart(), runs)

    def _text_at(self, start: int, end: int) -> str:
        cursor = QTextCursor(self._document)
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        return as_units(cursor.selectedText().replace(_PARAGRAPH, "\n"))

    def _read_signed(self, signed: str, copied: str, text: str) -> Runs:
        """Return the runs of a text that was copied here and may have been cleaned since."""
        spans = Spans(
            tuple((length, PASTED if origin == UNKNOWN else origin) for length, origin in load_runs(signed, copied))
        )
        if copied == text:
            return spans.runs()
        for each in reversed(find_edits(copied, text)):
            spans.replace(each.old_start, each.old_end, ((each.new_end - each.new_start, PASTED),))
        return spans.runs()

    # What happens to the document

    @Slot()
    def _on_command_added(self) -> None:
        self._commanded = True

    @Slot(int, int, int)
    def _on_contents_change(self, position: int, removed: int, added: int) -> None:
        if not self._document.isUndoRedoEnabled():
            self._stale = True  # another text is being put on the page
            return
        if self._stale:
            self._freshen()
            return
        height, commanded = self._document.availableUndoSteps(), self._commanded
        before, self._commanded = self._height, False
        self._height = height
        change = self._see(position, removed, added)
        if change is None:
            self._pasted = None
            return
        start, old, new = change
        if not commanded and height != before:
            self._journal.go_to(self._spans, height)
        else:
            for each in self._apply(start, old, new):
                self._journal.record(height, each)
        if self._spans.length != self._measure():
            self._begin_anew()
        self.changed.emit()

    def _see(self, position: int, removed: int, added: int) -> tuple[int, str, str] | None:
        """Return where the text has changed, from what to what, in units; None where it is the same."""
        length, known = self._measure(), self._spans.length
        # Qt counts the paragraph mark behind the last paragraph in where everything was replaced.
        added = max(min(added, length - position), 0)
        removed = added - (length - known)
        if removed < 0 or position + removed > known:
            removed, added, position = known, length, 0
        first = self._document.findBlock(position)
        last = self._document.findBlock(position + added)
        number, count = first.blockNumber(), last.blockNumber() - first.blockNumber() + 1
        fresh = _read_blocks(first, count)
        offset = position - first.position()
        new = as_units("\n".join(fresh))[offset : offset + added]
        if self._lines is None:
            return (position, "\x00" * removed, new) if removed or added else None
        gone = count - (self._document.blockCount() - len(self._lines))
        old = as_units("\n".join(self._lines[number : number + gone]))[offset : offset + removed]
        self._lines[number : number + gone] = fresh
        if len(old) != removed:
            self._lines = None
            self._read_due.start()
            return position, "\x00" * removed, new
        return None if old == new else (position, old, new)

    def _apply(self, start: int, old: str, new: str) -> list[Change]:
        """Follow a change that the writer or the program made."""
        becoming, pasted, self._pasted = self._becoming, self._pasted, None
        if becoming is not None and measure_runs(becoming) == self._measure():
            return [edit_spans(self._spans, 0, self._spans.length, becoming)]
        source = self._source
        if source is not None or self._page.is_accepting:
            origin = Origin(Kind.GENERATED, source or self._ghost_source(new))
            return [edit_spans(self._spans, start, start + len(old), join_runs([(len(new), origin)]))]
        if pasted is not None:
            return self._apply_paste(start, old, new, *pasted)
        return self._apply_edits(start, old, new)

    def _apply_paste(self, start: int, old: str, new: str, place: int, runs: Runs) -> list[Change]:
        """Follow a paste; with drag and drop, what was dragged has gone from elsewhere in the same step."""
        at, length = place - start, measure_runs(runs)
        if at < 0 or at + length > len(new):
            return self._apply_edits(start, old, new, PASTED)
        rest = new[:at] + new[at + length :]
        if not rest:
            return [self._edit(start, start + len(old), runs)]
        changes = self._apply_edits(start, old, rest, final=False)
        changes.append(self._edit(place, place, runs))
        return changes

    def _apply_edits(
        self, start: int, old: str, new: str, origin: Origin = WRITTEN, *, final: bool = True
    ) -> list[Change]:
        """Follow a change word by word: words that stand before and after keep their origin."""
        low, old_end, new_end = _find_core(old, new)
        expected = _place_edits(self._expected, start, len(new) - len(old))
        if expected is not None:
            edits = expected
        elif low == old_end or not new or "\x00" in old:
            edits = [Difference(low, old_end, low, new_end)]
        else:
            edits = find_edits(old, new)
        changes = []
        for number, each in enumerate(edits):
            place = start + each.new_start
            end = place + each.old_end - each.old_start
            runs = join_runs([(each.new_end - each.new_start, origin)])
            following = edits[number + 1].new_start + start if number + 1 < len(edits) else None
            changes.append(self._edit(place, end, runs, following, final=final))
        return changes

    def _edit(self, start: int, end: int, runs: Runs, limit: int | None = None, *, final: bool = True) -> Change:
        """Do one edit of the writer's; sentences of a model that it touches become edited."""
        added = measure_runs(runs)
        touched = None
        if final and self._concerns_model(start, end):
            low, high = self._find_sentences(start, start + added)
            touched = (low, high if limit is None else min(high, limit))
        change = edit_spans(self._spans, start, end, runs, touched)
        if touched is not None:
            kept = {origin.source for _, origin in change.old if origin.kind is Kind.EDITED}
            for source in {origin.source for _, origin in change.new if origin.kind is Kind.EDITED} - kept:
                if source is not None and source.key:
                    self.generation_edited.emit(source.key)
        return change

    def _concerns_model(self, start: int, end: int) -> bool:
        low, high = max(start - 1, 0), min(end + 1, self._spans.length)
        return any(origin.from_model for _, origin in self._spans.slice(low, high))

    def _find_sentences(self, start: int, end: int) -> tuple[int, int]:
        """Return the stretch of the document's sentences that an edit touched which left ``start`` to ``end``."""
        first, last = self._document.findBlock(start), self._document.findBlock(end)
        base, text = first.position(), as_units(first.text())
        if first == last:
            low, high = find_touched(text, start - base, end - base)
            return base + low, base + high
        low, _ = find_touched(text, start - base, len(text))
        base_of_last, text_of_last = last.position(), as_units(last.text())
        _, high = find_touched(text_of_last, 0, end - base_of_last)
        return base + low, base_of_last + high

    # Keeping in step

    def _measure(self) -> int:
        return max(self._document.characterCount() - 1, 0)

    def _freshen(self) -> None:
        """Begin with unknown spans where a text was put on the page and nobody said what it is."""
        if self._stale:
            self.begin()

    def _begin_anew(self) -> None:
        """Lose account rather than keep a false one; what was there stays as far as it goes."""
        length, known = self._measure(), self._spans.length
        kept = self._spans.slice(0, min(length, known))
        self._spans = Spans([*kept, (length - measure_runs(kept), UNKNOWN)])
        self._journal.clear()
        self._lines = None
        self._read_due.start()

    @Slot()
    def _read_lines(self) -> None:
        if self._lines is None and not self._stale:
            self._lines = self._document.toRawText().split(_PARAGRAPH)


def _place_edits(expected: Sequence[tuple[int, int, str]], start: int, growth: int) -> list[Difference] | None:
    """Return announced edits as places in a change; None where there are none, or the change is another one."""
    edits, shift = [], 0
    for low, high, text in expected:
        length = count_units(text)
        edits.append(Difference(low - start, high - start, low - start + shift, low - start + shift + length))
        shift += length - (high - low)
    return edits if edits and shift == growth and edits[0].old_start >= 0 else None


def _find_core(old: str, new: str) -> tuple[int, int, int]:
    """Return where two texts begin to differ, and where that ends in each; no character is cut in two."""
    if not old or not new:
        return 0, len(old), len(new)
    low, most = 0, min(len(old), len(new))
    while low < most and old[low] == new[low]:
        low += 1
    back = 0
    while back < most - low and old[-1 - back] == new[-1 - back]:
        back += 1
    if low and "\ud800" <= old[low - 1] <= "\udbff":
        low -= 1
    if back and "\udc00" <= old[len(old) - back] <= "\udfff":
        back -= 1
    return low, len(old) - back, len(new) - back


def _read_blocks(block: QTextBlock, count: int) -> list[str]:
    lines = []
    for _number in range(count):
        lines.append(block.text())
        block = block.next()
    return lines

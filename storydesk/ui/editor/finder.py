"""Finding in the draft: the bar asks, a thread looks, the page shows every place and goes from one to the next."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QThread, Slot
from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor

from storydesk.bridge.edit_log import EditLog
from storydesk.bridge.offsets import Utf16Map
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.serial_worker import SerialWorker
from storydesk.domain.failures import Failure
from storydesk.domain.text_search import Hit, PlannedReplacement, plan_replacements
from storydesk.services.text_search import find_hits
from storydesk.ui.editor.compositor import Mark
from storydesk.ui.editor.find_bar import FindBar
from storydesk.ui.editor.lazy_marks import LazyMarks
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.editor.replace_preview import ReplacePreview
from storydesk.ui.theme import current_tokens
from storydesk.ui.window_timers import make_single_shot

LAYER = "search"
LOOK_MILLISECONDS = 150
LONGEST_SELECTION = 200


Place = tuple[int, int, str]
"""Start and end in UTF-16 units, and what would stand there instead."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Places in the text, in UTF-16 units, and what would stand there instead."""

    places: tuple[Place, ...]
    hits: tuple[Hit, ...]
    text: str


class Finder(QObject):
    """Joins the find bar with the page. GUI thread; the looking is done on another."""

    def __init__(self, page: PageEdit, bar: FindBar, phrases: Phrases) -> None:
        """Listen to both."""
        super().__init__(page)
        self._page = page
        self._bar = bar
        self._phrases = phrases
        self._worker = SerialWorker("finder", self)
        self._asked = 0
        self._answered = 0
        self._found = _Found((), (), "")
        self._log = EditLog()
        self._scope: QTextCursor | None = None
        self._step = 0
        self._look_due = make_single_shot(self, LOOK_MILLISECONDS, self._look)
        bar.changed.connect(self._on_bar_changed)
        bar.step_wanted.connect(self.go)
        bar.replace_wanted.connect(self.replace)
        bar.replace_all_wanted.connect(self.replace_all)
        bar.closed.connect(self._on_closed)
        page.edited.connect(self._on_edited)
        page.cursorPositionChanged.connect(self._on_cursor_moved)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of finding do."""
        return {
            "find": lambda: self.open(),
            "replace": lambda: self.open(replaces=True),
            "find_next": lambda: self.go(1),
            "find_previous": lambda: self.go(-1),
        }

    @property
    def is_looking(self) -> bool:
        """Whether an answer is still to come."""
        return self._look_due.isActive() or self._answered < self._asked

    @property
    def count(self) -> int:
        """How many places were found."""
        return len(self._found.places)

    def open(self, *, replaces: bool = False) -> None:
        """Show the bar; a short selection is what is sought."""
        cursor = self._page.textCursor()
        words = cursor.selectedText()
        short = "" if "\u2029" in words or len(words) > LONGEST_SELECTION else words
        if words and not short:
            self._scope = QTextCursor(cursor)
            self._bar.scope.setChecked(True)
        self._bar.open(short, replaces=replaces)

    def forget(self) -> None:
        """Another text is on the page."""
        self._scope = None
        self._bar.scope.setChecked(False)
        self._take(_Found((), (), ""))
        if self._bar.isVisible():
            self._look_due.start()

    def close(self) -> None:
        """End what is being looked for."""
        self._look_due.stop()
        self._worker.close()

    @Slot(int)
    def go(self, step: int) -> None:
        """Go to the next (1) or previous (-1) place from the cursor, round the end of the draft."""
        if not self._bar.isVisible() and self._bar.words.text():
            self._bar.open("", replaces=False)
            self._page.setFocus()
        if self.is_looking:
            self._step = step  # as soon as the places are known
        else:
            self._go(step)

    def _go(self, step: int) -> None:
        places, cursor = self._found.places, self._page.textCursor()
        at = self._log.trace(cursor.selectionEnd() if step > 0 else cursor.selectionStart())
        first = bisect_left(places, at, key=_start_of) - (step < 0)
        for number in range(len(places)):
            place = self._follow((first + number * step) % len(places))
            if place is not None:
                self._page.go_to(*place[:2])
                return

    def _follow(self, number: int) -> Place | None:
        """Return where a place is now; None where it was edited since."""
        start, end, put = self._found.places[number]
        change = self._log.follow(start, end)
        return None if change is None else (start + change, end + change, put)

    def _find_chosen(self) -> int:
        """Return the number of the place that is selected; -1 where none is."""
        cursor, places = self._page.textCursor(), self._found.places
        number = bisect_left(places, self._log.trace(cursor.selectionStart()), key=_start_of)
        place = self._follow(number) if number < len(places) else None
        chosen = place is not None and place[:2] == (cursor.selectionStart(), cursor.selectionEnd())
        return number if chosen else -1

    @Slot()
    def replace(self) -> None:
        """Replace the place that is selected, or go to the next one where none is."""
        if self._page.isReadOnly() or self.is_looking:
            return
        place = self._follow(chosen) if (chosen := self._find_chosen()) >= 0 else None
        if place is None:
            self.go(1)
            return
        start, end, put = place
        self._page.replace(start, end, put)
        moved = self._page.textCursor()
        moved.setPosition(start + len(put.encode("utf-16-le", "surrogatepass")) // 2)
        self._page.setTextCursor(moved)
        self._step = 1
        self._look()

    @Slot()
    def replace_all(self) -> None:
        """Show what would change everywhere, to be ticked off, before any of it does."""
        if self._page.isReadOnly() or self.is_looking:
            return
        found = self._found
        if found.text != self._page.text():
            self._look()
            return
        plan = plan_replacements(found.text, found.hits)
        if not plan:
            self._bar.show_trouble(self.tr("Everything found already reads like that."))
            return
        dialog = ReplacePreview(plan, self._page.window())
        dialog.accepted_plan.connect(lambda decided: self._put_in(found.text, decided))
        dialog.open()

    def _put_in(self, text: str, plan: list[PlannedReplacement]) -> None:
        if self._page.text() != text:
            return
        units = Utf16Map(text)
        self._page.replace_many(
            [
                (units.to_units(planned.hit.start), units.to_units(planned.hit.end), planned.hit.replacement)
                for planned in plan
                if planned.accepted
            ]
        )

    # Looking

    @Slot()
    def _on_bar_changed(self) -> None:
        if self._bar.scope.isChecked() and self._scope is None:
            cursor = self._page.textCursor()
            self._scope = QTextCursor(cursor) if cursor.hasSelection() else None
            if self._scope is None:
                self._bar.scope.setChecked(False)
        elif not self._bar.scope.isChecked():
            self._scope = None
        self._look_due.start()

    @Slot()
    def _look(self) -> None:
        self._look_due.stop()
        text, query = self._page.text(), self._bar.query
        self._asked += 1
        asked = self._asked
        replacement = self._bar.put.text()
        log = self._log = EditLog()
        if not query.words:
            self._answered = asked
            self._take(_Found((), (), text))
            return
        scope = None if self._scope is None else (self._scope.selectionStart(), self._scope.selectionEnd())

        def look() -> _Found | None:
            if asked != self._asked:
                return None  # something else is sought by now
            units = Utf16Map(text)
            bounded = query
            if scope is not None:
                bounded = replace(query, start=units.to_points(scope[0]), end=units.to_points(scope[1]))
            hits = find_hits(text, bounded, replacement)
            places = tuple((units.to_units(hit.start), units.to_units(hit.end), hit.replacement) for hit in hits)
            return _Found(places, tuple(hits), text)

        def on_found(found: _Found | None) -> None:
            self._answered = asked
            if found is not None and asked == self._asked:
                self._take(found, log)

        def on_failed(failure: Failure) -> None:
            self._answered = asked
            if asked == self._asked:
                self._take(_Found((), (), text))
                self._bar.show_trouble(" ".join(self._phrases.say(failure)))

        if not self._worker.isRunning():
            self._worker.start(QThread.Priority.LowPriority)
        self._worker.submit(look, on_found, on_failed)

    def _take(self, found: _Found, log: EditLog | None = None) -> None:
        self._found = found
        self._log = log or EditLog()
        self._bar.show_trouble("")
        look = QTextCharFormat()
        tokens = current_tokens()
        look.setBackground(QColor(tokens.accent_soft))
        look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        look.setUnderlineColor(QColor(tokens.accent))
        self._page.marks.set_layer(
            LAYER, LazyMarks(found.places, lambda place: Mark(place[0], place[1], look)), since=self._log
        )
        self._say_count()
        if self._step:
            step, self._step = self._step, 0
            if not self._look_due.isActive():
                self._go(step)

    def _say_count(self) -> None:
        self._bar.show_count(self._find_chosen() + 1, len(self._found.places))

    @Slot(int, int, int)
    def _on_edited(self, position: int, removed: int, added: int) -> None:
        self._log.note(position, removed, added)
        if self._bar.isVisible() and self._bar.words.text():
            self._look_due.start()

    @Slot()
    def _on_cursor_moved(self) -> None:
        if self._bar.isVisible() and self._found.places and not self.is_looking:
            self._say_count()

    @Slot()
    def _on_closed(self) -> None:
        self._asked += 1
        self._answered = self._asked
        self._look_due.stop()
        self._take(_Found((), (), ""))
        self._page.setFocus()


def _start_of(place: Place) -> int:
    return place[0]

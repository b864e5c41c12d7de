"""The open draft's outline, kept in step with the page, and what the writer says of stories and parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from storydesk.bridge.manuscript_controller import OpenStory
from storydesk.bridge.offsets import Utf16Map
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import Failure
from storydesk.domain.outline import (
    NO_DETAILS,
    KeptPart,
    Outline,
    OutlineReader,
    PartDetails,
    Place,
    Shift,
    StoryDetails,
    follow_parts,
    move_part,
)
from storydesk.services.outline import move_story

PAUSE_MILLISECONDS = 300
LONGEST_MILLISECONDS = 1500
_MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class DraftOutline:
    """The outline of the text on the page as it was at a revision, and what is kept of the parts.

    ``kept`` holds one for each part, then those that wait for their part to come back. ``units`` turns the parts'
    places into UTF-16 units.
    """

    story_id: int
    revision: int
    outline: Outline
    kept: tuple[KeptPart, ...]
    units: Utf16Map

    def details(self, ordinal: int) -> PartDetails:
        """Return what is kept of a part."""
        return self.kept[ordinal].details if ordinal < len(self.kept) else NO_DETAILS


@dataclass(frozen=True, slots=True)
class PartMove:
    """How a part moves: shifts in UTF-16 units, one after another, for the text of one revision."""

    revision: int
    shifts: tuple[Shift, ...]


class OutlineController(QObject):
    """Reads outlines on the library's thread, soon after each pause in typing. GUI thread."""

    outline_changed = Signal(object)
    """A DraftOutline; None where no story is open."""
    details_changed = Signal(object)
    """What the writer says of the stories: a mapping of ids to StoryDetails."""
    move_ready = Signal(object)
    """A PartMove for the page."""
    failed = Signal(object)

    def __init__(self, workroom: Workroom, parent: QObject | None = None) -> None:
        """Follow the page of a workroom."""
        super().__init__(parent)
        self._workroom = workroom
        self._service = workroom.desk.outlines
        self._reader = OutlineReader()
        self._story = 0
        self._opening = 0
        self._kept: tuple[KeptPart, ...] = ()
        self._in_flight = False
        self._again = False
        self._waiting: list[tuple[Callable[[DraftOutline], None], int]] = []
        self.current: DraftOutline | None = None
        self.details: Mapping[int, StoryDetails] = {}
        self._pause = self._make_timer(PAUSE_MILLISECONDS)
        self._longest = self._make_timer(LONGEST_MILLISECONDS)

    def begin(self, opened: OpenStory | None) -> None:
        """Hear that another draft is on the page."""
        self._opening += 1
        self._pause.stop()
        self._longest.stop()
        self._waiting.clear()
        self._story = opened.story.id if opened is not None else 0
        self._kept = ()
        self.current = None
        if opened is None:
            self.outline_changed.emit(None)
            return
        story_id, opening = self._story, self._opening

        def on_read(parts: Sequence[KeptPart]) -> None:
            if opening == self._opening:
                self._kept = tuple(parts)
                self._read()

        self._workroom.library.submit(lambda: self._service.read_parts(story_id), on_read, self.failed.emit)

    def note_change(self) -> None:
        """Hear that the text was changed."""
        if self._story:
            self._pause.start()
            if not self._longest.isActive():
                self._longest.start()

    def with_outline(self, act: Callable[[DraftOutline], None]) -> None:
        """Call ``act`` with the outline of the text as it is then: now where it is known, else soon."""
        current = self.current
        if current is not None and current.revision == self._workroom.revision:
            act(current)
        elif self._story:
            self._waiting.append((act, _MOST_TRIES))
            self._read()

    def move(self, ordinal: int, target: int, place: Place) -> None:
        """Move a part of the outline that is shown; ``move_ready`` says how, where it can go there."""
        shown = self.current
        if shown is None or max(ordinal, target) >= len(shown.outline.parts):
            return
        names = [part.title for part in shown.outline.parts]

        def plan(fresh: DraftOutline) -> None:
            if [part.title for part in fresh.outline.parts] != names:
                return  # the writer saw other parts than there are now
            text = self._workroom.read_page()
            shifts = move_part(text, fresh.outline, ordinal, target, place)
            units = fresh.units.to_units
            if shifts:
                self.move_ready.emit(PartMove(fresh.revision, _convert(text, shifts, units)))

        self.with_outline(plan)

    def keep_part(self, ordinal: int, details: PartDetails) -> None:
        """Keep what the writer says of a part."""
        if self.current is None or ordinal >= len(self.current.outline.parts) or not self._story:
            return
        kept = list(self._kept)
        kept[ordinal] = replace(kept[ordinal], details=details)
        self._kept = tuple(kept)
        self.current = replace(self.current, kept=self._kept)
        self._write_parts()
        self.outline_changed.emit(self.current)

    def keep_story(self, story_id: int, details: StoryDetails) -> None:
        """Keep what the writer says of a story."""
        self.details = {**self.details, story_id: details}
        self._workroom.library.submit(
            lambda: self._service.change_details(story_id, details), lambda _done: self.refresh(), self.failed.emit
        )

    def refresh(self) -> None:
        """Read what is kept of the stories again."""

        def on_read(details: Mapping[int, StoryDetails]) -> None:
            self.details = details
            self.details_changed.emit(details)

        self._workroom.library.submit(self._service.read_details, on_read, self.failed.emit)

    def place_story(self, order: Sequence[int], moved: int, before: int) -> None:
        """Move a story before another (0: to the end) of those in ``order``."""
        placed = move_story(order, moved, before)
        if list(order) != placed:
            self._workroom.library.submit(
                lambda: self._service.place_stories(placed),
                lambda _done: self._workroom.manuscripts.refresh(),
                self.failed.emit,
            )

    # Reading

    @Slot()
    def _read(self) -> None:
        self._pause.stop()
        self._longest.stop()
        if not self._story:
            return
        if self._in_flight:  # one at a time, always of the newest text
            self._again = True
            return
        self._in_flight, self._again = True, False
        opening, story_id, revision = self._opening, self._story, self._workroom.revision
        text, kept, reader = self._workroom.read_page(), self._kept, self._reader

        def read() -> DraftOutline:
            outline = reader.read(text)
            return DraftOutline(story_id, revision, outline, follow_parts(kept, outline.parts), Utf16Map(text))

        def on_read(found: DraftOutline) -> None:
            self._in_flight = False
            if opening == self._opening:
                self._take(found if kept is self._kept else self._follow_again(found))
            elif self._story:
                self._again = True
            if self._again:
                self._read()

        def on_failed(failure: Failure) -> None:
            self._in_flight = False
            self.failed.emit(failure)

        self._workroom.library.submit(read, on_read, on_failed)

    def _follow_again(self, found: DraftOutline) -> DraftOutline:
        return replace(found, kept=follow_parts(self._kept, found.outline.parts))

    def _take(self, found: DraftOutline) -> None:
        had = self._kept
        self.current = found
        self._kept = found.kept
        if had != found.kept and any(part.details != NO_DETAILS for part in (*had, *found.kept)):
            self._write_parts()
        self.outline_changed.emit(found)
        waiting, self._waiting = self._waiting, []
        for act, tries in waiting:
            if found.revision == self._workroom.revision:
                act(found)
            elif tries:
                self._waiting.append((act, tries - 1))
                self._again = True

    def _write_parts(self) -> None:
        if self._workroom.manuscripts.read_only:
            return
        story_id, kept = self._story, self._kept
        self._workroom.library.submit(lambda: self._service.keep_parts(story_id, kept), None, self.failed.emit)

    def _make_timer(self, milliseconds: int) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(self._read)
        return timer


def _convert(text: str, shifts: Sequence[Shift], units: Callable[[int], int]) -> tuple[Shift, ...]:
    """Return shifts in UTF-16 units; each is counted in the text that the ones before it have left."""
    converted: list[Shift] = []
    for number, shift in enumerate(shifts):
        if number:
            units = Utf16Map(text).to_units
        converted.append(Shift(units(shift.start), units(shift.end), units(shift.to)))
        piece = text[shift.start : shift.end]
        rest = text[: shift.start] + text[shift.end :]
        to = shift.to if shift.to <= shift.start else shift.to - len(piece)
        text = rest[:to] + piece + rest[to:]
    return tuple(converted)

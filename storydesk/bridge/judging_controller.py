"""Judging by people between the window and the library's thread; texts for a sheet are written on the engine's."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from storydesk.bridge.engine_worker import EngineWorker
from storydesk.bridge.judging_texts import SheetWriting, WritingPlan, list_sources, read_story
from storydesk.bridge.serial_worker import SerialWorker, describe_unexpected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import MAXIMUM_SEED
from storydesk.domain.judging import Criterion, CriterionGuide, Entry, Rater, Seat, Sheet, Side
from storydesk.domain.judging_summary import Summary
from storydesk.domain.manuscript import Story
from storydesk.services.desk import Desk
from storydesk.services.judging import Imported, SheetCard
from storydesk.services.ports import IsCancelled

_OWNER = "judging"


@dataclass(frozen=True, slots=True)
class SheetWish:
    """A sheet that is to be made: ``criteria`` empty where raters choose between two."""

    name: str
    entries: tuple[Entry, ...]
    criteria: tuple[Criterion, ...] = ()
    most_pairs: int = 0


@dataclass(frozen=True, slots=True)
class SheetList:
    """All sheets, the newest first, and who rates here."""

    cards: tuple[SheetCard, ...]
    raters: tuple[Rater, ...]


@dataclass(frozen=True, slots=True)
class SheetResults:
    """What one sheet says by now: how much there is to say, and by whom, is on its card."""

    card: SheetCard
    summary: Summary


class JudgingController(QObject):
    """Leads sheets, rating and results. GUI thread; what was rated is on disk once ``kept`` comes."""

    listed = Signal(object)
    """A SheetList."""
    sources_found = Signal(object)
    """TextSources."""
    story_read = Signal(object)
    """StoryTexts."""
    added = Signal(object)
    """A Sheet that was just made."""
    writing_changed = Signal(int, int)
    """How many texts of how many are written."""
    writing_ended = Signal()
    """Texts were written, or it was stopped or failed."""
    seated = Signal(object)
    """A Seat: a rater sits down before a sheet."""
    kept = Signal(int)
    """Something that was said about an item is on disk."""
    not_kept = Signal(object)
    """A Failure: what was said last is not on disk."""
    summarised = Signal(object)
    """SheetResults."""
    imported = Signal(object)
    """Imported."""
    exported = Signal(object)
    """The Path of a file that was written."""
    failed = Signal(object)
    _progressed = Signal(int, int)
    _written = Signal(int)
    _broke = Signal(int, object)

    def __init__(self, desk: Desk, library: SerialWorker, engine: EngineWorker, parent: QObject | None = None) -> None:
        """Work on one library."""
        super().__init__(parent)
        self._desk = desk
        self._judging = desk.judging
        self._library = library
        self._engine = engine
        self._number = 0
        self._writing: SheetWriting | None = None
        self._wish: SheetWish | None = None
        self._progressed.connect(self._on_progressed)
        self._written.connect(self._on_written)
        self._broke.connect(self._on_broke)

    @property
    def guides(self) -> Sequence[CriterionGuide]:
        """The criteria in words."""
        return self._judging.guides

    @property
    def busy(self) -> bool:
        """Whether texts for a sheet are being written."""
        return self._writing is not None

    # Sheets

    def list_sheets(self) -> None:
        """Ask for all sheets."""
        judging = self._judging
        self._library.submit(
            lambda: SheetList(tuple(judging.list_sheets()), tuple(judging.list_raters())),
            self.listed.emit,
            self.failed.emit,
        )

    def find_sources(self) -> None:
        """Ask what there is to take texts from."""
        self._library.submit(lambda: list_sources(self._desk), self.sources_found.emit, self.failed.emit)

    def read_story(self, story: Story) -> None:
        """Ask for the texts of a story."""
        self._library.submit(lambda: read_story(self._desk, story), self.story_read.emit, self.failed.emit)

    def add_sheet(self, wish: SheetWish) -> None:
        """Make a sheet of texts that are there."""
        judging = self._judging

        def add() -> Sheet:
            if wish.criteria:
                return judging.add_sheet(wish.name, wish.entries, wish.criteria)
            return judging.add_pairs(wish.name, wish.entries, most=wish.most_pairs)

        self._library.submit(add, self._on_added, self.failed.emit)

    def write_sheet(self, wish: SheetWish, plan: WritingPlan, name_preset: Callable[[str], str]) -> None:
        """Let models write first, then make a sheet of that and of what the wish has already."""
        self._number += 1
        number, writing = self._number, SheetWriting(self._desk, plan, name_preset)
        self._writing, self._wish = writing, wish

        def errand(is_cancelled: IsCancelled) -> None:
            try:
                writing.work(
                    lambda: self._number == number, is_cancelled, lambda count: self._progressed.emit(number, count)
                )
                self._written.emit(number)
            except StorydeskError as error:
                if error.failure.code == FailureCode.CANCELLED:
                    if self._number == number:
                        raise  # it made way, and goes on when there is nothing else to do
                    return
                self._broke.emit(number, error.failure)
            except Exception as error:  # noqa: BLE001 - the engine's thread outlives any errand, and the failure is shown
                self._broke.emit(number, describe_unexpected(error))

        self.writing_changed.emit(0, writing.count)
        self._engine.run_errand(errand, _OWNER)

    def stop_writing(self) -> None:
        """Give up the texts that are being written."""
        if self._writing is not None:
            self._drop_writing()
            self.writing_ended.emit()

    def trash(self, sheet_id: int, *, restore: bool = False) -> None:
        """Put a sheet into the trash or back, with all that was said."""
        self._change(lambda: self._judging.trash_sheet(sheet_id, restore=restore))

    def rename(self, sheet_id: int, name: str) -> None:
        """Give a sheet another name."""
        self._change(lambda: self._judging.rename_sheet(sheet_id, name))

    # Rating

    def sit_down(self, sheet_id: int, name: str) -> None:
        """Let somebody rate a sheet, where they left off."""
        judging = self._judging
        self._library.submit(
            lambda: judging.sit_down(sheet_id, judging.add_rater(name).id), self.seated.emit, self.failed.emit
        )

    def rate(self, seat: Seat, item_id: int, criterion: Criterion, value: int | None) -> None:
        """Keep one rating; None takes it back."""
        self._keep(item_id, lambda: self._judging.rate(seat.sheet.id, seat.rater.id, item_id, criterion, value))

    def choose(self, seat: Seat, item_id: int, side: Side | None, why: str) -> None:
        """Keep a choice; None takes it back."""
        self._keep(item_id, lambda: self._judging.choose(seat.sheet.id, seat.rater.id, item_id, side, why))

    # Results and files

    def summarise(self, sheet_id: int) -> None:
        """Ask what a sheet says."""
        self._library.submit(lambda: self._summarise(sheet_id), self.summarised.emit, self.failed.emit)

    def reveal(self, sheet_id: int) -> None:
        """Show who wrote what, and what the sheet says; nobody here rates it any more."""

        def reveal() -> SheetResults:
            self._judging.reveal(sheet_id)
            return self._summarise(sheet_id)

        self._library.submit(reveal, self.summarised.emit, self.failed.emit)

    def export_sheet(self, sheet_id: int, path: Path) -> None:
        """Write a sheet for a friend; the dialog has asked about a file that is there."""
        self._export(path, lambda: self._judging.export_sheet(sheet_id, path, overwrite=True))

    def export_ratings(self, sheet_id: int, name: str, path: Path) -> None:
        """Write what one rater said."""

        def export() -> None:
            rater = self._judging.add_rater(name)
            self._judging.export_ratings(sheet_id, rater.id, path, overwrite=True)

        self._export(path, export)

    def import_file(self, path: Path) -> None:
        """Take in a sheet or ratings."""

        def on_imported(imported: Imported) -> None:
            self.imported.emit(imported)
            self.list_sheets()

        self._library.submit(lambda: self._judging.import_file(path), on_imported, self.failed.emit)

    def close(self) -> None:
        """Give up what is being written; what was rated is in the library's queue and will be kept."""
        if self._writing is not None:
            self._drop_writing()

    def _summarise(self, sheet_id: int) -> SheetResults:
        summary = self._judging.summarise([sheet_id])
        card = next((each for each in self._judging.list_sheets() if each.sheet.id == sheet_id), None)
        if card is None:
            raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name=str(sheet_id))
        return SheetResults(card, summary)

    def _change(self, call: Callable[[], object]) -> None:
        self._library.submit(call, lambda _done: self.list_sheets(), self.failed.emit)

    def _keep(self, item_id: int, call: Callable[[], object]) -> None:
        self._library.submit(call, lambda _done: self.kept.emit(item_id), self.not_kept.emit)

    def _export(self, path: Path, call: Callable[[], object]) -> None:
        self._library.submit(call, lambda _done: self.exported.emit(path), self.failed.emit)

    def _drop_writing(self) -> None:
        self._number += 1
        self._writing = None
        self._wish = None
        self._engine.drop_errand(_OWNER)

    def _on_added(self, sheet: Sheet) -> None:
        self.added.emit(sheet)
        self.list_sheets()

    @Slot(int, int)
    def _on_progressed(self, number: int, count: int) -> None:
        if number == self._number and self._writing is not None:
            self.writing_changed.emit(count, self._writing.count)

    @Slot(int)
    def _on_written(self, number: int) -> None:
        if number != self._number or self._writing is None or self._wish is None:
            return
        wish, entries = self._wish, self._writing.entries()
        self._writing = self._wish = None
        self.writing_ended.emit()
        self.add_sheet(SheetWish(wish.name, (*wish.entries, *entries), wish.criteria, wish.most_pairs))

    @Slot(int, object)
    def _on_broke(self, number: int, failure: Failure) -> None:
        if number == self._number:
            self._drop_writing()
            self.writing_ended.emit()
            self.failed.emit(failure)


def draw_seed() -> int:
    """Return a seed to write with, by chance."""
    return random.SystemRandom().randrange(MAXIMUM_SEED)

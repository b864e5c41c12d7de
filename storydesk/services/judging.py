"""Judging by people: sheets are made, rated blind, sent to friends and taken back, and added up."""

from __future__ import annotations

import functools
import secrets
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judging import (
    LEAST,
    LONGEST_WHY,
    MOST,
    MOST_CHARACTERS,
    MOST_ITEMS,
    Criterion,
    CriterionGuide,
    Entry,
    ItemChoice,
    Rater,
    Rating,
    Seat,
    Sheet,
    SheetContent,
    SheetItem,
    Side,
    make_items,
    make_pairs,
    read_side,
    seat,
    tidy_name,
)
from storydesk.domain.judging_summary import MetricCorrelation, Summary, correlate, name_blindly, summarise
from storydesk.services.judging_ports import JudgingStore
from storydesk.services.rating_files import (
    RatingsFile,
    SheetFile,
    bind_ratings,
    checksum_sheet,
    read_file,
    write_ratings,
    write_sheet,
)

_WIDEST_SEED = 2**62


@dataclass(frozen=True, slots=True)
class SheetCard:
    """A sheet in a list: how many items, and how many of them everybody who began has finished."""

    sheet: Sheet
    items: int
    raters: tuple[tuple[Rater, int], ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file brought: a new sheet to rate (``rater`` is None), or ``count`` new ratings of one rater."""

    sheet: Sheet
    rater: Rater | None
    count: int


class JudgingService:
    """Keeps sheets and what raters say. Any thread; what was said is on disk when a method returns."""

    def __init__(self, store: JudgingStore, read_guides: Callable[[], Sequence[CriterionGuide]]) -> None:
        """Work on one library; ``read_guides`` is asked for the criteria in words when somebody wants them."""
        self._store = store
        self._read_guides = read_guides

    @functools.cached_property
    def guides(self) -> Sequence[CriterionGuide]:
        """The criteria in words, in the order in which they are asked."""
        return tuple(self._read_guides())

    def guide(self, criterion: Criterion) -> CriterionGuide:
        """Return a criterion's words."""
        return next(guide for guide in self.guides if guide.criterion is criterion)

    # Sheets

    def add_sheet(
        self,
        name: str,
        entries: Sequence[Entry],
        criteria: Sequence[Criterion] = tuple(Criterion),
        *,
        seed: int | None = None,
    ) -> Sheet:
        """Keep a sheet on which every text is rated; raise StorydeskError(SHEET_EMPTY) without texts or criteria."""
        chosen = secrets.randbelow(_WIDEST_SEED) if seed is None else seed
        asked = tuple(criterion for criterion in Criterion if criterion in criteria)
        return self._add(name, make_items(_usable(entries), chosen) if asked else [], asked, chosen)

    def add_pairs(self, name: str, entries: Sequence[Entry], *, most: int = 0, seed: int | None = None) -> Sheet:
        """Keep a sheet on which the texts of each prompt meet two by two, at ``most`` so many pairs.

        Raise StorydeskError(SHEET_EMPTY) where no prompt has texts of two contenders.
        """
        chosen = secrets.randbelow(_WIDEST_SEED) if seed is None else seed
        return self._add(name, make_pairs(_usable(entries), chosen, most), (), chosen)

    def list_sheets(self, *, trash: bool = False) -> Sequence[SheetCard]:
        """Return the sheets, or those in the trash, the newest first."""
        sheets = [sheet for sheet in self._store.list_sheets() if sheet.in_trash is trash]
        count, done = self._store.count_items, self._store.count_done
        return [SheetCard(sheet, count(sheet.id), tuple(done(sheet.id))) for sheet in sheets]

    def rename_sheet(self, sheet_id: int, name: str) -> Sheet:
        """Give a sheet another name; an empty one changes nothing. Raise StorydeskError(SHEET_NOT_FOUND)."""
        sheet = self._store.load_sheet(sheet_id).sheet
        return self._change(replace(sheet, name=tidy_name(name) or sheet.name))

    def trash_sheet(self, sheet_id: int, *, restore: bool = False) -> Sheet:
        """Put a sheet into the trash or back, with all that was said; raise StorydeskError(SHEET_NOT_FOUND)."""
        return self._change(replace(self._store.load_sheet(sheet_id).sheet, in_trash=not restore))

    def delete_sheet(self, sheet_id: int) -> None:
        """Delete a sheet that is in the trash for good."""
        self._store.delete_sheet(sheet_id)

    def find_sheet(self, name: str) -> Sheet:
        """Return the newest sheet with a name, a number or a key; raise StorydeskError(SHEET_NOT_FOUND)."""
        wanted = tidy_name(name).casefold()
        for sheet in self._store.list_sheets():
            if not sheet.in_trash and wanted in (sheet.name.casefold(), str(sheet.id), sheet.key):
                return sheet
        raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name=name)

    # Rating

    def list_raters(self, *, guests: bool = False) -> Sequence[Rater]:
        """Return who rates here; with ``guests`` also those whose ratings came in files."""
        return [rater for rater in self._store.list_raters() if guests or not rater.is_guest]

    def add_rater(self, name: str) -> Rater:
        """Return who rates here under a name, as somebody new where nobody does; raise BAD_ARGUMENT without a name."""
        tidy = tidy_name(name)
        if not tidy:
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name="name", value="empty", expected="somebody's name")
        for rater in self.list_raters():
            if rater.name.casefold() == tidy.casefold():
                return rater
        return self._store.keep_rater(Rater(0, uuid.uuid4().hex, tidy))

    def rename_rater(self, rater_id: int, name: str) -> Rater:
        """Give a rater another name; an empty one changes nothing. Raise StorydeskError(SHEET_NOT_FOUND)."""
        rater = self._find_rater(rater_id)
        wanted = tidy_name(name)
        if not wanted or wanted == rater.name:
            return rater
        free = wanted if wanted.casefold() == rater.name.casefold() else self._free_name(wanted)
        return self._store.keep_rater(replace(rater, name=free))

    def sit_down(self, sheet_id: int, rater_id: int) -> Seat:
        """Return a sheet as a rater sees it: own order, sides by chance, no names, and what was said so far.

        ``Seat.next_open`` is where it goes on. Raise StorydeskError(SHEET_NOT_FOUND).
        """
        content = self._store.load_sheet(sheet_id)
        return seat(content.sheet, self._find_rater(rater_id), content.items, content.ratings, content.choices)

    def rate(self, sheet_id: int, rater_id: int, item_id: int, criterion: Criterion, value: int | None) -> None:
        """Keep one rating from LEAST to MOST; None takes it back.

        Raise StorydeskError(SHEET_NOT_FOUND, SHEET_REVEALED, BAD_ARGUMENT).
        """
        sheet, item = self._open_item(sheet_id, item_id)
        if value is not None and (isinstance(value, bool) or not LEAST <= value <= MOST):
            expected = f"a whole number from {LEAST} to {MOST}"
            raise StorydeskError(FailureCode.BAD_ARGUMENT, name=str(criterion), value=str(value), expected=expected)
        if item.is_pair or criterion not in sheet.criteria:
            raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name=f"that asks for {criterion}")
        self._find_rater(rater_id)
        self._store.add_opinions([Rating(item_id, rater_id, criterion, value, time.time())])

    def choose(self, sheet_id: int, rater_id: int, item_id: int, side: Side | None, why: str = "") -> None:
        """Keep which side of a pair is better; None takes it back.

        Raise StorydeskError(SHEET_NOT_FOUND, SHEET_REVEALED).
        """
        sheet, item = self._open_item(sheet_id, item_id)
        if not item.is_pair:
            raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name="that asks for a choice")
        rater = self._find_rater(rater_id)
        choice = read_side(side, sheet, rater, item) if side is not None else None
        said = ItemChoice(item_id, rater_id, choice, why.strip()[:LONGEST_WHY], time.time())
        self._store.add_opinions([], [said])

    # Results

    def load_sheet(self, sheet_id: int) -> SheetContent:
        """Return a sheet with who wrote what and all that was said: for results, never for a rater's eyes."""
        return self._store.load_sheet(sheet_id)

    def reveal(self, sheet_id: int) -> Sheet:
        """Show who wrote what from now on; nobody here rates this sheet any more. Ratings from elsewhere still come in.

        Raise StorydeskError(SHEET_NOT_FOUND).
        """
        sheet = self._store.load_sheet(sheet_id).sheet
        return sheet if sheet.revealed else self._change(replace(sheet, revealed=time.time()))

    def summarise(self, sheet_ids: Sequence[int]) -> Summary:
        """Add up what sheets say; contenders have letters for names until all of the sheets are revealed.

        Takes a second or so for large sheets. Raise StorydeskError(SHEET_NOT_FOUND).
        """
        contents = [self._store.load_sheet(each) for each in sheet_ids]
        hidden = any(not content.sheet.revealed for content in contents)
        return summarise(contents, name_blindly(contents) if hidden else None)

    def correlate(self, figures: Mapping[str, float], criterion: Criterion = Criterion.OVERALL) -> MetricCorrelation:
        """Return how far a metric goes with all ratings so far; ``figures`` by domain.judging.fingerprint."""
        contents = [self._store.load_sheet(sheet.id) for sheet in self._store.list_sheets() if not sheet.in_trash]
        return correlate(contents, criterion, figures)

    # Files

    def export_sheet(self, sheet_id: int, path: Path, *, overwrite: bool = False) -> None:
        """Write a sheet for a friend: texts and criteria, no names.

        Raise StorydeskError(SHEET_NOT_FOUND, FILE_EXISTS, DISK_FULL, NOT_WRITABLE).
        """
        write_sheet(self._store.load_sheet(sheet_id), self.guides, path, overwrite=overwrite)

    def export_ratings(self, sheet_id: int, rater_id: int, path: Path, *, overwrite: bool = False) -> None:
        """Write what one rater said, to go back to whoever made the sheet; raises as ``export_sheet``."""
        content = self._store.load_sheet(sheet_id)
        write_ratings(content, self._find_rater(rater_id), path, overwrite=overwrite)

    def import_file(self, path: Path) -> Imported:
        """Take in a sheet or ratings; the same file twice changes nothing.

        Raise what ``rating_files.read_file`` and ``bind_ratings`` raise, and StorydeskError(RATING_SHEET_UNKNOWN).
        """
        found = read_file(path)
        if isinstance(found, SheetFile):
            return self._import_sheet(found, path)
        return self._import_ratings(found, path)

    def _import_sheet(self, found: SheetFile, path: Path) -> Imported:
        known = self._store.find_sheet(found.sheet.key)
        if known is not None:
            content = self._store.load_sheet(known.id)
            if checksum_sheet(content.sheet.criteria, content.items) != found.sheet.checksum:
                raise StorydeskError(FailureCode.RATING_FILE_CHANGED, path=str(path))
            if known.in_trash:
                known = self._change(replace(known, in_trash=False))
            return Imported(known, None, 0)
        sheet = replace(found.sheet, created=time.time(), name=found.sheet.name or path.stem)
        return Imported(self._store.add_sheet(sheet, found.items), None, len(found.items))

    def _import_ratings(self, found: RatingsFile, path: Path) -> Imported:
        sheet = self._store.find_sheet(found.sheet_key)
        if sheet is None:
            raise StorydeskError(FailureCode.RATING_SHEET_UNKNOWN, path=str(path))
        content = self._store.load_sheet(sheet.id)
        known = next((each for each in self._store.list_raters() if each.key == found.rater.key), None)
        bind_ratings(found, content, known or found.rater, path)  # refuses before anything is kept
        rater = known or self._store.keep_rater(replace(found.rater, name=self._free_name(found.rater.name)))
        fresh = bind_ratings(found, content, rater, path)
        if fresh.ratings or fresh.choices:
            self._store.add_opinions(fresh.ratings, fresh.choices)
        return Imported(sheet, rater, len(fresh.ratings) + len(fresh.choices))

    def _free_name(self, wanted: str) -> str:
        """Return a name that no other rater has, so that two of one name stay apart."""
        taken = {rater.name.casefold() for rater in self._store.list_raters()}
        number, name = 1, wanted
        while name.casefold() in taken:
            number += 1
            name = f"{wanted} ({number})"
        return name

    def _add(self, name: str, items: Sequence[SheetItem], criteria: tuple[Criterion, ...], seed: int) -> Sheet:
        if not items or len(items) > MOST_ITEMS:
            raise StorydeskError(FailureCode.SHEET_EMPTY)
        sheet = Sheet(0, uuid.uuid4().hex, tidy_name(name) or time.strftime("%Y-%m-%d"), criteria, seed, time.time())
        return self._store.add_sheet(sheet, items)

    def _change(self, sheet: Sheet) -> Sheet:
        self._store.change_sheet(sheet)
        return sheet

    def _open_item(self, sheet_id: int, item_id: int) -> tuple[Sheet, SheetItem]:
        sheet, item = self._store.find_item(sheet_id, item_id)
        if sheet.revealed:
            raise StorydeskError(FailureCode.SHEET_REVEALED, name=sheet.name)
        return sheet, item

    def _find_rater(self, rater_id: int) -> Rater:
        for rater in self._store.list_raters():
            if rater.id == rater_id:
                return rater
        raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name="for that rater")


def _usable(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries that hold something to read, none of them endless."""
    return [entry for entry in entries if entry.text.strip() and len(entry.text) <= MOST_CHARACTERS]

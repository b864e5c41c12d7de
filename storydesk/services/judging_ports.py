"""What judging by people needs from the library. Any thread; each method is one transaction, on disk at its end."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from storydesk.domain.judging import ItemChoice, Rater, Rating, Sheet, SheetContent, SheetItem


class JudgingStore(Protocol):
    """Sheets, raters, and what they said; raises StorydeskError for what is expected to go wrong."""

    def add_sheet(self, sheet: Sheet, items: Sequence[SheetItem]) -> Sheet:
        """Keep a new sheet with its items and return it with its number; one with that key is returned as it is."""

    def list_sheets(self) -> Sequence[Sheet]:
        """Return all sheets, those in the trash too, the newest first."""

    def find_sheet(self, key: str) -> Sheet | None:
        """Return the sheet with a key."""

    def load_sheet(self, sheet_id: int) -> SheetContent:
        """Return a sheet with everything; raise StorydeskError(SHEET_NOT_FOUND)."""

    def find_item(self, sheet_id: int, item_id: int) -> tuple[Sheet, SheetItem]:
        """Return one item and its sheet; raise StorydeskError(SHEET_NOT_FOUND) where it is not on that sheet."""

    def change_sheet(self, sheet: Sheet) -> None:
        """Keep a sheet's name, its trash mark and when it was revealed; raise StorydeskError(SHEET_NOT_FOUND)."""

    def delete_sheet(self, sheet_id: int) -> None:
        """Delete a sheet that is in the trash, for good, with all that was said; another one stays."""

    def count_items(self, sheet_id: int) -> int:
        """Return how many items a sheet has."""

    def count_done(self, sheet_id: int) -> Sequence[tuple[Rater, int]]:
        """Return who said something about a sheet, and how many of its items each has finished."""

    def list_raters(self) -> Sequence[Rater]:
        """Return all raters, the first one first."""

    def keep_rater(self, rater: Rater) -> Rater:
        """Add a rater, or change the name of the one with this key; return it with its number."""

    def add_opinions(self, ratings: Iterable[Rating], choices: Iterable[ItemChoice] = ()) -> None:
        """Keep what was said, all or nothing; raise StorydeskError(SHEET_NOT_FOUND) without item or rater."""

    def list_left_out(self) -> Collection[str]:
        """Return the keys of feedback that no model is to learn from."""

    def leave_out(self, keys: Iterable[str], *, undo: bool = False) -> None:
        """Leave feedback out, or take it in again."""

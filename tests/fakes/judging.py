"""Rating sheets in lists."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judging import ItemChoice, Rater, Rating, Sheet, SheetContent, SheetItem


class FakeJudging:
    """A JudgingStore in memory."""

    def __init__(self) -> None:
        self.sheets: dict[int, Sheet] = {}
        self.items: dict[int, tuple[SheetItem, ...]] = {}
        self.raters: list[Rater] = []
        self.ratings: list[Rating] = []
        self.choices: list[ItemChoice] = []
        self.left_out: set[str] = set()

    def add_sheet(self, sheet: Sheet, items: Sequence[SheetItem]) -> Sheet:
        known = self.find_sheet(sheet.key)
        if known is not None:
            return known
        kept = dataclasses.replace(sheet, id=len(self.sheets) + 1)
        first = sum(map(len, self.items.values())) + 1
        self.sheets[kept.id] = kept
        self.items[kept.id] = tuple(dataclasses.replace(item, id=first + place) for place, item in enumerate(items))
        return kept

    def list_sheets(self) -> Sequence[Sheet]:
        return list(reversed(self.sheets.values()))

    def find_sheet(self, key: str) -> Sheet | None:
        return next((sheet for sheet in self.sheets.values() if sheet.key == key), None)

    def load_sheet(self, sheet_id: int) -> SheetContent:
        if sheet_id not in self.sheets:
            raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name=str(sheet_id))
        items = self.items[sheet_id]
        own = {item.id for item in items}
        ratings = {(r.item_id, r.rater_id, r.criterion): r for r in self.ratings if r.item_id in own}
        choices = {(c.item_id, c.rater_id): c for c in self.choices if c.item_id in own}
        return SheetContent(self.sheets[sheet_id], items, tuple(ratings.values()), tuple(choices.values()))

    def find_item(self, sheet_id: int, item_id: int) -> tuple[Sheet, SheetItem]:
        content = self.load_sheet(sheet_id)
        for item in content.items:
            if item.id == item_id:
                return content.sheet, item
        raise StorydeskError(FailureCode.SHEET_NOT_FOUND, name=str(sheet_id))

    def change_sheet(self, sheet: Sheet) -> None:
        self.load_sheet(sheet.id)
        self.sheets[sheet.id] = sheet

    def delete_sheet(self, sheet_id: int) -> None:
        if sheet_id in self.sheets and self.sheets[sheet_id].in_trash:
            del self.sheets[sheet_id], self.items[sheet_id]

    def count_items(self, sheet_id: int) -> int:
        return len(self.items.get(sheet_id, ()))

    def count_done(self, sheet_id: int) -> Sequence[tuple[Rater, int]]:
        content = self.load_sheet(sheet_id)
        asked = max(1, len(content.sheet.criteria))
        said = Counter((r.rater_id, r.item_id) for r in content.ratings if r.value is not None)
        said.update((c.rater_id, c.item_id) for c in content.choices if c.choice is not None)
        return [
            (rater, sum(count >= asked for (who, _), count in said.items() if who == rater.id))
            for rater in self.raters
            if any(who == rater.id for who, _ in said)
        ]

    def list_raters(self) -> Sequence[Rater]:
        return self.raters

    def keep_rater(self, rater: Rater) -> Rater:
        for place, known in enumerate(self.raters):
            if known.key == rater.key:
                self.raters[place] = dataclasses.replace(known, name=rater.name)
                return self.raters[place]
        self.raters.append(dataclasses.replace(rater, id=len(self.raters) + 1))
        return self.raters[-1]

    def add_opinions(self, ratings: Iterable[Rating], choices: Iterable[ItemChoice] = ()) -> None:
        self.ratings += ratings
        self.choices += choices

    def list_left_out(self) -> Collection[str]:
        return frozenset(self.left_out)

    def leave_out(self, keys: Iterable[str], *, undo: bool = False) -> None:
        if undo:
            self.left_out -= set(keys)
        else:
            self.left_out |= set(keys)

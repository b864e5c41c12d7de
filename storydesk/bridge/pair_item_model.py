"""The pairs of a dataset as Qt shows them: a table that stays quick with a hundred thousand rows."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from storydesk.domain.dataset import DatasetView, PairCard, PromptOrigin

Index = QModelIndex | QPersistentModelIndex

PAIR: Final = int(Qt.ItemDataRole.UserRole) + 1
"""The PairCard of a row."""
TEXT, ORIGIN, WORDS = range(3)
MOST_LETTERS: Final = 200
"""Of a prompt or an opening that is shown in a row; a prompt can be as long as its author likes."""


# Made once: when all is selected Qt asks every row.
_PLAIN: Final = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemNeverHasChildren
_TICKED: Final = _PLAIN | Qt.ItemFlag.ItemIsUserCheckable


class PairChoice(StrEnum):
    """Which pairs a list shows."""

    ALL = "all"
    LEFT_OUT = "left_out"
    CHANGED = "changed"
    MADE = "made"  # the prompt was made of title or opening, or there is none
    FOUND = "found"  # those of one finding


@dataclass(frozen=True, slots=True)
class PairWords:
    """What the table says in the reader's language; the window fills it in."""

    headings: tuple[str, str, str]
    no_prompt: str
    say_origin: Callable[[PromptOrigin], str]
    say_number: Callable[[int], str]
    say_row: Callable[[PairCard], str]
    """A whole row for a screen reader."""


class PairItemModel(QAbstractTableModel):
    """Pairs of one DatasetView, those that are searched for. GUI thread.

    What the writer has just left out stays where it is in the list until something else is searched for, so that
    nothing moves away under the keys.
    """

    leaving_wanted = Signal(object, bool)
    """Ids of pairs, and whether they are to be left out (else taken back)."""

    def __init__(self, words: PairWords, parent: QObject | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._words = words
        self._view: DatasetView | None = None
        self._rows: list[int] = []
        self._places: dict[int, int] = {}
        self._choice = PairChoice.ALL
        self._sought = ""
        self._found: frozenset[str] = frozenset()
        self._stay: set[str] = set()
        self._folded: list[str] = []

    @property
    def view(self) -> DatasetView | None:
        """What is shown; None before anything was."""
        return self._view

    @property
    def total(self) -> int:
        """How many pairs there are, shown or not."""
        return len(self._view.pairs) if self._view is not None else 0

    def show_view(self, view: DatasetView | None) -> None:
        """Show a dataset as it stands now; rows that are the same stay where they are."""
        before, self._view = self._view, view
        same = before is not None and view is not None and _same_ids(before, view)
        if not same:
            self._stay.clear()
        old = before.pairs if before is not None else ()
        new = view.pairs if view is not None else ()
        changed = [place for place, pair in enumerate(new) if not same or pair != old[place]]
        if same:
            for place in changed:
                self._folded[place] = _fold(new[place])
        else:
            self._folded = [_fold(pair) for pair in new]
        rows = self._choose_rows()
        if same and rows == self._rows:
            self._tell_changed(changed)
        else:
            self._put(rows)

    def search(self, words: str, choice: PairChoice = PairChoice.ALL, found: Collection[str] = ()) -> None:
        """Show the pairs with these words in title, prompt or opening; ``found`` are the ids of a finding."""
        self._sought, self._choice, self._found = words.strip().casefold(), choice, frozenset(found)
        self._stay.clear()
        self._put(self._choose_rows())

    def keep_in_place(self, pairs: Collection[str]) -> None:
        """Go on showing these pairs though what is done to them next may put them out of the search."""
        self._stay.update(pairs)

    def card(self, row: int) -> PairCard | None:
        """Return the pair of a row, None beyond the last."""
        if self._view is None or not 0 <= row < len(self._rows):
            return None
        return self._view.pairs[self._rows[row]]

    def row_of(self, pair: str) -> int:
        """Return the row of a pair, -1 where it is not shown."""
        place = self._view.places.get(pair, -1) if self._view is not None else -1
        return self._places.get(place, -1)

    def ids(self, rows: Sequence[int]) -> tuple[str, ...]:
        """Return the ids of the pairs in these rows."""
        cards = (self.card(row) for row in rows)
        return tuple(card.id for card in cards if card is not None)

    # As Qt asks

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return how many pairs are shown."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        """Return 3: text, where the prompt came from, words."""
        return 0 if parent.isValid() else 3

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let every row be ticked."""
        return _TICKED if index.column() == TEXT else _PLAIN

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        """Name the columns."""
        if orientation is Qt.Orientation.Horizontal and 0 <= section < 3:
            if role == Qt.ItemDataRole.DisplayRole:
                return self._words.headings[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                side = Qt.AlignmentFlag.AlignTrailing if section == WORDS else Qt.AlignmentFlag.AlignLeading
                return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        """Return what a cell shows; the tick says that a pair is learned from."""
        card = self.card(index.row())
        if card is None:
            return None
        if role == PAIR:
            return card
        if role == Qt.ItemDataRole.DisplayRole:
            return self._say_cell(card, index.column())
        if role == Qt.ItemDataRole.CheckStateRole and index.column() == TEXT:
            return Qt.CheckState.Unchecked if card.left_out else Qt.CheckState.Checked
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignTrailing if index.column() == WORDS else Qt.AlignmentFlag.AlignLeading
            return side | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.AccessibleTextRole and index.column() == TEXT:
            return self._words.say_row(card)
        if role == Qt.ItemDataRole.ToolTipRole:
            return shorten(card.prompt or card.title or card.opening, 3 * MOST_LETTERS)
        return None

    def setData(self, index: Index, value: Any, role: int = int(Qt.ItemDataRole.EditRole)) -> bool:
        """Wish a pair left out or taken back; the row changes when that is on disk."""
        card = self.card(index.row())
        if card is None or role != Qt.ItemDataRole.CheckStateRole:
            return False
        self.leaving_wanted.emit((card.id,), Qt.CheckState(value) is Qt.CheckState.Unchecked)
        return True

    # What is shown

    def _say_cell(self, card: PairCard, column: int) -> str:
        if column == WORDS:
            return self._words.say_number(card.words)
        if column == ORIGIN:
            return self._words.say_origin(card.prompt_from)
        return shorten(card.prompt or card.title or card.opening) or self._words.no_prompt

    def _choose_rows(self) -> list[int]:
        if self._view is None:
            return []
        pairs, sought, folded = self._view.pairs, self._sought, self._folded
        if self._choice is PairChoice.ALL and not sought:
            return list(range(len(pairs)))
        fits = self._fitting()
        return [
            place
            for place, pair in enumerate(pairs)
            if pair.id in self._stay or (fits(pair) and (not sought or sought in folded[place]))
        ]

    def _fitting(self) -> Callable[[PairCard], bool]:
        choices: dict[PairChoice, Callable[[PairCard], bool]] = {
            PairChoice.ALL: lambda _: True,
            PairChoice.LEFT_OUT: lambda pair: pair.left_out,
            PairChoice.CHANGED: lambda pair: pair.edited,
            PairChoice.MADE: lambda pair: pair.prompt_from in MADE,
            PairChoice.FOUND: lambda pair: pair.id in self._found,
        }
        return choices[self._choice]

    def _put(self, rows: list[int]) -> None:
        self.beginResetModel()
        self._rows = rows
        self._places = {place: row for row, place in enumerate(rows)}
        self.endResetModel()

    def _tell_changed(self, places: Sequence[int]) -> None:
        rows = sorted(self._places[place] for place in places if place in self._places)
        if rows:
            self.dataChanged.emit(self.index(rows[0], 0), self.index(rows[-1], WORDS))


MADE: Final = frozenset({PromptOrigin.TITLE, PromptOrigin.OPENING, PromptOrigin.NONE})
"""Prompts that nobody wrote as such."""


def shorten(text: str, most: int = MOST_LETTERS) -> str:
    """Return a text as one line of at most ``most`` letters."""
    line = " ".join(text[: 2 * most].split())
    return line if len(line) <= most else line[: most - 1] + "…"


def _fold(pair: PairCard) -> str:
    return f"{pair.title}\n{pair.prompt}\n{pair.opening}".casefold()


def _same_ids(before: DatasetView, after: DatasetView) -> bool:
    if before.card.id != after.card.id or len(before.pairs) != len(after.pairs):
        return False
    return all(one is other or one.id == other.id for one, other in zip(before.pairs, after.pairs, strict=True))

"""Judging by people: sheets of texts to rate or to choose between, blind, and what raters said about them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from storydesk.domain.manuscript import count_words

LEAST, MOST = 1, 5
"""The ends of the scale; each point of it has an anchor in words (resources/i18n)."""
MOST_ITEMS = 5000
MOST_CHARACTERS = 400_000
"""Of one text; a sheet is for reading, so a whole novel is none of its items."""
LONGEST_NAME = 80
LONGEST_WHY = 2000


class Criterion(StrEnum):
    """What a text is rated for."""

    ACCURACY = "accuracy"
    COHERENCE = "coherence"
    CREATIVITY = "creativity"
    RELEVANCE = "relevance"
    EMPATHY = "empathy"
    SURPRISE = "surprise"
    ENGAGEMENT = "engagement"
    COMPLEXITY = "complexity"
    GRAMMAR = "grammar"
    OVERALL = "overall"


SHORT = (Criterion.ACCURACY, Criterion.COHERENCE, Criterion.CREATIVITY, Criterion.RELEVANCE, Criterion.OVERALL)
"""What a short sheet asks."""


class ContenderKind(StrEnum):
    """What competes."""

    MODEL = "model"
    DRAFT = "draft"
    SETTINGS = "settings"
    PERSON = "person"


class Side(StrEnum):
    """What a rater chose, by where it stood on the screen."""

    LEFT = "left"
    RIGHT = "right"
    NEITHER = "neither"


class Choice(StrEnum):
    """What a rater chose, by how the item is kept."""

    FIRST = "first"
    SECOND = "second"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class CriterionGuide:
    """A criterion in words: its name, the question it asks, and an anchor for each point from LEAST to MOST."""

    criterion: Criterion
    name: str
    question: str
    anchors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A text that competes for ``contender``, the name of a model, a draft or a setting; raters never see that name.

    ``made_by`` is JSON that says how it came to be (seed, settings), ``contender`` empty where nobody here knows.
    """

    prompt: str
    text: str
    contender: str = ""
    kind: ContenderKind = ContenderKind.MODEL
    made_by: str = ""


@dataclass(frozen=True, slots=True)
class SheetItem:
    """One text to rate, or two of one prompt to choose between; an ``id`` of 0 is not stored yet.

    ``key`` is the same in every copy of the sheet.
    """

    id: int
    key: str
    first: Entry
    second: Entry | None = None

    @property
    def prompt(self) -> str:
        """What both texts answer."""
        return self.first.prompt

    @property
    def is_pair(self) -> bool:
        """Whether it asks for a choice."""
        return self.second is not None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """One text or both."""
        return (self.first,) if self.second is None else (self.first, self.second)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is asked of raters; times are seconds since 1970.

    ``is_guest`` says that it came from somebody else, so that nobody here knows who wrote what. ``revealed`` is when
    that was shown, 0 before; from then on nobody here rates it any more.
    """

    id: int
    key: str
    name: str
    criteria: tuple[Criterion, ...]
    seed: int
    created: float
    is_guest: bool = False
    revealed: float = 0.0
    in_trash: bool = False
    checksum: str = ""


@dataclass(frozen=True, slots=True)
class Rater:
    """Somebody who rates, known by ``key`` in every library; ``is_guest`` where the ratings came in a file."""

    id: int
    key: str
    name: str
    is_guest: bool = False


@dataclass(frozen=True, slots=True)
class Rating:
    """One point of the scale; a ``value`` of None takes back what was said before."""

    item_id: int
    rater_id: int
    criterion: Criterion
    value: int | None
    created: float


@dataclass(frozen=True, slots=True)
class ItemChoice:
    """One choice between two texts; None takes it back. ``why`` is in the rater's words."""

    item_id: int
    rater_id: int
    choice: Choice | None
    why: str
    created: float


@dataclass(frozen=True, slots=True)
class BlindItem:
    """An item as a rater sees it: its place in the rater's own order, no names, sides by chance.

    ``texts`` holds one text or the left and the right one. ``ratings``, ``side`` and ``why`` are what this rater said
    so far.
    """

    item_id: int
    place: int
    prompt: str
    texts: tuple[str, ...]
    ratings: Mapping[Criterion, int] = field(default_factory=dict)
    side: Side | None = None
    why: str = ""

    @property
    def is_pair(self) -> bool:
        """Whether it asks for a choice."""
        return len(self.texts) == 2

    def is_done(self, criteria: Sequence[Criterion]) -> bool:
        """Whether this rater has said all that the sheet asks about it."""
        if self.is_pair:
            return self.side is not None
        return all(criterion in self.ratings for criterion in criteria)


@dataclass(frozen=True, slots=True)
class Seat:
    """A rater before a sheet: all items in this rater's order, with what was said so far."""

    sheet: Sheet
    rater: Rater
    items: tuple[BlindItem, ...]

    @property
    def done(self) -> int:
        """How many items are finished."""
        return sum(item.is_done(self.sheet.criteria) for item in self.items)

    @property
    def next_open(self) -> int | None:
        """The place of the first item that is not finished, None after the last."""
        return next((item.place for item in self.items if not item.is_done(self.sheet.criteria)), None)


@dataclass(frozen=True, slots=True)
class SheetContent:
    """A sheet with its items and all that was said about them; of each rater only what was said last."""

    sheet: Sheet
    items: tuple[SheetItem, ...]
    ratings: tuple[Rating, ...] = ()
    choices: tuple[ItemChoice, ...] = ()


def make_items(entries: Sequence[Entry], seed: int) -> list[SheetItem]:
    """Return an item to rate for each text, in an order by chance."""
    items = [SheetItem(0, _make_key(seed, place, entry), entry) for place, entry in enumerate(entries)]
    return sorted(items, key=lambda item: _draw(seed, "order", item.key))


def make_pairs(entries: Sequence[Entry], seed: int, most: int = 0) -> list[SheetItem]:
    """Return pairs of texts of one prompt and different contenders, in an order and with sides by chance.

    The second text of a contender on a prompt meets the second of another, and so on. With more than ``most`` (0 for
    no limit) the pairs that stay are those whose contenders have met least.
    """
    by_prompt: dict[str, dict[str, list[Entry]]] = {}
    for entry in entries:
        by_prompt.setdefault(entry.prompt, {}).setdefault(entry.contender, []).append(entry)
    pairs = []
    for contenders in by_prompt.values():
        names = sorted(contenders)
        for place, name in enumerate(names):
            for other in names[place + 1 :]:
                pairs += list(zip(contenders[name], contenders[other], strict=False))
    items = []
    for number, (one, two) in enumerate(pairs):
        key = _make_key(seed, number, one, two)
        first, second = (two, one) if _draw(seed, "side", key) & 1 else (one, two)
        items.append(SheetItem(0, key, first, second))
    items.sort(key=lambda item: _draw(seed, "order", item.key))
    return items if not most or len(items) <= most else _choose_even(items, most)


def seat(
    sheet: Sheet,
    rater: Rater,
    items: Iterable[SheetItem],
    ratings: Iterable[Rating] = (),
    choices: Iterable[ItemChoice] = (),
) -> Seat:
    """Return a rater's own view of a sheet; the same sheet and rater always give the same order and sides."""
    said: dict[int, dict[Criterion, int]] = {}
    for rating in ratings:
        if rating.rater_id == rater.id and rating.value is not None:
            said.setdefault(rating.item_id, {})[rating.criterion] = rating.value
    chosen = {each.item_id: each for each in choices if each.rater_id == rater.id and each.choice is not None}
    ordered = sorted(items, key=lambda item: _draw(sheet.seed, f"order of {rater.key}", item.key))
    blind = []
    for place, item in enumerate(ordered):
        texts = tuple(entry.text for entry in item.entries)
        own = chosen.get(item.id)
        side = None if own is None or own.choice is None else show_side(own.choice, sheet, rater, item)
        if is_turned(sheet, rater, item):
            texts = texts[::-1]
        why = own.why if own is not None else ""
        blind.append(BlindItem(item.id, place, item.prompt, texts, said.get(item.id, {}), side, why))
    return Seat(sheet, rater, tuple(blind))


def is_turned(sheet: Sheet, rater: Rater, item: SheetItem) -> bool:
    """Return whether a rater sees the second text of an item on the left."""
    return item.is_pair and bool(_draw(sheet.seed, f"sides of {rater.key}", item.key) & 1)


def show_side(choice: Choice, sheet: Sheet, rater: Rater, item: SheetItem) -> Side:
    """Return on which side a rater sees what was chosen."""
    if choice is Choice.NEITHER:
        return Side.NEITHER
    return Side.LEFT if (choice is Choice.FIRST) != is_turned(sheet, rater, item) else Side.RIGHT


def read_side(side: Side, sheet: Sheet, rater: Rater, item: SheetItem) -> Choice:
    """Return what a rater chose by pointing at a side."""
    if side is Side.NEITHER:
        return Choice.NEITHER
    return Choice.FIRST if (side is Side.LEFT) != is_turned(sheet, rater, item) else Choice.SECOND


def tidy_name(name: str) -> str:
    """Return a name on one line, without spaces around it and not too long."""
    return " ".join(name.split())[:LONGEST_NAME].strip()


def fingerprint(prompt: str, text: str) -> str:
    """Return what a text is known by wherever it comes up: as an entry, a story, a line of a report."""
    plain = f"{' '.join(prompt.split())}\0{' '.join(text.split())}"
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def count_sheet_words(items: Iterable[SheetItem]) -> int:
    """Return how many words there are to read."""
    return sum(count_words(entry.text) for item in items for entry in item.entries)


def _choose_even(items: Sequence[SheetItem], most: int) -> list[SheetItem]:
    """Return so many pairs that every two contenders meet about as often, in the order that they have."""
    turns: dict[frozenset[str], int] = {}
    turn_of = {}
    for item in items:
        two = frozenset(entry.contender for entry in item.entries)
        turn_of[item.key] = turns[two] = turns.get(two, 0) + 1
    kept = {item.key for item in sorted(items, key=lambda each: turn_of[each.key])[:most]}
    return [item for item in items if item.key in kept]


def _make_key(seed: int, place: int, *entries: Entry) -> str:
    parts = "\0".join(part for entry in entries for part in (entry.contender, entry.prompt, entry.text))
    return hashlib.sha256(f"{seed}/{place}/{parts}".encode("utf-8", "replace")).hexdigest()[:24]


def _draw(seed: int, what: str, key: str) -> int:
    """Return a number by chance that is the same on every machine and in every version of Python."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{what}/{key}".encode("utf-8", "replace")).digest()[:8])

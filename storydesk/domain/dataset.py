"""A dataset as the writer sees it: where its pairs come from, what was found, what is wrong with them, what was kept.

A pair is one story with the prompt that it answers. What the writer does to pairs is a log of edits; a dataset's state
is what was found with the edits that hold. A version is the text as it stood when it was kept, under its fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from storydesk.domain.failures import Failure


class SourceKind(StrEnum):
    """Where text comes from."""

    FILE = "file"
    FOLDER = "folder"
    SAMPLES = "samples"
    LIBRARY = "library"
    HUB = "hub"


@dataclass(frozen=True, slots=True)
class DataSource:
    """One source. ``place`` is a path, or ``owner/name`` on the Hub; ``stories`` are ids in the library."""

    kind: SourceKind
    name: str
    place: str = ""
    stories: tuple[int, ...] = ()


class PromptOrigin(StrEnum):
    """How a pair's prompt was found or made."""

    COLUMN = "column"
    FRONT_MATTER = "front_matter"
    HEADING = "heading"
    LABEL = "label"  # a line that begins with "Prompt:"
    TITLE = "title"  # a title, or a file's name
    OPENING = "opening"  # the story's first sentence
    LIBRARY = "library"
    WRITER = "writer"  # typed here
    NONE = "none"


@dataclass(frozen=True, slots=True)
class GatheredPair:
    """A story that the app has read itself (a rich document, a story of the library) on its way to the trainer."""

    title: str
    prompt: str
    story: str
    source: str
    prompt_from: PromptOrigin


@dataclass(frozen=True, slots=True)
class PairCard:
    """A pair as a list shows it: ``opening`` is the story's beginning, ``words`` counts the whole story."""

    id: str
    title: str
    prompt: str
    opening: str
    words: int
    source: str
    prompt_from: PromptOrigin
    left_out: bool = False
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A whole pair as it stands; ``found_prompt`` and ``found_story`` are what was read, before any edit."""

    card: PairCard
    story: str
    found_prompt: str
    found_story: str


class FindingKind(StrEnum):
    """What the data doctor looks for."""

    EXACT_COPIES = "exact_copies"
    NEAR_COPIES = "near_copies"
    MARKUP = "markup"
    BOILERPLATE = "boilerplate"  # licence headers, lines that many stories share
    REMARKS = "remarks"  # "EDIT: thanks for reading"
    BROKEN_ENCODING = "broken_encoding"
    OTHER_LANGUAGE = "other_language"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LEAKS = "leaks"


class Remedy(StrEnum):
    """What a finding's fix does: mend the texts, leave pairs out, or cut long stories into pairs of their own."""

    MEND = "mend"
    LEAVE_OUT = "leave_out"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class FindingExample:
    """A passage of one pair before and after the fix; ``after`` is empty where the fix leaves the pair out.

    ``other`` is the pair that stays, for copies and leaks.
    """

    pair: str
    before: str
    after: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class DatasetFinding:
    """One finding. ``pairs`` are those that its fix would touch now; ``detail`` is a language's code (``de``) or empty.

    ``found`` counts what the doctor found; where ``pairs`` is empty, nothing is left to fix. ``limit`` is the number of
    words behind too short and too long.
    """

    id: str
    kind: FindingKind
    remedy: Remedy
    pairs: tuple[str, ...]
    found: int
    examples: tuple[FindingExample, ...] = ()
    detail: str = ""
    limit: int = 0

    @property
    def count(self) -> int:
        """Return how many stories it concerns now."""
        return len(self.pairs)

    @property
    def is_settled(self) -> bool:
        """Say whether nothing is left to fix."""
        return not self.pairs


@dataclass(frozen=True, slots=True)
class SplitCheck:
    """How the pairs fall into learned from and held out, and how many held-out stories stand on both sides."""

    training: int
    heldout: int
    leaks: int


class EditKind(StrEnum):
    """What the writer can do to pairs."""

    CHANGE = "change"
    LEAVE_OUT = "leave_out"
    TAKE_BACK = "take_back"
    FIX = "fix"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class DatasetEdit:
    """One act: ``prompt`` and ``story`` belong to CHANGE, ``finding`` to FIX; UNDO takes the newest act that holds."""

    kind: EditKind
    pairs: tuple[str, ...] = ()
    prompt: str = ""
    story: str = ""
    finding: str = ""


@dataclass(frozen=True, slots=True)
class DatasetVersion:
    """A text that was kept: when (ISO 8601, UTC), how much, under which fingerprint and after how many edits."""

    fingerprint: str
    kept_at: str
    pairs: int
    words: int
    edits: int
    sources: tuple[str, ...]
    folder: Path


@dataclass(frozen=True, slots=True)
class DatasetCard:
    """A dataset in a list; ``is_read`` says whether its sources were read to the end."""

    id: str
    name: str
    created: str
    sources: tuple[DataSource, ...]
    folder: Path
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class DatasetProgress:
    """How far a job is: ``gathering``, ``reading``, ``examining`` or ``keeping``; ``total`` is 0 where nobody knows.

    ``place`` is what is read now: a file's name, a data set's.
    """

    step: str
    done: int
    total: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class DatasetView:
    """A dataset with its edits as they hold now; immutable, any thread.

    ``undoable`` is the newest act that can be undone, None without one. ``unread`` says which files could not be used
    and why. ``is_stale`` says that texts were changed since the doctor looked.
    """

    card: DatasetCard
    pairs: tuple[PairCard, ...]
    findings: tuple[DatasetFinding, ...] = ()
    unread: tuple[Failure, ...] = ()
    split: SplitCheck | None = None
    undoable: EditKind | None = None
    edits: int = 0
    is_stale: bool = False
    places: Mapping[str, int] = field(default_factory=dict, repr=False, compare=False)
    """Where each pair stands in ``pairs``, by id."""

    @property
    def can_undo(self) -> bool:
        """Say whether there is an act to undo."""
        return self.undoable is not None

    @property
    def kept(self) -> tuple[PairCard, ...]:
        """Return the pairs that are not left out."""
        return tuple(pair for pair in self.pairs if not pair.left_out)

    @property
    def words(self) -> int:
        """Return the words of the pairs that are not left out."""
        return sum(pair.words for pair in self.pairs if not pair.left_out)

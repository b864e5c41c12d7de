"""What the library is asked for besides its stories: passages that hold words, backups, archives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from storydesk.domain.manuscript import Story


@dataclass(frozen=True, slots=True)
class Passage:
    """A place in a draft where searched words stand.

    ``start`` and ``end`` (code points) bound the first word found there in the draft's text; ``preview`` is a stretch
    of one line around it, and ``marks`` are the words' places in the preview.
    """

    draft_id: int
    draft: str
    start: int
    end: int
    preview: str
    marks: tuple[tuple[int, int], ...]
    chapter: str = ""


@dataclass(frozen=True, slots=True)
class FoundStory:
    """A story that holds every word; without passages where only its card does. ``more`` counts what isn't shown."""

    story: Story
    passages: tuple[Passage, ...] = ()
    more: int = 0


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The stories found for a query, those of the trash last."""

    words: str
    stories: tuple[FoundStory, ...] = ()


class BackupReason(StrEnum):
    """Why a backup was made."""

    DAY = "day"
    MIGRATION = "migration"
    RESTORE = "restore"
    HAND = "hand"


@dataclass(frozen=True, slots=True)
class BackupFile:
    """A copy of the library; ``taken`` is in seconds since 1970, ``size`` in bytes."""

    path: Path
    taken: float
    size: int
    reason: BackupReason


@dataclass(frozen=True, slots=True)
class BackupStory:
    """A story inside a backup, with the words of its newest draft."""

    story: Story
    drafts: int
    words: int
    beginning: str


@dataclass(frozen=True, slots=True)
class BackupContent:
    """What is in a backup that passed its check."""

    stories: tuple[BackupStory, ...]


@dataclass(frozen=True, slots=True)
class ArchiveContent:
    """How much an archive of the library holds."""

    stories: int
    drafts: int

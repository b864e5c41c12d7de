"""What the library's own use cases need from the outside: the shelf's outline, search, backups, archives.

Every port raises StorydeskError for what is expected to go wrong; any thread may call it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from storydesk.domain.library import ArchiveContent, BackupContent, BackupFile, SearchResult
from storydesk.domain.outline import KeptPart, StoryDetails
from storydesk.services.ports import IsCancelled, Progress


class OutlineStore(Protocol):
    """What is kept of stories and their parts besides the text."""

    def read_details(self) -> Mapping[int, StoryDetails]:
        """Return the details of every story, by its id."""

    def write_details(self, story_id: int, details: StoryDetails) -> None:
        """Keep a story's details, its words aside; raise StorydeskError(STORY_NOT_FOUND)."""

    def place_stories(self, order: Sequence[int]) -> None:
        """Let these stories stand in this order; what is not among them stands before, newest first."""

    def read_parts(self, story_id: int) -> Sequence[KeptPart]:
        """Return what is kept of a story's parts, in order, those that wait for their title last."""

    def write_parts(self, story_id: int, parts: Sequence[KeptPart]) -> None:
        """Keep this of a story's parts and nothing else; raise StorydeskError(STORY_NOT_FOUND)."""


class SearchStore(Protocol):
    """Finds words in every draft, also while another thread saves."""

    def search(self, words: str, is_cancelled: IsCancelled | None = None) -> SearchResult:
        """Return where stories hold all the words; any query will do; raise StorydeskError(CANCELLED)."""


class BackupStore(Protocol):
    """Dated copies of the library, and the library as one file."""

    def list_backups(self) -> Sequence[BackupFile]:
        """Return the backups, newest first."""

    def back_up(self, reason: str) -> BackupFile | None:
        """Copy the library now; None where there is no story to keep; raise DISK_FULL, NOT_WRITABLE."""

    def look_inside(self, backup: Path) -> BackupContent:
        """Check a backup and return what is in it; raise LIBRARY_DAMAGED, LIBRARY_TOO_NEW, FILE_NOT_FOUND."""

    def restore_library(self, backup: Path) -> None:
        """Bring the whole library back as it was, after a copy of it as it is; one step, done or not done."""

    def restore_story(self, backup: Path, story_id: int, title: str) -> int:
        """Add one story of a backup, with all that belongs to it, under this title; return its new number."""

    def export_library(
        self, path: Path, *, overwrite: bool = False, progress: Progress | None = None
    ) -> ArchiveContent:
        """Write the library as one zip archive; raise FILE_EXISTS, DISK_FULL, NOT_WRITABLE."""

    def import_library(self, path: Path) -> ArchiveContent:
        """Add every story of an archive as a new one; raise FILE_DAMAGED, FILE_TOO_LARGE, FORMAT_UNKNOWN."""

    def check_library(self) -> Sequence[str]:
        """Return what SQLite finds wrong with the library; nothing where it is whole."""

"""In-memory stand-ins for what the library does besides keeping stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.library import ArchiveContent, BackupContent, BackupFile, SearchResult
from storydesk.domain.outline import KeptPart, StoryDetails
from storydesk.services.ports import IsCancelled, Progress


class FakeOutline:
    """Details in dictionaries."""

    def __init__(self) -> None:
        self.details: dict[int, StoryDetails] = {}
        self.parts: dict[int, Sequence[KeptPart]] = {}
        self.order: Sequence[int] = ()

    def read_details(self) -> Mapping[int, StoryDetails]:
        return self.details

    def write_details(self, story_id: int, details: StoryDetails) -> None:
        self.details[story_id] = details

    def place_stories(self, order: Sequence[int]) -> None:
        self.order = order

    def read_parts(self, story_id: int) -> Sequence[KeptPart]:
        return self.parts.get(story_id, ())

    def write_parts(self, story_id: int, parts: Sequence[KeptPart]) -> None:
        self.parts[story_id] = parts


class FakeSearch:
    """Finds nothing."""

    def search(self, words: str, is_cancelled: IsCancelled | None = None) -> SearchResult:
        return SearchResult(words)


class FakeBackups:
    """A shelf without backups."""

    def list_backups(self) -> Sequence[BackupFile]:
        return ()

    def back_up(self, reason: str) -> BackupFile | None:
        return None

    def look_inside(self, backup: Path) -> BackupContent:
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(backup))

    def restore_library(self, backup: Path) -> None:
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(backup))

    def restore_story(self, backup: Path, story_id: int, title: str) -> int:
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(backup))

    def export_library(
        self, path: Path, *, overwrite: bool = False, progress: Progress | None = None
    ) -> ArchiveContent:
        return ArchiveContent(0, 0)

    def import_library(self, path: Path) -> ArchiveContent:
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(path))

    def check_library(self) -> Sequence[str]:
        return ()

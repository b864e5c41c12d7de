"""Stories out as documents, and texts in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.manuscript import Story
from storydesk.services.ports import DocumentReader, DocumentWriter


class PublishingService:
    """Writes and reads documents. Any thread; huge books take seconds, so not the GUI's."""

    def __init__(self, writer: DocumentWriter, reader: DocumentReader) -> None:
        """Use these formats."""
        self._writer = writer
        self._reader = reader

    @property
    def formats(self) -> Sequence[str]:
        """What can be written, by suffix without the dot."""
        return self._writer.formats

    @property
    def readable_formats(self) -> Sequence[str]:
        """What can be read, by suffix without the dot."""
        return self._reader.formats

    def export(self, story: Story, text: str, form: str, path: Path, *, overwrite: bool = False) -> Path:
        """Write a story as a document and return where it is; raise what the DocumentWriter raises, or TEXT_EMPTY."""
        if form not in self._writer.formats:
            known = ", ".join(self._writer.formats)
            raise StorydeskError(FailureCode.FORMAT_UNKNOWN, format=form, known=known)
        if not text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        self._writer.write(story, text, form, path, overwrite=overwrite)
        return path

    def read(self, path: Path) -> tuple[str, str]:
        """Return title and text of a document."""
        return self._reader.read(path)

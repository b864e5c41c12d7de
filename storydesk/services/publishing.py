"""Stories out as documents, and texts in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from storydesk.domain.book import Book, PublishingProfile, ReadText, dump_profiles, load_profiles
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.manuscript import Story
from storydesk.domain.settings import PUBLISHING_PROFILES
from storydesk.services.ports import DocumentReader, DocumentWriter, SettingsStore


class PublishingService:
    """Writes and reads documents. Any thread; huge books take seconds, so not the GUI's."""

    def __init__(self, writer: DocumentWriter, reader: DocumentReader, settings: SettingsStore | None = None) -> None:
        """Use these formats; profiles are kept in ``settings``."""
        self._writer = writer
        self._reader = reader
        self._settings = settings

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
        self._refuse_unknown(form)
        if not text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        self._writer.write(story, text, form, path, overwrite=overwrite)
        return path

    def export_book(
        self, book: Book, profile: PublishingProfile, form: str, path: Path, *, overwrite: bool = False
    ) -> Sequence[Failure]:
        """Write a book and return what is to be said about it; raise what ``export`` raises."""
        self._refuse_unknown(form)
        if not any(part.text.strip() for part in book.parts):
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        return self._writer.write_book(book, profile, form, path, overwrite=overwrite)

    def preview(self, book: Book, profile: PublishingProfile) -> str:
        """Return the first pages as simple HTML."""
        return self._writer.preview(book, profile)

    def list_profiles(self) -> dict[str, PublishingProfile]:
        """Return the kept profiles by name, the one used last at the end."""
        return load_profiles(self._settings.get(PUBLISHING_PROFILES)) if self._settings is not None else {}

    def find_profile(self, name: str) -> PublishingProfile:
        """Return a kept profile; raise StorydeskError(PROFILE_NOT_FOUND)."""
        profiles = self.list_profiles()
        if name not in profiles:
            known = ", ".join(sorted(profiles)) or "(none is kept yet)"
            raise StorydeskError(FailureCode.PROFILE_NOT_FOUND, name=name, known=known)
        return profiles[name]

    def keep_profile(self, profile: PublishingProfile) -> None:
        """Keep a profile under its name, in place of one that had it."""
        profiles = self.list_profiles()
        profiles.pop(profile.name, None)
        if self._settings is not None:
            self._settings.set(PUBLISHING_PROFILES, dump_profiles({**profiles, profile.name: profile}))

    def read_document(self, path: Path) -> ReadText:
        """Return title, text, author of a document and what was lost on the way."""
        return self._reader.read_document(path)

    def read(self, path: Path) -> tuple[str, str]:
        """Return title and text of a document."""
        return self._reader.read(path)

    def _refuse_unknown(self, form: str) -> None:
        if form not in self._writer.formats:
            known = ", ".join(self._writer.formats)
            raise StorydeskError(FailureCode.FORMAT_UNKNOWN, format=form, known=known)

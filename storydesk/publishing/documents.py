"""Every format behind one door: which writer and which reader a document needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from storydesk.domain.book import Book, PublishingProfile, ReadText, clean_book, make_book
from storydesk.domain.characters import clean_text
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.manuscript import Story
from storydesk.publishing.plain_readers import read_markdown, read_plain
from storydesk.publishing.plain_writers import compose_markdown, compose_plain
from storydesk.publishing.raw_text import read_bytes
from storydesk.services.atomic_file import refuse_existing, write_atomically

FORMATS = ("docx", "odt", "epub", "pdf", "html", "md", "txt")
_MARKDOWN = ("md", "markdown", "mkd")
_MOST_SHOWN = 12
_PAGES = ("html", "htm", "xhtml")
_OTHERS = ("doc", "rtf", "pages", "mobi", "azw", "azw3")
"""Documents that hold more than text and have no reader here; any other file is tried as plain text."""


class Documents:
    """Implements DocumentWriter and DocumentReader for every format. Any thread."""

    @property
    def formats(self) -> Sequence[str]:
        """The formats by file suffix without the dot."""
        return FORMATS

    def write(self, story: Story, text: str, form: str, path: Path, *, overwrite: bool = False) -> None:
        """Write one story in the usual form; raise what ``write_book`` raises."""
        self.write_book(make_book(story.title, text), PublishingProfile(), form, path, overwrite=overwrite)

    def write_book(
        self, book: Book, profile: PublishingProfile, form: str, path: Path, *, overwrite: bool = False
    ) -> Sequence[Failure]:
        """Write a book and return what is to be said about it, such as characters that no font has.

        Raises StorydeskError(FILE_EXISTS, NOT_WRITABLE, DISK_FULL, FORMAT_UNKNOWN). Characters that a document can't
        hold (controls, lone surrogates) are left out in every format.
        """
        form = form.lower().removeprefix(".")
        form = "md" if form in _MARKDOWN else "html" if form == "htm" else form
        if form not in FORMATS:
            raise StorydeskError(FailureCode.FORMAT_UNKNOWN, format=form, known=", ".join(FORMATS))
        if not overwrite:
            refuse_existing(path)
        content, notes = _compose(clean_book(book), profile, form)
        write_atomically(path, content, overwrite=overwrite)
        return notes

    def preview(self, book: Book, profile: PublishingProfile) -> str:
        """Return the first pages as HTML of the kind that a text widget shows."""
        from storydesk.publishing.html_writer import compose_preview

        return compose_preview(clean_book(book), profile)

    def read(self, path: Path) -> tuple[str, str]:
        """Return title and text; raise what ``read_document`` raises."""
        found = self.read_document(path)
        return found.title, found.text

    def read_document(self, path: Path) -> ReadText:
        """Return title, text, author and what was lost; raise StorydeskError(FILE_..., FORMAT_UNKNOWN).

        Where a document has no title of its own, the title is the file's name.
        """
        form = path.suffix.lower().removeprefix(".")
        if form in _OTHERS:
            raise StorydeskError(FailureCode.FORMAT_UNKNOWN, format=form, known=", ".join(FORMATS))
        found = _read(read_bytes(path), form, path)
        if not found.text.strip():
            raise StorydeskError(FailureCode.FILE_EMPTY, path=str(path))
        return replace(found, title=found.title or _make_title(path))


def _read(raw: bytes, form: str, path: Path) -> ReadText:
    if form == "docx":
        from storydesk.publishing.docx_reader import read_docx

        return read_docx(raw, path)
    if form == "odt":
        from storydesk.publishing.odt_reader import read_odt

        return read_odt(raw, path)
    if form == "epub":
        from storydesk.publishing.epub_reader import read_epub

        return read_epub(raw, path)
    if form == "pdf":
        from storydesk.publishing.pdf_reader import read_pdf

        return read_pdf(raw, path)
    if form in _PAGES:
        from storydesk.publishing.html_reader import read_html

        return read_html(raw, path)
    return ReadText(*(read_markdown(raw, path) if form in _MARKDOWN else read_plain(raw, path)))


def _compose(book: Book, profile: PublishingProfile, form: str) -> tuple[bytes, list[Failure]]:
    """Return a document's content; its writer is loaded here, since some take a good part of a window's start."""
    if form == "docx":
        from storydesk.publishing.docx_writer import compose_docx

        return compose_docx(book, profile), []
    if form == "odt":
        from storydesk.publishing.odt_writer import compose_odt

        return compose_odt(book, profile), []
    if form == "epub":
        from storydesk.publishing.epub_writer import compose_epub

        return compose_epub(book), []
    if form == "pdf":
        return _compose_pdf(book, profile)
    if form == "html":
        from storydesk.publishing.html_writer import compose_html

        return compose_html(book).encode("utf-8"), []
    text = compose_markdown(book) if form == "md" else compose_plain(book)
    return text.encode("utf-8"), []


def _compose_pdf(book: Book, profile: PublishingProfile) -> tuple[bytes, list[Failure]]:
    from storydesk.publishing.pdf_writer import compose_pdf

    made = compose_pdf(book, profile)
    notes = [
        Failure(str(code), {"characters": " ".join(found[:_MOST_SHOWN]), "count": len(found)})
        for code, found in (
            (FailureCode.CHARACTERS_MISSING, made.missing),
            (FailureCode.SCRIPT_NOT_SHAPED, made.unshaped),
        )
        if found
    ]
    return made.content, notes


def _make_title(path: Path) -> str:
    return " ".join(clean_text(re.sub(r"_+", " ", path.stem)).split())

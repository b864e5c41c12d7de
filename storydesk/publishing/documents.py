"""Every format behind one door: which writer and which reader a document needs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from storydesk.domain.characters import clean_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.manuscript import Story
from storydesk.publishing.plain_readers import read_markdown, read_plain
from storydesk.publishing.plain_writers import compose_markdown, compose_plain
from storydesk.publishing.raw_text import read_bytes
from storydesk.services.atomic_file import write_atomically

FORMATS = ("docx", "md", "txt")
_MARKDOWN = ("md", "markdown", "mkd")
_OTHERS = ("pdf", "odt", "epub", "doc", "rtf", "html", "htm", "pages")
"""Documents that hold more than text and have no reader here; any other file is tried as plain text."""


class Documents:
    """Implements DocumentWriter and DocumentReader for docx, md and txt. Any thread."""

    @property
    def formats(self) -> Sequence[str]:
        """The formats by file suffix without the dot."""
        return FORMATS

    def write(self, story: Story, text: str, form: str, path: Path, *, overwrite: bool = False) -> None:
        """Write one story; raise StorydeskError(FILE_EXISTS, NOT_WRITABLE, DISK_FULL, FORMAT_UNKNOWN).

        Characters that a document can't hold (controls, lone surrogates) are left out in every format.
        """
        form = form.lower().removeprefix(".")
        title, body = " ".join(clean_text(story.title).split()), clean_text(text)
        if form == "docx":
            # python-docx takes a good part of the time that a window has to open, so it waits until it is needed.
            from storydesk.publishing.docx_writer import compose_docx

            content = compose_docx(title, body)
        elif form in _MARKDOWN:
            content = compose_markdown(title, body).encode("utf-8")
        elif form == "txt":
            content = compose_plain(title, body).encode("utf-8")
        else:
            raise StorydeskError(FailureCode.FORMAT_UNKNOWN, format=form, known=", ".join(FORMATS))
        write_atomically(path, content, overwrite=overwrite)

    def read(self, path: Path) -> tuple[str, str]:
        """Return title and text; raise StorydeskError(FILE_..., FORMAT_UNKNOWN).

        Where a document has no title of its own, the title is the file's name.
        """
        form = path.suffix.lower().removeprefix(".")
        if form in _OTHERS:
            raise StorydeskError(FailureCode.FORMAT_UNKNOWN, format=form, known=", ".join(FORMATS))
        raw = read_bytes(path)
        if form == "docx":
            from storydesk.publishing.docx_reader import read_docx

            title, text = read_docx(raw, path)
        elif form in _MARKDOWN:
            title, text = read_markdown(raw, path)
        else:
            title, text = read_plain(raw, path)
        if not text.strip():
            raise StorydeskError(FailureCode.FILE_EMPTY, path=str(path))
        return title or _make_title(path), text


def _make_title(path: Path) -> str:
    return " ".join(clean_text(re.sub(r"_+", " ", path.stem)).split())

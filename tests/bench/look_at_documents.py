"""Turn documents into pictures with LibreOffice and poppler, for a person to look at, and time a long book.

    python -m tests.bench.look_at_documents [--out DIR] [--words N]

Not part of the tests. Needs soffice (Debian: libreoffice-writer) and pdftoppm (poppler-utils) on the PATH.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from storydesk.domain.book import Author, Book, Form, Matter, MatterKind, Part, PublishingProfile, make_book
from storydesk.publishing.documents import FORMATS, Documents

SENTENCE = "He walked on, and on, and the sea was loud behind the wall of the old harbour. "
TEXT = f"""\
The bell rang twice — “before the fog,” she said — and it was *cold*. Она *слушала* море.

{SENTENCE * 12}

***

# The second night

He was **very** sure, ***utterly*** sure.

Roses are red,
violets are blue.

{SENTENCE * 90}
"""
AUTHOR = Author("Ann Example", "A. N. Other", ("12 Harbour Road", "Port Ellis", "ann@example.org"))


def main() -> None:
    """Write, turn, time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(tempfile.gettempdir()) / "storydesk-documents")
    parser.add_argument("--words", type=int, default=200_000)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    _take_pictures(arguments.out)
    _time_book(arguments.out, arguments.words)


def _take_pictures(folder: Path) -> None:
    dedication = (Matter(MatterKind.DEDICATION, "For *you*."),)
    novel = Book("A Novel", (Part("One", TEXT), Part("Two", TEXT)), AUTHOR, front=dedication)
    for name, book in (("story", make_book("The Bell & the “Sea”", TEXT, AUTHOR)), ("novel", novel)):
        for form in Form:
            for suffix in ("docx", "odt", "pdf"):
                path = folder / f"{name}-{form}.{suffix}"
                Documents().write_book(book, PublishingProfile(form=form), suffix, path, overwrite=True)
                _picture(path, folder)


def _picture(path: Path, folder: Path) -> None:
    office, poppler = shutil.which("soffice"), shutil.which("pdftoppm")
    if office is None or poppler is None:
        print(f"{path.name}: no soffice or pdftoppm here, so no pictures")
        return
    pdf = path
    if path.suffix != ".pdf":
        turned = folder / f"turned-{path.suffix[1:]}"
        command = [office, "--headless", "--convert-to", "pdf", "--outdir", str(turned), str(path)]
        subprocess.run(command, check=True, capture_output=True)
        pdf = turned / f"{path.stem}.pdf"
    pictures = folder / f"{path.stem}-{path.suffix[1:]}"
    subprocess.run([poppler, "-r", "50", "-png", "-l", "6", str(pdf), str(pictures)], check=True)
    print(f"{path.name}: {pictures}-*.png")


def _time_book(folder: Path, words: int) -> None:
    sentences = words // len(SENTENCE.split())
    chapter = "\n\n".join([SENTENCE * 5] * (sentences // 200))
    book = Book("Long", tuple(Part(f"Chapter {number}", chapter) for number in range(1, 41)), AUTHOR)
    print(f"{book.words:,} words")
    for form in FORMATS:
        path = folder / f"long.{form}"
        began = time.perf_counter()
        Documents().write_book(book, PublishingProfile(), form, path, overwrite=True)
        written = time.perf_counter()
        Documents().read_document(path)
        print(f"{form}: written in {written - began:.1f} s, read in {time.perf_counter() - written:.1f} s")


if __name__ == "__main__":
    main()

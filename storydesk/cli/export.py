"""``storydesk export``: a text as a document, or several as one book."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import add_json_option, one_of
from storydesk.cli.console import Console
from storydesk.cli.files import Source, read_source
from storydesk.domain.book import Author, Book, Form, Matter, MatterKind, Page, Part, PublishingProfile
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.desk import Desk

_LARGEST_COVER = 20_000_000
_PICTURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "export",
        help="save texts as a document",
        description="Save a text as a document: docx, odt and pdf in standard manuscript format or plain, epub, html, "
        "md or txt. Several texts become the parts of one book.",
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="the text; - reads standard input; several make a book"
    )
    parser.add_argument("--to", required=True, metavar="FORMAT", help="docx, odt, epub, pdf, html, md or txt")
    parser.add_argument("--out", required=True, type=Path, metavar="PATH", help="where the document goes")
    parser.add_argument("--title", metavar="T", help="the title (the file's own if left out)")
    parser.add_argument("--author", metavar="NAME", help="your legal name, first in the contact block")
    parser.add_argument("--pen-name", metavar="NAME", help="the name under the title, if it is another")
    parser.add_argument(
        "--contact", metavar="LINE", action="append", help="a line under your name; may be given several times"
    )
    parser.add_argument(
        "--form",
        type=one_of("--form", *Form),
        metavar="FORM",
        help="manuscript (what editors ask for) or plain, for docx, odt and pdf",
    )
    parser.add_argument("--page", type=one_of("--page", *Page), metavar="PAGE", help="letter or a4")
    parser.add_argument("--font", metavar="NAME", help="the font that docx and odt name (Times New Roman)")
    parser.add_argument("--language", metavar="TAG", help="the text's language, such as en-GB (en-US)")
    parser.add_argument("--disclosure", metavar="TEXT", help="a statement behind the text on how it was made")
    parser.add_argument("--dedication", metavar="TEXT", help="a dedication before the text")
    parser.add_argument("--cover", type=Path, metavar="PATH", help="a PNG or JPEG for the epub's cover")
    parser.add_argument("--profile", metavar="NAME", help="use what was kept under this name")
    parser.add_argument("--keep-profile", metavar="NAME", help="keep author, form, page and font under this name")
    parser.add_argument("--force", action="store_true", help="replace the document if it is there already")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Export one text, or several as a book."""
    sources = [read_source(name, desk.publishing) for name in arguments.files]
    profile = _read_profile(arguments, desk)
    book = _make_book(arguments, sources, profile)
    form = arguments.to.lower().lstrip(".")
    notes = [note for source in sources for note in source.lost]
    notes += desk.publishing.export_book(book, profile, form, arguments.out, overwrite=arguments.force)
    if arguments.keep_profile:
        desk.publishing.keep_profile(replace(profile, name=arguments.keep_profile))
    record = {"path": str(arguments.out.resolve()), "format": form, "title": book.title, "words": book.words}
    console.give({**record, "notes": [console.describe(note) for note in notes]})
    console.say(f"{arguments.out} ({book.words:,} words)")
    for note in notes:
        console.note_failure(note)
    return 0


def _read_profile(arguments: argparse.Namespace, desk: Desk) -> PublishingProfile:
    """Return the kept profile with what the command line says in its place."""
    kept = desk.publishing.find_profile(arguments.profile) if arguments.profile else PublishingProfile()
    author = Author(
        kept.author.name if arguments.author is None else arguments.author,
        kept.author.pen_name if arguments.pen_name is None else arguments.pen_name,
        kept.author.contact if arguments.contact is None else tuple(arguments.contact),
    )
    return replace(
        kept,
        form=Form(arguments.form or kept.form),
        page=Page(arguments.page or kept.page),
        font=arguments.font or kept.font,
        author=author,
        language=arguments.language or kept.language,
        disclosure=kept.disclosure if arguments.disclosure is None else arguments.disclosure,
    )


def _make_book(arguments: argparse.Namespace, sources: list[Source], profile: PublishingProfile) -> Book:
    front = (Matter(MatterKind.DEDICATION, arguments.dedication),) if arguments.dedication else ()
    alone = len(sources) == 1
    parts = tuple(Part("" if alone else source.title, source.text) for source in sources)
    title = sources[0].title if alone else arguments.out.stem
    title = title if arguments.title is None else arguments.title
    return Book(title, parts, profile.author, profile.language, front, profile.back, _read_cover(arguments.cover))


def _read_cover(path: Path | None) -> bytes:
    if path is None:
        return b""
    try:
        with path.open("rb") as stream:
            raw = stream.read(_LARGEST_COVER + 1)
    except FileNotFoundError as error:
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(path)) from error
    except (OSError, ValueError) as error:
        detail = (getattr(error, "strerror", None) or str(error)).lower()
        raise StorydeskError(FailureCode.FILE_NOT_READABLE, path=str(path), detail=detail) from error
    if len(raw) > _LARGEST_COVER or not raw.startswith(_PICTURES):
        expected = "a PNG or JPEG file of 20 MB at most"
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name="--cover", value=path.name, expected=expected)
    return raw

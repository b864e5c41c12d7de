"""E-books in EPUB 3.3, with the standard library alone: cover, title page, contents, a file for each chapter."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

from storydesk.domain.book import Book, MatterKind, Section, arrange, make_heading
from storydesk.domain.markup import Block, BlockKind, strip_markup
from storydesk.publishing.xhtml import STYLE, compose_blocks

MIMETYPE = "application/epub+zip"
_TYPES = {
    MatterKind.DEDICATION: "dedication",
    MatterKind.EPIGRAPH: "epigraph",
    MatterKind.COPYRIGHT: "copyright-page",
    MatterKind.FOREWORD: "foreword",
    MatterKind.AFTERWORD: "afterword",
    MatterKind.ACKNOWLEDGEMENTS: "acknowledgments",
    MatterKind.ABOUT_AUTHOR: "appendix",
    MatterKind.AUTHORSHIP: "colophon",
}
_CONTAINER = """\
<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="EPUB/package.opf" media-type="application/oebps-package+xml"/></rootfiles>
</container>
"""
_COVER_WIDTH, _COVER_HEIGHT = 1600, 2400


@dataclass(frozen=True, slots=True)
class _Chapter:
    """One file of the book; ``title`` is empty where it stands in no table of contents."""

    name: str
    title: str
    body: str
    kind: str


def compose_epub(book: Book) -> bytes:
    """Return a book as an EPUB file; the book is clean."""
    chapters = list(_make_chapters(book))
    cover_name, cover_type, cover = _make_cover(book)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MIMETYPE, zipfile.ZIP_STORED)
        archive.writestr("META-INF/container.xml", _CONTAINER)
        archive.writestr("EPUB/package.opf", _compose_package(book, chapters, cover_name, cover_type))
        archive.writestr("EPUB/nav.xhtml", _compose_contents(book, chapters))
        archive.writestr("EPUB/style.css", STYLE + _COVER_STYLE)
        archive.writestr(f"EPUB/{cover_name}", cover)
        archive.writestr("EPUB/cover.xhtml", _compose_cover_page(book, cover_name))
        archive.writestr("EPUB/title.xhtml", _compose_title_page(book))
        for chapter in chapters:
            archive.writestr(f"EPUB/{chapter.name}", _make_page(book, chapter.title, chapter.body, chapter.kind))
    return stream.getvalue()


def _make_chapters(book: Book) -> Iterator[_Chapter]:
    number = 0
    for section in arrange(book):
        for title, blocks in _split(section):
            number += 1
            kind = _TYPES[section.matter] if section.matter else "chapter" if title else "bodymatter"
            label = ' class="' + str(section.matter) + '"' if section.matter else ""
            body = f'<section epub:type="{kind}"{label}>\n{compose_blocks(blocks) or "<p></p>"}\n</section>'
            yield _Chapter(f"chapter-{number:04}.xhtml", title, body, kind)


def _split(section: Section) -> Iterator[tuple[str, list[Block]]]:
    """Yield a section's chapters: it is cut at the headings of the highest level that it has."""
    if section.title:
        yield section.title, [make_heading(section.title, 1), *section.blocks]
        return
    highest = min((block.level for block in section.blocks if block.kind is BlockKind.HEADING), default=0)
    title, blocks = "", list[Block]()
    for block in section.blocks:
        if block.kind is BlockKind.HEADING and block.level == highest:
            if blocks:
                yield title, blocks
            title, blocks = "".join(span.text for line in block.lines for span in line).strip(), []
        blocks.append(block)
    if blocks or not title:
        yield title, blocks


def _make_page(book: Book, title: str, body: str, kind: str = "") -> str:
    cover = ' epub:type="cover"' if kind == "cover" else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html>\n'
        '<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" '
        f'lang="{book.language}" xml:lang="{book.language}">\n<head>\n<meta charset="utf-8"/>\n'
        f"<title>{escape(title or book.title or 'Untitled')}</title>\n"
        '<link rel="stylesheet" type="text/css" href="style.css"/>\n</head>\n'
        f"<body{cover}>\n{body}\n</body>\n</html>\n"
    )


_COVER_STYLE = ".cover { margin: 0; text-align: center; }\n.cover img { max-width: 100%; height: 100vh; }\n"


def _compose_cover_page(book: Book, name: str) -> str:
    words = escape(f"{book.title or 'Untitled'}{f', by {book.author.byline}' if book.author.byline else ''}")
    return _make_page(book, "", f'<div class="cover"><img src="{name}" alt="{words}"/></div>', "cover")


def _compose_title_page(book: Book) -> str:
    byline = f'\n<p class="byline">{escape(book.author.byline)}</p>' if book.author.byline else ""
    title = escape(book.title or "Untitled")
    return _make_page(book, "", f'<section epub:type="titlepage">\n<h1>{title}</h1>{byline}\n</section>')


def _compose_contents(book: Book, chapters: list[_Chapter]) -> str:
    name = escape(book.title or "Untitled")
    entries = [f'<li><a href="title.xhtml">{name}</a></li>']
    entries += [
        f'<li><a href="{chapter.name}">{escape(chapter.title)}</a></li>' for chapter in chapters if chapter.title
    ]
    start = next((chapter.name for chapter in chapters if chapter.kind in ("chapter", "bodymatter")), "title.xhtml")
    listed = "\n".join(entries)
    body = (
        f'<nav epub:type="toc" id="toc">\n<h1>{name}</h1>\n<ol>\n{listed}\n</ol>\n</nav>\n'
        '<nav epub:type="landmarks" hidden="hidden">\n<ol>\n'
        f'<li><a epub:type="cover" href="cover.xhtml">{name}</a></li>\n'
        f'<li><a epub:type="bodymatter" href="{start}">{name}</a></li>\n</ol>\n</nav>'
    )
    return _make_page(book, "", body)


def _compose_package(book: Book, chapters: list[_Chapter], cover_name: str, cover_type: str) -> str:
    # One text has one identifier, so that a reader's place survives a second export.
    seed = "\n".join([book.title, book.author.byline, *(strip_markup(part.text) for part in book.parts)])
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, seed)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    creator = f"<dc:creator>{escape(book.author.byline)}</dc:creator>\n" if book.author.byline else ""
    fixed = (
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>\n'
        '<item id="style" href="style.css" media-type="text/css"/>\n'
        f'<item id="cover-image" href="{cover_name}" media-type="{cover_type}" properties="cover-image"/>\n'
        '<item id="cover" href="cover.xhtml" media-type="application/xhtml+xml"/>\n'
        '<item id="title" href="title.xhtml" media-type="application/xhtml+xml"/>\n'
    )
    items = "\n".join(
        f'<item id="{chapter.name[:-6]}" href="{chapter.name}" media-type="application/xhtml+xml"/>'
        for chapter in chapters
    )
    # A table of contents of one line is no page to read.
    contents = '<itemref idref="nav"/>\n' if sum(bool(chapter.title) for chapter in chapters) > 1 else ""
    spine = contents + "\n".join(f'<itemref idref="{chapter.name[:-6]}"/>' for chapter in chapters)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        f'unique-identifier="id" xml:lang="{book.language}">\n'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="id">urn:uuid:{identifier}</dc:identifier>\n'
        f"<dc:title>{escape(book.title or 'Untitled')}</dc:title>\n<dc:language>{book.language}</dc:language>\n"
        f'{creator}<meta property="dcterms:modified">{now}</meta>\n{_ACCESSIBILITY}</metadata>\n'
        f'<manifest>\n{fixed}{items}\n</manifest>\n<spine>\n<itemref idref="cover"/>\n<itemref idref="title"/>\n'
        f"{spine}\n</spine>\n</package>\n"
    )


_ACCESSIBILITY = "".join(
    f'<meta property="schema:{name}">{value}</meta>\n'
    for name, value in (
        ("accessMode", "textual"),
        ("accessModeSufficient", "textual"),
        ("accessibilityFeature", "structuralNavigation"),
        ("accessibilityFeature", "tableOfContents"),
        ("accessibilityFeature", "readingOrder"),
        ("accessibilityHazard", "none"),
        ("accessibilitySummary", "Flowing text with headings; the cover's picture has a description."),
    )
)


def _make_cover(book: Book) -> tuple[str, str, bytes]:
    """Return name, media type and content of the cover: the writer's picture, or one drawn from the title."""
    if book.cover.startswith(b"\x89PNG\r\n\x1a\n"):
        return "cover.png", "image/png", book.cover
    if book.cover.startswith(b"\xff\xd8\xff"):
        return "cover.jpg", "image/jpeg", book.cover
    return "cover.svg", "image/svg+xml", _draw_cover(book).encode("utf-8")


def _draw_cover(book: Book) -> str:
    lines = _wrap(book.title or "Untitled", 16)[:9]
    size = min(190, int(1400 / max(max(map(len, lines)), 8) / 0.55))
    top = 900 - len(lines) * size * 0.6
    title = "".join(
        f'<text x="{_COVER_WIDTH // 2}" y="{top + (number + 1) * size * 1.2:.0f}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )
    author = escape(book.author.byline[:60])
    small = min(90, int(1400 / max(len(author), 8) / 0.55))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {_COVER_WIDTH} {_COVER_HEIGHT}" width="{_COVER_WIDTH}" height="{_COVER_HEIGHT}">'
        '<rect width="1600" height="2400" fill="#F4F1EA"/><rect y="1560" width="1600" height="14" fill="#1B6770"/>'
        f'<g font-family="Georgia, serif" text-anchor="middle" fill="#22211E"><g font-size="{size}">{title}</g>'
        f'<text x="800" y="1900" font-size="{small}">{author}</text></g></svg>'
    )


def _wrap(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()[:40]
    return lines

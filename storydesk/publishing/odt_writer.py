"""OpenDocument text, written with the standard library alone: standard manuscript format or a plain page."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, datetime
from xml.sax.saxutils import escape, quoteattr

from storydesk.domain.book import Book, Form, PublishingProfile, Section, arrange, make_heading
from storydesk.domain.markup import Block, BlockKind, Span
from storydesk.publishing.front_page import (
    SCENE_MARK,
    THE_END,
    is_short,
    list_contact,
    make_running_head,
    say_words,
)

FRONT_MATTER = "Front Matter"
"""The style of what is no part of the story; the reader passes over it."""

SCENE_BREAK = "Scene Break"
MIMETYPE = "application/vnd.oasis.opendocument.text"
_SPACES = re.compile(r"(?:(?<=^)|(?<= )) +|\t|\n")
_NAMESPACES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office",
        "style": "style",
        "text": "text",
        "meta": "meta",
        "fo": "xsl-fo-compatible",
        "svg": "svg-compatible",
    }.items()
)
_ROOT = f'{_NAMESPACES} xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3"'
_HEADER = '<?xml version="1.0" encoding="UTF-8"?>\n'


def compose_odt(book: Book, profile: PublishingProfile) -> bytes:
    """Return a book as an odt file; the book is clean (see domain.book)."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", MIMETYPE, zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", _compose_manifest())
        archive.writestr("meta.xml", _compose_meta(book))
        archive.writestr("styles.xml", _compose_styles(book, profile))
        archive.writestr("content.xml", _compose_content(book, profile))
    return stream.getvalue()


def _compose_manifest() -> str:
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in (
            ("/", MIMETYPE),
            ("content.xml", "text/xml"),
            ("styles.xml", "text/xml"),
            ("meta.xml", "text/xml"),
        )
    )
    name = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    return f'{_HEADER}<manifest:manifest xmlns:manifest="{name}" manifest:version="1.3">{entries}</manifest:manifest>'


def _compose_meta(book: Book) -> str:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    author = escape(book.author.byline)
    return (
        f"{_HEADER}<office:document-meta {_ROOT}><office:meta><meta:generator>Storydesk</meta:generator>"
        f"<dc:title>{escape(book.title)}</dc:title><meta:initial-creator>{author}</meta:initial-creator>"
        f"<dc:creator>{author}</dc:creator><dc:language>{book.language}</dc:language>"
        f"<meta:creation-date>{now}</meta:creation-date><dc:date>{now}</dc:date></office:meta></office:document-meta>"
    )


def _compose_styles(book: Book, profile: PublishingProfile) -> str:
    manuscript = profile.form is Form.MANUSCRIPT
    font, size = quoteattr(profile.font), "12pt"
    language, _, country = book.language.partition("-")
    locale = f'fo:language="{language}"' + (f' fo:country="{country}"' if re.fullmatch("[A-Z]{2}", country) else "")
    default = (
        '<style:default-style style:family="paragraph">'
        f'<style:text-properties style:font-name="Body" fo:font-size="{size}" {locale}/></style:default-style>'
    )
    styles = [
        default,
        _make_style(
            "Standard", "", f'fo:line-height="{"200%" if manuscript else "130%"}" fo:orphans="0" fo:widows="0"'
        ),
        _make_style("Text body", "Standard", f'fo:text-indent="{"0.5in" if manuscript else "0.25in"}"'),
        _make_style("First line", "Text body", f'fo:text-indent="{"0.5in" if manuscript else "0in"}"'),
        _make_style(
            FRONT_MATTER,
            "Standard",
            'fo:line-height="100%"',
            '<style:tab-stops><style:tab-stop style:position="6.5in" style:type="right"/></style:tab-stops>',
        ),
        _make_style("Byline", FRONT_MATTER, 'fo:text-align="center" fo:margin-bottom="24pt"'),
        _make_style("Verse", "Text body", 'fo:margin-left="0.5in" fo:text-indent="0in"'),
        _make_style(SCENE_BREAK, "Standard", 'fo:text-align="center"'),
        _make_style("Header", "Standard", 'fo:line-height="100%" fo:text-align="end"'),
        _make_style("Title", "Standard", 'fo:text-align="center" fo:margin-top="24pt" fo:margin-bottom="24pt"'),
    ]
    for level in range(1, 7):
        spacing = 'fo:text-align="center" fo:margin-top="12pt" fo:margin-bottom="12pt" fo:keep-with-next="always"'
        styles.append(_make_style(f"Heading {level}", "Standard", spacing, text='fo:font-weight="bold"', outline=level))
    for name, properties in (
        ("Emphasis", 'fo:font-style="italic"'),
        ("Strong Emphasis", 'fo:font-weight="bold"'),
        ("Strong and Emphasis", 'fo:font-weight="bold" fo:font-style="italic"'),
    ):
        styles.append(
            f'<style:style style:name="{_encode(name)}" style:display-name="{name}" style:family="text">'
            f"<style:text-properties {properties}/></style:style>"
        )
    width, height = (f"{points / 72:.4f}in" for points in profile.page.points)
    header = (
        f'<style:header><text:p text:style-name="Header">{escape(make_running_head(book))}'
        "<text:page-number/></text:p></style:header>"
    )
    return (
        f"{_HEADER}<office:document-styles {_ROOT}><office:font-face-decls>"
        f'<style:font-face style:name="Body" svg:font-family={font}/></office:font-face-decls>'
        f"<office:styles>{''.join(styles)}</office:styles><office:automatic-styles>"
        f'<style:page-layout style:name="Sheet"><style:page-layout-properties fo:page-width="{width}" '
        f'fo:page-height="{height}" fo:margin-top="0.5in" fo:margin-bottom="1in" fo:margin-left="1in" '
        'fo:margin-right="1in"/><style:header-style><style:header-footer-properties fo:min-height="0.5in" '
        'fo:margin-bottom="0.25in"/></style:header-style></style:page-layout>'
        f'<style:page-layout style:name="Bare"><style:page-layout-properties fo:page-width="{width}" '
        f'fo:page-height="{height}" fo:margin="1in"/></style:page-layout></office:automatic-styles>'
        '<office:master-styles><style:master-page style:name="Standard" style:page-layout-name="Sheet">'
        f'{header}</style:master-page><style:master-page style:name="First_20_Page" style:display-name="First Page" '
        'style:page-layout-name="Bare" style:next-style-name="Standard"/></office:master-styles>'
        "</office:document-styles>"
    )


def _make_style(name: str, parent: str, paragraph: str, inner: str = "", text: str = "", outline: int = 0) -> str:
    parts = [f'<style:style style:name="{_encode(name)}" style:display-name="{name}" style:family="paragraph"']
    if parent:
        parts.append(f' style:parent-style-name="{_encode(parent)}"')
    if outline:
        parts.append(f' style:default-outline-level="{outline}"')
    parts.append(f"><style:paragraph-properties {paragraph}>{inner}</style:paragraph-properties>")
    if text:
        parts.append(f"<style:text-properties {text}/>")
    return "".join(parts) + "</style:style>"


def _encode(name: str) -> str:
    return name.replace(" ", "_20_")


_FIRST_PAGE = ' style:master-page-name="First_20_Page"'
_PAGE_STYLES = {"Opening": FRONT_MATTER, "Heading opening": "Heading 1", "Text opening": "Text body"}


def _compose_content(book: Book, profile: PublishingProfile) -> str:
    automatic = [
        f'<style:style style:name="{name}" style:family="paragraph" style:parent-style-name="{parent}"{_FIRST_PAGE}/>'
        for name, parent in (("First", "Front_20_Matter"), ("First_20_title", "Title"))
    ]
    for name, parent in _PAGE_STYLES.items():
        automatic.append(
            f'<style:style style:name="{_encode(name)}" style:family="paragraph" '
            f'style:parent-style-name="{_encode(parent)}">'
            '<style:paragraph-properties fo:break-before="page"/></style:style>'
        )
    body = [*_compose_first_page(book, profile)]
    sections = arrange(book)
    opens_page = not is_short(book) or len(sections) > 1
    for number, section in enumerate(sections):
        body += _compose_section(section, opens_page and (number > 0 or not is_short(book)))
    if profile.form is Form.MANUSCRIPT:
        body.append(_make_paragraph("Byline", escape(THE_END)))
    return (
        f"{_HEADER}<office:document-content {_ROOT}><office:automatic-styles>{''.join(automatic)}"
        f"</office:automatic-styles><office:body><office:text>{''.join(body)}</office:text></office:body>"
        "</office:document-content>"
    )


def _compose_first_page(book: Book, profile: PublishingProfile) -> list[str]:
    parts = []
    if profile.form is Form.MANUSCRIPT:
        contact = list_contact(book) or [""]
        parts.append(_make_paragraph("First", f"{escape(contact[0])}<text:tab/>{escape(say_words(book))}"))
        parts += [_make_paragraph(FRONT_MATTER, escape(line)) for line in contact[1:]]
        parts += [_make_paragraph(FRONT_MATTER, "")] * (max(18 - len(contact), 2) if book.title else 0)
    if book.title:
        parts.append(_make_paragraph("Title" if parts else "First title", _escape(book.title)))
    if book.author.byline:
        parts.append(_make_paragraph("Byline", escape(f"by {book.author.byline}")))
    return parts


def _compose_section(section: Section, opens_page: bool) -> list[str]:
    parts: list[str] = []
    blocks = list(section.blocks)
    if section.title:
        blocks.insert(0, make_heading(section.title, 1))
    opening = opens_page
    follows_text = False
    for block in blocks:
        parts.append(_compose_block(block, opening, follows_text))
        opening = False
        follows_text = block.kind is BlockKind.PARAGRAPH
    return parts


def _compose_block(block: Block, opens_page: bool, follows_text: bool) -> str:
    if block.kind is BlockKind.SCENE_BREAK:
        return _make_paragraph(SCENE_BREAK, SCENE_MARK)
    lines = "<text:line-break/>".join("".join(map(_compose_span, line)) for line in block.lines)
    if block.kind is BlockKind.HEADING:
        style = "Heading opening" if opens_page and block.level == 1 else f"Heading {block.level}"
        return f'<text:h text:style-name="{_encode(style)}" text:outline-level="{block.level}">{lines}</text:h>'
    style = "Text opening" if opens_page else "Text body" if follows_text else "First line"
    style = "Verse" if len(block.lines) > 1 and not opens_page else style
    return _make_paragraph(style, lines)


def _compose_span(span: Span) -> str:
    if not span.emphasis and not span.strong:
        return _escape(span.text)
    style = (
        "Strong and Emphasis" if span.emphasis and span.strong else "Emphasis" if span.emphasis else "Strong Emphasis"
    )
    return f'<text:span text:style-name="{_encode(style)}">{_escape(span.text)}</text:span>'


def _make_paragraph(style: str, inner: str) -> str:
    return f'<text:p text:style-name="{_encode(style)}">{inner}</text:p>'


def _escape(text: str) -> str:
    """Return text as XML, with an element for each blank that OpenDocument would swallow."""
    return _SPACES.sub(_write_space, escape(text))


def _write_space(match: re.Match[str]) -> str:
    found = match[0]
    if found == "\t":
        return "<text:tab/>"
    if found == "\n":
        return "<text:line-break/>"
    return f'<text:s text:c="{len(found)}"/>'

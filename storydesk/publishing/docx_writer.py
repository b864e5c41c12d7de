"""Word documents: standard manuscript format after William Shunn, which editors ask for, or a plain page."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Inches, Pt, RGBColor

from storydesk.domain.book import Book, Form, PublishingProfile, arrange, make_heading
from storydesk.domain.markup import Block, BlockKind, Span
from storydesk.publishing.front_page import (
    SCENE_MARK,
    THE_END,
    is_short,
    list_contact,
    make_running_head,
    say_words,
)

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument
    from docx.styles.style import ParagraphStyle
    from docx.text.paragraph import Paragraph

FRONT_MATTER = "Front Matter"
"""The style of what stands on the first page and is no part of the story; the reader passes over it."""

SCENE_BREAK = "Scene Break"
_LINES_ABOVE_TITLE = 20
_LONGEST_PROPERTY = 255


def compose_docx(book: Book, profile: PublishingProfile) -> bytes:
    """Return a book as a docx file; the book is clean (see domain.book)."""
    document = Document()
    _set_page(document, profile)
    _set_styles(document, book, profile)
    _set_properties(document, book)
    _write_header(document, book)
    _write_first_page(document, book, profile)
    sections = arrange(book)
    for number, section in enumerate(sections):
        opens_page = number > 0 or not is_short(book)
        blocks = [make_heading(section.title, 1)] if section.title else []
        for block in (*blocks, *section.blocks):
            _write_block(document, block, opens_page=opens_page)
            opens_page = False
    if profile.form is Form.MANUSCRIPT:
        end = document.add_paragraph(THE_END, style=FRONT_MATTER)
        end.alignment = WD_ALIGN_PARAGRAPH.CENTER
        end.paragraph_format.space_before = Pt(24)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_page(document: DocxDocument, profile: PublishingProfile) -> None:
    section = document.sections[0]
    width, height = profile.page.points
    section.page_width, section.page_height = Pt(width), Pt(height)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Inches(1)
    section.header_distance = Inches(0.5)


def _set_styles(document: DocxDocument, book: Book, profile: PublishingProfile) -> None:
    styles = document.styles
    manuscript = profile.form is Form.MANUSCRIPT
    normal = styles["Normal"]
    _set_font(normal, profile.font)
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), book.language)
    normal.element.get_or_add_rPr().append(language)
    normal.paragraph_format.line_spacing = 2.0 if manuscript else 1.25
    normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
    normal.paragraph_format.widow_control = False
    body = styles["Body Text"]
    _set_font(body, profile.font)
    body.paragraph_format.first_line_indent = Inches(0.5 if manuscript else 0.25)
    body.paragraph_format.space_after = Pt(0)
    front = styles.add_style(FRONT_MATTER, WD_STYLE_TYPE.PARAGRAPH)
    front.base_style = normal
    front.paragraph_format.line_spacing = 1.0
    scene = styles.add_style(SCENE_BREAK, WD_STYLE_TYPE.PARAGRAPH)
    scene.base_style = normal
    scene.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for name in ("Title", *(f"Heading {level}" for level in range(1, 7))):
        style = styles[name]
        _set_font(style, profile.font)
        style.font.bold = name != "Title"
        style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(24 if name == "Title" else 12)
        for border in style.element.findall(f".//{qn('w:pBdr')}"):
            border.getparent().remove(border)


def _set_font(style: ParagraphStyle, font: str) -> None:
    """Name the font for every script, since the template's theme would choose another."""
    style.font.name = font
    style.font.size = Pt(12)
    style.font.italic = False if style.name != "Normal" else None
    style.font.color.rgb = RGBColor(0, 0, 0)
    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{name}"), font)


def _set_properties(document: DocxDocument, book: Book) -> None:
    properties = document.core_properties
    properties.title = book.title[:_LONGEST_PROPERTY]
    properties.language = book.language
    properties.author = book.author.byline[:_LONGEST_PROPERTY]
    properties.comments = ""
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _write_header(document: DocxDocument, book: Book) -> None:
    """Put surname, keyword and the page's number into the header of every page but the first."""
    section = document.sections[0]
    section.different_first_page_header_footer = True
    paragraph = section.header.paragraphs[0]
    paragraph.style = document.styles["Header"]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    paragraph.paragraph_format.line_spacing = 1.0
    paragraph.add_run(make_running_head(book))
    for kind, instruction in (("begin", ""), ("", "PAGE"), ("end", "")):
        run = paragraph.add_run()
        if kind:
            mark = OxmlElement("w:fldChar")
            mark.set(qn("w:fldCharType"), kind)
            run._r.append(mark)
        else:
            field = OxmlElement("w:instrText")
            field.set(qn("xml:space"), "preserve")
            field.text = instruction
            run._r.append(field)


def _write_first_page(document: DocxDocument, book: Book, profile: PublishingProfile) -> None:
    """Write contact block and word count, then the title half-way down and the byline."""
    if profile.form is Form.MANUSCRIPT:
        contact = list_contact(book)
        first = document.add_paragraph("\t".join([*contact[:1], say_words(book)]), style=FRONT_MATTER)
        if contact:
            first.paragraph_format.tab_stops.add_tab_stop(Pt(profile.page.points[0] - 144), WD_TAB_ALIGNMENT.RIGHT)
        else:
            first.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        for line in contact[1:]:
            document.add_paragraph(line, style=FRONT_MATTER)
        for _ in range(max(_LINES_ABOVE_TITLE - len(contact), 2) if book.title else 0):
            document.add_paragraph("", style=FRONT_MATTER)
    if book.title:
        document.add_paragraph(book.title, style="Title")
    byline = document.add_paragraph(f"by {book.author.byline}" if book.author.byline else "", style=FRONT_MATTER)
    byline.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.add_paragraph("", style=FRONT_MATTER)


def _write_block(document: DocxDocument, block: Block, *, opens_page: bool) -> None:
    if block.kind is BlockKind.SCENE_BREAK:
        document.add_paragraph(SCENE_MARK, style=SCENE_BREAK)
        return
    style = f"Heading {block.level}" if block.kind is BlockKind.HEADING else "Body Text"
    paragraph = document.add_paragraph(style=style)
    if opens_page:
        paragraph.paragraph_format.page_break_before = True
    if len(block.lines) > 1:  # verse: every line stands as far in as the first
        paragraph.paragraph_format.left_indent, paragraph.paragraph_format.first_line_indent = Inches(0.5), Pt(0)
    for number, line in enumerate(block.lines):
        if number:
            paragraph.add_run().add_break()
        _write_line(paragraph, line)


def _write_line(paragraph: Paragraph, line: tuple[Span, ...]) -> None:
    for span in line:
        run = paragraph.add_run(span.text)
        run.italic = span.emphasis or None
        run.bold = span.strong or None

"""Word documents in the form that editors ask for: 12 point, double spaced, indented, a page number in the header."""

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

from storydesk.domain.manuscript import count_words
from storydesk.domain.markup import Block, BlockKind, Span, parse_blocks, strip_markup

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument
    from docx.styles.style import ParagraphStyle
    from docx.text.paragraph import Paragraph

FRONT_MATTER = "Front Matter"
"""The style of what stands on the first page and is no part of the story; the reader passes over it."""

SCENE_BREAK = "Scene Break"
LANGUAGE = "en-US"
_FONT = "Times New Roman"
_LONGEST_PROPERTY = 255


def compose_docx(title: str, text: str) -> bytes:
    """Return a manuscript as a docx file; title and text are clean (see domain.characters)."""
    document = Document()
    _set_page(document)
    _set_styles(document)
    _set_properties(document, title)
    _write_header(document, title)
    _write_front_matter(document, title, count_words(strip_markup(text)))
    for block in parse_blocks(text):
        _write_block(document, block)
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()


def _set_page(document: DocxDocument) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Inches(8.5), Inches(11)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Inches(1)
    section.header_distance = Inches(0.5)


def _set_styles(document: DocxDocument) -> None:
    styles = document.styles
    normal = styles["Normal"]
    _set_font(normal)
    normal.paragraph_format.line_spacing = 2.0
    normal.paragraph_format.space_after = normal.paragraph_format.space_before = Pt(0)
    normal.paragraph_format.widow_control = False
    body = styles["Body Text"]
    _set_font(body)
    body.paragraph_format.first_line_indent = Inches(0.5)
    body.paragraph_format.space_after = Pt(0)
    front = styles.add_style(FRONT_MATTER, WD_STYLE_TYPE.PARAGRAPH)
    front.base_style = normal
    front.paragraph_format.line_spacing = 1.0
    scene = styles.add_style(SCENE_BREAK, WD_STYLE_TYPE.PARAGRAPH)
    scene.base_style = normal
    scene.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    for name in ("Title", *(f"Heading {level}" for level in range(1, 7))):
        style = styles[name]
        _set_font(style)
        style.font.bold = name != "Title"
        style.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(24 if name == "Title" else 12)
        for border in style.element.findall(f".//{qn('w:pBdr')}"):
            border.getparent().remove(border)


def _set_font(style: ParagraphStyle) -> None:
    """Name the font for every script, since the template's theme would choose another, and the language."""
    style.font.name = _FONT
    style.font.size = Pt(12)
    style.font.italic = False if style.name != "Normal" else None
    style.font.color.rgb = RGBColor(0, 0, 0)
    properties = style.element.get_or_add_rPr()
    fonts = properties.get_or_add_rFonts()
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name in ("ascii", "hAnsi", "eastAsia", "cs"):
        fonts.set(qn(f"w:{name}"), _FONT)
    if style.name == "Normal":
        language = OxmlElement("w:lang")
        language.set(qn("w:val"), LANGUAGE)
        properties.append(language)


def _set_properties(document: DocxDocument, title: str) -> None:
    properties = document.core_properties
    properties.title = title[:_LONGEST_PROPERTY]
    properties.language = LANGUAGE
    properties.author = ""
    properties.comments = ""
    properties.created = properties.modified = datetime.now(UTC).replace(tzinfo=None, microsecond=0)


def _write_header(document: DocxDocument, title: str) -> None:
    """Put a short title and the page's number into the header of every page but the first."""
    section = document.sections[0]
    section.different_first_page_header_footer = True
    paragraph = section.header.paragraphs[0]
    paragraph.style = document.styles["Header"]
    paragraph.paragraph_format.tab_stops.add_tab_stop(Inches(6.5), WD_TAB_ALIGNMENT.RIGHT)
    paragraph.paragraph_format.line_spacing = 1.0
    paragraph.add_run("\t" + (f"{title[:60].upper()} / " if title else ""))
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


def _write_front_matter(document: DocxDocument, title: str, words: int) -> None:
    rounded = max(round(words, -2), 100)
    count = document.add_paragraph(f"About {rounded:,} words", style=FRONT_MATTER)
    count.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    if not title:
        return
    for _ in range(12):
        document.add_paragraph("", style=FRONT_MATTER)
    document.add_paragraph(title, style="Title")
    # Room for a byline: the program does not know who writes.
    byline = document.add_paragraph("", style=FRONT_MATTER)
    byline.alignment = WD_ALIGN_PARAGRAPH.CENTER
    document.add_paragraph("", style=FRONT_MATTER)


def _write_block(document: DocxDocument, block: Block) -> None:
    if block.kind is BlockKind.SCENE_BREAK:
        document.add_paragraph("#", style=SCENE_BREAK)
        return
    style = f"Heading {block.level}" if block.kind is BlockKind.HEADING else "Body Text"
    paragraph = document.add_paragraph(style=style)
    for number, line in enumerate(block.lines):
        if number:
            paragraph.add_run().add_break()
        _write_line(paragraph, line)


def _write_line(paragraph: Paragraph, line: tuple[Span, ...]) -> None:
    for span in line:
        run = paragraph.add_run(span.text)
        run.italic = span.emphasis or None
        run.bold = span.strong or None

"""Word documents to text: what a reader sees, without deleted changes, field codes, comments and front matter."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docx import Document
from docx.oxml.ns import qn

from storydesk.domain.book import ReadText
from storydesk.domain.characters import clean_text
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.markup import Span, is_scene_break, strip_markup
from storydesk.publishing.archives import Archive
from storydesk.publishing.docx_writer import FRONT_MATTER, SCENE_BREAK
from storydesk.publishing.losses import Losses, list_losses
from storydesk.publishing.markup_builder import make_block, merge_spans

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument
    from lxml.etree import _Element

_MAIN = "word/document.xml"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_HEADING = re.compile(r"heading ([1-6])", re.IGNORECASE)
_PARAGRAPH, _RUN, _TEXT_BOX = qn("w:p"), qn("w:r"), qn("w:txbxContent")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_UNSEEN = frozenset({qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), _TEXT_BOX, _FALLBACK})
_LOST = {
    FailureCode.LOST_IMAGES: (qn("w:drawing"), qn("w:pict"), qn("w:object")),
    FailureCode.LOST_TABLES: (qn("w:tbl"),),
    FailureCode.LOST_NOTES: (qn("w:footnoteReference"), qn("w:endnoteReference")),
    FailureCode.LOST_COMMENTS: (qn("w:commentReference"),),
    FailureCode.LOST_CHANGES: (qn("w:ins"), qn("w:del")),
    FailureCode.LOST_LINKS: (qn("w:hyperlink"),),
    FailureCode.LOST_STYLES: (qn("w:color"), qn("w:u"), qn("w:strike"), qn("w:highlight")),
}
_OFF = frozenset({"0", "false", "off"})
# Titles that programs put into a document's properties by themselves.
_NO_TITLE = re.compile(r"(?:microsoft word\b.*|word[- ]document|untitled|document ?\d*)?", re.IGNORECASE)


def read_docx(raw: bytes, path: Path) -> ReadText:
    """Return what a docx file holds; raise StorydeskError(FILE_DAMAGED, FILE_TOO_LARGE, FILE_LOCKED)."""
    if raw.startswith(_OLD_OFFICE) and "EncryptedPackage".encode("utf-16-le") in raw:
        raise StorydeskError(FailureCode.FILE_LOCKED, path=str(path))
    archive = Archive(raw, path, "docx")
    if _MAIN in archive:
        archive.read(_MAIN)  # refuses one that would fill the memory as a tree
    try:
        document = Document(io.BytesIO(raw))
        title, text = _read(document)
        author = " ".join(clean_text(document.core_properties.author or "").split())
        return ReadText(title, text, author if author != "python-docx" else "", _find_losses(document))
    except StorydeskError:
        raise
    except Exception as error:  # a broken file breaks python-docx in a dozen ways, none of which is ours
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="docx") from error


def _find_losses(document: DocxDocument) -> tuple[Failure, ...]:
    body = document.element.body
    losses: Losses = Losses()
    for code, names in _LOST.items():
        losses[code] = sum(1 for name in names for _ in body.iter(name))
    lists = body.iter(qn("w:numPr"))
    losses[FailureCode.LOST_LISTS] = 1 if next(lists, None) is not None else 0
    return list_losses(losses)


def _read(document: DocxDocument) -> tuple[str, str]:
    names = _read_style_names(document)
    title = ""
    blocks: list[str] = []
    for paragraph in _find_paragraphs(document.element.body):
        style = names.get(_find_style(paragraph), "")
        spans = tuple(merge_spans(_read_spans(paragraph, names)))
        plain = "".join(span.text for span in spans).strip()
        if not plain or style == FRONT_MATTER.lower():
            continue
        if style == "title" and not title and not blocks:
            title = " ".join(plain.split())
        else:
            blocks.append(_make_block(style, spans, plain))
    if not title:
        title, blocks = _choose_title(document, blocks)
    return title, "\n\n".join(blocks)


def _make_block(style: str, spans: tuple[Span, ...], plain: str) -> str:
    """Return a paragraph in the form in which the library keeps it (see domain.markup)."""
    heading = _HEADING.fullmatch(style)
    scene = style == SCENE_BREAK.lower() or (not heading and is_scene_break(plain))
    return make_block(spans, int(heading.group(1)) if heading else 0, scene=scene)


def _choose_title(document: DocxDocument, blocks: list[str]) -> tuple[str, list[str]]:
    """Return the title of a document without a paragraph in that style, and the blocks without it."""
    named = " ".join(clean_text(document.core_properties.title or "").split())
    first = blocks[0] if blocks else ""
    if not _NO_TITLE.fullmatch(named):
        repeated = strip_markup(first).casefold() == named.casefold()
        return named, blocks[1:] if repeated else blocks
    if re.match(r"#{1,6} ", first) and len(blocks) > 1:
        return strip_markup(first), blocks[1:]
    return "", blocks


def _read_style_names(document: DocxDocument) -> dict[str, str]:
    """Return the names of styles by their ids: ids are translated, names of built-in styles are not."""
    names = {}
    for style in document.styles.element.iter(qn("w:style")):
        name = style.find(qn("w:name"))
        if name is not None:
            names[style.get(qn("w:styleId"), "")] = name.get(qn("w:val"), "").lower()
    return names


def _find_paragraphs(element: _Element) -> Iterator[_Element]:
    """Yield paragraphs in reading order, those in tables and text boxes too."""
    for child in element:
        if child.tag == _PARAGRAPH:
            yield child
            for box in child.iter(_TEXT_BOX):
                if not any(ancestor.tag == _FALLBACK for ancestor in box.iterancestors()):
                    yield from _find_paragraphs(box)
        elif child.tag not in _UNSEEN:
            yield from _find_paragraphs(child)


def _find_style(paragraph: _Element) -> str:
    style = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return "" if style is None else str(style.get(qn("w:val"), ""))


def _read_spans(element: _Element, names: dict[str, str]) -> Iterator[Span]:
    for child in element:
        if child.tag == _RUN:
            properties = child.find(qn("w:rPr"))
            if properties is not None and _is_on(properties, "w:vanish"):
                continue
            emphasis = strong = False
            if properties is not None:
                style = properties.find(qn("w:rStyle"))
                name = "" if style is None else names.get(str(style.get(qn("w:val"), "")), "")
                emphasis = _is_on(properties, "w:i") or name == "emphasis"
                strong = _is_on(properties, "w:b") or name == "strong"
            yield Span(clean_text("".join(_read_run(child))), emphasis, strong)
        elif child.tag not in _UNSEEN:
            yield from _read_spans(child, names)


def _read_run(run: _Element) -> Iterator[str]:
    for child in run:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in (qn("w:tab"), qn("w:ptab")):
            yield "\t"
        elif child.tag == qn("w:cr") or (
            child.tag == qn("w:br") and child.get(qn("w:type"), "textWrapping") == "textWrapping"
        ):
            yield "\n"
        elif child.tag == qn("w:noBreakHyphen"):
            yield "-"


def _is_on(properties: _Element, name: str) -> bool:
    found = properties.find(qn(name))
    return found is not None and found.get(qn("w:val"), "true") not in _OFF

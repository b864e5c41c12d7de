"""Word documents to text: what a reader sees, without deleted changes, field codes, comments and front matter."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from docx import Document
from docx.oxml.ns import qn

from storydesk.domain.characters import clean_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.markup import Span, format_spans, is_scene_break, strip_markup
from storydesk.publishing.docx_writer import FRONT_MATTER, SCENE_BREAK
from storydesk.publishing.raw_text import LIMIT_MEGABYTES

if TYPE_CHECKING:
    from docx.document import Document as DocxDocument
    from lxml.etree import _Element

_LARGEST_PART = 4 * LIMIT_MEGABYTES * 1_000_000
_MOST_PARTS = 20_000
_HEADING = re.compile(r"heading ([1-6])", re.IGNORECASE)
_PARAGRAPH, _RUN, _TEXT_BOX = qn("w:p"), qn("w:r"), qn("w:txbxContent")
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_UNSEEN = frozenset({qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), _TEXT_BOX, _FALLBACK})
_OFF = frozenset({"0", "false", "off"})
# Titles that programs put into a document's properties by themselves.
_NO_TITLE = re.compile(r"(?:microsoft word\b.*|word[- ]document|untitled|document ?\d*)?", re.IGNORECASE)
_SCENE_MARK = "* * *"


def read_docx(raw: bytes, path: Path) -> tuple[str, str]:
    """Return title (empty without one) and text; raise StorydeskError(FILE_DAMAGED, FILE_TOO_LARGE)."""
    _check_parts(raw, path)
    try:
        document = Document(io.BytesIO(raw))
        return _read(document)
    except StorydeskError:
        raise
    except Exception as error:  # a broken file breaks python-docx in a dozen ways, none of which is ours
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="docx") from error


def _check_parts(raw: bytes, path: Path) -> None:
    """Refuse what is no zip file, and one that would fill the memory when it is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError) as error:
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="docx") from error
    size = sum(part.file_size for part in parts)
    if size > _LARGEST_PART or len(parts) > _MOST_PARTS:
        raise StorydeskError(
            FailureCode.FILE_TOO_LARGE, path=str(path), megabytes=-(-size // 1_000_000), limit=LIMIT_MEGABYTES
        )


def _read(document: DocxDocument) -> tuple[str, str]:
    names = _read_style_names(document)
    title = ""
    blocks: list[str] = []
    for paragraph in _find_paragraphs(document.element.body):
        style = names.get(_find_style(paragraph), "")
        spans = tuple(_merge(_read_spans(paragraph, names)))
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
    if heading:
        return "#" * int(heading.group(1)) + " " + " ".join(format_spans(spans).split())
    if style == SCENE_BREAK.lower() or is_scene_break(plain):
        return _SCENE_MARK
    lines = format_spans(spans).split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip())


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


def _merge(spans: Iterator[Span]) -> Iterator[Span]:
    """Join neighbours of one style, since Word cuts a line into runs at every correction; part them at line breaks."""
    merged: list[Span] = []
    for span in spans:
        for piece in re.split(r"(\n)", span.text):
            if not piece:
                continue
            plain = piece == "\n"
            new = Span(piece) if plain else Span(piece, span.emphasis, span.strong)
            last = merged[-1] if merged else None
            if last and (last.emphasis, last.strong) == (new.emphasis, new.strong) and "\n" not in (piece, last.text):
                merged[-1] = Span(last.text + piece, last.emphasis, last.strong)
            else:
                merged.append(new)
    return iter(merged)

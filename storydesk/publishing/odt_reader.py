"""OpenDocument text to a story: headings, emphasis and scene breaks stay, notes and deleted changes don't."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from storydesk.domain.book import ReadText
from storydesk.domain.characters import clean_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.markup import Span
from storydesk.publishing.archives import Archive
from storydesk.publishing.losses import Losses, list_losses
from storydesk.publishing.markup_builder import make_block
from storydesk.publishing.odt_writer import FRONT_MATTER, SCENE_BREAK

_OPEN = "{urn:oasis:names:tc:opendocument:xmlns:"
_OFFICE, _TEXT, _STYLE = f"{_OPEN}office:1.0}}", f"{_OPEN}text:1.0}}", f"{_OPEN}style:1.0}}"
_TABLE, _DRAW, _META = f"{_OPEN}table:1.0}}", f"{_OPEN}drawing:1.0}}", f"{_OPEN}meta:1.0}}"
_FO = f"{_OPEN}xsl-fo-compatible:1.0}}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_FORMULA = f"{_OPEN}manifest:1.0}}encryption-data"
_UNSEEN = {
    f"{_TEXT}note": FailureCode.LOST_NOTES,
    f"{_OFFICE}annotation": FailureCode.LOST_COMMENTS,
    f"{_DRAW}image": FailureCode.LOST_IMAGES,
    f"{_DRAW}object": FailureCode.LOST_IMAGES,
}
_COUNTED = {
    f"{_TABLE}table": FailureCode.LOST_TABLES,
    f"{_TEXT}list": FailureCode.LOST_LISTS,
    f"{_TEXT}a": FailureCode.LOST_LINKS,
}
_SILENT = frozenset(
    {f"{_OFFICE}annotation-end", f"{_TEXT}table-of-content", f"{_TEXT}sequence-decls", f"{_OFFICE}forms"}
)
_BOLD = frozenset({"bold", "600", "700", "800", "900"})
_LOOKS = (f"{_FO}color", f"{_FO}background-color", f"{_STYLE}text-underline-style", f"{_STYLE}text-position")


@dataclass(frozen=True, slots=True)
class _Style:
    name: str
    parent: str
    italic: bool | None = None
    bold: bool | None = None


class _Reader:
    """Goes through one document."""

    def __init__(self, archive: Archive) -> None:
        self.losses: Losses = Losses()
        self._styles: dict[str, _Style] = {}
        if "styles.xml" in archive:
            self._read_styles(archive.parse("styles.xml"))
        content = archive.parse("content.xml")
        self._read_styles(content)
        body = content.find(f"{_OFFICE}body/{_OFFICE}text")
        if body is None:
            raise archive.damaged()
        self.title = ""
        self.blocks: list[str] = []
        self._read_blocks(body)

    def _read_styles(self, root: Element) -> None:
        for style in root.iter(f"{_STYLE}style"):
            name = style.get(f"{_STYLE}name", "")
            properties = style.find(f"{_STYLE}text-properties")
            italic = bold = None
            if properties is not None:
                slant, weight = properties.get(f"{_FO}font-style"), properties.get(f"{_FO}font-weight")
                italic = None if slant is None else slant in ("italic", "oblique")
                bold = None if weight is None else weight in _BOLD
                if any(properties.get(look) not in (None, "none") for look in _LOOKS):
                    self.losses[FailureCode.LOST_STYLES] += 1
            shown = style.get(f"{_STYLE}display-name", name.replace("_20_", " "))
            self._styles[name] = _Style(shown, style.get(f"{_STYLE}parent-style-name", ""), italic, bold)

    def _read_blocks(self, parent: Element) -> None:
        for child in parent:
            if child.tag in (f"{_TEXT}p", f"{_TEXT}h"):
                self._read_paragraph(child)
                for box in child.iter(f"{_DRAW}text-box"):
                    self._read_blocks(box)
            elif child.tag == f"{_TEXT}tracked-changes":
                self.losses[FailureCode.LOST_CHANGES] += len(child)
            elif child.tag in _UNSEEN:
                self.losses[_UNSEEN[child.tag]] += 1
            elif child.tag not in _SILENT:
                if child.tag in _COUNTED:
                    self.losses[_COUNTED[child.tag]] += 1
                self._read_blocks(child)

    def _read_paragraph(self, element: Element) -> None:
        style = element.get(f"{_TEXT}style-name", "")
        names = [found.name for found in self._follow(style)]
        spans = tuple(self._read_spans(element, (False, False)))
        if FRONT_MATTER in names:
            return
        if names[-1:] == ["Title"] or "Title" in names:
            plain = " ".join("".join(span.text for span in spans).split())
            if not self.title and not self.blocks:
                self.title = plain
                return
        level = 0
        if element.tag == f"{_TEXT}h":
            level = min(max(_read_number(element.get(f"{_TEXT}outline-level", "1")), 1), 6)
        block = make_block(spans, level, scene=SCENE_BREAK in names)
        if block:
            self.blocks.append(block)

    def _read_spans(self, element: Element, look: tuple[bool, bool]) -> Iterator[Span]:
        if element.text:
            yield Span(_collapse(element.text), *look)
        for child in element:
            if child.tag == f"{_TEXT}s":
                yield Span(" " * min(_read_number(child.get(f"{_TEXT}c", "1")), 1000), *look)
            elif child.tag == f"{_TEXT}tab":
                yield Span("\t", *look)
            elif child.tag == f"{_TEXT}line-break":
                yield Span("\n")
            elif child.tag in _UNSEEN:
                self.losses[_UNSEEN[child.tag]] += 1
            elif child.tag == f"{_DRAW}text-box":
                pass  # read after the paragraph that holds it
            elif child.tag not in _SILENT:
                if child.tag in _COUNTED:
                    self.losses[_COUNTED[child.tag]] += 1
                inner = (
                    self._resolve(child.get(f"{_TEXT}style-name", ""), look) if child.tag == f"{_TEXT}span" else look
                )
                yield from self._read_spans(child, inner)
            if child.tail:
                yield Span(_collapse(child.tail), *look)

    def _follow(self, name: str) -> list[_Style]:
        """Return a style and those from which it comes."""
        found: list[_Style] = []
        while name in self._styles and len(found) < 20:
            found.append(self._styles[name])
            name = found[-1].parent
        return found

    def _resolve(self, name: str, look: tuple[bool, bool]) -> tuple[bool, bool]:
        chain = self._follow(name)
        italic = next((style.italic for style in chain if style.italic is not None), look[0])
        bold = next((style.bold for style in chain if style.bold is not None), look[1])
        return italic, bold


def read_odt(raw: bytes, path: Path) -> ReadText:
    """Return what an odt file holds; raise StorydeskError(FILE_DAMAGED, FILE_TOO_LARGE, FILE_LOCKED)."""
    archive = Archive(raw, path, "odt")
    if "META-INF/manifest.xml" in archive:
        manifest = archive.parse("META-INF/manifest.xml")
        if next(manifest.iter(_FORMULA), None) is not None:
            raise StorydeskError(FailureCode.FILE_LOCKED, path=str(path))
    reader = _Reader(archive)
    title, author = reader.title, ""
    if "meta.xml" in archive:
        meta = archive.parse("meta.xml")
        title = title or _find_text(meta, f"{_DC}title")
        author = _find_text(meta, f"{_META}initial-creator") or _find_text(meta, f"{_DC}creator")
    return ReadText(title, "\n\n".join(reader.blocks), author, list_losses(reader.losses))


def _find_text(root: Element, name: str) -> str:
    found = next(root.iter(name), None)
    return " ".join(clean_text("".join(found.itertext())).split()) if found is not None else ""


def _collapse(text: str) -> str:
    """Return text as OpenDocument shows it: a run of blanks and breaks is one blank."""
    cleaned = clean_text(text).replace("\t", " ").replace("\n", " ")
    while "  " in cleaned:
        cleaned = cleaned.replace("  ", " ")
    return cleaned


def _read_number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 1

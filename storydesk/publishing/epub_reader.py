"""E-books to a story: the pages in their order, without cover, title page and contents."""

from __future__ import annotations

import posixpath
from pathlib import Path
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from storydesk.domain.book import ReadText
from storydesk.domain.characters import clean_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.publishing.archives import Archive
from storydesk.publishing.html_reader import PageReader, decode_page, tame_page
from storydesk.publishing.losses import list_losses

_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_PACKAGE = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_ENCRYPTED = "{http://www.w3.org/2001/04/xmlenc#}EncryptionMethod"
# Fonts that are only veiled hinder nobody from reading.
_VEILS = frozenset({"http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC"})
_PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})


def read_epub(raw: bytes, path: Path) -> ReadText:
    """Return what an EPUB file holds; raise StorydeskError(FILE_DAMAGED, FILE_TOO_LARGE, FILE_LOCKED)."""
    archive = Archive(raw, path, "epub")
    _refuse_locked(archive, path)
    root = archive.parse("META-INF/container.xml").find(f".//{_CONTAINER}rootfile")
    place = root.get("full-path", "") if root is not None else ""
    package = archive.parse(place)
    page = PageReader()
    for name in _list_pages(package, posixpath.dirname(place)):
        if name in archive:
            page.feed(tame_page(decode_page(archive.read(name), path)))
            page.end_page()
    for at, level in page.headings:
        page.blocks[at] = "#" * min(level, 6) + " " + page.blocks[at].partition(" ")[2]
    title = _find_text(package, "title")
    author = _find_text(package, "creator")
    lost = list_losses(page.losses)
    return ReadText(title if title != "Untitled" else "", "\n\n".join(page.blocks), author, lost)


def _refuse_locked(archive: Archive, path: Path) -> None:
    locked = "META-INF/rights.xml" in archive
    if "META-INF/encryption.xml" in archive:
        methods = archive.parse("META-INF/encryption.xml").iter(_ENCRYPTED)
        locked = locked or any(method.get("Algorithm") not in _VEILS for method in methods)
    if locked:
        raise StorydeskError(FailureCode.FILE_LOCKED, path=str(path))


def _list_pages(package: Element, folder: str) -> list[str]:
    """Return the names of the pages in reading order, each once, without cover page and contents."""
    items = {item.get("id", ""): item for item in package.iter(f"{_PACKAGE}item")}
    names: dict[str, None] = {}
    for reference in package.iter(f"{_PACKAGE}itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None or item.get("media-type") not in _PAGES or "nav" in item.get("properties", "").split():
            continue
        if item.get("id") == "cover" or reference.get("linear") == "no":
            continue
        names[posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "").partition("#")[0])))] = None
    return list(names)


def _find_text(package: Element, name: str) -> str:
    found = next(package.iter(f"{_DC}{name}"), None)
    return " ".join(clean_text("".join(found.itertext())).split()) if found is not None else ""

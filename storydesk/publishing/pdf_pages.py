"""PDF pages with marks that say what everything is: text, fonts, bookmarks, structure for screen readers."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import pydyf

from storydesk.domain.book import Book
from storydesk.publishing.pdf_fonts import Face, Typeface
from storydesk.publishing.pdf_lines import Word

_SLANT = 0.21
_CODES_AT_ONCE = 100


class Sheets:
    """The pages of one document, one after the other; measures are points from the lower left. Any one thread."""

    def __init__(self, typeface: Typeface, size: tuple[float, float]) -> None:
        """Begin without a page."""
        self._typeface = typeface
        self._size = size
        self._pdf = pydyf.PDF()
        self._fonts = pydyf.Dictionary()
        self._pdf.add_object(self._fonts)
        self._root = pydyf.Dictionary({"Type": "/StructTreeRoot"})
        self._pdf.add_object(self._root)
        self._document = self._add_element("/Document", self._root)
        self._element: pydyf.Dictionary | None = None
        self._open = False
        self._stream = pydyf.Stream(compress=True)
        self._page = pydyf.Dictionary()
        self._marks: list[pydyf.Dictionary] = []
        self._parents = pydyf.Array()
        self._bookmarks: list[tuple[str, int, bytes, float]] = []
        self.count = 0

    def begin_page(self) -> None:
        """Go to a new page."""
        self._close_mark()
        self._finish_page()
        self._stream = pydyf.Stream(compress=True)
        self._pdf.add_object(self._stream)
        width, height = self._size
        self._page = pydyf.Dictionary(
            {
                "Type": "/Page",
                "Parent": self._pdf.pages.reference,
                "MediaBox": pydyf.Array([0, 0, width, height]),
                "Contents": self._stream.reference,
                "Resources": pydyf.Dictionary({"Font": self._fonts.reference}),
                "StructParents": self.count,
                "Tabs": "/S",
            }
        )
        self._pdf.add_page(self._page)
        self._marks = []
        self.count += 1

    def begin_element(self, role: str) -> None:
        """Begin a paragraph or heading (``P``, ``H1`` ...); what is drawn from now on belongs to it."""
        self._close_mark()
        self._element = self._add_element(f"/{role}", self._document)

    def add_bookmark(self, title: str, level: int, top: float) -> None:
        """Put a place of the current page into the bookmarks."""
        self._bookmarks.append((title, level, self._page.reference, top))

    def draw_line(self, words: Sequence[Word], x: float, y: float, size: float, spread: float = 0.0) -> None:
        """Draw a line of the current element; ``spread`` points go to every blank on top of its width."""
        if not self._open and self._element is not None:
            mark = pydyf.Dictionary({"Type": "/MCR", "Pg": self._page.reference, "MCID": len(self._marks)})
            self._element["K"].append(mark.data)
            tag = self._element["S"]
            self._stream.stream.append(f"{tag} <</MCID {len(self._marks)}>> BDC".encode())
            self._marks.append(self._element)
            self._open = True
        self._show(words, x, y, size, spread)

    def draw_artifact(self, words: Sequence[Word], x: float, y: float, size: float) -> None:
        """Draw what is no part of the text: running heads and page numbers."""
        self._close_mark()
        self._stream.stream.append(b"/Artifact <</Type /Pagination>> BDC")
        self._show(words, x, y, size, 0.0)
        self._stream.stream.append(b"EMC")

    def finish(self, book: Book) -> bytes:
        """Return the file."""
        self._close_mark()
        self._finish_page()
        for number, face in enumerate(self._typeface.faces):
            if face.codes:
                self._fonts[f"F{number}"] = self._embed(face).reference
        self._add_structure()
        self._add_outline()
        self._describe(book)
        output = io.BytesIO()
        self._pdf.write(output, identifier=secrets.token_bytes(16), compress=True)
        return output.getvalue()

    def _add_element(self, role: str, parent: pydyf.Dictionary) -> pydyf.Dictionary:
        element = pydyf.Dictionary({"Type": "/StructElem", "S": role, "P": parent.reference, "K": pydyf.Array()})
        self._pdf.add_object(element)
        if parent is self._root:
            self._root["K"] = pydyf.Array([element.reference])
        else:
            parent["K"].append(element.reference)
        return element

    def _close_mark(self) -> None:
        if self._open:
            self._stream.stream.append(b"EMC")
            self._open = False

    def _finish_page(self) -> None:
        if self.count:
            marks = pydyf.Array([element.reference for element in self._marks])
            self._parents += [self.count - 1, marks.data]

    def _show(self, words: Sequence[Word], x: float, y: float, size: float, spread: float) -> None:
        parts = [b"BT"]
        face, skewed, run = -1, False, list[str]()
        start = position = x
        for word in words:
            for number, slanting, codes, width in word.segments:
                if (number, slanting) != (face, skewed):
                    parts += _make_run(face, skewed, run, start, y, size)
                    face, skewed, run, start = number, slanting, [], position
                run.append(f"<{codes}>")
                position += width * size / 1000
            if word.blank and spread:
                run.append(f"{-spread * 1000 / size:.1f}")
                position += spread
        parts += _make_run(face, skewed, run, start, y, size)
        parts.append(b"ET")
        self._stream.stream.append(b"\n".join(parts))

    def _embed(self, face: Face) -> pydyf.Dictionary:
        content, table = face.subset()
        name = f"{''.join(secrets.choice('ABCDEFGHIJKLMNOPQRSTUVWXYZ') for _ in range(6))}+{face.name}"
        file = pydyf.Stream([content], {"Length1": len(content)}, compress=True)
        places = pydyf.Stream([table], compress=True)
        unicode = pydyf.Stream([_map_to_unicode(face.codes)], compress=True)
        measured = face.measure()
        descriptor = pydyf.Dictionary(
            {
                "Type": "/FontDescriptor",
                "FontName": f"/{name}",
                "Flags": 4 + (64 if measured["slant"] else 0),
                "FontBBox": pydyf.Array([int(measured[side]) for side in ("left", "bottom", "right", "top")]),
                "ItalicAngle": measured["slant"],
                "Ascent": int(measured["ascent"]),
                "Descent": int(measured["descent"]),
                "CapHeight": int(measured["cap"]),
                "StemV": 80,
            }
        )
        for part in (file, places, unicode, descriptor):
            self._pdf.add_object(part)
        descriptor["FontFile2"] = file.reference
        system = pydyf.Dictionary(
            {"Registry": pydyf.String("Adobe"), "Ordering": pydyf.String("Identity"), "Supplement": 0}
        )
        descendant = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/CIDFontType2",
                "BaseFont": f"/{name}",
                "CIDSystemInfo": system,
                "FontDescriptor": descriptor.reference,
                "DW": 1000,
                "W": pydyf.Array([1, pydyf.Array(face.widths)]),
                "CIDToGIDMap": places.reference,
            }
        )
        self._pdf.add_object(descendant)
        font = pydyf.Dictionary(
            {
                "Type": "/Font",
                "Subtype": "/Type0",
                "BaseFont": f"/{name}",
                "Encoding": "/Identity-H",
                "DescendantFonts": pydyf.Array([descendant.reference]),
                "ToUnicode": unicode.reference,
            }
        )
        self._pdf.add_object(font)
        return font

    def _add_structure(self) -> None:
        tree = pydyf.Dictionary({"Nums": self._parents})
        self._pdf.add_object(tree)
        self._root["ParentTree"] = tree.reference
        self._root["ParentTreeNextKey"] = self.count
        self._pdf.catalog["StructTreeRoot"] = self._root.reference
        self._pdf.catalog["MarkInfo"] = pydyf.Dictionary({"Marked": "true"})

    def _add_outline(self) -> None:
        if not self._bookmarks:
            return
        top = pydyf.Dictionary({"Type": "/Outlines"})
        self._pdf.add_object(top)
        path: list[tuple[int, pydyf.Dictionary]] = [(0, top)]
        last: dict[int, pydyf.Dictionary] = {}
        for title, level, page, height in self._bookmarks:
            while path[-1][0] >= level:
                path.pop()
            parent = path[-1][1]
            target = pydyf.Array([page, "/XYZ", 0, round(height), 0])
            entry = pydyf.Dictionary({"Title": pydyf.String(title), "Parent": parent.reference, "Dest": target})
            self._pdf.add_object(entry)
            parent.setdefault("First", entry.reference)
            parent["Last"] = entry.reference
            before = last.get(id(parent))
            if before is not None:
                before["Next"], entry["Prev"] = entry.reference, before.reference
            last[id(parent)] = entry
            for _, ancestor in path:
                ancestor["Count"] = ancestor.get("Count", 0) + 1
            path.append((level, entry))
        self._pdf.catalog["Outlines"] = top.reference

    def _describe(self, book: Book) -> None:
        self._pdf.info["Title"] = pydyf.String(book.title or "Untitled")
        if book.author.byline:
            self._pdf.info["Author"] = pydyf.String(book.author.byline)
        self._pdf.info["Producer"] = pydyf.String("Storydesk")
        self._pdf.info["CreationDate"] = pydyf.String(datetime.now(UTC).strftime("D:%Y%m%d%H%M%SZ"))
        self._pdf.catalog["Lang"] = pydyf.String(book.language)
        self._pdf.catalog["ViewerPreferences"] = pydyf.Dictionary({"DisplayDocTitle": "true"})


def _make_run(face: int, skewed: bool, run: Iterable[str], x: float, y: float, size: float) -> list[bytes]:
    joined = "".join(run).replace("><", "")
    if not joined:
        return []
    slant = _SLANT if skewed else 0
    return [f"/F{face} {size:g} Tf 1 0 {slant:g} 1 {x:.2f} {y:.2f} Tm [{joined}] TJ".encode()]


def _map_to_unicode(codes: dict[str, int]) -> bytes:
    lines = [
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap",
        "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def",
        "/CMapName /Adobe-Identity-UCS def /CMapType 2 def",
        "1 begincodespacerange <0000> <ffff> endcodespacerange",
    ]
    entries = [f"<{code:04x}> <{character.encode('utf-16-be').hex()}>" for character, code in codes.items()]
    for at in range(0, len(entries), _CODES_AT_ONCE):
        some = entries[at : at + _CODES_AT_ONCE]
        lines += [f"{len(some)} beginbfchar", *some, "endbfchar"]
    lines.append("endcmap CMapName currentdict /CMap defineresource pop end end")
    return "\n".join(lines).encode("ascii")

"""PDF to a story, as well as that can be done: a PDF knows where lines stand and nothing of paragraphs."""

from __future__ import annotations

import io
import itertools
import logging
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storydesk.domain.book import ReadText
from storydesk.domain.characters import clean_text
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.markup import Span, is_scene_break
from storydesk.publishing.losses import Losses, list_losses
from storydesk.publishing.markup_builder import SCENE_MARK, make_block
from storydesk.publishing.raw_text import LIMIT_MEGABYTES

_MOST_PAGES = 5000
_MOST_SECONDS = 300.0
_LARGEST_PAGE, _LARGEST_TEXT = 5_000_000, 200_000_000
_ENDS = tuple(".!?…”\"’'»:")
_SHORT = 0.75
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(slots=True)
class _Line:
    """A line on a page; ``x`` and ``y`` in points from the lower left."""

    x: float
    y: float
    size: float
    spans: list[Span] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(span.text for span in self.spans).strip()


def read_pdf(raw: bytes, path: Path) -> ReadText:
    """Return what a PDF holds; raise StorydeskError(FILE_DAMAGED, FILE_TOO_LARGE, FILE_LOCKED)."""
    from pypdf import PdfReader

    logging.getLogger("pypdf").setLevel(logging.ERROR)
    try:
        reader = PdfReader(io.BytesIO(raw), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise StorydeskError(FailureCode.FILE_LOCKED, path=str(path))
        if len(reader.pages) > _MOST_PAGES:
            raise _too_large(path, len(raw))
        pages = _read_pages(reader, path)
        title, author = _read_name(reader, "title"), _read_name(reader, "author")
    except StorydeskError:
        raise
    except Exception as error:  # a broken file breaks pypdf in a dozen ways, none of which is ours
        needs_cipher = type(error).__name__ in ("DependencyError", "FileNotDecryptedError")
        code = FailureCode.FILE_LOCKED if needs_cipher else FailureCode.FILE_DAMAGED
        raise StorydeskError(code, path=str(path), format="pdf") from error
    losses: Losses = Losses({FailureCode.LOST_LAYOUT: 1})
    losses[FailureCode.LOST_PAGES] = sum(not page for page in pages)
    text = "\n\n".join(_make_blocks(_drop_running_heads(pages)))
    return ReadText(title, text, author, list_losses(losses))


def _read_pages(reader: Any, path: Path) -> list[list[_Line]]:
    """Return the lines of every page; raise FILE_TOO_LARGE where few bytes unfold into more than a person wrote."""
    pages: list[list[_Line]] = []
    unfolded = 0
    latest = time.monotonic() + _MOST_SECONDS
    for page in reader.pages:
        contents = page.get_contents()
        size = len(contents.get_data()) if contents is not None else 0
        unfolded += size
        if size > _LARGEST_PAGE or unfolded > _LARGEST_TEXT or time.monotonic() > latest:
            raise _too_large(path, max(size, unfolded))
        pages.append(_read_lines(page))
    return pages


def _too_large(path: Path, size: int) -> StorydeskError:
    megabytes = max(-(-size // 1_000_000), LIMIT_MEGABYTES + 1)
    return StorydeskError(FailureCode.FILE_TOO_LARGE, path=str(path), megabytes=megabytes, limit=LIMIT_MEGABYTES)


def _read_name(reader: Any, name: str) -> str:
    found = getattr(reader.metadata, name, None) if reader.metadata is not None else None
    return " ".join(clean_text(found).split()) if isinstance(found, str) else ""


def _read_lines(page: Any) -> list[_Line]:
    lines: list[_Line] = []
    fresh = True

    def visit(text: str, outer: list[float], inner: list[float], font: dict[str, Any] | None, size: float) -> None:
        nonlocal fresh
        for number, piece in enumerate(re.split("\n", text)):
            if number:
                fresh = True
            cleaned = clean_text(piece).replace("\n", " ")
            if not cleaned:
                continue
            x = inner[4] * outer[0] + inner[5] * outer[2] + outer[4]
            y = inner[4] * outer[1] + inner[5] * outer[3] + outer[5]
            if fresh and lines and abs(lines[-1].y - y) < 0.3 * max(size, 1) and x >= lines[-1].x:
                fresh = False
            if fresh:
                lines.append(_Line(x, y, abs(size * inner[0] * outer[0]) or size))
            fresh = False
            name = str((font or {}).get("/BaseFont", "")).lower()
            slant = any(word in name for word in ("italic", "oblique", "-it", "boldit"))
            lines[-1].spans.append(Span(cleaned, slant, "bold" in name or "black" in name))

    page.extract_text(visitor_text=visit)
    return [line for line in lines if line.text]


def _drop_running_heads(pages: Sequence[list[_Line]]) -> list[list[_Line]]:
    """Return the pages without the lines that stand apart at their edges and come again, page numbers aside."""
    edges = [_find_edges(page) for page in pages]
    often = Counter(bare for found in edges for bare in {_strip_number(line.text) for line in found})
    kept: list[list[_Line]] = []
    for page, found in zip(pages, edges, strict=True):
        running = {id(line) for line in found if often[_strip_number(line.text)] > 1 or line.text.isdigit()}
        kept.append([line for line in page if id(line) not in running])
    return kept


def _find_edges(page: Sequence[_Line]) -> list[_Line]:
    """Return the short lines at the top and the bottom of a page between which and the text is a gap."""
    ordered = sorted(page, key=lambda line: -line.y)
    gaps = [upper.y - lower.y for upper, lower in itertools.pairwise(ordered)]
    if not gaps:
        return []
    usual = Counter(round(gap) for gap in gaps).most_common(1)[0][0] if len(gaps) > 2 else 0
    edges = [ordered[0]] if gaps[0] > 1.2 * usual else []
    edges += [ordered[-1]] if gaps[-1] > 1.2 * usual else []
    return [line for line in edges if len(line.text) < 100]


def _strip_number(text: str) -> str:
    return re.sub(r"\d+", "", text).strip()


def _make_blocks(pages: Sequence[list[_Line]]) -> Iterator[str]:
    every = [line for page in pages for line in page]
    if not every:
        return
    body = Counter(round(line.size) for line in every for _ in range(max(len(line.text) // 20, 1))).most_common(1)[0][0]
    longest = sorted(len(line.text) for line in every)[int(len(every) * 0.9)]
    known = Counter(_WORD.findall("\n".join(line.text for line in every)))
    gaps = Counter(round(a.y - b.y) for page in pages for a, b in itertools.pairwise(page) if a.y > b.y)
    leading = gaps.most_common(1)[0][0] if gaps else 1.5 * body
    paragraph: list[_Line] = []
    for page in pages:
        left = _find_margin(page)
        before: _Line | None = None
        for line in page:
            centred = line.x > left + 5 * body
            special = is_scene_break(line.text) or line.size > 1.15 * body
            opens = line.x > left + 0.7 * body or special
            if before is not None:
                opens = opens or before.y - line.y > 1.35 * leading or _is_last(before, longest)
            elif paragraph:
                opens = opens or _is_last(paragraph[-1], longest)
            if opens and paragraph:
                yield _make_block(paragraph, body, known)
                paragraph = []
            paragraph.append(line)
            if special or (centred and len(line.text) < _SHORT * longest):
                yield _make_block(paragraph, body, known)
                paragraph = []
            before = line
    if paragraph:
        yield _make_block(paragraph, body, known)


def _find_margin(page: Sequence[_Line]) -> float:
    """Return where most lines begin that are not indented: furthest to the left of what is common."""
    places = Counter(round(line.x) for line in page)
    common = [x for x, count in places.items() if count >= max(2, len(page) / 8)]
    return min(common or places, default=0)


def _is_last(line: _Line, longest: int) -> bool:
    """Return whether a line looks like the last one of a paragraph."""
    return len(line.text) < _SHORT * longest and line.text.endswith(_ENDS)


def _make_block(lines: Sequence[_Line], body: float, known: Counter[str]) -> str:
    spans: list[Span] = []
    for line in lines:
        if spans:
            _join_lines(spans, line, known)
        spans += line.spans
    text = "".join(span.text for span in spans).strip()
    if is_scene_break(text):
        return SCENE_MARK
    heading = len(lines) <= 2 and len(text) < 120 and (lines[0].size > 1.15 * body or all(s.strong for s in spans))
    if heading:
        return make_block([Span(text)], 1)
    return make_block(spans)


def _join_lines(spans: list[Span], following: _Line, known: Counter[str]) -> None:
    """Put a blank between two lines, or take a word together that was parted at a hyphen."""
    last = spans[-1]
    parted = re.search(r"([^\W\d_]+)-\s*$", last.text)
    rest = _WORD.match(following.text)
    if parted and rest:
        whole = known[parted[1] + rest[0]] > 0
        spans[-1] = Span(last.text.rstrip()[: -1 if whole else None], last.emphasis, last.strong)
    elif not last.text.endswith((" ", "—", "–")):
        spans[-1] = Span(last.text + " ", last.emphasis, last.strong)

"""Web pages, and the pages inside e-books, to a story. Nothing is fetched and no entity is defined by a page itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

from storydesk.domain.book import ReadText
from storydesk.domain.characters import clean_text
from storydesk.domain.failures import FailureCode
from storydesk.domain.markup import Span, strip_markup
from storydesk.publishing.losses import Losses, list_losses
from storydesk.publishing.markup_builder import SCENE_MARK, make_block
from storydesk.publishing.raw_text import decode_text

_BLOCKS = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6",
    "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table",
    "td", "th", "tr", "ul", "caption",
})  # fmt: skip
_UNSEEN = frozenset({
    "script", "style", "template", "svg", "math", "object", "audio", "video", "canvas", "select", "nav",
    "iframe", "textarea", "rt", "rp",
})  # fmt: skip
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_EMPHASIS = frozenset(["em", "i", "cite", "dfn", "var"])
_STRONG = frozenset(["strong", "b"])
_COUNTED = {
    "img": FailureCode.LOST_IMAGES,
    "svg": FailureCode.LOST_IMAGES,
    "image": FailureCode.LOST_IMAGES,
    "table": FailureCode.LOST_TABLES,
    "ul": FailureCode.LOST_LISTS,
    "ol": FailureCode.LOST_LISTS,
    "font": FailureCode.LOST_STYLES,
    "u": FailureCode.LOST_STYLES,
}
_NOTES = frozenset(["footnote", "endnote", "rearnote", "footnotes", "endnotes", "rearnotes", "noteref"])
_PASSED_OVER = frozenset(["titlepage", "cover", "toc", "landmarks", "page-list"])
_BLANKS = re.compile(r"[ \t\n\r\f]+")
_ITALIC = re.compile(r"font-style\s*:\s*(?:italic|oblique)", re.IGNORECASE)
_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_NO_TAG = re.compile(r"<(?!/?[a-zA-Z][^<>]{0,100000}>)")
_DECLARATION = re.compile(r"<!--|<[!?]")
_EXACT = re.compile(r"white-space\s*:\s*(?:pre|break-spaces)", re.IGNORECASE)
_NOTHING = ("", False, False, False, False)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?([A-Za-z0-9_\-]{2,30})", re.IGNORECASE)
_MOST_OPEN = 10_000


class PageReader(HTMLParser):
    """Collects blocks and losses; several pages may be fed one after the other with ``end_page`` between."""

    def __init__(self) -> None:
        """Begin with nothing."""
        super().__init__(convert_charrefs=True)
        self.losses: Losses = Losses()
        self.blocks: list[str] = []
        self.headings: list[tuple[int, int]] = []  # where in blocks, and the level
        self.named = ""
        self.author = ""
        self._open: list[tuple[str, bool, bool, bool, bool]] = []  # tag, unseen, emphasis, strong, blanks kept
        self._spans: list[Span] = []
        self._level = 0
        self._in_title = False

    def end_page(self) -> None:
        """Bring what is left into a block and forget what was never closed."""
        self.close()
        self._end_block()
        self._open.clear()
        self._in_title = False
        self.reset()

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Begin a block or a style."""
        values = {name: value or "" for name, value in attrs}
        _, hidden, emphasis, strong, exact = self._open[-1] if self._open else _NOTHING
        if tag == "meta" and values.get("name", "").lower() == "author":
            self.author = " ".join(clean_text(values.get("content", "")).split())
        if tag == "title" and not self._open_has("svg"):
            self._in_title = True
        if not hidden:
            self._count(tag, values)
            if tag == "br":
                self._spans.append(Span("\n"))
            elif tag in _BLOCKS:
                self._begin_block(tag, values)
        if tag in _VOID or len(self._open) >= _MOST_OPEN:
            return
        types = set((values.get("epub:type", "") + " " + values.get("role", "").replace("doc-", "")).split())
        look = values.get("style", "")
        byline = tag == "p" and values.get("class") == "byline" and self._open_has("header")
        unseen = hidden or tag in _UNSEEN or bool(types & (_NOTES | _PASSED_OVER)) or "hidden" in values or byline
        if types & _NOTES and not hidden:
            self.losses[FailureCode.LOST_NOTES] += "noteref" in types
        emphasis = emphasis or tag in _EMPHASIS or _ITALIC.search(look) is not None
        strong = strong or tag in _STRONG or _BOLD.search(look) is not None
        self._open.append((tag, unseen, emphasis, strong, exact or tag == "pre" or _EXACT.search(look) is not None))

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """Take ``<p/>`` for an empty paragraph, as XML has it."""
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """End a block or a style; what was left open inside it ends too."""
        if tag == "title":
            self._in_title = False
        if tag in _BLOCKS:
            self._end_block()
        for at in range(len(self._open) - 1, max(len(self._open) - 100, 0) - 1, -1):
            if self._open[at][0] == tag:
                del self._open[at:]
                return

    def handle_data(self, data: str) -> None:
        """Take text as a browser shows it."""
        if self._in_title:
            self.named = " ".join((self.named + clean_text(data)).split())
            return
        _, hidden, emphasis, strong, exact = self._open[-1] if self._open else _NOTHING
        if hidden or self._open_has("head"):
            return
        text = clean_text(data)
        if not exact:
            text = _BLANKS.sub(" ", text)
            if text == " " and not self._spans:
                return
            if self._spans and self._spans[-1].text.endswith((" ", "\n")):
                text = text.removeprefix(" ")
        if text:
            self._spans.append(Span(text, emphasis, strong))

    def _open_has(self, tag: str) -> bool:
        return any(found == tag for found, *_ in self._open[-30:])

    def _count(self, tag: str, values: dict[str, str]) -> None:
        if tag in _COUNTED and not self._open_has("head"):
            self.losses[_COUNTED[tag]] += 1
        elif tag == "a" and values.get("href"):
            self.losses[FailureCode.LOST_LINKS] += 1

    def _begin_block(self, tag: str, values: dict[str, str]) -> None:
        self._end_block()
        if tag == "hr":
            self.blocks.append(SCENE_MARK)
        elif re.fullmatch("h[1-6]", tag):
            deeper = values.get("aria-level", "")
            self._level = int(deeper) if deeper.isdigit() and len(deeper) == 1 else int(tag[1])

    def _end_block(self) -> None:
        level, spans = self._level, self._spans
        self._level, self._spans = 0, []
        block = make_block(_strip_edges(spans), level)
        if block:
            if level:
                self.headings.append((len(self.blocks), level))
            self.blocks.append(block)


def read_html(raw: bytes, path: Path) -> ReadText:
    """Return what an HTML file holds; raise StorydeskError(FILE_BINARY)."""
    page = PageReader()
    page.feed(tame_page(decode_page(raw, path)))
    page.end_page()
    title, blocks = page.named, page.blocks
    tops = [at for at, level in page.headings if level == 1]
    if tops == [0]:  # one heading above all others is the title, and the others are chapters
        title = strip_markup(blocks[0])
        for at, level in page.headings:
            blocks[at] = "#" * min(level - 1, 6) + " " + blocks[at].partition(" ")[2]
        blocks = blocks[1:]
    else:
        for at, level in page.headings:
            blocks[at] = "#" * min(level, 6) + " " + blocks[at].partition(" ")[2]
    return ReadText(title if title != "Untitled" else "", "\n\n".join(blocks), page.author, list_losses(page.losses))


def tame_page(text: str) -> str:
    """Return a page without comments, declarations and tags without an end, for which HTMLParser takes for ever."""
    kept: list[str] = []
    at = 0
    for match in _DECLARATION.finditer(text):
        if match.start() < at:
            continue
        kept.append(text[at : match.start()])
        end = "-->" if match[0] == "<!--" else ">"
        found = text.find(end, match.end())
        at = len(text) if found < 0 else found + len(end)
    return _NO_TAG.sub("&lt;", "".join([*kept, text[at:]]))


def decode_page(raw: bytes, path: Path) -> str:
    """Return a page's text: its own word on its encoding counts where it is not UTF-8."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        named = _CHARSET.search(raw[:2048])
        if named and not raw.startswith((b"\xff\xfe", b"\xfe\xff")):
            try:
                return raw.decode(named[1].decode("ascii"), errors="replace")
            except LookupError:
                pass
        return decode_text(raw, path)


def _strip_edges(spans: list[Span]) -> list[Span]:
    """Return the spans without the blank before a line break, which no browser shows."""
    found = list(spans)
    for at in range(len(found) - 1):
        if found[at + 1].text == "\n" and found[at].text.endswith(" "):
            found[at] = Span(found[at].text.rstrip(" "), found[at].emphasis, found[at].strong)
    return found

"""Between the little Markdown of a draft and what other programs copy and paste: HTML in, HTML out, plain text cleaned.

Pasted HTML is read for its words, headings, emphasis and paragraphs; everything else about it stays where it came
from. Standard library only.
"""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

from storydesk.domain.markup import BlockKind, Span, format_spans, join_spans, parse_blocks

_INVISIBLE = re.compile("[\u00ad\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\x00-\x08\x0e-\x1f\x7f]")
_DIRECTIONS = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LEADING = re.compile(r"(?m)^[ \t\u00a0\u3000]+|[ \t]+$")
_MANY_BLANK = re.compile(r"\n{3,}")
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLOCKS = frozenset(
    ("p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "li", "ul", "ol", "dd", "dt", "blockquote", "pre", "tr", "table")
)
_SECTIONS = frozenset(("section", "article", "header", "footer", "aside", "figure"))
_SILENT = frozenset(
    ("style", "script", "head", "title", "template", "xml", "noscript", "svg", "math", "select", "textarea", "button")
)
_EMPTY = frozenset(("meta", "link", "input", "col", "area", "base", "wbr", "img", "br", "hr"))


def clean_pasted(text: str) -> str:
    """Return pasted plain text as a draft holds it.

    Line ends become ``\\n``; soft hyphens, zero-width and control characters go, as do indents, spaces at a line's end
    and more than one blank line. Double spaces between sentences and no-break spaces inside a line stay, as do marks
    of direction in a text that needs them.
    """
    joined = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    joined = joined.replace("\x0b", "\n").replace("\x0c", "\n")
    if _DIRECTIONS.search(joined):
        joined = re.sub("[\u00ad\u2060\ufeff\x00-\x08\x0e-\x1f\x7f]", "", joined)
    else:
        joined = _INVISIBLE.sub("", joined)
    if "\n" not in joined:
        return joined.replace("\t", " ")
    return _MANY_BLANK.sub("\n\n", _LEADING.sub("", joined).replace("\t", " "))


def exact_pasted(text: str) -> str:
    """Return pasted plain text with nothing changed but what a draft can't hold."""
    joined = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return joined.replace("\x00", "")


def html_to_markup(source: str) -> str:
    """Return the words of HTML with its headings, emphasis and paragraphs as a draft writes them."""
    reader = _HtmlReader()
    reader.feed(_fragment(source))
    reader.close()
    return reader.finish()


def markup_to_html(text: str) -> str:
    """Return a draft's text as HTML that other programs paste with headings, emphasis and scene breaks."""
    parts: list[str] = []
    for block in parse_blocks(text):
        if block.kind is BlockKind.SCENE_BREAK:
            parts.append('<p style="text-align:center">* * *</p>')
            continue
        tag = f"h{block.level}" if block.kind is BlockKind.HEADING else "p"
        parts.append(f"<{tag}>{'<br>'.join(map(_say_line, block.lines))}</{tag}>")
    return "".join(parts)


def _say_line(line: tuple[Span, ...]) -> str:
    said = []
    for span in line:
        words = html.escape(span.text, quote=False)
        words = f"<em>{words}</em>" if span.emphasis else words
        said.append(f"<strong>{words}</strong>" if span.strong else words)
    return "".join(said)


def _fragment(source: str) -> str:
    """Return what was copied, where the clipboard marks it within a whole page."""
    start, end = source.find("<!--StartFragment"), source.find("<!--EndFragment")
    if 0 <= start < end:
        return source[source.find(">", start) + 1 : end]
    return source


class _HtmlReader(HTMLParser):
    """Gathers paragraphs of spans."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._paragraphs: list[str] = []
        self._spans: list[Span] = []
        self._heading = 0
        self._silent = 0
        self._styles: list[tuple[str, bool, bool]] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT and tag not in _EMPTY:
            self._silent += 1
        if self._silent:
            return
        if tag == "br":
            self._end_line()
        elif tag == "hr":
            self._end_paragraph()
            self._paragraphs.append("***")
        elif tag in _BLOCKS or tag in _SECTIONS:
            self._end_paragraph()
            self._heading = int(tag[1]) if re.fullmatch("h[1-6]", tag) else 0
        look = dict(attributes).get("style") or ""
        emphasis, strong = self._style()
        if tag in ("i", "em", "cite") or re.search(r"font-style:\s*(italic|oblique)", look):
            emphasis = True
        if tag in ("b", "strong") or re.search(r"font-weight:\s*(bold|[6-9]00)", look):
            strong = not re.search(r"font-weight:\s*(normal|400)", look)
        if re.search(r"font-style:\s*normal", look):
            emphasis = False
        if tag not in _EMPTY:
            self._styles.append((tag, emphasis, strong))

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent and tag not in _EMPTY:
            self._silent -= 1
            return
        if self._silent:
            return
        for number in range(len(self._styles) - 1, -1, -1):
            if self._styles[number][0] == tag:
                del self._styles[number:]
                break
        if tag in _BLOCKS or tag in _SECTIONS:
            self._end_paragraph()
        elif tag in ("td", "th"):
            self._spans.append(Span(" "))

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        emphasis, strong = self._style()
        words = _INVISIBLE.sub("", _SPACES.sub(" ", data))
        if words and not (words == " " and not self._spans):
            self._spans.append(Span(words, emphasis, strong))

    def finish(self) -> str:
        """Return everything that was read."""
        self._end_paragraph()
        return "\n\n".join(self._paragraphs)

    def _style(self) -> tuple[bool, bool]:
        return self._styles[-1][1:] if self._styles else (False, False)

    def _end_line(self) -> None:
        if self._spans:
            self._spans.append(Span("\n"))

    def _end_paragraph(self) -> None:
        spans, self._spans = self._spans, []
        lines: list[list[Span]] = [[]]
        for span in spans:
            if span.text == "\n":
                lines.append([])
            else:
                lines[-1].append(span)
        said = [_trim(format_spans(join_spans(tuple(line)))) for line in lines]
        text = "\n".join(said).strip("\n")
        if text.strip():
            if self._heading:
                plain = " ".join("".join(span.text for span in line) for line in lines)
                text = f"{'#' * self._heading} {_trim(plain)}"
            self._paragraphs.append(text)
        self._heading = 0


def _trim(line: str) -> str:
    return re.sub(r" {2,}", " ", line).strip(" \u00a0")

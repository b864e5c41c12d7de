"""Mendings: what takes out of a text what is no prose, each under a name that an edit of a dataset records.

A name stays what it is for ever: where a mending gets better, the better one gets a new name.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

ENCODING, MARKUP, REMARKS, LINES, LICENCE = "encoding-1", "markup-1", "remarks-1", "lines-1", "licence-1"

_MARKS = re.compile(r"\s*<\s*(?:newline|br\s*/?|/?\s*p)\s*>\s*", re.IGNORECASE)
_END_OF_TEXT = re.compile(r"<\|\s*(?:end\s*of\s*text|startoftext|im_start|im_end|pad)\s*\|>", re.IGNORECASE)
_CODE = re.compile(r"<(script|style)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_ELEMENT = re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]{0,300})?/?>|<!--.*?-->", re.DOTALL)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z]{2,8});")
_LINK = re.compile(r"!?\[([^\]\n]{0,300})\]\((?:[^()\s]|\([^()\s]*\)){1,500}\)")
_BARE_LINK = re.compile(r"\b(?:https?://|www\.)\S+")
_STRONG = re.compile(r"(?<![\w*])(\*{1,3}|__)(?=\S)([^*_\n]{1,400}?)(?<=\S)\1(?![\w*])")
_UNDERLINED = re.compile(r"(?<!\w)_(?=\S)([^_\n]{1,400}?)(?<=\S)_(?!\w)")
_HEADING_MARK = re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE)
_QUOTE_MARK = re.compile(r"^[ \t]*>[ \t]?", re.MULTILINE)
_RULE = re.compile(r"^[ \t]*(?:[-_=]{4,}|(?:[-*_][ \t]*){3,})[ \t]*$", re.MULTILINE)
_REMARK = re.compile(
    r"^[ \t]*[*_(\[]*(?:edit(?:ed)?[ \t]*\d*[ \t]*(?:\([^)\n]*\))?[ \t]*[:;\-]|tl;?dr\b"
    r"|i am a bot\b|reminder for writers\b"
    r"|welcome to the prompt\b|off[- ]topic discussion\b|(?:thanks|thank you) for (?:the gold|reading)\b"
    r"|(?:please )?(?:visit|check out|subscribe to)? ?/?r/\w+\b"
    r"|feedback (?:is )?(?:always )?(?:welcome|appreciated)\b).*$",
    re.IGNORECASE | re.MULTILINE,
)
# UTF-8 read as Windows-1252: each beyond-ASCII letter shows as two or three of these.
_MOJIBAKE = re.compile(
    "[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013\u2014"
    "\u2018-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac\u2122]{1,3}"
)
_LOST_APOSTROPHE = re.compile("(?<=[A-Za-z])\ufffd{1,3}(?=(?:s|t|d|m|re|ll|ve)\\b)")
_LICENCE_START = re.compile(
    r"\*{3}\s*START OF (?:THE|THIS) PROJECT GUTENBERG[^\n]*(?:\n(?!\n)[^\n]*)*?\*{3}[^\n]*", re.IGNORECASE
)
_LICENCE_END = re.compile(
    r"\*{3}\s*END OF (?:THE|THIS) PROJECT GUTENBERG|^[ \t]*End of (?:the )?Project Gutenberg", re.IGNORECASE | re.M
)
_LICENCE_LINE = re.compile(
    r"^[^\n]{0,150}?(?:\bproject gutenberg\b|\ball rights reserved\b|\bthis (?:e-?book|work) is for the use of anyone\b"
    r"|\bproduced by\b[^\n]{0,80}\bproofread|\bdistributed proofread|\btranscriber'?s note|©|\(c\) ?\d{4}"
    r"|\bcopyright ?(?:©|\(c\))? ?\d{4}|\bcreative commons\b|\blicen[cs]ed under\b|\bISBN[ :\-0-9])[^\n]{0,250}$",
    re.IGNORECASE | re.MULTILINE,
)
_LICENCE_HINTS = (
    "gutenberg",
    "rights reserved",
    "the use of anyone",
    "proofread",
    "transcriber",
    "©",
    "(c)",
    "copyright",
    "creative commons",
    "licensed under",
    "licenced under",
    "isbn",
)
_REMARK_HINTS = (
    "edit",
    "tldr",
    "tl;dr",
    "a bot",
    "the prompt",
    "topic",
    "for the gold",
    "for reading",
    "r/",
    "feedback",
    "reminder",
)
_LICENCE_ZONE = 4_000
"""Characters at both ends of a text in which a line of a licence counts as one."""

_DIGITS = re.compile(r"\d+")
_BREAKS = re.compile(r"\n{3,}")


def mend(name: str, text: str, lines: Sequence[str] = ()) -> str:
    """Return the text after the mending; a name of a newer program changes nothing."""
    mending = MENDINGS.get(name)
    return mending(text, lines) if mending is not None else text


def mend_encoding(text: str) -> str:
    """Return the text with UTF-8 that was read as another encoding read again, and lost apostrophes put back.

    Text that went through the wrong encoding twice is mended twice. What can't be known goes.
    """
    for _ in range(2):
        again = _read_again(text)
        if again == text:
            break
        text = again
    return _LOST_APOSTROPHE.sub("'", text).replace("\ufffd", "")


def repair_encoding(text: str) -> str:
    """Return the text with UTF-8 that was read as Windows-1252 read again, and without replacement characters."""
    return _read_again(text).replace("\ufffd", "")


def strip_markup(text: str, *, rules: bool = True) -> str:
    """Return the text without HTML, entities, Markdown's marks, links' addresses and models' own marks.

    ``rules`` takes out lines of stars and dashes as well, which may be scene breaks.
    """
    # Looking for one character is many times faster than a pattern, and most prose holds none of them.
    if "<" in text:
        text = _END_OF_TEXT.sub("", text)
        text = _CODE.sub("", text)
        text = _ELEMENT.sub("", text)
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(match.group()), text)
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    if "://" in text or "www." in text:
        text = _BARE_LINK.sub("", text)
    if rules:
        text = _RULE.sub("", text)
    if "#" in text:
        text = _HEADING_MARK.sub("", text)
    if ">" in text:
        text = _QUOTE_MARK.sub("", text)
    if "*" in text or "__" in text:
        text = _STRONG.sub(r"\2", text)
    return _UNDERLINED.sub(r"\1", text) if "_" in text else text


def replace_marks(text: str) -> str:
    """Return the text with words for line breaks (``<newline>``, ``<br>``) made line breaks."""
    return _MARKS.sub("\n", text) if "<" in text else text


def strip_remarks(text: str) -> str:
    """Return the text without lines that authors and moderators add to a posted story."""
    return _REMARK.sub("", text) if _holds(text, _REMARK_HINTS) else text


def strip_licence(text: str) -> str:
    """Return the text without what a publisher or archive put before and behind it."""
    if not _holds(text, _LICENCE_HINTS):
        return text
    start = None
    for start in _LICENCE_START.finditer(text):  # noqa: B007 - the last one is meant
        pass
    if start is not None:
        text = text[start.end() :]
    end = _LICENCE_END.search(text)
    if end is not None:
        text = text[: end.start()]
    zone = _LICENCE_ZONE
    if len(text) <= 2 * zone:
        stripped = _LICENCE_LINE.sub("", text)
    else:
        # The zones end with a line, so that none is cut in two.
        head, tail = text.find("\n", zone), text.rfind("\n", 0, len(text) - zone)
        if head < 0 or tail < head:
            head = tail = len(text)
        stripped = _LICENCE_LINE.sub("", text[:head]) + text[head:tail] + _LICENCE_LINE.sub("", text[tail:])
    return text if stripped == text and start is None and end is None else _close_up(stripped)


def reduce_line(line: str) -> str:
    """Return what two printings of the same running line share: its letters, and a # for each number."""
    return " ".join(_DIGITS.sub("#", line).casefold().split())


def drop_lines(text: str, lines: Sequence[str]) -> str:
    """Return the text without the lines that reduce to one of ``lines``."""
    unwanted = frozenset(lines)
    kept = [line for line in text.split("\n") if reduce_line(line) not in unwanted]
    return _close_up("\n".join(kept)) if len(kept) < text.count("\n") + 1 else text


def _read_again(text: str) -> str:
    if text.isascii():
        return text

    def decode(match: re.Match[str]) -> str:
        for encoding in ("cp1252", "latin-1"):
            try:
                return match.group().encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
        return match.group()

    return _MOJIBAKE.sub(decode, text)


def _holds(text: str, hints: Sequence[str]) -> bool:
    """Say whether a pattern is worth looking for: one of its words stands in the text."""
    lowered = text.lower()
    return any(hint in lowered for hint in hints)


def _close_up(text: str) -> str:
    return _BREAKS.sub("\n\n", text).strip("\n")


def _take_out_markup(text: str) -> str:
    mended = strip_markup(replace_marks(text), rules=False)
    return text if mended == text else _close_up(mended)


def _take_out_remarks(text: str) -> str:
    mended = strip_remarks(text)
    return text if mended == text else _close_up(mended)


MENDINGS: Final[Mapping[str, Callable[[str, Sequence[str]], str]]] = {
    ENCODING: lambda text, _lines: mend_encoding(text),
    MARKUP: lambda text, _lines: _take_out_markup(text),
    REMARKS: lambda text, _lines: _take_out_remarks(text),
    LICENCE: lambda text, _lines: strip_licence(text),
    LINES: drop_lines,
}
"""Every mending by its name: what it makes of a text, given the lines to take out."""

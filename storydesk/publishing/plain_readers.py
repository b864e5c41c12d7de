"""Markdown and plain text, with the marks that titles have there; lines that a program broke are joined."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

from storydesk.domain.characters import clean_text
from storydesk.publishing.raw_text import decode_text

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_FRONT_TITLE = re.compile(r"^title[ \t]*:[ \t]*(.*?)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_UNDERLINED = re.compile(r"\A([^\n]*\S)[ \t]*\n={3,}[ \t]*(?:\n|\Z)")
_FIRST_HEADING = re.compile(r"\A#[ \t]+(\S[^\n]*?)[ \t]*(?:\n|\Z)")
_HARD_BREAK = re.compile(r"(?:\\| {2,})\n(?=[^\n])")
_KEPT_APART = re.compile(r"#{1,6}[ \t]|[-*+>][ \t]|\d+[.)][ \t]")
_NARROWEST, _WIDEST = 50, 100
_LEAST_LINES = 3


def read_plain(raw: bytes, path: Path) -> tuple[str, str]:
    """Return title (empty without one) and text of a plain text file; raise StorydeskError(FILE_BINARY)."""
    text = clean_text(decode_text(raw, path)).strip("\n")
    title, text = _take_title(text, _UNDERLINED)
    return title, unwrap_lines(text).strip("\n")


def read_markdown(raw: bytes, path: Path) -> tuple[str, str]:
    """Return title (empty without one) and text of a Markdown file; its front matter's title comes first."""
    text = clean_text(decode_text(raw, path)).lstrip("\n")
    title = ""
    front = _FRONT_MATTER.match(text)
    if front and ":" in front.group(1):
        text = text[front.end() :]
        named = _FRONT_TITLE.search(front.group(1))
        title = _unquote(named.group(1)) if named else ""
    text = text.strip("\n")
    if not title:
        title, text = _take_title(text, _UNDERLINED)
    heading = _FIRST_HEADING.match(text)
    if heading and (not title or title == heading.group(1)):
        title, text = heading.group(1), text[heading.end() :]
    # A break that was asked for must outlive the joining of lines; no clean text has this character.
    marked = _HARD_BREAK.sub("\0", text)
    return title, unwrap_lines(marked).replace("\0", "\n").strip("\n")


def unwrap_lines(text: str) -> str:
    """Return the text with the lines of each paragraph joined where a program broke them at a column.

    That is so where lines go on in the next one only because its first word had no room any more.
    """
    lines = text.split("\n")
    pairs = [
        (line.rstrip(), following.split()[0])
        for line, following in itertools.pairwise(lines)
        if line.strip() and following.strip() and not _starts_new(following) and not _starts_new(line)
    ]
    widest = max((len(line) for line in map(str.rstrip, lines)), default=0)
    if len(pairs) < _LEAST_LINES or not _NARROWEST <= widest <= _WIDEST:
        return text
    broken = sum(1 for line, word in pairs if len(line) + 1 + len(word) > widest - 3)
    if broken < 0.9 * len(pairs):
        return text
    joined = [lines[0].rstrip()]
    for before, line in itertools.pairwise(lines):
        if before.strip() and line.strip() and not _starts_new(line) and not _KEPT_APART.match(before):
            joined[-1] += " " + line.strip()
        else:
            joined.append(line.rstrip())
    return "\n".join(joined)


def _starts_new(line: str) -> bool:
    return line.startswith(("\t", "  ")) or _KEPT_APART.match(line) is not None


def _take_title(text: str, pattern: re.Pattern[str]) -> tuple[str, str]:
    match = pattern.match(text)
    return (match.group(1).strip(), text[match.end() :]) if match else ("", text)


def _unquote(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    return " ".join(value.split())

"""The little Markdown that stories may hold: ``# headings``, ``*emphasis*``, ``**strong**``, scene breaks.

``\\*`` is a star that means nothing. Emphasis never crosses a line break.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

_BLANK = re.compile(r"\n(?:[ \t]*\n)+")
_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*?)[ \t]*")
_SCENE_BREAK = re.compile(
    r"[#*~⁂]|(?:#[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:~[ \t]*){3,}|(?:[-–—][ \t]*){3,}|(?:•[ \t]*){3,}"
)
_EMPHASIS = re.compile(r"(?<![\w*\\])(\*{1,3})(?![\s*])((?:\\.|[^*\\\n])+?)(?<!\s)\1(?![\w*])")
_ESCAPED = re.compile(r"\\\*")


class BlockKind(StrEnum):
    """What a block of a story is."""

    PARAGRAPH = "paragraph"
    HEADING = "heading"
    SCENE_BREAK = "scene_break"


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a line in one style."""

    text: str
    emphasis: bool = False
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (``level`` 1 to 6), a scene break or a paragraph; ``lines`` are more than one in verse only."""

    kind: BlockKind
    lines: tuple[tuple[Span, ...], ...] = ()
    level: int = 0


def parse_blocks(text: str) -> list[Block]:
    """Return the blocks of a text whose line break is ``\\n``.

    Blank lines part paragraphs where there are any; in a text without, each line is a paragraph.
    """
    blocks: list[Block] = []
    for paragraph in split_paragraphs(text):
        verse: list[str] = []
        for line in paragraph.split("\n"):
            special = _parse_special(line.strip())
            if special is None:
                verse.append(line)
                continue
            blocks += _make_paragraph(verse)
            verse = []
            blocks.append(special)
        blocks += _make_paragraph(verse)
    return blocks


def split_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, none of them empty; line breaks inside them are those of verse."""
    stripped = text.strip("\n")
    parts = _BLANK.split(stripped) if _BLANK.search(stripped) else stripped.split("\n")
    return [part for part in parts if part.strip()]


def parse_line(line: str) -> tuple[Span, ...]:
    """Return the spans of one line."""
    spans: list[Span] = []
    position = 0
    for match in _EMPHASIS.finditer(line):
        spans.append(Span(unescape(line[position : match.start()])))
        stars = len(match.group(1))
        spans.append(Span(unescape(match.group(2)), emphasis=stars != 2, strong=stars >= 2))
        position = match.end()
    spans.append(Span(unescape(line[position:])))
    return tuple(span for span in spans if span.text)


def format_spans(spans: tuple[Span, ...]) -> str:
    """Return the line that parses to these spans; emphasis that can't be written, as inside a word, is left out.

    Stars that mean nothing are escaped only where they would be read as marks.
    """
    line = _compose(spans, escape_all=False)
    return line if join_spans(parse_line(line)) == join_spans(spans) else _compose(spans, escape_all=True)


def join_spans(spans: tuple[Span, ...]) -> tuple[Span, ...]:
    """Return the spans with neighbours of one style joined."""
    joined: list[Span] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and (last.emphasis, last.strong) == (span.emphasis, span.strong):
            joined[-1] = Span(last.text + span.text, last.emphasis, last.strong)
        else:
            joined.append(span)
    return tuple(joined)


def strip_markup(text: str) -> str:
    """Return the text as a reader sees it: no marks of headings and emphasis, scene breaks as they are."""
    return "\n".join(map(_strip_line, text.split("\n")))


def is_scene_break(line: str) -> bool:
    """Return whether a line is nothing but a scene break."""
    return _SCENE_BREAK.fullmatch(line.strip()) is not None


def find_heading(line: str) -> tuple[int, int] | None:
    """Return a heading's level (1 to 6) and where its words begin in the line; None where it is no heading."""
    if "#" not in line:
        return None
    stripped = line.strip()
    heading = _HEADING.fullmatch(stripped)
    if heading is None or _SCENE_BREAK.fullmatch(stripped):
        return None
    return len(heading.group(1)), line.index(stripped) + heading.start(2)


def find_emphasis(line: str) -> list[tuple[int, int, int]]:
    """Return (start, end, stars) of each emphasis of a line, its stars included."""
    if "*" not in line:
        return []
    return [(match.start(), match.end(), len(match.group(1))) for match in _EMPHASIS.finditer(line)]


def unescape(text: str) -> str:
    """Return the text with escaped stars as stars."""
    return _ESCAPED.sub("*", text)


def _compose(spans: tuple[Span, ...], *, escape_all: bool) -> str:
    line = ""
    for number, span in enumerate(spans):
        stars = "*" * (span.emphasis + 2 * span.strong)
        text = span.text.replace("*", r"\*") if escape_all or stars else span.text
        if stars and text.strip():
            core = text.strip()
            start = text.index(core)
            before, after = text[:start], text[start + len(core) :]
            following = after or "".join(other.text for other in spans[number + 1 :])
            previous = (line + before)[-1:]
            closes = (len(core) - len(core.rstrip("\\"))) % 2 == 0
            fits = not re.match(r"[\w*\\]", previous) and not re.match(r"[\w*]", following) and closes
            text = f"{before}{stars}{core}{stars}{after}" if fits else text
        line += text
    return line


def _strip_line(line: str) -> str:
    if is_scene_break(line):
        return line
    heading = _HEADING.fullmatch(line.strip())
    return "".join(span.text for span in parse_line(heading.group(2) if heading else line))


def _parse_special(line: str) -> Block | None:
    if _SCENE_BREAK.fullmatch(line):
        return Block(BlockKind.SCENE_BREAK)
    heading = _HEADING.fullmatch(line)
    if heading:
        return Block(BlockKind.HEADING, (parse_line(heading.group(2)),), len(heading.group(1)))
    return None


def _make_paragraph(verse: list[str]) -> list[Block]:
    lines = tuple(parse_line(line) for line in verse)
    return [Block(BlockKind.PARAGRAPH, lines)] if any(lines) else []

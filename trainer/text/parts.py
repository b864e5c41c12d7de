"""Long stories as parts: chapters where there are headings, else parts of so many words that end with a paragraph."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trainer.text.ngrams import count_words

CHAPTERS = "chapters-1"
"""The name under which an edit of a dataset records this way to cut; a better one gets a new name."""

LONGEST_PART = 2_500
"""Words after which a story without chapters is cut at a paragraph's end."""

OPENING_WORDS = 30
"""The most words of a prompt that is made of a story's first sentence."""

_FEWEST_WORDS = 150
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*(?=\s)")
_NUMBER = r"(?:\d{1,3}|[ivxlc]{1,8}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|the \w{3,12})"
_HEADING = re.compile(
    rf"^[ \t]*(?:#{{1,6}}[ \t]+(?P<marked>[^\n]{{1,120}})"
    rf"|(?P<named>(?:chapter|part|book|letter|scene)[ \t]+{_NUMBER}\b[^\n]{{0,100}}|prologue|epilogue)"
    rf"|(?-i:(?P<bare>[IVXL]{{1,6}}))\.?)[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)


def cut(name: str, text: str) -> list[tuple[str, str, str]]:
    """Return prompt, how it was found, and text of each part; one part where it can't be cut.

    A chapter answers its heading, a part without one its own first sentence; an empty prompt stands for that of the
    whole. A name of a newer program cuts nothing.
    """
    if name != CHAPTERS:
        return [("", "", text)]
    parts = []
    for number, (title, part) in enumerate(cut_chapters(text)):
        opening = "" if title or not number else find_opening(part)
        parts.append((title or opening, "heading" if title else "opening" if opening else "", part))
    return parts


def find_opening(story: str) -> str:
    """Return the first sentence of a story, or its first thirty words; empty for a story without words."""
    text = " ".join(story[:2_000].split())
    end = _SENTENCE_END.search(text)
    sentence = text[: end.end()] if end is not None else text
    words = sentence.split(" ")
    return sentence if len(words) <= OPENING_WORDS else " ".join(words[:OPENING_WORDS]) + "…"


def cut_chapters(text: str) -> list[tuple[str, str]]:
    """Return the chapters of a text; very short ones join what follows, very long ones are cut once more."""
    starts = [match for match in _HEADING.finditer(text) if _stands_alone(text, match)]
    pieces: list[tuple[str, str]] = []
    if len(starts) > 1:
        before = text[: starts[0].start()].strip()
        if before:
            pieces.append(("", before))
        ends = [match.start() for match in starts[1:]] + [len(text)]
        for match, end in zip(starts, ends, strict=True):
            title = " ".join((match["marked"] or match["named"] or "").strip(" #*_.").split())
            pieces.append((title, text[match.end() : end].strip()))
    else:
        pieces.append(("", text.strip()))
    return [part for title, piece, words in _join_short(pieces) for part in _cut_long(title, piece, words)]


def cut_words(text: str, longest: int = LONGEST_PART) -> Iterator[str]:
    """Yield parts of about ``longest`` words that end with a paragraph (or, without any, a sentence)."""
    current: list[str] = []
    words = 0
    for piece, size in _split_pieces(text, longest):
        if current and words + size > longest:
            yield "".join(current).strip()
            current, words = [], 0
        current.append(piece)
        words += size
    rest = "".join(current).strip()
    if rest:
        yield rest


def _stands_alone(text: str, match: re.Match[str]) -> bool:
    """Say whether a heading has a blank line (or an end of the text) before it."""
    before = text[: match.start()].rstrip(" \t")
    return not before or before.endswith("\n\n") or bool(match["marked"])


def _join_short(pieces: list[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """Return the pieces with their words; those that are hardly more than a heading stand in front of the next."""
    joined: list[tuple[str, str, int]] = []
    waiting: tuple[str, str, int] | None = None
    for title, piece in pieces:
        words = count_words(piece)
        if waiting is not None:
            title, piece, words = waiting[0] or title, f"{waiting[1]}\n\n{piece}".strip(), waiting[2] + words
        if words < _FEWEST_WORDS:
            waiting = title, piece, words
        else:
            joined.append((title, piece, words))
            waiting = None
    if waiting is not None and waiting[1]:
        if joined:
            title, piece, words = joined[-1]
            joined[-1] = title, f"{piece}\n\n{waiting[1]}", words + waiting[2]
        else:
            joined.append(waiting)
    return joined


def _cut_long(title: str, piece: str, words: int) -> Iterator[tuple[str, str]]:
    if words <= 2 * LONGEST_PART:
        yield title, piece
        return
    for number, part in enumerate(cut_words(piece), start=1):
        yield f"{title} ({number})" if title else "", part


def _split_pieces(story: str, longest: int) -> Iterator[tuple[str, int]]:
    """Yield paragraphs with the break after them and their words; of one too long its sentences or bare words."""
    for paragraph in re.split(r"(?<=\n\n)", story):
        size = count_words(paragraph)
        if size <= longest:
            yield paragraph, size
            continue
        for sentence in re.split(r"(?<=[.!?][\"' ] )|(?<=[.!?] )", paragraph):
            words = sentence.split(" ")
            for start in range(0, len(words), longest):
                chunk = " ".join(words[start : start + longest])
                chunk += " " if start + longest < len(words) else ""
                yield chunk, count_words(chunk)

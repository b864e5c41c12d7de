"""Where sentences, paragraphs and spoken words begin and end in a story. All places are code points."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

Span = tuple[int, int]

_LINE = re.compile(r"[^\r\n\u2028\u2029]+")
_END = re.compile(r"""[.!?…]+["'”’»›“)\]*_]*(?=\s)""")
_WORD_BEFORE = re.compile(r"([^\W\d_]+)\.$")
_TITLES = frozenset({
    "mr", "mrs", "ms", "dr", "st", "mt", "prof", "rev", "capt", "col", "gen", "lt", "sgt", "no", "vs", "messrs",
})  # fmt: skip
_OPENERS = "\"'“‘«‹„([—–- *_"
_PAIRS = (("“", "”"), ("«", "»"), ("„", "“"))
_SPEECH_ENDS = ".,!?…—–-;:"


def split_paragraphs(text: str) -> Iterator[Span]:
    """Yield the span of every line that has more than white space, without its line end."""
    for match in _LINE.finditer(text):
        if not match.group().isspace():
            yield match.span()


def split_sentences(text: str) -> list[Span]:
    """Return the sentences' spans in order, without the white space around them; a line end ends a sentence."""
    spans: list[Span] = []
    for start, end in split_paragraphs(text):
        begin = start
        for match in _END.finditer(text, start, end):
            if _goes_on(text, begin, match.start(), match.end(), end):
                continue
            spans.append((begin, match.end()))
            begin = match.end()
        spans.append((begin, end))
    trimmed = (_trim(text, *span) for span in spans)
    return [span for span in trimmed if span[0] < span[1]]


def sentence_at(spans: Sequence[Span], place: int) -> int:
    """Return the index of the sentence that holds a place, or the one before it; -1 before the first."""
    return bisect_right(spans, place, key=lambda span: span[0]) - 1


def find_quotations(text: str) -> list[Span]:
    """Return the spans of what stands in quotation marks, marks included, in order and apart from each other.

    A quotation that isn't closed goes to the end of its paragraph, as speech over several paragraphs is set.
    """
    found: list[Span] = []
    for start, end in split_paragraphs(text):
        found += _quotations_of(text, start, end)
    return found


def is_inside(spans: Sequence[Span], start: int, end: int) -> bool:
    """Return whether a place touches one of the spans, which are in order and apart from each other."""
    index = bisect_right(spans, start, key=lambda span: span[0]) - 1
    if index >= 0 and spans[index][1] > start:
        return True
    return index + 1 < len(spans) and spans[index + 1][0] < end


def _goes_on(text: str, begin: int, stop: int, after: int, end: int) -> bool:
    """Return whether a full stop ends no sentence: it belongs to a title, or what follows is small."""
    position = after
    while position < end and (text[position].isspace() or text[position] in _OPENERS):
        position += 1
    if position < end and text[position].islower():
        return True
    if text[stop:after] != ".":
        return False
    word = _WORD_BEFORE.search(text, begin, stop + 1)
    if word is None:
        return False
    return word[1].lower() in _TITLES or (len(word[1]) == 1 and word[1].isupper() and word[1] != "I")


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return start, end


def _quotations_of(text: str, start: int, end: int) -> Iterator[Span]:
    position = start
    while position < end:
        close = _closing_place(text, position, start, end)
        if close is None:
            position += 1
        else:
            yield position, close
            position = close


def _closing_place(text: str, place: int, start: int, end: int) -> int | None:
    """Return where the quotation that opens at ``place`` ends, None where none opens there."""
    mark = text[place]
    for opening, closing in _PAIRS:
        if mark == opening:
            found = text.find(closing, place + 1, end)
            return end if found < 0 else found + 1
    if mark == '"':
        found = text.find('"', place + 1, end)
        return end if found < 0 else found + 1
    if mark in "'‘" and _opens(text, place, start, end):
        return _single_close(text, place, end, "’" if mark == "‘" else "'")
    return None


def _opens(text: str, place: int, start: int, end: int) -> bool:
    before = text[place - 1] if place > start else " "
    return not before.isalnum() and before not in _SPEECH_ENDS[:4] and place + 1 < end and not text[place + 1].isspace()


def _single_close(text: str, place: int, end: int, mark: str) -> int | None:
    """Return the end of speech in single marks, which are apostrophes as well: it ends behind a stop or a comma."""
    found = text.find(mark, place + 1, end)
    while found >= 0:
        followed = text[found + 1] if found + 1 < end else " "
        if text[found - 1] in _SPEECH_ENDS and not followed.isalnum():
            return found + 1
        found = text.find(mark, found + 1, end)
    return None

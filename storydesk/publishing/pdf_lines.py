"""Spans of text broken into lines of a width, word by word; what a word looks like is worked out once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from storydesk.domain.markup import Span
from storydesk.publishing.pdf_fonts import Typeface

_WIDE = "[\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
_CLOSING = "[\u3001\u3002\uff0c\uff0e\uff01\uff1f\uff1a\uff1b\uff09\u300d\u300f\u3011\u2019\u201d]*"
_PLAIN = (
    "[^ \t\\-\u2010\u2013\u2014\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
)
_TOKEN = re.compile(f"[ \t]+|{_WIDE}{_CLOSING}|{_PLAIN}*[-\u2010\u2013\u2014]+|{_PLAIN}+")
_BREAKING = re.compile(f"(?:[-\u2010\u2013\u2014]|{_WIDE}{_CLOSING})$")

Segment = tuple[int, bool, str, int]
"""Number of the face, whether it is slanted by hand, codes in hexadecimal, width in thousandths of the size."""


@dataclass(frozen=True, slots=True)
class Word:
    """What can't be parted, or the blanks between two; ``width`` in thousandths of the size."""

    segments: tuple[Segment, ...]
    width: int
    blank: bool = False


class LineBreaker:
    """Breaks lines with one document's fonts. Any one thread."""

    def __init__(self, typeface: Typeface) -> None:
        """Work with these fonts."""
        self._typeface = typeface
        self._cache: dict[tuple[str, bool, bool], Word] = {}

    def break_lines(self, spans: Iterable[Span], widths: tuple[int, int]) -> Iterator[list[Word]]:
        """Yield lines; ``widths`` are those of the first and of every other line, in thousandths of the size."""
        line: list[Word] = []
        used, room = 0, widths[0]
        for word in self._find_words(spans):
            if word.blank:
                if line:
                    line.append(word)
                    used += word.width
                continue
            if line and used + word.width > room:
                yield _trim(line)
                line, used, room = [], 0, widths[1]
            pieces = [word] if word.width <= room else self._cut(word, room)
            for piece in pieces[:-1]:
                yield [*line, piece]
                line, used, room = [], 0, widths[1]
            line.append(pieces[-1])
            used += pieces[-1].width
        if line:
            yield _trim(line)

    def measure(self, spans: Iterable[Span]) -> list[Word]:
        """Return the words of one line that is not broken."""
        return _trim(list(self._find_words(spans)))

    def _find_words(self, spans: Iterable[Span]) -> Iterator[Word]:
        """Yield words and blanks; a word may reach over several spans."""
        pending: list[Word] = []
        for span in spans:
            for token in _TOKEN.findall(span.text):
                word = self._shape(token, span.emphasis, span.strong)
                if word.blank:
                    yield from _join(pending)
                    pending = []
                    yield word
                    continue
                pending.append(word)
                if _BREAKING.search(token):
                    yield from _join(pending)
                    pending = []
        yield from _join(pending)

    def _shape(self, token: str, italic: bool, bold: bool) -> Word:
        key = (token, italic, bold)
        found = self._cache.get(key)
        if found is None:
            found = self._cache[key] = self._shape_anew(token.replace("\t", "    "), italic, bold)
        return found

    def _shape_anew(self, token: str, italic: bool, bold: bool) -> Word:
        segments: list[Segment] = []
        for character in token:
            face, skewed = self._typeface.choose(character, italic, bold)
            code, advance = self._typeface.faces[face].encode(character)
            if segments and segments[-1][:2] == (face, skewed):
                _, _, codes, width = segments.pop()
                segments.append((face, skewed, f"{codes}{code:04x}", width + advance))
            else:
                segments.append((face, skewed, f"{code:04x}", advance))
        return Word(tuple(segments), sum(segment[3] for segment in segments), blank=not token.strip(" "))

    def _cut(self, word: Word, room: int) -> list[Word]:
        """Return a word that is wider than a line in pieces that are not."""
        pieces: list[Word] = []
        taken: list[Segment] = []
        used = 0
        for face, skewed, codes, _ in word.segments:
            for at in range(0, len(codes), 4):
                width = self._typeface.faces[face].widths[int(codes[at : at + 4], 16) - 1]
                if taken and used + width > room:
                    pieces.append(Word(tuple(taken), used))
                    taken, used = [], 0
                taken.append((face, skewed, codes[at : at + 4], width))
                used += width
        return [*pieces, Word(tuple(taken), used)]


def _join(words: Sequence[Word]) -> Iterator[Word]:
    if len(words) == 1:
        yield words[0]
    elif words:
        yield Word(tuple(segment for word in words for segment in word.segments), sum(word.width for word in words))


def _trim(line: list[Word]) -> list[Word]:
    while line and line[-1].blank:
        line.pop()
    return line

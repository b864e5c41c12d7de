"""Bring text into the form a model was trained on, and know where every character came from.

``ascii-1``: straight quotes, ``--`` for dashes, ``...`` for an ellipsis, single spaces, a blank line between
paragraphs, no invisible characters. Letters and everything else stay as they are.
"""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass

ASCII = "ascii-1"
"""The normaliser's name as a bundle records it."""

NAMES = (ASCII,)

_REPLACEMENTS = {
    **dict.fromkeys("“”„‟″«»〝〞＂", '"'),
    **dict.fromkeys("‘’‚‛′‹›ʼ＇", "'"),
    **dict.fromkeys("—―⸺", "--"),
    **dict.fromkeys("–‒−", "-"),
    **dict.fromkeys("‐‑", "-"),
    "…": "...",
}
_SPACES = frozenset(
    " \t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
)
_BREAKS = frozenset("\n\r\v\f\u0085\u2028\u2029")
# U+200D joins emoji and scripts and stays; these carry nothing a reader sees.
_INVISIBLE = frozenset("\ufeff\u200b\u2060\u00ad\u200e\u200f")

_TABLE = str.maketrans({**_REPLACEMENTS, **dict.fromkeys(_INVISIBLE, "")})
_SPACE = f"[{''.join(sorted(_SPACES | _BREAKS))}]"
_BROKEN = re.compile(f"{_SPACE}*[{''.join(sorted(_BREAKS))}]{_SPACE}*")
_SPACED = re.compile(f" {_SPACE}+|[{''.join(sorted(_SPACES - {' '}))}]{_SPACE}*")


@dataclass(frozen=True, slots=True)
class NormalisedText:
    """Normalised ``text`` with, for each of its characters, the span of the source that it stands for.

    ``starts`` and ``ends`` have ``len(text)`` entries, in code points of the source.
    """

    text: str
    starts: array[int]
    ends: array[int]

    def source_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the source span of ``text[start:end]``; empty spans give the place where they stand."""
        if start >= len(self.text):
            place = self.ends[-1] if self.ends else 0
            return place, place
        if end <= start:
            return self.starts[start], self.starts[start]
        return self.starts[start], self.ends[end - 1]


def normalise(text: str, name: str = ASCII) -> NormalisedText:
    """Return the text in the named form; raise ValueError for a name this version does not know.

    White space at both ends is kept as one space or one paragraph break, so that a cut text goes on rightly.
    """
    if name not in NAMES:
        raise ValueError(f"unknown normaliser {name!r}")
    out: list[str] = []
    starts: array[int] = array("q")
    ends: array[int] = array("q")

    def put(piece: str, start: int, end: int) -> None:
        for character in piece:
            out.append(character)
            starts.append(start)
            ends.append(end)

    position = 0
    length = len(text)
    while position < length:
        character = text[position]
        if character in _SPACES or character in _BREAKS:
            end = position
            broken = False
            while end < length and (text[end] in _SPACES or text[end] in _BREAKS or text[end] in _INVISIBLE):
                broken = broken or text[end] in _BREAKS
                end += 1
            put("\n\n" if broken else " ", position, end)
            position = end
        elif character in _INVISIBLE:
            position += 1
        else:
            put(_REPLACEMENTS.get(character, character), position, position + 1)
            position += 1
    return NormalisedText("".join(out), starts, ends)


def normalise_text(text: str, name: str = ASCII) -> str:
    """Return ``normalise(text, name).text``, many times faster, where nobody asks where characters came from."""
    if name not in NAMES:
        raise ValueError(f"unknown normaliser {name!r}")
    return _SPACED.sub(" ", _BROKEN.sub("\n\n", text.translate(_TABLE)))

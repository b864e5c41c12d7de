"""Texts without case and accents, so that a search finds a word however it is written."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence


def fold(text: str) -> str:
    """Return the text without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def fold_quickly(text: str) -> str:
    """Return the same as ``fold``, for long texts."""
    return FoldedText(text).text


class FoldedText:
    """A text without case and accents that knows where each of its characters came from."""

    def __init__(self, text: str) -> None:
        """Fold it; what folds to several characters or none (ß, combining accents) is rare and looked after."""
        table: dict[int, str] = {}
        odd: list[str] = []
        for character in set(text):
            folded = fold(character)
            if len(folded) != 1:
                odd.append(character)
            elif folded != character:
                table[ord(character)] = folded
        self._starts: list[int] = []
        self._unfolded: list[tuple[int, int, int]] = []
        if odd:
            text = self._unfold(text.translate(table), odd)
            self.text = text
        else:
            self.text = text.translate(table)

    def place(self, offset: int, *, end: bool = False) -> int:
        """Return the place in the original of a place in the folded text.

        One inside what a single character has become is the place before that character, or with ``end`` behind it.
        """
        number = bisect_right(self._starts, offset) - 1
        if number < 0:
            return offset
        start, length, place = self._unfolded[number]
        if start < offset < start + length:
            return place + end
        return place if offset == start and length else place + 1 + offset - start - length

    def _unfold(self, text: str, odd: Sequence[str]) -> str:
        pieces: list[str] = []
        end = length = 0
        for match in re.finditer(f"[{re.escape(''.join(odd))}]", text):
            folded = fold(match.group())
            pieces += (text[end : match.start()], folded)
            length += match.start() - end
            self._starts.append(length)
            self._unfolded.append((length, len(folded), match.start()))
            length += len(folded)
            end = match.end()
        pieces.append(text[end:])
        return "".join(pieces)

"""How a document writes quotes, dashes, ellipses and paragraphs, and giving generated text the same manners.

Models know the plain forms (see trainer.text.normaliser); a writer should never see them in a typeset draft.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TypographyStyle:
    """The document's own characters; the defaults are what a new, empty story gets."""

    open_double: str = "“"
    close_double: str = "”"
    open_single: str = "‘"
    close_single: str = "’"
    dash: str = "—"
    ellipsis: str = "…"
    paragraph: str = "\n\n"


PLAIN = TypographyStyle('"', '"', "'", "'", "--", "...", "\n\n")

# German comes first: its closing quote is the English opening one, so a tie is German.
_PAIRS = (("„", "“", "‚", "‘"), ("“", "”", "‘", "’"), ("«", "»", "‹", "›"), ('"', '"', "'", "'"))


def detect_style(text: str) -> TypographyStyle:
    """Return the style that a document uses most; what it never uses comes in the typeset form."""
    counts = [text.count(pair[0]) for pair in _PAIRS]
    singles = [text.count("’") + text.count("‘"), text.count("'")]
    if sum(counts):
        open_double, close_double, open_single, close_single = _PAIRS[counts.index(max(counts))]
    elif singles[1] > singles[0]:
        open_double, close_double, open_single, close_single = _PAIRS[3]
    else:
        open_double, close_double, open_single, close_single = _PAIRS[1]
    plain_dashes = len(re.findall(r"(?<!-)--(?!-)", text))
    spaced = text.count(" – ")
    dash = "--" if plain_dashes > text.count("—") + spaced else (" – " if spaced > text.count("—") else "—")
    ellipsis = "..." if text.count("...") > text.count("…") else "…"
    paragraph = "\n" if "\n" in text.strip() and "\n\n" not in text.strip() else "\n\n"
    return TypographyStyle(open_double, close_double, open_single, close_single, dash, ellipsis, paragraph)


class StyleRestorer:
    """Turns plain generated text into the document's style as it streams in; one thread at a time.

    A quote opens after white space, a dash, a bracket or at the start, and closes elsewhere. Characters whose
    meaning needs the next one (``-``, ``.``, quotes, white space) wait for it.
    """

    def __init__(self, style: TypographyStyle, before: str = "") -> None:
        """Start after the text that stands before the cursor; only its last character matters."""
        self._style = style
        self._previous = before[-1:]
        self._waiting = ""
        # Places in the plain text and in the shown one that stand for each other, wherever a piece changes its length.
        self._plain_places = [0]
        self._shown_places = [0]
        self._plain_end = self._shown_end = 0

    def find_shown(self, place: int) -> int:
        """Return where a place in the plain text that was fed stands in the text that was returned."""
        index = bisect_right(self._plain_places, place) - 1
        shown = self._shown_places[index] + place - self._plain_places[index]
        following = index + 1
        return min(shown, self._shown_places[following]) if following < len(self._shown_places) else shown

    def feed(self, text: str) -> str:
        """Return what can be shown now."""
        text = self._waiting + text
        keep = re.search(r"[-.'\"\s]+$", text)
        self._waiting = keep.group() if keep else ""
        return self._convert(text[: len(text) - len(self._waiting)])

    def finish(self) -> str:
        """Return what was still waiting."""
        text, self._waiting = self._waiting, ""
        return self._convert(text)

    def _convert(self, text: str) -> str:
        out: list[str] = []
        for match in re.finditer(r"--+|\.{3}|[ \t]*\n\s*|.", text, re.DOTALL):
            piece = self._convert_piece(match.group(), text[match.end() : match.end() + 1])
            out.append(piece)
            self._note_places(len(match.group()), len(piece))
            self._previous = piece[-1:] or self._previous
        return "".join(out)

    def _note_places(self, plain: int, shown: int) -> None:
        self._plain_end += plain
        self._shown_end += shown
        if plain != shown:
            self._plain_places += [self._plain_end - plain, self._plain_end]
            self._shown_places += [self._shown_end - shown, self._shown_end]

    def _convert_piece(self, piece: str, following: str) -> str:
        style = self._style
        opens = not self._previous or self._previous.isspace() or self._previous in "([{—–-“‘«‹„‚"
        if piece == '"':
            return style.open_double if opens else style.close_double
        if piece == "'":
            # 'tis, 'em, '90s: an apostrophe that only looks like an opening quote cannot be told apart for sure;
            # before a digit it always is one.
            return style.open_single if opens and not following.isdigit() else style.close_single
        if len(piece) > 1 and set(piece) == {"-"}:
            return piece if style.dash == PLAIN.dash else style.dash
        if piece == "...":
            return style.ellipsis
        if "\n" in piece:
            return style.paragraph
        return piece


def restore_style(text: str, style: TypographyStyle, before: str = "") -> str:
    """Return a whole text in the document's style."""
    restorer = StyleRestorer(style, before)
    return restorer.feed(text) + restorer.finish()

"""How an answer may end: a sentence that broke off is left off, and what only repeats itself is cut back."""

from __future__ import annotations

import re
from enum import StrEnum

from storydesk.domain.manuscript import WORD, count_words
from storydesk.domain.sentences import split_sentences

_WHOLE = re.compile(r"[.!?…—][\"'”’»›)\]]*$")
_LONGEST_UNIT = 60
"""Words of the longest passage whose repetition at the end is looked for."""
_FEWEST_WORDS = 6
"""Words that a repetition has to fill at least: "No, no, no!" is none."""


class Ending(StrEnum):
    """What was done to an answer's end, to be said in a quiet line."""

    WHOLE = "whole"
    TRIMMED = "trimmed"
    BEGUN_AGAIN = "begun_again"
    CUT_BACK = "cut_back"


def ends_whole(text: str) -> bool:
    """Return whether a text ends with a sentence, or says nothing."""
    shown = text.rstrip()
    return not shown or bool(_WHOLE.search(shown))


def trim_to_sentence(text: str, fewest_words: int) -> str:
    """Return the text without the unfinished sentence at its end; as it is where fewer words would be left."""
    if ends_whole(text):
        return text
    spans = split_sentences(text)
    for _start, end in reversed(spans[:-1]):
        if ends_whole(text[:end]):
            kept = text[:end]
            return kept if count_words(kept) >= max(fewest_words, 1) else text
    return text


def cut_repetition(text: str) -> str:
    """Return the text without what it says again at its end: a passage over and over, or whole sentences again."""
    return _cut_said_again(_cut_unit(text))


def _cut_unit(text: str) -> str:
    """Return the text with a passage that stands several times at its end standing there once."""
    words = list(WORD.finditer(text))
    told = [word.group().casefold() for word in words]
    for length in range(1, min(_LONGEST_UNIT, len(told) // 2) + 1):
        unit = told[len(told) - length :]
        first = len(told) - length
        while first >= length and told[first - length : first] == unit:
            first -= length
        repeated = len(told) - first - length
        if repeated and repeated + length >= _FEWEST_WORDS:
            return text[: _end_of_mark(text, words[first + length - 1].end())]
    return text


def _cut_said_again(text: str) -> str:
    """Return the text without sentences at its end that stand in it before."""
    spans = split_sentences(text)
    told = [" ".join(WORD.findall(text[start:end])).casefold() for start, end in spans]
    count = len(told)
    while count > 1 and told[count - 1] and told[count - 1] in told[: count - 1]:
        count -= 1
    return text[: spans[count - 1][1]] if count < len(told) else text


def _end_of_mark(text: str, place: int) -> int:
    """Return where the closing marks behind a word end."""
    while place < len(text) and text[place] in ".!?…\"'”’»)]":
        place += 1
    return place

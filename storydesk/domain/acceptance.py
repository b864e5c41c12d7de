"""How much of a suggestion its next word or sentence is, with the white space before it. Lengths are code points."""

from __future__ import annotations

import re

from storydesk.domain.sentences import split_sentences

# Scripts that put no space between words are taken a character at a time.
_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9f"
_WORD = re.compile(rf"\s*(?:[{_UNSPACED}]|[^\s{_UNSPACED}]+)[。、！？」』]*")


def measure_word(text: str) -> int:
    """Return how long the first word is with what stands around it; all of a text without one."""
    found = _WORD.match(text)
    return found.end() if found else len(text)


def measure_sentence(text: str) -> int:
    """Return how long the first sentence is, closing quotes included; all of a text without one."""
    spans = split_sentences(text)
    return spans[0][1] if spans else len(text)

"""Stories and their drafts as the library keeps them."""

from __future__ import annotations

import re
from dataclasses import dataclass

WORD = re.compile(r"\w+(?:['’\-]\w+)*", re.UNICODE)
"""What a reader would count as one word."""


_UNSPACED = "\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HAS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_WORD_OR_CHARACTER = re.compile(rf"[々{_UNSPACED}]|(?:(?![々{_UNSPACED}])\w)+(?:['’\-](?:(?![々{_UNSPACED}])\w)+)*")


def count_words(text: str) -> int:
    """Return how many words a reader would count; in Chinese and Japanese, which part none, how many characters."""
    if _HAS_UNSPACED.search(text) is not None:
        return len(_WORD_OR_CHARACTER.findall(text))
    return len(WORD.findall(text))


@dataclass(frozen=True, slots=True)
class Story:
    """A story's card in the library; times are seconds since 1970."""

    id: int
    title: str
    prompt: str
    created: float
    changed: float
    in_trash: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """One draft of a story with its whole text; ``origin`` says how it came to be (``written``, ``generated`` ...).

    ``authorship`` is what domain.authorship made of its spans, ``parent_id`` the draft that it was taken from.
    """

    id: int
    story_id: int
    name: str
    text: str
    created: float
    changed: float
    origin: str = "written"
    authorship: str = ""
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class GenerationRecord:
    """What made a piece of generated text, enough to make it again; ``settings`` is JSON."""

    draft_id: int
    model: str
    seed: int
    prompt: str
    settings: str
    text: str
    accepted: bool
    created: float

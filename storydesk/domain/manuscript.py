"""Stories and their drafts as the library keeps them."""

from __future__ import annotations

import re
from dataclasses import dataclass

WORD = re.compile(r"\w+(?:['’\-]\w+)*", re.UNICODE)
"""What a reader would count as one word."""


def count_words(text: str) -> int:
    """Return how many words a reader would count."""
    return sum(1 for _ in WORD.finditer(text))


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

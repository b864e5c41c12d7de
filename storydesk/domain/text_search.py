"""What to find and what to put in its place, as data; the looking is done where there is a clock to stop it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

AROUND = 30
"""How many characters of context a preview shows on each side."""


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What to look for; ``start`` and ``end`` bound it to a stretch (code points), ``end`` -1 is the text's end."""

    words: str
    regex: bool = False
    whole_word: bool = False
    match_case: bool = False
    start: int = 0
    end: int = -1

    @property
    def pattern(self) -> str:
        """The regular expression to look for."""
        pattern = self.words if self.regex else re.escape(self.words)
        return rf"(?<!\w)(?:{pattern})(?!\w)" if self.whole_word else pattern


@dataclass(frozen=True, slots=True)
class Hit:
    """A place in the text, in code points, and what would stand there instead."""

    start: int
    end: int
    replacement: str = ""


@dataclass(frozen=True, slots=True)
class PlannedReplacement:
    """One line of a preview: a hit with its surroundings, and whether the writer takes it."""

    hit: Hit
    before: str
    found: str
    after: str
    accepted: bool = True


def plan_replacements(text: str, hits: Iterable[Hit]) -> list[PlannedReplacement]:
    """Return what a replacement of all would change; hits that it leaves as they are don't count."""
    plan = []
    for hit in hits:
        found = text[hit.start : hit.end]
        if found == hit.replacement:
            continue
        before = text[max(0, hit.start - AROUND) : hit.start]
        after = text[hit.end : hit.end + AROUND]
        plan.append(PlannedReplacement(hit, _one_line(before), found, _one_line(after)))
    return plan


def tick(planned: PlannedReplacement, accepted: bool) -> PlannedReplacement:
    """Return the line with another decision."""
    return replace(planned, accepted=accepted)


def apply_replacements(text: str, plan: Sequence[PlannedReplacement]) -> str:
    """Return the text with everything that was accepted."""
    parts, place = [], 0
    for planned in plan:
        if planned.accepted:
            parts += [text[place : planned.hit.start], planned.hit.replacement]
            place = planned.hit.end
    return "".join([*parts, text[place:]])


def _one_line(text: str) -> str:
    return text.replace("\n", " ¶ ")

"""Grammar findings in one shape, whichever checker they come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """What kind of thing was found, in a writer's words."""

    SPELLING = "spelling"
    GRAMMAR = "grammar"
    PUNCTUATION = "punctuation"
    REPETITION = "repetition"
    STYLE = "style"
    TYPOGRAPHY = "typography"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: ``start`` and ``end`` are code points of the text as it was handed over.

    ``suggestions`` are whole replacements of that span, best first; ``source`` is ``harper`` or ``languagetool``.
    """

    start: int
    end: int
    category: Category
    rule: str
    message: str
    suggestions: tuple[str, ...]
    source: str


def merge_findings(first: Iterable[Finding], second: Iterable[Finding]) -> list[Finding]:
    """Return both lists by place; where two overlap the one of ``first`` stays."""
    kept = sorted(first, key=lambda finding: (finding.start, finding.end))
    extra = [
        finding
        for finding in second
        if not any(other.start < finding.end and finding.start < other.end for other in kept)
    ]
    return sorted([*kept, *extra], key=lambda finding: (finding.start, finding.end))


def apply_findings(text: str, findings: Sequence[Finding]) -> tuple[str, list[Finding]]:
    """Return the text with every finding's first suggestion, and the findings that were applied.

    Findings without a suggestion, overlaps, style notes and what may be a name are left to the writer.
    """
    applied: list[Finding] = []
    pieces: list[str] = []
    position = 0
    for finding in sorted(findings, key=lambda item: (item.start, item.end)):
        if finding.start < position or not finding.suggestions or finding.category is Category.STYLE:
            continue
        if finding.category is Category.SPELLING and _may_be_name(text, finding.start):
            continue
        pieces += [text[position : finding.start], finding.suggestions[0]]
        position = finding.end
        applied.append(finding)
    return "".join([*pieces, text[position:]]), applied


def _may_be_name(text: str, start: int) -> bool:
    """Return whether the word at ``start`` has a capital that its place in the sentence does not ask for.

    An invented name is no slip of spelling, and the nearest word of a dictionary is hardly ever what was meant.
    """
    if not text[start : start + 1].isupper():
        return False
    before = text[:start].rstrip("\"'“”‘’«»„([—- ")
    return bool(before) and before[-1] not in ".!?…:\n"

"""Hard-wrapped text: join the lines that an editor or a mail program broke."""

from __future__ import annotations

import itertools
import re

# A column at which people wrap; longer lines were never wrapped by hand.
_WIDEST = 100
_NARROWEST = 40
_INDENTED = re.compile(r"^(?:\t| {2,})\S")
_KEPT_APART = re.compile(r"^\s*(?:#{1,6}\s|[-*+]\s|\d+[.)]\s|>|\*\s*\*\s*\*)")


def unwrap_lines(text: str) -> str:
    """Return the text with the lines of a paragraph joined, or unchanged where it isn't hard-wrapped."""
    lines = text.splitlines()
    if not is_wrapped(lines):
        return text
    paragraphs: list[str] = []
    current: list[str] = []
    for line in lines:
        stripped = line.strip()
        starts_new = bool(_INDENTED.match(line)) or bool(_KEPT_APART.match(line))
        if (not stripped or starts_new) and current:
            paragraphs.append(_join(current))
            current = []
        if stripped:
            current.append(stripped)
    if current:
        paragraphs.append(_join(current))
    return "\n\n".join(paragraphs)


def is_wrapped(lines: list[str]) -> bool:
    """Say whether lines end because of a column: those that go on in the next line are long and alike."""
    filled = [line.rstrip() for line in lines if line.strip()]
    if len(filled) < 4 or max(map(len, filled)) > _WIDEST:
        return False
    running = [
        len(line.rstrip())
        for line, following in itertools.pairwise(lines)
        if line.strip() and following.strip() and not _INDENTED.match(following)
    ]
    if len(running) < 3 or len(running) < len(filled) * 0.25:
        return False
    widest = max(running)
    if widest < _NARROWEST:
        return False
    return sum(1 for length in running if length >= widest * 0.75) >= len(running) * 0.75


def _join(lines: list[str]) -> str:
    """Join lines by a space; after a hyphen at a line's end by nothing, so that a compound stays one word."""
    joined = lines[0]
    for line in lines[1:]:
        hyphenated = re.search(r"[^\W\d_]-$", joined) is not None and line[0].islower()
        joined += line if hyphenated else f" {line}"
    return joined

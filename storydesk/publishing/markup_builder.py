"""From runs of styled text to the little Markdown in which the library keeps stories, for every reader alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from storydesk.domain.markup import Span, format_spans, is_scene_break

SCENE_MARK = "* * *"


def make_block(spans: Iterable[Span], level: int = 0, *, scene: bool = False) -> str:
    """Return a paragraph, a heading of ``level`` 1 to 6 or a scene break as text; empty where nothing is in it."""
    found = tuple(merge_spans(spans))
    plain = "".join(span.text for span in found).strip()
    if not plain:
        return SCENE_MARK if scene else ""
    if level:
        return "#" * level + " " + " ".join(format_spans(found).split())
    if scene or is_scene_break(plain):
        return SCENE_MARK
    return "\n".join(line.rstrip() for line in format_spans(found).split("\n") if line.strip())


def merge_spans(spans: Iterable[Span]) -> Iterator[Span]:
    """Join neighbours of one style, since programs cut lines into runs; part them at line breaks."""
    merged: list[Span] = []
    for span in spans:
        for piece in re.split(r"(\n)", span.text):
            if not piece:
                continue
            new = Span(piece) if piece == "\n" else Span(piece, span.emphasis, span.strong)
            last = merged[-1] if merged else None
            if last and (last.emphasis, last.strong) == (new.emphasis, new.strong) and "\n" not in (piece, last.text):
                merged[-1] = Span(last.text + piece, last.emphasis, last.strong)
            else:
                merged.append(new)
    return iter(merged)

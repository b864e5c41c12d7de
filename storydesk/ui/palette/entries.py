"""What the palette offers: actions and stories, in the order in which they fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from storydesk.ui.palette.matching import score

LONGEST_LIST = 300


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """One line: its words, what stands at its end (a key, or the kind of thing), further words that find it."""

    name: str
    text: str
    aside: str
    run: Callable[[], object]
    more: str = ""
    is_action: bool = True


def choose_entries(entries: Iterable[PaletteEntry], query: str, recent: Sequence[str]) -> list[PaletteEntry]:
    """Return what fits, the best first; the last used ones first where nothing was typed and among equals."""
    place = {name: number for number, name in enumerate(recent)}
    found: list[tuple[float, int, int, PaletteEntry]] = []
    for number, entry in enumerate(entries):
        if not query.strip() and not entry.is_action:
            continue  # stories are there for those who ask for one
        fit = max(score(query, entry.text), 0.9 * score(query, f"{entry.text} {entry.more}") if entry.more else 0.0)
        if fit:
            found.append((-round(fit, 2), place.get(entry.name, len(recent)), number, entry))
    found.sort(key=lambda each: each[:3])
    return [entry for _fit, _recent, _number, entry in found[:LONGEST_LIST]]

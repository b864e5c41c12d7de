"""Lines that many stories share at their ends, and running lines that one story repeats."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from trainer.text.mending import reduce_line

_ZONE = 12
"""Lines at each end of a story among which a shared line is looked for."""

_FEWEST_LETTERS = 8
_LONGEST = 200
_SHARED_BY = (3, 0.02)
"""How many stories share a line that is boilerplate: so many, and this part of all."""

_REPEATED = 5
_MOST = 200

_LETTERS = re.compile(r"[^\W\d_]")
_SPOKEN = re.compile(r"[\"“”„«»]|^[‘'—–-]")
_HEADING = re.compile(
    r"^(?:#+ |chapter\b|part\b|book\b|scene\b|act\b|the end\b|to be continued\b|prologue|epilogue)", re.I
)


class LineCounter:
    """Counts lines over stories. One thread."""

    def __init__(self) -> None:
        """Begin without stories."""
        self._shared: Counter[str] = Counter()
        self._running: set[str] = set()
        self._stories = 0

    def add(self, story: str) -> None:
        """Count the lines of one story."""
        self._stories += 1
        lines = [line for line in story.split("\n") if line and not line.isspace()]
        ends = lines if len(lines) <= 2 * _ZONE else [*lines[:_ZONE], *lines[-_ZONE:]]
        self._shared.update({reduce_line(line) for line in ends if _may_be_boilerplate(line)})
        self._running.update(_find_running(story))

    def finish(self) -> tuple[str, ...]:
        """Return the lines that are boilerplate, reduced (see ``trainer.text.mending.reduce_line``)."""
        fewest = max(_SHARED_BY[0], round(_SHARED_BY[1] * self._stories))
        shared = [line for line, count in self._shared.most_common() if count >= fewest]
        return tuple(dict.fromkeys([*shared, *sorted(self._running)]))[:_MOST]


def find_lines(story: str, lines: frozenset[str]) -> Iterator[str]:
    """Yield the lines of a story that reduce to one of ``lines``."""
    yield from (line for line in story.split("\n") if line and len(line) <= _LONGEST and reduce_line(line) in lines)


def _may_be_boilerplate(line: str) -> bool:
    """Say whether a line that others share says nothing of the story: no speech, no sentence of a few words."""
    bare = line.strip()
    if len(bare) > _LONGEST or _SPOKEN.search(bare) or _HEADING.match(bare):
        return False
    letters = len(_LETTERS.findall(bare))
    return letters >= _FEWEST_LETTERS and not (bare[-1] in ".!?…,;" and len(bare.split()) < 6)


def _find_running(story: str) -> Iterator[str]:
    """Yield the lines, reduced, that a printer put between paragraphs again and again: a title, a counted page.

    They stand alone, which a poem's refrain doesn't, and their numbers go up one by one, which a diary's dates don't.
    """
    alone = [part.strip() for part in story.split("\n\n") if 0 < len(part) <= 80 and "\n" not in part.strip()]
    printings: dict[str, list[str]] = defaultdict(list)
    for line in alone:
        if _may_run(line):
            printings[reduce_line(line)].append(line)
    for reduced, lines in printings.items():
        if len(lines) >= _REPEATED and (len(set(lines)) == 1 or _counts_up(lines)):
            yield reduced


def _counts_up(lines: Sequence[str]) -> bool:
    numbers = [int(found[-1]) for line in lines if (found := re.findall(r"\d{1,6}", line))]
    steps = [second - first for first, second in itertools.pairwise(numbers)]
    return bool(steps) and sum(1 for step in steps if step in (1, 2)) >= 0.8 * len(steps)


def _may_run(line: str) -> bool:
    """Say whether a line that stands alone can be a running one: no sentence and no speech."""
    letters = len(_LETTERS.findall(line))
    if letters < 4 or line[-1] in ".!?…,;:" or _SPOKEN.search(line) or _HEADING.match(line):
        return False
    return letters >= _FEWEST_LETTERS or any(map(str.isdigit, line))

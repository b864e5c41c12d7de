"""Two texts compared word by word, and put together by picking: a novel takes a second or two, and can be cancelled.

Paragraphs that are the same and stand once in both texts are found first; only what lies between them is compared
word by word. All places are code points.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from storydesk.domain.authorship import Run, Runs, cut_runs, join_runs
from storydesk.domain.failures import FailureCode, StorydeskError

IsCancelled = Callable[[], bool]

_PARAGRAPH = re.compile(r"[^\n]*\n+|[^\n]+")
# Scripts that put no space between words are compared character by character.
_UNSPACED = "\u0e00-\u0eff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_TOKEN = re.compile(rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[\w'’\-])+|\s+|[^\w\s]")
# Two stretches of so many tokens each are compared one with the other; larger ones first by what is rare in them.
_MOST_PAIRS = 250_000
_NEAR_WORDS = 2
"""Differences with no more words between them than this are shown as one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stretch of the old text and what stands in its place in the new one; either may be empty."""

    old_start: int
    old_end: int
    new_start: int
    new_end: int


def compare_texts(old: str, new: str, is_cancelled: IsCancelled | None = None) -> list[Difference]:
    """Return what differs as a reader would say it: what is near each other as one; raise StorydeskError(CANCELLED)."""
    return _join_near(find_edits(old, new, is_cancelled), old)


def find_edits(old: str, new: str, is_cancelled: IsCancelled | None = None) -> list[Difference]:
    """Return what differs by whole words, in order and apart from each other; raise StorydeskError(CANCELLED)."""
    check = _make_check(is_cancelled)
    first, second = _PARAGRAPH.findall(old), _PARAGRAPH.findall(new)
    old_places, new_places = _sum_lengths(first), _sum_lengths(second)
    found: list[Difference] = []
    for low, high, begin, end in _find_gaps(first, second, check):
        found += _compare_words(
            old[old_places[low] : old_places[high]],
            new[new_places[begin] : new_places[end]],
            old_places[low],
            new_places[begin],
            check,
        )
    return found


def merge_texts(old: str, new: str, differences: Sequence[Difference], taken: Collection[int]) -> str:
    """Return the old text with the differences of these numbers as the new one has them."""
    pieces: list[str] = []
    place = 0
    for number in sorted(taken):
        each = differences[number]
        pieces += [old[place : each.old_start], new[each.new_start : each.new_end]]
        place = each.old_end
    return "".join([*pieces, old[place:]])


def merge_runs(
    old: Sequence[Run], new: Sequence[Run], differences: Sequence[Difference], taken: Collection[int], length: int
) -> Runs:
    """Return the runs of the text that ``merge_texts`` returns; ``length`` is the old text's."""
    pieces: list[Run] = []
    place = 0
    for number in sorted(taken):
        each = differences[number]
        pieces += cut_runs(old, place, each.old_start)
        pieces += cut_runs(new, each.new_start, each.new_end)
        place = each.old_end
    return join_runs([*pieces, *cut_runs(old, place, length)])


def _make_check(is_cancelled: IsCancelled | None) -> Callable[[], None]:
    def check() -> None:
        if is_cancelled is not None and is_cancelled():
            raise StorydeskError(FailureCode.CANCELLED)

    return check


def _sum_lengths(pieces: Sequence[str]) -> list[int]:
    places = [0]
    for piece in pieces:
        places.append(places[-1] + len(piece))
    return places


def _find_gaps(old: Sequence[str], new: Sequence[str], check: Callable[[], None]) -> list[tuple[int, int, int, int]]:
    """Return where two lists differ, as (old start, old end, new start, new end), in order.

    What is the same at both ends goes first, then what is the same and stands once in each list between them; only
    the rest is left to difflib, which would take the square of a novel's paragraphs.
    """
    found: list[tuple[int, int, int, int]] = []
    waiting = [(0, len(old), 0, len(new))]
    while waiting:
        check()
        low, high, begin, end = waiting.pop()
        while low < high and begin < end and old[low] == new[begin]:
            low, begin = low + 1, begin + 1
        while low < high and begin < end and old[high - 1] == new[end - 1]:
            high, end = high - 1, end - 1
        if low == high or begin == end:
            if low < high or begin < end:
                found.append((low, high, begin, end))
            continue
        anchors = list(_find_anchors(old, new, low, high, begin, end))
        if anchors:
            waiting += _split_at(anchors, low, high, begin, end)
        elif (high - low) * (end - begin) > _MOST_PAIRS:
            found.append((low, high, begin, end))
        else:
            matcher = SequenceMatcher(None, old[low:high], new[begin:end], autojunk=False)
            found += [
                (low + first, low + last, begin + start, begin + stop)
                for tag, first, last, start, stop in matcher.get_opcodes()
                if tag != "equal"
            ]
    return sorted(found)


def _split_at(
    anchors: Sequence[tuple[int, int]], low: int, high: int, begin: int, end: int
) -> Iterator[tuple[int, int, int, int]]:
    """Yield what lies between places that are the same."""
    for first, second in anchors:
        yield low, first, begin, second
        low, begin = first + 1, second + 1
    yield low, high, begin, end


def _find_anchors(
    old: Sequence[str], new: Sequence[str], low: int, high: int, begin: int, end: int
) -> Iterator[tuple[int, int]]:
    """Yield places of what stands once in both stretches, the longest row of them that is in the same order."""
    once_old = Counter(old[low:high])
    once_new = Counter(new[begin:end])
    places = {new[place]: place for place in range(begin, end)}
    pairs = [
        (place, places[old[place]])
        for place in range(low, high)
        if once_old[old[place]] == 1 and once_new.get(old[place]) == 1
    ]
    tops: list[int] = []  # the smallest last place of a row of each length
    rows: list[int] = []  # which pair that is
    before: list[int] = []
    for number, (_, place) in enumerate(pairs):
        length = bisect_left(tops, place)
        before.append(rows[length - 1] if length else -1)
        tops[length : length + 1] = [place]
        rows[length : length + 1] = [number]
    chosen: list[tuple[int, int]] = []
    number = rows[-1] if rows else -1
    while number >= 0:
        chosen.append(pairs[number])
        number = before[number]
    yield from reversed(chosen)


def _compare_words(old: str, new: str, at: int, by: int, check: Callable[[], None]) -> list[Difference]:
    """Return the differing words of two stretches that begin at ``at`` and ``by``."""
    if not old or not new:
        return [Difference(at, at + len(old), by, by + len(new))] if old or new else []
    first, second = _TOKEN.findall(old), _TOKEN.findall(new)
    old_places, new_places = _sum_lengths(first), _sum_lengths(second)
    return [
        Difference(at + old_places[low], at + old_places[high], by + new_places[begin], by + new_places[end])
        for low, high, begin, end in _find_gaps(first, second, check)
    ]


def _join_near(differences: Sequence[Difference], old: str) -> list[Difference]:
    """Make one of differences that have hardly a word between them, in the same paragraph."""
    joined: list[Difference] = []
    for each in differences:
        if joined:
            last = joined[-1]
            between = old[last.old_end : each.old_start]
            if "\n" not in between and len(between.split()) <= _NEAR_WORDS:
                joined[-1] = Difference(last.old_start, each.old_end, last.new_start, each.new_end)
                continue
        joined.append(each)
    return joined

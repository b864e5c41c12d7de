"""Which stories are near copies of each other, and how much of a story stands in others; in numpy.

A story is the set of its runs of eight words, each run a 64-bit hash. Of a long story only the smallest hashes are
compared: two stories' smallest hashes are a fair sample of what they share (A. Broder, "On the resemblance and
containment of documents", 1997; bottom-k sketches).
"""

from __future__ import annotations

import copy
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.text.ngrams import split_words

Hashes = NDArray[np.uint64]

RUN = 8
"""Words of a run."""

NEAR = 0.5
"""The share of the shorter story's runs above which two are near copies."""

_FEWEST = 256
_SHARE = 16
_MOST_KEPT = 30_000_000
_FEWEST_SEEN = 8
"""Runs below which a sample says nothing."""

_NEIGHBOURS = 24
_COMMON = 64
"""A run that more stories hold (a licence) pairs each with the next only, since pairs grow with the square."""

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


@dataclass(frozen=True, slots=True)
class Copy:
    """Two stories by index, ``first`` < ``second``, and the share (0 to 1) of the shorter that stands in the other."""

    first: int
    second: int
    share: float


class RunHasher:
    """Hashes texts; remembers the hash of each word. One thread."""

    def __init__(self) -> None:
        """Begin with no words."""
        self._known: dict[str, int] = _WordHashes()

    def hash_runs(self, text: str) -> Hashes:
        """Return the hashes of all runs of a text, each once, ascending; of a shorter text that of all its words."""
        words = split_words(text)
        if not words:
            return np.empty(0, np.uint64)
        codes = np.fromiter(map(self._known.__getitem__, words), np.uint64, len(words))
        count = max(1, len(words) - RUN + 1)
        runs = np.zeros(count, np.uint64)
        for place in range(min(RUN, len(words))):
            runs = runs * _FACTOR + codes[place : place + count]
        return np.unique(_scatter(runs))


class StoryRuns:
    """The hashes of many stories by index, computed when asked for and kept where memory allows. One thread."""

    def __init__(self, stories: Sequence[str]) -> None:
        """Stand for these stories; they are held on to."""
        self._stories = stories
        self._places: Sequence[int] = range(len(stories))
        self._hasher = RunHasher()
        self._kept: dict[int, Hashes] = {}
        self._room = [_MOST_KEPT]

    def __len__(self) -> int:
        """Return how many stories there are."""
        return len(self._places)

    def __getitem__(self, index: int) -> Hashes:
        """Return all hashes of one story."""
        place = self._places[index]
        kept = self._kept.get(place)
        if kept is not None:
            return kept
        hashes = self._hasher.hash_runs(self._stories[place])
        if len(hashes) <= self._room[0]:
            self._kept[place] = hashes
            self._room[0] -= len(hashes)
        return hashes

    def choose(self, indices: Sequence[int]) -> StoryRuns:
        """Return some of the stories; what is known of them is shared."""
        chosen = copy.copy(self)
        chosen._places = [self._places[index] for index in indices]
        return chosen


class _WordHashes(dict[str, int]):
    def __missing__(self, word: str) -> int:
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        value = self[word] = int.from_bytes(digest, "little")
        return value


def take_sketch(hashes: Hashes) -> Hashes:
    """Return the smallest hashes: 256, or a sixteenth of a long story's."""
    return hashes[: max(_FEWEST, len(hashes) // _SHARE)].copy()


def find_copies(sketches: Sequence[Hashes], share: float = NEAR) -> list[Copy]:
    """Return the pairs of which the shorter stands in the other by ``share`` or more, in order.

    Where very many stories copy each other, each is found with some of them only, enough to know them as one group.
    """
    found = []
    for (first, second), common in _find_candidates(sketches).items():
        one, other = sketches[first], sketches[second]
        if common < min(3, len(one), len(other)):
            continue
        measured = _measure_share(one, other)
        if measured >= share:
            found.append(Copy(first, second, measured))
    return sorted(found, key=lambda each: (each.first, each.second))


def group_copies(count: int, links: Iterable[Sequence[int]]) -> list[list[int]]:
    """Return the indices below ``count`` in groups of those that are linked, in the order of their first members."""
    parents = list(range(count))

    def find(index: int) -> int:
        while parents[index] != index:
            parents[index] = parents[parents[index]]
            index = parents[index]
        return index

    for members in links:
        roots = sorted({find(member) for member in members})
        for root in roots[1:]:
            parents[root] = roots[0]
    groups: dict[int, list[int]] = defaultdict(list)
    for index in range(count):
        groups[find(index)].append(index)
    return list(groups.values())


@dataclass(frozen=True, slots=True)
class Leak:
    """How much of a held-out story (its index) stands in the training text; ``other`` holds most of it (its index)."""

    heldout: int
    other: int
    share: float


def measure_leaks(
    training: Iterable[Hashes], heldout: Sequence[Hashes], check: Callable[[], None] = lambda: None
) -> list[Leak]:
    """Return for each held-out story of which anything stands in the training text how much does; exact."""
    if not heldout:
        return []
    runs = np.concatenate([*heldout])
    owners = np.repeat(np.arange(len(heldout)), [len(each) for each in heldout])
    order = np.argsort(runs, kind="stable")
    owners = owners[order]
    known, starts, sizes = np.unique(runs[order], return_index=True, return_counts=True)
    covered = np.zeros(len(runs), bool)
    best = np.zeros(len(heldout), np.int64)
    others = np.full(len(heldout), -1, np.int64)
    for index, hashes in enumerate(training):
        check()
        found = _find_places(known, hashes)
        if not len(found):
            continue
        places = np.concatenate([np.arange(starts[each], starts[each] + sizes[each]) for each in found])
        covered[places] = True
        counts = np.bincount(owners[places], minlength=len(heldout))
        better = counts > best
        best[better], others[better] = counts[better], index
    shared = np.bincount(owners[covered], minlength=len(heldout)).tolist()
    return [Leak(index, int(others[index]), count / len(heldout[index])) for index, count in enumerate(shared) if count]


def _find_places(known: Hashes, hashes: Hashes) -> NDArray[np.int64]:
    """Return the places in ``known`` of the hashes that it holds; both ascending, each hash once."""
    if not len(known) or not len(hashes):
        return np.empty(0, np.int64)
    places = np.searchsorted(known, hashes)
    places[places == len(known)] = 0
    found: NDArray[np.int64] = places[known[places] == hashes]
    return found


def _find_candidates(sketches: Sequence[Hashes]) -> dict[tuple[int, int], int]:
    """Return the pairs that share hashes, with how many were seen in common."""
    if not sketches:
        return {}
    hashes = np.concatenate([*sketches])
    owners = np.repeat(np.arange(len(sketches), dtype=np.int64), [len(each) for each in sketches])
    order = np.argsort(hashes, kind="stable")
    hashes, owners = hashes[order], owners[order]
    _, sizes = np.unique(hashes, return_counts=True)
    keep = np.repeat(sizes > 1, sizes)
    is_common = np.repeat(sizes > _COMMON, sizes)[keep]
    hashes, owners = hashes[keep], owners[keep]
    counted: dict[int, int] = defaultdict(int)
    for step in range(1, _NEIGHBOURS + 1):
        same = hashes[:-step] == hashes[step:]
        if step > 1:
            same &= ~is_common[:-step]
        if not same.any():
            break
        keys, counts = np.unique(owners[:-step][same] * len(sketches) + owners[step:][same], return_counts=True)
        for key, count in zip(keys.tolist(), counts.tolist(), strict=True):
            counted[key] += count
    return {divmod(key, len(sketches)): count for key, count in counted.items()}


def _measure_share(one: Hashes, other: Hashes) -> float:
    """Return the share of the shorter in the other, by the hashes below the smaller of both sketches' ends."""
    ends = [sketch[-1] for sketch in (one, other) if len(sketch) >= _FEWEST]  # a smaller one holds all runs
    if ends:
        one, other = (sketch[: np.searchsorted(sketch, min(ends), "right")] for sketch in (one, other))
    shorter = min(len(one), len(other))
    if not shorter or (ends and shorter < _FEWEST_SEEN):
        return 0.0
    return len(np.intersect1d(one, other, assume_unique=True)) / shorter


def _scatter(values: Hashes) -> Hashes:
    """Return the values mixed well, so that the smallest are a fair choice (the end of splitmix64, S. Vigna)."""
    values = (values ^ (values >> np.uint64(30))) * _MIX[0]
    values = (values ^ (values >> np.uint64(27))) * _MIX[1]
    mixed: Hashes = values ^ (values >> np.uint64(31))
    return mixed

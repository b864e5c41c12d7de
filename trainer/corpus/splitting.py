"""Training and held-out documents: split by document, the same way for the same seed, and nothing straddles."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.corpus.cleaning import cut_to_parts
from trainer.corpus.copies import NEAR, StoryRuns, find_copies, group_copies, measure_leaks, take_sketch
from trainer.corpus.document import Document
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.text.ngrams import count_words, split_words

NEEDED_STORIES = 8
NEEDED_WORDS = 3_000
HELDOUT_SHARE = 0.1
FEWEST_HELDOUT = 4
MOST_HELDOUT = 64
"""More held-out documents make every evaluation slow and the figure hardly surer; the rest is learned from."""

_LARGEST_SHARE = 0.25
_ROUNDS = 4
_SHINGLE = 8
_SKETCH = 16


@dataclass(frozen=True, slots=True)
class Split:
    """The two sides; ``same_story`` is True where a single long text had to give parts to both."""

    training: tuple[Document, ...]
    heldout: tuple[Document, ...]
    same_story: bool = False


def require_enough(documents: Sequence[Document]) -> None:
    """Raise TrainerError(TOO_LITTLE_TEXT) where there are too few stories and too few words to learn from."""
    words = sum(count_words(document.story) for document in documents)
    if len(documents) < NEEDED_STORIES and words < NEEDED_WORDS:
        raise TrainerError(
            TrainerFailure.TOO_LITTLE_TEXT,
            stories=len(documents),
            words=words,
            needed_stories=NEEDED_STORIES,
            needed_words=NEEDED_WORDS,
        )


def split_documents(documents: Sequence[Document], seed: int, runs: StoryRuns | None = None) -> Split:
    """Return about a tenth of the documents as held-out: four at least, a quarter and 64 at most.

    Documents with the same prompt, parts of one story and near copies stay on one side; a held-out story of which half
    stands in the rest all the same is learned from instead. Raise TrainerError(TOO_LITTLE_TEXT) where there is too
    little of either. ``runs`` are the documents' own where somebody has them already.
    """
    require_enough(documents)
    runs = runs or StoryRuns([document.story for document in documents])
    groups = group_documents(documents, runs)
    same_story = False
    if _count_wanted(len(documents)) < 1 or len(groups) < NEEDED_STORIES:
        documents = _cut_for_split(documents)
        runs = StoryRuns([document.story for document in documents])
        groups = group_copies(len(documents), find_near_copies(runs))
        same_story = True
    chosen = _drop_leaks(runs, set(_choose_groups(groups, len(documents), seed)))
    return Split(
        training=tuple(document for index, document in enumerate(documents) if index not in chosen),
        heldout=tuple(documents[index] for index in sorted(chosen)),
        same_story=same_story,
    )


def group_documents(documents: Sequence[Document], runs: StoryRuns) -> list[list[int]]:
    """Return indices of documents that belong together, in order of their first member."""
    shared: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, document in enumerate(documents):
        prompt = " ".join(split_words(document.prompt))
        if prompt:
            shared[("prompt", prompt)].append(index)
        if document.whole:
            shared[("whole", document.whole)].append(index)
    return group_copies(len(documents), [*shared.values(), *find_near_copies(runs)])


def find_near_copies(runs: StoryRuns) -> list[tuple[int, int]]:
    """Return pairs of stories of which the shorter stands in the other by half or more."""
    copies = find_copies([take_sketch(runs[index]) for index in range(len(runs))])
    return [(copy.first, copy.second) for copy in copies]


def sketch_story(story: str) -> list[bytes]:
    """Return what near copies share half of: the 16 smallest hashes of the story's runs of eight words."""
    words = split_words(story)
    runs = {" ".join(words[start : start + _SHINGLE]) for start in range(max(1, len(words) - _SHINGLE + 1))}
    digests = (hashlib.blake2b(run.encode("utf-8", "replace"), digest_size=8).digest() for run in runs)
    return heapq.nsmallest(_SKETCH, digests)


def pair_sketches(sketches: Sequence[Sequence[bytes]]) -> set[tuple[int, int]]:
    """Return the pairs of indices of sketches of which one shares half with the other."""
    holders: dict[bytes, list[int]] = defaultdict(list)
    for index, sketch in enumerate(sketches):
        for digest in sketch:
            holders[digest].append(index)
    common: dict[tuple[int, int], int] = defaultdict(int)
    for members in holders.values():
        # A run that everybody has (a disclaimer) says nothing about copies, and pairs grow with the square.
        for position, first in enumerate(members[:50]):
            for second in members[position + 1 : 50]:
                common[first, second] += 1
    return {pair for pair, count in common.items() if count * 2 >= min(len(sketches[pair[0]]), len(sketches[pair[1]]))}


def _drop_leaks(runs: StoryRuns, heldout: set[int]) -> set[int]:
    """Return the held-out indices without those of which half or more stands among the others; never none."""
    for _ in range(_ROUNDS):
        held = sorted(heldout)
        rest = (runs[index] for index in range(len(runs)) if index not in heldout)
        leaks = measure_leaks(rest, [runs[index] for index in held])
        leaking = {held[leak.heldout] for leak in leaks if leak.share >= NEAR}
        if not leaking or leaking == heldout:
            break
        heldout = heldout - leaking  # and what is learned from is more now
    return heldout


def _count_wanted(documents: int) -> int:
    """Return how many documents to hold out: a tenth, but four at least, a quarter at most."""
    wanted = max(round(documents * HELDOUT_SHARE), FEWEST_HELDOUT)
    return min(wanted, int(documents * _LARGEST_SHARE), MOST_HELDOUT)


def _choose_groups(groups: list[list[int]], documents: int, seed: int) -> list[int]:
    """Return the indices of whole groups that together come to the wanted number, small groups first where needed."""
    wanted = _count_wanted(documents)
    order = list(groups)
    random.Random(seed).shuffle(order)
    chosen: list[int] = []
    for group in order:
        if len(chosen) + len(group) <= wanted:
            chosen.extend(group)
    if not chosen:
        chosen = min(order, key=len)
    if len(chosen) >= documents:
        raise TrainerError(
            TrainerFailure.TOO_LITTLE_TEXT,
            stories=documents,
            words=0,
            needed_stories=NEEDED_STORIES,
            needed_words=NEEDED_WORDS,
        )
    return chosen


def _cut_for_split(documents: Sequence[Document]) -> list[Document]:
    """Return the few long documents as enough parts to hold a quarter out (16 and more, of 120 words and more)."""
    words = sum(count_words(document.story) for document in documents)
    longest = max(120, min(600, words // 20))
    return [part for document in documents for part in cut_to_parts(document, longest)]

"""What can be said of stories a model wrote: how varied they are, and whether they were learnt by heart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trainer.protocol.messages import StoriesMeasured
from trainer.text.ngrams import iterate_ngrams, measure_distinct, measure_repetition, split_words

COPIED_WORDS = 8
"""Runs of so many words are looked for in the training text: shorter ones are shared by chance and idiom."""


@dataclass(frozen=True, slots=True)
class Copying:
    """The longest run of words that stands in the training text word for word, and the share of such runs of eight."""

    longest: int
    passage: str
    share: float


class TrainingText:
    """The words of all training stories, to look passages up in. Any one thread."""

    def __init__(self, stories: Iterable[str]) -> None:
        """Index every run of eight words."""
        runs, texts = [np.empty(0, dtype=np.int64)], []
        for story in stories:
            words = split_words(story)
            runs.append(_hash_runs(words))
            texts.append(" ".join(words))
        self._runs = np.unique(np.concatenate(runs))
        # Stories are kept apart by a mark that no word is, so that nothing is found across two of them.
        self._text = f" {' | '.join(texts)} "

    def measure_copying(self, stories: Sequence[str]) -> Copying:
        """Return how much of some stories stands in the training text."""
        longest, passage, copied, total = 0, "", 0, 0
        for story in stories:
            words = split_words(story)
            runs = _hash_runs(words)
            total += len(runs)
            copied += int(np.isin(runs, self._runs).sum())
            start, length = self._find_longest(words, longest)
            if length > longest:
                longest, passage = length, " ".join(words[start : start + length])
        return Copying(longest, passage, copied / total if total else 0.0)

    def share_copied(self, story: str) -> float:
        """Return the share of a story's runs of eight words that stand in the training text."""
        runs = _hash_runs(split_words(story))
        return float(np.isin(runs, self._runs).mean()) if len(runs) else 0.0

    def _find_longest(self, words: Sequence[str], longer_than: int) -> tuple[int, int]:
        """Return start and length of the longest run that is found, if it is longer than some known one."""
        place, length = 0, longer_than
        for start in range(len(words)):
            while start + length < len(words) and f" {' '.join(words[start : start + length + 1])} " in self._text:
                place, length = start, length + 1
        return place, length


def measure_stories(stories: Sequence[str], training: TrainingText, moment: str) -> StoriesMeasured:
    """Return the figures of the stories written at one moment; n-grams are counted inside each story."""
    split = [split_words(story) for story in stories]
    copying = training.measure_copying(stories)
    return StoriesMeasured(
        moment=moment,
        stories=len(stories),
        words=sum(map(len, split)),
        distinct_2=_mean(measure_distinct(words, 2) for words in split),
        repetition_3=_mean(measure_repetition(words, 3) for words in split),
        longest_copy=copying.longest,
        longest_passage=copying.passage,
        copied_share=copying.share,
    )


def _hash_runs(words: Sequence[str]) -> NDArray[np.int64]:
    return np.fromiter(map(hash, iterate_ngrams(words, COPIED_WORDS)), dtype=np.int64)


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0

"""The stories of one model with one choice of settings, or those of people, and every metric of them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trainer.corpus.document import Document
from trainer.evaluation.stories import TrainingText
from trainer.judging.quantities import Figure, StoryValues, take_bleu, take_means, take_ratios
from trainer.judging.reading import StoryReading
from trainer.judging.wording import (
    ContentWords,
    count_bleu,
    count_space_words,
    cut_words,
    measure_chrf,
    measure_grade,
    measure_self_bleu,
    share_repeated,
)
from trainer.text.ngrams import count_words, measure_distinct, measure_repetition, split_words

PEOPLE = -1
"""The number that stands for people where that of a model would."""

_EQUAL_SHARE = 0.1
_EQUAL_STEP = 10
_FEWEST_EQUAL = 30


@dataclass(frozen=True, slots=True)
class JudgedStory:
    """One story that is judged; ``prompt`` and ``sample`` are numbers. ``reading`` is what the reader makes of it."""

    prompt: int
    sample: int
    text: str
    ended: bool
    reading: StoryReading | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """The stories of model number ``style`` with settings number ``settings``; of PEOPLE there is one cell."""

    style: int
    settings: int
    stories: tuple[JudgedStory, ...]


@dataclass(frozen=True, slots=True)
class Yardsticks:
    """What stories are measured against. ``training`` is None where nobody knows what the models learned from."""

    documents: Sequence[Document]
    training: TrainingText | None
    content: ContentWords


def make_story_id(prompt: str, text: str) -> str:
    """Return what ratings know a story by, the app's fingerprint of it: prompt and text but for their white space."""
    plain = f"{' '.join(prompt.split())}\0{' '.join(text.split())}"
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()


def find_equal_length(cells: Sequence[Cell]) -> int:
    """Return the words that nine tenths of all stories have, to which they are cut; 0 where that is too little."""
    lengths = sorted(count_space_words(story.text) for cell in cells for story in cell.stories)
    if not lengths:
        return 0
    words = lengths[int(len(lengths) * _EQUAL_SHARE)] // _EQUAL_STEP * _EQUAL_STEP
    return words if words >= _FEWEST_EQUAL else 0


def measure_heldout(readings: Sequence[tuple[int, StoryReading]]) -> dict[str, StoryValues]:
    """Return how a model predicts stories of people: its readings of them, with the numbers of their prompts."""
    prompts = [prompt for prompt, _ in readings]
    found = [reading for _, reading in readings]
    bits = math.log(2)
    return {
        "perplexity": take_ratios([(each.nats, each.tokens) for each in found], prompts, Figure.EXPONENTIAL),
        "nats_per_word": take_ratios([(each.nats, each.words) for each in found], prompts),
        "bits_per_byte": take_ratios([(each.nats / bits, each.bytes) for each in found], prompts),
        "first_guess": take_ratios([(each.first, each.tokens) for each in found], prompts),
        "five_guesses": take_ratios([(each.among, each.tokens) for each in found], prompts),
        "prompt_ranking": take_ratios([(each.place == 1, each.place > 0) for each in found], prompts, Figure.SHARE),
        "coherence": take_ratios([(each.order_nats, each.order_tokens) for each in found], prompts),
    }


def measure_cell(cell: Cell, yardsticks: Yardsticks, *, equal: int = 0) -> dict[str, StoryValues]:
    """Return every metric of a cell's stories; with ``equal`` words those that are cut, of stories that have as many.

    Shorter stories have no value then.
    """
    stories, whole = cell.stories, [story.text for story in cell.stories]
    if equal:
        whole = [cut_words(text, equal) if count_space_words(text) >= equal else "" for text in whole]
    prompts = [story.prompt for story in stories]
    split = [split_words(text) for text in whole]
    found = {
        **_measure_variety(split, prompts),
        **_measure_between(stories, whole, split, prompts),
        **_measure_copying(whole, prompts, yardsticks.training),
        **_measure_words(whole, prompts, yardsticks),
    }
    if cell.style != PEOPLE:
        found |= _measure_overlap(whole, prompts, yardsticks.documents, equal)
    if not equal:
        found["words"] = take_means([float(count_words(text)) for text in whole], prompts)
        if cell.style != PEOPLE:
            found["ended"] = take_ratios([(float(story.ended), 1.0) for story in stories], prompts, Figure.SHARE)
        found |= _measure_reading(stories, prompts)
    return found


def _measure_variety(split: Sequence[list[str]], prompts: Sequence[int]) -> dict[str, StoryValues]:
    found = {}
    for n in (1, 2, 3, 4):
        # Only a text with a run of n words has a share of them.
        if n < 4:
            distinct = [measure_distinct(words, n) if len(words) >= n else math.nan for words in split]
            found[f"distinct_{n}"] = take_means(distinct, prompts)
        repeated = [measure_repetition(words, n) if len(words) >= n else math.nan for words in split]
        found[f"repetition_{n}"] = take_means(repeated, prompts)
    return found


def _measure_between(
    stories: Sequence[JudgedStory], whole: Sequence[str], split: Sequence[list[str]], prompts: Sequence[int]
) -> dict[str, StoryValues]:
    """Compare stories with each other, one a prompt at a time, so that the figures don't hang on how many there are."""
    rounds: dict[int, list[int]] = {}
    for place, story in enumerate(stories):
        if whole[place]:
            rounds.setdefault(story.sample, []).append(place)
    names = [*(f"shared_{n}" for n in (1, 2, 3, 4)), "self_bleu"]
    values = {name: [math.nan] * len(stories) for name in names}
    for places in rounds.values():
        if len(places) < 2:
            continue
        of = [prompts[place] for place in places]
        columns = [share_repeated([split[place] for place in places], of, n) for n in (1, 2, 3, 4)]
        columns.append(measure_self_bleu([whole[place] for place in places]))
        for name, column in zip(names, columns, strict=True):
            for place, value in zip(places, column, strict=True):
                values[name][place] = value
    return {name: take_means(column, prompts) for name, column in values.items()}


def _measure_copying(
    whole: Sequence[str], prompts: Sequence[int], training: TrainingText | None
) -> dict[str, StoryValues]:
    if training is None:
        return {}
    copying = [training.measure_copying([text]) if text else None for text in whole]
    longest = [float(each.longest) if each else math.nan for each in copying]
    return {
        "longest_copy": take_means(longest, prompts),
        "copied_share": take_means([each.share if each else math.nan for each in copying], prompts),
    }


def _measure_words(whole: Sequence[str], prompts: Sequence[int], yardsticks: Yardsticks) -> dict[str, StoryValues]:
    asked = [yardsticks.documents[prompt].prompt for prompt in prompts]
    similar = [yardsticks.content.compare(prompt, text) for prompt, text in zip(asked, whole, strict=True)]
    return {
        "similarity": take_means(similar, prompts),
        "grade": take_means([measure_grade(text) for text in whole], prompts),
    }


def _measure_overlap(
    whole: Sequence[str], prompts: Sequence[int], documents: Sequence[Document], equal: int
) -> dict[str, StoryValues]:
    """Compare with what a person wrote on the same prompt, where somebody did."""
    counts: list[Sequence[float]] = []
    likeness: list[float] = []
    for text, prompt in zip(whole, prompts, strict=True):
        reference = documents[prompt].story
        if equal:
            reference = cut_words(reference, equal)
        if not text or not reference:
            counts.append([0.0] * 10)
            likeness.append(math.nan)
            continue
        correct, total, length, expected = count_bleu(text, reference)
        counts.append([*correct, *total, length, expected])
        likeness.append(measure_chrf(text, reference))
    return {"bleu": take_bleu(counts, prompts), "chrf": take_means(likeness, prompts)}


def _measure_reading(stories: Sequence[JudgedStory], prompts: Sequence[int]) -> dict[str, StoryValues]:
    readings = [story.reading for story in stories]
    if not any(readings):
        return {}

    def take(part: Callable[[StoryReading], tuple[float, float]]) -> list[tuple[float, float]]:
        return [part(reading) if reading else (0.0, 0.0) for reading in readings]

    return {
        "story_perplexity": take_ratios(take(lambda each: (each.nats, each.tokens)), prompts, Figure.EXPONENTIAL),
        "story_order": take_ratios(take(lambda each: (each.order_nats, each.order_tokens)), prompts),
        "prompt_found": take_ratios(take(lambda each: (each.place == 1, each.place > 0)), prompts, Figure.SHARE),
        "prompt_gain": take_ratios(
            take(lambda each: (each.gain if each.place else 0.0, float(each.place > 0))), prompts
        ),
    }

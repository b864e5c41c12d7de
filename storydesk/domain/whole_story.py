"""A whole story from a prompt: stretch by stretch to its length, then an ending that the model itself finds likely."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from storydesk.domain.generation import MAXIMUM_SEED, SamplingSettings
from storydesk.domain.manuscript import count_words
from storydesk.domain.sentences import split_sentences

LEAST_WORDS, MOST_WORDS = 30, 20_000
STRETCH_WORDS = 60
"""Words written at a time; a stretch that had to make way for the writer is written once more."""
ENDING_SHARE = 0.85
"""From this share of the wished length on an ending is looked for, of long stories in the last ``ENDING_WORDS``."""
ENDING_WORDS = 150
MOST_SHARE = 1.15
ENDINGS = 4
"""Last passages that are tried side by side."""
PLACES = 3
"""Sentence ends of each of them at which the story might stop."""
LEAST_LAST_WORDS = 25
LIKELY_END = 0.01
MOST_TRIES = 3
"""Stretches in a row that may bring nothing new before the story ends where it is."""
_TITLE_CHARACTERS = 48
_CLOSED = (".", "!", "?", "…", '"', "”", "’", "'")


class StoryState(StrEnum):
    """How far a story of the queue has come."""

    WAITING = "waiting"
    WRITING = "writing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class StoryEnding(StrEnum):
    """How a story came to its end, honestly.

    ``OWN``: the model itself wrote the end of the text there. ``LIKELY``: of several last passages, the sentence end
    where it finds an end likeliest. ``CUT``: it found no end likely anywhere, so the story stops with a sentence.
    """

    OWN = "own"
    LIKELY = "likely"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class StoryWish:
    """A story that is wanted: prompt, about how many words, and how it is drawn.

    An empty ``model`` is the one in use; ``memory_of`` is the story whose memory and lorebook it is
    written with, 0 for none.
    """

    prompt: str
    words: int
    seed: int
    settings: SamplingSettings = field(default_factory=SamplingSettings)
    model: str = ""
    memory_of: int = 0

    def to_text(self) -> str:
        """Return what is kept of the wish beside prompt and length."""
        record = {
            "sampling": asdict(self.settings),
            "seed": self.seed,
            "model": self.model,
            "memory_of": self.memory_of,
        }
        return json.dumps(record, ensure_ascii=False)

    @classmethod
    def from_text(cls, prompt: str, words: int, text: str) -> StoryWish:
        """Read a wish; what can't be understood is as usual."""
        try:
            record = json.loads(text) if text else {}
        except (ValueError, RecursionError):
            record = {}
        record = record if isinstance(record, dict) else {}
        sampling = record.get("sampling")
        return cls(
            prompt,
            min(max(words, LEAST_WORDS), MOST_WORDS),
            _whole(record.get("seed")),
            _read_settings(sampling if isinstance(sampling, dict) else {}),
            record["model"] if isinstance(record.get("model"), str) else "",
            _whole(record.get("memory_of")),
        )


@dataclass(frozen=True, slots=True)
class QueuedStory:
    """A wish and how far it has come; ``stretches`` counts what was drawn, for each has a seed of its own.

    ``end_chance`` is how probable the model found the end where the story stops. ``story_id`` is the finished story in
    the library. ``detail`` says why it failed (JSON). ``tries`` counts stretches in a row that brought nothing.
    """

    id: int
    wish: StoryWish
    state: StoryState = StoryState.WAITING
    text: str = ""
    stretches: int = 0
    story_id: int = 0
    model: str = ""
    perplexity: float = 0.0
    ending: str = ""
    end_chance: float = 0.0
    detail: str = ""
    tries: int = 0

    @property
    def words(self) -> int:
        """How many words there are so far."""
        return count_words(self.text)

    @property
    def progress(self) -> float:
        """How much of it is written, 0 to 1."""
        if self.state is StoryState.DONE:
            return 1.0
        return min(self.words / max(self.wish.words, 1), 0.99)

    @property
    def is_open(self) -> bool:
        """Whether there is still something to write."""
        return self.state in (StoryState.WAITING, StoryState.WRITING)

    @property
    def next_seed(self) -> int:
        """The seed of the next stretch: the same wish gives the same story, however often it was interrupted."""
        return (self.wish.seed + self.stretches * ENDINGS) % (MAXIMUM_SEED + 1)


@dataclass(frozen=True, slots=True)
class Step:
    """What is written next: about so many words, as a stretch or in search of an ending."""

    words: int
    is_ending: bool


@dataclass(frozen=True, slots=True)
class StopPlace:
    """A place where the story might stop: the addition up to there, and whether the model itself stopped."""

    addition: str
    is_own: bool = False


def plan_step(done: int, wanted: int, tries: int = 0) -> Step:
    """Return what comes next after ``done`` words of ``wanted``."""
    left = max(math.ceil(wanted * ENDING_SHARE), wanted - ENDING_WORDS) - done
    if left > 0 and tries < MOST_TRIES:
        return Step(min(STRETCH_WORDS, max(left, LEAST_LAST_WORDS)), is_ending=False)
    return Step(min(max(wanted - done, LEAST_LAST_WORDS), ENDING_WORDS), is_ending=True)


def list_stop_places(text: str, candidates: Sequence[tuple[str, bool]], wanted: int) -> tuple[StopPlace, ...]:
    """Return where the story might stop: sentence ends of last passages, given with whether the model ended them.

    Where it stands already is one of the places. None makes it much longer than ``wanted`` if any other is there.
    """
    most = wanted * MOST_SHARE
    places = [StopPlace("")] if ends_sentence(text) else []
    for addition, is_own in candidates:
        whole = addition.rstrip()
        if not whole.strip() or repeats_itself(text, whole):
            continue
        ends = [end for _start, end in split_sentences(whole) if ends_sentence(whole[:end])]
        if is_own and len(whole) not in ends:
            ends.append(len(whole))
        fitting = [end for end in ends if count_words(text) + count_words(whole[:end]) <= most] or ends[:1]
        places += [StopPlace(whole[:end], is_own and end == len(whole)) for end in fitting[-PLACES:]]
    return tuple(dict.fromkeys(places))


def choose_ending(places: Sequence[StopPlace], chances: Sequence[float]) -> tuple[StopPlace, StoryEnding, float]:
    """Return the place where an end is likeliest, and what kind of ending that is; of equals the longer one."""
    pairs = zip(chances, places, strict=True)
    chance, place = max(pairs, key=lambda pair: (pair[0], pair[1].is_own, len(pair[1].addition)))
    if place.is_own:
        return place, StoryEnding.OWN, chance
    return place, StoryEnding.LIKELY if chance >= LIKELY_END else StoryEnding.CUT, chance


def ends_sentence(text: str) -> bool:
    """Return whether a text ends with a sentence."""
    return text.rstrip().endswith(_CLOSED)


def repeats_itself(text: str, addition: str) -> bool:
    """Return whether most of an addition's sentences stand in the text already: it goes round in circles."""
    sentences = [addition[start:end].strip() for start, end in split_sentences(addition)]
    long = [sentence for sentence in sentences if count_words(sentence) >= 4]
    known = sum(sentence in text for sentence in long)
    return bool(long) and known * 2 > len(long)


def close_text(text: str) -> str:
    """Return the text up to its last whole sentence; as it is where it has none."""
    stripped = text.rstrip()
    if ends_sentence(stripped):
        return stripped
    for _start, end in reversed(split_sentences(stripped)[:-1]):
        if ends_sentence(stripped[:end]):
            return stripped[:end].rstrip()
    return stripped


def title_prompt(prompt: str) -> str:
    """Return a title for a story that answers a prompt: its first words."""
    first = prompt.strip().split("\n", 1)[0]
    words: list[str] = []
    for word in first.split():
        if len(" ".join([*words, word])) > _TITLE_CHARACTERS:
            break
        words.append(word)
    title = " ".join(words) or first[:_TITLE_CHARACTERS]
    return title.strip(" .,;:!?-–—\"'“”‘’")


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def _read_settings(record: Mapping[str, Any]) -> SamplingSettings:
    values: dict[str, Any] = {}
    usual = SamplingSettings()
    for each in fields(SamplingSettings):
        value, default = record.get(each.name), getattr(usual, each.name)
        if isinstance(default, tuple):
            if isinstance(value, list):
                values[each.name] = tuple(tuple(part) if isinstance(part, list) else part for part in value)
        elif isinstance(value, bool) is isinstance(default, bool) and isinstance(value, (int, float)):
            values[each.name] = type(default)(value)
    return SamplingSettings(**values)

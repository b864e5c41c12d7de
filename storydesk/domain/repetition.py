"""What a draft says again: echoes, phrases, openings, overused words, filter words and adverbs.

Every function is pure; a line is read once (``read_line``) and what is known of it serves until its text changes.
"""

from __future__ import annotations

import heapq
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import log
from typing import Final

from storydesk.domain.markup import is_scene_break, strip_markup
from storydesk.domain.readability import ProseCounts, count_prose, is_adverb
from storydesk.domain.sentences import split_sentences

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_HEADING: Final = re.compile(r"\s*#{1,6}[ \t]+\S")
_SCRIPT_WITHOUT_SPACES: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
)

ECHO_DISTANCE: Final = 30
"""Words between two that are heard as the same word again; about two sentences."""
ECHO_LETTERS: Final = 4
PHRASE_WORDS: Final = 4
LONG_PHRASE: Final = 6
"""Words from which on twice is once too often; a shorter phrase may come twice."""
OPENING_RUN: Final = 3
OVERUSED_TIMES: Final = 5
OVERUSED_RATIO: Final = 2.0
OVERUSED_EVIDENCE: Final = 15.0
"""Dunning's log-likelihood: what chance gives to one word in ten thousand."""
MOST: Final = {"echo": 40, "phrase": 30, "overused": 15, "opening": 20, "filter": 15, "adverb": 15}

COMMON: Final = frozenset(
    re.findall(
        r"\w+",
        "a about above after again against all along already also although always am an and another any anything are "
        "around as at away back be became because been before behind being below beside between both but by came can "
        "cannot come could did do does doing done down each either else enough even ever every everything few first "
        "for from get gets getting give go goes going gone got had has have having he her here hers herself him "
        "himself his how however i if in into is it its itself keep kept last least less let like long "
        "made make many may me might mine more most much must my myself near never next no none nor not nothing now "
        "of off on once one only onto or other others our ours out over own put said same say saw see she "
        "should since so some somebody someone something still such take than that the their theirs them themselves "
        "then there these they thing things this those though three through till to together too took toward towards "
        "two under until up upon us was way we well went were what when where whether which while who whom whose "
        "why will with within without would yes yet you your yours yourself",
    )
)
"""English words that may come again and again without anybody hearing it."""

FILTERS: Final = frozenset(
    re.findall(
        r"\w+",
        "appeared believe believed decide decided feel feeling feels felt hear hearing heard hears know knew knows "
        "look looked looking looks notice noticed noticing notices realise realised realising realize realized "
        "realizing remember remembered remembering saw see seeing seem seemed seeming seems sees sense sensed smell "
        "smelled smelt sound sounded think thinking thought touch touched touching watch watched watches watching "
        "wonder wondered wondering",
    )
)
"""Words that put somebody who perceives between the reader and what there is to perceive."""

Place = tuple[int, int, int]
"""Line, start and end there, in code points."""


class RepetitionKind(StrEnum):
    """What is repeated."""

    ECHO = "echo"
    PHRASE = "phrase"
    OVERUSED = "overused"
    OPENING = "opening"
    FILTER = "filter"
    ADVERB = "adverb"


@dataclass(frozen=True, slots=True)
class Repetition:
    """Something that comes again, and everywhere it does; ``ratio`` is how much oftener than usual, 0 if unknown."""

    kind: RepetitionKind
    text: str
    places: tuple[Place, ...]
    ratio: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class LineWords:
    """One line read: words in small letters with their places, the sentence of each, names, phrases and counts.

    ``phrases`` holds a number for each run of PHRASE_WORDS words, 0 where one would cross the end of a sentence.
    """

    words: tuple[str, ...]
    starts: array[int]
    ends: array[int]
    sentences: array[int]
    names: tuple[str, ...]
    phrases: array[int]
    counts: ProseCounts

    def place(self, line: int, first: int, last: int) -> Place:
        """Return the place of some words of this line."""
        return line, self.starts[first], self.ends[last]


def read_line(text: str) -> LineWords:
    """Read one line; of a heading or a scene break nothing is taken."""
    if not text.strip() or _HEADING.match(text) or is_scene_break(text):
        text = ""
    words: list[str] = []
    starts, ends, sentences = array("i"), array("i"), array("i")
    names = []
    for number, (begin, end) in enumerate(split_sentences(text)):
        for index, match in enumerate(_WORD.finditer(text, begin, end)):
            found = match.group()
            word = found.replace("’", "'").lower()
            if index and found[0] != word[0]:
                names.append(word)
            words.append(word)
            starts.append(match.start())
            ends.append(match.end())
            sentences.append(number)
    phrases = array("q")
    for place in range(len(words) - PHRASE_WORDS + 1):
        whole = sentences[place] == sentences[place + PHRASE_WORDS - 1]
        phrases.append(hash(tuple(words[place : place + PHRASE_WORDS])) or 1 if whole else 0)
    return LineWords(tuple(words), starts, ends, sentences, tuple(names), phrases, count_prose(strip_markup(text)))


def has_words(text: str) -> bool:
    """Return whether the words of a text can be told apart: some scripts write them without spaces."""
    sample = text[:20_000]
    letters = sum(map(str.isalpha, sample))
    return letters >= 3 * len(_SCRIPT_WITHOUT_SPACES.findall(sample))


def find_stem(word: str) -> str:
    """Return what an English word shares with its other forms, roughly: ``walked``, ``walks``: ``walk``."""
    word = word.removesuffix("'s")
    for ending in ("ing", "ed", "es", "s"):
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= ECHO_LETTERS - 1 and not word.endswith("ss"):
            doubled = len(stem) > ECHO_LETTERS - 1 and stem[-1] == stem[-2] and stem[-1] not in "ls"
            return (stem[:-1] if doubled else stem).removesuffix("e")
    return word.removesuffix("e")


Lines = Sequence[LineWords]
Pause = Callable[[], None]
"""Called between two lines: it may wait, or raise to end the search."""


def _no_pause() -> None:
    pass


def find_echoes(
    lines: Lines, common: frozenset[str], names: frozenset[str], *, english: bool = True, pause: Pause = _no_pause
) -> list[Repetition]:
    """Return words that come again within ECHO_DISTANCE words, those with the most repetitions first.

    ``common`` words and ``names`` may come as often as they like.
    """
    passed = common | names
    last: dict[str, tuple[int, list[Place]]] = {}
    found: list[tuple[str, list[Place]]] = []
    before = 0
    for number, line in enumerate(lines):
        pause()
        for index, word in enumerate(line.words):
            if len(word) < ECHO_LETTERS or word in passed:
                continue
            stem = find_stem(word) if english else word
            here = before + index
            seen = last.get(stem)
            place = line.place(number, index, index)
            if seen is not None and here - seen[0] <= ECHO_DISTANCE:
                if len(seen[1]) == 1:
                    found.append((word, seen[1]))
                seen[1].append(place)
                last[stem] = (here, seen[1])
            else:
                last[stem] = (here, [place])
        before += len(line.words)
    chosen = heapq.nlargest(MOST["echo"], found, key=lambda each: (len(each[1]), len(each[0])))
    return [Repetition(RepetitionKind.ECHO, word, tuple(places)) for word, places in chosen]


def find_phrases(
    lines: Lines, repeated: Callable[[int], int], common: frozenset[str], *, pause: Pause = _no_pause
) -> list[Repetition]:
    """Return phrases that come again, each as long as it is the same everywhere, the heaviest first.

    ``repeated`` says how often a phrase number comes in all.
    """
    spots: dict[int, list[tuple[int, int]]] = {}
    for number, line in enumerate(lines):
        pause()
        for index, phrase in enumerate(line.phrases):
            if phrase and repeated(phrase) > 1:
                spots.setdefault(phrase, []).append((number, index))
    found = []
    for places in spots.values():
        pause()
        if len(places) < 2 or _neighbour(lines, spots, places, -1):
            continue  # it is the end of a longer one
        length = PHRASE_WORDS
        following = _neighbour(lines, spots, places, 1)
        while following:
            length += 1
            following = _neighbour(lines, spots, spots[following], 1)
        number, index = places[0]
        words = lines[number].words[index : index + length]
        telling = sum(word not in common and len(word) > 2 for word in words)
        if telling >= 2 and (len(places) > 2 or length >= LONG_PHRASE):
            spans = tuple(lines[line].place(line, first, first + length - 1) for line, first in places)
            found.append((" ".join(words), length, spans))
    found.sort(key=lambda each: -(len(each[2]) - 1) * each[1])
    return [Repetition(RepetitionKind.PHRASE, text, spans) for text, _, spans in found[: MOST["phrase"]]]


def _neighbour(
    lines: Lines, spots: Mapping[int, list[tuple[int, int]]], places: Sequence[tuple[int, int]], step: int
) -> int:
    """Return the phrase that always stands one word before or after these places and nowhere else; 0 for none."""
    beside = 0
    for line, index in places:
        phrases = lines[line].phrases
        if not 0 <= index + step < len(phrases):
            return 0
        phrase = phrases[index + step]
        if not phrase or beside not in (0, phrase):
            return 0
        beside = phrase
    return beside if len(spots.get(beside, ())) == len(places) else 0


def find_openings(lines: Lines, *, pause: Pause = _no_pause) -> list[Repetition]:
    """Return runs of OPENING_RUN sentences and more that begin with the same word, the longest first."""
    runs: list[tuple[str, list[Place]]] = []
    word, run = "", []  # type: str, list[Place]

    def close() -> None:
        if len(run) >= OPENING_RUN:
            runs.append((word, run))

    for number, line in enumerate(lines):
        pause()
        for index in _first_words(line):
            if line.words[index] != word:
                close()
                word, run = line.words[index], []
            run.append(line.place(number, index, index))
    close()
    runs.sort(key=lambda each: -len(each[1]))
    return [Repetition(RepetitionKind.OPENING, each, tuple(places)) for each, places in runs[: MOST["opening"]]]


def _first_words(line: LineWords) -> Iterator[int]:
    if line.words:
        yield 0
        for index, (before, here) in enumerate(pairwise(line.sentences), 1):
            if here != before:
                yield index


def rate_overuse(words: Mapping[str, int], reference: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the words that a draft uses much oftener than ``reference``, with how much oftener, the clearest first.

    ``reference`` holds the shares of words that everybody uses; what is not among them belongs to the story's matter
    and is never overused. Words of COMMON say nothing and are passed over.
    """
    total = sum(words.values())
    found = []
    for word, usual in reference.items():
        times = words.get(word, 0)
        if times < OVERUSED_TIMES or word in COMMON:
            continue
        ratio = times / total / usual
        evidence = 2 * times * log(ratio) - 2 * total * (times / total - usual) if ratio > 1 else 0.0
        if ratio >= OVERUSED_RATIO and evidence >= OVERUSED_EVIDENCE:
            found.append((evidence, word, ratio))
    found.sort(reverse=True)
    return [(word, ratio) for _, word, ratio in found[: MOST["overused"]]]


def measure_reference(texts: Iterable[str], least: int) -> dict[str, float]:
    """Return the share of each word that ``least`` of the texts use: words that everybody uses."""
    words: Counter[str] = Counter()
    users: Counter[str] = Counter()
    for text in texts:
        found = [word.replace("’", "'").lower() for word in _WORD.findall(text)]
        words.update(found)
        users.update(set(found))
    total = max(words.total(), 1)
    return {word: words[word] / total for word, number in users.items() if number >= least}


def choose_filters(words: Mapping[str, int]) -> list[str]:
    """Return the filter words that come more than once, the most frequent first."""
    filters = (word for word in sorted(FILTERS) if words.get(word, 0) > 1)
    return heapq.nlargest(MOST["filter"], filters, key=lambda word: words[word])


def choose_adverbs(words: Mapping[str, int]) -> list[str]:
    """Return the adverbs of manner that come more than once, the most frequent first."""
    adverbs = (word for word, times in words.items() if times > 1 and is_adverb(word))
    return heapq.nlargest(MOST["adverb"], adverbs, key=lambda word: words[word])


def find_words(lines: Lines, wanted: Iterable[str], *, pause: Pause = _no_pause) -> dict[str, tuple[Place, ...]]:
    """Return every place of each wanted word."""
    places: dict[str, list[Place]] = {word: [] for word in wanted}
    for number, line in enumerate(lines):
        pause()
        for index, word in enumerate(line.words):
            if word in places:
                places[word].append(line.place(number, index, index))
    return {word: tuple(found) for word, found in places.items()}


LENGTH_STEPS: Final = (5, 10, 15, 20, 30)
"""The longest sentence of each bar but the last, in words."""


def count_lengths(lengths: Iterable[int]) -> tuple[int, ...]:
    """Return how many sentences there are of each length: up to 5 words, 10, 15, 20, 30, and more."""
    bars = [0] * (len(LENGTH_STEPS) + 1)
    for length in lengths:
        bars[sum(length > step for step in LENGTH_STEPS)] += 1
    return tuple(bars)

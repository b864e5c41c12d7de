"""Insight into a draft beyond its score: what it repeats, how it reads, and what its other drafts cost."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.insight import (
    LineScore,
    LineScores,
    Rating,
    SurprisingPart,
    TrendPoint,
    pick_surprising,
    rate_paragraph,
    rate_sentences,
)
from storydesk.domain.readability import Readability, sum_up
from storydesk.domain.repetition import (
    COMMON,
    LineWords,
    Repetition,
    RepetitionKind,
    choose_adverbs,
    choose_filters,
    count_lengths,
    find_echoes,
    find_openings,
    find_phrases,
    find_words,
    has_words,
    measure_reference,
    rate_overuse,
    read_line,
)
from storydesk.services.draft_ports import DraftHistoryStore
from storydesk.services.ports import IsCancelled, LibraryStore

SECONDS_AT_A_STRETCH: Final = 0.001
SECONDS_OF_REST: Final = 0.001
"""Long loops hold Python's one lock; a short rest after each stretch lets the window through."""
SECONDS_BETWEEN_LOOKS: Final = 0.02

EVERYBODY: Final = 6
"""Samples that use a word which everybody uses."""
MOST_FREQUENT: Final = 80
"""Words of a language that we have no list for that may come as often as they like."""
MOST_SURPRISING: Final = 30
_VALUES: Final = "insight.values"
_MOST_VALUES: Final = 400
MOST_SNAPSHOTS: Final = 40
"""The newest ones; each has to be read by the model once."""


@dataclass(frozen=True, slots=True)
class ProseReport:
    """How a draft reads and what it repeats.

    Without ``english`` there is no reading ease, no filter word, adverb or overused word to tell; without ``told``
    its script has no spaces, so that nothing can be said of words.
    """

    readability: Readability
    lengths: tuple[int, ...]
    repetitions: tuple[Repetition, ...]
    english: bool = True
    told: bool = True


@dataclass(frozen=True, slots=True)
class SurpriseReport:
    """The most surprising sentences and paragraphs, most surprising first."""

    sentences: tuple[SurprisingPart, ...]
    paragraphs: tuple[SurprisingPart, ...]


class Breather:
    """Rests now and then in a long loop and ends it where it is no longer wanted. One thread."""

    def __init__(self, is_cancelled: IsCancelled, must_wait: Callable[[], bool] = lambda: False) -> None:
        """Begin to count now; while ``must_wait``, as when somebody types, nothing goes on."""
        self._is_cancelled = is_cancelled
        self._must_wait = must_wait
        self._next = time.perf_counter() + SECONDS_AT_A_STRETCH

    def __call__(self) -> None:
        """Rest if it is time; raise StorydeskError(CANCELLED) where the work is no longer wanted."""
        if time.perf_counter() < self._next:
            return
        if self._is_cancelled():
            raise StorydeskError(FailureCode.CANCELLED)
        time.sleep(SECONDS_OF_REST)
        while self._must_wait():
            time.sleep(SECONDS_BETWEEN_LOOKS)
            if self._is_cancelled():
                raise StorydeskError(FailureCode.CANCELLED)
        self._next = time.perf_counter() + SECONDS_AT_A_STRETCH


class ProseAnalyst:
    """Reads a growing draft and keeps what it read, so that an edit costs its own lines only. One thread."""

    def __init__(self, read_reference: Callable[[], dict[str, float]]) -> None:
        """``read_reference`` gives the shares of words that everybody uses."""
        self._read_reference = read_reference
        self._reference: dict[str, float] | None = None
        self._known: dict[str, LineWords] = {}
        self._times: Counter[str] = Counter()
        self._words: Counter[str] = Counter()
        self._names: Counter[str] = Counter()
        self._phrases: Counter[int] = Counter()

    def analyse(self, lines: Sequence[str], language: str, pause: Callable[[], None]) -> ProseReport:
        """Return what there is to say of a draft; ``pause`` may raise, and what was read by then stays known."""
        english = language.startswith("en")
        told = has_words("\n".join(lines[:2000]))
        read = self._read(lines if told else (), pause)
        found = tuple(self._list_repetitions(read, english, pause))
        pause()
        prose = sum_up([line.counts for line in read])
        pause()
        lengths = count_lengths(length for line in read for length in line.counts.lengths)
        return ProseReport(prose, lengths, found, english, told)

    def _read(self, lines: Sequence[str], pause: Callable[[], None]) -> list[LineWords]:
        """Return what is known of every line; the sums follow the draft."""
        for line in lines:
            if line not in self._known:
                pause()
                self._known[line] = read_line(line)
        now = Counter(lines)
        for line, times in (now - self._times).items():
            pause()
            self._count(line, times)
        for line, times in (self._times - now).items():
            pause()
            self._count(line, -times)
        for line in [line for line in self._known if line not in now]:
            del self._known[line]
        return [self._known[line] for line in lines]

    def _count(self, line: str, times: int) -> None:
        """Let a line come ``times`` times more."""
        self._times[line] += times
        found = self._known[line]
        additions: tuple[tuple[Counter[str] | Counter[int], Sequence[str] | Sequence[int]], ...] = (
            (self._words, found.words),
            (self._names, found.names),
            (self._phrases, found.phrases),
        )
        for counter, things in additions:
            for thing in things:
                count = counter[thing] + times  # type: ignore[index]  # each counter meets things of its own kind
                if count:
                    counter[thing] = count  # type: ignore[index]  # as above
                else:
                    del counter[thing]
        if not self._times[line]:
            del self._times[line]

    def _list_repetitions(
        self, read: Sequence[LineWords], english: bool, pause: Callable[[], None]
    ) -> list[Repetition]:
        words = self._words
        common = COMMON if english else frozenset(word for word, _ in words.most_common(MOST_FREQUENT))
        names = frozenset(name for name, times in self._names.items() if 2 * times >= words[name])
        echoes = find_echoes(read, common, names, english=english, pause=pause)
        found = [*echoes, *find_phrases(read, self._phrases.__getitem__, common, pause=pause)]
        found += find_openings(read, pause=pause)
        if not english:
            return found
        if self._reference is None:
            self._reference = self._read_reference()
        overused = dict(rate_overuse(words, self._reference))
        filters, adverbs = choose_filters(words), choose_adverbs(words)
        places = find_words(read, {*overused, *filters, *adverbs}, pause=pause)
        found += [Repetition(RepetitionKind.OVERUSED, word, places[word], ratio) for word, ratio in overused.items()]
        found += [Repetition(RepetitionKind.FILTER, word, places[word]) for word in filters]
        found += [Repetition(RepetitionKind.ADVERB, word, places[word]) for word in adverbs]
        return found


class SurpriseFinder:
    """Finds what surprises most and keeps what it read of lines whose score is still the same. One thread."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._known: dict[int, tuple[LineScore, tuple[Rating, ...]]] = {}

    def find(self, lines: Sequence[str], scores: LineScores, pause: Callable[[], None]) -> SurpriseReport:
        """Return what stands out; ``pause`` may raise."""
        known: dict[int, tuple[LineScore, tuple[Rating, ...]]] = {}
        sentences: list[tuple[Rating, ...]] = []
        paragraphs: list[tuple[Rating, ...]] = []
        for line, score in zip(lines, scores, strict=True):
            if score is None or not score.tokens:
                sentences.append(())
                paragraphs.append(())
                continue
            pause()
            if id(score) not in self._known:
                self._known[id(score)] = (score, tuple(rate_sentences(line, score)))
            found = known[id(score)] = self._known[id(score)]
            sentences.append(found[1])
            paragraphs.append(rate_paragraph(score))
        self._known = known
        return SurpriseReport(
            pick_surprising(lines, sentences, MOST_SURPRISING, pause),
            pick_surprising(lines, paragraphs, MOST_SURPRISING, pause),
        )


@dataclass(frozen=True, slots=True)
class DraftValue:
    """One draft of a story, or a snapshot of it, and its point where its cost is known for the model in use.

    ``key`` is the draft's id, below 0 the snapshot's.
    """

    key: int
    draft_id: int
    name: str
    changed: float
    fingerprint: str
    point: TrendPoint | None


class InsightService:
    """Reads samples and the values of drafts. Any thread."""

    def __init__(self, store: LibraryStore, samples: Path, history: DraftHistoryStore | None = None) -> None:
        """``samples`` is the folder of our own stories, which say what everybody's words are."""
        self._store = store
        self._samples = samples
        self._history = history
        self._marks: dict[tuple[int, str, str], str] = {}  # of snapshots, whose texts never change

    def new_analyst(self) -> ProseAnalyst:
        """Return a reader of drafts for one thread."""
        return ProseAnalyst(self._read_reference)

    def list_values(self, story_id: int, prompt: str, model: str) -> list[DraftValue]:
        """Return a story's drafts and the newest snapshots, oldest first, with what is known of them.

        They are taken as answers to ``prompt``.
        """
        known = self._read_values(story_id)
        values = [
            DraftValue(draft.id, draft.id, draft.name, draft.changed, fingerprint(draft.text, prompt, model), None)
            for draft in self._store.list_drafts(story_id)
            if draft.text.strip()
        ]
        snapshots = self._history.list_snapshots(story_id) if self._history is not None else ()
        for snapshot in sorted(snapshots, key=lambda each: -each.created)[:MOST_SNAPSHOTS]:
            if snapshot.words:
                mark = self._find_mark(snapshot.id, prompt, model)
                name = snapshot.name
                values.append(DraftValue(-snapshot.id, snapshot.draft_id, name, snapshot.created, mark, None))
        values.sort(key=lambda value: (value.changed, value.key))
        return [replace(value, point=_make_point(value, known.get(value.fingerprint))) for value in values]

    def _find_mark(self, snapshot_id: int, prompt: str, model: str) -> str:
        key = (snapshot_id, prompt, model)
        if key not in self._marks and self._history is not None:
            self._marks[key] = fingerprint(self._history.load_snapshot(snapshot_id)[1], prompt, model)
        return self._marks[key]

    def load_text(self, value: DraftValue) -> str:
        """Return a draft's or a snapshot's text; raise StorydeskError(STORY_NOT_FOUND)."""
        if value.key < 0 and self._history is not None:
            return self._history.load_snapshot(-value.key)[1]
        return self._store.load_draft(value.key).text

    def keep_value(self, story_id: int, mark: str, cost: float, tokens: int, words: int) -> None:
        """Keep what a text cost, so that it is never scored again for this."""
        if self._store.read_only:
            return
        known = self._read_values(story_id)
        known.pop(mark, None)
        known[mark] = (round(cost, 3), tokens, words)
        kept = list(known.items())[-_MOST_VALUES:]
        self._store.set_story_setting(story_id, _VALUES, json.dumps(dict(kept)))

    def _read_values(self, story_id: int) -> dict[str, tuple[float, float, float]]:
        try:
            record = json.loads(self._store.get_story_setting(story_id, _VALUES) or "{}")
            return {str(mark): (float(kept[0]), float(kept[1]), float(kept[2])) for mark, kept in record.items()}
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
            return {}

    def _read_reference(self) -> dict[str, float]:
        lines = (
            line
            for path in sorted(self._samples.glob("*.jsonl"))
            for line in path.read_text(encoding="utf-8").splitlines()
        )
        return measure_reference((str(json.loads(line)["story"]) for line in lines if line.strip()), EVERYBODY)


def _make_point(value: DraftValue, kept: tuple[float, float, float] | None) -> TrendPoint | None:
    return TrendPoint(0, 0, kept[0], int(kept[1]), int(kept[2]), value.name, value.key) if kept else None


def fingerprint(text: str, prompt: str, model: str) -> str:
    """Return a short name of a text as one model reads it after a prompt."""
    return hashlib.sha256(f"{model}\0{prompt}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:24]

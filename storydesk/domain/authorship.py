"""Who wrote which stretch of a text: spans that follow every edit, their stored form, and what they add up to.

A text is covered by runs without a gap: (length, origin). Lengths are in the caller's own units; ``dump_runs``,
``load_runs`` and ``count_words_by_kind`` take code points, the window's own spans count UTF-16 units as Qt does (see
bridge.authorship_form, where one becomes the other).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from storydesk.domain.characters import mend_text
from storydesk.domain.manuscript import WORD
from storydesk.domain.sentences import split_sentences

_VERSION = 1


class Kind(StrEnum):
    """How a stretch of text came to be. ``UNKNOWN`` is text from a time or place where nobody kept account."""

    WRITTEN = "written"
    GENERATED = "generated"
    EDITED = "edited"
    PASTED = "pasted"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Source:
    """The generation that a stretch comes from; ``key`` finds it in the library, ``created`` is seconds since 1970."""

    key: str
    model: str
    seed: int
    created: float


@dataclass(frozen=True, slots=True)
class Origin:
    """A kind, with the generation where there is one."""

    kind: Kind
    source: Source | None = None

    @property
    def from_model(self) -> bool:
        """Whether a model had its hand in it."""
        return self.kind in (Kind.GENERATED, Kind.EDITED)


Run = tuple[int, Origin]
Runs = tuple[Run, ...]

WRITTEN = Origin(Kind.WRITTEN)
PASTED = Origin(Kind.PASTED)
UNKNOWN = Origin(Kind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Change:
    """What an edit did to the spans: from ``start`` on, ``old`` became ``new``."""

    start: int
    old: Runs
    new: Runs


def measure_runs(runs: Iterable[Run]) -> int:
    """Return the length of all runs together."""
    return sum(length for length, _ in runs)


def join_runs(runs: Iterable[Run]) -> Runs:
    """Return the same runs without empty ones, equal neighbours made one."""
    joined: list[Run] = []
    for length, origin in runs:
        if length <= 0:
            continue
        if joined and joined[-1][1] == origin:
            joined[-1] = (joined[-1][0] + length, origin)
        else:
            joined.append((length, origin))
    return tuple(joined)


class Spans:
    """The runs of one text. An edit costs as much as it is far from the edit before it. One thread."""

    def __init__(self, runs: Iterable[Run] = ()) -> None:
        """Begin with these runs."""
        joined = join_runs(runs)
        self._lengths = [length for length, _ in joined]
        self._origins = [origin for _, origin in joined]
        self._length = sum(self._lengths)
        # Where the last edit was, so that the next one near it is found at once: a run, and where it starts.
        self._index = 0
        self._start = 0

    @property
    def length(self) -> int:
        """The length of the text."""
        return self._length

    def runs(self) -> Runs:
        """Return all runs in order."""
        return tuple(zip(self._lengths, self._origins, strict=True))

    def origin_at(self, position: int) -> Origin:
        """Return the origin of the unit at a place; IndexError outside the text."""
        if not 0 <= position < self._length:
            raise IndexError(position)
        return self._origins[self._find(position)]

    def slice(self, start: int, end: int) -> Runs:
        """Return the runs of a stretch."""
        self._check(start, end)
        index, place = self._find(start), self._start
        found: list[Run] = []
        while place < end:
            length = self._lengths[index]
            found.append((min(place + length, end) - max(place, start), self._origins[index]))
            place += length
            index += 1
        return tuple(found)

    def replace(self, start: int, end: int, runs: Iterable[Run]) -> Runs:
        """Put runs in the place of a stretch and return what stood there."""
        self._check(start, end)
        fresh = join_runs(runs)
        first = self._split(start)
        last = self._split(end)
        gone = tuple(zip(self._lengths[first:last], self._origins[first:last], strict=True))
        self._lengths[first:last] = [length for length, _ in fresh]
        self._origins[first:last] = [origin for _, origin in fresh]
        self._length += measure_runs(fresh) - (end - start)
        if fresh:
            self._join(first + len(fresh))
        self._index, self._start = first, start
        if self._join(first):
            self._index, self._start = first - 1, start - self._joined_before
        return gone

    def _check(self, start: int, end: int) -> None:
        if not 0 <= start <= end <= self._length:
            raise ValueError(f"{start} to {end} of {self._length}")

    def _find(self, position: int) -> int:
        """Return the run that holds a place, the one behind the last for the end, and remember it."""
        index, start = self._index, self._start
        while index > 0 and start > position:
            index -= 1
            start -= self._lengths[index]
        while index < len(self._lengths) and start + self._lengths[index] <= position:
            start += self._lengths[index]
            index += 1
        self._index, self._start = index, start
        return index

    def _split(self, position: int) -> int:
        """Let a run begin at a place and return its index."""
        index = self._find(position)
        before = position - self._start
        if before:
            self._lengths.insert(index + 1, self._lengths[index] - before)
            self._origins.insert(index + 1, self._origins[index])
            self._lengths[index] = before
            index += 1
        return index

    def _join(self, index: int) -> bool:
        """Make a run one with the run before it where their origins are equal."""
        if not 0 < index < len(self._origins) or self._origins[index - 1] != self._origins[index]:
            return False
        self._joined_before = self._lengths[index - 1]
        self._lengths[index - 1] += self._lengths.pop(index)
        del self._origins[index]
        return True

    _joined_before = 0


def edit_spans(spans: Spans, start: int, end: int, added: Runs, touched: tuple[int, int] | None = None) -> Change:
    """Replace a stretch and return what changed, so that it can be undone.

    ``touched`` is the stretch of the new text whose sentences the writer's own edit touches. Where the edit stands
    inside text of a model, or takes some of it away, what is left of that text in those sentences becomes EDITED, and
    so does what was typed in its midst. Without ``touched`` nothing but the replacement happens.
    """
    gone = spans.replace(start, end, added)
    length = measure_runs(added)
    if touched is None:
        return Change(start, gone, added)
    low, high = min(touched[0], start), max(touched[1], start + length)
    left = spans.origin_at(start - 1) if start > low else None
    right = spans.origin_at(start + length) if start + length < high else None
    by_left, by_right = left is not None and left.from_model, right is not None and right.from_model
    took = any(origin.from_model for _, origin in gone)
    if not ((by_left and by_right) or (took and (by_left or by_right))):
        return Change(start, gone, added)
    new: list[Run] = [_mark_edited(run) for run in spans.slice(low, start)]
    inside = left.source if by_left and by_right and left is not None else None
    for run in added:
        within = by_left and by_right and run[1] == WRITTEN
        new.append((run[0], Origin(Kind.EDITED, inside)) if within else run)
    new += [_mark_edited(run) for run in spans.slice(start + length, high)]
    joined = join_runs(new)
    before = spans.replace(low, high, joined)
    head = cut_runs(before, 0, start - low)
    tail = cut_runs(before, start - low + length, high - low)
    if head + tail == cut_runs(joined, 0, start - low) + cut_runs(joined, start - low + length, high - low):
        return Change(start, gone, cut_runs(joined, start - low, start - low + length))
    return Change(low, join_runs(head + gone + tail), joined)


def _mark_edited(run: Run) -> Run:
    length, origin = run
    return (length, Origin(Kind.EDITED, origin.source)) if origin.kind is Kind.GENERATED else run


def cut_runs(runs: Sequence[Run], start: int, end: int) -> Runs:
    """Return the runs of a stretch."""
    cut: list[Run] = []
    place = 0
    for length, origin in runs:
        low, high = max(place, start), min(place + length, end)
        if high > low:
            cut.append((high - low, origin))
        place += length
    return tuple(cut)


def find_touched(paragraph: str, start: int, end: int) -> tuple[int, int]:
    """Return the stretch of a paragraph whose sentences an edit touches that left ``start`` to ``end`` behind.

    A sentence that ends before the edit, or begins behind it with a capital, is a whole one and not touched: cutting
    a sentence out does not make its neighbours other sentences.
    """
    low, high = start, end
    for begin, stop in split_sentences(paragraph):
        if stop < start or begin > end:
            if begin > end and not paragraph[end:begin].strip() and _is_torn(paragraph, begin):
                high = max(high, stop)
            continue
        whole_before = stop == start and paragraph[:stop].rstrip("\"'’”»*_)")[-1:] in ".!?…"
        whole_behind = begin == end and not _is_torn(paragraph, begin)
        if not (whole_before or whole_behind):
            low, high = min(low, begin), max(high, stop)
    return low, high


def _is_torn(paragraph: str, begin: int) -> bool:
    """Return whether a sentence begins with a small letter, as one does that lost its beginning."""
    first = next((letter for letter in paragraph[begin:] if letter.isalnum()), "")
    return first.islower()


class SpanJournal:
    """What undo takes back and redo brings again, in step with an undo stack that tells its height."""

    def __init__(self) -> None:
        """Begin with nothing to undo."""
        self._done: list[tuple[int, Change]] = []
        self._undone: list[tuple[int, Change]] = []

    def clear(self) -> None:
        """Forget everything."""
        self._done.clear()
        self._undone.clear()

    def record(self, height: int, change: Change) -> None:
        """Keep a change after which the undo stack is ``height`` steps high; several may belong to one step."""
        self._undone.clear()
        while self._done and self._done[-1][0] > height:
            self._done.clear()  # the stack was emptied; what was on it can't come back
        if self._done and self._done[-1][0] == height:
            joined = _join_changes(self._done[-1][1], change)
            if joined is not None:
                self._done[-1] = (height, joined)
                return
        self._done.append((height, change))

    def go_to(self, spans: Spans, height: int) -> None:
        """Bring the spans to what they were at another height of the stack."""
        while self._done and self._done[-1][0] > height:
            step, change = self._done.pop()
            spans.replace(change.start, change.start + measure_runs(change.new), change.old)
            self._undone.append((step, change))
        while self._undone and self._undone[-1][0] <= height:
            step, change = self._undone.pop()
            spans.replace(change.start, change.start + measure_runs(change.old), change.new)
            self._done.append((step, change))


def _join_changes(first: Change, second: Change) -> Change | None:
    """Return two insertions, one behind the other, as one; typing makes thousands."""
    if first.old or second.old or second.start != first.start + measure_runs(first.new):
        return None
    return Change(first.start, (), join_runs(first.new + second.new))


# The stored form


def dump_runs(runs: Sequence[Run], text: str) -> str:
    """Return runs as compact JSON with a fingerprint of the text that they cover (code points)."""
    sources: dict[Source, int] = {}
    listed: list[list[object]] = []
    for length, origin in join_runs(runs):
        entry: list[object] = [length, str(origin.kind)[0]]
        if origin.source is not None:
            entry.append(sources.setdefault(origin.source, len(sources)))
        listed.append(entry)
    record = {
        "v": _VERSION,
        "n": len(text),
        "f": _fingerprint(text),
        "g": [[source.key, source.model, source.seed, round(source.created)] for source in sources],
        "s": listed,
    }
    return mend_text(json.dumps(record, ensure_ascii=False, separators=(",", ":")))


def load_runs(stored: str, text: str, origin: str = "") -> Runs:
    """Return the runs of a text; where what is stored is about another text, all of it is of unknown origin.

    ``origin`` is the draft's: a text that was generated or imported as a whole, without spans, is just that.
    """
    if not text:
        return ()
    whole = {"generated": Origin(Kind.GENERATED), "imported": PASTED}.get(origin, UNKNOWN)
    try:
        runs = _read(json.loads(stored), text) if stored else ()
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return ((len(text), UNKNOWN),)
    if stored and not runs:
        return ((len(text), UNKNOWN),)
    return runs or ((len(text), whole),)


def _read(record: Mapping[str, object], text: str) -> Runs:
    """Return the runs of a record; empty where it is about another text."""
    if record["v"] != _VERSION or record["n"] != len(text) or record["f"] != _fingerprint(text):
        return ()
    kinds = {str(kind)[0]: kind for kind in Kind}
    listed, sources = record["s"], record["g"]
    if not isinstance(listed, list) or not isinstance(sources, list):
        return ()
    table = [Source(str(key), str(model), int(seed), float(created)) for key, model, seed, created in sources]
    runs = [(int(entry[0]), Origin(kinds[entry[1]], table[entry[2]] if len(entry) > 2 else None)) for entry in listed]
    if any(length <= 0 for length, _ in runs) or measure_runs(runs) != len(text):
        return ()
    return join_runs(runs)


def _fingerprint(text: str) -> int:
    return zlib.crc32(text.encode("utf-8", "surrogatepass"))


# What it adds up to


@dataclass(frozen=True, slots=True)
class ModelShare:
    """What one model gave: words that stand as it made them, words edited since, and when (seconds since 1970)."""

    model: str
    generated: int
    edited: int
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Words by kind, and by model. A word of several origins counts as edited where a model had a hand in it."""

    words: Mapping[Kind, int]
    models: tuple[ModelShare, ...] = ()

    @property
    def total(self) -> int:
        """All words."""
        return sum(self.words.values())

    def share(self, kind: Kind) -> float:
        """Return the part of all words that is of a kind, 0 to 1."""
        return self.words.get(kind, 0) / self.total if self.total else 0.0


def count_words_by_kind(text: str, runs: Sequence[Run], is_cancelled: Callable[[], bool] | None = None) -> Tally:
    """Return the tally of a text that the runs cover (code points); an empty one once cancelled."""
    words = dict.fromkeys(Kind, 0)
    models: dict[str, list[float]] = {}
    ends: list[int] = []
    place = 0
    for length, _ in runs:
        place += length
        ends.append(place)
    index = 0
    for number, match in enumerate(WORD.finditer(text)):
        if is_cancelled is not None and number % 4096 == 0 and is_cancelled():
            return Tally({})
        start, end = match.span()
        while index < len(ends) and ends[index] <= start:
            index += 1
        if index >= len(ends):
            words[Kind.UNKNOWN] += 1
            continue
        origin = runs[index][1] if end <= ends[index] else _mix(runs, ends, index, end)
        words[origin.kind] += 1
        if origin.from_model and origin.source is not None:
            share = models.setdefault(origin.source.model, [0, 0, origin.source.created, origin.source.created])
            share[origin.kind is Kind.EDITED] += 1
            share[2], share[3] = min(share[2], origin.source.created), max(share[3], origin.source.created)
    shares = tuple(
        ModelShare(model, int(made), int(edited), first, last)
        for model, (made, edited, first, last) in sorted(models.items())
    )
    return Tally(words, shares)


def _mix(runs: Sequence[Run], ends: Sequence[int], index: int, end: int) -> Origin:
    """Return the origin of a word that several runs share."""
    origins = [runs[index][1]]
    while ends[index] < end and index + 1 < len(runs):
        index += 1
        origins.append(runs[index][1])
    for origin in origins:
        if origin.from_model:
            return origin if len({each.kind for each in origins}) == 1 else Origin(Kind.EDITED, origin.source)
    return WRITTEN if WRITTEN in origins else origins[0]

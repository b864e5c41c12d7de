"""What scores say about a draft line by line: classes for a heat map, trends, and what stands out.

A line is what stands between two line breaks; it is the page's paragraph. Places are code points within their line.
"""

from __future__ import annotations

import heapq
import math
import re
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from storydesk.domain.manuscript import count_words
from storydesk.domain.scoring import TokenScore, WordDifference, compute_perplexity
from storydesk.domain.sentences import Span, split_sentences

_WORD: Final = re.compile(r"\S+")

SURPRISE_LIMITS: Final = (math.log(50), math.log(500), math.log(5000))
"""Nats above which a word is a little, rather and very surprising: one in 50, in 500, in 5,000."""

RANK_LIMITS: Final = (10, 100, 1000)
"""Ranks above which a word is in the next class; GLTR's, who coloured texts this way first."""

VOICE_LIMITS: Final = (0.7, 2.0)
"""Nats by which a word is more expected of one model than of the other: twice, and more than seven times as likely."""

SHORTEST_SENTENCE: Final = 4
"""Words; what is shorter surprises by chance."""


class HeatKind(StrEnum):
    """What a heat map shows."""

    SURPRISE = "surprise"
    RANK = "rank"
    VOICE = "voice"


@dataclass(frozen=True, slots=True, eq=False)
class LineScore:
    """One line's words, where they begin and end, what each cost in nats and the highest rank of its tokens.

    Words are what white space separates. ``cost`` is all that the line's ``tokens`` cost together, line breaks before
    it included; ``words`` are those that a reader would count.
    """

    starts: array[int] = field(default_factory=lambda: array("i"))
    ends: array[int] = field(default_factory=lambda: array("i"))
    nats: array[float] = field(default_factory=lambda: array("f"))
    ranks: array[int] = field(default_factory=lambda: array("i"))
    cost: float = 0.0
    tokens: int = 0
    words: int = 0

    @property
    def perplexity(self) -> float:
        """Perplexity per token; 0 for an empty line."""
        return compute_perplexity(self.cost, self.tokens)

    @property
    def nats_per_word(self) -> float:
        """Nats per word; 0 without words."""
        return self.cost / self.words if self.words else 0.0

    def find_word(self, place: int) -> int:
        """Return the index of the word that holds a place or ends there; -1 where there is none."""
        index = bisect_right(self.starts, place) - 1
        return index if index >= 0 and place <= self.ends[index] else -1


NOTHING: Final = LineScore()
"""The score of a line without words."""

LineScores = Sequence[LineScore | None]
"""One for each line of a text, None where it is not known yet."""


def split_by_line(tokens: Sequence[TokenScore], text: str, start: int = 0) -> list[LineScore | None]:
    """Return the score of each line of ``text``, which begins at ``start`` of the text that was scored."""
    scores: list[LineScore | None] = []
    following = 0
    cost, count = 0.0, 0
    while following < len(tokens) and tokens[following].end <= start:
        following += 1
    for line in text.split("\n"):
        spans = [match.span() for match in _WORD.finditer(line)]
        if spans:
            score, following = _collect(line, spans, tokens, following, start)
            scores.append(replace(score, cost=score.cost + cost, tokens=score.tokens + count))
            cost, count = 0.0, 0
        else:
            scores.append(NOTHING)
        start += len(line) + 1
        while following < len(tokens) and tokens[following].end <= start:
            cost, count = cost + tokens[following].nats, count + 1  # a line break belongs to what comes after it
            following += 1
    return scores


def _collect(
    line: str, spans: list[Span], tokens: Sequence[TokenScore], following: int, start: int
) -> tuple[LineScore, int]:
    """Return a line's score and the first token behind it."""
    starts, ends = array("i", (span[0] for span in spans)), array("i", (span[1] for span in spans))
    nats, ranks = array("f", bytes(4 * len(spans))), array("i", bytes(array("i").itemsize * len(spans)))
    cost, count, word = 0.0, 0, 0
    last = len(line)
    while following < len(tokens):
        token = tokens[following]
        place = max(token.end - 1, token.start) - start
        if place >= last:
            break
        while word + 1 < len(spans) and place >= ends[word]:
            word += 1
        if starts[word] <= place < ends[word]:
            nats[word] += token.nats
            ranks[word] = max(ranks[word], token.rank)
        cost, count = cost + token.nats, count + 1
        following += 1
    return LineScore(starts, ends, nats, ranks, cost, count, count_words(line)), following


def take_words(score: LineScore, first: int, last: int, shift: int = 0) -> LineScore:
    """Return some words of a line, moved by ``shift`` places; the line's sums stay as they were."""
    return replace(
        score,
        starts=array("i", (place + shift for place in score.starts[first:last])),
        ends=array("i", (place + shift for place in score.ends[first:last])),
        nats=score.nats[first:last],
        ranks=score.ranks[first:last],
    )


def join_words(head: LineScore, tail: LineScore) -> LineScore:
    """Return a line of the words of both, with the sums of the first."""
    return replace(
        head,
        starts=head.starts + tail.starts,
        ends=head.ends + tail.ends,
        nats=head.nats + tail.nats,
        ranks=head.ranks + tail.ranks,
    )


# Classes


def rate_surprise(nats: float) -> int:
    """Return 0 for an expected word, to 3 for a very surprising one."""
    return bisect_left(SURPRISE_LIMITS, nats)


def rate_rank(rank: int) -> int:
    """Return 0 for a word among the ten likeliest, to 3 for one behind the first thousand."""
    return bisect_left(RANK_LIMITS, rank)


def rate_gain(gain: float) -> int:
    """Return -2 to 2: below 0 the other model would sooner write the word, above 0 the writer's own would."""
    strength = bisect_right(VOICE_LIMITS, abs(gain))
    return strength if gain > 0 else -strength


def rate_words(kind: HeatKind, score: LineScore, base: LineScore | None = None) -> list[int]:
    """Return the class of each word of a line; the voice needs the line's score by the base, and is 0 without it."""
    if kind is HeatKind.SURPRISE:
        return [rate_surprise(value) for value in score.nats]
    if kind is HeatKind.RANK:
        return [rate_rank(rank) for rank in score.ranks]
    if base is None or len(base.nats) != len(score.nats):
        return [0] * len(score.nats)
    return [rate_gain(other - own) for own, other in zip(score.nats, base.nats, strict=True)]


def compare_line(score: LineScore, base: LineScore) -> tuple[WordDifference, ...]:
    """Return both models' surprise at each word of one line."""
    rows = zip(score.starts, score.ends, score.nats, base.nats, strict=True)
    return tuple(WordDifference(start, end, own, other) for start, end, own, other in rows)


def say_odds(nats: float) -> int:
    """Return n of "one in n", with two figures that mean something."""
    odds = math.exp(min(nats, 40.0))
    if odds < 10:
        return max(round(odds), 1)
    size = int(10 ** (math.floor(math.log10(odds)) - 1))
    return round(odds / size) * size


# Trends


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """A stretch of a draft, or a draft, and what it cost; ``title`` is a chapter's or a draft's name.

    ``first`` and ``last`` are lines; ``key`` says which draft it is.
    """

    first: int
    last: int
    cost: float
    tokens: int
    words: int
    title: str = ""
    key: int = 0

    @property
    def perplexity(self) -> float:
        """Perplexity per token."""
        return compute_perplexity(self.cost, self.tokens)

    @property
    def nats_per_word(self) -> float:
        """Nats per word; 0 without words."""
        return self.cost / self.words if self.words else 0.0


def trace_paragraphs(scores: LineScores) -> list[TrendPoint]:
    """Return a point for each line that has words and is scored."""
    return [
        TrendPoint(line, line, score.cost, score.tokens, score.words)
        for line, score in enumerate(scores)
        if score is not None and score.tokens
    ]


def trace_chapters(scores: LineScores, headings: Sequence[tuple[int, str]]) -> list[TrendPoint]:
    """Return a point for each chapter: from its heading (line and title, in order) to the next one.

    What stands before the first heading is a chapter without a title. Chapters with unknown lines are left out, for
    a part of a chapter says little of it.
    """
    points = []
    starts = [(0, "")] * (not headings or headings[0][0] > 0) + list(headings)
    ends = [line for line, _ in starts[1:]] + [len(scores)]
    for (first, title), end in zip(starts, ends, strict=True):
        inside = [score for score in scores[first:end] if score is not None]
        if len(inside) == end - first and any(score.tokens for score in inside):
            points.append(_add_up(inside, first, end - 1, title))
    return points


def gather_points(points: Sequence[TrendPoint], most: int) -> list[TrendPoint]:
    """Return at most so many points: neighbours are added up where there are more."""
    if len(points) <= most:
        return list(points)
    gathered = []
    for number in range(most):
        group = points[number * len(points) // most : (number + 1) * len(points) // most]
        gathered.append(
            TrendPoint(
                group[0].first,
                group[-1].last,
                math.fsum(point.cost for point in group),
                sum(point.tokens for point in group),
                sum(point.words for point in group),
                group[0].title,
                group[0].key,
            )
        )
    return gathered


def _add_up(inside: Sequence[LineScore], first: int, last: int, title: str) -> TrendPoint:
    return TrendPoint(
        first,
        last,
        math.fsum(score.cost for score in inside),
        sum(score.tokens for score in inside),
        sum(score.words for score in inside),
        title,
    )


# What stands out


@dataclass(frozen=True, slots=True)
class SurprisingPart:
    """A sentence or a paragraph that surprises: its line, its place there, and nats a word."""

    line: int
    start: int
    end: int
    nats_per_word: float
    text: str


def rate_sentences(line: str, score: LineScore) -> Iterator[tuple[int, int, float]]:
    """Yield start, end and nats a word of each sentence of a line that is long enough to be judged."""
    for start, end in split_sentences(line):
        first, after = bisect_left(score.starts, start), bisect_left(score.starts, end)
        words = count_words(line[start:end])
        if words >= SHORTEST_SENTENCE:
            yield start, end, math.fsum(score.nats[first:after]) / words


Rating = tuple[int, int, float]
"""Start and end of a sentence in its line, and its nats a word."""


def rate_paragraph(score: LineScore) -> tuple[Rating, ...]:
    """Return a line's own rating, none where it is too short to be judged."""
    if score.words < SHORTEST_SENTENCE or not score.starts:
        return ()
    return ((score.starts[0], score.ends[-1], math.fsum(score.nats) / score.words),)


def pick_surprising(
    lines: Sequence[str], ratings: Iterable[Sequence[Rating]], most: int, pause: Callable[[], None]
) -> tuple[SurprisingPart, ...]:
    """Return the ``most`` surprising of the parts that each line has, the most surprising first.

    ``pause`` is called between lines.
    """

    def list_parts() -> Iterator[tuple[float, int, int, int]]:
        for number, parts in enumerate(ratings):
            pause()
            for start, end, value in parts:
                yield value, -number, start, end

    chosen = heapq.nlargest(most, list_parts())
    return tuple(
        SurprisingPart(-number, start, end, value, lines[-number][start:end]) for value, number, start, end in chosen
    )

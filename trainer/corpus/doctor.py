"""The data doctor: what is wrong with the pairs of a dataset, each finding with examples and a fix.

It looks at the pairs that are not left out, as they stand. What it finds a run would mend or pass over in silence too
(see ``trainer.corpus.cleaning``); here it is seen, and decided by the writer.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from trainer.corpus.boilerplate import LineCounter, find_lines
from trainer.corpus.cleaning import FEWEST_WORDS, fingerprint_story
from trainer.corpus.copies import NEAR, Hashes, StoryRuns, find_copies, group_copies, measure_leaks, take_sketch
from trainer.corpus.document import Document
from trainer.corpus.languages import find_language
from trainer.corpus.splitting import split_documents
from trainer.corpus.watching import Unwatched, Watch
from trainer.protocol.datasets import CUT, LEAVE_OUT, MEND, DoctorReport, ExampleRecord, FindingRecord, StandingPair
from trainer.protocol.failures import TrainerError
from trainer.text import mending
from trainer.text.ngrams import count_words
from trainer.text.parts import CHAPTERS, cut_chapters

EXAMPLES = 5
TOO_LONG = 8_000
"""Words of a story that is longer than a short one: its parts would all answer the one prompt of the whole."""

LEAK_SHARE = 0.2
"""The share of a held-out story that stands elsewhere from which it is said; at half, no split puts it there."""

_SEED = 7
_BEFORE, _LENGTH = 60, 200
_PASSES = 3

_KINDS = (
    ("broken_encoding", mending.ENCODING),
    ("markup", mending.MARKUP),
    ("remarks", mending.REMARKS),
    ("licence", mending.LICENCE),
)


@dataclass(slots=True)
class _Gathered:
    """What one look at every pair gives; places are those in the list of pairs."""

    prints: dict[bytes, list[int]] = field(default_factory=lambda: defaultdict(list))
    mendable: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    short: list[int] = field(default_factory=list)
    long: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    languages: list[str] = field(default_factory=list)
    lines: LineCounter = field(default_factory=LineCounter)


def examine_pairs(pairs: Sequence[StandingPair], *, edits: int = 0, watch: Watch | None = None) -> DoctorReport:
    """Return what is wrong with the pairs that are not left out. ``edits`` is noted in the report."""
    began = time.monotonic()
    watch = watch or Unwatched()
    kept = [pair for pair in pairs if not pair.left_out]
    total = _PASSES * len(kept)
    runs = StoryRuns([pair.story for pair in kept])
    seen = _look_at_each(kept, watch, total)
    findings = [*_find_copies(kept, runs, seen, watch, total), *_find_mendable(kept, seen), *_find_lines(kept, seen)]
    findings += [*_find_languages(kept, seen), *_find_lengths(kept, seen)]
    aside = {pair for finding in findings if finding.remedy == LEAVE_OUT for pair in finding.pairs}
    split = _check_split(kept, [place for place, pair in enumerate(kept) if pair.id not in aside], runs, watch)
    findings += split.findings
    return replace(split, findings=tuple(findings), edits=edits, seconds=round(time.monotonic() - began, 2))


def _look_at_each(pairs: Sequence[StandingPair], watch: Watch, total: int) -> _Gathered:
    seen = _Gathered()
    for place, pair in enumerate(pairs):
        watch.progress(place, total)
        words = count_words(pair.story)
        seen.words.append(words)
        if words < FEWEST_WORDS:
            seen.short.append(place)
            seen.languages.append("")
            continue
        seen.prints[fingerprint_story(pair.story)].append(place)
        if words > TOO_LONG:
            seen.long.append(place)
        for kind, method in _KINDS:
            if mending.mend(method, pair.story) != pair.story or mending.mend(method, pair.prompt) != pair.prompt:
                seen.mendable[kind].append(place)
        seen.languages.append(find_language(pair.story))
        seen.lines.add(pair.story)
    return seen


def _find_copies(
    pairs: Sequence[StandingPair], runs: StoryRuns, seen: _Gathered, watch: Watch, total: int
) -> Iterable[FindingRecord]:
    """Yield exact copies (all but the first are to go) and near copies (all but the longest are)."""
    exact = [(place, places[0]) for places in seen.prints.values() for place in places[1:]]
    yield from _leave_out("exact_copies", pairs, sorted(exact))
    firsts = sorted(places[0] for places in seen.prints.values())
    sketches = []
    for place in firsts:
        watch.progress(len(pairs) + place, total)
        sketches.append(take_sketch(runs[place]))
    copies = find_copies(sketches)
    near = []
    for group in group_copies(len(firsts), ((copy.first, copy.second) for copy in copies)):
        places = [firsts[number] for number in group]
        stays = max(places, key=lambda place: (seen.words[place], -place))
        near += [(place, stays) for place in places if place != stays]
    yield from _leave_out("near_copies", pairs, sorted(near))


def _leave_out(
    kind: str, pairs: Sequence[StandingPair], found: Sequence[tuple[int, int]], detail: str = "", limit: int = 0
) -> Iterable[FindingRecord]:
    """Yield the finding of pairs that are to go, each with the place of the one that stays (or -1)."""
    if found:
        examples = tuple(
            ExampleRecord(pairs[place].id, _shorten(pairs[place].story), "", pairs[other].id if other >= 0 else "")
            for place, other in found[:EXAMPLES]
        )
        yield FindingRecord(
            id=f"{kind}:{detail}" if detail else kind,
            kind=kind,
            remedy=LEAVE_OUT,
            pairs=tuple(pairs[place].id for place, _ in found),
            examples=examples,
            detail=detail,
            limit=limit,
        )


def _find_mendable(pairs: Sequence[StandingPair], seen: _Gathered) -> Iterable[FindingRecord]:
    """Yield what a mending takes out: broken letters, markup, remarks, licences."""
    for kind, method in _KINDS:
        places = seen.mendable[kind]
        if places:
            shown = (pairs[place] for place in places[:EXAMPLES])
            yield FindingRecord(
                id=kind,
                kind="boilerplate" if kind == "licence" else kind,
                remedy=MEND,
                pairs=tuple(pairs[place].id for place in places),
                method=method,
                examples=tuple(_show_mending(pair, partial(mending.mend, method)) for pair in shown),
                detail="licence" if kind == "licence" else "",
            )


def _find_lines(pairs: Sequence[StandingPair], seen: _Gathered) -> Iterable[FindingRecord]:
    """Yield the lines that stories share or repeat."""
    lines = frozenset(seen.lines.finish())
    if not lines:
        return
    hit = [pair for pair in pairs if next(find_lines(pair.story, lines), None) is not None]
    used = tuple(sorted({mending.reduce_line(line) for pair in hit for line in find_lines(pair.story, lines)}))
    if not hit:
        return
    # One example for each line says more than the same line from many stories.
    shown: dict[str, StandingPair] = {}
    for pair in hit:
        shown.setdefault(mending.reduce_line(next(find_lines(pair.story, lines))), pair)
    yield FindingRecord(
        id="boilerplate",
        kind="boilerplate",
        remedy=MEND,
        pairs=tuple(pair.id for pair in hit),
        method=mending.LINES,
        lines=used,
        examples=tuple(
            _show_mending(pair, lambda text: mending.drop_lines(text, used)) for pair in list(shown.values())[:EXAMPLES]
        ),
        detail="lines",
    )


def _find_languages(pairs: Sequence[StandingPair], seen: _Gathered) -> Iterable[FindingRecord]:
    """Yield the stories in another language than most of the words, a finding for each language."""
    words: Counter[str] = Counter()
    for language, count in zip(seen.languages, seen.words, strict=True):
        if language:
            words[language] += count
    if len(words) < 2:
        return
    main = words.most_common(1)[0][0]
    for language in sorted(set(words) - {main}):
        places = [place for place, each in enumerate(seen.languages) if each == language]
        yield from _leave_out("other_language", pairs, [(place, -1) for place in places], language)


def _find_lengths(pairs: Sequence[StandingPair], seen: _Gathered) -> Iterable[FindingRecord]:
    """Yield stories with hardly a word, and those with so many that they are better cut into chapters."""
    yield from _leave_out("too_short", pairs, [(place, -1) for place in seen.short], limit=FEWEST_WORDS)
    if seen.long:
        yield FindingRecord(
            id="too_long",
            kind="too_long",
            remedy=CUT,
            pairs=tuple(pairs[place].id for place in seen.long),
            method=CHAPTERS,
            examples=tuple(_show_cut(pairs[place]) for place in seen.long[:EXAMPLES]),
            limit=TOO_LONG,
        )


def _check_split(pairs: Sequence[StandingPair], places: Sequence[int], runs: StoryRuns, watch: Watch) -> DoctorReport:
    """Split as a run with the usual seed does, and look for held-out stories in what would be learned from."""
    total = _PASSES * len(pairs)
    documents = [Document(story=pairs[place].story, prompt=pairs[place].prompt, source=str(place)) for place in places]
    watch.check()
    try:
        split = split_documents(documents, _SEED, runs.choose(places))
    except TrainerError:
        return DoctorReport()
    if split.same_story:
        return DoctorReport(training=len(split.training), heldout=len(split.heldout))

    def training() -> Iterable[Hashes]:
        for number, document in enumerate(split.training):
            watch.progress(2 * len(pairs) + number, total)
            yield runs[int(document.source)]

    leaks = measure_leaks(training(), [runs[int(document.source)] for document in split.heldout])
    found = [
        (int(split.heldout[leak.heldout].source), int(split.training[leak.other].source))
        for leak in leaks
        if leak.share >= LEAK_SHARE
    ]
    return DoctorReport(
        findings=tuple(_leave_out("leaks", pairs, found)),
        training=len(split.training),
        heldout=len(split.heldout),
        leaks=sum(1 for leak in leaks if leak.share >= NEAR),
    )


def _show_mending(pair: StandingPair, mended: Callable[[str], str]) -> ExampleRecord:
    """Return the first place that a mending changes, before and after."""
    for before in (pair.story, pair.prompt):
        after = mended(before)
        if after != before:
            start = max(0, _find_difference(before, after) - _BEFORE)
            return ExampleRecord(pair.id, _shorten(before[start:]), _shorten(after[start:]) or "…")
    return ExampleRecord(pair.id, _shorten(pair.story), _shorten(pair.story))


def _show_cut(pair: StandingPair) -> ExampleRecord:
    """Return how a long story begins, and how its parts do."""
    parts = cut_chapters(pair.story)
    heads = " | ".join(title or _shorten(text, 40) for title, text in parts[:6])
    return ExampleRecord(pair.id, _shorten(pair.story), heads + (" | …" if len(parts) > 6 else ""))


def _find_difference(one: str, other: str) -> int:
    """Return the place of the first character in which two texts differ."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _shorten(text: str, length: int = _LENGTH) -> str:
    short = " ".join(text[: 2 * length].split())
    return short if len(short) <= length and len(text) <= 2 * length else short[: length - 1] + "…"

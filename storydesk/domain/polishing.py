"""Grammar findings in one shape, whichever checker they come from, and what a writer wants left alone."""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Any

from storydesk.domain.sentences import Span, find_quotations, is_inside, sentence_at, split_paragraphs, split_sentences
from storydesk.domain.vocabulary import Vocabulary, count_edits


class Category(StrEnum):
    """What kind of thing was found, in a writer's words."""

    SPELLING = "spelling"
    GRAMMAR = "grammar"
    PUNCTUATION = "punctuation"
    REPETITION = "repetition"
    STYLE = "style"
    TYPOGRAPHY = "typography"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding: ``start`` and ``end`` are code points of the text as it was handed over.

    ``suggestions`` are whole replacements of that span, best first; ``source`` is ``harper`` or ``languagetool``.
    A ``doubtful`` one is held back: the model finds the sentence likelier as it stands.
    """

    start: int
    end: int
    category: Category
    rule: str
    message: str
    suggestions: tuple[str, ...]
    source: str
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class PolishSettings:
    """How one story is polished; ``words`` are its own, ``ignored`` the fingerprints of what was ignored once.

    ``leave_dialogue`` flags nothing in quotation marks; ``mend_dialogue`` lets a plan change what stands there.
    """

    language: str = "en-US"
    engine: str = "auto"
    leave_dialogue: bool = False
    mend_dialogue: bool = False
    leave_dialect: bool = True
    rank: bool = True
    ignored_rules: frozenset[str] = frozenset()
    ignored: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()

    def to_text(self) -> str:
        """Return the settings as JSON, to be kept with the story."""
        record: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        return json.dumps(
            {name: sorted(kept) if isinstance(kept, frozenset) else kept for name, kept in record.items()}
        )

    @classmethod
    def from_text(cls, text: str) -> PolishSettings:
        """Return settings that were kept; what is missing or of the wrong kind is as in a new story."""
        try:
            record = json.loads(text) if text else {}
        except ValueError:
            record = {}
        kept: dict[str, Any] = {}
        default = cls()
        for name in cls.__slots__ if isinstance(record, dict) else ():
            value, usual = record.get(name), getattr(default, name)
            if isinstance(usual, frozenset):
                if isinstance(value, list):
                    kept[name] = frozenset(str(item) for item in value)
            elif type(value) is type(usual):
                kept[name] = value
        return cls(**kept)


def merge_findings(first: Iterable[Finding], second: Iterable[Finding]) -> list[Finding]:
    """Return both lists by place without duplicates.

    Where two overlap the one of ``first`` stays, unless that is a matter of style and the other is none; what is
    about the very same place and of the same kind brings its suggestions along.
    """
    mine, others = list(first), list(second)
    merged: list[Finding] = []
    for cluster in _find_clusters([*mine, *others]):
        if len(cluster) == 1:
            merged.append(cluster[0][1])
        elif _are_twins(cluster, len(mine)):
            merged.append(_join(cluster[0][1], cluster[1][1]))
        else:
            merged += _merge_cluster(
                [finding for number, finding in cluster if number < len(mine)],
                [finding for number, finding in cluster if number >= len(mine)],
            )
    return merged


def _find_clusters(findings: Sequence[Finding]) -> Iterator[list[tuple[int, Finding]]]:
    """Yield the findings by place, with their numbers, those together that overlap or share a place."""
    cluster: list[tuple[int, Finding]] = []
    end = -1
    for number, finding in sorted(enumerate(findings), key=_place_of):
        same = bool(cluster) and finding.start == cluster[-1][1].start and finding.end == cluster[-1][1].end
        if cluster and finding.start >= end and not same:
            yield cluster
            cluster = []
        cluster.append((number, finding))
        end = max(end, finding.end)
    if cluster:
        yield cluster


def _are_twins(cluster: Sequence[tuple[int, Finding]], first: int) -> bool:
    """Return whether both lists, the first of which has ``first`` findings, say the same of one place."""
    if len(cluster) != 2:
        return False
    (number, one), (other_number, other) = cluster
    return number < first <= other_number and _order(one) == _order(other) and one.category is other.category


def _place_of(numbered: tuple[int, Finding]) -> tuple[int, int]:
    return numbered[1].start, numbered[1].end


def _merge_cluster(first: Iterable[Finding], second: Iterable[Finding]) -> list[Finding]:
    kept, rivals = _unite(first), _unite(second)
    beaten: set[Finding] = set()
    extra: list[Finding] = []
    for rival in rivals:
        touched = [finding for finding in _near(kept, rival) if _overlap(finding, rival)]
        if all(finding.category is Category.STYLE for finding in touched) and rival.category is not Category.STYLE:
            beaten.update(touched)
            extra.append(rival)
        elif not touched:
            extra.append(rival)
    twins = {(rival.start, rival.end): rival for rival in rivals}
    merged = [
        _join(finding, twins[finding.start, finding.end]) if (finding.start, finding.end) in twins else finding
        for finding in kept
        if finding not in beaten
    ]
    return sorted([*merged, *extra], key=_order)


def _order(finding: Finding) -> tuple[int, int]:
    return finding.start, finding.end


def _overlap(one: Finding, other: Finding) -> bool:
    return (one.start < other.end and other.start < one.end) or _order(one) == _order(other)


def _near(findings: Sequence[Finding], rival: Finding) -> Iterable[Finding]:
    """Return the findings, sorted by start, that may overlap another; a finding is hardly longer than a paragraph."""
    last = bisect_right(findings, rival.end, key=lambda finding: finding.start)
    reach = 5000
    first = bisect_left(findings, rival.start - reach, key=lambda finding: finding.start)
    return findings[first:last]


def agree_on_spelling(
    first: Sequence[Finding], second: Sequence[Finding], read_by_both: Sequence[Span]
) -> tuple[list[Finding], list[Finding]]:
    """Return both checkers' findings without the spellings at which the other one, which read the same, saw nothing.

    A word is misspelt only if neither dictionary has it. ``read_by_both`` are spans in order and apart.
    """
    return _without_known_words(first, second, read_by_both), _without_known_words(second, first, read_by_both)


def _without_known_words(
    findings: Sequence[Finding], others: Sequence[Finding], read_by_both: Sequence[Span]
) -> list[Finding]:
    ordered = sorted(others, key=_order)
    return [
        finding
        for finding in findings
        if finding.category is not Category.SPELLING
        or not is_inside(read_by_both, finding.start, finding.end)
        or any(_overlap(finding, other) for other in _near(ordered, finding))
    ]


def _unite(findings: Iterable[Finding]) -> list[Finding]:
    """Return one checker's findings by place, those about the very same place as one."""
    united: list[Finding] = []
    for _, group in groupby(sorted(findings, key=_order), key=_order):
        best, *others = sorted(group, key=lambda finding: finding.category is Category.STYLE)
        for other in others:
            best = _join(best, other)
        united.append(best)
    return united


def _join(finding: Finding, other: Finding) -> Finding:
    """Return a finding with the suggestions of another about the same place behind its own."""
    if finding.category is not other.category or finding.suggestions == other.suggestions:
        return finding
    return replace(finding, suggestions=tuple(dict.fromkeys((*finding.suggestions, *other.suggestions))))


# What is left alone

FARTHEST_SLIP = 2
"""Letters that a slip of the fingers changes at most; what lies farther from every known word is a word of its own."""

_OF_DIALECT = (Category.SPELLING, Category.GRAMMAR, Category.PUNCTUATION)
_APOSTROPHES = "’‘ʼ"

_ELIDED = re.compile(
    r"(?<![\w’'])['’‘](?:em|im|er|is|e|un|ere|ad|as|ave|ow|bout|cause|til|twas|tis|cept|spect|fore|nough)\b"
    r"|\b\w+(?:in|an|o|wi|th|ol|ev)['’](?!\w)"
    r"|\b(?:ain['’]t|dunno|gonna|gotta|wanna|lemme|gimme|ye|yer|yeh|nowt|owt|summat|aye|nae|dinna|cannae|wisna|y['’]all)\b",
    re.IGNORECASE,
)


def leave_alone(
    text: str, findings: Iterable[Finding], settings: PolishSettings, vocabulary: Vocabulary
) -> list[Finding]:
    """Return the findings without those that the writer wants left alone.

    That is: words that are known, rules and places that were ignored, and speech or dialect where that is wished.
    Unknown words that look like names, or are written with letters of other languages, are marked as doubtful, and
    suggestions get the apostrophes that the text has.
    """
    findings = _set_apostrophes(text, _doubt_names(text, findings, settings.language))
    speech = find_quotations(text) if settings.leave_dialogue else []
    sentences = _Sentences(text)
    kept: list[Finding] = []
    for finding in findings:
        if finding.rule in settings.ignored_rules or is_inside(speech, finding.start, finding.end):
            continue
        if finding.category is Category.SPELLING and vocabulary.knows(text[finding.start : finding.end]):
            continue
        if settings.ignored or settings.leave_dialect:
            sentence = sentences.around(finding.start)
            if settings.leave_dialect and _is_dialect(finding, sentence):
                continue
            if (
                settings.ignored
                and _fingerprint(finding, text[finding.start : finding.end], sentence) in settings.ignored
            ):
                continue
        kept.append(finding)
    return kept


def _doubt_names(text: str, findings: Iterable[Finding], language: str) -> list[Finding]:
    """Mark what is hardly misspelt: a word with a capital that no sentence asks for, there or elsewhere in the text,
    or one that no suggestion comes near. Where an English dictionary doesn't know a word with an accent, the writer
    meant another language.
    """
    listed = list(findings)
    unknown = [finding for finding in listed if finding.category is Category.SPELLING]
    names = {text[item.start : item.end] for item in unknown if may_be_name(text, item.start)}
    english = language.startswith("en")

    def is_meant(finding: Finding) -> bool:
        words = text[finding.start : finding.end]
        if finding.suggestions and min(count_edits(words, near) for near in finding.suggestions) > FARTHEST_SLIP:
            return True
        return words in names or (english and any(letter > "\x7f" and letter not in _APOSTROPHES for letter in words))

    return [
        replace(finding, doubtful=True) if finding.category is Category.SPELLING and is_meant(finding) else finding
        for finding in listed
    ]


def _set_apostrophes(text: str, findings: Sequence[Finding]) -> Sequence[Finding]:
    """Return the findings with typographic apostrophes in their suggestions where the text has no others."""
    if "'" in text or not any(mark in text for mark in "’“”"):
        return findings
    return [
        replace(finding, suggestions=tuple(suggestion.replace("'", "’") for suggestion in finding.suggestions))
        if any("'" in suggestion for suggestion in finding.suggestions)
        else finding
        for finding in findings
    ]


def fingerprint(text: str, finding: Finding) -> str:
    """Return what a finding is known by wherever its sentence stands in the story, as long as that isn't changed."""
    return _fingerprint(finding, text[finding.start : finding.end], _Sentences(text).around(finding.start))


def _fingerprint(finding: Finding, words: str, sentence: str) -> str:
    record = "\x00".join((finding.rule, words, sentence)).encode("utf-8", "replace")
    return hashlib.blake2b(record, digest_size=8).hexdigest()


class _Sentences:
    """Finds the sentence around a place, splitting no more paragraphs than are asked about."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._paragraphs = list(split_paragraphs(text))
        self._split: dict[int, list[Span]] = {}

    def around(self, place: int) -> str:
        """Return the sentence that holds a place; empty before the first."""
        number = sentence_at(self._paragraphs, place)
        if number < 0:
            return ""
        start, end = self._paragraphs[number]
        paragraph = self._text[start:end]
        if number not in self._split:
            self._split[number] = split_sentences(paragraph)
        index = sentence_at(self._split[number], place - start)
        return paragraph[slice(*self._split[number][index])] if index >= 0 else ""


def _is_dialect(finding: Finding, sentence: str) -> bool:
    return finding.category in _OF_DIALECT and _ELIDED.search(sentence) is not None


def apply_findings(text: str, findings: Sequence[Finding]) -> tuple[str, list[Finding]]:
    """Return the text with every clear remedy, and the findings that were applied (see choose_clear)."""
    applied = choose_clear(text, findings)
    pieces: list[str] = []
    position = 0
    for finding in applied:
        pieces += [text[position : finding.start], finding.suggestions[0]]
        position = finding.end
    return "".join([*pieces, text[position:]]), applied


def choose_clear(text: str, findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings whose first suggestion may go in unasked, in order and apart from each other.

    Findings without a suggestion, overlaps, style notes, doubtful ones and what may be a name are left to the writer.
    """
    chosen: list[Finding] = []
    position = 0
    for finding in sorted(findings, key=_order):
        if finding.start < position or not finding.suggestions or finding.category is Category.STYLE:
            continue
        if finding.doubtful or (finding.category is Category.SPELLING and _is_daring(text, finding)):
            continue
        position = finding.end
        chosen.append(finding)
    return chosen


def _is_daring(text: str, finding: Finding) -> bool:
    """Return whether another spelling may turn a name into something else: one with a capital, and not just a slip."""
    words = text[finding.start : finding.end]
    return may_be_name(text, finding.start) or (words[:1].isupper() and count_edits(words, finding.suggestions[0]) > 1)


def may_be_name(text: str, start: int) -> bool:
    """Return whether the word at ``start`` has a capital that its place in the sentence does not ask for.

    An invented name is no slip of spelling, and the nearest word of a dictionary is hardly ever what was meant.
    """
    if not text[start : start + 1].isupper():
        return False
    before = text[max(0, start - 200) : start].rstrip("\"'“”‘’«»„([—- ")
    return bool(before) and before[-1] not in ".!?…:\n\r"

"""What the checkers said about paragraphs, so that a paragraph that didn't change is never read twice."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.polishing import Finding
from storydesk.domain.sentences import Span, split_paragraphs
from storydesk.services.ports import GrammarChecker, IsCancelled, Progress

BATCH = 8000
"""Code points handed to a checker at once: each call costs something, and a cancel waits for one of them."""

MOST_KEPT = 20_000
"""Paragraphs: three novels' worth, some ten megabytes."""

_GAP = "\n\n"

_Key = tuple[str, str, str]


class ParagraphCache:
    """Findings by checker, language and paragraph, as the checker gave them. One thread."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._known: OrderedDict[_Key, tuple[Finding, ...]] = OrderedDict()

    def check(
        self,
        checker: GrammarChecker,
        text: str,
        language: str,
        *,
        progress: Progress | None = None,
        is_cancelled: IsCancelled | None = None,
    ) -> tuple[Finding, ...]:
        """Return the findings of a whole text; only paragraphs that aren't known are read.

        ``progress`` hears code points. Raise StorydeskError(CANCELLED and what the checker may raise); what was read
        by then stays known.
        """
        spans = list(split_paragraphs(text))
        paragraphs = [text[start:end] for start, end in spans]
        new = [
            paragraph
            for paragraph in dict.fromkeys(paragraphs)
            if (checker.name, language, paragraph) not in self._known
        ]
        done, total = 0, sum(map(len, new))
        for batch in _batches(new):
            if is_cancelled is not None and is_cancelled():
                raise StorydeskError(FailureCode.CANCELLED)
            if progress is not None:
                progress(done, total)
            self._read(checker, batch, language)
            done += sum(map(len, batch))
        if progress is not None:
            progress(total, total)
        found = self._collect(checker.name, language, zip(spans, paragraphs, strict=True))
        while len(self._known) > max(MOST_KEPT, len(paragraphs)):
            self._known.popitem(last=False)
        return found

    def recall(self, name: str, text: str, language: str) -> tuple[tuple[Finding, ...], list[Span]]:
        """Return what a checker said earlier about paragraphs of a text, and the spans of those paragraphs."""
        spans = [span for span in split_paragraphs(text) if (name, language, text[slice(*span)]) in self._known]
        return self._collect(name, language, ((span, text[slice(*span)]) for span in spans)), spans

    def _collect(self, name: str, language: str, placed: Iterable[tuple[Span, str]]) -> tuple[Finding, ...]:
        found: list[Finding] = []
        for (start, _), paragraph in placed:
            key = (name, language, paragraph)
            self._known.move_to_end(key)
            found += [
                replace(finding, start=finding.start + start, end=finding.end + start) for finding in self._known[key]
            ]
        return tuple(found)

    def _read(self, checker: GrammarChecker, paragraphs: Sequence[str], language: str) -> None:
        found = list(checker.check(_GAP.join(paragraphs), language))
        start = first = 0
        for paragraph in paragraphs:
            end = start + len(paragraph)
            while first < len(found) and found[first].start < start:
                first += 1
            inside: list[Finding] = []
            for finding in found[first:]:
                if finding.start >= end:
                    break
                if finding.end <= end:
                    inside.append(replace(finding, start=finding.start - start, end=finding.end - start))
            self._known[checker.name, language, paragraph] = tuple(inside)
            start = end + len(_GAP)


def _batches(paragraphs: Sequence[str]) -> Iterator[list[str]]:
    """Yield the paragraphs in lists of about BATCH code points; a longer one goes alone."""
    batch: list[str] = []
    size = 0
    for paragraph in paragraphs:
        if batch and size + len(paragraph) > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(paragraph)
        size += len(paragraph)
    if batch:
        yield batch

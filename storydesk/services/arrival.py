"""What becomes of answers before they are offered: mended as they arrive, whole at their end, begun anew in a loop."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from storydesk.domain.endings import Ending, cut_repetition, ends_whole, trim_to_sentence
from storydesk.domain.failures import StorydeskError
from storydesk.domain.generation import Finished, FinishReason, TextChunk, TokenChoice, count_seed
from storydesk.domain.manuscript import count_words
from storydesk.domain.polishing import Category, Finding
from storydesk.domain.sentences import split_sentences
from storydesk.services.polishing import HARPER, PolishingService
from storydesk.services.writing import Started, WritingRequest, WritingService

FEWEST_SHARE = 0.4
"""Of the words asked for: where less is left without the unfinished sentence, that sentence stays."""
RETRY_STEP = 1_000_003
"""How far a second try's seed is from the first one's, so that no candidate beside it has it."""
MOST_SECONDS = 0.25
"""A checker that takes longer for one sentence is not asked again for this answer."""
KNOWN_CHARACTERS = 8_000
"""Of the writer's own text, whose words no checker may change in an answer."""
MENDED = (Category.SPELLING, Category.TYPOGRAPHY, Category.PUNCTUATION)

_log = logging.getLogger(__name__)

FindSlips = Callable[[str], Sequence[Finding]]
"""Findings with a clear remedy in a sentence that goes on, in its own code points."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """A candidate's whole text as it is from now on; what came before is void."""

    candidate: int
    text: str
    choices: tuple[TokenChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Settled:
    """A candidate's end: what was done to it, why it ended, how fast, and the request that gives this very text.

    In ``request`` the candidate is number ``place``: a second try is a request of its own.
    """

    candidate: int
    reason: FinishReason
    ending: Ending
    tokens_per_second: float
    request: WritingRequest
    place: int


ArrivalEvent = Started | TextChunk | Replaced | Settled


class ArrivalService:
    """Writes what may be offered. Lives where its WritingService lives, and mends in the same thread."""

    def __init__(self, writing: WritingService, new_polishing: Callable[[], PolishingService] | None = None) -> None:
        """Make a PolishingService when the first answer is to be mended; without one nothing is."""
        self._writing = writing
        self._new_polishing = new_polishing
        self._polishing: PolishingService | None = None

    def write(
        self, request: WritingRequest, *, polish: bool = False, names: Sequence[str] = ()
    ) -> Generator[ArrivalEvent, None, None]:
        """Yield Started, chunks, replacements, and one Settled for each candidate; closing the iterator cancels.

        With ``polish`` text comes by the sentence, its spelling, typography and punctuation mended. A candidate that
        ends in a loop is tried once more with another seed, after the others; what repeats is cut back.
        """
        known = (*names, request.prompt, request.text[-KNOWN_CHARACTERS:])
        answers = [_Answer(request, number, self._make_mender(request, known, polish)) for number in _count(request)]
        looped: list[tuple[_Answer, Finished]] = []
        events = self._writing.write(request)
        try:
            for event in events:
                if isinstance(event, TextChunk):
                    yield from answers[event.candidate].take(event)
                elif isinstance(event, Started):
                    yield event
                elif event.reason is FinishReason.LOOP:
                    looped.append((answers[event.candidate], event))
                else:
                    yield from answers[event.candidate].settle(event)
        finally:
            events.close()
        for answer, finished in looped:
            yield from self._try_again(answer, finished, self._make_mender(request, known, polish))

    def close(self) -> None:
        """End the checker, if there is one; safe to call twice."""
        if self._polishing is not None:
            self._polishing.close()
            self._polishing = None

    def _try_again(
        self, looped: _Answer, finished: Finished, mender: Mender | None
    ) -> Generator[ArrivalEvent, None, None]:
        yield from looped.cut_back()
        seed = count_seed(looped.request.seed, looped.number + RETRY_STEP)
        request = dataclasses.replace(looped.request, seed=seed, count=1)
        second = _Answer(request, 0, mender, shown_as=looped.number)
        events = self._writing.write(request)
        try:
            for event in events:
                if isinstance(event, TextChunk):
                    second.take(event)  # quietly: what has come already stays on show meanwhile
                elif isinstance(event, Finished):
                    second.finish()
                    end = event
        finally:
            events.close()
        if end.reason is FinishReason.LOOP:
            second.shorten(cut_repetition(second.text))
        better = end.reason not in (FinishReason.LOOP, FinishReason.CANCELLED)
        if better or count_words(second.text) > count_words(looped.text):
            yield Replaced(looped.number, second.text, tuple(second.choices))
            yield from second.settle(end, Ending.BEGUN_AGAIN if better else Ending.CUT_BACK)
        else:
            yield from looped.settle(dataclasses.replace(finished, reason=FinishReason.LOOP), Ending.CUT_BACK)

    def _make_mender(self, request: WritingRequest, known: Sequence[str], polish: bool) -> Mender | None:
        if not polish or self._new_polishing is None:
            return None
        if self._polishing is None:
            self._polishing = self._new_polishing()
        polishing = self._polishing

        def find(before: str, sentence: str) -> Sequence[Finding]:
            return polishing.find_slips(before, sentence, HARPER, names=known, categories=MENDED)

        return Mender(find, request.text)


class Mender:
    """Holds an answer back until a sentence is whole and mends that. One thread; one mender for one answer."""

    def __init__(self, find: Callable[[str, str], Sequence[Finding]], before: str) -> None:
        """Go on after ``before``."""
        self._find: Callable[[str, str], Sequence[Finding]] | None = find
        self._before = before[-KNOWN_CHARACTERS:]
        self._held = ""
        self._choices: list[TokenChoice] = []
        self._read = 0  # code points of the answer as it came in
        self._given = 0  # code points of the answer as it goes out

    def take(self, chunk: TextChunk) -> TextChunk | None:
        """Return whole sentences, None while there are none."""
        self._held += chunk.text
        self._choices += chunk.choices
        spans = split_sentences(self._held)
        if len(spans) < 2:
            return None
        return self._release(spans[-2][1], chunk.candidate)

    def finish(self, candidate: int) -> TextChunk | None:
        """Return the rest."""
        return self._release(len(self._held), candidate) if self._held else None

    def _release(self, end: int, candidate: int) -> TextChunk:
        sentence, self._held = self._held[:end], self._held[end:]
        own = [choice for choice in self._choices if choice.end <= self._read + end]
        del self._choices[: len(own)]
        shift = self._given - self._read
        text, choices = mend(sentence, own, self._look(sentence), self._read, shift)
        self._read += len(sentence)
        self._given += len(text)
        self._before = (self._before + text)[-KNOWN_CHARACTERS:]
        return TextChunk(text, candidate, tuple(choices))

    def _look(self, sentence: str) -> Sequence[Finding]:
        if self._find is None or not sentence.strip():
            return ()
        started = time.monotonic()
        try:
            return self._find(self._before, sentence)
        except StorydeskError as error:
            _log.warning("an answer is offered unmended: %s", error.failure.code)
            self._find = None
            return ()
        finally:
            if time.monotonic() - started > MOST_SECONDS and self._given:
                self._find = None  # the first sentence may have to wake the checker


def mend(
    sentence: str, choices: Sequence[TokenChoice], findings: Sequence[Finding], start: int, shift: int
) -> tuple[str, list[TokenChoice]]:
    """Return a sentence with the remedies, and its tokens where they stand then; mended tokens are no longer the
    model's and are left out. ``start`` is the sentence's place in the tokens' text, ``shift`` how far it has moved.
    """
    pieces: list[str] = []
    moves: list[tuple[int, int, int]] = []  # (start, end) of a remedy in the tokens' text and the shift behind it
    position = 0
    for finding in findings:
        remedy = finding.suggestions[0]
        pieces += [sentence[position : finding.start], remedy]
        position = finding.end
        shift_before = moves[-1][2] if moves else shift
        moves.append(
            (start + finding.start, start + finding.end, shift_before + len(remedy) - (finding.end - finding.start))
        )
    pieces.append(sentence[position:])
    kept = []
    for choice in choices:
        if any(choice.start < end and begin < choice.end for begin, end, _ in moves):
            continue
        moved = next((after for _, end, after in reversed(moves) if end <= choice.start), shift)
        kept.append(dataclasses.replace(choice, start=choice.start + moved, end=choice.end + moved))
    return "".join(pieces), kept


class _Answer:
    """One candidate on its way to being offered."""

    def __init__(
        self, request: WritingRequest, number: int, mender: Mender | None, shown_as: int | None = None
    ) -> None:
        self.request = request
        self.number = number
        self.text = ""
        self.choices: list[TokenChoice] = []
        self._mender = mender
        self._shown_as = number if shown_as is None else shown_as

    def take(self, chunk: TextChunk) -> Sequence[TextChunk]:
        return self._keep(self._mender.take(chunk) if self._mender is not None else chunk)

    def finish(self) -> Sequence[TextChunk]:
        return self._keep(self._mender.finish(self._shown_as)) if self._mender is not None else ()

    def _keep(self, chunk: TextChunk | None) -> Sequence[TextChunk]:
        if chunk is None:
            return ()
        self.text += chunk.text
        self.choices += chunk.choices
        return (chunk,)

    def cut_back(self) -> Sequence[TextChunk | Replaced]:
        """Take what repeats off."""
        chunks = self.finish()
        return [*chunks, *self._shorten_shown(cut_repetition(self.text))]

    def settle(self, finished: Finished, ending: Ending = Ending.WHOLE) -> Sequence[TextChunk | Replaced | Settled]:
        """Return what is left to say: the rest, the text without an unfinished sentence, and the end."""
        events: list[TextChunk | Replaced | Settled] = [*self.finish()]
        if self._must_be_whole(finished.reason):
            shorter = trim_to_sentence(self.text, int(self.request.words * FEWEST_SHARE))
            if len(shorter) < len(self.text):
                events += self._shorten_shown(shorter)
                ending = Ending.TRIMMED if ending is Ending.WHOLE else ending
        end = Settled(self._shown_as, finished.reason, ending, finished.tokens_per_second, self.request, self.number)
        return [*events, end]

    def shorten(self, text: str) -> None:
        """Keep the beginning ``text``."""
        self.text = text
        self.choices = [choice for choice in self.choices if choice.end <= len(text)]

    def _shorten_shown(self, text: str) -> Sequence[Replaced]:
        if len(text) == len(self.text):
            return ()
        self.shorten(text)
        return (Replaced(self._shown_as, text, tuple(self.choices)),)

    def _must_be_whole(self, reason: FinishReason) -> bool:
        ended = reason in (FinishReason.LENGTH, FinishReason.END_OF_TEXT, FinishReason.LOOP)
        return ended and self.request.until_sentence_end and not ends_whole(self.text)


def _count(request: WritingRequest) -> range:
    return range(max(request.count, 1))

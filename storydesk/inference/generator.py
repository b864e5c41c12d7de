"""Writing: an iterator that reads what the cache does not hold, then steps, samples, decodes and checks the end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import Finished, FinishReason, GenerationEvent, GenerationRequest
from storydesk.inference.cancellation import Cancellation, Cancelled
from storydesk.inference.candidate import Candidate, WritingVoice
from storydesk.inference.phrases import read_phrases
from storydesk.inference.rows import RowCache, SingleRow
from storydesk.inference.session import GraphSession
from storydesk.inference.tokenizer import TextTokenizer
from trainer.text.template import Template

MOST_ROWS = 8
"""Texts that are written at once; more gain little and take their memory each."""
_MOST_ROW_BYTES = 1 << 30


@dataclass(slots=True)
class Layout:
    """The parts of a context in tokens: a head that stays, a note that stays near the end, and the story."""

    head: list[int]
    before: list[int]
    note: list[int]
    after: list[int]
    positions: int
    breaks: frozenset[int]

    @property
    def tokens(self) -> list[int]:
        """The whole context."""
        return [*self.head, *self.before, *self.note, *self.after]

    def move(self, written: list[int]) -> list[int]:
        """Return head, note and the newest tokens, with half of the room free: moving is dear, so it moves far."""
        room = max((self.positions - len(self.head) - len(self.note)) // 2, 1)
        story = [*self.before, *self.after, *written][-room:]
        if not self.note:
            return [*self.head, *story]
        wanted = self._count_breaks(self.after)
        place = len(story)
        while place > 0 and (story[place - 1] not in self.breaks or wanted > 0):
            if story[place - 1] in self.breaks and (place < 2 or story[place - 2] not in self.breaks):
                wanted -= 1
            place -= 1
        return [*self.head, *story[:place], *self.note, *story[place:]]

    def _count_breaks(self, tokens: list[int]) -> int:
        ends = [token in self.breaks for token in tokens]
        return sum(here and not (index and ends[index - 1]) for index, here in enumerate(ends))


@dataclass(slots=True)
class _Clock:
    """Seconds that reading and writing took, without those that whoever listens took."""

    prefill: float = 0.0
    decode: float = 0.0
    tokens: int = 0
    finished: list[int] = field(default_factory=list)

    def close(self, candidate: Candidate, reason: FinishReason) -> Finished:
        """Return a candidate's closing event."""
        speed = self.tokens / self.decode if self.decode else 0.0
        return Finished(reason, candidate.drawn, speed, self.prefill, candidate.number, candidate.loops)


class TextGenerator:
    """Writes with one session and keeps its cache between requests. Lives where its session lives."""

    def __init__(self, session: GraphSession, tokenizer: TextTokenizer, template: Template) -> None:
        """Share the session with others; the cache is the generator's own."""
        self._session = session
        self._cache = session.open_cache()
        self._positions = session.model.positions
        mark = template.before.strip()
        # Another story's prompt begins a paragraph, so a text that has the words in a sentence may go on.
        marks = ("\n" + mark,) if mark else ()
        self._voice = WritingVoice(tokenizer, tokenizer.find_words(), session.model.end_token_id, marks)
        self._breaks = tokenizer.find_breaks()
        self._template = template

    def generate(self, request: GenerationRequest, cancellation: Cancellation) -> Iterator[GenerationEvent]:
        """Yield chunks of whole characters and one Finished for each candidate; closing the iterator cancels."""
        phrases = read_phrases(request.settings, self._voice.tokenizer)
        candidates = [Candidate(number, request, self._voice, phrases) for number in range(max(request.count, 1))]
        return self._write(request, candidates, cancellation)

    def measure_end(self, request: GenerationRequest, cancellation: Cancellation) -> float:
        """Return the model's own probability that the text ends where the context does."""
        try:
            logits = self._cache.read(self._fit(self._lay_out(request)), cancellation).astype(np.float64)
        except Cancelled as error:
            raise StorydeskError(FailureCode.CANCELLED) from error
        shares = np.exp(logits - logits.max())
        return float(shares[self._voice.end_token] / shares.sum())

    def _write(
        self, request: GenerationRequest, candidates: list[Candidate], cancellation: Cancellation
    ) -> Iterator[GenerationEvent]:
        layout = self._lay_out(request)
        clock = _Clock()
        try:
            size = self._count_rows(layout, candidates[0].most_tokens)
            for start in range(0, len(candidates), size):
                yield from self._write_group(layout, candidates[start : start + size], clock, cancellation)
        except Cancelled:
            for candidate in candidates:
                if candidate.number not in clock.finished:
                    yield clock.close(candidate, FinishReason.CANCELLED)

    def _write_group(
        self, layout: Layout, live: list[Candidate], clock: _Clock, cancellation: Cancellation
    ) -> Iterator[GenerationEvent]:
        """Write candidates side by side until the last has ended."""
        started = time.perf_counter()
        first = self._cache.read(self._fit(layout), cancellation)
        rows = self._open_rows(len(live), live[0].most_tokens)
        logits = np.broadcast_to(first, (len(live), len(first)))
        clock.prefill += time.perf_counter() - started
        while True:
            for row, candidate in enumerate(live):
                started = time.perf_counter()
                cancellation.check()
                chunks = candidate.take(logits[row], rows.tokens[row])
                clock.tokens += 1
                clock.decode += time.perf_counter() - started
                yield from chunks
            for row in reversed(range(len(live))):
                if (reason := live[row].reason) is not None:
                    clock.finished.append(live[row].number)
                    yield clock.close(live[row], reason)
                    rows.drop(row)
                    live[row] = live[-1]
                    live.pop()
            if not live:
                return
            started = time.perf_counter()
            tokens = [self._prepare(rows, row, layout, each, cancellation) for row, each in enumerate(live)]
            logits = rows.step(tokens, cancellation)
            clock.decode += time.perf_counter() - started

    def _prepare(
        self, rows: RowCache | SingleRow, row: int, layout: Layout, candidate: Candidate, cancellation: Cancellation
    ) -> int:
        """Bring a row to all but the last token that the model has to see, and return that one."""
        held = rows.tokens[row]
        # The row holds the context and ``seen`` of the tokens written; a loop may have been taken back since.
        seen, written = candidate.seen, candidate.written
        if len(written) > seen and len(held) < self._positions:
            candidate.seen = len(written)
            return written[-1]
        back = seen - len(written) + 1
        if len(written) <= seen and back < len(held) - len(layout.head) and not (candidate.moved and layout.note):
            token = held[-back]
            rows.truncate(row, len(held) - back)
            candidate.seen = len(written)
            return token
        tokens = layout.move(written)
        self._cache.read(tokens[:-1], cancellation)
        rows.replace(row, self._cache)
        candidate.seen, candidate.moved = len(written), True
        return tokens[-1]

    def _open_rows(self, count: int, most_tokens: int) -> RowCache | SingleRow:
        if count == 1:
            return SingleRow(self._cache)
        capacity = min(len(self._cache.tokens) + most_tokens + 1, self._positions)
        return self._session.open_rows(self._cache, count, capacity)

    def _count_rows(self, layout: Layout, most_tokens: int) -> int:
        """Return how many texts may be written at once in the memory that is fair to take."""
        capacity = min(len(layout.tokens) + most_tokens + 1, self._positions)
        return max(min(_MOST_ROW_BYTES // (self._session.token_bytes * capacity), MOST_ROWS), 1)

    def _fit(self, layout: Layout) -> list[int]:
        tokens = layout.tokens
        return tokens if len(tokens) < self._positions else layout.move([])

    def _lay_out(self, request: GenerationRequest) -> Layout:
        """Return the context's parts in tokens, the end-of-text token first.

        A story begins after an end-of-text token in training, and a text without context needs one token to follow.
        """
        tokenizer, end = self._voice.tokenizer, self._voice.end_token
        context = request.context
        ids = tokenizer.encode(context)
        ends = [end for _, end in tokenizer.measure_spans(context, ids)]
        places = (request.head or self._find_head(context), *request.note)
        cuts = [sum(each <= place for each in ends) for place in places]
        head, first, last = cuts[0], max(cuts[0], cuts[1]), max(cuts)
        if 1 + head + last - first > self._positions // 2:
            head = first = last = 0
        note = ids[first:last] if request.note[1] > request.note[0] else []
        before = ids[head:first] if note else []
        after = ids[last:] if note else ids[head:]
        return Layout([end, *ids[:head]], before, note, after, self._positions, self._breaks)

    def _find_head(self, context: str) -> int:
        """Return where the template's prompt ends, 0 without one."""
        before, between = self._template.before, self._template.between
        if not (before and between and context.startswith(before) and between in context):
            return 0
        return context.index(between) + len(between)

"""How surprising a text of any length is to the model, token by token, in the writer's own characters."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import Alternative
from storydesk.domain.scoring import TextScore, TokenScore, measure_text
from storydesk.inference.cancellation import Cancellation, Cancelled
from storydesk.inference.sampling import list_likeliest
from storydesk.inference.session import GraphSession, Logits
from storydesk.inference.tokenizer import TextTokenizer, replace_surrogates
from trainer.text.normaliser import normalise

_MOST_BLOCKS = 2048
_SECONDS_BETWEEN_LOOKS = 0.02
# Tokens whose mixture says how good a place for a block to begin is; the same words always say the same.
_MARK = 12


@dataclass(frozen=True, slots=True)
class Surprise:
    """What the model thought of one token: nats, its rank (1 is the likeliest), the entropy, what was likelier."""

    nats: float
    rank: int
    entropy: float
    likeliest: tuple[tuple[int, float], ...] = ()


@dataclass(slots=True)
class _Block:
    """A stretch of tokens as it was scored after some context, perhaps not to its end."""

    tokens: list[int] = field(default_factory=list)
    surprises: list[Surprise] = field(default_factory=list)
    alternatives: int = 0


class TextScorer:
    """Scores with one session and keeps what it scored, so an edit costs only what it touches.

    Lives where its session lives.
    """

    def __init__(self, session: GraphSession, tokenizer: TextTokenizer, normaliser: str) -> None:
        """Share the session with others; the cache is the scorer's own."""
        self._cache = session.open_cache()
        self._positions = session.model.positions
        self._end_token = session.model.end_token_id
        self._tokenizer = tokenizer
        self._breaks = tokenizer.find_breaks()
        self._normaliser = normaliser
        self._blocks: OrderedDict[tuple[int, ...], _Block] = OrderedDict()

    @property
    def stride(self) -> int:
        """Tokens that the window moves on at most; each token is seen with half as many before it at least."""
        return self._positions // 2

    def score(self, text: str, head: str, cancellation: Cancellation, alternatives: int = 0) -> TextScore:
        """Return the score of the writer's own text after ``head``, which is in the model's form and not scored.

        The first token follows an end-of-text token. White space at both ends is not scored: it says nothing yet.
        ``alternatives`` asks for so many of the likeliest tokens in each place. Raise StorydeskError(CANCELLED); what
        was scored by then is kept.
        """
        normalised = normalise(replace_surrogates(text), self._normaliser)
        offset = len(normalised.text) - len(normalised.text.lstrip())
        stripped = normalised.text.strip()
        # Never joined with the head: the text's tokens have to be the text's own.
        try:
            # Of a whole novel each of these steps takes a moment, too.
            cancellation.check()
            ids = self._tokenizer.encode(stripped)
            context = [self._end_token, *self._tokenizer.encode(head)][-self.stride :]
            with _watching(cancellation):
                surprises = self._measure(context, ids, alternatives, cancellation)
        except Cancelled as error:
            raise StorydeskError(FailureCode.CANCELLED) from error
        spans = self._tokenizer.measure_spans(stripped, ids)
        sources = (normalised.source_span(start + offset, end + offset) for start, end in spans)
        scores = tuple(
            TokenScore(start, end, each.nats, each.rank, each.entropy, self._spell(each.likeliest[:alternatives]))
            for (start, end), each in zip(sources, surprises, strict=True)
        )
        words, size = measure_text(text.strip())
        return TextScore(scores, words, size, self.stride)

    def _spell(self, likeliest: Sequence[tuple[int, float]]) -> tuple[Alternative, ...]:
        return tuple(Alternative(self._tokenizer.decode([token]), chance) for token, chance in likeliest)

    def _measure(
        self, context: list[int], ids: list[int], alternatives: int, cancellation: Cancellation
    ) -> list[Surprise]:
        """Return the surprise of each token, block by block; see docs/decisions/0015-scoring-windows.md."""
        surprises: list[Surprise] = []
        begin = previous = 0
        for end in lay_out_blocks(ids, self.stride, self._breaks):
            if len(context) + end <= self._positions:
                before = [*context, *ids[:begin]]
            elif begin == 0:
                before = context
            else:
                before = ids[previous:begin]
            surprises += self._measure_block(before, ids[begin:end], alternatives, cancellation)
            previous, begin = begin, end
        return surprises

    def _measure_block(
        self, before: list[int], tokens: list[int], alternatives: int, cancellation: Cancellation
    ) -> list[Surprise]:
        """Return the surprise of each token after ``before``; what is known of the same beginning is not read again."""
        key = tuple(before)
        block = self._blocks.get(key, _Block())
        same = 0
        if block.alternatives >= alternatives:
            while same < min(len(block.surprises), len(tokens)) and block.tokens[same] == tokens[same]:
                same += 1
        else:
            block.alternatives = alternatives
        if same == len(tokens):
            self._blocks.move_to_end(key)
            return block.surprises[:same]
        block.tokens = tokens
        surprises = block.surprises = block.surprises[:same]
        self._blocks[key] = block
        self._blocks.move_to_end(key)
        while len(self._blocks) > _MOST_BLOCKS:
            self._blocks.popitem(last=False)

        def take(index: int, logits: Logits) -> None:
            place = index + 1 - len(before)
            targets = tokens[place : place + len(logits)]
            surprises.extend(measure_surprise(logits, targets, block.alternatives))

        window = [*before, *tokens[:-1]]
        self._cache.read(window, cancellation, first_row=len(before) + same - 1, take=take)
        return surprises[:]


def lay_out_blocks(ids: Sequence[int], most: int, breaks: frozenset[int]) -> list[int]:
    """Return where the blocks of a text end, ``most`` tokens long at most and half as long at least, but the last.

    A block begins with a paragraph where one can, with any token else; of several the text itself decides, so that
    after an edit the blocks soon begin where they began before.
    """
    ends = []
    begin = 0
    while len(ids) - begin > most:
        places = range(begin + most // 2, begin + most + 1)
        paragraphs = [place for place in places if ids[place - 1] in breaks and ids[place] not in breaks]
        begin = min(paragraphs or places, key=lambda place: _mix(ids[place : place + _MARK]))
        ends.append(begin)
    if len(ids) > begin:
        ends.append(len(ids))
    return ends


def measure_surprise(logits: Logits, targets: Sequence[int], alternatives: int = 0) -> list[Surprise]:
    """Return what each row of [rows, vocabulary] logits thought of its target.

    Row by row, so that a row stays in the processor's own memory while it is gone through.
    """
    surprises = []
    for row, target in zip(logits, targets, strict=True):
        highest = row.max()
        shifted = row - highest
        weights = np.exp(shifted)
        total = float(weights.sum(dtype=np.float64))
        spread = float(np.log(total))
        entropy = spread - float(np.dot(weights, shifted)) / total
        own = row[target]
        nats = spread - float(own - highest)
        rank = 1 + int(np.count_nonzero(row > own))
        likeliest = tuple(list_likeliest(row, alternatives, target)[1]) if alternatives else ()
        surprises.append(Surprise(max(nats, 0.0), rank, max(entropy, 0.0), likeliest))
    return surprises


def _mix(tokens: Sequence[int]) -> int:
    """Return a number that looks drawn by chance and is the same for the same tokens in every process."""
    mixed = 0x9E3779B9
    for token in tokens:
        mixed = ((mixed ^ token) * 0x01000193 + 0x7F4A7C15) & 0xFFFFFFFF
        mixed ^= mixed >> 15
    return mixed


@contextmanager
def _watching(cancellation: Cancellation) -> Iterator[None]:
    """Break off what runs soon after the wish to: one piece of a large model's reading takes longer than a wish may."""
    if not cancellation.polled:
        yield
        return
    done = threading.Event()

    def look() -> None:
        while not done.wait(_SECONDS_BETWEEN_LOOKS):
            if cancellation.asked:
                cancellation.ask()
                return

    watcher = threading.Thread(target=look, name="scoring-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()

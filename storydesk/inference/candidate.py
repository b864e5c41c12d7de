"""One text in the making: draws its tokens, watches for loops and banned phrases, and knows where it ends."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from storydesk.domain.generation import (
    Alternative,
    FinishReason,
    GenerationRequest,
    TextChunk,
    TokenChoice,
    count_seed,
)
from storydesk.inference.looping import LoopGuard
from storydesk.inference.phrases import PhraseWatch
from storydesk.inference.sampling import Logits, PhraseRules, TokenSampler, WordTokens, list_likeliest
from storydesk.inference.stopping import StopRule
from storydesk.inference.tokenizer import TextStream, TextTokenizer

_MOST_LOOPS = 6
"""Loops that are drawn again; a text that finds into one more is ended."""
_MOST_ENDINGS = 20
# After a loop the next tokens are drawn a little more freely, more so each time.
_WARM_TOKENS = 16
_WARMTH = 0.2


@dataclass(frozen=True, slots=True)
class WritingVoice:
    """What all candidates of all requests share: the model's tokens and the strings that begin another story."""

    tokenizer: TextTokenizer
    words: WordTokens
    end_token: int
    marks: tuple[str, ...]


class Candidate:
    """Turns logits into shown text. Lives on one thread; knows nothing of caches.

    ``written`` are its tokens so far, ``seen`` how many of them the model has read, ``moved`` whether its window has
    moved on; ``drawn`` counts those taken back too.
    """

    def __init__(self, number: int, request: GenerationRequest, voice: WritingVoice, phrases: PhraseRules) -> None:
        """Start before the first token; raise StorydeskError(BAD_ARGUMENT) for a setting outside its range."""
        settings = request.settings
        self.number = number
        self.written: list[int] = []
        self.seen = 0
        self.moved = False
        self.drawn = 0
        self.loops = 0
        self.reason: FinishReason | None = None
        self._voice = voice
        self._sampler = TokenSampler(settings, count_seed(request.seed, number), voice.words, phrases)
        self._watch = PhraseWatch(settings.banned, voice.tokenizer)
        self._rule = StopRule(
            request.words,
            until_sentence_end=request.until_sentence_end,
            context=request.context,
            marks=voice.marks,
            stops=settings.stops,
            minimum_words=settings.minimum_words,
            maximum_words=settings.maximum_words,
        )
        self._minimum = settings.minimum_words
        self._alternatives = request.alternatives
        self._stream = TextStream(voice.tokenizer)
        self._guard = LoopGuard() if settings.avoid_loops else None
        self._barred: defaultdict[int, set[int]] = defaultdict(set)
        self._warm_until = 0
        self._endings = 0
        # Of each token that went to the stream: where its text ends.
        self._ends: list[int] = []
        self._notes: list[tuple[float, tuple[Alternative, ...]]] = []
        self._told = 0

    @property
    def most_tokens(self) -> int:
        """How many tokens are enough, whatever they say."""
        return self._rule.most_tokens

    def take(self, logits: Logits, window: list[int]) -> list[TextChunk]:
        """Draw the token that follows ``window`` and return what may be shown now.

        ``reason`` is set where that was the end. ``written`` may be shorter after than before: a loop was taken back.
        """
        token = self._draw(logits, window)
        self.drawn += 1
        if self._alternatives:
            self._notes.append(self._note(logits, token))
        self.written.append(token)
        if token == self._voice.end_token:
            return self._end_with_token()
        certain = len(self.written)
        if self._guard is not None:
            self._guard.add(token)
            if self._guard.loops:
                return self._leave_loop(self._guard)
            certain = self._guard.certain
        chunks = self._release(certain)
        if self.reason is None and self.drawn >= self.most_tokens:
            self.reason = FinishReason.LENGTH
        return chunks

    def _draw(self, logits: Logits, window: list[int]) -> int:
        place = len(self.written)
        barred = set(self._barred[place]) if place in self._barred else set()
        if self._rule.words < self._minimum:
            barred.add(self._voice.end_token)
        warmth = _WARMTH * self.loops if place < self._warm_until else 0.0
        while True:
            token = self._sampler.draw(logits, window, self.written, barred=barred, warmth=warmth)
            if token in barred or not self._watch.completes(window, token):
                return token
            barred.add(token)

    def _note(self, logits: Logits, token: int) -> tuple[float, tuple[Alternative, ...]]:
        # Tokens without a text of their own, such as parts of characters, can't be offered; a few more stand in.
        own, likeliest = list_likeliest(logits, self._alternatives + 4, token)
        texts = ((self._voice.tokenizer.decode([each]), chance) for each, chance in likeliest)
        offered = tuple(Alternative(text, chance) for text, chance in texts if text)
        return own, offered[: self._alternatives]

    def _release(self, count: int) -> list[TextChunk]:
        """Let the tokens up to ``count`` through to the text, as far as it goes on."""
        pieces = []
        while len(self._ends) < count and self.reason is None:
            fresh = self._stream.feed(self.written[len(self._ends)])
            self._ends.append(self._stream.decoded)
            text, ended = self._rule.feed(fresh)
            pieces.append(text)
            if ended:
                self._end_by_rule()
                break
        return self._tell("".join(pieces))

    def _tell(self, text: str) -> list[TextChunk]:
        """Return the chunk with the tokens that end in it; those that only white space was cut off too, at the end."""
        if not text:
            return []
        choices = []
        sent = self._rule.sent
        while self._alternatives and self._told < len(self._ends):
            start = self._ends[self._told - 1] if self._told else 0
            end = self._ends[self._told]
            if end > sent and (self.reason is None or start >= sent):
                break
            probability, alternatives = self._notes[self._told]
            choices.append(TokenChoice(start, min(end, sent), probability, alternatives))
            self._told += 1
        return [TextChunk(text, self.number, tuple(choices))]

    def _end_by_rule(self) -> None:
        if self._rule.met_stop:
            self.reason = FinishReason.STOP
        elif not self._rule.met_mark:
            self.reason = FinishReason.LENGTH
        elif self._rule.words < self._minimum and self._endings < _MOST_ENDINGS:
            # Another story would begin here, and this one is too short: it goes on in another way.
            self._endings += 1
            sent = self._rule.sent
            starts = [0, *self._ends[:-1]]
            place = next((index for index, start in enumerate(starts) if start >= sent), len(self._ends) - 1)
            self._rewind(place)
        else:
            self.reason = FinishReason.END_OF_TEXT

    def _end_with_token(self) -> list[TextChunk]:
        chunks = self._release(len(self.written) - 1)
        if self.reason is None:
            self.reason = FinishReason.END_OF_TEXT
            text, ended = self._rule.feed(self._stream.finish())
            chunks += self._tell(text if ended else text + self._rule.finish())
        return chunks

    def _leave_loop(self, guard: LoopGuard) -> list[TextChunk]:
        """Go back to where the repetition begins to be one and draw another way, or end after too many tries."""
        self.loops += 1
        place = max(guard.certain, len(self._ends))
        if self.loops > _MOST_LOOPS:
            return self._give_up()
        self._warm_until = place + _WARM_TOKENS
        if place < len(self.written):
            self._rewind(place)
        else:
            guard.rewind(place)
        return []

    def _give_up(self) -> list[TextChunk]:
        """End; a sentence that is half shown is shown to its end where it has one."""
        text = ""
        if not self._rule.ends_sentence:
            for token in self.written[len(self._ends) :]:
                fresh = self._stream.feed(token)
                self._ends.append(self._stream.decoded)
                shown, ended = self._rule.feed(fresh)
                text += shown
                if ended or self._rule.ends_sentence:
                    break
        self.reason = FinishReason.LOOP
        return self._tell(text)

    def _rewind(self, place: int) -> None:
        """Take back all tokens from ``place`` on and bar the one that stood there."""
        self._barred = defaultdict(set, {at: tokens for at, tokens in self._barred.items() if at <= place})
        self._barred[place].add(self.written[place])
        del self.written[place:], self._notes[place:]
        if self._guard is not None:
            self._guard.rewind(place)
        if place < len(self._ends):
            self._stream = TextStream(self._voice.tokenizer)
            self._rule.rewind("".join([self._stream.feed(token) for token in self.written]))
            del self._ends[place:]

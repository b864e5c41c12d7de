"""Writing: an iterator that reads what the cache does not hold, then steps, samples, decodes and checks the end."""

from __future__ import annotations

import time
from collections.abc import Iterator

from storydesk.domain.generation import Finished, FinishReason, GenerationEvent, GenerationRequest, TextChunk
from storydesk.inference.cancellation import Cancellation, Cancelled
from storydesk.inference.sampling import TokenSampler
from storydesk.inference.session import GraphSession, Logits
from storydesk.inference.stopping import StopRule
from storydesk.inference.tokenizer import TextStream, TextTokenizer
from trainer.text.template import Template


class TextGenerator:
    """Writes with one session and keeps its cache between requests. Lives where its session lives."""

    def __init__(self, session: GraphSession, tokenizer: TextTokenizer, template: Template) -> None:
        """Share the session with others; the cache is the generator's own."""
        self._cache = session.open_cache()
        self._positions = session.model.positions
        self._end_token = session.model.end_token_id
        self._tokenizer = tokenizer
        self._words = tokenizer.find_words()
        self._template = template
        mark = template.before.strip()
        # Another story's prompt begins a paragraph, so a text that has the words in a sentence may go on.
        self._marks = ("\n" + mark,) if mark else ()

    def generate(self, request: GenerationRequest, cancellation: Cancellation) -> Iterator[GenerationEvent]:
        """Yield chunks of whole characters and then one Finished; closing the iterator cancels."""
        sampler = TokenSampler(request.settings, request.seed, self._words)
        return self._write(request, sampler, cancellation)

    def _write(
        self, request: GenerationRequest, sampler: TokenSampler, cancellation: Cancellation
    ) -> Iterator[GenerationEvent]:
        rule = StopRule(
            request.words,
            until_sentence_end=request.until_sentence_end,
            context=request.context,
            marks=self._marks,
        )
        stream = TextStream(self._tokenizer)
        written: list[int] = []
        prefill = decode = 0.0
        reason = FinishReason.LENGTH
        try:
            started = time.perf_counter()
            head, tokens = self._encode(request.context)
            logits = self._cache.read(tokens, cancellation)
            prefill = time.perf_counter() - started
            while len(written) < rule.most_tokens:
                started = time.perf_counter()
                if written:
                    logits = self._step(head, written[-1], cancellation)
                cancellation.check()
                token = sampler.draw(logits, self._cache.tokens, written)
                written.append(token)
                decode += time.perf_counter() - started
                if token == self._end_token:
                    reason = FinishReason.END_OF_TEXT
                    break
                text, ended = rule.feed(stream.feed(token))
                if text:
                    yield TextChunk(text)
                if ended:
                    reason = FinishReason.END_OF_TEXT if rule.met_mark else FinishReason.LENGTH
                    break
            if rest := self._finish(rule, stream, reason):
                yield TextChunk(rest)
        except Cancelled:
            reason = FinishReason.CANCELLED
        yield Finished(reason, len(written), len(written) / decode if decode else 0.0, prefill)

    @staticmethod
    def _finish(rule: StopRule, stream: TextStream, reason: FinishReason) -> str:
        """Return what was held back, where the text ended by itself and not at a place that the rule chose."""
        if reason is FinishReason.LENGTH or rule.met_mark:
            return ""
        text, ended = rule.feed(stream.finish())
        return text if ended else text + rule.finish()

    def _encode(self, context: str) -> tuple[list[int], list[int]]:
        """Return the tokens that stay when the window moves and all tokens, cut to fit, the end-of-text token first.

        A story begins after an end-of-text token in training, and a text without context needs one token to follow.
        """
        tokens = [self._end_token, *self._tokenizer.encode(context)]
        head = [self._end_token]
        before, between = self._template.before, self._template.between
        if before and between and context.startswith(before) and between in context:
            prompt = context[: context.index(between) + len(between)]
            count = 1 + len(self._tokenizer.encode(prompt))
            head = tokens[:count] if count <= self._positions // 2 else head
        if len(tokens) >= self._positions:
            tokens = self._move(head, tokens)
        return head, tokens

    def _step(self, head: list[int], token: int, cancellation: Cancellation) -> Logits:
        tokens = self._cache.tokens
        if len(tokens) < self._positions:
            return self._cache.extend([token], cancellation)
        return self._cache.read(self._move(head, [*tokens, token]), cancellation)

    def _move(self, head: list[int], tokens: list[int]) -> list[int]:
        """Return the head and the newest tokens, with half of the room free: moving is dear, so it moves far."""
        room = max((self._positions - len(head)) // 2, 1)
        return [*head, *tokens[-room:]]

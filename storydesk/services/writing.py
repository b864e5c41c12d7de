"""Going on from a prompt or the cursor: the window that fits in, styled text out."""

from __future__ import annotations

import dataclasses
import itertools
import random
from collections.abc import Generator
from dataclasses import dataclass

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import (
    MAXIMUM_SEED,
    Alternative,
    Finished,
    FinishReason,
    GenerationRequest,
    SamplingSettings,
    TextChunk,
    TokenChoice,
)
from storydesk.domain.manuscript import count_words
from storydesk.domain.memory import Recollection
from storydesk.domain.prompting import NOTE_DEPTH, Section, Window, fit_window
from storydesk.domain.typography import StyleRestorer, TypographyStyle, detect_style, restore_style
from storydesk.services.engines import EngineHost
from storydesk.services.ports import TextEngine

# English prose comes to about 1.3 tokens a word in GPT-2's vocabulary and 1.45 in the starter's smaller one.
TOKENS_PER_WORD = 1.5
# What follows a cut window must have room; a quarter of the positions is kept for it at the most.
NEW_TEXT_SHARE = 0.25
# No window holds more characters than one block, so what stands before the last two need not be looked at. The blocks
# are counted from the text's beginning: a text that grows keeps the place where its window begins for a while.
_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True)
class WritingRequest:
    """What the writer asked for: go on after ``text`` in answer to ``prompt``, about ``words`` words.

    ``memory`` stands before everything else, the ``lore`` that came up behind it, ``author_note`` so many paragraphs
    before the end (``note_depth``).
    ``count`` candidates are written at once, with seeds that count up. ``alternatives`` asks for so many of the
    likeliest tokens beside each one that was drawn. ``until_sentence_end`` lets an answer go on to the end of its
    last sentence.
    """

    id: int
    prompt: str
    text: str
    words: int
    seed: int
    settings: SamplingSettings
    model: str | None = None
    memory: str = ""
    author_note: str = ""
    note_depth: int = NOTE_DEPTH
    count: int = 1
    alternatives: int = 0
    until_sentence_end: bool = True
    lore: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    """Which model answers where, and how many characters of the writer's own it will not see."""

    model: str
    device: str
    prompt_left_out: int
    text_left_out: int
    memory_left_out: int = 0
    note_left_out: int = 0
    lore_left_out: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What the model would see, and the tokens of each of the window's sections, in order.

    ``used`` is the whole context's tokens, ``room`` how many the window has for it, ``positions`` with what is to be
    written. Two sections may share a token where they meet.
    """

    window: Window
    tokens: tuple[int, ...]
    used: int
    room: int
    positions: int
    model: str

    @property
    def sections(self) -> tuple[tuple[Section, str, int], ...]:
        """Each section with its text and its tokens."""
        context = self.window.context
        pairs = zip(self.window.sections, self.tokens, strict=True)
        return tuple((section, context[section.start : section.end], tokens) for section, tokens in pairs)


WritingEvent = Started | TextChunk | Finished


class WritingService:
    """Turns writing requests into styled text. Lives where its EngineHost lives."""

    def __init__(self, engines: EngineHost) -> None:
        """Write with whatever the host has loaded."""
        self._engines = engines
        self._ids = itertools.count(1)

    def request(
        self,
        prompt: str,
        text: str = "",
        *,
        words: int,
        seed: int | None = None,
        settings: SamplingSettings | None = None,
        model: str | None = None,
        memory: str = "",
        author_note: str = "",
        note_depth: int = NOTE_DEPTH,
        count: int = 1,
        alternatives: int = 0,
        until_sentence_end: bool = True,
        recalled: Recollection | None = None,
    ) -> WritingRequest:
        """Return a frozen request with an id of its own and, where none is given, a drawn seed.

        ``recalled`` gives memory, note and lorebook at once.
        """
        if seed is None:
            seed = random.SystemRandom().randrange(MAXIMUM_SEED)
        return WritingRequest(
            id=next(self._ids),
            prompt=prompt,
            text=text,
            words=words,
            seed=seed,
            settings=settings or SamplingSettings(),
            model=model,
            memory=recalled.memory if recalled else memory,
            author_note=recalled.author_note if recalled else author_note,
            note_depth=recalled.note_depth if recalled else note_depth,
            count=count,
            alternatives=alternatives,
            until_sentence_end=until_sentence_end,
            lore=recalled.lore if recalled else (),
        )

    def go_on_from(
        self, request: WritingRequest, written: str, choice: TokenChoice, alternative: Alternative
    ) -> WritingRequest:
        """Return the request that goes on from another word: an alternative in the place of the token drawn.

        ``written`` is the answer to ``request`` whose ``choice`` it was. What stays of it, and what the new answer
        follows, is ``written[: choice.start] + alternative.text``; it is the end of the new request's ``text``.
        """
        kept = written[: choice.start] + alternative.text
        return dataclasses.replace(
            request,
            id=next(self._ids),
            text=request.text + kept,
            words=max(request.words - count_words(kept), 1),
            count=1,
        )

    def again(self, request: WritingRequest) -> WritingRequest:
        """Return the same request with an id of its own and another seed."""
        return dataclasses.replace(request, id=next(self._ids), seed=random.SystemRandom().randrange(MAXIMUM_SEED))

    def write(self, request: WritingRequest) -> Generator[WritingEvent, None, None]:
        """Yield Started, chunks in the document's own style, and one Finished for each candidate.

        Closing the iterator cancels.
        """
        if not request.prompt.strip() and not request.text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        engine = self._engines.engine(request.model)
        window = self._fit(engine, request)
        yield Started(
            engine.model.name,
            engine.device,
            window.prompt_left_out,
            window.text_left_out,
            window.memory_left_out,
            window.note_left_out,
            len(window.lore_left_out),
        )
        answers = [_Answer(request, number) for number in range(max(request.count, 1))]
        for event in engine.generate(_address(request, window, engine)):
            if isinstance(event, Finished):
                yield from answers[event.candidate].finish(event.reason)
                yield event
            else:
                yield from answers[event.candidate].take(event)

    def measure_end(self, request: WritingRequest) -> float:
        """Return how probable the model finds it that the story ends with ``text``, 0 to 1; raise CANCELLED."""
        engine = self._engines.engine(request.model)
        return engine.measure_end(_address(request, self._fit(engine, request), engine))

    def preview(self, request: WritingRequest) -> Preview:
        """Return what the model would see; raise what loading may raise."""
        engine = self._engines.engine(request.model)
        window = self._fit(engine, request)
        pieces = (window.context[section.start : section.end] for section in window.sections)
        positions = engine.model.positions
        tokens = tuple(engine.count_tokens(piece) for piece in pieces)
        used = engine.count_tokens(window.context)
        return Preview(window, tokens, used, positions - _keep_room(engine, request), positions, engine.model.name)

    def _fit(self, engine: TextEngine, request: WritingRequest) -> Window:
        start = find_recent(request.text)
        text = engine.normalise(request.text[start:])
        window = fit_window(
            engine.normalise(request.prompt).strip(),
            # A space at the end would be split off the next word's token, which GPT-2 hardly ever saw.
            text.rstrip(" "),
            budget=engine.model.positions - _keep_room(engine, request),
            count_tokens=engine.count_tokens,
            render=engine.render_prompt,
            memory=engine.normalise(request.memory).strip(),
            author_note=engine.normalise(request.author_note).strip(),
            note_depth=request.note_depth,
            lore=[engine.normalise(entry).strip() for entry in request.lore],
        )
        return dataclasses.replace(window, text_left_out=window.text_left_out + start)


class _Answer:
    """One candidate's text on its way into the document's style."""

    def __init__(self, request: WritingRequest, number: int) -> None:
        self._number = number
        self._style: TypographyStyle = detect_style(request.text[find_recent(request.text) :])
        self._restorer = StyleRestorer(self._style, request.text)
        # The context ends before trailing spaces (see _fit), so the model writes the space that stands already.
        self._skip_space = request.text[-1:].isspace() or not request.text
        self._begins_bare = self._skip_space
        self._before = request.text[-1:]
        self._skipped = 0
        self._shown = ""
        self._waiting: list[TokenChoice] = []

    def take(self, chunk: TextChunk) -> list[TextChunk]:
        """Return what can be shown now."""
        text = chunk.text.lstrip() if self._skip_space else chunk.text
        self._skipped += len(chunk.text) - len(text)
        self._skip_space = self._skip_space and not text
        self._waiting += chunk.choices
        return self._show(self._restorer.feed(text), final=False)

    def finish(self, reason: FinishReason) -> list[TextChunk]:
        """Return what was still waiting."""
        rest = self._restorer.finish()
        if reason is not FinishReason.CANCELLED:
            rest = rest.rstrip()
        return self._show(rest, final=True)

    def _show(self, text: str, *, final: bool) -> list[TextChunk]:
        if not text:
            return []
        self._shown += text
        choices = []
        while self._waiting:
            start, end = (
                self._restorer.find_shown(max(place - self._skipped, 0))
                for place in (self._waiting[0].start, self._waiting[0].end)
            )
            if end > len(self._shown) and (not final or start >= len(self._shown)):
                break
            choice = self._waiting.pop(0)
            choices.append(self._restyle(choice, start, min(end, len(self._shown))))
        return [TextChunk(text, self._number, tuple(choices))]

    def _restyle(self, choice: TokenChoice, start: int, end: int) -> TokenChoice:
        before = self._shown[start - 1 : start] or self._before
        # Where a space stands already, or the story begins, none is offered.
        bare = self._begins_bare and start == 0
        texts = [each.text.lstrip() if bare else each.text for each in choice.alternatives]
        alternatives = tuple(
            Alternative(restore_style(text, self._style, before), each.probability)
            for text, each in zip(texts, choice.alternatives, strict=True)
            if text
        )
        return TokenChoice(start, end, choice.probability, alternatives)


def find_recent(text: str) -> int:
    """Return where the part of a text begins that an answer may depend on; without the rest it is the same."""
    return max(len(text) // _BLOCK - 1, 0) * _BLOCK


def _keep_room(engine: TextEngine, request: WritingRequest) -> int:
    """Return how many tokens are kept for what is to be written."""
    return min(int(request.words * TOKENS_PER_WORD) + 8, int(engine.model.positions * NEW_TEXT_SHARE))


def _address(request: WritingRequest, window: Window, engine: TextEngine) -> GenerationRequest:
    """Return what the engine is asked: the window, and the writer's words in the model's text form."""
    settings = request.settings
    if settings.banned or settings.phrase_bias or settings.stops:
        settings = dataclasses.replace(
            settings,
            banned=tuple(engine.normalise(phrase).strip() for phrase in settings.banned),
            phrase_bias=tuple((engine.normalise(phrase).strip(), nats) for phrase, nats in settings.phrase_bias),
            stops=tuple(engine.normalise(stop) for stop in settings.stops),
        )
    return GenerationRequest(
        id=request.id,
        context=window.context,
        words=request.words,
        seed=request.seed,
        settings=settings,
        until_sentence_end=request.until_sentence_end,
        head=window.head,
        note=window.note,
        count=request.count,
        alternatives=request.alternatives,
    )

"""Going on from a prompt or the cursor: the window that fits in, styled text out."""

from __future__ import annotations

import itertools
import random
from collections.abc import Generator
from dataclasses import dataclass

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import Finished, GenerationRequest, SamplingSettings, TextChunk
from storydesk.domain.prompting import Window, fit_window
from storydesk.domain.typography import StyleRestorer, detect_style
from storydesk.services.engines import EngineHost
from storydesk.services.ports import TextEngine

# English prose comes to about 1.3 tokens a word in GPT-2's vocabulary and 1.45 in the starter's smaller one.
TOKENS_PER_WORD = 1.5
MAXIMUM_SEED = 2**31 - 1
# What follows a cut window must have room; a quarter of the positions is kept for it at the most.
NEW_TEXT_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class WritingRequest:
    """What the writer asked for: go on after ``text`` in answer to ``prompt``, about ``words`` words."""

    id: int
    prompt: str
    text: str
    words: int
    seed: int
    settings: SamplingSettings
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """Which model answers, and how many characters of prompt and text it will not see."""

    model: str
    device: str
    prompt_left_out: int
    text_left_out: int


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
    ) -> WritingRequest:
        """Return a frozen request with an id of its own and, where none is given, a drawn seed."""
        if seed is None:
            seed = random.SystemRandom().randrange(MAXIMUM_SEED)
        return WritingRequest(next(self._ids), prompt, text, words, seed, settings or SamplingSettings(), model)

    def write(self, request: WritingRequest) -> Generator[WritingEvent, None, None]:
        """Yield Started, chunks in the document's own style, and one Finished; closing the iterator cancels."""
        if not request.prompt.strip() and not request.text.strip():
            raise StorydeskError(FailureCode.TEXT_EMPTY)
        engine = self._engines.engine(request.model)
        window = self._fit(engine, request)
        yield Started(engine.model.name, engine.device, window.prompt_left_out, window.text_left_out)
        style = detect_style(request.text)
        restorer = StyleRestorer(style, request.text)
        # The context ends before trailing spaces (see _fit), so the model writes the space that stands already.
        skip_space = request.text[-1:].isspace() or not request.text
        events = engine.generate(
            GenerationRequest(request.id, window.context, request.words, request.seed, request.settings)
        )
        for event in events:
            if isinstance(event, Finished):
                rest = restorer.finish()
                if event.reason != event.reason.CANCELLED:
                    rest = rest.rstrip()
                if rest:
                    yield TextChunk(rest)
                yield event
                return
            text = event.text.lstrip() if skip_space else event.text
            skip_space = skip_space and not text
            styled = restorer.feed(text)
            if styled:
                yield TextChunk(styled)

    def _fit(self, engine: TextEngine, request: WritingRequest) -> Window:
        room = min(int(request.words * TOKENS_PER_WORD) + 8, int(engine.model.positions * NEW_TEXT_SHARE))
        text = engine.normalise(request.text)
        return fit_window(
            engine.normalise(request.prompt).strip(),
            # A space at the end would be split off the next word's token, which GPT-2 hardly ever saw.
            text.rstrip(" "),
            budget=engine.model.positions - room,
            count_tokens=engine.count_tokens,
            render=engine.render_prompt,
        )

"""One loaded StyleModel that writes and scores, and the loader of such engines.

Importing this module is cheap; ONNX Runtime, numpy and tokenizers come with the first ``load``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import GenerationEvent, GenerationRequest
from storydesk.domain.scoring import TextScore
from storydesk.domain.style_model import StyleModel
from storydesk.inference.cancellation import Cancellation
from storydesk.services.ports import IsCancelled
from trainer.text.normaliser import NAMES, normalise
from trainer.text.template import Template

if TYPE_CHECKING:
    from storydesk.inference.session import GraphSession
    from storydesk.inference.tokenizer import TextTokenizer


Part = TypeVar("Part")


class OnnxEngine:
    """A TextEngine on ONNX Runtime. One thread at a time; ``cancel`` from any thread."""

    def __init__(self, session: GraphSession, tokenizer: TextTokenizer) -> None:
        """Join the loaded parts; OnnxEngineLoader calls this. Raise StorydeskError(MODEL_NOT_LOADED)."""
        from storydesk.inference.generator import TextGenerator
        from storydesk.inference.scoring import TextScorer

        self._model = session.model
        self._device = session.device
        if self._model.normaliser not in NAMES:
            raise _refuse(self._model, "its text form is not known")
        try:
            self._template = Template.from_mapping(self._model.template)
        except ValueError as error:
            raise _refuse(self._model, str(error)) from error
        self._tokenizer: TextTokenizer | None = tokenizer
        self._generator: TextGenerator | None = TextGenerator(session, tokenizer, self._template)
        self._scorer: TextScorer | None = TextScorer(session, tokenizer, self._model.normaliser)
        self._current = Cancellation()

    @property
    def model(self) -> StyleModel:
        """The model that is loaded."""
        return self._model

    @property
    def device(self) -> str:
        """Where it runs, in words for the status bar."""
        return self._device

    def normalise(self, text: str) -> str:
        """Return the text in the model's form."""
        return normalise(text, self._model.normaliser).text

    def render_prompt(self, prompt: str) -> str:
        """Return the model's template around a prompt, in the model's form; empty for an empty prompt."""
        return self._template.render(self.normalise(prompt))

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text in the model's form has."""
        return len(self._loaded(self._tokenizer).encode(text))

    def generate(self, request: GenerationRequest) -> Iterator[GenerationEvent]:
        """Return an iterator over chunks and then one Finished; closing it cancels.

        The iterator answers to ``cancel`` from this call on, before its first event too. Raise
        StorydeskError(BAD_ARGUMENT) at once for settings outside their ranges.
        """
        self._current = Cancellation()
        return self._loaded(self._generator).generate(request, self._current)

    def measure_end(self, request: GenerationRequest) -> float:
        """Return how probable the end of the text is where the context ends, 0 to 1; raise CANCELLED."""
        self._current = Cancellation()
        return self._loaded(self._generator).measure_end(request, self._current)

    def score(
        self, text: str, prompt: str = "", is_cancelled: IsCancelled | None = None, *, alternatives: int = 0
    ) -> TextScore:
        """Return the surprise of the writer's own text of any length; raise StorydeskError(CANCELLED).

        ``alternatives`` asks for so many of the likeliest tokens in each place. ``is_cancelled`` is asked on a thread
        of its own too.
        """
        self._current = Cancellation(is_cancelled)
        return self._loaded(self._scorer).score(text, self.render_prompt(prompt), self._current, alternatives)

    def cancel(self) -> None:
        """Break off what is running; what is asked for after this call is not touched."""
        self._current.ask()

    def close(self) -> None:
        """Give the memory back; safe to call twice."""
        self.cancel()
        self._generator = self._scorer = self._tokenizer = None

    def _loaded(self, part: Part | None) -> Part:
        if part is None:
            raise _refuse(self._model, "it has been closed")
        return part


class OnnxEngineLoader:
    """Loads models for the CPU, or for a GPU that serves. Any thread but the window's: it is slow."""

    def __init__(self, on_notice: Callable[[Failure], None] | None = None) -> None:
        """``on_notice`` hears DEVICE_FAILED, on the loading thread, where a GPU failed and the CPU serves."""
        self._on_notice = on_notice

    def load(self, model: StyleModel) -> OnnxEngine:
        """Return the loaded model; raise StorydeskError(MODEL_NOT_LOADED, MEMORY_FULL)."""
        from storydesk.inference.session import GraphSession
        from storydesk.inference.tokenizer import TextTokenizer

        tokenizer = TextTokenizer(model.tokenizer, model.name, model.vocabulary)
        try:
            return OnnxEngine(GraphSession(model, self._report), tokenizer)
        except MemoryError as error:
            raise StorydeskError(FailureCode.MEMORY_FULL) from error

    def _report(self, device: str, detail: str) -> None:
        if self._on_notice is not None:
            parameters = {"device": device, "detail": detail}
            self._on_notice(Failure(str(FailureCode.DEVICE_FAILED), parameters))


def _refuse(model: StyleModel, detail: str) -> StorydeskError:
    return StorydeskError(FailureCode.MODEL_NOT_LOADED, name=model.name, detail=detail)

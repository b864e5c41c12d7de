"""Two models that write on one prompt with one seed, after each other, on the engine's thread."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from storydesk.bridge.engine_worker import EngineWorker
from storydesk.bridge.serial_worker import SerialWorker, describe_unexpected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import MAXIMUM_SEED, TextChunk
from storydesk.services.desk import Desk
from storydesk.services.ports import IsCancelled

_OWNER = "duel"
_MOST_PROMPTS = 200


@dataclass(frozen=True, slots=True)
class DuelText:
    """What one of the models has written so far; ``side`` counts from 0."""

    duel: int
    side: int
    text: str


class ModelDuel(QObject):
    """Lets models write side by side and leaves the model in use as it is. GUI thread."""

    text_grown = Signal(object)
    """A DuelText; a duel that had to make way for other work begins again with empty texts."""
    ended = Signal(int)
    """The duel's number, once all have written."""
    failed = Signal(object)
    """The Failure that ended it."""

    def __init__(self, desk: Desk, engine: EngineWorker, library: SerialWorker, parent: QObject | None = None) -> None:
        """Write with a window's engine."""
        super().__init__(parent)
        self._desk = desk
        self._engine = engine
        self._library = library
        self._number = 0

    @property
    def number(self) -> int:
        """The number of the last duel; what carries another is out of date."""
        return self._number

    def list_prompts(self, on_found: Callable[[list[str]], None]) -> None:
        """Read the prompts of the writer's stories and shelf, each once."""

        def read() -> list[str]:
            prompts = [story.prompt for story in self._desk.manuscripts.list_stories()]
            prompts += [prompt.text for prompt in self._desk.prompts.list_prompts() if not prompt.in_trash]
            return [prompt for prompt in dict.fromkeys(" ".join(each.split()) for each in prompts) if prompt]

        self._library.submit(read, lambda prompts: on_found(prompts[:_MOST_PROMPTS]), self.failed.emit)

    def begin(self, prompt: str, names: Sequence[str], words: int, seed: int | None = None) -> int:
        """Let the named models write on a prompt and return the seed."""
        self._number += 1
        number = self._number
        chosen = random.SystemRandom().randrange(MAXIMUM_SEED) if seed is None else seed

        def errand(is_cancelled: IsCancelled) -> None:
            try:
                for side, name in enumerate(names):
                    if not self._write(number, side, name, prompt, words, chosen, is_cancelled):
                        return
                self.ended.emit(number)
            except StorydeskError as error:
                if error.failure.code == FailureCode.CANCELLED:
                    raise  # the worker begins again when there is nothing else to do
                self._fail(number, error.failure)
            except Exception as error:  # noqa: BLE001 - the thread outlives any one job, and the failure is shown
                self._fail(number, describe_unexpected(error))

        self._engine.run_errand(errand, _OWNER)
        return chosen

    def cancel(self) -> None:
        """Forget the duel that is under way; it ends at its next word."""
        self._number += 1
        self._engine.drop_errand(_OWNER)

    def _write(
        self, number: int, side: int, name: str, prompt: str, words: int, seed: int, is_cancelled: IsCancelled
    ) -> bool:
        """Let one model write; return False where nobody wants it any more, raise CANCELLED to make way."""
        text = ""
        self.text_grown.emit(DuelText(number, side, text))
        writing = self._desk.writing
        events = writing.write(writing.request(prompt, words=words, seed=seed, model=name))
        try:
            for event in events:
                if self._number != number:
                    return False
                if is_cancelled():
                    raise StorydeskError(FailureCode.CANCELLED)
                if isinstance(event, TextChunk):
                    text += event.text
                    self.text_grown.emit(DuelText(number, side, text))
        finally:
            events.close()
        if is_cancelled() and self._number == number:
            raise StorydeskError(FailureCode.CANCELLED)  # its end may be the interruption's
        return self._number == number

    def _fail(self, number: int, failure: Failure) -> None:
        if self._number == number:
            self.failed.emit(failure)

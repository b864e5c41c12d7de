"""Improve from my feedback: gather what the writer liked, choose how to learn from it, and prepare the run."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.feedback import Feedback, GoodExample
from storydesk.domain.improving import FEWEST_ASIDE, FEWEST_CHOICES, ImprovingChances, Way, weigh_feedback
from storydesk.domain.tuning import TuningPlan
from storydesk.services.feedback import FeedbackService
from storydesk.services.models import ModelService
from storydesk.services.tuning import TuningService

FEEDBACK_NAME = "feedback.jsonl"
"""Beside its request, it makes a run one that learns from choices."""
DEFAULT_NAME = "my-voice"
_NUMBER = re.compile(r"(?<=\S) [1-9][0-9]{0,2}$")

WriteExamples = Callable[[Iterable[GoodExample], Path], None]
"""Writes good texts as a dataset file that the trainer reads, passages as passages."""

FindData = Callable[[Path], tuple[str, ...]]
"""Returns the files that the model of a bundle's folder learned from, as far as they are still there."""


@dataclass(frozen=True, slots=True)
class ImprovingWish:
    """What the new model is called ("" for the name of the one in use), and the seed of the run."""

    name: str = ""
    seed: int = 7


class ImprovingService:
    """Lets the model in use learn from feedback. Any thread but the GUI's: it reads the library and writes files."""

    def __init__(
        self,
        feedback: FeedbackService,
        tuning: TuningService,
        models: ModelService,
        find_data: FindData,
        write_examples: WriteExamples,
        samples: Path,
        folder: Path,
    ) -> None:
        """``samples`` are measured where nobody knows what the model learned from; ``folder`` holds datasets."""
        self._feedback = feedback
        self._tuning = tuning
        self._models = models
        self._find_data = find_data
        self._write = write_examples
        self._samples = samples
        self._folder = folder

    def look(self) -> tuple[Feedback, ImprovingChances]:
        """Return all feedback, and what can be done with it."""
        feedback = self._feedback.collect()
        return feedback, weigh_feedback(feedback)

    def suggest_name(self) -> str:
        """Return what the next generation of the model in use is called, "" for the first one of the writer's own."""
        try:
            base = self._models.show(self._models.active)
        except StorydeskError:
            return ""  # it is told once something is to be learned
        # The number is that of a generation: "My voice 2" is followed by "My voice 3", and not by "My voice 2 2".
        return "" if base.built_in else self._tuning.find_name(_NUMBER.sub("", base.name))

    def prepare(self, wish: ImprovingWish) -> Path:
        """Return the folder of a run that is ready to start.

        Raise StorydeskError(TOO_LITTLE_FEEDBACK) and what preparing a tuning raises.
        """
        feedback, chances = self.look()
        base = self._models.show(self._models.active)
        name = wish.name or self.suggest_name() or DEFAULT_NAME
        if chances.way is Way.NEITHER:
            raise StorydeskError(
                FailureCode.TOO_LITTLE_FEEDBACK,
                choices=chances.choices,
                needed=FEWEST_CHOICES,
                kept_aside=chances.kept_aside,
                needed_aside=FEWEST_ASIDE,
            )
        if chances.way is Way.EXAMPLES:
            return self._tuning.prepare(TuningPlan(name, base.name, (self._write_examples(feedback),), seed=wish.seed))
        # Learned from are the choices; these stories tell whether the model still writes as it did.
        data = self._find_data(base.folder) or (str(self._samples),)
        folder = self._tuning.prepare(TuningPlan(name, base.name, data, seed=wish.seed))
        try:
            self._feedback.write(feedback, folder / FEEDBACK_NAME)
        except BaseException:
            self._tuning.discard(folder)  # without this file it would be a tuning on those stories
            raise
        return folder

    def _write_examples(self, feedback: Feedback) -> str:
        """Write the good texts as a dataset. What is held out stays out, for a later generation to be checked by."""
        path = self._folder / f"liked-{time.time_ns()}.jsonl"
        self._write(feedback.training_examples, path)
        return str(path)

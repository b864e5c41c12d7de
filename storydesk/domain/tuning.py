"""A tuning run as the app sees it: a plan, and a state that is a pure fold over the run's journal."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from storydesk.domain.failures import Failure


class RunStatus(StrEnum):
    """Where a run stands."""

    STARTING = "starting"
    RUNNING = "running"
    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class TuningPlan:
    """What the writer asked for. ``data`` holds paths or ``hub:owner/name``; ``minutes`` bounds the tuning itself."""

    name: str
    base: str
    data: tuple[str, ...]
    minutes: float | None = None
    seed: int = 7
    settings: Mapping[str, str | int | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedRun:
    """What a run would be like on this machine, by a short measurement; seconds, and bytes (0 where nobody says).

    ``learning_rate`` is the largest one, ``context`` the longest row in tokens.
    """

    device: str
    adapters: bool
    weights: int
    steps: int
    epochs: int
    seconds: float
    words: int
    memory_needed: int
    memory_free: int
    disk_needed: int
    disk_free: int
    precision: str = ""
    batch_tokens: int = 0
    learning_rate: float = 0.0
    context: int = 0
    seconds_per_step: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether memory and disk suffice, as far as is known."""
        return self.memory_suffices and self.disk_suffices

    @property
    def memory_suffices(self) -> bool:
        """Whether it fits into memory, as far as is known."""
        return not self.memory_free or self.memory_needed <= self.memory_free

    @property
    def disk_suffices(self) -> bool:
        """Whether it fits on the disk, as far as is known."""
        return not self.disk_free or self.disk_needed <= self.disk_free


@dataclass(frozen=True, slots=True)
class StoryFigures:
    """What the stories are like that were written ``before`` or ``after`` tuning; shares are 0 to 1.

    ``longest_copy`` counts the words of ``longest_passage``, the longest run that stands in the training text word for
    word; ``copied_share`` is how many of all runs of eight words do.
    """

    moment: str
    distinct_2: float
    repetition_3: float
    longest_copy: int
    longest_passage: str
    copied_share: float


@dataclass(frozen=True, slots=True)
class PromptRanking:
    """How often held-out stories told their own prompt from others, ``before`` or ``after`` tuning.

    ``accuracy`` is the share of ``stories`` that are likeliest under their own prompt, of ``choices`` prompts (so
    guessing gives 1/``choices``); ``low`` and ``high`` bound it with 95 % certainty.
    """

    moment: str
    stories: int
    choices: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class MachineFigures:
    """What a run takes of the machine at a moment: bytes, degrees Celsius and watts; 0 where nobody says."""

    process_memory: int = 0
    process_memory_peak: int = 0
    memory_free: int = 0
    memory_total: int = 0
    device_memory: int = 0
    device_memory_peak: int = 0
    device_memory_total: int = 0
    temperature: float = 0.0
    power: float = 0.0


@dataclass(frozen=True, slots=True)
class SampleDuring:
    """The first words of a story on a held-out prompt, by the model as it was after ``step``."""

    step: int
    prompt: str
    text: str


Series = tuple[tuple[int, float], ...]
"""Values over steps, in their order; long ones are thinned out at their beginning."""


@dataclass(frozen=True, slots=True)
class ChoicePrediction:
    """How the writer's choices that were kept aside are predicted at a ``moment`` of a run.

    ``accuracy`` is the share of ``pairs`` whose better text is the likelier; ``loss`` is the mean nats of a choice,
    ln 2 where nothing was learnt of them.
    """

    moment: str
    step: int
    pairs: int
    accuracy: float
    loss: float
    most_perplexity: float = 0.0
    """Up to which perplexity of held-out text the model may come into use; 0 where the trainer didn't say."""


MOST_PERPLEXITY: Final = 1.05
"""How many times as perplexed by held-out text a model may be that learnt choices, where the trainer didn't say."""


@dataclass(frozen=True, slots=True)
class RunState:
    """All that is known of a run after the events so far; perplexities are per token, 0 while unknown.

    Over the steps: ``losses`` in nats, ``heldout`` as perplexities, ``speeds`` in tokens per second, ``rates`` of
    learning, ``gradient_norms``, ``memories`` in bytes (the GPU's where the run computes on one, else the process's)
    and ``temperatures`` in degrees Celsius.
    """

    run_id: str
    folder: Path
    status: RunStatus = RunStatus.STARTING
    stage: str = ""
    device: str = ""
    step: int = 0
    total_steps: int = 0
    loss: float = 0.0
    losses: Series = ()
    heldout: Series = ()
    speeds: Series = ()
    rates: Series = ()
    gradient_norms: Series = ()
    memories: Series = ()
    temperatures: Series = ()
    learning_rate: float = 0.0
    gradient_norm: float = 0.0
    machine: MachineFigures = field(default_factory=MachineFigures)
    tokens_per_second: float = 0.0
    seconds_left: float = 0.0
    checkpoint_step: int = 0
    training_documents: int = 0
    heldout_documents: int = 0
    words: int = 0
    changed: Mapping[str, int] = field(default_factory=dict)
    dropped: Mapping[str, int] = field(default_factory=dict)
    perplexity_before: float = 0.0
    perplexity_after: float = 0.0
    samples: tuple[tuple[str, str], ...] = ()
    samples_before: tuple[tuple[str, str], ...] = ()
    samples_during: tuple[SampleDuring, ...] = ()
    choices: tuple[ChoicePrediction, ...] = ()
    prompt_rankings: tuple[PromptRanking, ...] = ()
    stories: tuple[StoryFigures, ...] = ()
    parity: tuple[GraphParity, ...] = ()
    notices: tuple[Failure, ...] = ()
    bundle: Path | None = None
    planned: PlannedRun | None = None
    failure: Failure | None = None
    process_id: int = 0

    @property
    def improved(self) -> bool:
        """Whether held-out text is predicted better; after learning from choices, whether they are, and text holds."""
        after = self.choices_after
        if after:
            return self.keeps_stories and after.loss < math.log(2)
        return self.perplexity_after < self.perplexity_before

    @property
    def choices_after(self) -> ChoicePrediction | None:
        """How choices that were kept aside are predicted at the end; None where none were learned from."""
        return next((choice for choice in reversed(self.choices) if choice.moment == "after"), None)

    @property
    def keeps_stories(self) -> bool:
        """Whether a model that learned choices still predicts held-out text well enough."""
        after = self.choices_after
        most = after.most_perplexity if after else 0.0
        return self.perplexity_after <= (most or self.perplexity_before * MOST_PERPLEXITY)

    @property
    def ended(self) -> bool:
        """Whether no more events will come."""
        return self.status in (RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED)

    def fail(self, failure: Failure) -> RunState:
        """Return the state of a run that ended without a word of its own."""
        return replace(self, status=RunStatus.FAILED, failure=failure)

    def halt(self) -> RunState:
        """Return the state of a run that was ended by force."""
        return replace(self, status=RunStatus.STOPPED)


@dataclass(frozen=True, slots=True)
class GraphParity:
    """An exported graph beside its reference (see trainer.protocol.messages.GraphCompared)."""

    graph: str
    reference: str
    largest_difference: float
    perplexity: float
    reference_perplexity: float

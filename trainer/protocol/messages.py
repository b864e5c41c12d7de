"""The request a run starts from and the events it reports, one frozen class each.

A run's state is a fold over its events, so every event says a fact that stays true. Perplexities are per token,
``exp`` of the mean negative log-likelihood in nats; times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

PROTOCOL_VERSION = "1.2"
"""Major.minor: readers refuse another major version and pass over what a newer minor version added."""

Parameter = str | int | float | bool


class Stage(StrEnum):
    """The named steps of a run, in their order."""

    READING = "reading"
    CLEANING = "cleaning"
    PACKING = "packing"
    MEASURING_BEFORE = "measuring_before"
    TUNING = "tuning"
    MEASURING_AFTER = "measuring_after"
    SAMPLING = "sampling"
    EXPORTING = "exporting"
    COMPARING = "comparing"
    BUNDLING = "bundling"


@dataclass(frozen=True, slots=True)
class Request:
    """Everything a tuning run needs; written to ``request.json`` before the process starts.

    ``base`` is a model bundle or a plain GPT-2 folder; ``data`` holds file or folder paths and Hub ids written
    ``hub:owner/name``; ``bundle`` is the folder that the finished model is renamed to; ``settings`` override the
    defaults of ``trainer.protocol.hyperparameters`` by name.
    """

    run_id: str
    base: str
    data: tuple[str, ...]
    name: str
    bundle: str
    minutes: float | None = None
    seed: int = 7
    portable: bool = True
    settings: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """The trainer is up: ``device`` is ``cpu`` or the name of the GPU, ``resumed_step`` is 0 for a fresh run."""

    kind: ClassVar[str] = "run_started"
    run_id: str
    device: str
    precision: str
    resumed_step: int
    process_id: int


@dataclass(frozen=True, slots=True)
class StageEntered:
    """The run came to a stage."""

    kind: ClassVar[str] = "stage_entered"
    stage: Stage


@dataclass(frozen=True, slots=True)
class CorpusPrepared:
    """What was read, changed and dropped, and how it was split; counts per reason."""

    kind: ClassVar[str] = "corpus_prepared"
    documents_read: int
    documents_kept: int
    words: int
    changed: Mapping[str, int]
    dropped: Mapping[str, int]
    training_documents: int
    heldout_documents: int
    training_tokens: int
    heldout_tokens: int
    examples: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanMade:
    """What a run would be, found by a short measurement: ``method`` is ``full`` or ``adapters``.

    ``steps`` and ``seconds`` are of the whole tuning where nothing cuts it short; memory and disk are bytes, 0 where
    nobody says what is free.
    """

    kind: ClassVar[str] = "plan_made"
    device: str
    precision: str
    method: str
    weights: int
    steps: int
    epochs: int
    batch_tokens: int
    learning_rate: float
    context: int
    seconds_per_step: float
    seconds: float
    memory_needed: int
    memory_free: int
    disk_needed: int
    disk_free: int


@dataclass(frozen=True, slots=True)
class HeldoutMeasured:
    """Held-out figures; ``moment`` is ``before``, ``during`` or ``after``."""

    kind: ClassVar[str] = "heldout_measured"
    moment: str
    step: int
    perplexity: float
    nats_per_token: float
    nats_per_word: float
    bits_per_byte: float
    tokens: int


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One optimiser step; ``seconds_left`` is the trainer's estimate for the tuning stage.

    ``gradient_norm`` (from 1.2) is the length of the gradient before it was shortened; 0 where it is no number.
    """

    kind: ClassVar[str] = "step_taken"
    step: int
    total_steps: int
    loss: float
    learning_rate: float
    tokens_per_second: float
    seconds_left: float
    gradient_norm: float = 0.0


@dataclass(frozen=True, slots=True)
class MachineMeasured:
    """What the run takes of the machine, every few seconds (from 1.2); 0 where nobody says.

    Memory is bytes: what this process holds and held at most, what of the system's is free, and the same for the GPU
    it computes on. ``temperature`` is the GPU's in degrees Celsius, ``power`` what it draws in watts.
    """

    kind: ClassVar[str] = "machine_measured"
    step: int
    process_memory: int
    process_memory_peak: int
    memory_free: int
    memory_total: int
    device_memory: int = 0
    device_memory_peak: int = 0
    device_memory_total: int = 0
    temperature: float = 0.0
    power: float = 0.0


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """A whole checkpoint is on disk; a killed run goes on from here."""

    kind: ClassVar[str] = "checkpoint_saved"
    step: int


@dataclass(frozen=True, slots=True)
class SampleWritten:
    """A story written on a held-out prompt, by the tuned model or (``moment`` is ``before``) by its base.

    From 1.2 ``moment`` may be ``during``: the first words of a story, by the model as it is after ``step``.
    """

    kind: ClassVar[str] = "sample_written"
    prompt: str
    text: str
    moment: str = "after"
    step: int = 0


@dataclass(frozen=True, slots=True)
class ChoicesMeasured:
    """How the writer's choices that were kept aside are predicted (from 1.2); ``moment`` as in HeldoutMeasured.

    ``accuracy`` is the share of ``pairs`` whose better text is the likelier one; ``loss`` is the mean nats of a choice,
    ln 2 for a network that learned nothing of them. ``most_perplexity`` is the held-out perplexity up to which what was
    learned is kept; 0 where that is not said.
    """

    kind: ClassVar[str] = "choices_measured"
    moment: str
    step: int
    pairs: int
    accuracy: float
    loss: float
    most_perplexity: float = 0.0


@dataclass(frozen=True, slots=True)
class PromptsRanked:
    """How often held-out stories told their own prompt from others (from 1.2); ``moment`` is ``before`` or ``after``.

    ``accuracy`` is the share of ``stories`` that are likeliest under their own prompt, of ``choices`` prompts; ``low``
    and ``high`` bound it with 95 % certainty (Wilson's interval).
    """

    kind: ClassVar[str] = "prompts_ranked"
    moment: str
    stories: int
    choices: int
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class StoriesMeasured:
    """What the stories of one moment are like; shares are 0 to 1.

    ``longest_copy`` counts the words of ``longest_passage``, the longest run that stands in the training text word for
    word; ``copied_share`` is how many of all runs of eight words do.
    """

    kind: ClassVar[str] = "stories_measured"
    moment: str
    stories: int
    words: int
    distinct_2: float
    repetition_3: float
    longest_copy: int
    longest_passage: str
    copied_share: float


@dataclass(frozen=True, slots=True)
class GraphCompared:
    """An exported graph beside torch: largest difference of log-probabilities, and both perplexities.

    ``graph`` is ``fp32``, ``int8`` or ``portable``. ``reference`` says what it was compared with: ``torch`` or, where
    torch is not installed, ``fp32``.
    """

    kind: ClassVar[str] = "graph_compared"
    graph: str
    reference: str
    largest_difference: float
    perplexity: float
    reference_perplexity: float


@dataclass(frozen=True, slots=True)
class NoticeGiven:
    """Something the writer should know that does not end the run: a code and its parameters, never a sentence."""

    kind: ClassVar[str] = "notice_given"
    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunCompleted:
    """The bundle is whole and renamed into place; perplexities are 0 where nothing was tuned (``build``)."""

    kind: ClassVar[str] = "run_completed"
    bundle: str
    perplexity_before: float
    perplexity_after: float
    steps: int
    seconds: float


@dataclass(frozen=True, slots=True)
class JudgingAdvanced:
    """A judging job did one more piece of work (from 1.2): a story, or a measurement.

    ``work`` is ``predicting``, ``writing``, ``reading`` or ``reporting``; ``done`` counts what earlier starts of the
    job did, too. ``seconds_left`` is an estimate, 0 where there is none yet.
    """

    kind: ClassVar[str] = "judging_advanced"
    work: str
    style_model: str
    done: int
    total: int
    seconds_left: float = 0.0


@dataclass(frozen=True, slots=True)
class ReportWritten:
    """The report of a judging job is whole and in its place (from 1.2); the job is done."""

    kind: ClassVar[str] = "report_written"
    folder: str
    stories: int
    seconds: float


@dataclass(frozen=True, slots=True)
class DatasetAdvanced:
    """How far a job on a dataset is; ``job`` is ``reading``, ``examining`` or ``keeping``, ``total`` 0 if unknown.

    ``place`` is what is read now: a file's name, a data set's.
    """

    kind: ClassVar[str] = "dataset_advanced"
    job: str
    done: int
    total: int
    place: str = ""


@dataclass(frozen=True, slots=True)
class DatasetWritten:
    """A job on a dataset is done and on disk: ``pairs``, ``findings`` or a ``version``, as ``what`` says.

    ``count`` is how many pairs or findings there are; ``fingerprint`` is a version's.
    """

    kind: ClassVar[str] = "dataset_written"
    what: str
    count: int
    words: int = 0
    fingerprint: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class RunStopped:
    """The run ended on request; ``step`` is that of the last whole checkpoint."""

    kind: ClassVar[str] = "run_stopped"
    step: int


@dataclass(frozen=True, slots=True)
class RunFailed:
    """The run ended by a failure: one of ``TrainerFailure`` and its parameters."""

    kind: ClassVar[str] = "run_failed"
    code: str
    parameters: Mapping[str, Parameter] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """An event of a newer minor version: to be logged and passed over."""

    kind: ClassVar[str] = "unknown"
    original_kind: str


Event = (
    RunStarted
    | StageEntered
    | CorpusPrepared
    | PlanMade
    | HeldoutMeasured
    | StepTaken
    | MachineMeasured
    | CheckpointSaved
    | SampleWritten
    | PromptsRanked
    | ChoicesMeasured
    | StoriesMeasured
    | GraphCompared
    | NoticeGiven
    | RunCompleted
    | JudgingAdvanced
    | ReportWritten
    | DatasetAdvanced
    | DatasetWritten
    | RunStopped
    | RunFailed
    | UnknownEvent
)

EVENT_TYPES: tuple[type[Event], ...] = (
    RunStarted,
    StageEntered,
    CorpusPrepared,
    PlanMade,
    HeldoutMeasured,
    StepTaken,
    MachineMeasured,
    CheckpointSaved,
    SampleWritten,
    PromptsRanked,
    ChoicesMeasured,
    StoriesMeasured,
    GraphCompared,
    NoticeGiven,
    RunCompleted,
    JudgingAdvanced,
    ReportWritten,
    DatasetAdvanced,
    DatasetWritten,
    RunStopped,
    RunFailed,
)
"""Every kind that is written to a journal."""

STOP_LINE = "stop"
"""A line on the trainer's standard input: save and end. End of file means the same, unless detached."""

FINISH_LINE = "finish"
"""A line on standard input, or the control file's text: end the tuning here and make the model of its best weights."""

DETACH_LINE = "detach"
"""A line on standard input after which end of file and a closed stdout are harmless."""

CONTROL_FILE = "control"
"""A file in the run folder; the text ``stop`` in it ends a detached run, ``finish`` its tuning."""

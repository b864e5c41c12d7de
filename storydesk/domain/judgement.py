"""Automatic judging as the app sees it: a plan, the state of a job (a pure fold over its journal), and its report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import product
from pathlib import Path

from storydesk.domain.failures import Failure
from storydesk.domain.tuning import RunStatus

MOST_SETTINGS = 64
"""So many choices of settings can be judged at once; a grid grows fast."""

Settings = Mapping[str, float]
"""Settings of writing that differ from the usual ones, by the names of SamplingSettings."""

Ratings = Mapping[str, Mapping[str, float]]
"""Mean ratings by criterion of stories, by their ids."""

FEWEST_RATED = 8
"""With fewer rated stories a report says nothing of how its figures go with ratings."""
_STRONG, _CLEAR = 0.5, 0.3


class Work(StrEnum):
    """What a job is at."""

    STARTING = ""
    PREDICTING = "predicting"
    WRITING = "writing"
    READING = "reading"
    REPORTING = "reporting"


@dataclass(frozen=True, slots=True)
class JudgePlan:
    """What is to be judged.

    ``models`` are names on the shelf. ``pairs`` are prompts, each with the story that a person wrote on it or "";
    ``data`` are files of such pairs. At most ``prompts`` of them are taken (0: all). Each model writes ``stories``
    stories of at most ``tokens`` tokens on every prompt with each of the ``settings``. ``reader`` is the model that
    reads what was written, the first where empty. ``metrics`` are names, all without any. ``ratings`` maps the ids of
    stories to mean ratings by criterion. ``out`` is where the report goes, the job's own folder where None.
    """

    models: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    data: tuple[Path, ...] = ()
    prompts: int = 0
    stories: int = 1
    tokens: int = 300
    settings: tuple[Settings, ...] = field(default_factory=lambda: ({},))
    reader: str = ""
    metrics: tuple[str, ...] = ()
    ratings: Ratings = field(default_factory=dict)
    out: Path | None = None
    title: str = ""
    seed: int = 7


@dataclass(frozen=True, slots=True)
class JudgeCard:
    """What a job is about. ``prompts`` is 0 where nobody counted them yet, ``begun`` where nobody knows the time.

    ``settings`` is how many choices of settings are compared, ``begun`` in seconds since 1970.
    """

    title: str = ""
    models: tuple[str, ...] = ()
    prompts: int = 0
    settings: int = 1
    begun: float = 0.0


@dataclass(frozen=True, slots=True)
class JudgeState:
    """Where a job stands: ``done`` of ``total`` stories and measurements, those of earlier starts included.

    ``work`` and ``model`` say what goes on. ``report`` is the folder of the finished report.
    """

    job_id: str
    folder: Path
    status: RunStatus = RunStatus.STARTING
    work: str = ""
    model: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float = 0.0
    device: str = ""
    notices: tuple[Failure, ...] = ()
    failure: Failure | None = None
    report: Path | None = None
    process_id: int = 0
    card: JudgeCard = JudgeCard()

    @property
    def ended(self) -> bool:
        """Return whether nothing more will come."""
        return self.status in (RunStatus.COMPLETED, RunStatus.STOPPED, RunStatus.FAILED)

    def fail(self, failure: Failure) -> JudgeState:
        """Return the state of a job that failed."""
        return replace(self, status=RunStatus.FAILED, failure=failure, seconds_left=0.0)

    def halt(self) -> JudgeState:
        """Return the state of a job that was ended by force."""
        return replace(self, status=RunStatus.STOPPED)


@dataclass(frozen=True, slots=True)
class JudgedMetric:
    """A metric as the report has it; ``direction`` is ``higher``, ``lower``, ``nearer`` or ``none``.

    ``form`` is ``number``, ``percent`` (a share of 1) or ``count``. The words are English; MetricWords translates them.
    """

    name: str
    group: str
    title: str
    direction: str
    form: str
    tells: str
    misses: str


@dataclass(frozen=True, slots=True)
class JudgedFigure:
    """A metric of one model's stories; ``low`` and ``high`` are None where there are too few prompts for an interval.

    ``model`` is "" for people's own stories. ``settings`` is an index into the report's, -1 where none matter.
    ``cut`` tells that the stories were cut to equal length.
    """

    metric: str
    model: str
    settings: int
    cut: bool
    value: float | None
    low: float | None
    high: float | None
    stories: int
    prompts: int


@dataclass(frozen=True, slots=True)
class JudgedDifference:
    """First minus second, paired by prompt; ``better`` names a model, "" where they can't be told apart."""

    metric: str
    settings: int
    cut: bool
    first: str
    second: str
    value: float | None
    low: float | None
    high: float | None
    better: str


class Agreeing(StrEnum):
    """How a figure goes with what people say of stories, as far as can be told."""

    UNKNOWN = "unknown"
    WEAKLY = "weakly"
    CLEARLY = "clearly"
    STRONGLY = "strongly"


@dataclass(frozen=True, slots=True)
class JudgedCorrelation:
    """How a metric goes with a criterion of ratings; None where too little was rated. ``*_apart``: without length."""

    metric: str
    criterion: str
    stories: int
    value: float | None
    low: float | None
    high: float | None
    value_apart: float | None
    low_apart: float | None
    high_apart: float | None

    @property
    def surest(self) -> tuple[float | None, float | None, float | None]:
        """Value and interval with the stories' length taken out, or as they are for what is length itself."""
        if self.value_apart is None:
            return self.value, self.low, self.high
        return self.value_apart, self.low_apart, self.high_apart

    @property
    def agreeing(self) -> Agreeing:
        """How the two go together, unknown where the interval holds zero; see ``surest`` for what is looked at."""
        value, low, high = self.surest
        if value is None or low is None or high is None or low <= 0 <= high:
            return Agreeing.UNKNOWN
        size = abs(value)
        return Agreeing.STRONGLY if size >= _STRONG else Agreeing.CLEARLY if size >= _CLEAR else Agreeing.WEAKLY


@dataclass(frozen=True, slots=True)
class RankedSettings:
    """One choice of settings in a sweep: its distance from people's stories, 0 for the same.

    ``told_apart`` tells that it is surely further than the nearest. ``parts`` are signed distances by metric.
    """

    settings: int
    value: float | None
    low: float | None
    high: float | None
    told_apart: bool
    parts: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class JudgedVerdict:
    """What a report comes to, as a code; of its parameters ``settings`` and ``level`` are places in the report's list.

    ``metrics`` are names of metrics, whole numbers are counts, others are figures, and texts are names of models.
    """

    code: str
    parameters: Mapping[str, str | int | float | tuple[str | int, ...]]


@dataclass(frozen=True, slots=True)
class WrittenStory:
    """A story of a report, with the id that ratings know it by; ``model`` is "" for a person's."""

    id: str
    model: str
    settings: int
    prompt: str
    sample: int
    text: str


@dataclass(frozen=True, slots=True)
class JudgeReport:
    """A finished report; ``sweeps`` maps models to their settings, nearest to people first.

    ``settings`` are names, ``settings_values`` what they stand for. ``shown_prompts`` are those whose stories the
    report itself shows with the names of their writers.
    """

    folder: Path
    title: str
    created: str
    models: tuple[str, ...]
    settings: tuple[str, ...]
    prompts: int
    references: int
    equal_words: int
    metrics: tuple[JudgedMetric, ...]
    figures: tuple[JudgedFigure, ...]
    differences: tuple[JudgedDifference, ...]
    correlations: tuple[JudgedCorrelation, ...]
    sweeps: Mapping[str, tuple[RankedSettings, ...]]
    verdicts: tuple[str, ...] = ()
    """What the report says in sentences, in English unless VerdictWords has translated them."""
    verdict_codes: tuple[JudgedVerdict, ...] = ()
    """The same as codes, in the same order; none in a report of an older version."""
    settings_values: tuple[Settings, ...] = ()
    shown_prompts: tuple[str, ...] = ()
    job_id: str = ""

    @property
    def page(self) -> Path:
        """The report as a page."""
        return self.folder / "report.html"

    def values_of(self, settings: int) -> Settings | None:
        """Return what one choice of settings stands for; None where the report does not say."""
        return self.settings_values[settings] if len(self.settings_values) == len(self.settings) else None

    def find_figure(self, metric: str, model: str, settings: int, *, cut: bool = False) -> JudgedFigure | None:
        """Return one figure, None where there is none."""
        for figure in self.figures:
            if (figure.metric, figure.model, figure.settings, figure.cut) == (metric, model, settings, cut):
                return figure
        return None


def spread_grid(choices: Mapping[str, Sequence[float]]) -> tuple[Settings, ...]:
    """Return every combination of some values of settings, in order; one empty choice without any."""
    names = list(choices)
    return tuple(dict(zip(names, values, strict=True)) for values in product(*(choices[name] for name in names)))

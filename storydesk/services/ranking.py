"""The writer's own model as a judge of corrections: which replacement it would have written, and whether any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.manuscript import count_words
from storydesk.domain.polishing import Finding
from storydesk.domain.ranking import Trial, judge, make_trials
from storydesk.services.engines import EngineHost
from storydesk.services.ports import IsCancelled, Progress, SentenceRanker

LOST_NATS_A_WORD = 12.0
"""A model that is as surprised as this on average (fiction takes about 5) knows too little to have a say."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Findings with their suggestions in the model's order; ``tried`` says how many it had a say in."""

    findings: tuple[Finding, ...]
    model: str
    tried: int


class EngineRanker:
    """A SentenceRanker over the engine in use. Lives where its EngineHost lives.

    Variants of one sentence, and neighbouring sentences, begin alike: the scorer reads only what differs.
    """

    def __init__(self, engines: EngineHost, model: str | None = None) -> None:
        """Ask the named model, or whichever is in use."""
        self._engines = engines
        self._model = model

    @property
    def model(self) -> str:
        """The name of the model that it asks; loads it."""
        return self._engines.engine(self._model).model.name

    def measure(self, trial: Trial, is_cancelled: IsCancelled | None = None) -> Sequence[float]:
        """Return the nats of every variant of a trial, what stands before included, for that is the same for all."""
        engine = self._engines.engine(self._model)
        return [engine.score(trial.before + variant, "", is_cancelled).nats for variant in trial.variants]


def rank_findings(
    text: str,
    findings: Sequence[Finding],
    ranker: SentenceRanker,
    *,
    progress: Progress | None = None,
    is_cancelled: IsCancelled | None = None,
) -> Ranking:
    """Return the findings with suggestions likeliest first and doubtful ones marked.

    A model that can make nothing of the text has no say: the findings come back as they are, without its name.
    Raise StorydeskError(CANCELLED) and what loading a model may raise.
    """
    trials = make_trials(text, findings)
    model = ranker.model if trials else ""
    judged: dict[Finding, Finding] = {}
    nats = words = 0.0
    for done, (finding, trial) in enumerate(trials):
        if is_cancelled is not None and is_cancelled():
            raise StorydeskError(FailureCode.CANCELLED)
        _tell(progress, done, len(trials))
        measured = ranker.measure(trial, is_cancelled)
        judged[finding] = judge(text[finding.start : finding.end], finding, measured)
        nats, words = nats + measured[0], words + count_words(trial.before + trial.variants[0])
    _tell(progress, len(trials), len(trials))
    if nats > LOST_NATS_A_WORD * words:
        return Ranking(tuple(findings), "", 0)
    return Ranking(tuple(judged.get(finding, finding) for finding in findings), model, len(judged))


def _tell(progress: Callable[[int, int], None] | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total)

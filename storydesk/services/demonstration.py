"""The whole path on our own samples: tune, write, polish, score and export, with every figure kept."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import Finished, SamplingSettings, TextChunk
from storydesk.domain.manuscript import Story, count_words
from storydesk.domain.polishing import Finding
from storydesk.domain.scoring import TextScore
from storydesk.domain.settings import ACTIVE_MODEL
from storydesk.domain.tuning import GraphParity, RunState, RunStatus, TuningPlan
from storydesk.services.desk import Desk
from storydesk.services.polishing import Polish
from storydesk.services.ports import TuningRun

NAME = "demo"
STARTER = ACTIVE_MODEL.default
# None of the samples has this prompt, and a test keeps it so.
PROMPT = "A king promises his crown to whoever can make the sea be quiet."
TITLE = "The Quiet Sea"
WORDS = 220
SEED = 20
SETTINGS = SamplingSettings()
FORMATS = ("docx", "md", "txt")

# So many whole stories are written, and the one that repeats itself least is shown, as a writer would choose it.
# A story that stops inside a sentence or a speech does not count, and is written again with the next seed.
_CANDIDATES = 3
_MOST_TRIES = 8
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*")

Step = Callable[[str], None]
"""Called with the name of each step: ``writing``, ``polishing``, ``scoring``, ``exporting``."""

Wait = Callable[[TuningRun], RunState]
"""Waits for the trainer and returns its last state."""


@dataclass(frozen=True, slots=True)
class DemoStory:
    """The story as the tuned model wrote it."""

    title: str
    prompt: str
    text: str
    seed: int
    ended: str
    tokens: int
    tokens_per_second: float
    device: str


@dataclass(frozen=True, slots=True)
class Change:
    """What polishing changed."""

    before: str
    after: str
    category: str
    message: str
    source: str


@dataclass(frozen=True, slots=True)
class DemoReport:
    """Every figure of one demonstration; perplexities are per token, ``seconds`` by step and in all."""

    model: str
    in_use: bool
    run: RunState
    story: DemoStory
    polished: str
    findings: int
    changes: tuple[Change, ...]
    checkers: tuple[str, ...]
    notices: tuple[Failure, ...]
    starter_score: TextScore
    tuned_score: TextScore
    files: tuple[Path, ...]
    seconds: Mapping[str, float]

    def parity(self, graph: str) -> GraphParity | None:
        """Return the figures of one exported graph."""
        return next((item for item in self.run.parity if item.graph == graph), None)

    @property
    def int8_excess(self) -> float | None:
        """How much higher the 8-bit graph's perplexity is than the fp32 graph's, as a share (0.005 is 0.5 %)."""
        exact, small = self.parity("fp32"), self.parity("int8")
        return small.perplexity / exact.perplexity - 1 if exact and small and exact.perplexity else None


class Demonstration:
    """Runs the whole path once. Lives where the desk's engine lives."""

    def __init__(self, desk: Desk) -> None:
        """Work at this desk; its library of stories is not touched."""
        self._desk = desk
        self._seconds: dict[str, float] = {}

    def prepare(self, minutes: float) -> Path:
        """Return the folder of a run that tunes the starter on the samples."""
        samples = tuple(str(path) for path in sorted(self._desk.samples.glob("*.jsonl")))
        # One sample story instead of three: the demonstration writes a longer one itself.
        plan = TuningPlan(NAME, STARTER, samples, minutes, settings={"sample_stories": 1})
        return self._desk.tuning.prepare(plan)

    def run(self, folder: Path, out: Path, wait: Wait, step: Step) -> DemoReport | RunState:
        """Do everything and return the report, or the run's state where it was stopped before it had a model.

        The tuned model becomes the one in use only for somebody who has no model but the starter.
        """
        begun = time.monotonic()
        untouched = self._desk.models.active == STARTER and all(
            model.built_in for model in self._desk.models.list_models()
        )
        state = wait(self._desk.tuning.start(folder))
        outcome = self._desk.tuning.finish(state, use=None if untouched else False)
        self._seconds["tuning"] = time.monotonic() - begun
        if outcome.model is None or state.status is not RunStatus.COMPLETED:
            return state
        name = outcome.model.name
        story = self._time("writing", step, lambda: self._write(name))
        polish = self._time("polishing", step, lambda: self._polish(story.text))
        scores = self._time("scoring", step, lambda: self._score(polish.text, name))
        files = self._time("exporting", step, lambda: self._export(polish.text, out))
        self._seconds["all"] = time.monotonic() - begun
        return DemoReport(
            model=name,
            in_use=self._desk.models.active == name,
            run=state,
            story=story,
            polished=polish.text,
            findings=len(polish.check.findings),
            changes=tuple(_as_change(finding, story.text) for finding in polish.applied),
            checkers=polish.check.engines,
            notices=polish.check.failures,
            starter_score=scores[0],
            tuned_score=scores[1],
            files=tuple(files),
            seconds=dict(self._seconds),
        )

    def _time(self, name: str, step: Step, work: Callable[[], Any]) -> Any:
        step(name)
        begun = time.monotonic()
        result = work()
        self._seconds[name] = time.monotonic() - begun
        return result

    def _write(self, model: str) -> DemoStory:
        whole: list[DemoStory] = []
        broken: list[DemoStory] = []
        for attempt in range(_MOST_TRIES):
            story = self._write_once(model, SEED + attempt)
            if ends_well(story.text) and count_words(story.text) * 2 >= WORDS:
                whole.append(story)
            else:
                broken.append(replace(story, text=end_well(story.text) or story.text))
            if len(whole) == _CANDIDATES:
                break
        if whole:
            return min(whole, key=lambda story: measure_repetition(story.text))
        return max(broken, key=lambda story: count_words(story.text))

    def _write_once(self, model: str, seed: int) -> DemoStory:
        request = self._desk.writing.request(PROMPT, words=WORDS, seed=seed, settings=SETTINGS, model=model)
        pieces: list[str] = []
        finished: Finished | None = None
        for event in self._desk.writing.write(request):
            if isinstance(event, TextChunk):
                pieces.append(event.text)
            elif isinstance(event, Finished):
                finished = event
        if finished is None:
            raise StorydeskError(FailureCode.CANCELLED)
        loaded = self._desk.engines.loaded
        return DemoStory(
            title=TITLE,
            prompt=PROMPT,
            text="".join(pieces).strip(),
            seed=seed,
            ended=str(finished.reason),
            tokens=finished.tokens,
            tokens_per_second=finished.tokens_per_second,
            device=loaded.device if loaded else "",
        )

    def _polish(self, text: str) -> Polish:
        polishing = self._desk.new_polishing()
        try:
            return polishing.polish(text)
        finally:
            polishing.close()

    def _score(self, text: str, model: str) -> tuple[TextScore, TextScore]:
        tuned = self._desk.scoring.score(text, PROMPT, model=model).score
        return self._desk.scoring.score(text, PROMPT, model=STARTER).score, tuned

    def _export(self, text: str, out: Path) -> Sequence[Path]:
        now = time.time()
        story = Story(0, TITLE, PROMPT, now, now)
        return [
            self._desk.publishing.export(story, text, form, out / f"story.{form}")
            for form in FORMATS
            if form in self._desk.publishing.formats
        ]


def measure_repetition(text: str) -> float:
    """Return the share of word pairs that stood earlier in the text, 0 to 1."""
    words = re.findall(r"\w+", text.lower())
    pairs = list(itertools.pairwise(words))
    return 1 - len(set(pairs)) / len(pairs) if pairs else 0.0


def ends_at_sentence(text: str) -> bool:
    """Return whether a text ends where a sentence does."""
    ends = list(_SENTENCE_END.finditer(text.rstrip()))
    return bool(ends) and ends[-1].end() == len(text.rstrip())


def ends_well(text: str) -> bool:
    """Return whether a text ends where a sentence does, and nobody is left speaking."""
    return ends_at_sentence(text) and text.count("“") == text.count("”")


def end_well(text: str) -> str:
    """Return the text up to its last sentence after which nobody is left speaking; empty where there is none."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return next((text[:end] for end in reversed(ends) if ends_well(text[:end])), "")


def _as_change(finding: Finding, text: str) -> Change:
    before = text[finding.start : finding.end]
    return Change(before, finding.suggestions[0], str(finding.category), finding.message, finding.source)

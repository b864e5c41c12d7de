"""In-memory stand-ins for the ports, and a desk made of them: use cases without files, models or processes."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storydesk.domain.book import Book, PublishingProfile, ReadText
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import (
    Alternative,
    Finished,
    FinishReason,
    GenerationEvent,
    GenerationRequest,
    TextChunk,
    TokenChoice,
)
from storydesk.domain.manuscript import Draft, GenerationRecord, Story
from storydesk.domain.polishing import Category, Finding
from storydesk.domain.run_settings import RunSetting
from storydesk.domain.scoring import TextScore, TokenScore, measure_text
from storydesk.domain.settings import Setting, V
from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.domain.tuning import GraphParity, PlannedRun, RunState, RunStatus, TuningPlan
from storydesk.services.criteria import read_guides
from storydesk.services.datasets import DatasetService
from storydesk.services.desk import Desk
from storydesk.services.drafts import DraftService
from storydesk.services.engines import EngineHost
from storydesk.services.feedback import FeedbackService
from storydesk.services.improving import ImprovingService
from storydesk.services.insight import InsightService
from storydesk.services.judge_job import JudgeJobService
from storydesk.services.judging import JudgingService
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.memory import MemoryService
from storydesk.services.models import ModelService
from storydesk.services.outline import OutlineService
from storydesk.services.polishing import PolishingService
from storydesk.services.ports import FORESEE, TUNE, IsCancelled, Progress
from storydesk.services.prompts import PromptService, StoryWriter
from storydesk.services.publishing import PublishingService
from storydesk.services.scoring import ScoringService
from storydesk.services.tuning import TuningService
from storydesk.services.writing import WritingService
from storydesk.training.exchange import write_examples
from storydesk.training.feedback import write_feedback
from storydesk.training.run_settings import estimate_needs, list_run_settings
from tests.fakes.datasets import FakeDatasetStore
from tests.fakes.drafts import FakeDraftHistory
from tests.fakes.judge_jobs import FakeJudgeLauncher
from tests.fakes.judging import FakeJudging
from tests.fakes.library import FakeBackups, FakeOutline, FakeSearch
from tests.fakes.memory import FakeMemoryStore, FakePromptStore
from tests.fakes.model_shelf import FakeShelf


def make_model(name: str = "starter", *, built_in: bool = True, folder: Path = Path("/models/starter")) -> StyleModel:
    """Return a small model's card."""
    return StyleModel(
        name=name,
        kind="starter" if built_in else "tuned",
        folder=folder,
        weights=folder / "weights",
        tokenizer=folder / "tokenizer.json",
        graph=folder / "int8.onnx",
        precision="int8",
        layers=2,
        heads=2,
        width=32,
        positions=128,
        vocabulary=384,
        end_token_id=0,
        normaliser="ascii-1",
        template={"before": "Prompt: ", "between": "\n\nStory:\n"},
        licence="CC0",
        origin="made for tests",
        created="2026-01-01T00:00:00+00:00",
        built_in=built_in,
    )


_SLIPS = ("teh", "recieve")


class FakeEngine:
    """Writes the words of ``script`` in a circle, rotated by the seed; a token costs two nats, a slip twelve."""

    def __init__(self, model: StyleModel, script: Sequence[str]) -> None:
        self.model = model
        self.device = "CPU"
        self.requests: list[GenerationRequest] = []
        self.ends: list[str] = []
        self.closed = False
        self._script = script
        self._cancelled = False

    def normalise(self, text: str) -> str:
        return text.replace("“", '"').replace("”", '"').replace("’", "'").replace("—", "--")

    def render_prompt(self, prompt: str) -> str:
        return f"Prompt: {prompt}\n\nStory:\n" if prompt else ""

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def generate(self, request: GenerationRequest) -> Iterator[GenerationEvent]:
        self.requests.append(request)
        self._cancelled = False
        numbers = range(request.count)
        places = [0] * request.count
        for number in range(request.words):
            for candidate in numbers:
                if self._cancelled:
                    yield from (Finished(FinishReason.CANCELLED, number, 100.0, candidate=each) for each in numbers)
                    return
                text = " " + self._script[(number + request.seed + candidate) % len(self._script)]
                start, places[candidate] = places[candidate], places[candidate] + len(text)
                likely = [Alternative(f" {word}", 0.5 / (rank + 1)) for rank, word in enumerate(self._script)]
                choice = TokenChoice(start, places[candidate], 0.5, tuple(likely[: request.alternatives]))
                yield TextChunk(text, candidate, (choice,) if request.alternatives else ())
        yield from (Finished(FinishReason.LENGTH, request.words, 100.0, candidate=each) for each in numbers)

    def measure_end(self, request: GenerationRequest) -> float:
        self.ends.append(request.context)
        return 0.5 if request.context.endswith("rang.") else 0.001

    def score(
        self, text: str, prompt: str = "", is_cancelled: IsCancelled | None = None, *, alternatives: int = 0
    ) -> TextScore:
        if is_cancelled is not None and is_cancelled():
            raise StorydeskError(FailureCode.CANCELLED)
        words, size = measure_text(text)
        tokens, place = [], 0
        for word in text.split():
            start = text.index(word, place)
            place = start + len(word)
            nats, rank = (12.0, 5000) if word.strip(".,") in _SLIPS else (2.0, 1)
            likelier = tuple(Alternative(f" {other}", 0.2) for other in ("the", "a", "her")[:alternatives])
            tokens.append(TokenScore(start, place, nats, rank, alternatives=likelier))
        return TextScore(tuple(tokens), words, size, 64)

    def cancel(self) -> None:
        self._cancelled = True

    def close(self) -> None:
        self.closed = True


class FakeLoader:
    """Loads FakeEngines and remembers them."""

    def __init__(self, script: Sequence[str] = ("the", "bell", "rang.")) -> None:
        self.engines: list[FakeEngine] = []
        self.script = script

    def load(self, model: StyleModel) -> FakeEngine:
        if model.name == "broken":
            raise StorydeskError(FailureCode.MODEL_NOT_LOADED, name=model.name, detail="the graph is damaged")
        self.engines.append(FakeEngine(model, self.script))
        return self.engines[-1]


class FakeChecker:
    """Finds every word of two lists, misspelt ones and slips of grammar; a checker that ``fails`` raises that."""

    def __init__(
        self,
        name: str,
        words: dict[str, str],
        slips: dict[str, str] | None = None,
        failure: StorydeskError | None = None,
    ) -> None:
        self.name = name
        self.closed = False
        self._words = {**dict.fromkeys(words, Category.SPELLING), **dict.fromkeys(slips or {}, Category.GRAMMAR)}
        self._remedies = {**words, **(slips or {})}
        self._failure = failure
        self.notices: Sequence[Failure] = ()
        self.read: list[str] = []
        self.languages: Sequence[str] = ("en-GB", "en-US")

    def list_languages(self) -> Sequence[str]:
        return self.languages

    def check(self, text: str, language: str = "en-US") -> Sequence[Finding]:
        self.read.append(text)
        if self._failure is not None:
            raise self._failure
        found = []
        for wrong, category in self._words.items():
            found += [
                Finding(*match.span(), category, "WORD", "Misspelt.", (self._remedies[wrong],), self.name)
                for match in re.finditer(rf"\b{re.escape(wrong)}\b", text)
            ]
        return sorted(found, key=lambda finding: finding.start)

    def close(self) -> None:
        self.closed = True


class FakeDocuments:
    """Reads UTF-8 and writes what it is given."""

    formats: Sequence[str] = ("docx", "md", "txt")

    def read(self, path: Path) -> tuple[str, str]:
        if not path.exists():
            raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(path))
        text = path.read_text(encoding="utf-8")
        if not text.strip():
            raise StorydeskError(FailureCode.FILE_EMPTY, path=str(path))
        return path.stem, text

    def write(self, story: Story, text: str, form: str, path: Path, *, overwrite: bool = False) -> None:
        if path.exists() and not overwrite:
            raise StorydeskError(FailureCode.FILE_EXISTS, path=str(path))
        path.write_text(f"{story.title}\n\n{text}", encoding="utf-8")

    def write_book(
        self, book: Book, profile: PublishingProfile, form: str, path: Path, *, overwrite: bool = False
    ) -> Sequence[Failure]:
        text = "\n\n".join(part.text for part in book.parts)
        self.write(Story(0, book.title, "", 0.0, 0.0), text, form, path, overwrite=overwrite)
        return []

    def preview(self, book: Book, profile: PublishingProfile) -> str:
        return f"<p>{book.title}</p>"

    def read_document(self, path: Path) -> ReadText:
        return ReadText(*self.read(path))


class FakeSettings:
    """Settings in a dictionary."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def get(self, setting: Setting[V]) -> V:
        return setting.accept(self.values.get(setting.key, setting.default))

    def set(self, setting: Setting[V], value: V) -> None:
        self.values[setting.key] = value


class FakeModels:
    """A shelf in a dictionary."""

    def __init__(self, staging: Path) -> None:
        self.shelf = {"starter": make_model()}
        self.staging = staging

    def list_models(self) -> Sequence[StyleModel]:
        return list(self.shelf.values())

    def get(self, name: str) -> StyleModel:
        if name not in self.shelf:
            raise StorydeskError(FailureCode.MODEL_NOT_FOUND, name=name)
        return self.shelf[name]

    def verify(self, name: str) -> StyleModel:
        return self.get(name)

    def install(self, bundle: Path) -> StyleModel:
        return self._keep(bundle.name.rpartition("-")[0])

    def add_folder(self, folder: Path, name: str | None = None, progress: Progress | None = None) -> StyleModel:
        if not folder.is_dir():
            raise StorydeskError(FailureCode.MODEL_FOLDER_BAD, path=str(folder), detail="it is no folder")
        return self._keep(name or folder.name)

    def hub_models(self) -> Sequence[HubModel]:
        return [HubModel("gpt2", "openai-community/gpt2", "607a30d", 548_105_171, "00", "MIT")]

    def fetch(self, hub_id: str, progress: Progress | None = None) -> StyleModel:
        if progress is not None:
            progress(1, 2)
        return self._keep(hub_id)

    def remove(self, name: str) -> None:
        if self.get(name).built_in:
            raise StorydeskError(FailureCode.MODEL_BUILT_IN, name=name)
        del self.shelf[name]

    def free_name(self, wanted: str) -> str:
        number, name = 1, wanted
        while name in self.shelf:
            number += 1
            name = f"{wanted} {number}"
        return name

    def staging_folder(self) -> Path:
        self.staging.mkdir(parents=True, exist_ok=True)
        return self.staging

    def _keep(self, name: str) -> StyleModel:
        self.shelf[name] = make_model(name, built_in=False, folder=Path("/models") / name)
        return self.shelf[name]


class FakeRun:
    """A run that gives the states of a script, one a poll; ``stop`` ends it as stopped."""

    def __init__(self, folder: Path, states: Sequence[RunState], raises: BaseException | None = None) -> None:
        self.folder = folder
        self.stopped = False
        self.killed = False
        self.best_kept = False
        self.detached = False
        self._states = list(states)
        self._raises = raises

    def poll(self) -> RunState:
        if self.stopped:
            return dataclasses.replace(self._states[0], status=RunStatus.STOPPED, checkpoint_step=3)
        if self._raises is not None:
            error, self._raises = self._raises, None
            raise error
        return self._states.pop(0) if len(self._states) > 1 else self._states[0]

    def stop(self) -> None:
        self.stopped = True

    def detach(self) -> None:
        self.detached = True

    def keep_best(self) -> None:
        self.best_kept = True

    def kill(self) -> None:
        self.killed = self.stopped = True


FORESEEN = RunState(
    "plan",
    Path("plan"),
    RunStatus.STOPPED,
    planned=PlannedRun("cpu", False, 14_000_000, 90, 3, 240.0, 900, 10**9, 8 * 10**9, 10**9, 10**11),
)


@dataclass
class FakeLauncher:
    """Prepares folders in ``runs`` and starts runs that end with ``after`` as held-out perplexity."""

    runs: Path
    after: float = 20.0
    raises: BaseException | None = None
    plans: list[TuningPlan] = field(default_factory=list)
    bundles: list[Path] = field(default_factory=list)
    discarded: list[Path] = field(default_factory=list)
    alone: list[Path] = field(default_factory=list)
    learned_from: tuple[str, ...] = ()
    foreseen: list[TuningPlan] = field(default_factory=list)
    foresight: RunState = field(default_factory=lambda: FORESEEN)
    states: list[RunState] | None = None
    broken_off: list[RunState] = field(default_factory=list)

    def list_settings(self) -> Sequence[RunSetting]:
        return list_run_settings()

    def estimate_needs(self, weights: int, vocabulary: int, *, adapters: bool) -> tuple[int, int]:
        return estimate_needs(weights, vocabulary, adapters=adapters)

    def prepare(self, plan: TuningPlan, weights: Path, bundle: Path) -> Path:
        self.plans.append(plan)
        self.bundles.append(bundle)
        return self.runs / plan.name

    def find_data(self, _bundle: Path) -> tuple[str, ...]:
        return self.learned_from

    def start(self, folder: Path, job: str = TUNE) -> FakeRun:
        if job == FORESEE:
            self.foreseen.append(self.plans.pop())
            self.bundles.pop()
            return FakeRun(folder, [self.foresight])
        if self.states is not None:
            return FakeRun(folder, self.states, self.raises)
        begun = RunState(folder.name, folder, RunStatus.RUNNING, stage="tuning", step=1, total_steps=4, loss=3.0)
        parity = (
            GraphParity("fp32", "torch", 1e-4, self.after, self.after),
            GraphParity("int8", "torch", 1e-1, self.after * 1.001, self.after),
        )
        ended = dataclasses.replace(
            begun,
            status=RunStatus.COMPLETED,
            step=4,
            perplexity_before=30.0,
            perplexity_after=self.after,
            bundle=self.bundles[-1] if self.bundles else self.runs / "found-1",
            parity=parity,
        )
        return FakeRun(folder, [begun, ended], self.raises)

    def follow(self, folder: Path) -> FakeRun:
        return self.start(folder)

    def left_alone(self) -> Sequence[Path]:
        return self.alone

    def unfinished(self) -> Sequence[RunState]:
        return self.broken_off

    def discard(self, folder: Path) -> None:
        self.discarded.append(folder)
        self.broken_off = [state for state in self.broken_off if state.folder != folder]

    def find(self, name: str) -> Path:
        for state in self.broken_off:
            if state.folder.name == name:
                return state.folder
        raise StorydeskError(FailureCode.RUN_NOT_FOUND, name=name)

    def read(self, folder: Path) -> RunState:
        return RunState(folder.name, folder)


class FakeLibrary:
    """A library in lists."""

    read_only = False

    def __init__(self) -> None:
        self.stories: dict[int, Story] = {}
        self.drafts: dict[int, Draft] = {}
        self.records: list[GenerationRecord] = []
        self.words: list[str] = []
        self.story_settings: dict[tuple[int, str], str] = {}
        self.closed = False

    def has_no_writer(self) -> bool:
        return False

    def list_stories(self, *, trash: bool = False) -> Sequence[Story]:
        return [story for story in self.stories.values() if story.in_trash is trash]

    def add_story(self, title: str, prompt: str = "", text: str = "", origin: str = "written") -> Story:
        now = time.time()
        story = Story(len(self.stories) + 1, title, prompt, now, now)
        self.stories[story.id] = story
        self.add_draft(story.id, "1", text, origin)
        return story

    def change_story(self, story_id: int, *, title: str | None = None, prompt: str | None = None) -> Story:
        story = self.stories[story_id]
        changed = dataclasses.replace(
            story, title=story.title if title is None else title, prompt=story.prompt if prompt is None else prompt
        )
        self.stories[story_id] = changed
        return changed

    def trash_story(self, story_id: int, *, restore: bool = False) -> None:
        self.stories[story_id] = dataclasses.replace(self.stories[story_id], in_trash=not restore)

    def delete_story(self, story_id: int) -> None:
        del self.stories[story_id]

    def list_drafts(self, story_id: int) -> Sequence[Draft]:
        return [draft for draft in reversed(self.drafts.values()) if draft.story_id == story_id]

    def add_draft(
        self,
        story_id: int,
        name: str,
        text: str,
        origin: str = "written",
        *,
        authorship: str = "",
        parent_id: int | None = None,
    ) -> Draft:
        now = time.time()
        draft = Draft(len(self.drafts) + 1, story_id, name, text, now, now, origin, authorship, parent_id)
        self.drafts[draft.id] = draft
        return draft

    def save_draft(self, draft_id: int, text: str, authorship: str | None = None) -> Draft:
        draft = self.load_draft(draft_id)
        spans = draft.authorship if authorship is None else authorship
        self.drafts[draft_id] = dataclasses.replace(draft, text=text, authorship=spans)
        return self.drafts[draft_id]

    def load_draft(self, draft_id: int) -> Draft:
        if draft_id not in self.drafts:
            raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(draft_id))
        return self.drafts[draft_id]

    def search(self, words: str) -> Sequence[Story]:
        return [story for story in self.stories.values() if all(word in story.title for word in words.split())]

    def record_generation(self, record: GenerationRecord) -> None:
        self.records.append(record)

    def list_generations(self, draft_id: int) -> Sequence[GenerationRecord]:
        return [record for record in reversed(self.records) if record.draft_id == draft_id]

    def list_dictionary(self) -> Sequence[str]:
        return self.words

    def add_to_dictionary(self, word: str) -> None:
        self.words.append(word)

    def get_story_setting(self, story_id: int, name: str) -> str:
        return self.story_settings.get((story_id, name), "")

    def set_story_setting(self, story_id: int, name: str, value: str) -> None:
        self.story_settings[story_id, name] = value

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeWorld:
    """Every fake by name, and the desk that they make."""

    home: Path
    settings: FakeSettings
    models: FakeModels
    loader: FakeLoader
    launcher: FakeLauncher
    library: FakeLibrary
    documents: FakeDocuments
    checkers: dict[str, FakeChecker]
    desk: Desk
    data_folders: FakeDatasetStore
    datasets: list[Any] = field(default_factory=list)
    shelf: FakeShelf = field(kw_only=True)


def make_world(home: Path) -> FakeWorld:
    """Return a desk of fakes below ``home``."""
    settings, models, loader = FakeSettings(), FakeModels(home / "staging"), FakeLoader()
    shelf = FakeShelf(models, home / "models")
    launcher, library, documents = FakeLauncher(home / "runs"), FakeLibrary(), FakeDocuments()
    checkers = {
        "harper": FakeChecker("harper", {"teh": "the"}),
        "languagetool": FakeChecker("languagetool", {"teh": "the"}, {"recieve": "receive"}),
    }
    factories: dict[str, Callable[[], FakeChecker]] = {
        name: (lambda name=name: checkers[name])  # type: ignore[misc]  # mypy can't infer a default in a lambda
        for name in checkers
    }
    datasets: list[Any] = []
    data_folders = FakeDatasetStore(home / "datasets")
    host = EngineHost(loader, models, settings)
    manuscripts, memory = ManuscriptService(library, documents), MemoryService(FakeMemoryStore())
    writing, scoring = WritingService(host), ScoringService(host)
    judging, history = FakeJudging(), FakeDraftHistory()
    model_service = ModelService(models, settings, shelf)
    tuning = TuningService(
        launcher, models, settings, documents, lambda triples, target: datasets.append((triples, target))
    )
    feedback = FeedbackService(judging, history, library, write_feedback)
    desk = Desk(
        library=library,
        settings=settings,
        manuscripts=manuscripts,
        drafts=DraftService(history, library),
        memory=memory,
        prompts=PromptService(FakePromptStore(), manuscripts, memory),
        outlines=OutlineService(FakeOutline()),
        search=FakeSearch(),
        backups=FakeBackups(),
        engines=host,
        writing=writing,
        scoring=scoring,
        story_writer=StoryWriter(writing, scoring, memory),
        insight=InsightService(library, home / "samples"),
        new_polishing=lambda: PolishingService(factories, library.list_dictionary),
        publishing=PublishingService(documents, documents, settings),
        models=model_service,
        tuning=tuning,
        datasets=DatasetService(data_folders, documents, library),
        judging=JudgingService(
            judging,
            lambda: read_guides(Path(__file__).resolve().parents[2] / "resources" / "i18n" / "en.toml"),
        ),
        feedback=feedback,
        improving=ImprovingService(
            feedback, tuning, model_service, launcher.find_data, write_examples, home / "samples", home / "tuning"
        ),
        judge_jobs=JudgeJobService(FakeJudgeLauncher(), models),
        samples=home / "samples",
        home=home,
    )
    return FakeWorld(
        home,
        settings,
        models,
        loader,
        launcher,
        library,
        documents,
        checkers,
        desk,
        data_folders,
        datasets,
        shelf=shelf,
    )

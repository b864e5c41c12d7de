"""The composition root: builds every object and joins them; nothing else knows which adapter stands behind a port.

Adapters are imported where they are built, so that ``storydesk --help`` is quick and a command loads what it uses.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from storydesk.domain.failures import Failure, FailureCode, StorydeskError

if TYPE_CHECKING:
    from storydesk.domain.library import BackupFile
    from storydesk.services.desk import Desk
    from storydesk.services.polishing import PolishingService
    from storydesk.services.ports import LibraryStore, SentenceRanker
    from storydesk.storage.home import Home
    from storydesk.storage.library import SqliteLibrary

NO_DISPLAY = 2
"""The exit code where there is no screen for the window."""


def find_resources() -> Path:
    """Return the shipped resources: inside the package where it was installed, else those of the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_resources"
    return installed if installed.is_dir() else package.parent / "resources"


def build_desk(
    home: Path | None = None, *, library: bool = True, on_notice: Callable[[Failure], None] | None = None
) -> Desk:
    """Return every use case, joined; nothing heavy is loaded before it is used.

    ``home`` is the data folder, by default the one that the environment names. Without ``library`` the stories stay
    closed until somebody asks for them, so that a command never takes them from a window. ``on_notice`` hears, on the
    thread that loads a model, what ends nothing. Raises what opening the library may raise.
    """
    from storydesk.inference.engine import OnnxEngineLoader
    from storydesk.publishing.documents import Documents
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
    from storydesk.services.models import ModelService, read_precision
    from storydesk.services.outline import OutlineService
    from storydesk.services.prompts import PromptService, StoryWriter
    from storydesk.services.publishing import PublishingService
    from storydesk.services.ranking import EngineRanker
    from storydesk.services.scoring import ScoringService
    from storydesk.services.tuning import TuningService
    from storydesk.services.writing import WritingService
    from storydesk.storage.backup_shelf import SqliteBackups
    from storydesk.storage.draft_history import SqliteDraftHistory
    from storydesk.storage.home import Home
    from storydesk.storage.judging import SqliteJudging
    from storydesk.storage.memory import LorebookStore
    from storydesk.storage.model_library import BundleLibrary
    from storydesk.storage.model_shelf import BundleShelf
    from storydesk.storage.outline import SqliteOutline
    from storydesk.storage.prompts import PromptShelfStore
    from storydesk.storage.search import SqliteSearch
    from storydesk.storage.settings import JsonSettings
    from storydesk.training.datasets import DatasetFolders
    from storydesk.training.exchange import write_dataset, write_examples
    from storydesk.training.feedback import write_feedback
    from storydesk.training.judge import TrainerJudgeLauncher
    from storydesk.training.launcher import TrainerLauncher

    place = Home(home) if home is not None else Home.find()
    resources = find_resources()
    settings = JsonSettings(place.settings)
    if settings.damaged and on_notice is not None:
        on_notice(Failure(str(FailureCode.SETTINGS_DAMAGED), {"path": str(settings.path)}))
    documents = Documents()
    store = _open_library(place) if library else cast("LibraryStore", _LibraryOnDemand(place))
    models = BundleLibrary(place.models, resources / "starter", wanted=lambda name: read_precision(settings, name))
    host = EngineHost(OnnxEngineLoader(on_notice), models, settings)
    # A command reads the words once; the window's may change while it is open.
    list_dictionary = store.list_dictionary if library else functools.cache(lambda: _read_dictionary(place, on_notice))
    manuscripts = ManuscriptService(store, documents)
    memory = MemoryService(LorebookStore(cast("SqliteLibrary", store)))
    writing, scoring = WritingService(host), ScoringService(host)
    launcher = TrainerLauncher(place.runs)
    shelf = ModelService(models, settings, BundleShelf(models, place.models))
    tuning = TuningService(launcher, models, settings, documents, write_dataset)
    sheets, history = SqliteJudging(cast("SqliteLibrary", store)), SqliteDraftHistory(cast("SqliteLibrary", store))
    feedback = FeedbackService(sheets, history, store, write_feedback)
    return Desk(
        library=store,
        settings=settings,
        manuscripts=manuscripts,
        drafts=DraftService(history, store),
        memory=memory,
        prompts=PromptService(PromptShelfStore(cast("SqliteLibrary", store)), manuscripts, memory),
        outlines=OutlineService(SqliteOutline(cast("SqliteLibrary", store))),
        search=SqliteSearch(cast("SqliteLibrary", store)),
        backups=SqliteBackups(cast("SqliteLibrary", store)),
        engines=host,
        writing=writing,
        scoring=scoring,
        story_writer=StoryWriter(writing, scoring, memory),
        insight=InsightService(store, resources / "samples", history),
        new_polishing=lambda: _build_polishing(list_dictionary, EngineRanker(host)),
        publishing=PublishingService(documents, documents, settings),
        models=shelf,
        tuning=tuning,
        datasets=DatasetService(DatasetFolders(place.datasets), documents, store),
        judging=JudgingService(sheets, lambda: read_guides(resources / "i18n" / "en.toml")),
        judge_jobs=JudgeJobService(TrainerJudgeLauncher(place.judgements, place.runs), models),
        feedback=feedback,
        improving=ImprovingService(
            feedback, tuning, shelf, launcher.find_data, write_examples, resources / "samples", place.root / "tuning"
        ),
        samples=resources / "samples",
        home=place.root,
    )


class _LibraryOnDemand:
    """Stands for a LibraryStore and opens it at the first call; closing what was never opened does nothing."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._store: LibraryStore | None = None

    def __getattr__(self, name: str) -> Any:
        if self._store is None:
            self._store = _open_library(self._home)
        return getattr(self._store, name)

    def close(self) -> None:
        if self._store is not None:
            self._store.close()


def _open_library(home: Home) -> LibraryStore:
    from storydesk.storage.library import SqliteLibrary

    return SqliteLibrary(home.library, home.backups)


def _read_dictionary(home: Home, on_notice: Callable[[Failure], None] | None) -> Sequence[str]:
    """Return the writer's own words and let go of the library at once; a damaged one costs the words only."""
    if not home.library.exists():
        return ()
    try:
        store = _open_library(home)
    except StorydeskError as error:
        if on_notice is not None:
            on_notice(error.failure)
        return ()
    try:
        return store.list_dictionary()
    finally:
        store.close()


def _build_polishing(list_dictionary: Callable[[], Sequence[str]], ranker: SentenceRanker) -> PolishingService:
    from storydesk.grammar.checkers import create_checkers
    from storydesk.services.polishing import PolishingService

    return PolishingService(create_checkers(), list_dictionary, ranker)


# The command line.


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    from storydesk.cli.program import run_command as run

    return run(arguments, lambda on_notice: build_desk(library=False, on_notice=on_notice), find_resources())


def say_no_display() -> int:
    """Say that there is no screen for the window and return the exit code."""
    from storydesk.cli.console import Console
    from storydesk.cli.phrases import open_phrasebook

    Console(open_phrasebook(find_resources()), as_json=False).note_failure(Failure(FailureCode.DISPLAY_MISSING))
    return NO_DISPLAY


# The window.


def open_window(arguments: Sequence[str]) -> int:
    """Open the window on the writer's library and return the exit code when it is closed."""
    from storydesk.ui.program import run_window

    return run_window(
        arguments, lambda *, on_notice: build_desk(on_notice=on_notice), find_resources(), recovery=HomeRecovery()
    )


class HomeRecovery:
    """Finds and puts back the newest whole backup of the library in the home that the environment names."""

    def __init__(self, home: Path | None = None) -> None:
        """Remember the home, by default the usual one."""
        self._home = home

    def find(self) -> BackupFile | None:
        """Return the newest backup that is whole, None without one. Slow for large libraries."""
        from storydesk.storage.recovery import find_whole_backup

        return find_whole_backup(self._place().backups)

    def put_back(self, backup: BackupFile) -> Path:
        """Put a copy of it in the library's place; return where the damaged one is now."""
        from storydesk.storage.recovery import put_back

        return put_back(self._place().library, backup.path)

    def _place(self) -> Home:
        from storydesk.storage.home import Home

        return Home(self._home) if self._home is not None else Home.find()

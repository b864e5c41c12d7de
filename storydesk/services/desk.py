"""Every use case of one running program, joined by the composition root and handed to the window or a command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from storydesk.services.datasets import DatasetService
from storydesk.services.drafts import DraftService
from storydesk.services.engines import EngineHost
from storydesk.services.feedback import FeedbackService
from storydesk.services.improving import ImprovingService
from storydesk.services.insight import InsightService
from storydesk.services.judge_job import JudgeJobService
from storydesk.services.judging import JudgingService
from storydesk.services.library_ports import BackupStore, SearchStore
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.memory import MemoryService
from storydesk.services.models import ModelService
from storydesk.services.outline import OutlineService
from storydesk.services.polishing import PolishingService
from storydesk.services.ports import LibraryStore, SettingsStore
from storydesk.services.prompts import PromptService, StoryWriter
from storydesk.services.publishing import PublishingService
from storydesk.services.scoring import ScoringService
from storydesk.services.tuning import TuningService
from storydesk.services.writing import WritingService


@dataclass(frozen=True, slots=True)
class Desk:
    """The services by name.

    ``engines``, ``writing``, ``scoring`` and ``story_writer`` share one engine and belong to one thread.
    ``new_polishing`` makes a PolishingService for whichever thread checks grammar. ``samples`` is the folder of our own
    stories.
    """

    library: LibraryStore
    settings: SettingsStore
    manuscripts: ManuscriptService
    drafts: DraftService
    memory: MemoryService
    prompts: PromptService
    outlines: OutlineService
    search: SearchStore
    backups: BackupStore
    engines: EngineHost
    writing: WritingService
    scoring: ScoringService
    story_writer: StoryWriter
    insight: InsightService
    new_polishing: Callable[[], PolishingService]
    publishing: PublishingService
    models: ModelService
    tuning: TuningService
    datasets: DatasetService
    judging: JudgingService
    feedback: FeedbackService
    improving: ImprovingService
    judge_jobs: JudgeJobService
    samples: Path
    home: Path

    def close(self) -> None:
        """Close the engine and the library; call it last, from the thread that owns the engine."""
        self.engines.close()
        self.library.close()

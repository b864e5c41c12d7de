"""What the use cases need from the outside, as Protocols; the adapters' rooms implement them.

Every port raises StorydeskError for what is expected to go wrong. Unless a method says otherwise it may be called
from any one thread at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from storydesk.domain.book import Book, PublishingProfile, ReadText
from storydesk.domain.failures import Failure
from storydesk.domain.generation import GenerationEvent, GenerationRequest
from storydesk.domain.manuscript import Draft, GenerationRecord, Story
from storydesk.domain.polishing import Finding
from storydesk.domain.ranking import Trial
from storydesk.domain.run_settings import RunSetting
from storydesk.domain.scoring import TextScore
from storydesk.domain.settings import Setting, V
from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.domain.tuning import RunState, TuningPlan
from storydesk.services.following import FollowedRun

Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all (bytes, or documents); raising from it cancels."""

IsCancelled = Callable[[], bool]


class TextEngine(Protocol):
    """One loaded StyleModel that writes and scores. One thread at a time; ``cancel`` from any thread."""

    @property
    def model(self) -> StyleModel:
        """The model that is loaded."""

    @property
    def device(self) -> str:
        """Where it runs, in words for the status bar: ``CPU, 8-bit``, ``NVIDIA GPU, 16-bit`` ..."""

    def normalise(self, text: str) -> str:
        """Return the text in the model's form."""

    def render_prompt(self, prompt: str) -> str:
        """Return the model's template around a prompt, in the model's form; empty for an empty prompt."""

    def count_tokens(self, text: str) -> int:
        """Return how many tokens a text in the model's form has."""

    def generate(self, request: GenerationRequest) -> Iterator[GenerationEvent]:
        """Yield chunks and one Finished for each candidate; closing the iterator cancels."""

    def measure_end(self, request: GenerationRequest) -> float:
        """Return how probable the end of the text is where the context ends, 0 to 1; raise CANCELLED."""

    def score(
        self, text: str, prompt: str = "", is_cancelled: IsCancelled | None = None, *, alternatives: int = 0
    ) -> TextScore:
        """Return the surprise of the writer's own text of any length; raise StorydeskError(CANCELLED).

        ``alternatives`` asks for so many of the likeliest tokens in each place. ``is_cancelled`` may be asked on a
        thread of the engine's own.
        """

    def cancel(self) -> None:
        """Break off what is running, a long prefill included; the iterator then ends with CANCELLED."""

    def close(self) -> None:
        """Give the memory back."""


class EngineLoader(Protocol):
    """Loads models; slow, never on the GUI thread."""

    def load(self, model: StyleModel) -> TextEngine:
        """Return the loaded model; raise StorydeskError(MODEL_NOT_LOADED, MEMORY_FULL)."""


class GrammarChecker(Protocol):
    """One checker. ``name`` is ``harper`` or ``languagetool``."""

    @property
    def name(self) -> str:
        """The name that findings carry as their source."""

    @property
    def notices(self) -> Sequence[Failure]:
        """What the writer should hear about the checker itself though its last check went well."""

    def list_languages(self) -> Sequence[str]:
        """Return the language codes that it has rules for; may start it."""

    def check(self, text: str, language: str = "en-US") -> Sequence[Finding]:
        """Return findings in order; raise StorydeskError(GRAMMAR_UNAVAILABLE, GRAMMAR_LANGUAGE, JAVA_MISSING)."""

    def close(self) -> None:
        """End whatever was started; safe to call twice."""


class SentenceRanker(Protocol):
    """Says how surprising ways to write a passage are to the writer's own model."""

    @property
    def model(self) -> str:
        """The name of the model that it asks."""

    def measure(self, trial: Trial, is_cancelled: IsCancelled | None = None) -> Sequence[float]:
        """Return the nats of every variant of a trial, in order; raise StorydeskError(CANCELLED, MODEL_...)."""


class DocumentWriter(Protocol):
    """Writes stories as documents, atomically and never over an existing file unless told."""

    @property
    def formats(self) -> Sequence[str]:
        """The formats by file suffix without the dot."""

    def write(self, story: Story, text: str, form: str, path: Path, *, overwrite: bool = False) -> None:
        """Write one story; raise StorydeskError(FILE_EXISTS, NOT_WRITABLE, DISK_FULL, FORMAT_UNKNOWN)."""

    def write_book(
        self, book: Book, profile: PublishingProfile, form: str, path: Path, *, overwrite: bool = False
    ) -> Sequence[Failure]:
        """Write a book like ``write`` and return what is to be said about it."""

    def preview(self, book: Book, profile: PublishingProfile) -> str:
        """Return the first pages as simple HTML."""


class DocumentReader(Protocol):
    """Reads text out of documents of any supported format; the encoding is detected."""

    @property
    def formats(self) -> Sequence[str]:
        """The suffixes that can be read, without the dot."""

    def read(self, path: Path) -> tuple[str, str]:
        """Return title and text; raise StorydeskError(FILE_...)."""

    def read_document(self, path: Path) -> ReadText:
        """Return title, text, author and what was lost on the way; raise StorydeskError(FILE_...)."""


class LibraryStore(Protocol):
    """The one library file. Methods may be called from any thread; each is one transaction."""

    @property
    def read_only(self) -> bool:
        """Whether another window holds the library, so that nothing can be changed here."""

    def has_no_writer(self) -> bool:
        """Return whether nobody writes the library now, so that one who only reads may open it anew."""

    def list_stories(self, *, trash: bool = False) -> Sequence[Story]:
        """Return the stories in the writer's order, before them those never placed, last changed first."""

    def add_story(self, title: str, prompt: str = "", text: str = "", origin: str = "written") -> Story:
        """Create a story with its first draft."""

    def change_story(self, story_id: int, *, title: str | None = None, prompt: str | None = None) -> Story:
        """Change a story's card."""

    def trash_story(self, story_id: int, *, restore: bool = False) -> None:
        """Put a story into the trash or back."""

    def delete_story(self, story_id: int) -> None:
        """Delete a story that is in the trash, for good."""

    def list_drafts(self, story_id: int) -> Sequence[Draft]:
        """Return the drafts of a story, newest first."""

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
        """Add a draft."""

    def save_draft(self, draft_id: int, text: str, authorship: str | None = None) -> Draft:
        """Save a draft's whole text with its spans; on disk when this returns."""

    def load_draft(self, draft_id: int) -> Draft:
        """Return a draft; raise StorydeskError(STORY_NOT_FOUND)."""

    def search(self, words: str) -> Sequence[Story]:
        """Return stories whose title, prompt or any draft holds all the words."""

    def record_generation(self, record: GenerationRecord) -> None:
        """Keep what made a piece of text."""

    def list_generations(self, draft_id: int) -> Sequence[GenerationRecord]:
        """Return what was generated for a draft, newest first."""

    def list_dictionary(self) -> Sequence[str]:
        """Return the writer's own words."""

    def add_to_dictionary(self, word: str) -> None:
        """Learn a word."""

    def get_story_setting(self, story_id: int, name: str) -> str:
        """Return what is set for a story under a name; empty where nothing is."""

    def set_story_setting(self, story_id: int, name: str, value: str) -> None:
        """Set something for a story; raise StorydeskError(STORY_NOT_FOUND)."""

    def close(self) -> None:
        """Close the file; safe to call twice."""


class SettingsStore(Protocol):
    """Reads and writes declared settings; any thread."""

    def get(self, setting: Setting[V]) -> V:
        """Return the value, or the default where none was set or the stored one is unusable."""

    def set(self, setting: Setting[V], value: V) -> None:
        """Set and save."""


class ModelLibrary(Protocol):
    """The installed models."""

    def list_models(self) -> Sequence[StyleModel]:
        """Return the models that can be used, built-in first, then by date."""

    def get(self, name: str) -> StyleModel:
        """Return a model, building the starter's graphs at first use; raise MODEL_NOT_FOUND, MODEL_DAMAGED."""

    def verify(self, name: str) -> StyleModel:
        """Check every file's checksum; raise MODEL_DAMAGED."""

    def install(self, bundle: Path) -> StyleModel:
        """Take in a finished bundle (renamed where possible); raise MODEL_DAMAGED, MODEL_NAME_TAKEN, DISK_FULL."""

    def add_folder(self, folder: Path, name: str | None = None, progress: Progress | None = None) -> StyleModel:
        """Build and install a model from a GPT-2 folder; raise MODEL_FOLDER_BAD, MODEL_NAME_TAKEN."""

    def hub_models(self) -> Sequence[HubModel]:
        """Return what can be fetched."""

    def fetch(self, hub_id: str, progress: Progress | None = None) -> StyleModel:
        """Download, check, build and install; a broken download resumes; raise HUB_..."""

    def remove(self, name: str) -> None:
        """Delete an installed model; raise MODEL_BUILT_IN, MODEL_NOT_FOUND."""

    def free_name(self, wanted: str) -> str:
        """Return ``wanted`` made fit for a folder, with a number behind it where it is taken."""

    def staging_folder(self) -> Path:
        """Return a folder on the models' disk where a new bundle may be written before it is installed."""


class TuningRun(FollowedRun[RunState], Protocol):
    """One run of the trainer, running or found again. Any thread."""

    def keep_best(self) -> None:
        """Ask the trainer to end its tuning here and to make the model of the best weights so far."""


TUNE, FORESEE = "tune", "plan"
"""What a trainer can be asked to do with a run's folder."""


class RunLauncher(Protocol):
    """Starts and finds tuning runs; needs no Qt."""

    def list_settings(self) -> Sequence[RunSetting]:
        """Return every setting that a run can be given, group by group."""

    def estimate_needs(self, weights: int, vocabulary: int, *, adapters: bool) -> tuple[int, int]:
        """Return the bytes of memory and disk that tuning a network of so many weights takes at least."""

    def prepare(self, plan: TuningPlan, weights: Path, bundle: Path) -> Path:
        """Write the run folder with its request and return it; raise DISK_FULL, NOT_WRITABLE."""

    def start(self, folder: Path, job: str = TUNE) -> TuningRun:
        """Start the trainer on a prepared or broken-off run (TUNE), or to say what it would be like (FORESEE).

        Raise StorydeskError(TRAINER_NOT_STARTED).
        """

    def follow(self, folder: Path) -> TuningRun:
        """Follow a run that an earlier start of the app left at work, or that came to its end meanwhile."""

    def left_alone(self) -> Sequence[Path]:
        """Return the folders of runs that are at work without an app, or whose model nobody has installed yet."""

    def unfinished(self) -> Sequence[RunState]:
        """Return runs that were broken off or paused and can be resumed, newest first."""

    def discard(self, folder: Path) -> None:
        """Delete a run that nobody works on, with its checkpoints."""

    def find(self, name: str) -> Path:
        """Return the folder of any run by its name, also of one that was stopped; raise RUN_NOT_FOUND."""

    def read(self, folder: Path) -> RunState:
        """Return the state that a run's journal gives."""

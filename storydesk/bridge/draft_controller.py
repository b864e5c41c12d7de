"""Versions of the open story: snapshots by hand and by rule, comparing off the window's thread, branches, repeats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from storydesk.bridge.authorship_form import to_units
from storydesk.bridge.engine_worker import EngineWorker
from storydesk.bridge.jobs import Job, JobRunner
from storydesk.bridge.manuscript_controller import ManuscriptController, OpenStory
from storydesk.bridge.serial_worker import SerialWorker, describe_unexpected
from storydesk.domain.authorship import Runs
from storydesk.domain.draft_history import KeptGeneration, Snapshot, SnapshotRule
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.manuscript import Draft
from storydesk.domain.settings import SNAPSHOT_MINUTES, SNAPSHOT_WORDS
from storydesk.services.desk import Desk
from storydesk.services.drafts import Comparison, DraftShelf, Version, VersionText, read_runs
from storydesk.services.ports import IsCancelled, Progress
from storydesk.services.repeating import GenerationRepeater, Repeated

OWNER = "repeat"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two versions side by side; None stands for what is on the page."""

    old: Version | None
    new: Version | None
    comparison: Comparison


class DraftController(QObject):
    """Leads what concerns a draft's versions. GUI thread."""

    versions_changed = Signal(object)
    """The DraftShelf of the open story."""
    compared = Signal(object)
    comparing_ended = Signal()
    """A comparison came, failed or was cancelled."""
    generations_found = Signal(str, object)
    """The words that were searched, and what was kept of them."""
    repeated = Signal(object, object)
    """A KeptGeneration and what came of it this time: Repeated, or a Failure."""
    snapshot_taken = Signal(object)
    failed = Signal(object)
    _answered = Signal(int, object, object)

    def __init__(
        self,
        desk: Desk,
        library: SerialWorker,
        engine: EngineWorker,
        manuscripts: ManuscriptController,
        parent: QObject,
    ) -> None:
        """Work on what ``manuscripts`` has open."""
        super().__init__(parent)
        self._desk = desk
        self._library = library
        self._engine = engine
        self._manuscripts = manuscripts
        self._jobs = JobRunner(self)
        self._job: Job | None = None
        self._repeat = 0
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.timeout.connect(self._on_due)
        self._answered.connect(self._on_answered)
        manuscripts.story_opened.connect(self._on_story_opened)

    # Snapshots

    @Slot()
    def note_change(self) -> None:
        """Hear that the writer writes; a snapshot by rule is due some minutes after the last one."""
        minutes = self._desk.settings.get(SNAPSHOT_MINUTES)
        if minutes and not self._due.isActive():
            self._due.start(minutes * 60_000)

    def take(self, rule: SnapshotRule, name: str = "", *, least_words: int = 0) -> None:
        """Keep what is on the page as a snapshot; by rule only where enough words are others."""
        opened = self._manuscripts.opened
        if opened is None or self._manuscripts.read_only:
            return
        draft_id, page, drafts = opened.draft.id, self._manuscripts.read_page(), self._desk.drafts

        def take() -> Snapshot | None:
            if least_words and drafts.count_changed(draft_id, page.text) < least_words:
                return None
            return drafts.take_snapshot(draft_id, page.text, page.points(), rule, name)

        self._library.submit(take, self._on_taken, self.failed.emit)

    def name_snapshot(self, snapshot_id: int, name: str) -> None:
        """Give a snapshot a name, so that it stays."""
        self._submit(lambda: self._desk.drafts.name_snapshot(snapshot_id, name))

    def drop_snapshot(self, snapshot_id: int) -> None:
        """Delete a snapshot."""
        self._submit(lambda: self._desk.drafts.drop_snapshot(snapshot_id))

    def list_versions(self) -> None:
        """Ask for all versions of the open story."""
        opened = self._manuscripts.opened
        if opened is None:
            return
        story_id = opened.story.id

        def on_listed(shelf: DraftShelf) -> None:
            now = self._manuscripts.opened
            if now is not None and now.story.id == story_id:
                self.versions_changed.emit(shelf)

        self._manuscripts.save_all()
        self._library.submit(lambda: self._desk.drafts.list_versions(story_id), on_listed, self.failed.emit)

    # Comparing and merging

    def compare(self, old: Version | None, new: Version | None) -> None:
        """Compare two versions off this thread; one that is under way is given up. None is the page."""
        self.cancel_comparison()
        page, drafts = self._manuscripts.read_page(), self._desk.drafts

        def read(version: Version | None) -> tuple[str, Runs]:
            if version is None:
                return page.text, page.points() or ()
            held = drafts.load(version)
            return held.text, held.runs

        def work(progress: Progress) -> Compared:
            def is_cancelled() -> bool:
                progress(0, 1)  # raises once it is cancelled
                return False

            return Compared(old, new, drafts.compare(read(old), read(new), is_cancelled))

        self._job = self._jobs.start(work, on_success=self._on_compared, on_failure=self._on_comparing_failed)

    def cancel_comparison(self) -> None:
        """Give up a comparison."""
        if self._job is not None and not self._job.is_over:
            self._job.blockSignals(True)
            self._job.cancel()
            self.comparing_ended.emit()
        self._job = None

    def branch(self, version: Version | None) -> None:
        """Go on in a new draft from a version; from the page's own where none is named."""
        opened = self._manuscripts.opened
        if opened is None:
            return
        if version is None:
            self._manuscripts.keep_draft()
            return
        self._submit_draft(lambda: self._desk.drafts.branch(version))

    def keep_merged(self, base: Version | None, text: str, runs: Runs) -> None:
        """Keep the result of a merge as a new draft and open it."""
        opened, drafts = self._manuscripts.opened, self._desk.drafts
        if opened is None:
            return
        open_draft, story_id = Version(opened.draft.id), opened.story.id

        def keep() -> Draft:
            parent = drafts.load(base) if base is not None else VersionText(open_draft, open_draft.id, story_id, "", ())
            return drafts.add_merged(parent, text, runs)

        self._submit_draft(keep)

    # Generations

    def find_generations(self, words: str) -> None:
        """Ask for the open story's generations that hold all words."""
        opened = self._manuscripts.opened
        if opened is None:
            return
        story_id, drafts = opened.story.id, self._desk.drafts

        def on_found(found: Sequence[KeptGeneration]) -> None:
            self.generations_found.emit(words, found)

        self._library.submit(lambda: drafts.find_generations(story_id, words), on_found, self.failed.emit)

    def repeat(self, kept: KeptGeneration) -> None:
        """Make a generation again in the engine's thread; ``repeated`` tells what came."""
        self._repeat += 1
        self._engine.run_errand(self._make_errand(self._repeat, kept), OWNER)

    def cancel_repeat(self) -> None:
        """Give up making one again."""
        self._repeat += 1
        self._engine.drop_errand(OWNER)

    def close(self) -> None:
        """Give up what is under way."""
        self._due.stop()
        self._repeat += 1
        self._jobs.close()

    def _make_errand(self, number: int, kept: KeptGeneration) -> Callable[[IsCancelled], None]:
        repeater = GenerationRepeater(self._desk.writing, self._desk.new_polishing)

        def work(is_cancelled: IsCancelled) -> None:
            answer: Repeated | Failure
            try:
                answer = repeater.repeat(kept, lambda: is_cancelled() or self._repeat != number)
            except StorydeskError as error:
                if error.failure.code == FailureCode.CANCELLED:
                    if self._repeat == number:
                        raise  # it made way, and begins again
                    return
                answer = error.failure
            except Exception as error:  # noqa: BLE001 - the engine's thread outlives any errand, and the failure is shown
                answer = describe_unexpected(error)
            self._answered.emit(number, kept, answer)

        return work

    @Slot(int, object, object)
    def _on_answered(self, number: int, kept: KeptGeneration, answer: object) -> None:
        if number == self._repeat:
            self.repeated.emit(kept, answer)

    @Slot()
    def _on_due(self) -> None:
        self.take(SnapshotRule.TIME, least_words=max(self._desk.settings.get(SNAPSHOT_WORDS), 1))

    @Slot(object)
    def _on_story_opened(self, _opened: OpenStory | None) -> None:
        self._due.stop()

    def _on_taken(self, snapshot: Snapshot | None) -> None:
        if snapshot is not None:
            self._due.stop()
            self.snapshot_taken.emit(snapshot)

    def _on_compared(self, compared: Compared) -> None:
        self.comparing_ended.emit()
        self.compared.emit(compared)

    def _on_comparing_failed(self, failure: Failure) -> None:
        self.comparing_ended.emit()
        if failure.code != FailureCode.CANCELLED:
            self.failed.emit(failure)

    def _submit(self, call: Callable[[], object]) -> None:
        self._library.submit(call, lambda _done: self.list_versions(), self.failed.emit)

    def _submit_draft(self, call: Callable[[], Draft]) -> None:
        self._manuscripts.save_all()

        def on_added(draft: Draft) -> None:
            self._manuscripts.open_draft(draft.id)

        self._library.submit(call, on_added, self.failed.emit)


def read_open_runs(opened: OpenStory | None) -> Runs:
    """Return the spans of a draft that is being opened, in UTF-16 units."""
    return to_units(opened.draft.text, read_runs(opened.draft)) if opened is not None else ()

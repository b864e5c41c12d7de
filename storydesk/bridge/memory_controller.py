"""Memory and lorebook of the open story, between the window, the library's thread and the engine's."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from storydesk.bridge.engine_worker import EngineWorker
from storydesk.bridge.manuscript_controller import ManuscriptController, OpenStory
from storydesk.bridge.serial_worker import SerialWorker, describe_unexpected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.lorebook_formats import LoreFormat, ReadLorebook
from storydesk.domain.memory import Recollection, StoryMemory
from storydesk.services.desk import Desk
from storydesk.services.memory import MemoryPage
from storydesk.services.ports import IsCancelled
from storydesk.services.writing import Preview

SAVE_MILLISECONDS = 500
ERRAND = "context"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SeenContext:
    """What the model would see, and what was recalled for it."""

    preview: Preview
    recalled: Recollection


class MemoryController(QObject):
    """Holds the open story's memory and lorebook, keeps what is changed, and asks what the model would see. GUI thread.

    Changes hold at once; they are on disk half a second later, or when ``save_now`` was called.
    """

    page_changed = Signal(object)
    """The MemoryPage of the open story: another story's, or with other entries. Not after ``set_memory``."""
    memory_changed = Signal()
    """Memory, note or their numbers were changed by the writer."""
    context_seen = Signal(object)
    """A SeenContext."""
    context_failed = Signal(object)
    imported = Signal(object, int)
    """What a file held (ReadLorebook), and how many of its entries are new here."""
    exported = Signal(object)
    """The Path that was written."""
    failed = Signal(object)
    _seen = Signal(int, object)
    _not_seen = Signal(int, object)

    def __init__(
        self,
        desk: Desk,
        engine: EngineWorker,
        library: SerialWorker,
        manuscripts: ManuscriptController,
        parent: QObject | None = None,
    ) -> None:
        """Follow the story on the page."""
        super().__init__(parent)
        self._desk = desk
        self._engine = engine
        self._library = library
        self._manuscripts = manuscripts
        self._story = 0
        self._loaded = False
        self._asked = 0
        self._unsaved: tuple[int, StoryMemory] | None = None
        self._page = MemoryPage()
        self._save_due = QTimer(self)
        self._save_due.setSingleShot(True)
        self._save_due.setInterval(SAVE_MILLISECONDS)
        self._save_due.timeout.connect(self.save_now)
        manuscripts.story_opened.connect(self._on_story_opened)
        self._seen.connect(self._on_seen)
        self._not_seen.connect(self._on_not_seen)

    @property
    def page(self) -> MemoryPage:
        """Memory and lorebook of the open story."""
        return self._page

    @property
    def can_change(self) -> bool:
        """Whether there is a story whose memory may be changed, and it has been read."""
        return bool(self._story) and self._loaded and not self._manuscripts.read_only

    def recall(self, text: str, prompt: str = "") -> Recollection:
        """Return what the model is reminded of when it goes on after ``text``."""
        return self._page.recall(text, prompt)

    def set_memory(self, memory: StoryMemory) -> None:
        """Change memory, note or their numbers."""
        if not self.can_change or memory == self._page.memory:
            return
        self._page = replace(self._page, memory=memory)
        self._unsaved = (self._story, memory)
        self._save_due.start()
        self.memory_changed.emit()

    @Slot()
    def save_now(self) -> None:
        """Save what was changed; returns before it is on disk."""
        self._save_due.stop()
        if self._unsaved is None:
            return
        (story_id, memory), self._unsaved = self._unsaved, None
        self._library.submit(lambda: self._desk.memory.keep_memory(story_id, memory), None, self.failed.emit)

    # The lorebook

    def keep_entries(self, entries: Sequence[LoreEntry]) -> None:
        """Add entries, or change those that have an id; also brings back one that was deleted."""
        if not self.can_change or not entries:
            return
        story_id = self._story
        known = {entry.id for entry in self._page.entries}
        if all(entry.id in known for entry in entries):
            self._put_in(entries)  # what is only changed needn't wait for the disk
        self._library.submit(
            lambda: self._desk.memory.keep_entries(story_id, entries),
            lambda kept: self._on_kept(story_id, kept),
            self.failed.emit,
        )

    def delete_entries(self, ids: Iterable[int]) -> None:
        """Delete entries; they can be kept again."""
        gone = frozenset(ids)
        if not self.can_change or not gone:
            return
        self._show(tuple(entry for entry in self._page.entries if entry.id not in gone))
        self._library.submit(lambda: self._desk.memory.delete_entries(gone), None, self.failed.emit)

    def switch_entry(self, entry_id: int, *, on: bool) -> None:
        """Switch an entry on or off."""
        self.keep_entries([replace(entry, enabled=on) for entry in self._page.entries if entry.id == entry_id])

    def import_lorebook(self, path: Path) -> None:
        """Add what a file holds to the story's lorebook."""
        if not self.can_change:
            return
        story_id = self._story

        def on_read(answer: tuple[Sequence[LoreEntry], ReadLorebook]) -> None:
            fresh, book = answer
            self._on_kept(story_id, fresh)
            self.imported.emit(book, len(fresh))

        self._library.submit(lambda: self._desk.memory.import_lorebook(story_id, path), on_read, self.failed.emit)

    def export_lorebook(
        self, entries: Sequence[LoreEntry], path: Path, form: LoreFormat, *, overwrite: bool = False
    ) -> None:
        """Write entries as a file."""
        self._library.submit(
            lambda: self._desk.memory.export_lorebook(entries, path, form, overwrite=overwrite),
            lambda _done: self.exported.emit(path),
            self.failed.emit,
        )

    # What the model would see

    def look(self, text: str, prompt: str, words: int) -> None:
        """Ask what the model would see if it went on after ``text``; only the newest question is answered."""
        self._asked += 1
        asked = self._asked
        page = self._page

        def work(_is_cancelled: IsCancelled) -> None:
            if asked != self._asked:
                return
            try:
                recalled = page.recall(text, prompt)
                request = self._desk.writing.request(prompt, text, words=words, seed=0, recalled=recalled)
                self._seen.emit(asked, SeenContext(self._desk.writing.preview(request), recalled))
            except StorydeskError as error:
                if error.failure.code == FailureCode.CANCELLED:
                    raise
                self._not_seen.emit(asked, error.failure)
            except Exception as error:  # noqa: BLE001 - the engine's thread outlives any errand
                _log.exception("the context could not be made")
                self._not_seen.emit(asked, describe_unexpected(error))

        self._engine.run_errand(work, ERRAND)

    @Slot(int, object)
    def _on_seen(self, asked: int, seen: SeenContext) -> None:
        if asked == self._asked:
            self.context_seen.emit(seen)

    @Slot(int, object)
    def _on_not_seen(self, asked: int, failure: Failure) -> None:
        if asked == self._asked:
            self.context_failed.emit(failure)

    @Slot(object)
    def _on_story_opened(self, opened: OpenStory | None) -> None:
        story_id = opened.story.id if opened is not None else 0
        if story_id and story_id == self._story:
            return  # another draft of the same story
        self.save_now()
        self._story, self._loaded = story_id, False
        self._page = MemoryPage()
        self.page_changed.emit(self._page)
        if story_id:
            self._library.submit(
                lambda: self._desk.memory.load(story_id),
                lambda page: self._on_loaded(story_id, page),
                self.failed.emit,
            )

    def _on_loaded(self, story_id: int, page: MemoryPage) -> None:
        if story_id == self._story:
            self._page, self._loaded = page, True
            self.page_changed.emit(page)

    def _on_kept(self, story_id: int, entries: Sequence[LoreEntry]) -> None:
        if story_id == self._story and not set(entries) <= set(self._page.entries):
            known = {entry.id for entry in self._page.entries}
            # What was changed once more meanwhile is newer than what comes back from the disk.
            self._put_in([entry for entry in entries if entry.id not in known])

    def _put_in(self, entries: Sequence[LoreEntry]) -> None:
        by_id = {entry.id: entry for entry in (*self._page.entries, *entries)}
        self._show(tuple(sorted(by_id.values(), key=lambda entry: (entry.title.casefold(), entry.id))))

    def _show(self, entries: tuple[LoreEntry, ...]) -> None:
        self._page = replace(self._page, entries=entries)
        self.page_changed.emit(self._page)

"""The queue of whole stories: one after another in the background, making way for the writer at every word."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from storydesk.bridge.engine_worker import IN_BACKGROUND, EngineWorker
from storydesk.bridge.serial_worker import SerialWorker, describe_unexpected
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import MAXIMUM_SEED
from storydesk.domain.manuscript import Story
from storydesk.domain.settings import QUEUE_PAUSED
from storydesk.domain.whole_story import QueuedStory, StoryState, StoryWish
from storydesk.services.desk import Desk
from storydesk.services.ports import IsCancelled
from storydesk.services.prompts import describe_failure

_log = logging.getLogger(__name__)


class StoryQueue(QObject):
    """Leads one story at a time through the engine's thread and keeps how far each has come. GUI thread.

    What is open goes on after a restart, unless the queue was paused.
    """

    queue_changed = Signal(object)
    """All QueuedStory, in order."""
    story_changed = Signal(object)
    """One QueuedStory that has come further."""
    story_finished = Signal(object, object)
    """The QueuedStory and the Story that it has become."""
    failed = Signal(object)
    all_written = Signal(object)
    """Nothing is left to write: a notice (QUEUE_DONE) of how many stories there are."""
    _advanced = Signal(int, object)
    _broke_off = Signal(int, object, object)

    def __init__(self, desk: Desk, engine: EngineWorker, library: SerialWorker, parent: QObject | None = None) -> None:
        """Begin with an empty queue; ``load`` reads it."""
        super().__init__(parent)
        self._desk = desk
        self._engine = engine
        self._library = library
        self._stories: dict[int, QueuedStory] = {}
        self._run = 0
        self._current = 0
        self._closed = desk.manuscripts.read_only
        self._finishing: set[int] = set()
        self._written = 0
        self._advanced.connect(self._on_advanced)
        self._broke_off.connect(self._on_broke_off)

    @property
    def stories(self) -> tuple[QueuedStory, ...]:
        """The queue in its order."""
        return tuple(self._stories.values())

    @property
    def can_change(self) -> bool:
        """Whether the queue may be led from this window."""
        return not self._closed

    @property
    def paused(self) -> bool:
        """Whether nothing is written until the writer says so."""
        return self._desk.settings.get(QUEUE_PAUSED)

    def load(self) -> None:
        """Read the queue and go on with it."""
        self._library.submit(self._desk.prompts.list_queue, self._on_loaded, self.failed.emit)

    def add(self, wishes: Sequence[StoryWish]) -> None:
        """Put wishes at the queue's end."""
        if not self._closed and wishes:
            self._library.submit(lambda: self._desk.prompts.add_to_queue(wishes), self._on_loaded, self.failed.emit)

    def pause(self) -> None:
        """Stop after the word that is being written; all stays as far as it has come."""
        if self._closed:
            return
        self._desk.settings.set(QUEUE_PAUSED, True)
        self._stop()
        self.queue_changed.emit(self.stories)

    def go_on(self) -> None:
        """Go on after a pause."""
        if self._closed:
            return
        self._desk.settings.set(QUEUE_PAUSED, False)
        self._go_on()
        self.queue_changed.emit(self.stories)

    def cancel(self, ids: Iterable[int]) -> None:
        """Give up stories that are not finished; what came of them stays in the queue."""
        if self._closed:
            return
        wanted = [self._stories[each] for each in ids if each in self._stories]
        for story in wanted:
            if story.is_open and story.id not in self._finishing:
                self._change(replace(story, state=StoryState.CANCELLED))
        self._restart()

    def retry(self, ids: Iterable[int]) -> None:
        """Go on with stories that failed or were given up; write finished ones once more, with another seed."""
        if self._closed:
            return
        again = []
        for story in [self._stories[each] for each in ids if each in self._stories]:
            if story.state in (StoryState.FAILED, StoryState.CANCELLED):
                self._change(replace(story, state=StoryState.WAITING, detail="", tries=0))
            elif story.state is StoryState.DONE:
                again.append(replace(story.wish, seed=(story.wish.seed + 7919) % MAXIMUM_SEED))
        self.add(again)
        self._go_on()

    def remove(self, ids: Iterable[int]) -> None:
        """Take stories out of the queue; those that are finished stay in the library."""
        gone = {each for each in ids if each in self._stories and each not in self._finishing}
        if not gone or self._closed:
            return
        for each in gone:
            del self._stories[each]
        self._library.submit(lambda: self._desk.prompts.remove_queued(gone), None, self.failed.emit)
        self.queue_changed.emit(self.stories)
        self._restart()

    def close(self) -> None:
        """Stop for good; what was written is kept already."""
        self._closed = True
        self._stop()

    def _restart(self) -> None:
        current = self._stories.get(self._current)
        if current is None or not current.is_open:
            self._stop()
            self._go_on()

    def _stop(self) -> None:
        self._run += 1
        self._current = 0
        self._engine.drop_errand(IN_BACKGROUND)

    def _go_on(self) -> None:
        if self._closed or self.paused or self._current:
            return
        story = next((each for each in self._stories.values() if each.is_open and each.id not in self._finishing), None)
        if story is not None:
            self._run += 1
            self._current = story.id
            self._engine.run_errand(self._make_errand(self._run, story), IN_BACKGROUND)

    def _make_errand(self, run: int, story: QueuedStory) -> Callable[[IsCancelled], None]:
        """Return what the engine's thread does for a story; begun again, it goes on where it had to make way."""
        latest = story

        def work(is_cancelled: IsCancelled) -> None:
            nonlocal latest
            try:
                while self._run == run and latest.state is not StoryState.DONE:
                    latest = self._desk.story_writer.advance(latest, lambda: is_cancelled() or self._run != run)
                    self._advanced.emit(run, latest)
            except StorydeskError as error:
                if error.failure.code != FailureCode.CANCELLED:
                    self._broke_off.emit(run, latest, error.failure)
                elif self._run == run:
                    raise  # it made way, and begins again
            except Exception as error:  # noqa: BLE001 - the engine's thread outlives any errand, and the failure is shown
                _log.exception("writing a whole story failed")
                self._broke_off.emit(run, latest, describe_unexpected(error))

        return work

    def _change(self, story: QueuedStory) -> None:
        self._stories[story.id] = story
        self._library.submit(lambda: self._desk.prompts.keep_queued(story), None, self._on_not_kept)
        self.story_changed.emit(story)

    def _on_loaded(self, stories: Sequence[QueuedStory]) -> None:
        self._stories |= {story.id: story for story in stories}
        self.queue_changed.emit(self.stories)
        self._go_on()

    def _on_not_kept(self, failure: Failure) -> None:
        """A full disk: writing on would be for nothing, so wait for the writer."""
        self.failed.emit(failure)
        if not self.paused and not self._closed:
            self._stop()
            self._desk.settings.set(QUEUE_PAUSED, True)
            self.queue_changed.emit(self.stories)

    @Slot(int, object)
    def _on_advanced(self, run: int, story: QueuedStory) -> None:
        if run != self._run or story.id not in self._stories:
            return
        if story.state is not StoryState.DONE:
            self._change(story)
            return
        self._current = 0
        self._finishing.add(story.id)
        self._stories[story.id] = replace(story, state=StoryState.WRITING)
        self._library.submit(
            lambda: self._desk.prompts.finish(story),
            self._on_finished,
            lambda failure: self._on_unfinished(story, failure),
        )
        self._go_on()

    def _on_finished(self, answer: tuple[QueuedStory, Story]) -> None:
        queued, story = answer
        self._finishing.discard(queued.id)
        self._stories[queued.id] = queued
        self.story_changed.emit(queued)
        self.story_finished.emit(queued, story)
        self._written += 1
        self._tell_when_done()
        self._go_on()

    def _tell_when_done(self) -> None:
        if self._written and not any(each.is_open for each in self._stories.values()):
            count, self._written = self._written, 0
            self.all_written.emit(Failure(FailureCode.QUEUE_DONE, {"count": count}))

    def _on_unfinished(self, story: QueuedStory, failure: Failure) -> None:
        self._finishing.discard(story.id)
        self._fail(story, failure)

    @Slot(int, object, object)
    def _on_broke_off(self, run: int, story: QueuedStory, failure: Failure) -> None:
        if run == self._run and story.id in self._stories:
            self._current = 0
            self._fail(story, failure)
            self._go_on()

    def _fail(self, story: QueuedStory, failure: Failure) -> None:
        self._change(replace(story, state=StoryState.FAILED, detail=describe_failure(failure)))
        self.failed.emit(failure)
        self._tell_when_done()

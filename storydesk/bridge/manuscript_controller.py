"""The open story and the library around it, between the window and the library's thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from storydesk.bridge.authorship_form import PageText
from storydesk.bridge.autosave import Autosave
from storydesk.bridge.safety_net import SafetyNet
from storydesk.bridge.serial_worker import SerialWorker
from storydesk.domain.authorship import Runs
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.manuscript import Draft, Story
from storydesk.domain.settings import DAILY_GOAL, GOAL_PROGRESS, LAST_STORY
from storydesk.domain.word_goal import Tally, WordGoal
from storydesk.services.desk import Desk
from storydesk.services.rescue import RescueFolder

CARD_MILLISECONDS = 500


@dataclass(frozen=True, slots=True)
class OpenStory:
    """What is on the page: the story's card, the draft with its text, and all drafts as (id, name), newest first."""

    story: Story
    draft: Draft
    drafts: tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What the library shows."""

    stories: tuple[Story, ...]
    trash: tuple[Story, ...]
    searched: str


class ManuscriptController(QObject):
    """Opens, keeps and changes stories. GUI thread; the library is touched in its own."""

    story_opened = Signal(object)
    """An OpenStory, or None when the library is empty."""
    shelf_changed = Signal(object)
    drafts_changed = Signal(object)
    """The OpenStory again, with other drafts or another card and the same text."""
    trashed = Signal(object)
    """The Story that was just put into the trash."""
    failed = Signal(object)
    something_lost = Signal(object)
    """What an imported document held that a story has no place for, as a Failure, once for each kind."""

    def __init__(self, desk: Desk, worker: SerialWorker, read_text: Callable[[], str], parent: QObject) -> None:
        """``read_text`` gives the text on the page."""
        super().__init__(parent)
        self._desk = desk
        self._worker = worker
        self._read_text = read_text
        self.read_only = desk.manuscripts.read_only
        self.opened: OpenStory | None = None
        self._read_runs: Callable[[], Runs] = lambda: ()
        self.autosave = Autosave(worker, self._save, self.read_page, self)
        self.autosave.failed.connect(self.failed)
        self._rescue = RescueFolder.beside(desk.home)
        self.net = SafetyNet(self.autosave, self._rescue, self._read_at_risk, self)
        self._card: dict[int, tuple[str | None, str | None]] = {}
        self._card_due = QTimer(self)
        self._card_due.setSingleShot(True)
        self._card_due.setInterval(CARD_MILLISECONDS)
        self._card_due.timeout.connect(self._on_card_due)
        self._searched = ""
        self._goal = WordGoal(desk.settings.get(GOAL_PROGRESS), _today())

    def watch_runs(self, read_runs: Callable[[], Runs]) -> None:
        """Take the text's spans (UTF-16 units) from here; called in the GUI thread only."""
        self._read_runs = read_runs

    def read_page(self) -> PageText:
        """Return the text on the page with its spans."""
        return PageText(self._read_text(), self._read_runs())

    def _save(self, draft_id: int, page: PageText) -> None:
        """Save in the library's thread."""
        self._desk.manuscripts.save_draft(draft_id, page.text, page.points())

    def _read_at_risk(self) -> tuple[int, str]:
        return (self.opened.draft.id, self._read_text()) if self.opened is not None else (0, "")

    def _take_in_rescued(self) -> None:
        """Make drafts of what could not be saved last time; what was typed then is never lost to what is there now."""
        if self.read_only:
            return
        for rescued in self._rescue.list_rescued():
            manuscripts = self._desk.manuscripts
            try:
                draft = manuscripts.load_draft(rescued.draft_id)
                if draft.text != rescued.text:
                    manuscripts.keep_draft(draft.story_id, rescued.text)
                    self._desk.settings.set(LAST_STORY, draft.story_id)
                    self.something_lost.emit(Failure(str(FailureCode.TEXT_RESCUED)))
            except StorydeskError as error:
                if error.failure.code != FailureCode.STORY_NOT_FOUND:
                    raise
                manuscripts.add_story("", "", rescued.text)
                self.something_lost.emit(Failure(str(FailureCode.TEXT_RESCUED)))
            self._rescue.forget(rescued.draft_id)

    def open_first(self) -> None:
        """Open the story of the last time before the window is painted; the only reading in the GUI thread."""
        try:
            self._take_in_rescued()
            manuscripts = self._desk.manuscripts
            stories = tuple(manuscripts.list_stories())
            last = self._desk.settings.get(LAST_STORY)
            chosen = next((story for story in stories if story.id == last), stories[0] if stories else None)
            opened = self._load(chosen) if chosen is not None else None
            shelf = Shelf(stories, tuple(manuscripts.list_stories(trash=True)), "")
        except StorydeskError as error:
            self.failed.emit(error.failure)
            return
        self.shelf_changed.emit(shelf)
        self._on_loaded(opened)

    def open_story(self, story_id: int, draft_id: int = 0) -> None:
        """Put a story's newest draft on the page, or one of its drafts."""
        if self.opened is not None and self.opened.story.id == story_id:
            if draft_id:
                self.open_draft(draft_id)
            return
        self.save_all()

        def load() -> OpenStory:
            opened = self._load(self._find(story_id))
            if draft_id and draft_id != opened.draft.id:
                return replace(opened, draft=self._desk.manuscripts.load_draft(draft_id))
            return opened

        self._worker.submit(load, self._on_loaded, self.failed.emit)

    def leave(self) -> None:
        """Save, and take the story off the page; nothing more is saved until one is opened."""
        self.save_all()
        self._on_loaded(None)

    def open_again(self, story_id: int = 0) -> None:
        """Open a story, or the newest one, of a library that is another one now."""
        self._searched = ""

        def load() -> OpenStory | None:
            stories = self._desk.manuscripts.list_stories()
            chosen = next((story for story in stories if story.id == story_id), stories[0] if stories else None)
            return self._load(chosen) if chosen is not None else None

        self._worker.submit(load, self._on_loaded, self.failed.emit)
        self.refresh()

    def open_draft(self, draft_id: int) -> None:
        """Put another draft of the open story on the page."""
        if self.opened is None or self.opened.draft.id == draft_id:
            return
        self.save_all()
        opened = self.opened

        def load() -> OpenStory:
            draft = self._desk.manuscripts.load_draft(draft_id)
            return replace(opened, draft=draft, drafts=self._list_drafts(opened.story.id))

        self._worker.submit(load, self._on_loaded, self.failed.emit)

    def add_story(self, title: str = "", prompt: str = "", text: str = "") -> None:
        """Begin a new story and open it."""
        self.save_all()

        def add() -> OpenStory:
            return self._load(self._desk.manuscripts.add_story(title, prompt, text))

        self._worker.submit(add, self._on_added, self.failed.emit)

    def import_document(self, path: Path) -> None:
        """Read a document into a new story and open it."""
        self.save_all()

        def read() -> tuple[OpenStory, Sequence[Failure]]:
            story, lost = self._desk.manuscripts.import_document(path)
            return self._load(story), lost

        def on_read(answer: tuple[OpenStory, Sequence[Failure]]) -> None:
            opened, lost = answer
            self._on_added(opened)
            for loss in lost:
                self.something_lost.emit(loss)

        self._worker.submit(read, on_read, self.failed.emit)

    def keep_draft(self) -> None:
        """Leave the draft as it is now and go on in a copy, which becomes the newest draft."""
        if self.opened is None:
            return
        self.save_all()
        story, page, parent = self.opened.story, self.read_page(), self.opened.draft.id
        text = page.text

        def keep() -> OpenStory:
            draft = self._desk.manuscripts.keep_draft(story.id, text, runs=page.points(), parent_id=parent)
            return OpenStory(story, draft, self._list_drafts(story.id))

        def on_kept(kept: OpenStory) -> None:
            if self.opened is None or self.opened.story.id != story.id:
                return
            changed_meanwhile = self._read_text() != text
            self.opened = replace(kept, story=self.opened.story)
            self.autosave.begin(kept.draft.id)
            if changed_meanwhile:
                self.autosave.note_change()
            self.drafts_changed.emit(self.opened)

        self._worker.submit(keep, on_kept, self.failed.emit)

    def rename(self, title: str) -> None:
        """Give the open story another title, soon."""
        if self.opened is None or self.opened.story.title == title.strip():
            return
        self._change_card(title=title.strip())

    def set_prompt(self, prompt: str) -> None:
        """Keep the open story's prompt, soon."""
        if self.opened is None or self.opened.story.prompt == prompt:
            return
        self._change_card(prompt=prompt)

    def trash_story(self, story_id: int) -> None:
        """Put a story into the trash; another one is opened where it was on the page."""
        self.save_all()

        def trash() -> Story:
            story = self._find(story_id)
            self._desk.manuscripts.trash_story(story_id)
            return story

        def on_trashed(story: Story) -> None:
            self.trashed.emit(story)
            self.refresh()
            if self.opened is not None and self.opened.story.id == story_id:
                self.opened = None
                self.autosave.begin(0)
                self._worker.submit(self._load_newest, self._on_loaded, self.failed.emit)

        self._worker.submit(trash, on_trashed, self.failed.emit)

    def restore_story(self, story_id: int) -> None:
        """Take a story out of the trash and open it."""
        self.save_all()

        def restore() -> OpenStory:
            self._desk.manuscripts.restore_story(story_id)
            return self._load(self._find(story_id))

        self._worker.submit(restore, self._on_added, self.failed.emit)

    def delete_story(self, story_id: int) -> None:
        """Delete a story of the trash for good."""
        self._worker.submit(
            lambda: self._desk.manuscripts.delete_story(story_id), lambda _done: self.refresh(), self.failed.emit
        )

    def search(self, words: str) -> None:
        """Show only stories that hold all these words."""
        self._searched = words.strip()
        self.refresh()

    def refresh(self) -> None:
        """Read the shelf again."""
        words = self._searched

        def read() -> Shelf:
            manuscripts = self._desk.manuscripts
            return Shelf(
                tuple(manuscripts.list_stories(words)), tuple(manuscripts.list_stories(words, trash=True)), words
            )

        def on_read(shelf: Shelf) -> None:
            if shelf.searched == self._searched:
                self.shelf_changed.emit(shelf)

        self._worker.submit(read, on_read, self.failed.emit)

    def learn_word(self, word: str, on_done: Callable[[object], None]) -> None:
        """Put a word into the writer's own dictionary."""
        self._worker.submit(lambda: self._desk.library.add_to_dictionary(word), on_done, self.failed.emit)

    def note_words(self, words: int) -> Tally:
        """Hear how many words the draft has; return what was written today and in this session."""
        return self._goal.note(words, _today(), self._desk.settings.get(DAILY_GOAL))

    def begin_count(self, words: int) -> None:
        """Count from here: what is on the page was there before."""
        self._goal.begin(words)
        self.settle_count(words)

    def settle_count(self, words: int) -> None:
        """Keep the day's sum with what was written on this page."""
        self.note_words(words)
        if self.read_only:
            return
        kept = self._goal.keep()
        if kept != self._desk.settings.get(GOAL_PROGRESS):
            self._worker.submit(lambda: self._desk.settings.set(GOAL_PROGRESS, kept), None, self.failed.emit)

    def save_all(self) -> None:
        """Save text and card at once; returns before they are on disk."""
        self.autosave.save_now()
        if self._card:
            self._card_due.stop()
            self._on_card_due()

    def _change_card(self, *, title: str | None = None, prompt: str | None = None) -> None:
        assert self.opened is not None
        story = self.opened.story
        old_title, old_prompt = self._card.get(story.id, (None, None))
        self._card[story.id] = (old_title if title is None else title, old_prompt if prompt is None else prompt)
        changed = replace(
            story, title=story.title if title is None else title, prompt=story.prompt if prompt is None else prompt
        )
        self.opened = replace(self.opened, story=changed)
        self._card_due.start()

    @Slot()
    def _on_card_due(self) -> None:
        cards, self._card = self._card, {}
        for story_id, (title, prompt) in cards.items():
            if title is not None:
                self._worker.submit(
                    partial(self._desk.manuscripts.rename_story, story_id, title),
                    lambda _story: self.refresh(),
                    self.failed.emit,
                )
            if prompt is not None:
                self._worker.submit(
                    partial(self._desk.manuscripts.set_prompt, story_id, prompt),
                    None,
                    self.failed.emit,
                )

    def _find(self, story_id: int) -> Story:
        for story in self._desk.manuscripts.list_stories():
            if story.id == story_id:
                return story
        raise StorydeskError(FailureCode.STORY_NOT_FOUND, name=str(story_id))

    def _load(self, story: Story) -> OpenStory:
        draft = self._desk.manuscripts.open_story(story.id)
        if not self.read_only:
            self._desk.settings.set(LAST_STORY, story.id)
        return OpenStory(story, draft, self._list_drafts(story.id))

    def _load_newest(self) -> OpenStory | None:
        stories: Sequence[Story] = self._desk.manuscripts.list_stories()
        return self._load(stories[0]) if stories else None

    def _list_drafts(self, story_id: int) -> tuple[tuple[int, str], ...]:
        return tuple((draft.id, draft.name) for draft in self._desk.manuscripts.list_drafts(story_id))

    def _on_added(self, opened: OpenStory) -> None:
        self._searched = ""
        self._on_loaded(opened)
        self.refresh()

    def _on_loaded(self, opened: OpenStory | None) -> None:
        self.save_all()  # what was typed while the other one was read
        self.opened = opened
        self.autosave.begin(opened.draft.id if opened is not None and not self.read_only else 0)
        self.story_opened.emit(opened)


def _today() -> str:
    return time.strftime("%Y-%m-%d")

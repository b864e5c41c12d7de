"""Everything that works behind one window, joined: the library's thread, the engine's, the grammar's."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from storydesk.bridge.draft_controller import DraftController
from storydesk.bridge.draft_score import ScoreState
from storydesk.bridge.engine_worker import EngineState, EngineWorker, ScoreReady
from storydesk.bridge.generation_keeper import GenerationKeeper
from storydesk.bridge.grammar_worker import CheckedStory, GrammarWorker
from storydesk.bridge.insight_worker import InsightWorker
from storydesk.bridge.manuscript_controller import ManuscriptController, OpenStory
from storydesk.bridge.memory_controller import MemoryController
from storydesk.bridge.polish_controller import PolishController
from storydesk.bridge.prompt_shelf import PromptShelf
from storydesk.bridge.serial_worker import SerialWorker
from storydesk.bridge.story_queue import StoryQueue
from storydesk.bridge.writing_controller import WritingController
from storydesk.domain.polishing import PolishSettings
from storydesk.domain.settings import GRAMMAR_LIVE
from storydesk.services.desk import Desk

SCORE_PAUSE_MILLISECONDS = 600
GRAMMAR_PAUSE_MILLISECONDS = 500
JOIN_SECONDS = 20.0


class Workroom(QObject):
    """Owns the threads of one window and says when to look at the text again. GUI thread."""

    polish_settings_changed = Signal(object)
    """The PolishSettings of the story that was opened."""
    score_changed = Signal(object)
    """A DraftScore of the text as it is; None where there is nothing to score or it is not known yet."""
    score_state_changed = Signal(object)
    """The ScoreState of what ``score_changed`` said last."""

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        """Make everything; nothing runs before ``start_library`` and ``start_engines``."""
        super().__init__(parent)
        self.desk = desk
        self.revision = 0
        self._read_page: Callable[[], str] = str
        self._read_place: Callable[[], int] = int
        self._score_state = ScoreState.UNKNOWN
        self._running = False
        self._names: tuple[str, ...] = ()
        self.polish_settings = PolishSettings()
        self.library = SerialWorker("library", self)
        self.engine = EngineWorker(desk, self)
        self.grammar = GrammarWorker(desk, self)
        self.insight = InsightWorker(desk.insight, self)
        self.polisher = PolishController(desk, self.grammar, self.engine, self)
        self.manuscripts = ManuscriptController(desk, self.library, self.read_page, self)
        self.writing = WritingController(desk, self.engine, self.library, self)
        self.keeper = GenerationKeeper(desk, self.library, self.manuscripts, self.writing, self)
        self.drafts = DraftController(desk, self.library, self.engine, self.manuscripts, self)
        self.shelf = PromptShelf(desk, self.library, self)
        self.queue = StoryQueue(desk, self.engine, self.library, self)
        self.memory = MemoryController(desk, self.engine, self.library, self.manuscripts, self)
        self._score_due = self._make_timer(SCORE_PAUSE_MILLISECONDS, self._on_score_due)
        self._grammar_due = self._make_timer(GRAMMAR_PAUSE_MILLISECONDS, self._on_grammar_due)
        self.manuscripts.story_opened.connect(self._read_polish_settings)
        self.memory.page_changed.connect(self._on_memory_changed)
        self.queue.story_finished.connect(lambda _queued, _story: self.manuscripts.refresh())
        self.engine.score_ready.connect(self._on_score_ready)
        self.engine.score_grown.connect(self._on_score_ready)
        self.engine.score_failed.connect(self._on_score_failed)
        self.engine.engine_ready.connect(self._on_engine_ready)

    def watch_page(self, read_page: Callable[[], str]) -> None:
        """Take the text from here; called in the GUI thread only."""
        self._read_page = read_page

    def watch_place(self, read_place: Callable[[], int]) -> None:
        """Ask here where the writer is; the score begins there."""
        self._read_place = read_place

    def read_place(self) -> int:
        """Return about where on the page the writer is."""
        return self._read_place()

    def read_page(self) -> str:
        """Return the text on the page."""
        return self._read_page()

    def start_library(self) -> None:
        """Start what the first paint needs."""
        self.library.start()

    def start_engines(self) -> None:
        """Start what loads slowly; call it after the first paint."""
        if self._running:
            return
        self._running = True
        self.engine.start()
        self.grammar.start()
        self.queue.load()
        self.look_again()

    def note_change(self) -> None:
        """Hear that the writer changed the text."""
        self.revision += 1
        self.manuscripts.autosave.note_change()
        self.drafts.note_change()
        self._set_score_state(ScoreState.STALE)
        self._score_due.start(SCORE_PAUSE_MILLISECONDS)
        self._grammar_due.start(GRAMMAR_PAUSE_MILLISECONDS)

    def note_prompt_change(self) -> None:
        """Hear that the story answers another prompt."""
        self._score_due.start(SCORE_PAUSE_MILLISECONDS)

    def note_replaced(self) -> None:
        """Hear that another text is on the page."""
        self.revision += 1
        self.score_changed.emit(None)
        self._set_score_state(ScoreState.UNKNOWN)
        self.look_again()

    def look_again(self) -> None:
        """Score and check at once what is on the page."""
        self._score_due.start(0)
        self._grammar_due.start(0)

    def polish(self) -> None:
        """Let every grammar checker read the whole text, and the model order what they suggest; a plan comes out."""
        self.polisher.start(self.revision, self.read_page(), self.checked_story())

    def checked_story(self) -> CheckedStory:
        """Return how the open story is polished, and the names in its title and its lorebook."""
        opened = self.manuscripts.opened
        title = (opened.story.title,) if opened else ()
        return CheckedStory(self.polish_settings, (*title, *self.memory.page.names))

    def change_polish_settings(self, settings: PolishSettings) -> None:
        """Keep how the open story is polished, and check it again."""
        self.polish_settings = settings
        opened = self.manuscripts.opened
        if opened is not None and not self.manuscripts.read_only:
            story_id = opened.story.id
            self.library.submit(
                lambda: self.desk.manuscripts.keep_polish_settings(story_id, settings),
                lambda _done: None,
                self.manuscripts.failed.emit,
            )
        self._grammar_due.start(0)

    def _read_polish_settings(self, opened: OpenStory | None) -> None:
        """Ask for the settings of another story; until they come the usual ones hold."""
        self.polish_settings = PolishSettings()
        if opened is None:
            return
        story_id = opened.story.id

        def on_read(settings: object) -> None:
            now = self.manuscripts.opened
            if isinstance(settings, PolishSettings) and now is not None and now.story.id == story_id:
                self.polish_settings = settings
                self.polish_settings_changed.emit(settings)
                self._grammar_due.start(0)

        self.library.submit(
            lambda: self.desk.manuscripts.polish_settings(story_id), on_read, self.manuscripts.failed.emit
        )

    def close(self) -> list[str]:
        """Save, end all threads and close the desk; return the texts that could not be saved."""
        self._score_due.stop()
        self._grammar_due.stop()
        self.manuscripts.save_all()
        self.memory.save_now()
        self.queue.close()
        self.drafts.close()
        self.engine.close(0)  # begins to end while the text is being saved
        self.grammar.close(0)
        self.insight.close(0)
        saved = self.manuscripts.autosave.flush()
        self.manuscripts.net.close()
        unsaved = [] if saved else self.manuscripts.autosave.unsaved_texts()
        ended = [self.engine.close(JOIN_SECONDS), self.grammar.close(JOIN_SECONDS), self.library.close()]
        ended.append(self.insight.close(JOIN_SECONDS))
        if all(ended):
            self.desk.close()
        return unsaved

    @Slot()
    def _on_score_due(self) -> None:
        if self._running:
            opened: OpenStory | None = self.manuscripts.opened
            prompt = opened.story.prompt if opened else ""
            self.engine.score(self.revision, self.read_page(), prompt, self.read_place())
            self._set_score_state(ScoreState.WORKING)

    @Slot()
    def _on_grammar_due(self) -> None:
        if self._running and self.desk.settings.get(GRAMMAR_LIVE):
            self.grammar.check(self.revision, self.read_page(), self.checked_story())

    @Slot(object)
    def _on_memory_changed(self, _page: object) -> None:
        names = self.memory.page.names
        if names != self._names:  # a name that is known now is no slip any more
            self._names = names
            self._grammar_due.start(0)

    @Slot(object)
    def _on_score_ready(self, event: ScoreReady) -> None:
        if event.revision == self.revision:
            self.score_changed.emit(event.score)
            whole = event.score is None or event.score.known == 1.0
            self._set_score_state(ScoreState.CURRENT if whole else ScoreState.WORKING)

    @Slot(object)
    def _on_score_failed(self, _failure: object) -> None:
        self._set_score_state(ScoreState.UNKNOWN)

    def _set_score_state(self, state: ScoreState) -> None:
        if state is not self._score_state:
            self._score_state = state
            self.score_state_changed.emit(state)

    @Slot(object)
    def _on_engine_ready(self, _state: EngineState) -> None:
        self._score_due.start(0)  # another model is surprised by other things

    def _make_timer(self, milliseconds: int, slot: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(slot)
        return timer

"""Memory in the window: joins the tab, the lorebook's page and what is written with the story's memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QStackedWidget

from storydesk.bridge.manuscript_controller import OpenStory
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import Failure
from storydesk.domain.prompting import Part
from storydesk.services.memory import MemoryPage
from storydesk.ui.assistant.write_panel import WritePanel
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.memory.memory_panel import MemoryPanel
from storydesk.ui.window_timers import make_single_shot

if TYPE_CHECKING:
    from storydesk.ui.memory.lorebook_page import LorebookPage

LOOK_MILLISECONDS = 300


class StoryMemory(QObject):
    """Owns the Memory tab and the lorebook's page. GUI thread."""

    def __init__(
        self,
        workroom: Workroom,
        page: PageEdit,
        write: WritePanel,
        pages: QStackedWidget,
        phrases: Phrases,
        show_writing: Callable[[], object],
        go_to_prompt: Callable[[], object],
    ) -> None:
        """``pages`` are the window's; the lorebook becomes one of them when it is first wanted."""
        super().__init__(pages)
        self._workroom = workroom
        self._controller = workroom.memory
        self._page = page
        self._write = write
        self._pages = pages
        self._phrases = phrases
        self._show_writing = show_writing
        self._go_to_prompt = go_to_prompt
        self._lorebook: LorebookPage | None = None
        self.panel = MemoryPanel(editable=not workroom.manuscripts.read_only)
        self._look_due = make_single_shot(self, LOOK_MILLISECONDS, self._look)
        self.panel.memory_edited.connect(self._controller.set_memory)
        self.panel.lorebook_wanted.connect(self.show_lorebook)
        self.panel.shown.connect(self._look)
        self.panel.context.entry_wanted.connect(self.show_entry)
        self.panel.context.switch_off_wanted.connect(lambda number: self._controller.switch_entry(number, on=False))
        self.panel.context.part_wanted.connect(self._on_part_wanted)
        self._controller.page_changed.connect(self._on_page_changed)
        self._controller.memory_changed.connect(self._look_soon)
        self._controller.context_seen.connect(self.panel.context.show_context)
        self._controller.context_failed.connect(self._on_context_failed)
        page.edited.connect(self._look_soon)
        page.cursorPositionChanged.connect(self._look_soon)
        write.prompt_changed.connect(self._look_soon)
        workroom.engine.engine_ready.connect(self._look_soon)
        workroom.manuscripts.story_opened.connect(self._on_story_opened)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions do."""
        return {"lorebook": self.show_lorebook}

    @property
    def lorebook(self) -> LorebookPage:
        """The lorebook's page."""
        if self._lorebook is None:
            from storydesk.ui.memory.lorebook_page import LorebookPage

            self._lorebook = LorebookPage(self._controller, self._pages)
            self._lorebook.leave_wanted.connect(self._on_leave_wanted)
            self._pages.addWidget(self._lorebook)
        return self._lorebook

    @Slot()
    def show_lorebook(self) -> None:
        """Turn to the lorebook."""
        opened = self._workroom.manuscripts.opened
        if opened is None:
            return
        self.lorebook.title = opened.story.title
        self._pages.setCurrentWidget(self.lorebook)
        self.lorebook.search.setFocus()

    @Slot(int)
    def show_entry(self, entry_id: int) -> None:
        """Turn to one entry of the lorebook."""
        self.show_lorebook()
        self.lorebook.choose(entry_id)

    def flush(self) -> None:
        """Keep what was changed a moment ago; call it before the window closes."""
        if self._lorebook is not None:
            self._lorebook.flush()

    @Slot()
    def _look_soon(self) -> None:
        if self.panel.isVisible() and not self._look_due.isActive():
            self._look_due.start()

    @Slot()
    def _look(self) -> None:
        """Ask what the model would see; the answer comes from the engine's thread."""
        if self._workroom.manuscripts.opened is not None and self.panel.isVisible():
            prompt = self._write.prompt.toPlainText()
            self._controller.look(self._page.text_before_cursor(), prompt, self._write.words)

    @Slot(object)
    def _on_part_wanted(self, part: Part) -> None:
        if part is Part.PROMPT:
            self._go_to_prompt()
            return
        fields = {Part.MEMORY: self.panel.memory, Part.NOTE: self.panel.note}
        fields.get(part, self._page).setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(object)
    def _on_page_changed(self, page: MemoryPage) -> None:
        self.panel.show_page(page)
        self.panel.set_editable(self._controller.can_change)
        self._look_soon()

    @Slot(object)
    def _on_context_failed(self, failure: Failure) -> None:
        self.panel.context.say(" ".join(part for part in self._phrases.say(failure) if part))

    @Slot(object)
    def _on_story_opened(self, _opened: OpenStory | None) -> None:
        if self._lorebook is not None and self._pages.currentWidget() is self._lorebook:
            self._on_leave_wanted()
        self._look_soon()

    @Slot()
    def _on_leave_wanted(self) -> None:
        self.flush()
        self._show_writing()

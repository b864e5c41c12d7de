"""Prompts in the window: opens their page and puts the story's own prompt on the shelf."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QStackedWidget

from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.domain.generation import SamplingSettings
from storydesk.domain.prompt_shelf import ShelfPrompt

if TYPE_CHECKING:
    from storydesk.ui.prompts.prompts_page import PromptsPage


class PromptDesk(QObject):
    """Owns the prompts' page. GUI thread."""

    def __init__(
        self,
        workroom: Workroom,
        pages: QStackedWidget,
        phrases: Phrases,
        sampling: Callable[[], SamplingSettings],
        show_writing: Callable[[], object],
    ) -> None:
        """``pages`` are the window's; the prompts become one of them when they are first wanted."""
        super().__init__(pages)
        self._workroom = workroom
        self._pages = pages
        self._phrases = phrases
        self._sampling = sampling
        self._show_writing = show_writing
        self._page: PromptsPage | None = None

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions do."""
        return {"prompts": self.show_prompts, "keep_prompt": self.keep_prompt}

    @property
    def page(self) -> PromptsPage:
        """The prompts' page."""
        if self._page is None:
            from storydesk.ui.prompts.prompts_page import PromptsPage

            self._page = PromptsPage(self._workroom, self._phrases, self._sampling, self._pages)
            self._page.leave_wanted.connect(self._on_leave_wanted)
            self._page.story_wanted.connect(self._on_story_wanted)
            self._pages.addWidget(self._page)
        return self._page

    @Slot()
    def show_prompts(self) -> None:
        """Turn to the prompts."""
        self.page.refresh()
        self._pages.setCurrentWidget(self.page)
        self.page.search.setFocus()

    @Slot()
    def keep_prompt(self) -> None:
        """Put the open story's prompt on the shelf, once."""
        opened = self._workroom.manuscripts.opened
        if opened is None or not opened.story.prompt.strip():
            return
        text = opened.story.prompt.strip()
        self.page  # noqa: B018 - the page reads the shelf, which has to be known before something is added
        if not any(prompt.text.strip() == text and not prompt.in_trash for prompt in self._workroom.shelf.prompts):
            self._workroom.shelf.keep([ShelfPrompt(0, text)])
        self.show_prompts()

    def flush(self) -> None:
        """Keep what was changed a moment ago; call it before the window closes."""
        if self._page is not None:
            self._page.flush()

    @Slot()
    def _on_leave_wanted(self) -> None:
        self.flush()
        self._show_writing()

    @Slot(int)
    def _on_story_wanted(self, story_id: int) -> None:
        self._on_leave_wanted()
        self._workroom.manuscripts.open_story(story_id)

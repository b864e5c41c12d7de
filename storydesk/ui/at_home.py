"""What makes the window a place to be at home in: keys, palette, tour, and finding things as they were left."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from storydesk.bridge.manuscript_controller import OpenStory
from storydesk.bridge.workroom import Workroom
from storydesk.domain.manuscript import Story
from storydesk.domain.settings import TOUR_SEEN
from storydesk.ui.empty_page import sample_prompt
from storydesk.ui.palette import CommandPalette
from storydesk.ui.sentences import say_untitled
from storydesk.ui.shortcuts import Shortcuts
from storydesk.ui.tour_card import TourCard


class AtHome(QObject):
    """Owns the palette and the tour. GUI thread."""

    sample_wanted = Signal(str)
    """The writer wants to see the model answer this prompt."""

    def __init__(
        self, workroom: Workroom, actions: Mapping[str, QAction], shortcuts: Shortcuts, window: QWidget
    ) -> None:
        """Make both, hidden."""
        super().__init__(window)
        self._workroom = workroom
        self.palette = CommandPalette(actions, shortcuts, workroom.desk.settings, window)
        self.palette.titles_wanted.connect(self._on_titles_wanted)
        self.palette.story_wanted.connect(workroom.manuscripts.open_story)
        self.tour = TourCard(actions, window)
        self.tour.left.connect(self._on_tour_left)
        self.tour.sample_wanted.connect(lambda: self.sample_wanted.emit(sample_prompt()))
        workroom.manuscripts.story_opened.connect(self._on_story_opened)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of this corner do."""
        return {"palette": self.palette.open, "show_tour": self.tour.open}

    def greet(self) -> None:
        """Offer the tour to somebody who is here for the first time."""
        new = self._workroom.manuscripts.opened is None and not self._workroom.manuscripts.read_only
        if new and not self._workroom.desk.settings.get(TOUR_SEEN):
            self.tour.open()

    @Slot()
    def _on_tour_left(self) -> None:
        if not self._workroom.manuscripts.read_only:
            self._workroom.desk.settings.set(TOUR_SEEN, True)

    @Slot(object)
    def _on_story_opened(self, opened: OpenStory | None) -> None:
        if opened is not None:
            self.tour.leave()

    @Slot()
    def _on_titles_wanted(self) -> None:
        manuscripts = self._workroom.desk.manuscripts

        def on_read(stories: list[Story]) -> None:
            self.palette.offer_titles([(story.id, story.title or say_untitled()) for story in stories])

        self._workroom.library.submit(lambda: list(manuscripts.list_stories()), on_read)

"""Judging as the window knows it: opens its page when it is first wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QStackedWidget

from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.ui.theme import page_font

if TYPE_CHECKING:
    from storydesk.bridge.judging_controller import JudgingController
    from storydesk.bridge.tuning_controller import TuningController
    from storydesk.ui.judging.judging_page import JudgingPage


class JudgingRoom(QObject):
    """Owns the page of judging. GUI thread."""

    settings_wanted = Signal(object, str)
    """Settings that the writer wants to write on with, by name, and what a preset of them is called."""
    settings_given_back = Signal()
    """The writer wants to write as before."""

    def __init__(
        self,
        workroom: Workroom,
        pages: QStackedWidget,
        phrases: Phrases,
        show_writing: Callable[[], object],
        find_tuning: Callable[[], TuningController],
    ) -> None:
        """``pages`` are the window's; judging becomes one of them when it is first wanted.

        ``find_tuning`` returns what runs the window's tunings, one at a time.
        """
        super().__init__(pages)
        self._workroom = workroom
        self._pages = pages
        self._phrases = phrases
        self._show_writing = show_writing
        self._find_tuning = find_tuning
        self._controller: JudgingController | None = None
        self._page: JudgingPage | None = None

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the action does."""
        return {"judge": self.show}

    @property
    def page(self) -> JudgingPage:
        """The page of judging."""
        if self._page is None:
            from storydesk.bridge.improving_controller import ImprovingController
            from storydesk.bridge.judge_job_controller import JudgeJobController
            from storydesk.bridge.judging_controller import JudgingController
            from storydesk.bridge.report_sheets import ReportSheets
            from storydesk.ui.judging.improve_page import ImprovePage
            from storydesk.ui.judging.judge_page import JudgePage
            from storydesk.ui.judging.judging_page import JudgingPage

            room = self._workroom
            self._controller = JudgingController(room.desk, room.library, room.engine, self)
            improving = ImprovingController(room.desk, room.library, self._find_tuning(), self)
            improve = ImprovePage(improving, room.desk, self._phrases)
            improve.model_changed.connect(lambda _name: room.engine.use_model())
            self._page = JudgingPage(
                self._controller,
                self._phrases,
                lambda: page_font(room.desk.settings),
                self._read_story,
                improve,
                JudgePage(JudgeJobController(room.desk, self), self._phrases),
                ReportSheets(room.desk, self),
                self._pages,
            )
            self._page.judge.report.tried.settings_wanted.connect(self.settings_wanted)
            self._page.judge.report.tried.given_back.connect(self.settings_given_back)
            self._page.leave_wanted.connect(self._on_leave_wanted)
            self._pages.addWidget(self._page)
        return self._page

    @Slot()
    def show(self) -> None:
        """Turn to judging; what is on the page is saved first, for it may be judged."""
        self._workroom.manuscripts.save_all()
        page = self.page
        self._pages.setCurrentWidget(page)
        page.begin()

    def close(self) -> None:
        """Keep what stands in a field and give up what is being written; call it before the threads end."""
        if self._page is not None:
            self._page.flush()
            self._page.improve.close_jobs()
            self._page.judge.close_jobs()
            self._page.report_sheets.close()
        if self._controller is not None:
            self._controller.close()

    def _read_story(self) -> int:
        opened = self._workroom.manuscripts.opened
        return opened.story.id if opened is not None else 0

    @Slot()
    def _on_leave_wanted(self) -> None:
        self.page.flush()
        self._show_writing()

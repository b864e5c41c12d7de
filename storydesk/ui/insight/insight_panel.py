"""The partner's Insight tab: three pages, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from storydesk.ui.insight.choice_row import ChoiceRow
from storydesk.ui.insight.reading_page import ReadingPage
from storydesk.ui.insight.repetition_page import RepetitionPage
from storydesk.ui.insight.surprise_page import SurprisePage
from storydesk.ui.theme import SPACE_M

SURPRISE, REPETITION, READING = "surprise", "repetition", "reading"


class InsightPanel(QWidget):
    """Holds the pages of the tab and says which one is seen. GUI thread."""

    page_seen = Signal(str)
    """The key of the page that is seen now; empty while none is."""

    def __init__(
        self, actions: Mapping[str, QAction], read_line: Callable[[int], str], parent: QWidget | None = None
    ) -> None:
        """Show the surprise first; ``read_line`` gives a line of the page."""
        super().__init__(parent)
        self.choice = ChoiceRow(
            self.tr("Insight"),
            {
                SURPRISE: self.tr("Surprise"),
                REPETITION: self.tr("Repetition"),
                READING: self.tr("Reading"),
            },
            self,
        )
        self.surprise = SurprisePage(actions, read_line, self)
        self.repetition = RepetitionPage(self)
        self.reading = ReadingPage(self)
        self._pages: dict[str, QWidget] = {
            SURPRISE: self.surprise,
            REPETITION: self.repetition,
            READING: self.reading,
        }
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.choice)
        for key, page in self._pages.items():  # no stack: that would be as high as the highest of them
            column.addWidget(page, 1)
            page.setVisible(key == SURPRISE)
        self.choice.chosen.connect(self.show_page)

    @property
    def seen(self) -> str:
        """The key of the page that is seen, empty where the tab is hidden."""
        return self.choice.current if self.isVisible() else ""

    def show_page(self, key: str) -> None:
        """Turn to a page."""
        self.choice.choose(key)
        for name, page in self._pages.items():
            page.setVisible(name == key)
        self.page_seen.emit(self.seen)

    def clear(self) -> None:
        """Forget another draft."""
        self.surprise.clear()
        self.repetition.clear()
        self.reading.clear()

    def showEvent(self, event: QShowEvent) -> None:
        """Say that the tab is seen."""
        super().showEvent(event)
        self.page_seen.emit(self.choice.current)

    def hideEvent(self, event: QHideEvent) -> None:
        """Say that nothing of it is seen any more."""
        super().hideEvent(event)
        self.page_seen.emit("")

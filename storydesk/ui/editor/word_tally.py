"""Words as they come: of the draft, of the selection, of the session and of the day, without a stutter."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, QObject, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from storydesk.bridge.manuscript_controller import ManuscriptController
from storydesk.domain.manuscript import count_words
from storydesk.domain.word_goal import Tally
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.library.library_panel import LibraryPanel
from storydesk.ui.status_bar import StatusBar
from storydesk.ui.window_timers import make_single_shot

COUNT_MILLISECONDS = 120
KEEP_MILLISECONDS = 60_000


class WordTally(QObject):
    """Counts the page and tells the bar below it and the library. GUI thread."""

    def __init__(
        self, manuscripts: ManuscriptController, page: PageEdit, status: StatusBar, library: LibraryPanel
    ) -> None:
        """Listen to the page."""
        super().__init__(page)
        self._manuscripts = manuscripts
        self._page = page
        self._status = status
        self._library = library
        self._was_reached = True
        self._count_due = make_single_shot(self, COUNT_MILLISECONDS, self.count)
        self._keep_due = make_single_shot(self, KEEP_MILLISECONDS, self.settle)
        page.edited.connect(self._on_edited)
        page.selectionChanged.connect(self._on_selection_changed)

    def begin(self) -> None:
        """Another text is on the page: what it has was there before."""
        self._was_reached = True
        self._manuscripts.begin_count(self._page.paragraphs.count_words())
        self.count()

    @Slot()
    def settle(self) -> None:
        """Keep the day's sum."""
        self._manuscripts.settle_count(self._page.paragraphs.count_words())

    @Slot()
    def count(self) -> None:
        """Say how much there is, now."""
        words = self._page.paragraphs.count_words()
        tally = self._manuscripts.note_words(words)
        self._status.show_words(words, self.count_selection())
        self._status.words.setToolTip(_say_tally(tally))
        self._library.show_goal(tally.today, tally.goal)
        if tally.reached and not self._was_reached:
            said = QCoreApplication.translate("WordTally", "Today's goal is reached.")
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._page, said))
        self._was_reached = tally.reached or not tally.goal

    def count_selection(self) -> int:
        """Return the words that are selected."""
        cursor = self._page.textCursor()
        if not cursor.hasSelection():
            return 0
        start, end = cursor.selectionStart(), cursor.selectionEnd()
        document = self._page.document()
        first, last = document.findBlock(start), document.findBlock(end)
        if first == last:
            return count_words(self._page.text_at(start, end))
        whole = self._page.paragraphs.count_between(first.blockNumber() + 1, last.blockNumber())
        edge = first.position() + first.length() - 1
        ends = (self._page.text_at(start, edge), self._page.text_at(last.position(), end))
        return whole + sum(map(count_words, ends))

    @Slot()
    def _on_edited(self) -> None:
        if not self._count_due.isActive():
            self._count_due.start()
        if not self._keep_due.isActive():
            self._keep_due.start()

    @Slot()
    def _on_selection_changed(self) -> None:
        if not self._count_due.isActive():
            self._count_due.start()


def _say_tally(tally: Tally) -> str:
    translate = QCoreApplication.translate
    session = translate("WordTally", "%Ln words since you opened Storydesk", "", tally.session)
    today = translate("WordTally", "%Ln words today", "", tally.today)
    return f"{session}\n{today}"

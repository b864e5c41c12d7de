"""Writing together: what the model writes becomes ghost text on the page and cards beside it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent

from storydesk.bridge.workroom import Workroom
from storydesk.bridge.writing_controller import WAYS, Candidate
from storydesk.ui.assistant.write_panel import WritePanel
from storydesk.ui.editor.page import PageEdit


class CoWriter(QObject):
    """Joins the engine's thread with the page and the Write tab. GUI thread."""

    nothing_to_go_on = Signal()
    """Neither prompt nor text is there yet."""

    def __init__(self, workroom: Workroom, page: PageEdit, panel: WritePanel) -> None:
        """Listen to all three."""
        super().__init__(page)
        self._workroom = workroom
        self._writing = workroom.writing
        self._page = page
        self._panel = panel
        self._accepting = False
        self._dismissed = 0
        self._announced = 0
        self._writing.writing_changed.connect(panel.set_writing)
        self._writing.cleared.connect(panel.clear)
        self._writing.candidate_changed.connect(self._on_candidate_changed)
        panel.candidate_chosen.connect(self.use)
        page.ghost_dropped.connect(self._on_ghost_dropped)
        page.ghost_accepted.connect(self._on_ghost_accepted)
        page.edited.connect(self._on_edited)

    def go_on(self, ways: int = 1) -> None:
        """Ask for text at the cursor."""
        opened = self._workroom.manuscripts.opened
        if opened is None:
            return
        text, prompt = self._page.text_before_cursor(), self._panel.prompt.toPlainText()
        if not text.strip() and not prompt.strip():
            self.nothing_to_go_on.emit()
            return
        self._writing.drop()
        self._page.drop_ghost()
        self._page.setFocus()
        self._writing.go_on(prompt, text, words=self._panel.words, wildness=self._panel.wildness, ways=ways)

    def go_three_ways(self) -> None:
        """Ask for three ways to go on."""
        self.go_on(WAYS)

    @Slot(int)
    def use(self, number: int) -> None:
        """Put one of the ways into the text."""
        candidate = self._writing.find(number)
        if candidate is None:
            return
        if number == 1 and self._page.ghost:
            self._page.accept_ghost()
            return
        self._take(candidate)

    def _take(self, candidate: Candidate) -> None:
        self._accepting = True
        self._page.drop_ghost()
        self._page.insert(candidate.text)
        self._accepting = False
        self._finish(candidate)

    def _finish(self, candidate: Candidate) -> None:
        opened = self._workroom.manuscripts.opened
        if opened is not None:
            self._writing.record(opened.draft.id, candidate)
        self._writing.drop()
        self._page.setFocus()

    @Slot(object)
    def _on_candidate_changed(self, candidate: Candidate) -> None:
        self._panel.show_candidate(candidate)
        dismissed = candidate.request.id == self._dismissed
        if candidate.number == 1 and candidate.text and not dismissed and candidate.text != self._page.ghost:
            self._page.show_ghost(candidate.text)
        if candidate.number == 1 and candidate.ended and candidate.request.id != self._announced:
            self._announced = candidate.request.id
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._page, candidate.text.strip()))

    @Slot()
    def _on_ghost_dropped(self) -> None:
        """Forget a single way; of several, the cards stay to be chosen from."""
        candidates = self._writing.candidates
        if self._accepting or not candidates:
            return
        if len(candidates) == 1:
            self._writing.drop()
        else:
            self._dismissed = candidates[0].request.id

    @Slot()
    def _on_ghost_accepted(self) -> None:
        candidate = self._writing.find(1)
        if candidate is not None:
            self._finish(candidate)

    @Slot(int, int, int)
    def _on_edited(self, _position: int, _removed: int, _added: int) -> None:
        if not self._accepting and not self._page.is_accepting and self._writing.candidates:
            self._writing.drop()  # what was written belongs to a text that is no longer there

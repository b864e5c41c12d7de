"""Other ways to say what is selected: from the selection to cards, and from a card into the text."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

from PySide6.QtCore import QObject, Signal, Slot

from storydesk.bridge.offsets import Utf16Map
from storydesk.bridge.rewording_controller import RewordingController, RewordingsFound
from storydesk.bridge.workroom import Workroom
from storydesk.bridge.writing_controller import Candidate
from storydesk.domain.alternatives import Passage, Rewording, cut_passage
from storydesk.domain.failures import Failure
from storydesk.domain.settings import CLOSENESS
from storydesk.ui.assistant.rewording_view import RewordingView
from storydesk.ui.assistant.write_panel import WritePanel
from storydesk.ui.editor.page import PageEdit


class Reworder(QObject):
    """Joins page, cards and the engine's thread. GUI thread."""

    nothing_selected = Signal()

    def __init__(self, workroom: Workroom, page: PageEdit, panel: WritePanel) -> None:
        """Listen to all three."""
        super().__init__(page)
        self._workroom = workroom
        self._page = page
        self._panel = panel
        self._settings = workroom.desk.settings
        self._passage: Passage | None = None
        self.as_generated: Callable[[Candidate], AbstractContextManager[object]] = lambda _candidate: nullcontext()
        """What a way is put in within, so that it is known whose it is."""
        self.controller = RewordingController(workroom.desk, workroom.engine, self)
        self.controller.recall = workroom.memory.recall
        self.view = RewordingView(self._settings.get(CLOSENESS), panel)
        panel.add_view(self.view)
        self.view.chosen.connect(self.use)
        self.view.cancelled.connect(self._on_cancelled)
        self.view.left.connect(self._on_left)
        self.view.slider.sliderReleased.connect(lambda: self._settings.set(CLOSENESS, self.view.closeness))
        self.controller.progress_changed.connect(self.view.show_progress)
        self.controller.ended.connect(lambda: self.view.show_busy(False))
        self.controller.found.connect(self._on_found)
        self.controller.failed.connect(self._on_failed)
        page.edited.connect(self._on_edited)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of this feature do."""
        return {"reword": self.look}

    def look(self) -> None:
        """Look for other ways to say what is selected."""
        opened = self._workroom.manuscripts.opened
        cursor = self._page.textCursor()
        if opened is None or self._page.isReadOnly():
            return
        text, units = self._page.text(), (cursor.selectionStart(), cursor.selectionEnd())
        start, end = (len(_cut_units(text, place)) for place in units)
        passage = cut_passage(text, start, end)
        if not passage.text:
            self._panel.say(self.tr("Select a sentence or two first."))
            self.nothing_selected.emit()
            return
        self._workroom.writing.drop()
        self._page.drop_ghost()
        self._passage = passage
        self.view.begin(passage.text)
        self._panel.show_view(self.view)
        prompt = self._panel.prompt.toPlainText()
        self.controller.find(passage, prompt, self._panel.controls.sampling())

    @Slot(object)
    def use(self, way: Rewording) -> None:
        """Put a way into the text in the place of the passage, as one step that can be undone."""
        passage, found = self._passage, self.view.found
        if passage is None or found is None or self._page.isReadOnly():
            return
        before = Utf16Map(passage.before).to_units(len(passage.before))
        end = before + Utf16Map(passage.text).to_units(len(passage.text))
        candidate = Candidate(1, found.request, way.text, found.model, way.perplexity, ended=True, place=way.candidate)
        self._passage = None
        with self.as_generated(candidate):
            self._page.replace(before, end, way.text)
        self._page.go_to(before, before + Utf16Map(way.text).to_units(len(way.text)))
        opened = self._workroom.manuscripts.opened
        if opened is not None:
            self._workroom.writing.record(opened.draft.id, candidate)
        self._on_left()

    @Slot(object)
    def _on_found(self, found: RewordingsFound) -> None:
        self.view.show_found(found)

    @Slot(object)
    def _on_failed(self, failure: Failure) -> None:
        self._workroom.writing.failed.emit(failure)
        self._on_left()

    @Slot()
    def _on_cancelled(self) -> None:
        self.controller.cancel()
        self.view.say(self.tr("Stopped."))

    @Slot()
    def _on_left(self) -> None:
        self.controller.cancel()
        self._panel.show_front()
        self._page.setFocus()

    @Slot(int, int, int)
    def _on_edited(self, _position: int, _removed: int, _added: int) -> None:
        """Give up: the passage may not be what it was."""
        if self._passage is not None:
            self._passage = None
            self.controller.cancel()
            self.view.clear()
            self._panel.show_front()


def _cut_units(text: str, units: int) -> str:
    """Return the beginning of a text that takes so many UTF-16 units."""
    if text.isascii():
        return text[:units]
    return text.encode("utf-16-le", "surrogatepass")[: 2 * units].decode("utf-16-le", "replace")

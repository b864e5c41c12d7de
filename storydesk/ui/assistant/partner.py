"""The partner as the window knows it: writing on, other words, other ways to say it, ways side by side."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot

from storydesk.bridge.workroom import Workroom
from storydesk.ui.assistant.co_writer import CoWriter
from storydesk.ui.assistant.reworder import Reworder
from storydesk.ui.assistant.ways_dialog import WaysDialog
from storydesk.ui.assistant.word_picker import WordPicker
from storydesk.ui.assistant.write_panel import WritePanel
from storydesk.ui.editor.page import PageEdit


class Partner(QObject):
    """Builds the partner's parts and joins them. GUI thread."""

    def __init__(self, workroom: Workroom, page: PageEdit, panel: WritePanel) -> None:
        """Work on one page with one Write tab."""
        super().__init__(page)
        self._workroom = workroom
        self._page = page
        self._panel = panel
        self.co_writer = CoWriter(workroom, page, panel)
        self.word_picker = WordPicker(self.co_writer, workroom.writing, page, panel)
        self.reworder = Reworder(workroom, page, panel)
        panel.compare_wanted.connect(self.compare)
        self.word_picker.nothing_known.connect(self._on_nothing_known)
        workroom.manuscripts.story_opened.connect(self._on_story_opened)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of the partner do."""
        return {
            **self.co_writer.slots(),
            **self.word_picker.slots(),
            **self.reworder.slots(),
            "compare_ways": self.compare,
        }

    @Slot()
    def compare(self) -> None:
        """Show all ways side by side."""
        writing = self._workroom.writing
        if not any(candidate.text for candidate in writing.candidates):
            self._panel.say(self.tr("There is nothing to compare yet: ask for several ways."))
            return
        dialog = WaysDialog(writing.candidates, self._page.window())
        dialog.chosen.connect(self.co_writer.use)
        dialog.sentence_chosen.connect(self.co_writer.use_sentence)
        dialog.word_clicked.connect(self.word_picker.open_for_card)
        writing.candidate_changed.connect(dialog.show_candidate)
        writing.cleared.connect(dialog.reject)
        dialog.show()

    @Slot()
    def _on_nothing_known(self) -> None:
        self._panel.say(self.tr("No other words are known here: they are for words that the model has just written."))

    @Slot(object)
    def _on_story_opened(self, _opened: object) -> None:
        self.co_writer.accepted.clear()

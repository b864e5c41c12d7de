"""What a draft says again, by kind; a click goes to the places and marks them all."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.insight_item_model import Entry
from storydesk.domain.repetition import Repetition, RepetitionKind
from storydesk.services.insight import ProseReport
from storydesk.ui.figures import say_number
from storydesk.ui.insight.entry_list import EntryList
from storydesk.ui.theme import SPACE_S, make_label


class RepetitionPage(QWidget):
    """The Insight tab's second page. GUI thread."""

    repetition_chosen = Signal(object, int)
    """The Repetition, and 1 for its next place or -1 for the one before."""
    marks_unwanted = Signal()
    """The writer has seen enough of the marks."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with nothing known."""
        super().__init__(parent)
        self.status = make_label("", "muted", self)
        self.list = EntryList(self.tr("Repetitions"), self)
        self.clear_button = QPushButton(self.tr("Take the marks off the page"), self)
        self.clear_button.clicked.connect(self.marks_unwanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.status)
        column.addWidget(self.list, 1)
        column.addWidget(self.clear_button)
        self.list.entry_wanted.connect(self.repetition_chosen)
        self.clear()

    def clear(self) -> None:
        """Forget another draft."""
        self.list.show_entries([])
        self.status.setText(self.tr("Reading …"))
        self.show_marks(0, 0)

    def show_marks(self, number: int, count: int) -> None:
        """Say which of the marked places the writer is at; none of none hides the button."""
        self.clear_button.setVisible(bool(count))
        if count:
            place = self.tr("Place {number} of {count}; click or press Enter again for the next")
            self.status.setText(place.format(number=say_number(number), count=say_number(count)))

    def show_report(self, report: ProseReport) -> None:
        """List what is repeated."""
        entries: list[Entry] = []
        for kind in RepetitionKind:
            found = [each for each in report.repetitions if each.kind is kind]
            if found:
                entries.append(Entry(self._say_kind(kind)))
                entries += [Entry(self._say(each), each, self._explain(each)) for each in found]
        self.list.show_entries(entries)
        if not self.clear_button.isVisible():
            self.status.setText(self._say_status(report, bool(entries)))

    def _say_status(self, report: ProseReport, found: bool) -> str:
        if not report.told:
            return self.tr("This script writes words without spaces, so repetitions can't be told.")
        if not found and report.readability.words:
            return self.tr("Nothing is said too often.")
        if not found:
            return self.tr("Write a page, and what it repeats is listed here.")
        if not report.english:
            return self.tr("For English stories there are overused words, filter words and adverbs as well.")
        return self.tr("A click goes to the place and marks the others.")

    def _say(self, found: Repetition) -> str:
        times = say_number(len(found.places))
        if found.kind is RepetitionKind.OPENING:
            return self.tr("{word}   {n} sentences in a row").format(word=found.text.capitalize(), n=times)
        if found.ratio:
            often = say_number(found.ratio, 1 if found.ratio < 10 else 0)
            return self.tr("{word}   {n} ×, {ratio} times as often as usual").format(
                word=found.text, n=times, ratio=often
            )
        return self.tr("{word}   {n} ×").format(word=found.text, n=times)

    def _say_kind(self, kind: RepetitionKind) -> str:
        return {
            RepetitionKind.ECHO: self.tr("Echoes"),
            RepetitionKind.PHRASE: self.tr("Phrases that come again"),
            RepetitionKind.OVERUSED: self.tr("Overused words"),
            RepetitionKind.OPENING: self.tr("The same beginning"),
            RepetitionKind.FILTER: self.tr("Filter words"),
            RepetitionKind.ADVERB: self.tr("Adverbs"),
        }[kind]

    def _explain(self, found: Repetition) -> str:
        reasons = {
            RepetitionKind.ECHO: self.tr("The same word again within thirty words"),
            RepetitionKind.PHRASE: self.tr("Four words or more that stand together elsewhere, too"),
            RepetitionKind.OVERUSED: self.tr("Everybody's words that you use much more than our sample stories do"),
            RepetitionKind.OPENING: self.tr("Sentences that follow each other and begin alike"),
            RepetitionKind.FILTER: self.tr("Somebody perceives, where the thing itself could be told"),
            RepetitionKind.ADVERB: self.tr("Often a better verb says it without"),
        }
        return f"{self._say(found)}\n{reasons[found.kind]}"

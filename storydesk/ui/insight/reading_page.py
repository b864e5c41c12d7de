"""How a draft reads: its figures, and how long its sentences are."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from storydesk.services.insight import ProseReport
from storydesk.ui.figures import say_number
from storydesk.ui.insight.length_bars import LengthBars
from storydesk.ui.theme import SPACE_M, SPACE_S, make_label

EASE_STEPS = (30, 50, 60, 70, 80, 90)
"""Flesch's own: below each of them a text is harder."""


class ReadingPage(QWidget):
    """The Insight tab's third page. GUI thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with nothing known."""
        super().__init__(parent)
        self.note = make_label("", "muted", self)
        self.figures: dict[str, QLabel] = {}
        self._names: dict[str, QLabel] = {}
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(SPACE_S)
        grid.setHorizontalSpacing(SPACE_M)
        grid.setColumnStretch(0, 1)
        for row, (key, (name, tip)) in enumerate(self._rows().items()):
            self._names[key] = make_label(name, "", self)
            self.figures[key] = make_label("", "", self)
            self.figures[key].setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignTop)
            for label in (self._names[key], self.figures[key]):
                label.setToolTip(tip)
            grid.addWidget(self._names[key], row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self.figures[key], row, 1)
        self.bars_name = make_label(self.tr("Sentences by their length in words"), "heading", self)
        self.bars = LengthBars(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.note)
        column.addLayout(grid)
        column.addWidget(self.bars_name)
        column.addWidget(self.bars)
        column.addStretch(1)
        self.clear()

    def clear(self) -> None:
        """Forget another draft."""
        self.note.setText(self.tr("Reading …"))
        self._show(frozenset(), bars=False)

    def show_report(self, report: ProseReport) -> None:
        """Show the figures that can be told of this language."""
        read = report.readability
        if not read.words:
            words = self.tr("Write a page, and how it reads is told here.")
            untold = self.tr("This script writes words without spaces, so its figures can't be told.")
            self.note.setText(words if report.told else untold)
            self._show(frozenset(), bars=False)
            return
        percent = {name: self._say_share(value) for name, value in self._shares(report).items()}
        values = {
            "sentences": say_number(read.sentences),
            "mean": self.tr("{n} words").format(n=say_number(read.mean_sentence, 1)),
            "longest": self.tr("{n} words").format(n=say_number(read.longest_sentence)),
            "ease": f"{say_number(read.reading_ease)}\n{self._say_ease(read.reading_ease)}",
            **percent,
        }
        shown = frozenset(values) if report.english else frozenset(values) - {"ease", "passive", "adverbs"}
        for key, words in values.items():
            self.figures[key].setText(words)
        self.note.setText(
            "" if report.english else self.tr("Reading ease, passives and adverbs can be told of English stories only.")
        )
        self._show(shown, bars=True)
        self.bars.show_counts(report.lengths)

    def _shares(self, report: ProseReport) -> dict[str, float]:
        read = report.readability
        return {
            "dialogue": read.dialogue_share,
            "passive": read.passive_share,
            "adverbs": read.adverb_share,
            "openings": read.repeated_opening_share,
        }

    def _say_share(self, share: float) -> str:
        return self.tr("{percent} %").format(percent=say_number(100 * share, 1 if 0 < share < 0.1 else 0))

    def _say_ease(self, ease: float) -> str:
        words = (
            self.tr("very hard"),
            self.tr("hard"),
            self.tr("rather hard"),
            self.tr("plain"),
            self.tr("rather easy"),
            self.tr("easy"),
            self.tr("very easy"),
        )
        return words[sum(ease >= step for step in EASE_STEPS)]

    def _show(self, keys: frozenset[str], *, bars: bool) -> None:
        for key, label in self.figures.items():
            label.setVisible(key in keys)
            self._names[key].setVisible(key in keys)
        self.bars.setVisible(bars)
        self.bars_name.setVisible(bars)
        self.note.setVisible(bool(self.note.text()))

    def _rows(self) -> dict[str, tuple[str, str]]:
        return {
            "ease": (
                self.tr("Reading ease"),
                self.tr("Flesch's measure of English: short sentences and short words make it high"),
            ),
            "sentences": (self.tr("Sentences"), self.tr("Headings and scene breaks are no sentences")),
            "mean": (self.tr("A sentence on average"), self.tr("Words in a sentence")),
            "longest": (self.tr("The longest"), self.tr("Words in the longest sentence")),
            "dialogue": (self.tr("In quotation marks"), self.tr("The share of words that somebody says")),
            "passive": (self.tr("Passive sentences"), self.tr("Sentences in which something is done to somebody")),
            "adverbs": (self.tr("Adverbs"), self.tr("The share of words that end in -ly and say how")),
            "openings": (
                self.tr("Same beginning twice"),
                self.tr("Sentences that begin with the word that the one before began with"),
            ),
        }

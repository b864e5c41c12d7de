"""Stories that the model in the making wrote, prompt above text: at the end, and on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QVBoxLayout, QWidget

from storydesk.domain.tuning import SampleDuring
from storydesk.services.ports import SettingsStore
from storydesk.ui.figures import say_number
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, make_label, page_font

MOST_ON_THE_WAY: Final = 24
"""Beginnings that are shown; older ones stay in the run's journal."""


class SampleColumn(QWidget):
    """Shows samples as cards under a heading, hidden while there are none. GUI thread."""

    def __init__(self, heading: str, settings: SettingsStore, parent: QWidget | None = None) -> None:
        """Set the texts in the page's font."""
        super().__init__(parent)
        self._settings = settings
        self._shown: tuple[tuple[str, str, str], ...] = ()
        self._on_the_way: tuple[SampleDuring, ...] = ()
        self._cards = QVBoxLayout()
        self._cards.setSpacing(SPACE_M)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(make_label(heading, "heading"))
        layout.addLayout(self._cards)
        self.hide()

    def show_samples(self, samples: Sequence[tuple[str, str]], before: Sequence[tuple[str, str]] = ()) -> None:
        """Show these (prompt, text) pairs, each beside what was written ``before`` on its prompt.

        Cards that are there already stay, so that a reader keeps the place.
        """
        earlier = dict(before)
        wanted = tuple((prompt, text, earlier.get(prompt, "")) for prompt, text in samples)
        kept = len(self._shown) if wanted[: len(self._shown)] == self._shown else 0
        while self._cards.count() > kept:
            item = self._cards.takeAt(self._cards.count() - 1)
            if item is not None and (card := item.widget()) is not None:
                card.deleteLater()
        for prompt, text, old in wanted[kept:]:
            self._cards.addWidget(self._make_card(prompt, text, old))
        self._shown = wanted
        self.setVisible(bool(samples))

    def show_on_the_way(self, samples: Sequence[SampleDuring]) -> None:
        """Show what was written while it learns, the newest first; cards that are there already stay."""
        wanted = tuple(samples)[-MOST_ON_THE_WAY:]
        if wanted == self._on_the_way:
            return
        kept = [sample for sample in self._on_the_way if sample in wanted]
        if wanted[: len(kept)] != tuple(kept):
            kept = []
        while self._cards.count() > len(kept):  # the oldest stand last
            item = self._cards.takeAt(self._cards.count() - 1)
            if item is not None and (card := item.widget()) is not None:
                card.deleteLater()
        for sample in wanted[len(kept) :]:
            when = self.tr("After step {step}").format(step=say_number(sample.step))
            self._cards.insertWidget(0, self._make_card(sample.prompt, sample.text, "", when))
        self._on_the_way = wanted
        self.setVisible(bool(wanted))

    def _make_card(self, prompt: str, text: str, before: str, when: str = "") -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        layout = QVBoxLayout(card)
        layout.setContentsMargins(SPACE_L, SPACE_M, SPACE_L, SPACE_M)
        layout.setSpacing(SPACE_S)
        if when:
            layout.addWidget(make_label(when, "heading"))
        if prompt.strip():
            layout.addWidget(make_label(prompt.strip(), "muted", selectable=True))
        if not before:
            layout.addWidget(self._make_story(text))
            return card
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_L)
        for column, (heading, story) in enumerate(((self.tr("Before"), before), (self.tr("Now"), text))):
            grid.addWidget(make_label(heading, "heading"), 0, column)
            grid.addWidget(self._make_story(story), 1, column, Qt.AlignmentFlag.AlignTop)
            grid.setColumnStretch(column, 1)
        layout.addLayout(grid)
        return card

    def _make_story(self, text: str) -> QLabel:
        story = make_label(text.strip(), selectable=True)
        story.setFont(page_font(self._settings))
        return story

"""Stories that the model in the making wrote, prompt above text."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QVBoxLayout, QWidget

from storydesk.services.ports import SettingsStore
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, make_label, page_font


class SampleColumn(QWidget):
    """Shows samples as cards under a heading, hidden while there are none. GUI thread."""

    def __init__(self, heading: str, settings: SettingsStore, parent: QWidget | None = None) -> None:
        """Set the texts in the page's font."""
        super().__init__(parent)
        self._settings = settings
        self._shown: tuple[tuple[str, str], ...] = ()
        self._cards = QVBoxLayout()
        self._cards.setSpacing(SPACE_M)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_S)
        layout.addWidget(make_label(heading, "heading"))
        layout.addLayout(self._cards)
        self.hide()

    def show_samples(self, samples: Sequence[tuple[str, str]]) -> None:
        """Show these (prompt, text) pairs; cards that are there already stay, so that a reader keeps the place."""
        kept = len(self._shown) if tuple(samples[: len(self._shown)]) == self._shown else 0
        while self._cards.count() > kept:
            item = self._cards.takeAt(self._cards.count() - 1)
            if item is not None and (card := item.widget()) is not None:
                card.deleteLater()
        for prompt, text in samples[kept:]:
            self._cards.addWidget(self._make_card(prompt, text))
        self._shown = tuple(samples)
        self.setVisible(bool(samples))

    def _make_card(self, prompt: str, text: str) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        layout = QVBoxLayout(card)
        layout.setContentsMargins(SPACE_L, SPACE_M, SPACE_L, SPACE_M)
        layout.setSpacing(SPACE_S)
        if prompt.strip():
            layout.addWidget(make_label(prompt.strip(), "muted", selectable=True))
        story = make_label(text.strip(), selectable=True)
        story.setFont(page_font(self._settings))
        layout.addWidget(story)
        return card

"""Writing with the model: the prompt, Go on, three ways, careful or wild."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.wildness import settings_for
from storydesk.bridge.writing_controller import Candidate
from storydesk.domain.settings import WILDNESS, WORDS
from storydesk.services.ports import SettingsStore
from storydesk.ui.actions import TipFollower
from storydesk.ui.assistant.candidate_card import CandidateCard
from storydesk.ui.theme import SPACE_M, SPACE_S, icon, set_role

PROMPT_HEIGHT = 84


class WritePanel(QWidget):
    """The partner's Write tab. GUI thread."""

    prompt_changed = Signal(str)
    candidate_chosen = Signal(int)

    def __init__(self, actions: Mapping[str, QAction], settings: SettingsStore, parent: QWidget | None = None) -> None:
        """Offer the actions that write; remember slider and words in the settings."""
        super().__init__(parent)
        self._settings = settings
        self._cards: dict[int, CandidateCard] = {}
        self._writes = actions["go_on"].isEnabled()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addLayout(self._make_prompt())
        column.addLayout(self._make_buttons(actions))
        column.addLayout(self._make_controls())
        column.addWidget(self._make_cards(), 1)
        self.set_writing(False)

    @property
    def words(self) -> int:
        """About how many words to write."""
        return self.words_box.value()

    @property
    def wildness(self) -> float:
        """0 for careful, 1 for wild."""
        return self.slider.value() / 100

    def set_prompt(self, prompt: str) -> None:
        """Show another story's prompt."""
        if self.prompt.toPlainText() != prompt:
            self.prompt.blockSignals(True)
            self.prompt.setPlainText(prompt)
            self.prompt.blockSignals(False)

    def set_writing(self, writing: bool) -> None:
        """Offer Stop while text is being written."""
        self.go_button.setVisible(not writing)
        self.stop_button.setVisible(writing)
        self.ways_button.setEnabled(self._writes and not writing)

    def clear(self) -> None:
        """Take all cards away and say what can be done here."""
        for card in self._cards.values():
            card.hide()
            card.deleteLater()
        self._cards.clear()
        self.hint.setVisible(True)

    def show_candidate(self, candidate: Candidate) -> None:
        """Show one way as far as it has come."""
        card = self._cards.get(candidate.number)
        if card is None:
            self.hint.setVisible(False)
            card = CandidateCard(candidate, self._card_area)
            card.chosen.connect(self.candidate_chosen)
            self._cards[candidate.number] = card
            self._card_column.insertWidget(self._card_column.count() - 1, card)
        else:
            card.show_candidate(candidate)

    def set_editable(self, editable: bool) -> None:
        """Let the prompt be changed, or not."""
        self.prompt.setReadOnly(not editable)

    def _make_prompt(self) -> QVBoxLayout:
        heading = QLabel(self.tr("What is the story about?"), self)
        set_role(heading, "heading")
        self.prompt = QPlainTextEdit(self)
        self.prompt.setPlaceholderText(self.tr("A keeper hears a bell that rings under the sea."))
        self.prompt.setAccessibleName(heading.text())
        self.prompt.setToolTip(self.tr("The model reads this before your text; it is saved with the story"))
        self.prompt.setTabChangesFocus(True)
        self.prompt.setFixedHeight(PROMPT_HEIGHT)
        self.prompt.textChanged.connect(self._on_prompt_edited)
        heading.setBuddy(self.prompt)
        column = QVBoxLayout()
        column.setSpacing(SPACE_S)
        column.addWidget(heading)
        column.addWidget(self.prompt)
        return column

    def _make_buttons(self, actions: Mapping[str, QAction]) -> QHBoxLayout:
        self.go_button = self._make_button(actions["go_on"], "play")
        self.stop_button = self._make_button(actions["stop"], "stop")
        for button in (self.go_button, self.stop_button):
            set_role(button, "primary")
        self.ways_button = self._make_button(actions["three_ways"], "")
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.go_button, 1)
        row.addWidget(self.stop_button, 1)
        row.addWidget(self.ways_button)
        return row

    def _make_button(self, action: QAction, glyph: str) -> QPushButton:
        button = QPushButton(action.text(), self)
        if glyph:
            button.setIcon(icon(glyph, "on_accent"))
        TipFollower(button, action)
        button.setEnabled(action.isEnabled())
        action.enabledChanged.connect(button.setEnabled)
        button.clicked.connect(action.trigger)
        return button

    def _make_controls(self) -> QGridLayout:
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 100)
        self.slider.setSingleStep(5)
        self.slider.setPageStep(10)
        self.slider.setValue(round(self._settings.get(WILDNESS) * 100))
        self.slider.setAccessibleName(self.tr("From careful to wild"))
        self.slider.setMinimumHeight(22)
        self.slider.valueChanged.connect(self._on_wildness_changed)
        self.words_box = QSpinBox(self)
        self.words_box.setRange(5, 2000)
        self.words_box.setSingleStep(10)
        self.words_box.setValue(self._settings.get(WORDS))
        self.words_box.lineEdit().setTextMargins(SPACE_S, 0, 0, 0)
        self.words_box.setSuffix(self.tr(" words"))
        self.words_box.setAccessibleName(self.tr("About how many words to write"))
        self.words_box.setToolTip(self.tr("About how many words to write; it ends with a sentence"))
        self.words_box.editingFinished.connect(self._on_words_changed)
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE_M)
        grid.setVerticalSpacing(SPACE_S)
        grid.addWidget(self._muted(self.tr("Careful")), 0, 0)
        grid.addWidget(self.slider, 0, 1)
        grid.addWidget(self._muted(self.tr("Wild")), 0, 2)
        grid.addWidget(self._muted(self.tr("About")), 1, 0)
        grid.addWidget(self.words_box, 1, 1, 1, 2)
        grid.setColumnStretch(1, 1)
        self._tell_wildness()
        return grid

    def _make_cards(self) -> QScrollArea:
        self._card_area = QWidget(self)
        self._card_area.setObjectName("scrolled")
        self._card_column = QVBoxLayout(self._card_area)
        self._card_column.setContentsMargins(0, 0, 0, 0)
        self._card_column.setSpacing(SPACE_M)
        self.hint = self._muted(
            self.tr(
                "Go on writes at the cursor: Tab takes the suggestion, Esc throws it away. "
                "3 ways lets you choose between three."
            )
        )
        self.hint.setWordWrap(True)
        self._card_column.addWidget(self.hint)
        self._card_column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(self._card_area)
        return scroll

    def _muted(self, text: str) -> QLabel:
        label = QLabel(text, self)
        set_role(label, "muted")
        return label

    def _tell_wildness(self) -> None:
        settings = settings_for(self.wildness)
        self.slider.setToolTip(
            self.tr("Temperature {temperature}, top-p {top_p}").format(
                temperature=f"{settings.temperature:.2f}", top_p=f"{settings.top_p:.2f}"
            )
        )

    @Slot()
    def _on_prompt_edited(self) -> None:
        self.prompt_changed.emit(self.prompt.toPlainText())

    @Slot(int)
    def _on_wildness_changed(self, _value: int) -> None:
        self._tell_wildness()

    @Slot()
    def _on_words_changed(self) -> None:
        self._settings.set(WORDS, self.words)

    def keep_settings(self) -> None:
        """Remember slider and words for the next time."""
        self._settings.set(WORDS, self.words)
        self._settings.set(WILDNESS, self.wildness)

"""Writing with the model: the prompt, Go on, several ways, careful or wild, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QSlider,
    QSpinBox,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.writing_controller import Candidate
from storydesk.domain.endings import Ending
from storydesk.domain.settings import POLISH_ARRIVING, WILDNESS, WORDS, WRITING_CONTROLS
from storydesk.domain.writing_controls import PRESETS, ControlDesk, WritingControls
from storydesk.services.ports import SettingsStore
from storydesk.services.writing import Started
from storydesk.ui.actions import TipFollower
from storydesk.ui.assistant.candidate_card import CandidateCard
from storydesk.ui.assistant.controls_page import ControlsPage, say_preset
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XS, FlowLayout, icon, indent_number, make_label, set_role

PROMPT_HEIGHT = 84
CARDS_HEIGHT = 170
"""What the cards get at least; where that is too much, all of the tab scrolls."""
SAVE_MILLISECONDS = 600


class WritePanel(QWidget):
    """The partner's Write tab. GUI thread."""

    prompt_changed = Signal(str)
    candidate_chosen = Signal(int)
    sentence_chosen = Signal(int)
    compare_wanted = Signal()
    word_clicked = Signal(int, int, QPoint)
    """A card's number, the place in its text (code points), and the place on the screen."""

    def __init__(self, actions: Mapping[str, QAction], settings: SettingsStore, parent: QWidget | None = None) -> None:
        """Offer the actions that write; remember controls and words in the settings."""
        super().__init__(parent)
        self._settings = settings
        self._actions = actions
        self._cards: dict[int, CandidateCard] = {}
        self._writes = actions["go_on"].isEnabled()
        self._desk = ControlDesk.from_text(settings.get(WRITING_CONTROLS))
        self._desk_before = self._desk
        if not settings.get(WRITING_CONTROLS):
            self._desk = self._desk.change(self._desk.controls.with_wildness(settings.get(WILDNESS)))
        self._save_due = QTimer(self)
        self._save_due.setSingleShot(True)
        self._save_due.setInterval(SAVE_MILLISECONDS)
        self._save_due.timeout.connect(self.keep_settings)
        self._stack = QStackedLayout(self)
        self._stack.setContentsMargins(0, 0, 0, 0)
        self._stack.addWidget(_make_scroll(self._make_front(actions), self))
        self.controls_page = ControlsPage(self)
        self.controls_page.desk_changed.connect(self._on_desk_changed)
        self.controls_page.polish_changed.connect(lambda on: self._settings.set(POLISH_ARRIVING, on))
        self.controls_page.left.connect(self._on_controls_left)
        self._stack.addWidget(self.controls_page)
        self.controls_page.show_desk(self._desk)
        self.controls_page.show_polish(settings.get(POLISH_ARRIVING))
        self._show_desk()
        self.show_position(0, 0)
        self.set_writing(False)

    def _make_front(self, actions: Mapping[str, QAction]) -> QWidget:
        front = QWidget(self)
        front.setObjectName("scrolled")
        column = QVBoxLayout(front)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addLayout(self._make_prompt())
        column.addLayout(self._make_buttons(actions))
        column.addLayout(self._make_controls())
        column.addLayout(self._make_history(actions))
        column.addWidget(self._make_cards(), 1)
        return front

    @property
    def words(self) -> int:
        """About how many words to write."""
        return self.words_box.value()

    @property
    def controls(self) -> WritingControls:
        """How the model is to write."""
        return self._desk.controls

    def take_settings(self, values: Mapping[str, float], name: str) -> None:
        """Write with some settings from now on, and draw as usual else; they stay as a preset called ``name``."""
        self._desk_before = self._desk
        self._take(self._desk.take(values, name))
        self.keep_settings()

    def give_settings_back(self) -> None:
        """Write again as before ``take_settings``, the preset gone."""
        self._take(self._desk_before)
        self.keep_settings()

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
        self.note.hide()

    def show_candidate(self, candidate: Candidate) -> None:
        """Show one way as far as it has come."""
        card = self._cards.get(candidate.number)
        if card is None:
            self.hint.setVisible(False)
            card = CandidateCard(candidate, self._card_area)
            card.chosen.connect(self.candidate_chosen)
            card.sentence_chosen.connect(self.sentence_chosen)
            card.compare_wanted.connect(self.compare_wanted)
            card.word_clicked.connect(self.word_clicked)
            self._cards[candidate.number] = card
            self._card_column.insertWidget(self._card_column.count() - 1, card)
            for each in self._cards.values():
                each.compare_button.setVisible(len(self._cards) > 1)
        else:
            card.show_candidate(candidate)
        if candidate.ended and len(self._cards) == 1:
            self._say_ending(candidate.ending)

    def card(self, number: int) -> CandidateCard | None:
        """Return a way's card."""
        return self._cards.get(number)

    def focused_card(self) -> CandidateCard | None:
        """Return the card that has the focus."""
        return next((card for card in self._cards.values() if card.hasFocus()), None)

    def show_position(self, number: int, count: int) -> None:
        """Say which of the generations for this place is on show."""
        self.position_label.setText(self.tr("{n} of {count}").format(n=number, count=count) if count > 1 else "")

    def say(self, sentence: str) -> None:
        """Say something in the quiet line above the cards; nothing takes the line away."""
        self.note.setText(sentence)
        self.note.setVisible(bool(sentence))

    def say_nothing_earlier(self) -> None:
        """Say that nothing else was written at this place."""
        self.say(self.tr("Nothing else was written here yet."))

    def say_left_out(self, started: Started) -> None:
        """Say what the model does not see of prompt and memory; that a long draft doesn't fit is no news."""
        parts = [
            (started.prompt_left_out, self.tr("the end of your prompt")),
            (started.memory_left_out, self.tr("the end of the memory")),
            (started.note_left_out, self.tr("the end of the author's note")),
            (started.lore_left_out, self.tr("some of the lorebook")),
        ]
        names = [name for count, name in parts if count]
        if names:
            self.say(self.tr("The model doesn't see {parts}: they are too long.").format(parts=", ".join(names)))

    def _say_ending(self, ending: Ending) -> None:
        said = {
            Ending.TRIMMED: self.tr("The last sentence was not finished and was left off."),
            Ending.BEGUN_AGAIN: self.tr("The first try began to repeat itself, so this is another."),
            Ending.CUT_BACK: self.tr("It began to repeat itself; that was cut off."),
        }
        if ending in said:
            self.say(said[ending])

    def set_editable(self, editable: bool) -> None:
        """Let the prompt be changed, or not."""
        self.prompt.setReadOnly(not editable)

    def show_controls(self) -> None:
        """Turn to all controls."""
        self._stack.setCurrentWidget(self.controls_page)
        self.controls_page.back_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def add_view(self, view: QWidget) -> None:
        """Add something that may take the place of the tab's usual face."""
        self._stack.addWidget(view)

    def show_view(self, view: QWidget) -> None:
        """Turn to a view that was added."""
        self._stack.setCurrentWidget(view)

    def show_front(self) -> None:
        """Turn back to the tab's usual face."""
        self._stack.setCurrentIndex(0)

    def _on_controls_left(self) -> None:
        self.show_front()
        self.controls_button.setFocus(Qt.FocusReason.OtherFocusReason)

    # What is where

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
        button.setEnabled(action.isEnabled())
        action.enabledChanged.connect(button.setEnabled)
        button.clicked.connect(action.trigger)
        TipFollower(button, action)
        return button

    def _make_controls(self) -> QGridLayout:
        self.preset_box = QComboBox(self)
        self.preset_box.setAccessibleName(self.tr("How the model writes"))
        self.preset_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.preset_box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.preset_box.activated.connect(self._on_preset_activated)
        self.controls_button = QToolButton(self)
        self.controls_button.setIcon(icon("sliders-horizontal"))
        self.controls_button.setToolTip(self.tr("All controls of how the model writes"))
        self.controls_button.setAccessibleName(self.controls_button.toolTip())
        self.controls_button.clicked.connect(self.show_controls)
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.slider.setRange(0, 100)
        self.slider.setSingleStep(5)
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(self.tr("From careful to wild"))
        self.slider.setMinimumHeight(22)
        self.slider.valueChanged.connect(self._on_wildness_changed)
        self.words_box = QSpinBox(self)
        self.words_box.setRange(5, 2000)
        self.words_box.setSingleStep(10)
        self.words_box.setValue(self._settings.get(WORDS))
        indent_number(self.words_box)
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
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.preset_box, 1)
        row.addWidget(self.controls_button)
        grid.addLayout(row, 2, 0, 1, 3)
        grid.setColumnStretch(1, 1)
        return grid

    def _make_history(self, actions: Mapping[str, QAction]) -> FlowLayout:
        row = FlowLayout(space=SPACE_XS)
        self.position_label = self._muted("")
        again = self._make_tool(actions["try_again"])
        again.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        row.add(self._make_tool(actions["earlier_ways"]), self._make_tool(actions["later_ways"]), self.position_label)
        row.add(again)
        return row

    def _make_tool(self, action: QAction) -> QToolButton:
        button = QToolButton(self)
        button.setDefaultAction(action)
        button.setAccessibleName(action.text())
        set_role(button, "flat")
        return button

    def _make_cards(self) -> QScrollArea:
        self._card_area = QWidget(self)
        self._card_area.setObjectName("scrolled")
        self._card_column = QVBoxLayout(self._card_area)
        self._card_column.setContentsMargins(0, 0, 0, 0)
        self._card_column.setSpacing(SPACE_S)
        self.note = make_label(role="muted")
        self.note.hide()
        self.hint = self._muted(
            self.tr(
                "Go on writes at the cursor: Tab takes the suggestion, Ctrl+Right the next word of it, Esc throws it "
                "away. Click one of its words to see others."
            )
        )
        self.hint.setWordWrap(True)
        self._card_column.addWidget(self.note)
        self._card_column.addWidget(self.hint)
        self._card_column.addStretch(1)
        self.card_scroll = _make_scroll(self._card_area, self)
        self.card_scroll.setMinimumHeight(CARDS_HEIGHT)
        return self.card_scroll

    def _muted(self, text: str) -> QLabel:
        label = QLabel(text, self)
        set_role(label, "muted")
        return label

    # How the model writes

    def _show_desk(self) -> None:
        controls = self._desk.controls
        self.slider.blockSignals(True)
        self.slider.setValue(round(controls.wildness * 100))
        self.slider.blockSignals(False)
        self.slider.setToolTip(
            self.tr("Temperature {temperature}, top-p {top_p}").format(
                temperature=f"{controls.temperature:.2f}", top_p=f"{controls.top_p:.2f}"
            )
        )
        self.preset_box.clear()
        for name in (*PRESETS, *(name for name, _ in self._desk.own)):
            shown = say_preset(name)
            changed = name == self._desk.preset and self._desk.is_changed
            self.preset_box.addItem(self.tr("{preset}, changed").format(preset=shown) if changed else shown, name)
        self.preset_box.setCurrentIndex(self.preset_box.findData(self._desk.preset))
        ways = controls.ways
        self.ways_button.setText(self.tr("{n} ways").format(n=ways) if ways > 1 else self.tr("1 way"))

    @Slot(object)
    def _on_desk_changed(self, desk: ControlDesk) -> None:
        self._desk = desk
        self._show_desk()
        self._save_due.start()

    @Slot(int)
    def _on_wildness_changed(self, value: int) -> None:
        self._take(self._desk.change(self._desk.controls.with_wildness(value / 100)))

    @Slot(int)
    def _on_preset_activated(self, index: int) -> None:
        self._take(self._desk.choose(str(self.preset_box.itemData(index))))

    def _take(self, desk: ControlDesk) -> None:
        self._on_desk_changed(desk)
        self.controls_page.show_desk(desk)

    @Slot()
    def _on_prompt_edited(self) -> None:
        self.prompt_changed.emit(self.prompt.toPlainText())

    @Slot()
    def _on_words_changed(self) -> None:
        self._settings.set(WORDS, self.words)

    @Slot()
    def keep_settings(self) -> None:
        """Remember controls and words for the next time."""
        self._save_due.stop()
        self._settings.set(WORDS, self.words)
        self._settings.set(WILDNESS, round(self.controls.wildness, 3))
        self._settings.set(WRITING_CONTROLS, self._desk.to_text())


def _make_scroll(inside: QWidget, parent: QWidget) -> QScrollArea:
    """Return an area that scrolls what is higher than it, and takes no focus of its own."""
    scroll = QScrollArea(parent)
    scroll.setWidgetResizable(True)
    scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(inside)
    return scroll

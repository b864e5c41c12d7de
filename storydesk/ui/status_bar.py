"""The line below the page: words, surprise, grammar; model, device, speed, and whether all is saved."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from storydesk.bridge.autosave import SaveState
from storydesk.bridge.draft_score import DraftScore, ScoreState
from storydesk.bridge.engine_worker import EngineState
from storydesk.ui.theme import SPACE_L, SPACE_M, make_label, scaled, set_role

HEIGHT = 34
NARROW = 820


class StatusBar(QFrame):
    """Says how the draft and the machine are doing. GUI thread."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with nothing known."""
        super().__init__(parent)
        set_role(self, "status")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Status"))
        self.words = self._label("muted")
        self.perplexity = self._label("chip-accent")
        self.nats = self._label("muted")
        self.notes = self._label("muted")
        self.model = self._label("chip")
        self.device = self._label("chip")
        self.saved = self._label("muted")
        self._device = ""
        self._speed = 0.0
        self._score: DraftScore | None = None
        self._score_state = ScoreState.UNKNOWN
        row = QHBoxLayout(self)
        row.addStrut(HEIGHT)
        row.setContentsMargins(SPACE_L - 2, 0, SPACE_L - 2, 0)
        row.setSpacing(SPACE_M)
        for label in (self.words, self.perplexity, self.nats, self.notes):
            row.addWidget(label, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        for label in (self.model, self.device, self.saved):
            row.addWidget(label, 0, Qt.AlignmentFlag.AlignVCenter)
        self.device.hide()
        self.show_words(0)
        self.show_score(None)
        self.show_notes(0)
        self.show_saved(SaveState.SAVED)

    def show_words(self, words: int, selected: int = 0) -> None:
        """Show how long the draft is, and how much of it is selected."""
        text = self.tr("%Ln words", "", words)
        if selected:
            of = self.tr("{selected} of {all}")
            text = of.format(selected=QLocale().toString(selected), all=text)
        self.words.setText(text)

    def show_score(self, score: DraftScore | None) -> None:
        """Show how surprising the draft is; None while that is not known."""
        for label in (self.perplexity, self.nats):
            label.setVisible(score is not None)
        self._score = score
        self._show_perplexity()
        if score is None:
            return
        self.nats.setText(self.tr("{value} nats a word").format(value=f"{score.nats_per_word:.2f}"))
        self.nats.setToolTip(self.tr("The same surprise for each word: this one can be compared between models"))

    def show_score_state(self, state: ScoreState) -> None:
        """Say whether the score is that of the text as it is."""
        self._score_state = state
        self._show_perplexity()

    def _show_perplexity(self) -> None:
        score, old = self._score, self._score_state in (ScoreState.STALE, ScoreState.WORKING)
        if score is None:
            return
        words = self.tr("perplexity {value}").format(value=f"{score.perplexity:.1f}")
        tip = self.tr(
            "How surprised {model} is by each piece of a word, as an answer to the prompt: lower is more expected"
        ).format(model=score.model)
        if score.known < 1.0:
            words = self.tr("{words} ({percent} % read)").format(words=words, percent=round(100 * score.known))
        elif old:
            words = self.tr("{words} …").format(words=words)
            now = self.tr("Of the text before your last words; the model is reading those.")
            tip = f"{now}\n{tip}"
        role = "chip" if old else "chip-accent"
        if self.perplexity.property("role") != role:
            set_role(self.perplexity, role)
        self.perplexity.setText(words)
        self.perplexity.setToolTip(tip)

    def show_notes(self, count: int) -> None:
        """Show how many grammar notes there are."""
        self.notes.setText(self.tr("%Ln grammar notes", "", count))

    def show_loading(self, model: str) -> None:
        """Say that a model is on its way."""
        self.model.setText(self.tr("{model} is loading …").format(model=_say_model(model)))
        self.device.hide()

    def show_engine(self, state: EngineState) -> None:
        """Show what writes, and where."""
        self.model.setText(_say_model(state.model))
        self._device, self._speed = state.device, 0.0
        self._show_device()

    def show_no_engine(self) -> None:
        """Say that nothing can write at present."""
        self.model.setText(self.tr("no model"))
        self.device.hide()

    def show_speed(self, tokens_per_second: float) -> None:
        """Show how fast the last text came."""
        self._speed = tokens_per_second
        self._show_device()

    def show_saved(self, state: SaveState) -> None:
        """Say whether all that was typed is on disk."""
        words = {
            SaveState.SAVED: self.tr("Saved"),
            SaveState.CHANGED: self.tr("Saving …"),
            SaveState.FAILED: self.tr("Not saved"),
        }
        self.saved.setText(words[state])
        set_role(self.saved, "problem" if state is SaveState.FAILED else "muted")

    def say(self, words: str) -> None:
        """Say what was just done where the state of saving stands, until that changes."""
        self.saved.setText(words)
        set_role(self.saved, "muted")

    def show_read_only(self) -> None:
        """Say that nothing is saved from here."""
        self.saved.setText(self.tr("Reading only"))

    def fit(self, width: int) -> None:
        """Leave the less important away where there is little room."""
        self.notes.setVisible(width >= scaled(NARROW))
        self.device.setVisible(bool(self._device) and width >= scaled(NARROW))

    def _show_device(self) -> None:
        if not self._device:
            return
        speed = self.tr("{device} {speed} tokens/s").format(device=self._device, speed=f"{self._speed:.0f}")
        self.device.setText(speed if self._speed else self._device)
        self.device.setVisible(self.width() >= scaled(NARROW))

    def _label(self, role: str) -> QLabel:
        return make_label("", role, self, wrap=False)


def _say_model(name: str) -> str:
    return name[:1].upper() + name[1:]

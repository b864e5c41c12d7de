"""Step 3, running: what it does now, how far it is, the curves, and stories as they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.phrases import Phrases
from storydesk.domain.tuning import RunState, RunStatus
from storydesk.services.ports import SettingsStore
from storydesk.ui.figures import (
    say_device,
    say_duration,
    say_number,
    say_perplexity,
    say_reason,
    say_size,
    say_stage,
    say_texts,
    say_words,
)
from storydesk.ui.theme import SPACE_M, SPACE_S, icon, make_label
from storydesk.ui.tuning.run_plots import RunPlots
from storydesk.ui.tuning.sample_column import SampleColumn

BAR_STEPS: Final = 1000
STAGE_SHARES: Final = {
    "reading": 2,
    "cleaning": 2,
    "packing": 2,
    "measuring_before": 6,
    "tuning": 70,
    "measuring_after": 5,
    "sampling": 5,
    "exporting": 4,
    "comparing": 3,
    "bundling": 1,
}
"""How much of the bar each stage takes; they come in this order."""


class RunStep(QWidget):
    """Follows a RunState. GUI thread."""

    pause_wanted = Signal()
    best_wanted = Signal()
    """End the tuning here and keep the best so far."""
    cancel_wanted = Signal()
    """Only after Cancel was pressed twice."""

    def __init__(self, phrases: Phrases, settings: SettingsStore, parent: QWidget | None = None) -> None:
        """Show a run that has not said anything yet."""
        super().__init__(parent)
        self._phrases = phrases
        self.stage = make_label("", "title")
        self.detail = make_label("", "muted")
        self.bar = QProgressBar()
        self.bar.setRange(0, BAR_STEPS)
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Progress"))
        self.surprise = make_label("")
        self.corpus = make_label("", "muted")
        self.notices = make_label("", "muted", selectable=True)
        self.machine = make_label("", "muted")
        self.plots = RunPlots()
        self.on_the_way = SampleColumn(self.tr("Stories it begins on the way"), settings)
        self.samples = SampleColumn(self.tr("Stories it wrote just now"), settings)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_M)
        for widget in (
            self.stage,
            self.bar,
            self.detail,
            self.machine,
            self.notices,
            self.surprise,
            self.plots,
            self.samples,
            self.on_the_way,
            self.corpus,
        ):
            layout.addWidget(widget)
        layout.addStretch()
        self.buttons = self._build_buttons()
        self.begin()

    def begin(self) -> None:
        """Show that a run is being prepared."""
        self.stage.setText(say_stage(""))
        self.detail.setText(self.tr("You can go back to writing; this goes on beside it."))
        self.bar.setValue(0)
        for label in (self.surprise, self.corpus, self.notices, self.machine):
            label.hide()
        self.plots.show_state(None)
        self.samples.show_samples(())
        self.on_the_way.show_on_the_way(())
        self.pause_button.setEnabled(True)
        self.pause_button.setText(self.tr("Pause"))
        self.best_button.setText(self.tr("Stop and keep the best"))
        self.best_button.setEnabled(False)
        self._best_asked = False
        self.cancel_button.setEnabled(True)
        self.cancel_button.setText(self.tr("Cancel"))
        self._sure = False

    def show_state(self, state: RunState) -> None:
        """Show where a run stands."""
        if self.pause_button.isEnabled():
            self.stage.setText(say_stage(state.stage))
        self.best_button.setEnabled(
            state.stage == "tuning" and state.step > 0 and self.pause_button.isEnabled() and not self._best_asked
        )
        self.bar.setValue(round(measure_progress(state) * BAR_STEPS))
        percent = say_number(self.bar.value() * 100 // BAR_STEPS)
        self.bar.setAccessibleDescription(self.tr("{percent} percent").format(percent=percent))
        self.detail.setText(self._describe(state))
        self.plots.show_state(state)
        _show_text(self.machine, self._describe_machine(state))
        _show_text(self.surprise, self._describe_surprise(state))
        _show_text(self.corpus, self._describe_corpus(state))
        _show_text(self.notices, "\n".join(self._phrases.say_line(notice) for notice in state.notices))
        self.samples.show_samples(state.samples)
        self.on_the_way.show_on_the_way(state.samples_during)

    def close_jobs(self) -> None:
        """End what is under way here."""
        self.plots.close_jobs()

    def _build_buttons(self) -> QWidget:
        self.pause_button = QPushButton(icon("pause"), "")
        self.pause_button.setToolTip(self.tr("Saves what was learnt so far; you can go on later"))
        self.pause_button.clicked.connect(self._on_pause_clicked)
        self.best_button = QPushButton(icon("flag"), "")
        self.best_button.setToolTip(self.tr("Ends the learning here and makes a model of the best it has come to"))
        self.best_button.clicked.connect(self._on_best_clicked)
        self.cancel_button = QPushButton("")
        self.cancel_button.setProperty("role", "flat")
        self.cancel_button.clicked.connect(self._on_cancel_clicked)
        actions = QWidget()
        row = QHBoxLayout(actions)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        row.addWidget(self.cancel_button)
        row.addStretch()
        row.addWidget(self.best_button)
        row.addWidget(self.pause_button)
        return actions

    def _describe(self, state: RunState) -> str:
        parts = []
        if state.stage == "tuning" and state.seconds_left > 0:
            parts.append(self.tr("{duration} left").format(duration=say_duration(state.seconds_left)))
        if state.device:
            parts.append(self.tr("on {device}").format(device=say_device(state.device)))
        if state.stage == "tuning" and state.total_steps:
            figures = {"step": say_number(state.step), "total": say_number(state.total_steps)}
            parts.append(self.tr("step {step} of {total}").format(**figures))
        return " · ".join(parts) or self.tr("You can go back to writing; this goes on beside it.")

    def _describe_machine(self, state: RunState) -> str:
        """Return what the run takes of the machine now, as far as it is read."""
        parts, machine = [], state.machine
        if state.stage == "tuning" and state.tokens_per_second > 0:
            parts.append(self.tr("{count} tokens a second").format(count=say_number(state.tokens_per_second)))
        if machine.process_memory:
            parts.append(self.tr("{size} of memory").format(size=say_size(machine.process_memory)))
        if machine.device_memory:
            parts.append(self.tr("{size} of the graphics card's").format(size=say_size(machine.device_memory)))
        if machine.temperature:
            parts.append(self.tr("graphics card {degrees} °C").format(degrees=say_number(machine.temperature)))
        return " · ".join(parts)

    def _describe_surprise(self, state: RunState) -> str:
        if not state.perplexity_before:
            return ""
        before = say_perplexity(state.perplexity_before)
        points = sorted(state.heldout)
        now = state.perplexity_after or (points[-1][1] if len(points) > 1 else 0.0)
        if not now:
            return self.tr("Surprise at pages it never reads (perplexity): {before} before.").format(before=before)
        said = self.tr("Surprise at pages it never reads (perplexity): {before} before → {now} now.")
        return said.format(before=before, now=say_perplexity(now))

    def _describe_corpus(self, state: RunState) -> str:
        if not state.training_documents:
            return ""
        figures = {
            "read": say_texts(state.training_documents),
            "words": say_words(state.words),
            "aside": say_texts(state.heldout_documents),
        }
        parts = [self.tr("Learns from {read}; {aside} kept aside to measure with; {words} in all.").format(**figures)]
        if sum(state.changed.values()):
            parts.append(self.tr("Tidied: {reasons}.").format(reasons=_list_reasons(state.changed)))
        if sum(state.dropped.values()):
            parts.append(self.tr("Left out: {reasons}.").format(reasons=_list_reasons(state.dropped)))
        return " ".join(parts)

    def _on_pause_clicked(self) -> None:
        self.pause_button.setEnabled(False)
        self.best_button.setEnabled(False)
        self.stage.setText(self.tr("Saving what was learnt…"))
        self.pause_wanted.emit()

    def _on_best_clicked(self) -> None:
        self._best_asked = True
        self.best_button.setEnabled(False)
        self.best_wanted.emit()

    def _on_cancel_clicked(self) -> None:
        """Ask on the button itself: a second press is the answer."""
        if not self._sure:
            self._sure = True
            self.cancel_button.setText(self.tr("Cancel the tuning?"))
            return
        self.pause_button.setEnabled(False)
        self.best_button.setEnabled(False)
        self.cancel_button.setEnabled(False)
        self.stage.setText(self.tr("Ending…"))
        self.cancel_wanted.emit()


def measure_progress(state: RunState) -> float:
    """Return how far a run is, 0 to 1, by its stage and, while tuning, its steps."""
    if state.status is RunStatus.COMPLETED:
        return 1.0
    done = 0.0
    for stage, share in STAGE_SHARES.items():
        if stage == state.stage:
            inside = min(state.step / state.total_steps, 1.0) if stage == "tuning" and state.total_steps else 0.0
            return (done + share * inside) / sum(STAGE_SHARES.values())
        done += share
    return 0.0


def _list_reasons(counts: Mapping[str, int]) -> str:
    """Return the trainer's reasons with their counts."""
    return ", ".join(f"{say_number(count)} × {say_reason(reason)}" for reason, count in counts.items() if count)


def _show_text(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))

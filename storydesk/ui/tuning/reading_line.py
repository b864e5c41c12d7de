"""What is known of the writer's words once they were read: the prompts, what the doctor says, and a way to look."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.data_desk_controller import DataDeskController
from storydesk.bridge.phrases import Phrases
from storydesk.domain.dataset import DatasetProgress, DatasetView
from storydesk.domain.failures import Failure, FailureCode
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon, make_label
from storydesk.ui.tuning.dataset_words import say_health, say_prompts, say_step


class ReadingLine(QWidget):
    """Follows the data desk while it reads and says in a line what came of it. GUI thread."""

    look_wanted = Signal()
    """The writer wants to see the pairs."""

    def __init__(self, desk: DataDeskController, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Be hidden until there is something to say."""
        super().__init__(parent)
        self._desk = desk
        self._phrases = phrases
        self.about = make_label("")
        self.step = make_label("", "muted")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("Reading your words"))
        self.stop_button = QPushButton(self.tr("Stop reading"))
        self.stop_button.setProperty("role", "flat")
        self.stop_button.clicked.connect(desk.stop_reading)
        self.look_button = QPushButton(icon("magnifying-glass"), self.tr("Look through the pairs…"))
        self.look_button.clicked.connect(self.look_wanted)
        buttons = FlowLayout()
        buttons.add(self.look_button)
        self._progress = QWidget()
        row = QHBoxLayout(self._progress)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_M)
        words = QVBoxLayout()
        words.setSpacing(SPACE_S)
        words.addWidget(self.step)
        words.addWidget(self.bar)
        row.addLayout(words, 1)
        row.addWidget(self.stop_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self._progress)
        column.addWidget(self.about)
        column.addLayout(buttons)
        self._progress.hide()
        desk.view_changed.connect(self._on_view_changed)
        desk.progressed.connect(self._on_progressed)
        desk.reading_changed.connect(self._on_reading_changed)
        desk.reading_failed.connect(self._on_reading_failed)
        self._on_view_changed(desk.view)

    def say(self, words: str) -> None:
        """Say something in place of what is known."""
        self.about.setText(words)
        self.about.setVisible(bool(words))

    def _on_view_changed(self, view: DatasetView | None) -> None:
        there = view is not None and bool(view.pairs)
        said = " ".join(part for part in (say_prompts(view), say_health(view)) if part) if view is not None else ""
        if view is not None and there and not view.kept:
            said = self.tr("All of them are left out. Take some back, or there is nothing to learn from.")
        self.say(said)
        self.look_button.setVisible(there)

    def _on_progressed(self, progress: DatasetProgress) -> None:
        if not self._desk.is_reading:
            return
        self.step.setText(say_step(progress))
        self.bar.setRange(0, progress.total if progress.total > 1 else 0)
        self.bar.setValue(min(progress.done, progress.total))
        self._progress.show()

    def _on_reading_changed(self, reading: bool) -> None:
        if not reading:
            self._progress.hide()

    def _on_reading_failed(self, failure: Failure, _sources: object) -> None:
        self._progress.hide()
        if failure.code == FailureCode.CANCELLED:
            self.say(self.tr("They were not looked through. That does no harm: the tuning tidies them too."))
        else:
            self.say(self._phrases.say_line(failure))

"""What a tuning starts from: the models on the shelf, and GPT-2 to be fetched where somebody asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QProgressBar, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from storydesk.bridge.jobs import Job, JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.domain.base_choice import BaseOption, Needs, Obstacle, PassedOver, choose_base, fit_base, list_bases
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.domain.tuning import PlannedRun
from storydesk.services.models import ModelService
from storydesk.ui.figures import say_size
from storydesk.ui.theme import SPACE_S, FlowLayout, icon, make_label, set_role
from storydesk.ui.tuning.plan_words import say_base, say_fit

BAR_STEPS: Final = 1000


class BaseChoice(QWidget):
    """Offers what a tuning can start from, with what each would mean. GUI thread.

    Until the writer chooses, the choice follows the rule of ``domain.base_choice``.
    """

    changed = Signal()
    """Another base is chosen, or more is known about what there is."""

    def __init__(self, models: ModelService, needs: Needs, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Offer the model in use; ``refresh`` reads the shelf."""
        super().__init__(parent)
        self._models = models
        self._needs = needs
        self._phrases = phrases
        self._jobs = JobRunner(self)
        self._fetching: Job | None = None
        self._options: tuple[BaseOption, ...] = ()
        self._passed_over: dict[str, PassedOver] = {}
        self._by_hand = False
        self._measured: tuple[BaseOption, PlannedRun] | None = None
        self.box = QComboBox()
        self.box.setAccessibleName(self.tr("Start from"))
        self.box.addItem(models.active, models.active)
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(24)
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.box.activated.connect(self._on_activated)
        self.consequence = make_label("", "muted")
        self.fetch_button = QPushButton(icon("download-simple"), self.tr("Fetch it"))
        self.fetch_button.clicked.connect(self._on_fetch_clicked)
        self.cancel_button = QPushButton(self.tr("Stop fetching"))
        self.cancel_button.clicked.connect(self._on_cancel_clicked)
        self.said = make_label("", selectable=True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Fetching"))
        row = FlowLayout(space=SPACE_S)
        row.add(self.fetch_button, self.cancel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.box)
        column.addWidget(self.consequence)
        column.addLayout(row)
        column.addWidget(self.progress)
        column.addWidget(self.said)
        for widget in (self.fetch_button, self.cancel_button, self.progress, self.said, self.consequence):
            widget.hide()

    @property
    def options(self) -> Sequence[BaseOption]:
        """What there is to start from, as far as it was read."""
        return self._options

    @property
    def name(self) -> str:
        """What is chosen."""
        return str(self.box.currentData() or self._models.active)

    @property
    def chosen(self) -> BaseOption | None:
        """What is chosen; None while the shelf was not read."""
        return next((option for option in self._options if option.name == self.name), None)

    @property
    def is_here(self) -> bool:
        """Whether what is chosen is on the shelf."""
        chosen = self.chosen
        return chosen is None or chosen.is_here

    @property
    def is_by_hand(self) -> bool:
        """Whether the writer chose."""
        return self._by_hand

    @property
    def passed_over(self) -> Sequence[PassedOver]:
        """What is here and was passed over, and why."""
        return tuple(self._passed_over.values())

    def refresh(self) -> None:
        """Read the shelf, and choose again unless the writer has."""
        self._jobs.start(
            lambda _: (tuple(self._models.list_models()), tuple(self._models.list_hub_models()), self._models.active),
            on_success=self._on_listed,
            on_failure=self._on_not_listed,
        )

    def pass_over(self, obstacle: PassedOver) -> bool:
        """Choose something smaller for a reason, unless the writer chose; say whether that changed the choice."""
        if self._by_hand:
            return False
        before = self.name
        self._passed_over[obstacle.name] = obstacle
        self._choose_by_rule(self._models.active)
        return self.name != before

    def forget_time(self) -> None:
        """Consider again what was passed over for want of time; there may be more of it now."""
        slow = [name for name, passed in self._passed_over.items() if passed.obstacle is Obstacle.TIME]
        if slow and not self._by_hand:
            for name in slow:
                del self._passed_over[name]
            self._choose_by_rule(self._models.active)

    def show_measured(self, planned: PlannedRun) -> None:
        """Say what each would mean beside what was measured for the one that is chosen."""
        chosen = self.chosen
        if chosen is not None:
            self._measured = (chosen, planned)
        self._show_consequence()

    def close_jobs(self) -> None:
        """End what is under way; what was fetched so far is kept by the library."""
        self._jobs.close()

    def _on_listed(self, found: tuple[Sequence[StyleModel], Sequence[HubModel], str]) -> None:
        models, offers, active = found
        self._options = list_bases(models, offers)
        wanted = self.name
        self.box.blockSignals(True)
        self.box.clear()
        for option in self._options:
            self.box.addItem(say_base(option), option.name)
        self.box.setCurrentIndex(max(0, self.box.findData(wanted)))
        self.box.blockSignals(False)
        if not self._by_hand or self.chosen is None:
            self._choose_by_rule(active)
        self._show_consequence()
        self.changed.emit()

    def _on_not_listed(self, failure: Failure) -> None:
        self._on_failed(failure)
        self.changed.emit()

    def _choose_by_rule(self, active: str) -> None:
        best = choose_base(self._options, self._passed_over, active)
        if best is not None:
            self.box.setCurrentIndex(self.box.findData(best.name))
        self._show_consequence()

    def _on_activated(self) -> None:
        self._by_hand = True
        self._say("")
        self._show_consequence()
        self.changed.emit()

    def _show_consequence(self) -> None:
        chosen = self.chosen
        self.box.setToolTip(self.box.currentText())
        self.consequence.setVisible(chosen is not None)
        missing = chosen is not None and not chosen.is_here and self._fetching is None
        self.fetch_button.setVisible(missing)
        if chosen is None:
            return
        self.fetch_button.setText(self.tr("Fetch it ({size})").format(size=say_size(chosen.fetch_bytes)))
        self.fetch_button.setAccessibleName(
            self.tr("Fetch {name} ({size})").format(name=chosen.name, size=say_size(chosen.fetch_bytes))
        )
        measured = self._measured
        free = (measured[1].memory_free, measured[1].disk_free) if measured else (0, 0)
        self.consequence.setText(say_fit(chosen, fit_base(chosen, self._needs, *free), measured))

    def _on_fetch_clicked(self) -> None:
        name = self.name
        self._fetching = self._jobs.start(
            lambda progress: self._models.fetch(name, progress),
            on_success=self._on_fetched,
            on_failure=self._on_failed,
            on_progress=self._on_progressed,
        )
        self._by_hand = True
        self.box.setEnabled(False)
        self.cancel_button.setEnabled(True)
        self.cancel_button.show()
        self.progress.setRange(0, 0)
        self.progress.show()
        self._say(self.tr("Asking the hub for {name}…").format(name=name))
        self._show_consequence()

    def _on_progressed(self, done: int, total: int) -> None:
        self.progress.setRange(0, BAR_STEPS if total else 0)
        self.progress.setValue(done * BAR_STEPS // total if total else 0)
        if total and done >= total:
            self._say(self.tr("All here. Making it ready to write with; this takes a few minutes…"))
        elif total:
            self._say(self.tr("{done} of {total}").format(done=say_size(done), total=say_size(total)))

    def _on_fetched(self, model: StyleModel) -> None:
        self._settle()
        self._say(self.tr("{name} is on your shelf.").format(name=model.name))
        self.box.addItem(model.name, model.name)
        self.box.setCurrentIndex(self.box.findData(model.name))
        self.refresh()

    def _on_cancel_clicked(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
        self.cancel_button.setEnabled(False)
        self._say(self.tr("Stopping; what was fetched so far is kept…"))

    def _on_failed(self, failure: Failure) -> None:
        self._settle()
        self._say("" if failure.code == FailureCode.CANCELLED else self._phrases.say_line(failure), problem=True)

    def _settle(self) -> None:
        self._fetching = None
        self.box.setEnabled(True)
        self.cancel_button.hide()
        self.progress.hide()
        self._show_consequence()

    def _say(self, text: str, *, problem: bool = False) -> None:
        set_role(self.said, "problem" if problem else "")
        self.said.setText(text)
        self.said.setVisible(bool(text))

"""Tune my model: a page of the window with four quiet steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.jobs import Job, JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_controller import TuningController
from storydesk.bridge.tuning_sources import gather_data
from storydesk.domain.failures import Failure
from storydesk.domain.style_model import StyleModel
from storydesk.domain.tuning import RunState, TuningPlan
from storydesk.services.desk import Desk
from storydesk.services.tuning import TuningOutcome
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, icon, make_label
from storydesk.ui.tuning.change_step import ChangeStep
from storydesk.ui.tuning.plan_step import PlanStep
from storydesk.ui.tuning.run_step import RunStep, measure_progress
from storydesk.ui.tuning.step_line import StepLine
from storydesk.ui.tuning.words_step import WordsStep

MEASURE_IN_LETTERS: Final = 92
WIDEST: Final = 16_777_215
"""Qt's own bound, which stands in no module."""
WORDS, PLAN, RUN, CHANGE = range(4)

Step = WordsStep | PlanStep | RunStep | ChangeStep


class TuningPage(QWidget):
    """Leads from the writer's words to a model in their voice. GUI thread."""

    model_changed = Signal(str)
    """The name of the model that is in use from now on."""
    leave_wanted = Signal()
    """Show the page of the text again; a run goes on beside it."""

    def __init__(
        self, controller: TuningController, desk: Desk, phrases: Phrases, parent: QWidget | None = None
    ) -> None:
        """Show step 1, or the run that is under way, and look for one that was broken off."""
        super().__init__(parent)
        self._controller = controller
        self._desk = desk
        self._jobs = JobRunner(self)
        self._look: Job | None = None
        self._phrases = phrases
        self._previous = desk.models.active
        self._made: StyleModel | None = None
        self._run_folder: Path | None = None
        self.words = WordsStep(desk, phrases)
        self.plan = PlanStep(desk, phrases)
        self.run = RunStep(phrases, desk.settings)
        self.change = ChangeStep(phrases, desk.settings, lambda name: desk.models.details(name).card)
        self.steps = StepLine([self.tr("Your words"), self.tr("The plan"), self.tr("Running"), self.tr("What changed")])
        self._all_steps: tuple[WordsStep | PlanStep | RunStep | ChangeStep, ...] = (
            self.words,
            self.plan,
            self.run,
            self.change,
        )
        self._step = WORDS
        self._build_layout()
        self._connect()
        self._show_step(RUN if controller.busy else WORDS)
        if controller.state is not None and controller.busy:
            self.run.show_state(controller.state)
        controller.look_for_unfinished()

    @property
    def step(self) -> int:
        """Which step is shown, 0 to 3."""
        return self._step

    def close_jobs(self) -> None:
        """End what this page started beside the run; the window calls it before it goes."""
        self._drop_look()
        self._jobs.close()
        self.words.close_jobs()
        self.plan.close_jobs()
        self.run.close_jobs()
        self.change.close_jobs()

    def showEvent(self, event: QShowEvent) -> None:
        """Read again what was changed while the writer was at the text."""
        super().showEvent(event)
        self.words.data.look_again()

    def _build_layout(self) -> None:
        back = QPushButton(icon("arrow-left"), self.tr("Back to writing"))
        back.setProperty("role", "flat")
        back.clicked.connect(self.leave_wanted)
        head = QHBoxLayout()
        head.setSpacing(SPACE_M)
        head.addWidget(self.steps, 1)
        head.addWidget(back)
        contents = QWidget()
        inner = QVBoxLayout(contents)
        inner.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_M)
        inner.setSpacing(SPACE_L)
        inner.addLayout(head)
        inner.addWidget(self._build_offer())
        # Four widgets of which one shows; a QStackedWidget would be as tall as the tallest of them.
        for step in self._all_steps:
            inner.addWidget(step, 1)
        area = self._area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._centre(contents))
        buttons = QWidget()
        bottom = QVBoxLayout(buttons)
        bottom.setContentsMargins(SPACE_XL, SPACE_M, SPACE_XL, SPACE_L)
        for step in self._all_steps:
            bottom.addWidget(step.buttons)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addWidget(area, 1)
        whole.addWidget(self._centre(buttons))
        self._columns = (contents, buttons)

    def _centre(self, widget: QWidget) -> QWidget:
        """Return a widget in the middle, no wider than a line that reads well."""
        self._set_wide(widget, wide=False)
        around = QWidget()
        around.setObjectName("scrolled")
        row = QHBoxLayout(around)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch(1)
        row.addWidget(widget, 1000)
        row.addStretch(1)
        return around

    def _on_wide_changed(self, wide: bool) -> None:
        for column in self._columns:
            self._set_wide(column, wide=wide)

    def _set_wide(self, widget: QWidget, *, wide: bool) -> None:
        """Let a widget have all the width, or as much as a line that reads well."""
        widget.setMaximumWidth(WIDEST if wide else self.fontMetrics().averageCharWidth() * MEASURE_IN_LETTERS)

    def _build_offer(self) -> QFrame:
        self.offer = QFrame()
        self.offer.setProperty("role", "card")
        self.offer_text = make_label()
        self.go_on_button = QPushButton(self.tr("Go on"))
        self.go_on_button.setAccessibleName(self.tr("Go on with the tuning that was broken off"))
        self.go_on_button.clicked.connect(self._resume)
        not_now = QPushButton(self.tr("Not now"))
        not_now.setProperty("role", "flat")
        not_now.clicked.connect(self.offer.hide)
        self.discard_button = QPushButton(self.tr("Throw it away"))
        self.discard_button.setProperty("role", "flat")
        self.discard_button.setToolTip(self.tr("Deletes what that tuning had learnt; your models and stories stay"))
        self.discard_button.clicked.connect(self._discard)
        row = QHBoxLayout(self.offer)
        row.setContentsMargins(SPACE_L, SPACE_M, SPACE_M, SPACE_M)
        row.setSpacing(SPACE_S)
        row.addWidget(self.offer_text, 1)
        row.addWidget(self.discard_button)
        row.addWidget(not_now)
        row.addWidget(self.go_on_button)
        self.offer.hide()
        return self.offer

    def _connect(self) -> None:
        self.words.next_wanted.connect(self._on_next_wanted)
        self.words.wide_changed.connect(self._on_wide_changed)
        self.plan.back_wanted.connect(lambda: self._show_step(WORDS))
        self.plan.start_wanted.connect(self._start)
        self.plan.foresight_wanted.connect(self._foresee)
        self.run.pause_wanted.connect(self._controller.stop)
        self.run.best_wanted.connect(self._controller.keep_best)
        self.run.cancel_wanted.connect(self._controller.kill)
        self.change.adoption_wanted.connect(self._on_adoption_wanted)
        self.change.return_wanted.connect(self._on_return_wanted)
        self.change.resume_wanted.connect(self._resume)
        self.change.again_wanted.connect(self._on_again_wanted)
        self.change.leave_wanted.connect(self._on_leave_wanted)
        self._controller.state_changed.connect(self._on_state_changed)
        self._controller.finished.connect(self._on_finished)
        self._controller.failed.connect(self._on_failed)
        self._controller.unfinished_found.connect(self._on_unfinished_found)
        self._controller.model_changed.connect(self.model_changed)

    def _show_step(self, step: int) -> None:
        if step != self._step:
            self._area.verticalScrollBar().setValue(0)
        self._step = step
        for place, widget in enumerate(self._all_steps):
            widget.setVisible(place == step)
            widget.buttons.setVisible(place == step)
        self.steps.mark(step)

    def _on_next_wanted(self) -> None:
        self.words.show_front()
        counted = self.words.counted
        if counted is not None:
            self.plan.refresh(counted)
            self._show_step(PLAN)
            self.plan.start_button.setFocus()

    def _start(self) -> None:
        if self._controller.busy:
            return
        self._run_folder = None
        self._drop_look()
        self._begin()
        self._controller.start(self._gather(for_good=True))

    def _gather(self, *, for_good: bool = False) -> Callable[[], TuningPlan]:
        """Return what makes the plan as it is chosen now; slow, for another thread.

        The text that was looked through is kept as a version, which stays where the plan is ``for_good``.
        """
        choices, sources, desk = self.plan.choices, self.words.sources, self._desk
        keep = self.words.data.make_keeper(for_good=for_good)

        def make_plan() -> TuningPlan:
            data = keep() or gather_data(sources, desk.manuscripts, desk.home / "tuning")
            return TuningPlan(choices.name, choices.base, data, choices.minutes, choices.seed, choices.settings)

        return make_plan

    def _foresee(self) -> None:
        """Let the trainer look at words and machine; an earlier look is given up."""
        self._drop_look()
        if self.step != PLAN or self._controller.busy:
            return
        make_plan, tuning = self._gather(), self._desk.tuning
        look = self._look = self._jobs.start(lambda progress: tuning.foresee(make_plan(), progress))
        look.succeeded.connect(lambda state: self._on_foreseen(look, state))
        look.failed.connect(lambda failure: self._on_not_foreseen(look, failure))

    def _drop_look(self) -> None:
        if self._look is not None:
            self._look.cancel()
            self._look = None

    def _on_foreseen(self, look: Job, state: RunState) -> None:
        if look is self._look and state.planned is not None:
            self._look = None
            self.plan.show_foresight(state.planned)

    def _on_not_foreseen(self, look: Job, failure: Failure) -> None:
        if look is self._look:
            self._look = None
            self.plan.show_trouble(failure)

    def _resume(self) -> None:
        if self._run_folder is not None and not self._controller.busy:
            self._begin()
            self._controller.resume(self._run_folder)

    def _discard(self) -> None:
        if self._run_folder is not None and not self._controller.busy:
            self.offer.hide()
            self._controller.discard(self._run_folder)
            self._run_folder = None

    def _begin(self) -> None:
        self._previous = self._desk.models.active
        self._made = None
        self.offer.hide()
        self.run.begin()
        self._show_step(RUN)
        self.run.pause_button.setFocus()

    def _on_state_changed(self, state: RunState) -> None:
        self._run_folder = state.folder
        if self.step != RUN:
            self._show_step(RUN)
        self.run.show_state(state)

    def _on_finished(self, outcome: TuningOutcome) -> None:
        self._made = outcome.model
        self._run_folder = outcome.state.folder
        self.change.show_outcome(outcome)
        self._show_step(CHANGE)
        self.change.leave_button.setFocus()

    def _on_failed(self, failure: Failure) -> None:
        self.change.show_failure(failure, self._controller.state)
        self._show_step(CHANGE)
        self.change.again_button.setFocus()

    def _on_unfinished_found(self, states: tuple[RunState, ...]) -> None:
        if not states or self._controller.busy:
            return
        self._run_folder = states[0].folder
        percent = round(measure_progress(states[0]) * 100)
        said = self.tr("A tuning was broken off when it was about {percent} percent done. It can go on from there.")
        self.offer_text.setText(said.format(percent=percent))
        self.offer.show()

    def _on_adoption_wanted(self) -> None:
        if self._made is not None:
            self._use(self._made.name, self._made.name, is_new=True)

    def _on_return_wanted(self) -> None:
        if self._made is not None:
            self._use(self._previous, self._made.name, is_new=False)

    def _use(self, wanted: str, made: str, *, is_new: bool) -> None:
        """Check a model's files and put it into use, on a thread."""

        def on_used(model: StyleModel) -> None:
            self.change.show_in_use(made, is_new=is_new)
            self.model_changed.emit(model.name)

        self._jobs.start(
            lambda _: self._desk.models.use(wanted), on_success=on_used, on_failure=self.change.show_choice_failure
        )

    def _on_again_wanted(self) -> None:
        counted = self.words.counted
        if counted is None:
            self._show_step(WORDS)
            return
        self.plan.refresh(counted)
        self._show_step(PLAN)

    def _on_leave_wanted(self) -> None:
        """Go back to the text; the next visit begins anew."""
        self._show_step(PLAN if self.words.counted is not None else WORDS)
        self.leave_wanted.emit()

"""Improve from my feedback: what will be learned from, one button, the run, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from storydesk.bridge.improving_controller import ImprovingController
from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure
from storydesk.domain.feedback import Feedback
from storydesk.domain.improving import ImprovingChances
from storydesk.domain.style_model import StyleModel
from storydesk.domain.tuning import RunState
from storydesk.services.desk import Desk
from storydesk.services.tuning import TuningOutcome
from storydesk.ui.judging.gather_step import GatherStep
from storydesk.ui.judging.step_page import StepPage
from storydesk.ui.tuning.change_step import ChangeStep
from storydesk.ui.tuning.run_step import RunStep


class ImprovePage(StepPage):
    """Turns between gathering, the run and what changed. GUI thread."""

    model_changed = Signal(str)
    """The name of a model that the writer went back to, or took, after the run."""

    def __init__(
        self, controller: ImprovingController, desk: Desk, phrases: Phrases, parent: QWidget | None = None
    ) -> None:
        """Show what there is to learn from, or the run that is under way."""
        super().__init__(parent)
        self._controller, self._desk, self._phrases = controller, desk, phrases
        self._jobs = JobRunner(self)
        self._previous = ""
        self._focus_due = False
        self._outcome: TuningOutcome | None = None
        self.gather = GatherStep()
        self.run = RunStep(phrases, desk.settings)
        self.change = ChangeStep(phrases, desk.settings, lambda name: desk.models.details(name).card)
        self.change.again_button.setText(self.tr("Look through it again"))
        self.change.use_button.setText(self.tr("Use the new one"))
        self.change.leave_button.setText(self.tr("Back to judging"))
        steps: tuple[GatherStep | RunStep | ChangeStep, ...] = (self.gather, self.run, self.change)
        self.build(self.tr("Improve from my feedback"), [(step, step.buttons) for step in steps])
        self._join()

    def begin(self) -> None:
        """Gather anew, unless a run of this page is under way or its end was not read yet."""
        self.gather.allow(busy=self._controller.tuning.busy)
        if self._controller.tuning.busy and self._controller.is_own_run:
            self.show_step(self.run)
        elif self.gather.isVisibleTo(self):
            self._gather_anew()

    def close_jobs(self) -> None:
        """End what this page started; the window calls it before it goes."""
        self._jobs.close()
        self.run.close_jobs()
        self.change.close_jobs()

    def _join(self) -> None:
        controller, tuning = self._controller, self._controller.tuning
        controller.named.connect(self.gather.suggest_name)
        controller.looked.connect(self._on_looked)
        controller.failed.connect(lambda failure: self.gather.say_trouble(self._say(failure)))
        self.gather.list.leave_out_wanted.connect(lambda keys, back: controller.leave_out(keys, undo=back))
        self.gather.improve_wanted.connect(self._start)
        self.run.pause_wanted.connect(tuning.stop)
        self.run.best_wanted.connect(tuning.keep_best)
        self.run.cancel_wanted.connect(tuning.kill)
        self.change.adoption_wanted.connect(lambda: self._use(is_new=True))
        self.change.return_wanted.connect(lambda: self._use(is_new=False))
        self.change.resume_wanted.connect(self._resume)
        self.change.again_wanted.connect(self._look_again)
        self.change.leave_wanted.connect(self.leave)
        tuning.busy_changed.connect(lambda busy: self.gather.allow(busy=busy))
        tuning.state_changed.connect(self._on_state_changed)
        tuning.finished.connect(self._on_finished)
        tuning.failed.connect(self._on_failed)

    def _start(self) -> None:
        self._begin_run()
        self._controller.start(self.gather.wish)

    def _resume(self) -> None:
        state = self._controller.tuning.state
        if state is not None and not self._controller.tuning.busy:
            self._begin_run()
            self._controller.resume(state.folder)

    def _begin_run(self) -> None:
        self._previous = self._desk.models.active
        self._outcome = None
        self.gather.say_trouble("")
        self.run.begin()
        self.show_step(self.run)
        self.run.pause_button.setFocus()

    def _look_again(self) -> None:
        self.show_step(self.gather)
        self._gather_anew()

    def _gather_anew(self) -> None:
        self._focus_due = True
        self._controller.look()

    def _on_looked(self, feedback: Feedback, chances: ImprovingChances) -> None:
        self.gather.say_trouble("")
        self.gather.show_feedback(feedback, chances)
        if self._focus_due and self.gather.isVisible():
            self.gather.take_focus()
        self._focus_due = False

    def _on_state_changed(self, state: RunState) -> None:
        if self._controller.is_own_run:
            self.show_step(self.run)
            self.run.show_state(state)

    def _on_finished(self, outcome: TuningOutcome) -> None:
        if self._controller.is_own_run:
            self._outcome = outcome
            self.gather.forget_name()  # the next generation's is another one
            self.change.show_outcome(outcome)
            self.show_step(self.change)
            self._focus_end()

    def _on_failed(self, failure: Failure) -> None:
        if self._controller.is_own_run:
            self.change.show_failure(failure, self._controller.tuning.state)
            self.show_step(self.change)
            self._focus_end()

    def _focus_end(self) -> None:
        if self.isVisible():
            self.change.leave_button.setFocus()

    def _use(self, *, is_new: bool) -> None:
        """Take the new model, or go back to the one before it; its files are checked on a thread."""
        made = self._outcome.model if self._outcome is not None else None
        if made is None:
            return
        wanted = made.name if is_new else self._previous or self._desk.models.find_previous()

        def on_used(model: StyleModel) -> None:
            self.change.show_in_use(made.name, is_new=is_new)
            self.model_changed.emit(model.name)

        self._jobs.start(
            lambda _: self._desk.models.use(wanted), on_success=on_used, on_failure=self.change.show_choice_failure
        )

    def _say(self, failure: Failure) -> str:
        return "\n".join(part for part in self._phrases.say(failure) if part)

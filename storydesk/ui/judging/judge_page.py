"""Judging by machine: what is to be judged, the job with what goes on, and what it found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.judge_job_controller import JudgeJobController, JudgeSources, JudgeWish
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure
from storydesk.domain.judgement import JudgeReport, JudgeState
from storydesk.ui.judging.judge_plan_step import JudgePlanStep
from storydesk.ui.judging.judge_report_step import JudgeReportStep
from storydesk.ui.judging.judge_words import say_progress, say_work
from storydesk.ui.judging.step_page import StepPage
from storydesk.ui.theme import SPACE_M, icon, make_label


def open_in_browser(path: Path) -> bool:
    """Open a page in the browser; say whether there is one."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


class JudgeRunStep(QWidget):
    """Follows a JudgeState. GUI thread."""

    stop_wanted = Signal()

    def __init__(self, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Show a job that has not said anything yet."""
        super().__init__(parent)
        self._phrases = phrases
        self.work = make_label("", "heading")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How far the judging is"))
        self.progress = make_label("", "muted")
        self.notices = make_label("", "muted", selectable=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        for widget in (self.work, self.bar, self.progress, self.notices):
            column.addWidget(widget)
        column.addStretch(1)
        self.stop_button = QPushButton(icon("stop"), self.tr("Stop"))
        self.stop_button.setToolTip(self.tr("What is done is kept, and the judging can go on later"))
        self.stop_button.clicked.connect(self._stop)
        self.buttons = QWidget()
        row = QHBoxLayout(self.buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.addStretch()
        row.addWidget(self.stop_button)

    def begin(self) -> None:
        """Forget the job before."""
        self.stop_button.setEnabled(True)
        self.show_state(JudgeState("", Path()))

    def show_state(self, state: JudgeState) -> None:
        """Show where the job stands."""
        self.work.setText(say_work(state))
        self.bar.setRange(0, state.total)
        self.bar.setValue(state.done)
        self.progress.setText(say_progress(state) if self.stop_button.isEnabled() else self._say_stopping())
        self.notices.setText("\n".join(self._phrases.say_line(notice) for notice in state.notices))
        self.notices.setVisible(bool(state.notices))

    def _stop(self) -> None:
        self.stop_button.setEnabled(False)
        self.progress.setText(self._say_stopping())
        self.stop_wanted.emit()

    def _say_stopping(self) -> str:
        return self.tr("Stopping after what it is at; what is done is kept.")


class JudgePage(StepPage):
    """Turns between the plan, the job and the report. GUI thread."""

    def __init__(
        self,
        controller: JudgeJobController,
        phrases: Phrases,
        open_page: Callable[[Path], bool] = open_in_browser,
        parent: QWidget | None = None,
    ) -> None:
        """``open_page`` shows a report as a page and says whether it could."""
        super().__init__(parent)
        self._controller, self._phrases = controller, phrases
        self.open_page = open_page
        self.plan = JudgePlanStep()
        self.run = JudgeRunStep(phrases)
        self.report = JudgeReportStep()
        steps: tuple[JudgePlanStep | JudgeRunStep | JudgeReportStep, ...] = (self.plan, self.run, self.report)
        self.build(self.tr("Let the models be judged"), [(step, step.buttons) for step in steps])
        self._join()

    def begin(self) -> None:
        """Look for what there is, unless a job is under way or its report was not left yet."""
        if self._controller.busy:
            self.show_step(self.run)
            self.run.stop_button.setFocus()
        elif self.plan.isVisibleTo(self):
            self._controller.look()
            self.plan.models.setFocus()

    def close_jobs(self) -> None:
        """End what this page started; the window calls it before it goes."""
        self._controller.close()

    def _join(self) -> None:
        controller = self._controller
        controller.sources_found.connect(self._on_sources_found)
        controller.state_changed.connect(self.run.show_state)
        controller.reported.connect(self._on_reported)
        controller.stopped.connect(self._on_stopped)
        controller.failed.connect(self._on_failed)
        controller.busy_changed.connect(self._on_busy_changed)
        self.plan.start_wanted.connect(self._start)
        self.plan.resume_wanted.connect(self._resume)
        self.plan.open_wanted.connect(controller.read_report)
        self.plan.discard_wanted.connect(controller.discard)
        self.plan.restore_wanted.connect(controller.restore)
        controller.discarded.connect(self.plan.offer_undo)
        self.run.stop_wanted.connect(controller.stop)
        self.report.again_wanted.connect(self._plan_again)
        self.report.count_wanted.connect(controller.count_ratings)
        self.report.page_wanted.connect(self._open_page)

    def _start(self, wish: JudgeWish) -> None:
        self._controller.start(wish)

    def _resume(self, folder: Path) -> None:
        self._controller.resume(folder)

    def _on_busy_changed(self, busy: bool) -> None:
        if busy:
            self.plan.say_trouble("")
            self.run.begin()
            self.show_step(self.run)
            if self.isVisible():
                self.run.stop_button.setFocus()

    def _on_sources_found(self, sources: JudgeSources) -> None:
        self.plan.show_sources(sources)

    def _on_reported(self, report: JudgeReport) -> None:
        if self._controller.busy:
            return
        self.report.show_report(report)
        self.show_step(self.report)
        if self.isVisible():
            self.report.page_button.setFocus()

    def _on_stopped(self) -> None:
        self._plan_again()
        self.plan.say_trouble(self.tr("Stopped. What is done is kept; “Go on” below does the rest."), problem=False)

    def _on_failed(self, failure: Failure) -> None:
        if self._controller.busy:
            return
        self._plan_again()
        self.plan.say_trouble("\n".join(part for part in self._phrases.say(failure) if part))

    def _plan_again(self) -> None:
        self.show_step(self.plan)
        self._controller.look()
        if self.isVisible():
            self.plan.models.setFocus()

    def _open_page(self, path: Path) -> None:
        if not self.open_page(path):
            self.report.meaning.setText(self.tr("No program opens it here. It is at {path}.").format(path=str(path)))

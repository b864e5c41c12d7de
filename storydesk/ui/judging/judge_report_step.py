"""What automatic judging found: figures with intervals in a table, what each can't tell, and settings in order."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.judgement import JudgedMetric, JudgeReport
from storydesk.ui.figures import say_number
from storydesk.ui.judging.figure_table import FigureTable
from storydesk.ui.judging.judge_ratings_part import JudgeRatingsPart
from storydesk.ui.judging.judge_settings_part import JudgeSettingsPart
from storydesk.ui.judging.judge_words import say_direction, say_figure, say_metric, say_settings_of
from storydesk.ui.theme import SPACE_M, icon, make_label, set_role

Row = tuple[JudgedMetric, bool]


class JudgeReportStep(QWidget):
    """Shows a JudgeReport. GUI thread."""

    page_wanted = Signal(object)
    """The Path of the report as a page."""
    again_wanted = Signal()
    duel_wanted = Signal(object, object)
    """A JudgeReport, and the contenders whose stories the writer wants to choose between."""
    rating_wanted = Signal(object)
    """A JudgeReport of which the writer wants to rate some stories."""
    count_wanted = Signal(object)
    """A JudgeReport that is to be held against the ratings of now."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a report."""
        super().__init__(parent)
        self.report: JudgeReport | None = None
        self._rows: list[Row] = []
        self.headline = make_label("")
        self.verdicts = make_label("", selectable=True)
        self.problem = make_label("", "problem", selectable=True)
        self.tried = JudgeSettingsPart()
        self.ratings = JudgeRatingsPart()
        self.settings = QComboBox()
        self.settings.setAccessibleName(self.tr("Settings that the figures are of"))
        self.settings.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.settings.setMinimumContentsLength(24)
        self.table = FigureTable(self.tr("Figures of every model"))
        self.meaning = make_label("", "muted")
        self._build()
        self.settings.currentIndexChanged.connect(self._show_figures)
        self.table.currentCellChanged.connect(lambda row, *_: self._show_meaning(row))
        self.page_button.clicked.connect(self._open_page)
        self.again_button.clicked.connect(self.again_wanted)
        self.tried.duel_wanted.connect(lambda contenders: self.duel_wanted.emit(self.report, contenders))
        self.ratings.rating_wanted.connect(lambda: self.rating_wanted.emit(self.report))
        self.ratings.count_wanted.connect(lambda: self.count_wanted.emit(self.report))

    def show_report(self, report: JudgeReport) -> None:
        """Show another report."""
        self.report = report
        self.headline.setText(
            self.tr("Prompts: {prompts}. With stories that people wrote: {references}. Models: {models}.").format(
                prompts=say_number(report.prompts),
                references=say_number(report.references),
                models=", ".join(report.models),
            )
        )
        self.verdicts.setText("\n".join(report.verdicts))
        self.verdicts.setVisible(bool(report.verdicts))
        self.say_problem("")
        self.tried.show_report(report)
        self.ratings.show_report(report)
        self.settings.blockSignals(True)
        self.settings.clear()
        self.settings.addItems([say_settings_of(report, number) for number in range(len(report.settings))])
        self.settings.blockSignals(False)
        self.settings.setVisible(len(report.settings) > 1)
        self._show_figures()

    def say_problem(self, words: str) -> None:
        """Say why something that was asked for here can't be."""
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    def _show_figures(self) -> None:
        report = self.report
        if report is None:
            return
        chosen = max(0, self.settings.currentIndex())
        found = {(each.metric, each.model, each.cut): each for each in report.figures if each.settings in (chosen, -1)}
        writers = [writer for writer in ("", *report.models) if any(key[1] == writer for key in found)]
        self._rows = []
        rows = []
        for metric in report.metrics:
            for cut in (False, True):
                if any((metric.name, writer, cut) in found for writer in writers):
                    self._rows.append((metric, cut))
                    figures = [say_figure(metric, found.get((metric.name, writer, cut))) for writer in writers]
                    rows.append((say_metric(report, metric, cut=cut), *figures, say_direction(metric)))
        names = (each or self.tr("People") for each in writers)
        self.table.show_rows((self.tr("Measure"), *names, self.tr("Good is")), rows)
        for row, (metric, _cut) in enumerate(self._rows):
            for column in range(self.table.columnCount()):
                item = self.table.item(row, column)
                if item is not None:
                    item.setToolTip(self._say_meaning(metric))
                    item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, self._say_meaning(metric))
        if rows:
            self.table.setCurrentCell(0, 0)
        self._show_meaning(self.table.currentRow())

    def _show_meaning(self, row: int) -> None:
        self.meaning.setText(self._say_meaning(self._rows[row][0]) if 0 <= row < len(self._rows) else "")

    def _say_meaning(self, metric: JudgedMetric) -> str:
        return " ".join(part for part in (metric.tells, metric.misses) if part)

    def _open_page(self) -> None:
        if self.report is not None:
            self.page_wanted.emit(self.report.page)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.headline)
        column.addWidget(self.verdicts)
        column.addWidget(self.tried)
        column.addWidget(make_label(self.tr("Figures, and between which two the true one lies"), "heading"))
        row = QHBoxLayout()
        row.addWidget(self.settings)
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.table)
        column.addWidget(self.ratings)
        column.addStretch(1)
        self.buttons = QWidget()
        below = QVBoxLayout(self.buttons)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.problem)
        below.addWidget(self.meaning)
        bottom = QHBoxLayout()
        bottom.addStretch(1)
        self.again_button = QPushButton(self.tr("Judge again"))
        self.page_button = QPushButton(icon("file-text", "on_accent"), self.tr("Open the report"))
        self.page_button.setToolTip(self.tr("The whole report with its pictures, in your browser"))
        set_role(self.page_button, "primary")
        bottom.addWidget(self.again_button)
        bottom.addWidget(self.page_button)
        below.addLayout(bottom)

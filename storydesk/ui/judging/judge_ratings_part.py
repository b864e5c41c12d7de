"""Whether the figures of a judging job go with what people said of its stories, and how to get more said."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.judgement import FEWEST_RATED, Agreeing, JudgedCorrelation, JudgeReport
from storydesk.domain.judging import Criterion, CriterionGuide
from storydesk.ui.figures import say_number
from storydesk.ui.judging.figure_table import FigureTable
from storydesk.ui.judging.judge_words import say_agreeing, say_correlation
from storydesk.ui.theme import SPACE_S, FlowLayout, icon, make_label


class JudgeRatingsPart(QWidget):
    """Shows a report's JudgedCorrelations, one question at a time. GUI thread."""

    rating_wanted = Signal()
    """The writer wants to rate some of the stories."""
    count_wanted = Signal()
    """The writer wants the ratings of now in the report."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a report; ``read_guides`` may be given later and says what questions are called."""
        super().__init__(parent)
        self.read_guides: Callable[[], Sequence[CriterionGuide]] = tuple
        self._report: JudgeReport | None = None
        self.said = make_label("", "muted")
        self.criteria = QComboBox()
        self.criteria.setAccessibleName(self.tr("What people were asked"))
        self.table = FigureTable(self.tr("Which figures go with people's judgement"))
        self.rate_button = QPushButton(icon("check"), self.tr("Rate some yourself…"))
        self.rate_button.setToolTip(self.tr("A sheet of these stories, without saying who wrote them"))
        self.count_button = QPushButton(icon("arrows-clockwise"), self.tr("Count the ratings in"))
        self.count_button.setToolTip(self.tr("Only the report is written anew; no story is"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(make_label(self.tr("Do the figures go with people's judgement?"), "heading"))
        top = FlowLayout(space=SPACE_S)
        top.add(self.criteria)
        column.addLayout(top)
        column.addWidget(self.table)
        column.addWidget(self.said)
        row = FlowLayout(space=SPACE_S)
        row.add(self.rate_button, self.count_button)
        column.addLayout(row)
        self.criteria.currentIndexChanged.connect(self._show_criterion)
        self.rate_button.clicked.connect(self.rating_wanted)
        self.count_button.clicked.connect(self.count_wanted)

    def show_report(self, report: JudgeReport) -> None:
        """Show another report's."""
        self._report = report
        names = {str(guide.criterion): guide.name for guide in self.read_guides()}
        enough = {each.criterion for each in report.correlations if each.value is not None}
        order = [str(each) for each in (Criterion.OVERALL, *Criterion)]
        found = sorted(enough, key=lambda each: order.index(each) if each in order else len(order))
        self.criteria.blockSignals(True)
        self.criteria.clear()
        for criterion in found:
            self.criteria.addItem(names.get(criterion, criterion), criterion)
        self.criteria.blockSignals(False)
        self.criteria.setVisible(len(found) > 1)
        self.table.setVisible(bool(found))
        self.count_button.setVisible(bool(report.job_id))
        self._show_criterion()

    def _show_criterion(self) -> None:
        report = self._report
        if report is None:
            return
        criterion = self.criteria.currentData()
        rows = [each for each in report.correlations if each.criterion == criterion and each.value is not None]
        rows.sort(key=_order)
        titles = {metric.name: metric.title for metric in report.metrics}
        self.table.show_rows(
            (
                self.tr("Measure"),
                self.tr("Goes with people's judgement"),
                self.tr("As it is"),
                self.tr("Length taken out"),
                self.tr("Rated stories"),
            ),
            [
                (
                    titles.get(each.metric, each.metric),
                    say_agreeing(each),
                    say_correlation(each.value, each.low, each.high),
                    say_correlation(each.value_apart, each.low_apart, each.high_apart),
                    say_number(each.stories),
                )
                for each in rows
            ],
        )
        if rows:
            self.table.setCurrentCell(0, 0)
        self.said.setText(self._say(rows))

    def _say(self, rows: Sequence[JudgedCorrelation]) -> str:
        if rows:
            return self.tr(
                "From -1 to 1, and between which two the true one lies. The words go by the figures with the stories' "
                "length taken out. Of twenty measures that mean nothing, about one looks as if it did."
            )
        most = max((each.stories for each in self._report.correlations), default=0) if self._report is not None else 0
        how = self.tr(
            "Rate at least {least} of them, then count the ratings in: only the report is written anew, no story."
        ).format(least=say_number(FEWEST_RATED))
        if not most:
            return self.tr("Nobody has rated these stories as far as the report knows. {how}").format(how=how)
        return self.tr("Rated stories so far: {count}, too few to tell. {how}").format(count=say_number(most), how=how)


def _order(correlation: JudgedCorrelation) -> tuple[bool, float]:
    """Return what sorts the surest first."""
    return correlation.agreeing is Agreeing.UNKNOWN, -abs(correlation.surest[0] or 0.0)

"""The settings that a judging job tried, nearest to people first: write on with some, or choose between two blind."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.judgement import JudgeReport
from storydesk.services.judge_sheets import Contender, choose_contenders, list_rows
from storydesk.ui.judging.figure_table import FigureTable
from storydesk.ui.judging.judge_words import say_distance, say_settings, say_settings_of
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon, make_label


class JudgeSettingsPart(QWidget):
    """Ranks settings and lets them be used. GUI thread."""

    settings_wanted = Signal(object, str)
    """Settings to write on with, by name, and what a preset of them is called."""
    given_back = Signal()
    """The writer wants to write as before."""
    duel_wanted = Signal(object)
    """Contenders whose stories the writer wants to choose between."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without a report."""
        super().__init__(parent)
        self._report: JudgeReport | None = None
        self._rows: list[Contender] = []
        self.heading = make_label("", "heading")
        self.ranking = FigureTable(self.tr("Settings, nearest to people's stories first"))
        self.use_button = QPushButton(icon("sliders-horizontal"), self.tr("Write with these settings"))
        self.use_button.setToolTip(self.tr("Your own controls take these values; Undo brings yours back"))
        self.duel_button = QPushButton(icon("columns"), self.tr("Choose between them yourself…"))
        self.taken = make_label()
        self.undo_button = QPushButton(self.tr("Undo"))
        self._build()
        self.ranking.currentCellChanged.connect(lambda *_: self._on_row_changed())
        self.use_button.clicked.connect(self._use)
        self.duel_button.clicked.connect(lambda: self.duel_wanted.emit(self.contenders))
        self.undo_button.clicked.connect(self._undo)

    @property
    def chosen(self) -> Contender | None:
        """The model and the settings of the row that is chosen."""
        row = self.ranking.currentRow()
        return self._rows[row] if 0 <= row < len(self._rows) else None

    @property
    def contenders(self) -> tuple[Contender, ...]:
        """Whose stories meet where the writer chooses."""
        return choose_contenders(self._report, self.chosen) if self._report is not None else ()

    def show_report(self, report: JudgeReport) -> None:
        """Show another report's settings."""
        self._report = report
        self._rows = list_rows(report)
        self._forget()
        for widget in (self.heading, self.ranking, self.use_button):
            widget.setVisible(bool(self._rows))
        if self._rows:
            ranked = bool(report.sweeps)
            self.heading.setText(
                self.tr("Settings, nearest to people's stories first")
                if ranked
                else self.tr("Settings that were tried")
            )
            headings = (self.tr("Settings"), self.tr("Model"), self.tr("How they write"))
            self.ranking.show_rows(headings, [self._say_row(report, row) for row in self._rows])
            self.ranking.setCurrentCell(0, 0)
        self.setVisible(bool(self._rows) or bool(self.contenders))
        self._on_row_changed()

    def _say_row(self, report: JudgeReport, row: Contender) -> tuple[str, str, str]:
        ranks = report.sweeps.get(row.model, ())
        said = [
            say_distance(rank, is_first=not place) for place, rank in enumerate(ranks) if rank.settings == row.settings
        ]
        nothing = self.tr("no stories of people to hold them against")
        return say_settings_of(report, row.settings), row.model, said[0] if said else nothing

    def _on_row_changed(self) -> None:
        report, contenders = self._report, self.contenders
        if report is None:
            return
        self.use_button.setEnabled(self._find_values() is not None)
        self.duel_button.setVisible(bool(contenders))
        if self._rows and contenders:
            who = [say_settings_of(report, each.settings) for each in contenders]
        else:
            who = [each.model for each in contenders]
        self.duel_button.setToolTip(
            self.tr("Pairs of their stories, without saying which is whose: {names}").format(names=" · ".join(who))
        )

    def _find_values(self) -> Mapping[str, float] | None:
        report, row = self._report, self.chosen
        return report.values_of(row.settings) if report is not None and row is not None else None

    def _use(self) -> None:
        values = self._find_values()
        if values is None:
            return
        self.settings_wanted.emit(values, say_settings(values))
        self.taken.setText(
            self.tr(
                "You write on with {settings} now; else words are drawn as usual. “How the model writes” beside the "
                "page has them among your presets."
            ).format(settings=say_settings(values))
        )
        self.taken_row.show()
        self.undo_button.setFocus()

    def _undo(self) -> None:
        self.given_back.emit()
        self._forget()
        self.use_button.setFocus()

    def _forget(self) -> None:
        self.taken_row.hide()

    def hideEvent(self, event: QHideEvent) -> None:
        """Offer no undo any more once the writer has gone to write: the controls may be others by then."""
        super().hideEvent(event)
        if not event.spontaneous():
            self._forget()

    def _build(self) -> None:
        self.taken_row = QWidget()
        said = QHBoxLayout(self.taken_row)
        said.setContentsMargins(0, 0, 0, 0)
        said.setSpacing(SPACE_M)
        said.addWidget(self.taken, 1)
        said.addWidget(self.undo_button)
        row = FlowLayout(space=SPACE_S)
        row.add(self.use_button, self.duel_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.heading)
        column.addWidget(self.ranking)
        column.addLayout(row)
        column.addWidget(self.taken_row)
        self.taken_row.hide()

"""What came of a sheet: averages, choices, an order, agreement; letters for names until the writer wants to know."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.judging_controller import SheetResults
from storydesk.domain.judging import Criterion, CriterionGuide
from storydesk.domain.judging_summary import Summary
from storydesk.ui.figures import say_number
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.judging.figure_table import FigureTable
from storydesk.ui.judging.results_words import (
    say_agreement,
    say_difference,
    say_duel,
    say_estimate,
    say_headline,
    say_percent,
    say_place,
    say_ranking,
    say_verdict,
)
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, FlowLayout, VerticalArea, icon, make_label, set_role


class ResultsPage(QWidget):
    """Shows one sheet's figures as tables. GUI thread."""

    leave_wanted = Signal()
    reveal_wanted = Signal(int)
    """The id of a sheet whose names are wanted."""

    def __init__(self, guides: Callable[[], Sequence[CriterionGuide]], parent: QWidget | None = None) -> None:
        """Begin with nothing to show."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._guides = guides
        self.results: SheetResults | None = None
        self.title = make_label("", "title")
        self.headline = make_label("", "muted")
        self.verdict = make_label()
        self.averages = FigureTable(self.tr("Averages"))
        self.differences = FigureTable(self.tr("Differences"))
        self.duels = FigureTable(self.tr("Choices between two"))
        self.ranking = FigureTable(self.tr("The order of all"))
        self.agreement = FigureTable(self.tr("How far people agree"))
        self.ranking_words = make_label("", "muted")
        self._sections: list[QWidget] = []
        self._build()
        hear(self, ("Esc",), self.leave_wanted.emit)

    def show_results(self, results: SheetResults) -> None:
        """Show what a sheet says by now."""
        self.results = results
        summary, sheet = results.summary, results.card.sheet
        self.title.setText(sheet.name)
        self.headline.setText(say_headline(summary))
        self.verdict.setText(say_verdict(summary))
        self.verdict.setVisible(bool(self.verdict.text()))
        self._show_averages(summary)
        self._show_duels(summary)
        self._show_agreement(summary)
        said = bool(summary.ratings or summary.choices)
        for section, shown in zip(
            self._sections,
            (
                bool(summary.contenders),
                bool(summary.differences),
                bool(summary.duels),
                summary.ranking is not None,
                bool(summary.agreements),
            ),
            strict=True,
        ):
            section.setVisible(shown)
        self.limits.setVisible(said)
        self._show_names(results, said=said)

    def _show_names(self, results: SheetResults, *, said: bool) -> None:
        sheet = results.card.sheet
        self.ask.hide()
        self.reveal_button.setVisible(not sheet.revealed and not sheet.is_guest)
        self.reveal_button.setEnabled(said)
        self.reveal_button.setToolTip("" if said else self.tr("First somebody has to rate"))
        if sheet.revealed:
            words = self.tr("The names are shown, so this sheet takes no more ratings from anybody here.")
        elif sheet.is_guest:
            words = self.tr("This sheet is somebody else’s: only they know who wrote what.")
        else:
            words = self.tr("Letters stand for the names until you want to know them.")
        self.blind_words.setText(words)

    def _ask_to_reveal(self) -> None:
        results = self.results
        if results is None:
            return
        local = [(rater.name, done) for rater, done in results.card.raters if not rater.is_guest]
        open_ = [(name, results.card.items - done) for name, done in local if done < results.card.items]
        left = ", ".join(
            self.tr("{name} has {count} left").format(name=name, count=say_number(count)) for name, count in open_
        )
        final = self.tr("Once the names are shown, nobody here can rate this sheet any more.")
        self.ask_words.setText(f"{left}. {final}" if left else final)
        self.ask.show()
        self.keep_blind_button.setFocus()

    def _show_averages(self, summary: Summary) -> None:
        asked = [
            guide
            for guide in self._guides()
            if any(guide.criterion in contender.averages for contender in summary.contenders)
        ]
        self.averages.show_rows(
            [self.tr("Criterion"), *(contender.name for contender in summary.contenders)],
            [
                [
                    guide.name,
                    *(
                        say_estimate(contender.averages[guide.criterion])
                        if guide.criterion in contender.averages
                        else "–"
                        for contender in summary.contenders
                    ),
                ]
                for guide in asked
            ],
        )
        self.differences.show_rows(
            [self.tr("Criterion"), self.tr("Between"), self.tr("Points apart"), self.tr("What it tells")],
            [
                [
                    self._name(each.criterion),
                    self.tr("{first} and {second}").format(first=each.first, second=each.second),
                    say_estimate(each.points, 2),
                    say_difference(each),
                ]
                for each in summary.differences
            ],
        )

    def _show_duels(self, summary: Summary) -> None:
        self.duels.show_rows(
            [
                self.tr("Between"),
                self.tr("First chosen"),
                self.tr("Second chosen"),
                self.tr("No difference"),
                self.tr("The first wins"),
                self.tr("What it tells"),
            ],
            [
                [
                    self.tr("{first} and {second}").format(first=duel.first, second=duel.second),
                    say_number(duel.wins),
                    say_number(duel.losses),
                    say_number(duel.ties),
                    say_percent(duel.rate),
                    say_duel(duel),
                ]
                for duel in summary.duels
            ],
        )
        ranking = summary.ranking
        self.ranking.show_rows(
            [self.tr("Place"), self.tr("Name"), self.tr("Strength"), self.tr("Wins")],
            [
                [say_place(each), each.name, say_estimate(each.strength, 2), say_number(each.wins, 1)]
                for each in (ranking.standings if ranking is not None else ())
            ],
        )
        self.ranking_words.setText(say_ranking(ranking) if ranking is not None else "")

    def _show_agreement(self, summary: Summary) -> None:
        rows = [
            [
                self._name(each.criterion) if each.criterion is not None else self.tr("Which is better"),
                say_number(each.texts),
                say_estimate(each.alpha, 2) if each.alpha is not None else "–",
                say_estimate(each.correlations.agreement, 2) if each.correlations is not None else "–",
                say_estimate(each.correlations.agreement_mean, 2) if each.correlations is not None else "–",
                say_agreement(each),
            ]
            for each in summary.agreements
        ]
        headings = [
            self.tr("About"),
            self.tr("Judged by several"),
            self.tr("Alpha"),
            self.tr("ICC of one"),
            self.tr("ICC of their mean"),
            self.tr("What it tells"),
        ]
        if all(each.criterion is None for each in summary.agreements):  # choices have no such figures
            headings, rows = headings[:3] + headings[5:], [row[:3] + row[5:] for row in rows]
        self.agreement.show_rows(headings, rows)

    def _name(self, criterion: Criterion) -> str:
        return next(guide.name for guide in self._guides() if guide.criterion is criterion)

    def _build(self) -> None:
        back = QPushButton(icon("arrow-left"), self.tr("To the sheets"))
        set_role(back, "flat")
        back.clicked.connect(self.leave_wanted)
        self.back_button = back
        head = QHBoxLayout()
        head.addWidget(self.title, 1)
        head.addWidget(back)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addWidget(self.headline)
        column.addWidget(self.verdict)
        column.addLayout(self._build_names())
        column.addWidget(self.ask)
        average_words = self.tr(
            "Points from 1 to 5. The true average lies between the figures in brackets 95 times in 100, as far as "
            "these texts and raters stand for others."
        )
        agreement_words = self.tr(
            "Alpha is 1 where all say the same and 0 where it might be chance. ICC says how much of the spread is the "
            "texts’ and not the raters’, for one rater’s points and for the mean of all. Neither says who is right."
        )
        for heading, words, table in (
            (self.tr("Averages"), make_label(average_words, "muted"), self.averages),
            (self.tr("Differences"), None, self.differences),
            (self.tr("Choices between two"), None, self.duels),
            (self.tr("The order of all"), self.ranking_words, self.ranking),
            (self.tr("How far people agree"), make_label(agreement_words, "muted"), self.agreement),
        ):
            column.addWidget(self._make_section(heading, words, table))
        self.limits = make_label(
            self.tr(
                "All this tells what these people thought of these texts. Few prompts, one taste or a tired evening "
                "can turn it; longer texts are often liked better for their length alone."
            ),
            "muted",
        )
        column.addWidget(self.limits)
        column.addStretch(1)
        page = QVBoxLayout(self)
        page.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, 0)
        page.setSpacing(SPACE_M)
        page.addLayout(head)
        page.addWidget(VerticalArea(inside), 1)

    def _build_names(self) -> QHBoxLayout:
        self.blind_words = make_label("", "muted", wrap=True)
        self.reveal_button = QPushButton(icon("eye"), self.tr("Show the names…"))
        self.reveal_button.clicked.connect(self._ask_to_reveal)
        self.ask = QFrame()
        set_role(self.ask, "card")
        self.ask_words = make_label()
        self.sure_button = QPushButton(self.tr("Show them"))
        set_role(self.sure_button, "primary")
        self.sure_button.clicked.connect(self._on_sure)
        self.keep_blind_button = QPushButton(self.tr("Not yet"))
        self.keep_blind_button.clicked.connect(self.ask.hide)
        buttons = FlowLayout()
        buttons.add(self.keep_blind_button, self.sure_button)
        column = QVBoxLayout(self.ask)
        column.setContentsMargins(SPACE_L, SPACE_M, SPACE_L, SPACE_M)
        column.setSpacing(SPACE_S)
        column.addWidget(self.ask_words)
        column.addLayout(buttons)
        self.ask.hide()
        row = QHBoxLayout()
        row.setSpacing(SPACE_M)
        row.addWidget(self.reveal_button)
        row.addWidget(self.blind_words, 1)
        return row

    def _make_section(self, heading: str, words: QWidget | None, table: FigureTable) -> QWidget:
        section = QWidget()
        column = QVBoxLayout(section)
        column.setContentsMargins(0, SPACE_M, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(make_label(heading, "heading"))
        if words is not None:
            column.addWidget(words)
        column.addWidget(table)
        self._sections.append(section)
        return section

    def _on_sure(self) -> None:
        self.ask.hide()
        if self.results is not None:
            self.reveal_wanted.emit(self.results.card.sheet.id)

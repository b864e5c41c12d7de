"""Where a draft surprises: its figures, their course, and the sentences that stand out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from storydesk.bridge.draft_score import DraftScore, ScoreState
from storydesk.bridge.insight_item_model import Entry
from storydesk.domain.insight import HeatKind, SurprisingPart, TrendPoint
from storydesk.services.insight import DraftValue, SurpriseReport
from storydesk.ui.drafts.version_words import say_moment
from storydesk.ui.figures import say_number, say_perplexity
from storydesk.ui.insight.choice_row import ChoiceRow
from storydesk.ui.insight.entry_list import EntryList
from storydesk.ui.insight.trend_plot import TrendPlot
from storydesk.ui.sentences import say_draft
from storydesk.ui.theme import SPACE_S, SPACE_XS, FlowLayout, make_label, set_role

PARAGRAPHS, CHAPTERS, DRAFTS = "paragraphs", "chapters", "drafts"
SENTENCES = "sentences"


class SurprisePage(QWidget):
    """The Insight tab's first page. GUI thread."""

    point_chosen = Signal(object)
    """The TrendPoint that the writer wants to go to."""
    part_chosen = Signal(object)
    """The SurprisingPart that the writer wants to go to."""
    drafts_wanted = Signal()
    """The writer wants to see the other drafts."""

    def __init__(
        self, actions: Mapping[str, QAction], read_line: Callable[[int], str], parent: QWidget | None = None
    ) -> None:
        """Begin with nothing known; ``read_line`` gives a line of the page."""
        super().__init__(parent)
        self._read_line = read_line
        self.figures = make_label("", "heading", self)
        self.scope = ChoiceRow(
            self.tr("Course by"),
            {PARAGRAPHS: self.tr("Paragraphs"), CHAPTERS: self.tr("Chapters"), DRAFTS: self.tr("Drafts")},
            self,
        )
        self.plot = TrendPlot(self)
        self.told = make_label("", "muted", self)
        self.told.setMinimumHeight(2 * self.told.fontMetrics().lineSpacing())
        self.told.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        self.unit = ChoiceRow(
            self.tr("What surprises most"), {SENTENCES: self.tr("Sentences"), PARAGRAPHS: self.tr("Paragraphs")}, self
        )
        self.list = EntryList(self.tr("What surprises most"), self)
        self._report = SurpriseReport((), ())
        self._courses: dict[str, tuple[TrendPoint, ...]] = {PARAGRAPHS: (), CHAPTERS: (), DRAFTS: ()}
        self._missing = 0
        self._times: dict[int, float] = {}
        self._score: DraftScore | None = None
        self._state = ScoreState.UNKNOWN
        heat = FlowLayout(space=SPACE_XS)
        for kind in HeatKind:
            button = QToolButton(self)
            button.setDefaultAction(actions[f"heat_{kind}"])
            set_role(button, "flat")
            heat.add(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        for widget in (self.figures, self.scope, self.plot, self.told):
            column.addWidget(widget)
        column.addWidget(make_label(self.tr("On the page"), "heading", self))
        column.addLayout(heat)
        column.addWidget(make_label(self.tr("What surprises most"), "heading", self))
        column.addWidget(self.unit)
        column.addWidget(self.list, 1)
        self.scope.chosen.connect(self._on_scope_chosen)
        self.unit.chosen.connect(lambda _key: self._list())
        self.plot.point_chosen.connect(self.point_chosen)
        self.plot.point_looked_at.connect(self._on_point_looked_at)
        self.list.entry_wanted.connect(lambda part, _step: self.part_chosen.emit(part))
        self.clear()

    def clear(self) -> None:
        """Forget another draft."""
        self._courses = {PARAGRAPHS: (), CHAPTERS: (), DRAFTS: ()}
        self._report = SurpriseReport((), ())
        self._score, self._missing = None, 0
        self._say_figures()
        self._draw()
        self._list()

    def show_score(self, score: DraftScore | None) -> None:
        """Show the draft's own figures."""
        self._score = score
        if score is None:
            self._courses |= {PARAGRAPHS: (), CHAPTERS: ()}
            self._report = SurpriseReport((), ())
            self._draw()
            self._list()
        self._say_figures()

    def show_state(self, state: ScoreState) -> None:
        """Say whether the figures are those of the text as it is."""
        self._state = state
        self._say_figures()

    def show_report(
        self, report: SurpriseReport, paragraphs: tuple[TrendPoint, ...], chapters: tuple[TrendPoint, ...]
    ) -> None:
        """Show the course of surprise and what stands out."""
        self._courses |= {PARAGRAPHS: paragraphs, CHAPTERS: chapters}
        self._report = report
        self._draw()
        self._list()

    def show_drafts(self, values: Sequence[DraftValue]) -> None:
        """Show the course over the story's drafts."""
        self._courses[DRAFTS] = tuple(value.point for value in values if value.point is not None)
        self._missing = sum(value.point is None for value in values)
        self._times = {value.key: value.changed for value in values}
        self._draw()

    def _say_figures(self) -> None:
        score = self._score
        if score is None or not score.tokens:
            working = self._state in (ScoreState.WORKING, ScoreState.STALE)
            self.figures.setText(self.tr("The model is reading …") if working else self.tr("Nothing to measure yet"))
            return
        words = self.tr("perplexity {value}  ·  {nats} nats a word").format(
            value=say_perplexity(score.perplexity), nats=say_number(score.nats_per_word, 2)
        )
        if score.known < 1.0:
            words = self.tr("{words}  ({percent} % read)").format(words=words, percent=say_number(100 * score.known))
        elif self._state in (ScoreState.WORKING, ScoreState.STALE):
            words = self.tr("{words}  …").format(words=words)
        self.figures.setText(words)

    def _draw(self) -> None:
        scope = self.scope.current
        points = self._courses[scope]
        empty = {
            PARAGRAPHS: self.tr("Write two paragraphs, and their course is here."),
            CHAPTERS: self.tr("Give chapters a heading (# One), and their course is here."),
            DRAFTS: self.tr("Keep this draft and go on in a new one: then their course is here."),
        }[scope]
        self.plot.show_points(points, empty)
        if scope == DRAFTS and self._missing:
            words = self.tr("{n} more drafts are being read …") if self._missing > 1 else self.tr("One more is read …")
            self.told.setText(words.format(n=say_number(self._missing)))
        elif self.plot.current is not None and len(points) > 1:
            self._on_point_looked_at(self.plot.current)
        else:
            hint = self.tr(
                "Point at the line, or move along it with the arrow keys; a click or Enter goes to the place."
            )
            self.told.setText(hint if len(points) > 1 else "")

    def _list(self) -> None:
        parts = self._report.sentences if self.unit.current == SENTENCES else self._report.paragraphs
        self.list.show_entries([self._make_entry(part) for part in parts])

    def _make_entry(self, part: SurprisingPart) -> Entry:
        figure = say_number(part.nats_per_word, 1)
        tip = self.tr("{nats} nats a word: {text}").format(nats=figure, text=part.text[:300])
        return Entry(f"{figure}   {part.text[:90]}", part, tip)

    def _on_scope_chosen(self, key: str) -> None:
        if key == DRAFTS:
            self.drafts_wanted.emit()
        self._draw()

    def _on_point_looked_at(self, point: TrendPoint | None) -> None:
        if point is None:
            return
        figures = self.tr("perplexity {value}, {nats} nats a word").format(
            value=say_perplexity(point.perplexity), nats=say_number(point.nats_per_word, 2)
        )
        words = self.tr("{place}: {figures}").format(place=self._say_place(point), figures=figures)
        self.told.setText(words)
        self.plot.announce(words)

    def _say_place(self, point: TrendPoint) -> str:
        scope = self.scope.current
        if scope == DRAFTS:
            if point.key > 0:
                return say_draft(point.title)
            when = say_moment(self._times.get(point.key, 0))
            return self.tr("Snapshot {name} of {when}").format(name=point.title, when=when).replace("  ", " ")
        if scope == CHAPTERS:
            return point.title or self.tr("Beginning")
        first = " ".join(self._read_line(point.first).split()[:6])
        if point.first == point.last:
            return self.tr("“{words} …”").format(words=first)
        return self.tr("from “{words} …” on").format(words=first)

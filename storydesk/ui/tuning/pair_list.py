"""Every pair of a dataset in a list: searched, filtered, left out and taken back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QItemSelectionModel, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableView,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.pair_item_model import ORIGIN, TEXT, WORDS, PairChoice, PairItemModel
from storydesk.domain.dataset import DatasetFinding, DatasetView, PromptOrigin
from storydesk.ui.figures import say_number
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XS, FlowLayout, icon, make_label, set_hint
from storydesk.ui.tuning.dataset_words import make_pair_words, say_finding, say_pairs
from storydesk.ui.window_timers import make_single_shot

SEARCH_MILLISECONDS: Final = 200
LEAST_ROWS: Final = 6
_FINDING: Final = "finding "


class PairTable(QTableView):
    """Rows with a box; Space ticks all that are selected. GUI thread."""

    toggle_wanted = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Tick with Space or Delete; Tab leaves the table, as Enter and the arrows walk in it."""
        if event.key() == Qt.Key.Key_Space or event.matches(QKeySequence.StandardKey.Delete):
            self.toggle_wanted.emit()
            return
        super().keyPressEvent(event)


class PairList(QWidget):
    """Shows the pairs of one DatasetView. GUI thread."""

    chosen = Signal(str)
    """The id of the pair that is current now; empty without one."""
    leaving_wanted = Signal(object, bool)
    """Ids of pairs, and whether to leave them out (else to take them back)."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.model = PairItemModel(make_pair_words(), self)
        self._findings: dict[str, DatasetFinding] = {}
        self._search_due = make_single_shot(self, SEARCH_MILLISECONDS, self.search_now)
        self._current = ""
        self._build()
        self.model.leaving_wanted.connect(self._on_leaving_wanted)
        self.model.modelReset.connect(self._on_reset)

    @property
    def current(self) -> str:
        """The id of the current pair; empty without one."""
        return self._current

    @property
    def selected(self) -> tuple[str, ...]:
        """The ids of the selected pairs, in the order of the list."""
        spans = self.table.selectionModel().selection().toList()  # spans, not rows: all of 100,000 are one
        rows = {row for span in spans for row in range(span.top(), span.bottom() + 1)}
        return self.model.ids(sorted(rows))

    def show_view(self, view: DatasetView | None) -> None:
        """Show a dataset as it stands now."""
        self._fill_filters(view.findings if view is not None else ())
        self.model.show_view(view)
        self._say_count()
        self._fit()

    def search_now(self) -> None:
        """Show what is searched for."""
        self._search_due.stop()
        key = str(self.filter.currentData() or PairChoice.ALL)
        if key.startswith(_FINDING):
            finding = self._findings.get(key.removeprefix(_FINDING))
            self.model.search(self.search.text(), PairChoice.FOUND, finding.pairs if finding is not None else ())
        else:
            self.model.search(self.search.text(), PairChoice(key))
        self._say_count()
        self._fit()

    def show_finding(self, finding: str) -> None:
        """Show the pairs of a finding."""
        place = self.filter.findData(_FINDING + finding)
        if place >= 0:
            self.search.clear()
            self.filter.setCurrentIndex(place)
            self.search_now()

    def go_to(self, pair: str) -> None:
        """Make a pair the current one; where it is not shown, everything is shown first."""
        if self.model.row_of(pair) < 0:
            with QSignalBlocker(self.search), QSignalBlocker(self.filter):
                self.search.clear()
                self.filter.setCurrentIndex(0)
            self.search_now()
        row = self.model.row_of(pair)
        if row >= 0:
            self.table.setCurrentIndex(self.model.index(row, TEXT))
            self.table.scrollTo(self.model.index(row, TEXT), QAbstractItemView.ScrollHint.EnsureVisible)

    # What is where

    def _build(self) -> None:
        self.search = QLineEdit(self)
        set_hint(self.search, self.tr("Search titles, prompts and openings"))
        self.search.setAccessibleName(self.tr("Search the pairs"))
        self.search.setClearButtonEnabled(True)
        for button in self.search.findChildren(QToolButton):
            button.setAccessibleName(self.tr("Clear the search"))
        self.search.textChanged.connect(lambda _text: self._search_due.start())
        self.search.returnPressed.connect(self.search_now)
        self.filter = QComboBox(self)
        self.filter.setAccessibleName(self.tr("Which pairs are shown"))
        self.filter.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.filter.setMinimumContentsLength(14)
        self._fill_filters(())
        self.filter.currentIndexChanged.connect(lambda _row: self.search_now())
        self.filter.currentTextChanged.connect(self.filter.setToolTip)
        self.count = make_label("", "muted", self)
        self.table = self._build_table()
        self.out_button = QPushButton(icon("minus-circle"), self.tr("Leave out"), self)
        self.out_button.clicked.connect(lambda: self._leave(out=True))
        self.back_button = QPushButton(icon("plus-circle"), self.tr("Take back"), self)
        self.back_button.clicked.connect(lambda: self._leave(out=False))
        buttons = FlowLayout()
        buttons.add(self.out_button, self.back_button)
        filters = FlowLayout()
        filters.add(self.search, self.filter, stretched=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(filters)
        column.addWidget(self.count)
        column.addWidget(self.table, 1)
        column.addLayout(buttons)

    def _build_table(self) -> PairTable:
        table = PairTable(self)
        table.setModel(self.model)
        table.setAccessibleName(self.tr("Pairs"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setCornerButtonEnabled(False)
        for button in table.findChildren(QAbstractButton):
            button.setAccessibleName(self.tr("Select all pairs"))
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideRight)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        height = table.fontMetrics().lineSpacing() + SPACE_M
        rows = table.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)  # a height for each would ask every row
        rows.setDefaultSectionSize(height)
        table.setMinimumHeight(height * LEAST_ROWS)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setStretchLastSection(False)
        header.setSectionResizeMode(TEXT, QHeaderView.ResizeMode.Stretch)
        for column in (ORIGIN, WORDS):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
        table.toggle_wanted.connect(self._on_toggle_wanted)
        table.selectionModel().currentRowChanged.connect(lambda index, _before: self._on_current(index.row()))
        table.selectionModel().selectionChanged.connect(lambda *_: self._fit())
        return table

    def fit_columns(self) -> None:
        """Give the narrow columns the room that their words need; the window's letters may have changed."""
        header, letters = self.table.horizontalHeader(), self.table.fontMetrics()
        room = 2 * SPACE_M + SPACE_XS
        words = make_pair_words()
        origins = max(letters.horizontalAdvance(words.say_origin(origin)) for origin in PromptOrigin)
        widths = {
            ORIGIN: max(origins, header.fontMetrics().horizontalAdvance(words.headings[ORIGIN])) + room,
            WORDS: max(
                letters.horizontalAdvance(say_number(999_999)),
                header.fontMetrics().horizontalAdvance(words.headings[WORDS]),
            )
            + room,
        }
        least = letters.averageCharWidth() * 30
        narrow = self.table.viewport().width() - sum(widths.values()) < least
        self.table.setColumnHidden(ORIGIN, narrow)
        for column, width in widths.items():
            header.resizeSection(column, width)

    # What happens

    def _fill_filters(self, findings: Sequence[DatasetFinding]) -> None:
        """Offer the filters, those of the findings that are there; what is chosen stays chosen."""
        self._findings = {finding.id: finding for finding in findings}
        choices = [
            (self.tr("All pairs"), str(PairChoice.ALL)),
            (self.tr("Left out"), str(PairChoice.LEFT_OUT)),
            (self.tr("Changed by you"), str(PairChoice.CHANGED)),
            (self.tr("Without a prompt of their own"), str(PairChoice.MADE)),
            *((say_finding(finding), _FINDING + finding.id) for finding in findings if not finding.is_settled),
        ]
        chosen = str(self.filter.currentData() or "")
        with QSignalBlocker(self.filter):
            self.filter.clear()
            for words, key in choices:
                self.filter.addItem(words, key)
            if chosen.startswith(_FINDING) and self.filter.findData(chosen) < 0 and self.model.rowCount():
                # What was just fixed stays in sight until the writer turns to something else.
                self.filter.addItem(self.tr("What was just fixed"), chosen)
            self.filter.setCurrentIndex(max(self.filter.findData(chosen), 0))
        self.filter.setToolTip(self.filter.currentText())
        if chosen and chosen != self.filter.currentData():
            self.search_now()

    def _say_count(self) -> None:
        shown, total = self.model.rowCount(), self.model.total
        said = self.tr("No pair is like that.") if total and not shown else ""
        if shown and shown != total:
            said = self.tr("{shown} of {pairs}").format(shown=say_number(shown), pairs=say_pairs(total))
        elif shown:
            said = say_pairs(total)
        self.count.setText(said)

    def _fit(self) -> None:
        cards = (
            [self.model.view.pairs[self.model.view.places[pair]] for pair in self.selected] if self.model.view else []
        )
        self.out_button.setEnabled(any(not card.left_out for card in cards))
        self.back_button.setEnabled(any(card.left_out for card in cards))

    def _leave(self, *, out: bool) -> None:
        view = self.model.view
        if view is None:
            return
        pairs = tuple(pair for pair in self.selected if view.pairs[view.places[pair]].left_out is not out)
        self._on_leaving_wanted(pairs, out)

    def _on_leaving_wanted(self, pairs: tuple[str, ...], out: bool) -> None:
        if pairs:
            self.model.keep_in_place(pairs)
            self.leaving_wanted.emit(pairs, out)

    def _on_toggle_wanted(self) -> None:
        """Do to all that are selected what the current one asks for."""
        row = self.table.currentIndex().row()
        card = self.model.card(row)
        if card is not None:
            self._leave(out=not card.left_out)

    def _on_current(self, row: int) -> None:
        card = self.model.card(row)
        self._current = card.id if card is not None else ""
        self.chosen.emit(self._current)

    def _on_reset(self) -> None:
        """Go back to the pair that was current, or to the first one."""
        row = self.model.row_of(self._current)
        if row < 0 and self.model.rowCount():
            row = 0
        if row >= 0:
            index = self.model.index(row, TEXT)
            select = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.table.selectionModel().setCurrentIndex(index, select)
            self.table.scrollTo(index)
        else:
            self._on_current(-1)

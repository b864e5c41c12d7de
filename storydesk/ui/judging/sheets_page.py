"""The rating sheets: make one, go on with one, send it to a friend, take ratings in, put it into the trash."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.judging_controller import SheetList
from storydesk.domain.judging import Rater
from storydesk.services.judging import SheetCard
from storydesk.ui.figures import say_number
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, FlowLayout, icon, make_label, set_role
from storydesk.ui.undo_bar import UndoBar


class SheetsPage(QWidget):
    """Lists sheets; what is done with one is told by signals. GUI thread."""

    leave_wanted = Signal()
    new_wanted = Signal()
    import_wanted = Signal()
    improve_wanted = Signal()
    """The writer wants a model to learn from what was said."""
    judge_wanted = Signal()
    """The writer wants models to be judged by machine."""
    rate_wanted = Signal(int, str)
    """A sheet's id and who rates."""
    results_wanted = Signal(int)
    export_wanted = Signal(object)
    """A Sheet for a friend."""
    ratings_wanted = Signal(object, str)
    """A Sheet, and whose ratings of it are to become a file."""
    trash_wanted = Signal(int)
    restore_wanted = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.cards: Sequence[SheetCard] = ()
        self._trashed = 0
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("Rating sheets"))
        self.list.currentRowChanged.connect(self._on_row_changed)
        self.list.itemActivated.connect(lambda _item: self.go_on())
        self.empty = make_label(
            self.tr(
                "Here people say how good stories are, without knowing who wrote them: you, your friends, anybody. "
                "A sheet holds texts of several models, drafts or settings. Each text is rated by itself, or two are "
                "laid side by side to choose from."
            )
        )
        self.said = make_label()
        self.said.hide()
        self.undo_bar = UndoBar()
        self.undo_bar.undone.connect(lambda: self.restore_wanted.emit(self._trashed))
        self._build()
        hear(self, ("Esc",), self.leave_wanted.emit)
        hear(self, ("Del",), self._trash)
        self._on_row_changed(-1)

    @property
    def chosen(self) -> SheetCard | None:
        """The sheet that is chosen."""
        row = self.list.currentRow()
        return self.cards[row] if 0 <= row < len(self.cards) else None

    @property
    def rater_name(self) -> str:
        """Who rates, empty where nobody said so yet."""
        return " ".join(self.rater.currentText().split())

    def show_sheets(self, found: SheetList, choose: int = 0) -> None:
        """Show all sheets; the one that was chosen stays so, or that with the id ``choose``."""
        wanted = choose or (self.chosen.sheet.id if self.chosen is not None else 0)
        self.cards = found.cards
        self.list.blockSignals(True)
        self.list.clear()
        for card in found.cards:
            self.list.addItem(QListWidgetItem(f"{card.sheet.name}\n{self._say_facts(card)}"))
        self.list.blockSignals(False)
        row = next((row for row, card in enumerate(self.cards) if card.sheet.id == wanted), 0)
        self.list.setCurrentRow(row if self.cards else -1)
        self.list.setVisible(bool(self.cards))
        self.empty.setVisible(not self.cards)
        self._offer_raters(found.raters)
        self._on_row_changed(self.list.currentRow())

    def say(self, words: str, *, problem: bool = False) -> None:
        """Say what came of something."""
        set_role(self.said, "problem" if problem else "muted")
        self.said.setText(words)
        self.said.setVisible(bool(words))

    def go_on(self) -> None:
        """Let whoever is named rate the chosen sheet."""
        card, name = self.chosen, self.rater_name
        if card is None or card.sheet.revealed:
            return
        if not name:
            self.say(self.tr("Who rates? Write a name first."), problem=True)
            self.rater.setFocus()
            return
        self.say("")
        self.rate_wanted.emit(card.sheet.id, name)

    def _trash(self) -> None:
        card = self.chosen
        if card is not None:
            self._trashed = card.sheet.id
            self.trash_wanted.emit(card.sheet.id)
            self.undo_bar.offer(
                self.tr("“{name}” is in the trash, with all that was said.").format(name=card.sheet.name)
            )

    def _say_facts(self, card: SheetCard) -> str:
        count = say_number(card.items)
        what = self.tr("Texts to rate: {count}") if card.sheet.criteria else self.tr("Pairs to choose from: {count}")
        parts = [what.format(count=count)]
        for rater, done in card.raters:
            said = self.tr("{name} finished") if done >= card.items else self.tr("{name} {done} of {count}")
            parts.append(said.format(name=rater.name, done=say_number(done), count=count))
        if not card.raters:
            parts.append(self.tr("nobody has begun"))
        if card.sheet.revealed:
            parts.append(self.tr("names shown"))
        elif card.sheet.is_guest:
            parts.append(self.tr("from a friend"))
        return " · ".join(parts)

    def _offer_raters(self, raters: Sequence[Rater]) -> None:
        kept = self.rater.currentText()
        local = [rater.name for rater in raters if not rater.is_guest]
        self.rater.blockSignals(True)
        self.rater.clear()
        self.rater.addItems(local)
        self.rater.setCurrentText(kept or (local[0] if local else ""))
        self.rater.blockSignals(False)

    def _on_row_changed(self, _row: int = -1) -> None:
        card = self.chosen
        for button in self._of_one:
            button.setEnabled(card is not None)
        name = self.rater.currentText().strip().casefold()
        done = {rater.name.casefold(): done for rater, done in card.raters} if card is not None else {}
        begun = name in done
        self.rate_button.setText(self.tr("Go on") if begun else self.tr("Begin"))
        self.rate_button.setEnabled(card is not None and not card.sheet.revealed)
        tip = self.tr("The names are shown; make a new sheet to rate more") if card is not None else ""
        self.rate_button.setToolTip(tip if card is not None and card.sheet.revealed else "")
        self.ratings_button.setEnabled(begun)
        self.rater.setEnabled(card is not None)

    def _build(self) -> None:
        back = QPushButton(icon("arrow-left"), self.tr("Back to writing"))
        set_role(back, "flat")
        back.clicked.connect(self.leave_wanted)
        self.new_button = QPushButton(icon("plus", "on_accent"), self.tr("New sheet…"))
        set_role(self.new_button, "primary")
        self.new_button.clicked.connect(self.new_wanted)
        self.import_button = QPushButton(icon("download-simple"), self.tr("Take in a file…"))
        self.import_button.setToolTip(self.tr("A sheet that a friend sent you, or ratings of one that you sent"))
        self.import_button.clicked.connect(self.import_wanted)
        head = QHBoxLayout()
        head.addWidget(make_label(self.tr("Judging"), "title"), 1)
        head.addWidget(back)
        top = FlowLayout()
        self.improve_button = QPushButton(icon("magic-wand"), self.tr("Improve from my feedback"))
        self.improve_button.setToolTip(self.tr("Let your model learn from what was rated, chosen and taken"))
        self.improve_button.clicked.connect(self.improve_wanted)
        self.judge_button = QPushButton(icon("chart-bar"), self.tr("Let the models be judged…"))
        self.judge_button.setToolTip(self.tr("Measure what your models write, beside what people wrote"))
        self.judge_button.clicked.connect(self.judge_wanted)
        top.add(self.new_button, self.import_button, self.improve_button, self.judge_button)
        page = QVBoxLayout(self)
        page.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_L)
        page.setSpacing(SPACE_M)
        page.addLayout(head)
        page.addWidget(self.empty)
        page.addLayout(top)
        page.addWidget(self.list, 1)
        page.addStretch(0)
        page.addWidget(self.undo_bar)
        page.addWidget(self.said)
        page.addLayout(self._build_actions())

    def _build_actions(self) -> FlowLayout:
        self.rater = QComboBox()
        self.rater.setEditable(True)
        self.rater.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.rater.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.rater.setMinimumContentsLength(16)
        self.rater.setAccessibleName(self.tr("Who rates"))
        field = self.rater.lineEdit()
        if field is not None:
            field.setPlaceholderText(self.tr("Who rates?"))
            field.setToolTip(self.tr("Everybody who rates here has a name and an order of their own"))
            field.setAccessibleName(self.tr("Who rates"))
        self.rater.currentTextChanged.connect(lambda _name: self._on_row_changed())
        self.rate_button = self._make_button("play", self.tr("Begin"), self.go_on)
        self.results_button = self._make_button("table", self.tr("Results"), self._show_results)
        self.export_button = self._make_button("export", self.tr("For a friend…"), self._export)
        self.export_button.setToolTip(
            self.tr("A file that a friend can rate in their own Storydesk; no names are in it")
        )
        self.ratings_button = self._make_button("paper-plane-tilt", self.tr("Send the ratings…"), self._export_ratings)
        self.ratings_button.setToolTip(self.tr("A file with what was said, for whoever made the sheet"))
        self.delete_button = self._make_button("trash", self.tr("Delete"), self._trash)
        self._of_one = (self.results_button, self.export_button, self.delete_button)
        row = FlowLayout(space=SPACE_S)
        row.add(self.rater, self.rate_button, self.results_button)
        row.add(self.export_button, self.ratings_button, self.delete_button)
        return row

    def _make_button(self, name: str, text: str, slot: Callable[[], object]) -> QPushButton:
        button = QPushButton(icon(name), text)
        button.clicked.connect(lambda: slot())
        return button

    def _show_results(self) -> None:
        if self.chosen is not None:
            self.results_wanted.emit(self.chosen.sheet.id)

    def _export(self) -> None:
        if self.chosen is not None:
            self.export_wanted.emit(self.chosen.sheet)

    def _export_ratings(self) -> None:
        if self.chosen is not None:
            self.ratings_wanted.emit(self.chosen.sheet, self.rater_name)

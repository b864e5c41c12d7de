"""Two models beside each other: what they are, what differs, and what both write on one prompt."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QSpinBox,
    QTableWidget,
    QTableWidgetItem,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.model_duel import DuelText, ModelDuel
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure
from storydesk.domain.model_shelf import ModelComparison, ModelDetails, Value
from storydesk.ui.figures import say_number, say_perplexity, say_size
from storydesk.ui.model_details_page import FINGERPRINT_LETTERS, say_amount
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, VerticalArea, icon, indent_number, make_label, set_role

WORDS = 60
_TABLE_LINES = 7
_TEXT_LINES = 6


class ComparePage(QWidget):
    """Chooses two models and compares them. GUI thread."""

    compare_wanted = Signal(str, str)

    def __init__(self, phrases: Phrases, duel: ModelDuel | None, parent: QWidget | None = None) -> None:
        """Compare; without a ``duel`` nothing is written."""
        super().__init__(parent)
        self._phrases = phrases
        self._duel = duel
        self.first_box, self.second_box = QComboBox(), QComboBox()
        self.first_box.setAccessibleName(self.tr("First model"))
        self.second_box.setAccessibleName(self.tr("Second model"))
        self.table = self._make_table()
        self.verdict = make_label()
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE_S, 0)
        column.setSpacing(SPACE_M)
        column.addLayout(self._build_choice())
        column.addWidget(self.verdict)
        column.addWidget(self.table, 1)
        if duel is not None:
            column.addLayout(self._build_duel(duel), 1)
        page = QVBoxLayout(self)
        page.setContentsMargins(0, 0, 0, 0)
        page.addWidget(VerticalArea(inside))
        for box in (self.first_box, self.second_box):
            box.currentIndexChanged.connect(self._on_chosen)

    def offer(self, names: Sequence[str], first: str, second: str) -> None:
        """Offer the models of the shelf, two of them chosen."""
        for box, chosen in ((self.first_box, first), (self.second_box, second)):
            box.blockSignals(True)
            box.clear()
            box.addItems(list(names))
            box.setCurrentText(chosen)
            box.blockSignals(False)
        if self._duel is not None:
            self._duel.list_prompts(self._offer_prompts)
        self._on_chosen()

    def show_comparison(self, found: ModelComparison) -> None:
        """Show what two models differ in; one that is no longer asked for is passed over."""
        if (found.first.name, found.second.name) != (self.first_box.currentText(), self.second_box.currentText()):
            return
        self.verdict.setText(self._say_verdict(found))
        rows = [*self._list_rows(found.first, found.second)]
        rows += [
            (self._phrases.name_setting(name).title, self._say_value(first), self._say_value(second))
            for name, (first, second) in found.settings.items()
        ]
        self.table.setHorizontalHeaderLabels(["", found.first.name, found.second.name])
        self.table.setRowCount(len(rows))
        for row, cells in enumerate(rows):
            for at, cell in enumerate(cells):
                item = QTableWidgetItem(cell)
                item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
                self.table.setItem(row, at, item)
        self.table.resizeRowsToContents()

    def leave(self) -> None:
        """Break off what is being written."""
        if self._duel is not None and not self.write_button.isEnabled():
            self._duel.cancel()
            self._end(self.tr("Stopped."))

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 3)
        table.setAccessibleName(self.tr("What they differ in"))
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setTabKeyNavigation(False)
        table.setWordWrap(True)
        table.setShowGrid(False)
        table.verticalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        table.setMinimumHeight(self.fontMetrics().lineSpacing() * _TABLE_LINES)
        return table

    def _build_choice(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.first_box, 1)
        row.addWidget(make_label(self.tr("and"), "muted", wrap=False))
        row.addWidget(self.second_box, 1)
        return row

    def _build_duel(self, duel: ModelDuel) -> QVBoxLayout:
        self.prompt_box = QComboBox()
        self.prompt_box.setEditable(True)
        self.prompt_box.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.prompt_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.prompt_box.setMinimumContentsLength(24)
        self.prompt_box.setAccessibleName(self.tr("Prompt"))
        field = self.prompt_box.lineEdit()
        assert field is not None
        field.setPlaceholderText(self.tr("A prompt for both"))
        field.setAccessibleName(self.tr("Prompt"))
        self.words_box = QSpinBox()
        self.words_box.setRange(10, 400)
        self.words_box.setValue(WORDS)
        self.words_box.setAccessibleName(self.tr("Words"))
        self.words_box.setSuffix(self.tr(" words"))
        indent_number(self.words_box)
        self.write_button = QPushButton(icon("pencil-line"), self.tr("Let both write"))
        self.write_button.clicked.connect(self._on_write_clicked)
        self.stop_button = QPushButton(self.tr("Stop"))
        self.stop_button.clicked.connect(self.leave)
        self.stop_button.hide()
        for button in (self.write_button, self.stop_button):
            button.setAutoDefault(False)
        row = FlowLayout()
        row.add(self.prompt_box, stretched=True)
        row.add(self.words_box, self.write_button, self.stop_button)
        self.texts = (QTextBrowser(), QTextBrowser())
        columns = QHBoxLayout()
        columns.setSpacing(SPACE_M)
        for text, name in zip(
            self.texts, (self.tr("What the first wrote"), self.tr("What the second wrote")), strict=True
        ):
            text.setAccessibleName(name)
            text.setPlaceholderText(name)
            text.setMinimumHeight(self.fontMetrics().lineSpacing() * _TEXT_LINES)
            columns.addWidget(text, 1)
        self.duel_said = make_label("", "muted")
        column = QVBoxLayout()
        column.setSpacing(SPACE_S)
        column.addLayout(row)
        column.addLayout(columns, 1)
        column.addWidget(self.duel_said)
        duel.text_grown.connect(self._on_text_grown)
        duel.ended.connect(self._on_ended)
        duel.failed.connect(self._on_failed)
        return column

    def _offer_prompts(self, prompts: list[str]) -> None:
        kept = self.prompt_box.currentText()
        self.prompt_box.clear()
        self.prompt_box.addItems(prompts)
        self.prompt_box.setCurrentText(kept or (prompts[0] if prompts else ""))
        field = self.prompt_box.lineEdit()
        if field is not None:
            field.setCursorPosition(0)

    def _on_chosen(self) -> None:
        self.leave()
        first, second = self.first_box.currentText(), self.second_box.currentText()
        if first and second:
            self.compare_wanted.emit(first, second)

    def _on_write_clicked(self) -> None:
        prompt = self.prompt_box.currentText().strip()
        if self._duel is None or not prompt:
            self.prompt_box.setFocus()
            return
        names = (self.first_box.currentText(), self.second_box.currentText())
        for text in self.texts:
            text.clear()
        set_role(self.duel_said, "muted")
        seed = self._duel.begin(prompt, names, self.words_box.value())
        self._said_seed = self.tr("Both began with seed {seed}.").format(seed=str(seed))
        self.duel_said.setText(self.tr("Writing…"))
        self.write_button.setEnabled(False)
        self.stop_button.show()

    def _on_text_grown(self, grown: DuelText) -> None:
        if self._duel is not None and grown.duel == self._duel.number and grown.side < len(self.texts):
            self.texts[grown.side].setPlainText(grown.text)

    def _on_ended(self, number: int) -> None:
        if self._duel is not None and number == self._duel.number:
            self._end(self._said_seed)

    def _on_failed(self, failure: Failure) -> None:
        self._end("\n".join(part for part in self._phrases.say(failure) if part))
        set_role(self.duel_said, "problem")

    def _end(self, said: str) -> None:
        self.duel_said.setText(said)
        self.write_button.setEnabled(True)
        self.stop_button.hide()

    def _say_verdict(self, found: ModelComparison) -> str:
        heldout = found.heldout
        if found.first.name == found.second.name:
            return self.tr("Choose two models.")
        if heldout is None:
            return self.tr("They were never measured on the same pages, so their figures can't be compared.")
        better = found.first.name if heldout.first < heldout.second else found.second.name
        figures = {"first": say_perplexity(heldout.first), "second": say_perplexity(heldout.second), "name": better}
        if abs(heldout.first - heldout.second) < 0.01 * min(heldout.first, heldout.second):
            return self.tr("Pages neither has seen surprise both alike: perplexity {first} and {second}.").format(
                **figures
            )
        return self.tr(
            "On the same unseen pages their perplexity is {first} and {second}: {name} foresees them better."
        ).format(**figures)

    def _list_rows(self, first: ModelDetails, second: ModelDetails) -> list[tuple[str, str, str]]:
        both = (first, second)

        def row(words: str, *cells: str) -> tuple[str, str, str]:
            return (words, cells[0] or "–", cells[1] or "–")

        return [
            row(self.tr("Tuned from"), *(" ← ".join(each.model.lineage) for each in both)),
            row(self.tr("Learned from"), *(say_amount(each) for each in both)),
            row(self.tr("Fingerprint of the text"), *(self._cut(each.data.get("sha256", "")) for each in both)),
            row(self.tr("Size"), *(say_size(each.model.bytes) for each in both)),
            row(self.tr("Layers and width"), *(self._say_shape(each) for each in both)),
            row(self.tr("Made on"), *(each.model.created[:10] for each in both)),
        ]

    def _say_shape(self, details: ModelDetails) -> str:
        return f"{say_number(details.model.layers)} × {say_number(details.model.width)}"

    def _cut(self, value: Value) -> str:
        return str(value)[:FINGERPRINT_LETTERS]

    def _say_value(self, value: Value | None) -> str:
        if value is None:
            return "–"
        if isinstance(value, bool):
            return self.tr("yes") if value else self.tr("no")
        return f"{value:g}" if isinstance(value, float) else str(value)

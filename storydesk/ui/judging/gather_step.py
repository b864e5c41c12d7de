"""The first step of improving: what will be learned from and how, what the new model is called, and the button."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QSpinBox, QVBoxLayout, QWidget

from storydesk.domain.feedback import Feedback, FeedbackOrigin
from storydesk.domain.improving import ImprovingChances, Way
from storydesk.services.improving import ImprovingWish
from storydesk.ui.figures import say_number
from storydesk.ui.judging.feedback_list import FeedbackList
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, FlowLayout, icon, indent_number, make_label, set_role

LARGEST_SEED = 2**31 - 1
NAME_IN_LETTERS = 24


class GatherStep(QWidget):
    """Says what will be learned from and how, and lets it be looked through. GUI thread."""

    improve_wanted = Signal()
    sheet_wanted = Signal()
    """More choices are wanted: a sheet to make them on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin before anything is gathered."""
        super().__init__(parent)
        self.way = make_label("")
        self.counts = make_label("", "muted")
        self.trouble = make_label("", "problem", selectable=True)
        self.list = FeedbackList()
        self.name_field = QLineEdit(self.tr("My voice"))
        self.seed_box = QSpinBox()
        self._build()
        self._build_buttons()
        self.say_trouble("")
        self._chances: ImprovingChances | None = None
        self._busy = False
        self.allow(busy=False)

    @property
    def wish(self) -> ImprovingWish:
        """What was chosen for the run."""
        return ImprovingWish(self.name_field.text().strip(), self.seed_box.value())

    def suggest_name(self, name: str) -> None:
        """Propose a name for the new model, "" for the first; one that the writer typed stays."""
        if not self.name_field.isModified():
            self.name_field.setText(name or self.tr("My voice"))

    def forget_name(self) -> None:
        """Let the next model have a name of its own."""
        self.name_field.setModified(False)

    def show_feedback(self, feedback: Feedback, chances: ImprovingChances) -> None:
        """Show what was gathered."""
        self._chances = chances
        self.way.setText(self._say_way(chances))
        self.counts.setText(self._say_counts(chances.origins, chances))
        self.counts.setVisible(bool(self.counts.text()))
        self.list.setVisible(bool(feedback.pairs or feedback.examples))
        self.list.show_feedback(feedback)
        self.choices.setVisible(chances.way is not Way.NEITHER)
        self.sheet_button.setVisible(chances.way is not Way.CHOICES)
        self.allow(busy=self._busy)

    def allow(self, *, busy: bool) -> None:
        """Let the button be pressed where there is something to learn from and no tuning under way."""
        self._busy = busy
        ready = self._chances is not None and self._chances.way is not Way.NEITHER
        self.improve_button.setEnabled(ready and not busy)
        self.improve_button.setToolTip(
            self.tr("A tuning is under way; this can begin when it has ended") if busy else ""
        )

    def take_focus(self) -> None:
        """Begin in the list; where there is nothing to list yet, at what fills it."""
        (self.list.list if self.list.list.isVisible() else self.sheet_button).setFocus()

    def say_trouble(self, words: str) -> None:
        """Say what went wrong, or nothing."""
        self.trouble.setText(words)
        self.trouble.setVisible(bool(words))

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        for widget in (self.way, self.counts, self.trouble):
            column.addWidget(widget)
        column.addWidget(self.list, 1)
        self.name_field.setMinimumWidth(self.name_field.fontMetrics().averageCharWidth() * NAME_IN_LETTERS)
        self.seed_box.setRange(0, LARGEST_SEED)
        self.seed_box.setValue(ImprovingWish().seed)
        self.seed_box.setToolTip(self.tr("The same number gives the same tuning again."))
        indent_number(self.seed_box)
        self.choices = QWidget()
        row = FlowLayout(self.choices, space=SPACE_L)
        row.add(self._label(self.tr("&Name of the new model"), self.name_field))
        row.add(self._label(self.tr("&Seed"), self.seed_box))
        self.choices.hide()
        column.addWidget(self.choices)
        column.addStretch()

    def _label(self, words: str, field: QWidget) -> QWidget:
        """Return a field behind its label."""
        together = QWidget()
        row = QHBoxLayout(together)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        label = QLabel(words)
        label.setBuddy(field)
        row.addWidget(label)
        row.addWidget(field)
        return together

    def _build_buttons(self) -> None:
        self.improve_button = QPushButton(icon("magic-wand", "on_accent"), self.tr("Improve from my feedback"))
        set_role(self.improve_button, "primary")
        self.improve_button.clicked.connect(self.improve_wanted)
        self.buttons = QWidget()
        row = QHBoxLayout(self.buttons)
        row.setContentsMargins(0, 0, 0, 0)
        self.sheet_button = QPushButton(icon("plus"), self.tr("New sheet to choose from"))
        self.sheet_button.clicked.connect(self.sheet_wanted)
        row.addStretch()
        row.addWidget(self.sheet_button)
        row.addWidget(self.improve_button)

    def _say_way(self, chances: ImprovingChances) -> str:
        if chances.way is Way.CHOICES:
            return self.tr(
                "Your model will learn which of two texts you like better. {aside} of your choices are kept aside: it "
                "comes into use only if it foresees those better than before and still writes as well."
            ).format(aside=say_number(chances.kept_aside))
        more = self.tr("About {count} more choices between two texts are needed for it to learn your taste.").format(
            count=say_number(chances.missing)
        )
        if chances.way is Way.EXAMPLES:
            return self.tr(
                "{more} Until then it can learn from the {count} texts that you took or rated high, as it learns from "
                "stories. Some of them are kept aside to measure with."
            ).format(more=more, count=say_number(chances.examples))
        return self.tr(
            "There is too little to learn from yet. {more} They come from sheets on which you choose or rate, and from "
            "suggestions that you take, change or throw away while you write."
        ).format(more=more)

    def _say_counts(self, origins: Mapping[FeedbackOrigin, int], chances: ImprovingChances) -> str:
        words = {
            FeedbackOrigin.CHOICE: self.tr("from choosing between two: {count}"),
            FeedbackOrigin.RATING: self.tr("from ratings: {count}"),
            FeedbackOrigin.SUGGESTION: self.tr("from suggestions: {count}"),
            FeedbackOrigin.EDIT: self.tr("from your changes: {count}"),
        }
        parts = [said.format(count=say_number(origins[each])) for each, said in words.items() if origins.get(each)]
        if chances.examples:
            parts.append(self.tr("good texts: {count}").format(count=say_number(chances.examples)))
        if chances.left_out:
            parts.append(self.tr("left out: {count}").format(count=say_number(chances.left_out)))
        return " · ".join(parts)

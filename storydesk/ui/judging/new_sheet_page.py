"""A new sheet: what raters do, what they are asked, and which texts they get."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.judging_controller import SheetWish
from storydesk.bridge.judging_texts import StoryTexts, TextSources, WritingPlan
from storydesk.domain.judging import LONGEST_NAME, MOST_ITEMS, SHORT, Criterion, CriterionGuide, make_pairs
from storydesk.ui.figures import say_number
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.judging.text_picker import TextPicker
from storydesk.ui.theme import (
    SPACE_M,
    SPACE_XL,
    FlowLayout,
    VerticalArea,
    icon,
    indent_number,
    make_label,
    set_hint,
    set_role,
)


class NewSheetPage(QWidget):
    """Makes a SheetWish, with a WritingPlan where models are to write first. GUI thread."""

    leave_wanted = Signal()
    story_wanted = Signal(object)
    make_wanted = Signal(object, object)
    """A SheetWish, and a WritingPlan or None."""
    stop_wanted = Signal()

    def __init__(self, guides: Callable[[], Sequence[CriterionGuide]], parent: QWidget | None = None) -> None:
        """Begin with nothing picked and the short list of criteria."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.name = QLineEdit()
        self.name.setMaxLength(LONGEST_NAME)
        set_hint(self.name, self.tr("A name for the sheet"))
        self.name.setAccessibleName(self.tr("Name of the sheet"))
        self.rate_choice = QRadioButton(self.tr("Rate each text"))
        self.pair_choice = QRadioButton(self.tr("Choose between two"))
        self.rate_choice.setChecked(True)
        self.criteria = {guide.criterion: self._make_criterion(guide) for guide in guides()}
        self.most = QSpinBox()
        self.most.setRange(0, MOST_ITEMS)
        self.most.setPrefix(self.tr("at most "))
        self.most.setSuffix(self.tr(" pairs"))
        self.most.setSpecialValueText(self.tr("every pair there is"))
        self.most.setAccessibleName(self.tr("How many pairs at most"))
        self.picker = TextPicker()
        self.count = make_label("", "muted")
        self.problem = make_label("", "problem")
        self.problem.hide()
        self._build()
        self.picker.story_wanted.connect(self.story_wanted)
        self.picker.changed.connect(self._show_count)
        self.rate_choice.toggled.connect(self._on_kind_changed)
        for box in self.criteria.values():
            box.toggled.connect(self._show_count)
        self.most.valueChanged.connect(self._show_count)
        hear(self, ("Esc",), self.leave_wanted.emit)
        self._on_kind_changed()

    def begin(self, sources: TextSources, opened: int = 0) -> None:
        """Offer what there is."""
        self.name.clear()
        self.show_problem("")
        self.picker.begin(sources, opened)
        self._show_count()

    def show_story(self, texts: StoryTexts) -> None:
        """Show what a story offers."""
        self.picker.show_story(texts)

    def show_writing(self, done: int, count: int) -> None:
        """Say how many texts are written; nothing else can be done with the page meanwhile."""
        self.bar.setRange(0, max(1, count))
        self.bar.setValue(done)
        self.inside.setEnabled(False)
        for widget in (self.bar, self.stop_button):
            widget.show()
        self.make_button.hide()
        self.count.setText(
            self.tr("Writing: {done} of {count} texts").format(done=say_number(done), count=say_number(count))
        )

    def end_writing(self) -> None:
        """Let the page be used again."""
        self.inside.setEnabled(True)
        for widget in (self.bar, self.stop_button):
            widget.hide()
        self.make_button.show()
        self._show_count()

    def show_problem(self, words: str) -> None:
        """Say why no sheet was made."""
        self.problem.setText(words)
        self.problem.setVisible(bool(words))

    @property
    def chosen_criteria(self) -> tuple[Criterion, ...]:
        """What raters are asked, empty where they choose between two."""
        if self.pair_choice.isChecked():
            return ()
        return tuple(criterion for criterion, box in self.criteria.items() if box.isChecked())

    def make(self) -> None:
        """Ask for the sheet."""
        if not self.make_button.isEnabled():
            return
        self.show_problem("")
        wish = SheetWish(self.name.text(), self.picker.entries, self.chosen_criteria, self.most.value())
        plan: WritingPlan | None = self.picker.plan
        self.make_wanted.emit(wish, plan)

    def _build(self) -> None:
        back = QPushButton(icon("arrow-left"), self.tr("To the sheets"))
        set_role(back, "flat")
        back.clicked.connect(self.leave_wanted)
        head = QHBoxLayout()
        head.addWidget(make_label(self.tr("A new sheet"), "title"), 1)
        head.addWidget(back)
        kind = FlowLayout(space=SPACE_M)
        kind.add(self.rate_choice, self.pair_choice, self.most)
        indent_number(self.most)
        self.inside = QWidget()
        column = QVBoxLayout(self.inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.name)
        column.addWidget(make_label(self.tr("What people do"), "heading"))
        column.addLayout(kind)
        column.addWidget(self._build_criteria())
        column.addWidget(make_label(self.tr("The texts"), "heading"))
        column.addWidget(self.picker, 1)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setAccessibleName(self.tr("How many texts are written"))
        self.make_button = QPushButton(icon("check", "on_accent"), self.tr("Make the sheet"))
        set_role(self.make_button, "primary")
        self.make_button.clicked.connect(self.make)
        self.stop_button = QPushButton(icon("stop"), self.tr("Stop"))
        self.stop_button.clicked.connect(self.stop_wanted)
        for widget in (self.bar, self.stop_button):
            widget.hide()
        bottom = QHBoxLayout()
        bottom.addWidget(self.count, 1)
        bottom.addWidget(self.stop_button)
        bottom.addWidget(self.make_button)
        page = QVBoxLayout(self)
        page.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_M)
        page.setSpacing(SPACE_M)
        page.addLayout(head)
        page.addWidget(VerticalArea(self.inside), 1)
        page.addWidget(self.problem)
        page.addWidget(self.bar)
        page.addLayout(bottom)

    def _build_criteria(self) -> QWidget:
        self.criteria_part = QWidget()
        flow = FlowLayout(self.criteria_part)
        for box in self.criteria.values():
            flow.add(box)
        self.short_button = QPushButton(self.tr("The short list"))
        self.short_button.clicked.connect(lambda: self._tick(SHORT))
        self.whole_button = QPushButton(self.tr("All of them"))
        self.whole_button.clicked.connect(lambda: self._tick(tuple(self.criteria)))
        flow.add(self.short_button, self.whole_button)
        return self.criteria_part

    def _make_criterion(self, guide: CriterionGuide) -> QCheckBox:
        box = QCheckBox(guide.name)
        box.setToolTip(guide.question)
        box.setChecked(guide.criterion in SHORT)
        return box

    def _tick(self, wanted: Sequence[Criterion]) -> None:
        for criterion, box in self.criteria.items():
            box.setChecked(criterion in wanted)

    def _on_kind_changed(self, _on: bool = False) -> None:
        pairs = self.pair_choice.isChecked()
        self.criteria_part.setVisible(not pairs)
        self.most.setVisible(pairs)
        self._show_count()

    def _show_count(self) -> None:
        entries = self.picker.foreseen
        texts = say_number(len(entries))
        if self.pair_choice.isChecked():
            pairs = len(make_pairs(entries, 0, self.most.value())) if len(entries) <= MOST_ITEMS else MOST_ITEMS + 1
            ready = 0 < pairs <= MOST_ITEMS
            words = self.tr("Texts: {texts}. Pairs to choose from: {pairs}.").format(
                texts=texts, pairs=say_number(pairs)
            )
            if entries and not pairs:
                words = self.tr("A pair needs two texts of one prompt, by two models, drafts or settings.")
        else:
            ready = 0 < len(entries) <= MOST_ITEMS and bool(self.chosen_criteria)
            words = self.tr("Texts to rate: {texts}. Points to give for each: {points}.").format(
                texts=texts, points=say_number(len(self.chosen_criteria))
            )
        if not entries:
            words = self.tr("Tick the texts that are to be judged.")
        self.count.setText(words)
        self.make_button.setEnabled(ready)

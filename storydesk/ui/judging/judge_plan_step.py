"""What automatic judging is to do: models, prompts, how many stories, settings to try; and jobs from before."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QRadioButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.judge_job_controller import JudgeSources, JudgeWish
from storydesk.domain.judgement import MOST_SETTINGS, JudgePlan, JudgeState, Settings, spread_grid
from storydesk.domain.writing_controls import NUMBERS
from storydesk.ui.figures import say_number
from storydesk.ui.judging.check_list import CheckList
from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.judging.judge_words import say_job, say_job_name, say_setting
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon, indent_number, make_label, set_hint, set_role
from storydesk.ui.tuning.fold_out import FoldOut
from storydesk.ui.undo_bar import UndoBar

TRIED = ("temperature", "top_p", "min_p")
MOST_STORIES, MOST_PROMPTS = 20, 500
_USUAL_PROMPTS = 20
_JOB_LINES, _MOST_LINES = 5, 8


@dataclass(frozen=True, slots=True)
class ReadValues:
    """What was understood of a field: the values, or why not."""

    values: tuple[float, ...]
    problem: bool = False


def read_values(name: str, text: str) -> ReadValues:
    """Return the numbers that stand in a field, apart by blanks or semicolons; they have to be within limits."""
    found = []
    for part in text.replace(";", " ").split():
        try:
            value = float(part.strip(",").replace(",", "."))
        except ValueError:
            return ReadValues((), problem=True)
        if not math.isfinite(value) or NUMBERS[name].accept(value) != value:
            return ReadValues((), problem=True)
        found.append(value)
    return ReadValues(tuple(dict.fromkeys(found)))


class JudgePlanStep(QWidget):
    """Makes a JudgeWish. GUI thread."""

    start_wanted = Signal(object)
    """A JudgeWish."""
    open_wanted = Signal(object)
    """The JudgeState of a finished job."""
    resume_wanted = Signal(object)
    """The folder of a job that was broken off."""
    discard_wanted = Signal(object)
    """The folder of a job that is to go."""
    restore_wanted = Signal(str)
    """The name of a job that is to come back."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin before anything was found."""
        super().__init__(parent)
        self._sources: JudgeSources | None = None
        self._discarded = ""
        self._named = ("", "")
        self.file: Path | None = None
        self.models = CheckList(self.tr("Models to judge"))
        self.models.setMaximumHeight(self.fontMetrics().lineSpacing() * _MOST_LINES)
        self.samples_choice = QRadioButton(self.tr("Our sample stories"))
        self.shelf_choice = QRadioButton(self.tr("The prompt shelf"))
        self.file_choice = QRadioButton(self.tr("A file"))
        self.samples_choice.setChecked(True)
        self.file_button = QPushButton(icon("folder-open"), self.tr("Choose a file…"))
        self.file_button.setToolTip(
            self.tr("Prompts, a line each, or prompts with the stories that people wrote on them")
        )
        self.prompts = self._make_box(1, MOST_PROMPTS, _USUAL_PROMPTS, self.tr("How many prompts at most"))
        self.stories = self._make_box(1, MOST_STORIES, 1, self.tr("How many stories on each prompt"))
        self.fields = {name: self._make_field(name) for name in TRIED}
        self.jobs = QListWidget()
        self.jobs.setAccessibleName(self.tr("Judged before"))
        self.jobs.setWordWrap(True)
        self.jobs.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.jobs.setFixedHeight(self.fontMetrics().lineSpacing() * _JOB_LINES)
        self.undo_bar = UndoBar()
        self.count = make_label("", "muted")
        self.trouble = make_label("", "problem", selectable=True)
        self._build()
        self._join()
        self.say_trouble("")
        self.show_sources(JudgeSources((), "", Path(), (), (), ()))

    @property
    def settings(self) -> tuple[Settings, ...]:
        """Every combination of the settings to try; none where a field can't be understood."""
        read = {name: read_values(name, field.text()) for name, field in self.fields.items()}
        if any(each.problem for each in read.values()):
            return ()
        return spread_grid({name: each.values for name, each in read.items() if each.values})

    @property
    def job(self) -> JudgeState | None:
        """The earlier job that is chosen."""
        item = self.jobs.currentItem()
        found = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        return found if isinstance(found, JudgeState) else None

    def show_sources(self, sources: JudgeSources) -> None:
        """Offer what there is; what was ticked stays so."""
        known = self._sources.models if self._sources is not None else ()
        ticked = set(self.models.values())
        self._sources = sources
        self.models.offer(
            sources.models, str, lambda name: name in ticked or (not known and name in (sources.active, "starter"))
        )
        self.shelf_choice.setEnabled(bool(sources.shelf))
        self.shelf_choice.setToolTip("" if sources.shelf else self.tr("There are no prompts on the shelf yet"))
        self.jobs.clear()
        for state in (*sources.unfinished, *sources.finished):
            item = QListWidgetItem(say_job(state))
            item.setData(Qt.ItemDataRole.UserRole, state)
            self.jobs.addItem(item)
        self.jobs.setCurrentRow(0 if self.jobs.count() else -1)
        self.before.setVisible(self.jobs.count() > 0)
        self._show_job()
        self._show_count()

    def take_file(self, path: Path) -> None:
        """Take the prompts of a file."""
        self.file = path
        self.file_choice.setText(self.tr("A file: {name}").format(name=path.name))
        self.file_choice.setChecked(True)
        self._show_count()

    def say_trouble(self, words: str, *, problem: bool = True) -> None:
        """Say what went wrong or came of something, or nothing."""
        set_role(self.trouble, "problem" if problem else "muted")
        self.trouble.setText(words)
        self.trouble.setVisible(bool(words))

    def offer_undo(self, name: str) -> None:
        """Say that a job is in the trash, and offer to bring it back."""
        self._discarded = name
        said = self._named[1] if self._named[0] == name else name
        self.undo_bar.offer(self.tr("“{name}” is in the trash for 30 days.").format(name=said))

    def start(self) -> None:
        """Ask for the job."""
        sources = self._sources
        if sources is None or not self.start_button.isEnabled():
            return
        self.say_trouble("")
        plan = JudgePlan(
            models=tuple(self.models.values()),
            pairs=tuple((prompt, "") for prompt in sources.shelf) if self.shelf_choice.isChecked() else (),
            data=(sources.samples,) if self.samples_choice.isChecked() else (),
            prompts=self.prompts.value(),
            stories=self.stories.value(),
            settings=self.settings,
        )
        self.start_wanted.emit(JudgeWish(plan, self.file if self.file_choice.isChecked() else None))

    def _make_box(self, low: int, high: int, value: int, name: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(low, high)
        box.setValue(value)
        box.setAccessibleName(name)
        indent_number(box)
        return box

    def _make_field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        low, high = NUMBERS[name].low, NUMBERS[name].high
        words = self.tr("{name}: values to try").format(name=say_setting(name))
        field.setAccessibleName(words)
        set_hint(field, self.tr("as usual"))
        field.setToolTip(
            self.tr("Several values with blanks between them, from {low} to {high}").format(
                low=say_number(float(low or 0), 2), high=say_number(float(high or 0), 2)
            )
        )
        return field

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(
            make_label(
                self.tr(
                    "The models write on the same prompts, and what they write is measured beside each other and "
                    "beside what people wrote. It takes a while; you can write meanwhile, stop it, and go on later."
                )
            )
        )
        column.addWidget(make_label(self.tr("Models"), "heading"))
        column.addWidget(self.models)
        column.addWidget(make_label(self.tr("Prompts"), "heading"))
        kinds = FlowLayout(space=SPACE_M)
        kinds.add(self.samples_choice, self.shelf_choice, self.file_choice, self.file_button)
        column.addLayout(kinds)
        numbers = FlowLayout(space=SPACE_M)
        numbers.add(self._name(self.tr("Prompts at most"), self.prompts))
        numbers.add(self._name(self.tr("Stories on each prompt"), self.stories))
        column.addLayout(numbers)
        self.sweep = FoldOut(self.tr("Try settings"), self._build_sweep())
        column.addWidget(self.sweep)
        self.before = QWidget()
        before = QVBoxLayout(self.before)
        before.setContentsMargins(0, 0, 0, 0)
        before.setSpacing(SPACE_S)
        before.addWidget(make_label(self.tr("Judged before"), "heading"))
        before.addWidget(self.jobs)
        row = FlowLayout(space=SPACE_S)
        self.open_button = QPushButton(icon("table"), self.tr("Show"))
        self.delete_button = QPushButton(icon("trash"), self.tr("Delete"))
        self.delete_button.setToolTip(self.tr("A report that was written elsewhere stays where it is"))
        row.add(self.open_button, self.delete_button)
        before.addLayout(row)
        column.addWidget(self.before)
        column.addWidget(self.undo_bar)
        column.addStretch(1)
        self.buttons = QWidget()
        bottom = QHBoxLayout(self.buttons)
        bottom.setContentsMargins(0, 0, 0, 0)
        words = QVBoxLayout()
        words.addWidget(self.trouble)
        words.addWidget(self.count)
        bottom.addLayout(words, 1)
        self.start_button = QPushButton(icon("play", "on_accent"), self.tr("Let them be judged"))
        set_role(self.start_button, "primary")
        bottom.addWidget(self.start_button, 0, Qt.AlignmentFlag.AlignBottom)

    def _build_sweep(self) -> QWidget:
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(
            make_label(
                self.tr(
                    "Every combination is tried with every model, and ranked by how near its stories are to people's. "
                    "Write the values with blanks between them, such as 0.7 0.9 1.1."
                ),
                "muted",
            )
        )
        flow = FlowLayout(space=SPACE_M)
        for name, field in self.fields.items():
            flow.add(self._name(say_setting(name), field))
        column.addLayout(flow)
        return inside

    def _name(self, words: str, field: QWidget) -> QWidget:
        pair = QWidget()
        row = QHBoxLayout(pair)
        row.setContentsMargins(0, 0, 0, 0)
        label = QLabel(words)
        label.setBuddy(field)
        row.addWidget(label)
        row.addWidget(field)
        return pair

    def _join(self) -> None:
        self.models.ticked.connect(self._show_count)
        for choice in (self.samples_choice, self.shelf_choice, self.file_choice):
            choice.toggled.connect(self._show_count)
        self.file_button.clicked.connect(self._choose_file)
        self.prompts.valueChanged.connect(self._show_count)
        self.stories.valueChanged.connect(self._show_count)
        for field in self.fields.values():
            field.textChanged.connect(self._show_count)
        self.jobs.currentRowChanged.connect(self._show_job)
        self.jobs.itemActivated.connect(lambda _item: self._open())
        self.open_button.clicked.connect(self._open)
        self.delete_button.clicked.connect(self._discard)
        self.undo_bar.undone.connect(lambda: self.restore_wanted.emit(self._discarded))
        hear(self.jobs, ("Del",), self._discard)
        self.start_button.clicked.connect(self.start)

    def _choose_file(self) -> None:
        kinds = self.tr("Prompts and stories (*.txt *.md *.csv *.tsv *.jsonl *.json)")
        path, _kind = QFileDialog.getOpenFileName(self, self.tr("Prompts to judge on"), "", kinds)
        if path:
            self.take_file(Path(path))

    def _open(self) -> None:
        state = self.job
        if state is None:
            return
        if state.report is not None:
            self.open_wanted.emit(state)
        else:
            self.resume_wanted.emit(state.folder)

    def _discard(self) -> None:
        state = self.job
        if state is not None:
            self._named = (state.folder.name, say_job_name(state))
            self.discard_wanted.emit(state.folder)

    def _show_job(self) -> None:
        state = self.job
        finished = state is None or state.report is not None
        self.open_button.setIcon(icon("table" if finished else "play"))
        self.open_button.setText(self.tr("Show") if finished else self.tr("Go on"))
        for button in (self.open_button, self.delete_button):
            button.setEnabled(state is not None)

    def _show_count(self) -> None:
        models, settings = len(self.models.values()), len(self.settings)
        if not models:
            words = self.tr("Tick the models that are to be judged.")
        elif self.file_choice.isChecked() and self.file is None:
            words = self.tr("Choose a file with prompts.")
        elif not settings:
            words = self.tr("A value to try is no number, or outside of what is possible.")
        elif settings > MOST_SETTINGS:
            words = self.tr("{count} combinations are too many; {most} can be tried at once.").format(
                count=say_number(settings), most=say_number(MOST_SETTINGS)
            )
        else:
            count = models * settings * self.prompts.value() * self.stories.value()
            words = self.tr("Stories to be written: {count} at most.").format(count=say_number(count))
            self.count.setText(words)
            self.start_button.setEnabled(True)
            return
        self.count.setText(words)
        self.start_button.setEnabled(False)

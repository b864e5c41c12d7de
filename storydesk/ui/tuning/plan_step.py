"""Step 2, the plan: what will happen, a sentence each, and what can be chosen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_sources import Measure
from storydesk.domain.base_choice import Kind, Obstacle, PassedOver, Room, find_obstacle, find_offer, fit_base
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.run_settings import Value, read_kept, write_kept
from storydesk.domain.settings import TUNING_SETTINGS
from storydesk.domain.tuning import PlannedRun
from storydesk.services.desk import Desk
from storydesk.ui.figures import say_texts, say_words
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, add_row, make_form, make_label, set_role
from storydesk.ui.tuning.base_choice import BaseChoice
from storydesk.ui.tuning.every_setting import EverySetting
from storydesk.ui.tuning.fold_out import FoldOut
from storydesk.ui.tuning.plan_words import list_choices, say_needs, say_time, say_where, say_why
from storydesk.ui.tuning.setting_row import show
from storydesk.ui.window_timers import make_single_shot

LONGEST_MINUTES: Final = 24 * 60
FIRST_MINUTES: Final = 15
LOOK_MILLISECONDS: Final = 600


@dataclass(frozen=True, slots=True)
class PlanChoices:
    """What the writer chose; ``settings`` are the trainer's names, only those that were changed."""

    base: str
    name: str
    minutes: float | None
    seed: int
    settings: dict[str, Value] = field(default_factory=dict)


class PlanStep(QWidget):
    """Shows the plan in words and lets base, name, time and every setting be changed. GUI thread."""

    back_wanted = Signal()
    start_wanted = Signal()
    foresight_wanted = Signal()
    """What was chosen asks for another look at what the run would be like."""

    def __init__(self, desk: Desk, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Wait for ``refresh``."""
        super().__init__(parent)
        self._phrases = phrases
        self._store = desk.settings
        self._counted = Measure()
        self._planned: PlannedRun | None = None
        self._trouble = ""
        self._looked_at = ""
        self._needs = lambda weights, vocabulary, adapters: desk.tuning.estimate_needs(
            weights, vocabulary, adapters=adapters
        )
        self._sentences = [make_label() for _ in range(5)]
        self.foresight = make_label("", "muted", selectable=True)
        self._look_due = make_single_shot(self, LOOK_MILLISECONDS, self._ask_for_look)
        self.base = BaseChoice(desk.models, self._needs, phrases)
        self.every = EverySetting(desk.tuning.list_settings(), phrases)
        self.every.set_settings(read_kept(desk.settings.get(TUNING_SETTINGS), desk.tuning.list_settings()))
        self._build_buttons()
        self._build_layout()
        self.base.changed.connect(self._look_again)
        self.every.changed.connect(self._look_again)
        self._refresh_words()

    @property
    def choices(self) -> PlanChoices:
        """What was chosen."""
        return PlanChoices(
            base=self.base.name,
            name=self.name_field.text().strip() or self.tr("My voice"),
            minutes=float(self.minutes_box.value()) if self.minutes_box.value() else None,
            seed=self.every.seed_box.value(),
            settings=self.every.settings,
        )

    @property
    def words(self) -> str:
        """The plan's sentences as they stand."""
        return "\n".join(sentence.text() for sentence in self._sentences if sentence.text())

    def refresh(self, counted: Measure) -> None:
        """Plan for these words and read the shelf again."""
        self._counted = counted
        self._forget()
        self.base.refresh()  # once that is read, it asks for a look

    def show_foresight(self, planned: PlannedRun) -> None:
        """Say what a short measurement on this machine found, or start from something smaller for it."""
        obstacle = find_obstacle(self.base.name, planned, self.minutes_box.value() * 60)
        chosen = self.base.chosen
        if obstacle is not None and chosen is not None and chosen.kind is Kind.GPT2 and self.base.pass_over(obstacle):
            self._look_again()
            return
        self._planned = planned
        self._trouble = ""
        self.base.show_measured(planned)
        self._refresh_words()

    def show_trouble(self, failure: Failure) -> None:
        """Say why the run would not work as it is chosen, or start from something smaller for it."""
        chosen = self.base.chosen
        is_gpt2 = chosen is not None and chosen.kind is Kind.GPT2
        no_memory = PassedOver(self.base.name, Obstacle.MEMORY, 0.0, 0.0)
        if failure.code == FailureCode.MEMORY_FULL and is_gpt2 and self.base.pass_over(no_memory):
            self._look_again()
            return
        self._planned = None
        self._trouble = self._phrases.say_line(failure)
        self._refresh_words()

    def close_jobs(self) -> None:
        """Give up reading the shelf, and fetching."""
        self.base.close_jobs()

    def _build_buttons(self) -> None:
        self.start_button = QPushButton(self.tr("Tune my model"))
        self.start_button.setProperty("role", "primary")
        self.start_button.clicked.connect(self._on_start_clicked)
        self.back_button = QPushButton(self.tr("Back"))
        self.back_button.clicked.connect(self.back_wanted)
        self.buttons = QWidget()
        bottom = QHBoxLayout(self.buttons)
        bottom.setContentsMargins(0, 0, 0, 0)
        bottom.setSpacing(SPACE_S)
        bottom.addWidget(self.back_button)
        bottom.addStretch()
        bottom.addWidget(self.start_button)

    def _build_layout(self) -> None:
        self._choice_words = make_label("", selectable=True)
        self.chosen = FoldOut(self.tr("What was chosen for it"), self._choice_words)
        self.by_hand = make_label("", selectable=True)
        self.as_usual_button = QPushButton(self.tr("Back to the usual settings"))
        self.as_usual_button.setProperty("role", "flat")
        self.as_usual_button.clicked.connect(self.every.reset)
        self.more = FoldOut(self.tr("Every setting"), self.every)
        self.more.button.toggled.connect(lambda shown: self.every.open() if shown else None)
        as_usual = FlowLayout()
        as_usual.add(self.as_usual_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_M)
        layout.addWidget(make_label(self.tr("What will happen"), "title"))
        for sentence in self._sentences:
            layout.addWidget(sentence)
        layout.addWidget(self.foresight)
        layout.addWidget(self.by_hand)
        layout.addLayout(as_usual)
        layout.addWidget(self.chosen)
        layout.addSpacing(SPACE_S)
        layout.addLayout(self._build_form())
        layout.addWidget(self.more)
        layout.addStretch()

    def _build_form(self) -> QFormLayout:
        self.name_field = QLineEdit(self.tr("My voice"))
        self.minutes_box = QSpinBox()
        self.minutes_box.setRange(0, LONGEST_MINUTES)
        self.minutes_box.setValue(FIRST_MINUTES)
        self.minutes_box.setSuffix(self.tr(" minutes"))
        self.minutes_box.setSpecialValueText(self.tr("As long as it helps"))
        self.minutes_box.valueChanged.connect(self._on_minutes_changed)
        form = make_form()
        add_row(form, self.tr("Start &from"), self.base.box, self._under(self.base))
        item = form.itemAt(0, QFormLayout.ItemRole.LabelRole)
        if item is not None and (label := item.widget()) is not None:
            label.setSizePolicy(label.sizePolicy().horizontalPolicy(), QSizePolicy.Policy.Fixed)  # level with the box
        add_row(form, self.tr("&Name of the new model"), self.name_field)
        add_row(form, self.tr("Learn for at &most"), self.minutes_box)
        return form

    def _under(self, widget: QWidget) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(widget)
        return column

    def _on_start_clicked(self) -> None:
        self._keep_settings()
        self.start_wanted.emit()

    def _on_minutes_changed(self) -> None:
        self.base.forget_time()
        if self.base.name != self._looked_at:
            self._look_again()
        elif self._planned is not None:
            self.show_foresight(self._planned)
        else:
            self._refresh_words()

    def _keep_settings(self) -> None:
        kept = write_kept(self.every.settings)
        if kept != self._store.get(TUNING_SETTINGS):
            self._store.set(TUNING_SETTINGS, kept)

    def _look_again(self) -> None:
        """Ask for another look, since something else is chosen."""
        self._forget()
        self._look_due.start()

    def _forget(self) -> None:
        """Forget what was measured for another choice."""
        self._planned = None
        self._trouble = ""
        self._refresh_words()

    def _ask_for_look(self) -> None:
        self._keep_settings()
        if self.base.is_here and self.every.is_valid:
            self._looked_at = self.base.name
            self.foresight_wanted.emit()

    def _refresh_words(self) -> None:
        texts, words, base = say_texts(self._counted.documents), say_words(self._counted.words), self.base.name
        first = self.tr("{base} reads {texts} of yours, {words}, and learns to write more like you.")
        after = self.tr(
            "A few pages are kept aside unread. The new model is taken only if it foresees those better than {base} "
            "does, and {base} stays on your shelf."
        )
        why = say_why(
            base,
            self.base.options,
            self.base.passed_over,
            by_hand=self.base.is_by_hand,
            can_carry=self._can_carry_gpt2(),
        )
        said = (
            first.format(base=base, texts=texts, words=words),
            why,
            say_where(self._planned, base),
            say_time(self._planned, self.minutes_box.value()),
            after.format(base=base),
        )
        for sentence, text in zip(self._sentences, said, strict=True):
            sentence.setText(text)
            show(sentence, bool(text))
        self._show_needs()
        self._show_choices()
        self.start_button.setEnabled(self.base.is_here and self.every.is_valid)

    def _can_carry_gpt2(self) -> bool:
        """Say whether the GPT-2 to offer fits, as far as is known."""
        offer = find_offer(self.base.options)
        if offer is None or self._planned is None:
            return True
        fit = fit_base(offer, self._needs, self._planned.memory_free, self._planned.disk_free)
        return fit.room in (Room.WHOLE, Room.ADDITIONS)

    def _show_needs(self) -> None:
        planned = self._planned
        problem, said = False, self.tr("Looking at your words and at this computer…")
        if not self.every.is_valid:
            problem, said = True, self.tr("One of the settings below can't be as it is typed.")
        elif not self.base.is_here:
            said = self.tr("{name} has to be fetched first.").format(name=self.base.name)
        elif self._trouble:
            problem, said = True, self._trouble
        elif planned is not None:
            problem, said = not planned.fits, say_needs(planned)
        set_role(self.foresight, "problem" if problem else "muted")
        self.foresight.setText(said)

    def _show_choices(self) -> None:
        changed = self.every.describe()
        self.by_hand.setText("\n".join([self.tr("Changed by hand:"), *changed]) if changed else "")
        show(self.by_hand, bool(changed))
        show(self.as_usual_button, bool(changed))
        planned = self._planned
        show(self.chosen, planned is not None)
        self.every.show_planned(planned)
        if planned is not None:
            self._choice_words.setText("\n".join(list_choices(planned, self.base.name, self.every.settings)))

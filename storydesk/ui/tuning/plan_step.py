"""Step 2, the plan: what will happen, a sentence each, and the little that can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QComboBox,
    QDoubleSpinBox,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.tuning_sources import Measure
from storydesk.domain.style_model import StyleModel
from storydesk.domain.tuning import PlannedRun
from storydesk.services.models import ModelService
from storydesk.ui.figures import say_device, say_duration, say_number, say_size, say_texts, say_words
from storydesk.ui.theme import SPACE_M, SPACE_S, add_row, make_form, make_label, set_role
from storydesk.ui.tuning.fold_out import FoldOut
from storydesk.ui.window_timers import make_single_shot

LONGEST_MINUTES: Final = 24 * 60
FIRST_MINUTES: Final = 15
FIRST_SEED: Final = 7
LOOK_MILLISECONDS: Final = 600
# Measuring before and after, samples, the quick form and its check: measured on the starter with two cores.
AROUND_SECONDS: Final = 90


@dataclass(frozen=True, slots=True)
class PlanChoices:
    """What the writer chose; ``settings`` are the trainer's names, only those that were changed."""

    base: str
    name: str
    minutes: float | None
    seed: int
    settings: dict[str, str | int | float | bool] = field(default_factory=dict)


class PlanStep(QWidget):
    """Shows the plan in words and lets base, name and time be changed. GUI thread."""

    back_wanted = Signal()
    start_wanted = Signal()
    foresight_wanted = Signal()
    """What was chosen asks for another look at what the run would be like."""

    def __init__(self, models: ModelService, parent: QWidget | None = None) -> None:
        """Wait for ``refresh``."""
        super().__init__(parent)
        self._models = models
        self._jobs = JobRunner(self)
        self._counted = Measure()
        self._planned: PlannedRun | None = None
        self._sentences = [make_label() for _ in range(4)]
        self.foresight = make_label("", "muted", selectable=True)
        self._look_due = make_single_shot(self, LOOK_MILLISECONDS, self.foresight_wanted.emit)
        self.start_button = QPushButton(self.tr("Tune my model"))
        self.start_button.setProperty("role", "primary")
        self.start_button.clicked.connect(self.start_wanted)
        self.back_button = QPushButton(self.tr("Back"))
        self.back_button.clicked.connect(self.back_wanted)
        self.buttons = QWidget()
        bottom = QHBoxLayout(self.buttons)
        bottom.setContentsMargins(0, 0, 0, 0)
        bottom.setSpacing(SPACE_S)
        bottom.addWidget(self.back_button)
        bottom.addStretch()
        bottom.addWidget(self.start_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_M)
        layout.addWidget(make_label(self.tr("What will happen"), "title"))
        for sentence in self._sentences:
            layout.addWidget(sentence)
        layout.addWidget(self.foresight)
        layout.addSpacing(SPACE_S)
        layout.addLayout(self._build_form())
        self.more = FoldOut(self.tr("More settings"), self._build_expert_page())
        layout.addWidget(self.more)
        layout.addStretch()
        self._refresh_words()

    @property
    def choices(self) -> PlanChoices:
        """What was chosen."""
        settings: dict[str, str | int | float | bool] = {}
        if self.rate_box.value() > 0:
            settings["learning_rate"] = self.rate_box.value()
        if self.passes_box.value() > 0:
            settings["epochs"] = self.passes_box.value()
        return PlanChoices(
            base=str(self.base_box.currentData() or self._models.active),
            name=self.name_field.text().strip() or self.tr("My voice"),
            minutes=float(self.minutes_box.value()) if self.minutes_box.value() else None,
            seed=self.seed_box.value(),
            settings=settings,
        )

    @property
    def words(self) -> str:
        """The plan's sentences as they stand."""
        return "\n".join(sentence.text() for sentence in self._sentences)

    def refresh(self, counted: Measure) -> None:
        """Plan for these words and read the shelf again."""
        self._counted = counted
        self._look_again()
        self._jobs.start(
            lambda _: (tuple(self._models.list_models()), self._models.active), on_success=self._on_models_listed
        )

    def show_foresight(self, planned: PlannedRun) -> None:
        """Say what a short measurement on this machine found."""
        self._planned = planned
        self._refresh_words()

    def show_trouble(self, sentence: str) -> None:
        """Say why the run would not work as it is chosen."""
        self._planned = None
        self._refresh_words()
        set_role(self.foresight, "problem")
        self.foresight.setText(sentence)

    def close_jobs(self) -> None:
        """Give up reading the shelf."""
        self._jobs.close()

    def _build_form(self) -> QFormLayout:
        self.base_box = QComboBox()
        self.base_box.addItem(self._models.active, self._models.active)
        self.base_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.base_box.setMinimumContentsLength(24)
        self.base_box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.base_box.currentIndexChanged.connect(self._look_again)
        self.name_field = QLineEdit(self.tr("My voice"))
        self.minutes_box = QSpinBox()
        self.minutes_box.setRange(0, LONGEST_MINUTES)
        self.minutes_box.setValue(FIRST_MINUTES)
        self.minutes_box.setSuffix(self.tr(" minutes"))
        self.minutes_box.setSpecialValueText(self.tr("As long as it helps"))
        self.minutes_box.valueChanged.connect(self._refresh_words)
        form = make_form()
        add_row(form, self.tr("Start &from"), self.base_box)
        add_row(form, self.tr("&Name of the new model"), self.name_field)
        add_row(form, self.tr("Learn for at &most"), self.minutes_box)
        return form

    def _build_expert_page(self) -> QWidget:
        automatic = self.tr("Automatic")
        self.passes_box = QSpinBox()
        self.passes_box.setRange(0, 100)
        self.passes_box.setSpecialValueText(automatic)
        self.rate_box = QDoubleSpinBox()
        self.rate_box.setDecimals(6)
        self.rate_box.setRange(0.0, 0.01)
        self.rate_box.setSingleStep(0.00005)
        self.rate_box.setSpecialValueText(automatic)
        self.seed_box = QSpinBox()
        self.seed_box.setRange(0, 2**31 - 1)
        self.seed_box.setValue(FIRST_SEED)
        page = QWidget()
        form = make_form()
        add_row(form, self.tr("Times each story is read"), self.passes_box)
        add_row(form, self.tr("Learning rate"), self.rate_box)
        add_row(form, self.tr("Seed (the same gives the same)"), self.seed_box)
        page.setLayout(form)
        self.passes_box.valueChanged.connect(self._look_again)
        return page

    def _look_again(self) -> None:
        """Forget what was measured for another choice."""
        self._planned = None
        self._refresh_words()
        self._look_due.start()

    def _refresh_words(self) -> None:
        texts, words = say_texts(self._counted.documents), say_words(self._counted.words)
        base = str(self.base_box.currentData() or self._models.active)
        minutes = self.minutes_box.value()
        first = self.tr("{base} reads {texts} of yours, {words}, and learns to write more like you.")
        where, took = self._say_where(base), self._say_time()
        if took:
            time = took
        elif minutes:
            time = self.tr("It takes {duration} at most, and you can pause it and write meanwhile.")
            time = time.format(duration=say_duration(minutes * 60 + AROUND_SECONDS))
        else:
            time = self.tr("It ends by itself once it gets no better. You can pause it and write meanwhile.")
        after = self.tr(
            "A few pages are kept aside unread. The new model is taken only if it foresees those better than {base} "
            "does, and {base} stays on your shelf."
        )
        said = (first.format(base=base, texts=texts, words=words), where, time, after.format(base=base))
        for sentence, text in zip(self._sentences, said, strict=True):
            sentence.setText(text)
        self._show_needs()

    def _say_where(self, base: str) -> str:
        planned = self._planned
        if planned is None:
            return self.tr(
                "It works on your graphics card where one can be used, else on the processor; nothing leaves this "
                "computer."
            )
        if planned.adapters:
            said = self.tr(
                "It works on {device}, where {base} is too large to be changed as a whole, so small additions learn "
                "(LoRA). Nothing leaves this computer."
            )
        else:
            said = self.tr("It works on {device} and changes {base} as a whole. Nothing leaves this computer.")
        return said.format(device=say_device(planned.device), base=base)

    def _say_time(self) -> str:
        """Return how long it takes by what was measured; empty while nothing was."""
        planned, most = self._planned, self.minutes_box.value() * 60
        if planned is None:
            return ""
        whole = planned.seconds + AROUND_SECONDS
        figures = {
            "duration": say_duration(whole),
            "passes": say_number(planned.epochs),
            "most": say_duration(most + AROUND_SECONDS),
        }
        if most and planned.seconds > most:
            said = self.tr(
                "To read everything {passes} times takes {duration} on this computer; it ends after {most}, as you "
                "chose. You can pause it and write meanwhile."
            )
        else:
            said = self.tr(
                "To read everything {passes} times takes {duration} on this computer, less where it gets no better "
                "before. You can pause it and write meanwhile."
            )
        return said.format(**figures)

    def _show_needs(self) -> None:
        planned = self._planned
        if planned is None:
            set_role(self.foresight, "muted")
            self.foresight.setText(self.tr("Looking at your words and at this computer…"))
            return
        figures = {
            "memory": say_size(planned.memory_needed),
            "disk": say_size(planned.disk_needed),
            "memory_free": say_size(planned.memory_free) if planned.memory_free else self.tr("an unknown amount"),
            "disk_free": say_size(planned.disk_free),
        }
        set_role(self.foresight, "muted" if planned.fits else "problem")
        needs = self.tr(
            "It needs about {memory} of memory ({memory_free} free) and, while it runs, {disk} of disk ({disk_free} "
            "free)."
        ).format(**figures)
        advice = (
            "" if planned.fits else " " + self.tr("Make room first, close other programs, or choose a smaller base.")
        )
        self.foresight.setText(needs + advice)

    def _on_models_listed(self, found: tuple[Sequence[StyleModel], str]) -> None:
        models, active = found
        wanted = self.base_box.currentData() or active
        self.base_box.blockSignals(True)
        self.base_box.clear()
        for model in models:
            self.base_box.addItem(model.name, model.name)
        self.base_box.setCurrentIndex(max(0, self.base_box.findData(wanted)))
        self.base_box.blockSignals(False)
        self._refresh_words()

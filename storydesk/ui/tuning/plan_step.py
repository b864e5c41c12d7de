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
from storydesk.services.models import ModelService
from storydesk.ui.figures import say_duration, say_texts, say_words
from storydesk.ui.theme import SPACE_M, SPACE_S, add_row, make_form, make_label
from storydesk.ui.tuning.fold_out import FoldOut

LONGEST_MINUTES: Final = 24 * 60
FIRST_MINUTES: Final = 15
FIRST_SEED: Final = 7
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

    def __init__(self, models: ModelService, parent: QWidget | None = None) -> None:
        """Wait for ``refresh``."""
        super().__init__(parent)
        self._models = models
        self._jobs = JobRunner(self)
        self._counted = Measure()
        self._sentences = [make_label() for _ in range(4)]
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
        self._refresh_words()
        self._jobs.start(
            lambda _: (tuple(self._models.list_models()), self._models.active), on_success=self._on_models_listed
        )

    def close_jobs(self) -> None:
        """Give up reading the shelf."""
        self._jobs.close()

    def _build_form(self) -> QFormLayout:
        self.base_box = QComboBox()
        self.base_box.addItem(self._models.active, self._models.active)
        self.base_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.base_box.setMinimumContentsLength(24)
        self.base_box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.base_box.currentIndexChanged.connect(self._refresh_words)
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
        return page

    def _refresh_words(self) -> None:
        texts, words = say_texts(self._counted.documents), say_words(self._counted.words)
        base = str(self.base_box.currentData() or self._models.active)
        minutes = self.minutes_box.value()
        first = self.tr("{base} reads {texts} of yours, {words}, and learns to write more like you.")
        where = self.tr(
            "It works on your graphics card where one can be used, else on the processor; nothing leaves this computer."
        )
        if minutes:
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

"""Where a sheet's texts come from: what models wrote for a story, its drafts, or models that write on prompts."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSpinBox, QVBoxLayout, QWidget

from storydesk.bridge.judging_controller import draw_seed
from storydesk.bridge.judging_texts import (
    LEAST_WORDS,
    MOST_WORDS,
    StoryTexts,
    TextSources,
    WritingPlan,
    make_draft_entry,
    make_generation_entry,
)
from storydesk.domain.draft_history import KeptGeneration
from storydesk.domain.judging import ContenderKind, Entry
from storydesk.domain.manuscript import Draft, Story, count_words
from storydesk.ui.assistant.controls_page import say_preset
from storydesk.ui.drafts.version_words import say_generation
from storydesk.ui.figures import say_words
from storydesk.ui.judging.check_list import CheckList
from storydesk.ui.sentences import say_draft, say_untitled
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, indent_number, make_label

_LETTERS = 110
USUAL_WORDS = 120


class Source(IntEnum):
    """Where texts come from, in the order of the list."""

    KEPT = 0
    DRAFTS = 1
    MODELS = 2


class TextPicker(QWidget):
    """Gathers texts; what was ticked of one story stays when another one is looked at. GUI thread."""

    changed = Signal()
    story_wanted = Signal(object)
    """A Story whose texts are to be read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._kept: dict[str, KeptGeneration] = {}
        self._drafts: dict[int, tuple[Draft, Story]] = {}
        self._shown: StoryTexts | None = None
        self._seed = draw_seed()
        self.source = QComboBox()
        self.source.addItems(
            [
                self.tr("What models wrote for a story"),
                self.tr("Drafts of a story"),
                self.tr("Models, writing now"),
            ]
        )
        self.source.setAccessibleName(self.tr("Where the texts come from"))
        self.story = QComboBox()
        self.story.setAccessibleName(self.tr("Story"))
        self.story.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.story.setMinimumContentsLength(24)
        self.by = QComboBox()
        self.by.addItems([self.tr("compare models"), self.tr("compare settings")])
        self.by.setAccessibleName(self.tr("What is compared"))
        self.texts = CheckList(self.tr("Texts"))
        self.nothing = make_label("", "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignTop)
        self._build()
        self.source.currentIndexChanged.connect(self._on_source_changed)
        self.story.currentIndexChanged.connect(self._on_story_changed)
        self.by.currentIndexChanged.connect(self.changed)
        self.texts.ticked.connect(self._on_ticked)
        self._on_source_changed()

    def begin(self, sources: TextSources, opened: int = 0) -> None:
        """Offer what there is, the open story first; nothing is picked yet."""
        self._kept.clear()
        self._drafts.clear()
        self._shown = None
        self._seed = draw_seed()
        self.story.blockSignals(True)
        self.story.clear()
        for story in sources.stories:
            self.story.addItem(story.title or say_untitled(), story)
        row = next((row for row, story in enumerate(sources.stories) if story.id == opened), 0)
        self.story.setCurrentIndex(row if sources.stories else -1)
        self.story.blockSignals(False)
        self.models.offer(sources.models, str, lambda name: bool(name == sources.active))
        self.presets.offer(sources.presets, say_preset, lambda name: bool(name == "balanced"))
        self.prompts.offer(sources.prompts, _cut, lambda _prompt: False)
        self.texts.offer([], str, lambda _value: False)
        self._on_story_changed()

    def show_story(self, texts: StoryTexts) -> None:
        """Show the texts of the story that is chosen."""
        story = self.story.currentData()
        if isinstance(story, Story) and story.id == texts.story.id:
            self._shown = texts
            self._show_texts()

    @property
    def plan(self) -> WritingPlan | None:
        """What models are to write, None where nothing is."""
        if self.source.currentIndex() != Source.MODELS:
            return None
        plan = WritingPlan(
            tuple(self.models.values()),
            tuple(self.prompts.values()),
            tuple(self.presets.values()),
            self.words.value(),
            self.each.value(),
            self._seed,
        )
        return plan if plan.count else None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The texts that are there already."""
        by_settings = self.by.currentIndex() == 1
        kept = [make_generation_entry(each, by_settings=by_settings) for each in self._kept.values()]
        drafts = [
            make_draft_entry(draft, story.prompt, f"{story.title or say_untitled()}, {say_draft(draft.name)}")
            for draft, story in self._drafts.values()
        ]
        return (*kept, *drafts)

    @property
    def foreseen(self) -> tuple[Entry, ...]:
        """All texts that the sheet would have; those not written yet hold a dot."""
        plan = self.plan
        if plan is None:
            return self.entries
        several = len(plan.presets) > 1
        planned = [
            Entry(prompt, ".", f"{model}, {preset}" if several else model, ContenderKind.MODEL, str(turn))
            for turn in range(plan.each)
            for model in plan.models
            for preset in plan.presets
            for prompt in plan.prompts
        ]
        return (*self.entries, *planned)

    def _build(self) -> None:
        row = FlowLayout()
        row.add(self.source, self.story, self.by)
        self.all_button = QPushButton(self.tr("Tick all"))
        self.all_button.clicked.connect(lambda: self.texts.tick())
        self.none_button = QPushButton(self.tr("Tick none"))
        self.none_button.clicked.connect(lambda: self.texts.tick(on=False))
        ticks = FlowLayout()
        ticks.add(self.all_button, self.none_button)
        self.story_part = QWidget()
        part = QVBoxLayout(self.story_part)
        part.setContentsMargins(0, 0, 0, 0)
        part.setSpacing(SPACE_S)
        part.addWidget(self.texts, 1)
        part.addWidget(self.nothing, 1)
        part.addLayout(ticks)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(row)
        column.addWidget(self.story_part, 1)
        column.addWidget(self._build_models(), 1)

    def _build_models(self) -> QWidget:
        self.models = CheckList(self.tr("Models"))
        self.presets = CheckList(self.tr("Ways of writing"))
        self.prompts = CheckList(self.tr("Prompts"))
        self.words = QSpinBox()
        self.words.setRange(LEAST_WORDS, MOST_WORDS)
        self.words.setSingleStep(10)
        self.words.setValue(USUAL_WORDS)
        self.words.setSuffix(self.tr(" words each"))
        self.words.setAccessibleName(self.tr("Words of each text"))
        self.each = QSpinBox()
        self.each.setRange(1, 10)
        self.each.setPrefix(self.tr("texts of each: "))
        self.each.setAccessibleName(self.tr("Texts of each model on each prompt"))
        for box in (self.words, self.each):
            indent_number(box)
            box.valueChanged.connect(self.changed)
        for each in (self.models, self.presets, self.prompts):
            each.ticked.connect(self.changed)
        lists = QHBoxLayout()
        lists.setSpacing(SPACE_M)
        for heading, each, share in (
            (self.tr("Models"), self.models, 2),
            (self.tr("Ways of writing"), self.presets, 2),
            (self.tr("Prompts"), self.prompts, 4),
        ):
            half = QVBoxLayout()
            half.addWidget(make_label(heading, "muted"))
            half.addWidget(each, 1)
            lists.addLayout(half, share)
        row = FlowLayout()
        row.add(self.words, self.each)
        self.models_part = QWidget()
        column = QVBoxLayout(self.models_part)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(lists, 1)
        column.addLayout(row)
        return self.models_part

    def _on_source_changed(self, _index: int = 0) -> None:
        source = self.source.currentIndex()
        self.story_part.setVisible(source != Source.MODELS)
        self.story.setVisible(source != Source.MODELS)
        self.by.setVisible(source == Source.KEPT)
        self.models_part.setVisible(source == Source.MODELS)
        self._show_texts()
        self.changed.emit()

    def _on_story_changed(self, _index: int = 0) -> None:
        story = self.story.currentData()
        self.story.setToolTip(self.story.currentText())  # a title may be longer than the field
        self._shown = None
        self._show_texts()
        if isinstance(story, Story):
            self.story_wanted.emit(story)

    def _show_texts(self) -> None:
        shown, drafts = self._shown, self.source.currentIndex() == Source.DRAFTS
        if shown is None:
            self.texts.offer([], str, lambda _value: False)
        elif drafts:
            self.texts.offer(shown.drafts, _say_draft_line, lambda draft: draft.id in self._drafts)
        else:
            self.texts.offer(shown.generations, _say_kept_line, lambda kept: kept.key in self._kept)
        empty = not self.texts.count()
        self.texts.setVisible(not empty)
        self.nothing.setVisible(empty)
        for button in (self.all_button, self.none_button):
            button.setVisible(not empty)
        if drafts:
            self.nothing.setText(self.tr("This story has no draft with a text."))
        else:
            self.nothing.setText(self.tr("Nothing yet: no model has written for this story."))
        if not self.story.count():
            self.nothing.setText(self.tr("There is no story yet."))

    def _on_ticked(self) -> None:
        ticked = self.texts.values()
        for value in self.texts.values(only_ticked=False):
            if isinstance(value, KeptGeneration):
                self._kept.pop(value.key, None)
            elif isinstance(value, Draft):
                self._drafts.pop(value.id, None)
        for value in ticked:
            if isinstance(value, KeptGeneration):
                self._kept[value.key] = value
            elif isinstance(value, Draft) and self._shown is not None:
                self._drafts[value.id] = (value, self._shown.story)
        self.changed.emit()


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LETTERS else f"{line[:_LETTERS]}…"


def _say_kept_line(kept: KeptGeneration) -> str:
    return f"{_cut(kept.text)}\n{say_generation(kept)}"


def _say_draft_line(draft: Draft) -> str:
    return f"{say_draft(draft.name)} · {say_words(count_words(draft.text))}\n{_cut(draft.text)}"

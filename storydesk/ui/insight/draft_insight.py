"""Insight into the draft on the page: the heat map over it, the tab beside it and the strip below, kept in step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from PySide6.QtCore import QEvent, QObject, Slot
from PySide6.QtGui import QAction, QActionGroup, QColor, QHelpEvent, QTextBlock, QTextCharFormat
from PySide6.QtWidgets import QToolTip

from storydesk.bridge.draft_score import DraftScore, ScoreState
from storydesk.bridge.engine_worker import EngineState
from storydesk.bridge.insight_controller import DraftsTold, InsightController, VoiceReady, WordTold
from storydesk.bridge.insight_worker import SurpriseReady
from storydesk.bridge.offsets import Utf16Map
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import Failure
from storydesk.domain.insight import HeatKind, SurprisingPart, TrendPoint
from storydesk.domain.repetition import Place, Repetition
from storydesk.domain.settings import HEAT_KIND, HEAT_SHOWN
from storydesk.services.insight import DraftValue, ProseReport
from storydesk.ui.editor.compositor import Mark
from storydesk.ui.editor.heat_map import HeatMap, HeatWord
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.insight.heat_bar import HeatBar, say_word
from storydesk.ui.insight.insight_panel import READING, REPETITION, SURPRISE, InsightPanel
from storydesk.ui.insight.surprise_page import DRAFTS
from storydesk.ui.theme import current_tokens
from storydesk.ui.window_timers import make_single_shot

LAYER = "repetition"
PRIORITY = 45
WORD_MILLISECONDS = 250
CONTEXT_UNITS = 1500
"""What the model reads before a word to say what it thought of, in UTF-16 units: about 350 tokens."""


class DraftInsight(QObject):
    """Joins page, tab and strip with what the engine and the insight thread know. GUI thread."""

    def __init__(self, workroom: Workroom, page: PageEdit, actions: Mapping[str, QAction]) -> None:
        """Build the tab (``panel``) and the strip (``bar``); the window puts them where they belong."""
        super().__init__(page)
        self._workroom = workroom
        self._page = page
        self._actions = actions
        self._settings = workroom.desk.settings
        self.controller = InsightController(workroom, self)
        self.heat = HeatMap(page)
        self.bar = HeatBar(actions, page)  # without a parent it would be a window of its own where the map is on
        self.panel = InsightPanel(actions, self._read_line)
        self._missing_voice = ""
        self._state = ScoreState.UNKNOWN
        self._word: HeatWord | None = None
        self._repetition: Repetition | None = None
        self._prose: ProseReport | None = None
        self._drafts: Sequence[DraftValue] = ()
        self._at = 0
        self._word_due = make_single_shot(self, WORD_MILLISECONDS, self._on_word_due)
        self._kinds = QActionGroup(self)
        self._kinds.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        for kind in HeatKind:
            self._kinds.addAction(actions[f"heat_{kind}"])
        self._join()
        self._show_heat(HeatKind(self._settings.get(HEAT_KIND)) if self._settings.get(HEAT_SHOWN) else None)

    def _join(self) -> None:
        self._workroom.watch_place(lambda: self._page.textCursor().position())
        self._workroom.score_changed.connect(self._on_score_changed)
        self._workroom.score_state_changed.connect(self._on_score_state_changed)
        self.controller.score_changed.connect(self._on_lines_scored)
        self.controller.surprise_changed.connect(self._on_surprise_changed)
        self.controller.prose_changed.connect(self._on_prose_changed)
        self.controller.voice_changed.connect(self._on_voice_changed)
        self.controller.voice_missing.connect(self._on_voice_missing)
        self.controller.drafts_told.connect(self._on_drafts_told)
        self.controller.word_told.connect(self._on_word_told)
        self._workroom.engine.engine_ready.connect(self._on_engine_ready)
        self._workroom.manuscripts.drafts_changed.connect(self._refresh_drafts)
        self._page.edited.connect(self._on_edited)
        self._page.cursorPositionChanged.connect(self._on_cursor_moved)
        self._page.viewport().installEventFilter(self)
        panel = self.panel
        panel.page_seen.connect(self._on_page_seen)
        panel.surprise.point_chosen.connect(self._on_point_chosen)
        panel.surprise.part_chosen.connect(self._on_part_chosen)
        panel.surprise.drafts_wanted.connect(self.controller.ask_drafts)
        panel.repetition.repetition_chosen.connect(self._on_repetition_chosen)
        panel.repetition.marks_unwanted.connect(self.clear_marks)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of insight do."""
        kinds: dict[str, Callable[[], object]] = {
            f"heat_{kind}": lambda kind=kind: self._on_kind_chosen(kind)  # type: ignore[misc]  # mypy can't infer a default in a lambda
            for kind in HeatKind
        }
        return {
            "heat_map": self._on_heat_toggled,
            **kinds,
            "next_surprise": lambda: self._go_to_surprise(1),
            "previous_surprise": lambda: self._go_to_surprise(-1),
        }

    # The heat map

    def _on_heat_toggled(self) -> None:
        on = self._actions["heat_map"].isChecked()
        self._show_heat(HeatKind(self._settings.get(HEAT_KIND)) if on else None)

    def _on_kind_chosen(self, kind: HeatKind) -> None:
        self._show_heat(kind if self._actions[f"heat_{kind}"].isChecked() else None)

    def _show_heat(self, kind: HeatKind | None) -> None:
        self.heat.show_kind(kind)
        self.bar.show_kind(kind)
        self._actions["heat_map"].setChecked(kind is not None)
        for each in HeatKind:
            self._actions[f"heat_{each}"].setChecked(each is kind)
        if kind is not None and self._settings.get(HEAT_KIND) != kind:
            self._settings.set(HEAT_KIND, str(kind))
        if self._settings.get(HEAT_SHOWN) is not (kind is not None):
            self._settings.set(HEAT_SHOWN, kind is not None)
        self.controller.watch("voice", kind is HeatKind.VOICE)
        self._word = None
        self._word_due.start()

    @Slot(object)
    def _on_lines_scored(self, score: DraftScore | None) -> None:
        if score is not None:
            self.heat.set_scores(score.lines)
            self._word_due.start()
        self.panel.surprise.show_score(score)

    @Slot(object)
    def _on_voice_changed(self, event: VoiceReady) -> None:
        self._missing_voice = ""
        self.heat.set_bases(event.score.lines)
        self._word_due.start()

    @Slot(object)
    def _on_engine_ready(self, _state: EngineState) -> None:
        """Hear that a model was loaded; another one has another base, and thinks otherwise of the drafts."""
        self._missing_voice = ""
        self.heat.forget_bases()
        self._refresh_drafts()

    @Slot(object)
    def _on_voice_missing(self, failure: Failure | None) -> None:
        if failure is None:
            self._missing_voice = self.tr(
                "This tells your voice from that of the model that yours came from. Tune a model first, and use it."
            )
        else:
            self._missing_voice = self.tr(
                "The model that yours came from can't be read, so there is nothing to compare."
            )
        self._word_due.start()

    @Slot()
    def _on_cursor_moved(self) -> None:
        if self.heat.kind is not None:
            self._word_due.start()

    @Slot(int, int, int)
    def _on_edited(self, _position: int, _removed: int, _added: int) -> None:
        self.controller.note_edit()

    @Slot()
    def _on_word_due(self) -> None:
        """Tell of the word at the cursor, and ask what the model would sooner have written there."""
        kind = self.heat.kind
        if kind is None:
            return
        word = self.heat.find_word(self._page.textCursor().position())
        if kind is HeatKind.VOICE and self._missing_voice:
            self.bar.say(self._missing_voice)
        elif word is not None and word != self._word:
            self._word = word
            self.bar.say(say_word(kind, word))
            self._ask_word(word)
        elif word is None:
            self._word = None
            self.bar.say(self._say_waiting())

    def _say_waiting(self) -> str:
        if self._page.document().isEmpty():
            return self.tr("Write something, and its words are coloured.")
        if not self.heat.known:
            if self._state in (ScoreState.STALE, ScoreState.WORKING):
                return self.tr("The model is reading; colours come as it goes on.")
            return self.tr("There are no colours before a model has read the text.")
        return self.tr("Put the cursor into a word, or point at one, to see what the model thought of it.")

    def _ask_word(self, word: HeatWord) -> None:
        begin = max(word.start - CONTEXT_UNITS, 0)
        before = self._page.text_at(begin, word.start)
        if begin:
            before = before[before.find(" ") + 1 :]
        opened = self._workroom.manuscripts.opened
        prompt = opened.story.prompt if opened is not None and not begin else ""
        self.controller.ask_word((word.start, word.text, self._workroom.revision), before, word.text, prompt)

    @Slot(object)
    def _on_word_told(self, told: WordTold) -> None:
        word, kind = self._word, self.heat.kind
        if word is not None and kind is not None and told.key == (word.start, word.text, self._workroom.revision):
            self.bar.say(say_word(kind, word, told.choices))

    def _go_to_surprise(self, step: int) -> None:
        cursor = self._page.textCursor()
        word = self.heat.find_next(cursor.selectionStart() if step < 0 else cursor.selectionEnd(), step)
        if word is not None:
            self._page.go_to(word.start, word.end)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Tell of a word that the mouse rests on."""
        if event.type() == QEvent.Type.ToolTip and self.heat.kind is not None:
            help_event = cast("QHelpEvent", event)
            place = self._page.cursorForPosition(help_event.pos()).position()
            word = self.heat.find_word(place)
            if word is not None:
                QToolTip.showText(help_event.globalPos(), say_word(self.heat.kind, word), self._page.viewport())
                return True
        return super().eventFilter(watched, event)

    # The tab

    @Slot(str)
    def _on_page_seen(self, key: str) -> None:
        self.controller.watch("surprise", key == SURPRISE)
        self._refresh_drafts()
        self.controller.watch("prose", key in (REPETITION, READING))
        if key != REPETITION:
            self.clear_marks()

    @Slot(object)
    def _on_score_changed(self, score: DraftScore | None) -> None:
        """Hear that another text is on the page, or that there is nothing to score in it."""
        if score is None:
            self.heat.clear()
            self._word, self._repetition, self._prose = None, None, None
            self.panel.clear()
            self._refresh_drafts()
            self._word_due.start()

    @Slot(object)
    def _on_score_state_changed(self, state: ScoreState) -> None:
        self._state = state
        self.panel.surprise.show_state(state)
        if not self.heat.known:
            self._word_due.start()

    @Slot(object)
    def _on_surprise_changed(self, event: SurpriseReady) -> None:
        self.panel.surprise.show_report(event.report, event.paragraphs, event.chapters)

    @Slot(object)
    def _on_prose_changed(self, report: ProseReport) -> None:
        self._prose = report
        self.panel.repetition.show_report(report)
        self.panel.reading.show_report(report)

    @Slot()
    def _refresh_drafts(self) -> None:
        if self.panel.seen == SURPRISE and self.panel.surprise.scope.current == DRAFTS:
            self.controller.ask_drafts()

    def _open_draft(self, key: int) -> None:
        """Open a draft, for a snapshot the one that it is of."""
        draft = next((value.draft_id for value in self._drafts if value.key == key), 0)
        if draft:
            self._workroom.manuscripts.open_draft(draft)

    @Slot(object)
    def _on_drafts_told(self, told: DraftsTold) -> None:
        self._drafts = told.values
        self.panel.surprise.show_drafts(told.values)

    @Slot(object)
    def _on_point_chosen(self, point: TrendPoint) -> None:
        if point.key:
            self._open_draft(point.key)
            return
        block = self._page.document().findBlockByNumber(point.first)
        if block.isValid():
            self._page.go_to(block.position(), block.position())

    @Slot(object)
    def _on_part_chosen(self, part: SurprisingPart) -> None:
        span = self._find_span((part.line, part.start, part.end))
        if span is not None:
            self._page.go_to(*span)

    # Marks of what is repeated

    @Slot(object, int)
    def _on_repetition_chosen(self, found: Repetition, step: int) -> None:
        spans = [span for span in map(self._find_span, found.places) if span is not None]
        if not spans:
            return
        if found is not self._repetition:
            self._repetition = found
            self._mark(spans)
            here = self._page.textCursor().selectionStart()
            self._at = next((number for number, span in enumerate(spans) if span[0] >= here), 0)
        else:
            self._at = (self._at + step) % len(spans)
        self._page.go_to(*spans[self._at])
        self.panel.repetition.show_marks(self._at + 1, len(spans))

    def clear_marks(self) -> None:
        """Take the marks of a repetition off the page."""
        if self._repetition is None:
            return
        self._repetition = None
        self._page.marks.set_layer(LAYER, ())
        self.panel.repetition.show_marks(0, 0)
        if self._prose is not None:
            self.panel.repetition.show_report(self._prose)

    def _mark(self, spans: list[tuple[int, int]]) -> None:
        look = QTextCharFormat()
        look.setBackground(QColor(current_tokens().accent_soft))
        look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.SingleUnderline)
        look.setUnderlineColor(QColor(current_tokens().accent))
        self._page.marks.set_layer(LAYER, [Mark(start, end, look) for start, end in spans], PRIORITY)

    def _find_span(self, place: Place) -> tuple[int, int] | None:
        """Return a place of the text as the document counts; None where it isn't there any more."""
        line, start, end = place
        block: QTextBlock = self._page.document().findBlockByNumber(line)
        text = block.text() if block.isValid() else ""
        if end > len(text):
            return None
        if len(text) == block.length() - 1:
            return block.position() + start, block.position() + end
        units = Utf16Map(text)
        return block.position() + units.to_units(start), block.position() + units.to_units(end)

    def _read_line(self, number: int) -> str:
        lines = self._page.paragraphs.lines
        return lines[number] if 0 <= number < len(lines) else ""

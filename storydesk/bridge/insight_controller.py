"""What is known of the draft on the page, kept up to date: its score by line, its analysis, other drafts, one word."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from storydesk.bridge.draft_score import DraftScore, DraftScorer
from storydesk.bridge.engine_worker import EngineState, ScoreReady
from storydesk.bridge.insight_worker import InsightWorker, ProseReady, SurpriseReady
from storydesk.bridge.manuscript_controller import OpenStory
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import Alternative
from storydesk.domain.insight import TrendPoint
from storydesk.services.insight import DraftValue, fingerprint
from storydesk.services.ports import IsCancelled

PROSE_MILLISECONDS = 700
WORD_CONTEXT = 1200
WORD_CHOICES = 4
_VOICE = "insight.voice"
_VALUES = "insight.values"
_WORD = "insight.word"


@dataclass(frozen=True, slots=True)
class VoiceReady:
    """The score of the text of a revision by the base of the model in use."""

    revision: int
    base: str
    score: DraftScore


@dataclass(frozen=True, slots=True)
class WordTold:
    """What the model would sooner have written in a place; ``key`` is the asker's own."""

    key: object
    choices: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class DraftsTold:
    """The drafts of a story with their values, oldest first; those to come have no point yet."""

    story_id: int
    values: tuple[DraftValue, ...]


class InsightController(QObject):
    """Asks engine, library and insight worker for what somebody looks at, and for nothing else. GUI thread."""

    score_changed = Signal(object)
    """A DraftScore of the text as it is, perhaps not of all its lines yet; None where there is nothing to score."""
    prose_changed = Signal(object)
    surprise_changed = Signal(object)
    voice_changed = Signal(object)
    """A VoiceReady for the text as it is."""
    voice_missing = Signal(object)
    """The Failure because of which there is no base to compare with; None where the model in use has none."""
    drafts_told = Signal(object)
    word_told = Signal(object)
    _voice_scored = Signal(object)
    _voice_failed = Signal(object)
    _value_found = Signal(object)
    _word_found = Signal(object)

    def __init__(self, workroom: Workroom, parent: QObject | None = None) -> None:
        """Listen to the room; nothing is computed before somebody watches."""
        super().__init__(parent)
        self._workroom = workroom
        self._desk = workroom.desk
        self._worker: InsightWorker = workroom.insight
        self.score: DraftScore | None = None
        self._score_revision = -1
        self._watched: set[str] = set()
        self._prose_due = QTimer(self)
        self._prose_due.setSingleShot(True)
        self._prose_due.setInterval(PROSE_MILLISECONDS)
        self._prose_due.timeout.connect(self._on_prose_due)
        self._voice_scorer: DraftScorer | None = None
        self._base = ""
        self._model = ""
        self._word_key: object = None
        self._asked = 0
        engine = workroom.engine
        engine.score_ready.connect(self._on_score)
        engine.score_grown.connect(self._on_score)
        engine.engine_ready.connect(self._on_engine_ready)
        workroom.manuscripts.story_opened.connect(self._on_story_opened)
        workroom.polish_settings_changed.connect(lambda _settings: self._prose_due.start(0))
        self._worker.prose_ready.connect(self._on_prose_ready)
        self._worker.surprise_ready.connect(self._on_surprise_ready)
        self._worker.failed.connect(workroom.manuscripts.failed)
        self._voice_scored.connect(self._on_voice_scored)
        self._voice_failed.connect(self.voice_missing)
        self._value_found.connect(self._on_value_found)
        self._word_found.connect(self._on_word_found)

    # What is looked at

    def watch(self, name: str, on: bool) -> None:
        """Keep ``prose``, ``surprise`` or ``voice`` up to date, or let it rest."""
        if on == (name in self._watched):
            return
        (self._watched.add if on else self._watched.discard)(name)
        if on and name == "prose":
            self._prose_due.start(0)
        elif on and name == "surprise":
            self._ask_surprise()
        elif on and name == "voice":
            self._ask_voice()
        elif name == "voice":
            self._workroom.engine.run_errand(lambda _is_cancelled: self._desk.engines.dismiss(), _VOICE)

    def note_edit(self) -> None:
        """Hear that the writer changed the text."""
        self._worker.rest()
        if "prose" in self._watched:
            self._prose_due.start(PROSE_MILLISECONDS)

    # The score and what follows from it

    @Slot(object)
    def _on_score(self, event: ScoreReady) -> None:
        if event.revision != self._workroom.revision:
            return
        self.score = event.score
        self._score_revision = event.revision
        self.score_changed.emit(event.score)
        self._ask_surprise()
        if event.score is not None and event.score.known == 1.0:
            self._ask_voice()

    def _ask_surprise(self) -> None:
        if "surprise" in self._watched and self.score is not None and self._is_current():
            self._worker.ask_surprise(self._score_revision, self._workroom.read_page(), self.score)

    @Slot(object)
    def _on_surprise_ready(self, event: SurpriseReady) -> None:
        if event.revision == self._workroom.revision:
            self.surprise_changed.emit(event)

    @Slot()
    def _on_prose_due(self) -> None:
        if "prose" in self._watched and self._workroom.manuscripts.opened is not None:
            language = self._workroom.polish_settings.language
            self._worker.ask_prose(self._workroom.revision, self._workroom.read_page(), language)

    @Slot(object)
    def _on_prose_ready(self, event: ProseReady) -> None:
        if event.revision == self._workroom.revision:
            self.prose_changed.emit(event.report)

    @Slot(object)
    def _on_engine_ready(self, state: EngineState) -> None:
        if state.model != self._model:
            self._model, self._base, self._voice_scorer = state.model, "", None

    @Slot(object)
    def _on_story_opened(self, _opened: OpenStory | None) -> None:
        self.score = None
        self._score_revision = -1
        self._worker.forget()
        self._asked += 1
        self.score_changed.emit(None)
        self._prose_due.start(0)

    def _is_current(self) -> bool:
        return self._score_revision == self._workroom.revision

    # The writer's own model against its base

    def _ask_voice(self) -> None:
        if "voice" not in self._watched or self.score is None or not self._is_current():
            return
        revision, text = self._workroom.revision, self._workroom.read_page()
        opened = self._workroom.manuscripts.opened
        prompt = opened.story.prompt if opened is not None else ""
        place = self._workroom.read_place()

        def work(is_cancelled: IsCancelled) -> None:
            if revision != self._workroom.revision:
                return
            try:
                scorer = self._prepare_voice()
            except StorydeskError as error:
                self._voice_failed.emit(error.failure)
                return
            if scorer is None:
                self._voice_failed.emit(None)
                return
            score = self._score_step(scorer, text, prompt, self._base, place, is_cancelled, report)
            report(score)

        def report(score: DraftScore) -> None:
            self._voice_scored.emit(VoiceReady(revision, self._base, score))

        self._workroom.engine.run_errand(work, _VOICE)

    def _prepare_voice(self) -> DraftScorer | None:
        """Return what scores by the base of the model in use; None where it has none. In the engine's thread."""
        if self._voice_scorer is not None:
            return self._voice_scorer
        lineage = self._desk.engines.engine().model.lineage
        failure: StorydeskError | None = None
        for name in lineage:
            try:
                self._desk.engines.companion(name)
            except StorydeskError as error:
                failure = failure or error
                continue
            self._base = name
            self._voice_scorer = DraftScorer(self._desk.scoring.beside(name))
            return self._voice_scorer
        if failure is not None:
            raise failure
        return None

    def _score_step(
        self,
        scorer: DraftScorer,
        text: str,
        prompt: str,
        model: str,
        place: int,
        is_cancelled: IsCancelled,
        report: Callable[[DraftScore], None],
    ) -> DraftScore:
        """Score one section that isn't known and make way; raise CANCELLED until all are. In the engine's thread."""
        grown = False

        def on_grown(score: DraftScore) -> None:
            nonlocal grown
            grown = True
            report(score)

        return scorer.score(text, prompt, model, lambda: grown or is_cancelled(), place=place, on_grown=on_grown)

    @Slot(object)
    def _on_voice_scored(self, event: VoiceReady) -> None:
        if event.revision == self._workroom.revision:
            self.voice_changed.emit(event)

    # Other drafts

    def ask_drafts(self) -> None:
        """Tell the values of the story's drafts, and score those that have none."""
        opened = self._workroom.manuscripts.opened
        if opened is None:
            return
        self._asked += 1
        asked, story, model = self._asked, opened.story, self._model
        self._workroom.manuscripts.save_all()

        def on_listed(values: list[DraftValue]) -> None:
            if asked == self._asked:
                self._show_drafts(asked, story.id, story.prompt, values)

        self._workroom.library.submit(
            lambda: self._desk.insight.list_values(story.id, story.prompt, model),
            on_listed,
            self._workroom.manuscripts.failed.emit,
        )

    def _show_drafts(self, asked: int, story_id: int, prompt: str, values: list[DraftValue]) -> None:
        self.drafts_told.emit(DraftsTold(story_id, tuple(values)))
        missing = [value for value in values if value.point is None]
        if not missing or not self._model:
            return
        done = self._take_known(asked, story_id, prompt, missing)
        scorers: dict[int, DraftScorer] = {}

        def work(is_cancelled: IsCancelled) -> None:
            for value in missing:
                if asked != self._asked:
                    return
                if value.fingerprint in done:
                    continue
                text = self._desk.insight.load_text(value)
                scorer = scorers.setdefault(value.key, DraftScorer(self._desk.scoring))
                model = self._desk.engines.engine().model.name
                score = self._score_step(scorer, text, prompt, model, 0, is_cancelled, lambda _score: None)
                scorers.clear()
                done.add(value.fingerprint)
                self._value_found.emit((asked, story_id, value.fingerprint, _make_point(value, score)))

        def errand(is_cancelled: IsCancelled) -> None:
            try:
                work(is_cancelled)
            except StorydeskError as error:
                if error.failure.code == FailureCode.CANCELLED:
                    raise
                self._workroom.engine.score_failed.emit(error.failure)

        self._workroom.engine.run_errand(errand, _VALUES)

    def _take_known(self, asked: int, story_id: int, prompt: str, missing: list[DraftValue]) -> set[str]:
        """Take the value of the draft on the page from its score, and return the fingerprints of what was taken."""
        score = self.score
        if score is None or score.known < 1.0 or not self._is_current():
            return set()
        mark = fingerprint(self._workroom.read_page(), prompt, score.model)
        here = next((value for value in missing if value.fingerprint == mark), None)
        if here is None:
            return set()
        self._on_value_found((asked, story_id, mark, _make_point(here, score)))
        return {mark}

    @Slot(object)
    def _on_value_found(self, found: tuple[int, int, str, TrendPoint]) -> None:
        asked, story_id, mark, point = found
        self._workroom.library.submit(
            lambda: self._desk.insight.keep_value(story_id, mark, point.cost, point.tokens, point.words),
            lambda _done: self.ask_drafts_again(asked),
            self._workroom.manuscripts.failed.emit,
        )

    def ask_drafts_again(self, asked: int) -> None:
        """Tell the values once more, where nobody asked for anything else meanwhile."""
        opened = self._workroom.manuscripts.opened
        if asked != self._asked or opened is None:
            return
        story, model = opened.story, self._model

        def on_listed(values: list[DraftValue]) -> None:
            if asked == self._asked:
                self.drafts_told.emit(DraftsTold(story.id, tuple(values)))

        self._workroom.library.submit(lambda: self._desk.insight.list_values(story.id, story.prompt, model), on_listed)

    # One word

    def ask_word(self, key: object, before: str, word: str, prompt: str) -> None:
        """Ask what the model would sooner have written than ``word`` after ``before``; ``prompt`` for a beginning."""
        self._word_key = key

        def work(is_cancelled: IsCancelled) -> None:
            if self._word_key != key:
                return
            try:
                scored = self._desk.scoring.score(
                    before + word, prompt, is_cancelled=is_cancelled, alternatives=WORD_CHOICES
                )
            except StorydeskError as error:
                if error.failure.code == FailureCode.CANCELLED:
                    raise
                return  # without an engine there is nothing to say, and that was told when it was loaded
            first = next((token for token in scored.score.tokens if token.end > len(before)), None)
            if first is not None:
                own = word.casefold()
                choices = (
                    choice for choice in first.alternatives if choice.text.strip() and not _begins(own, choice.text)
                )
                self._word_found.emit(WordTold(key, tuple(choices)))

        self._workroom.engine.run_errand(work, _WORD, quick=True)

    @Slot(object)
    def _on_word_found(self, told: WordTold) -> None:
        if told.key == self._word_key:
            self.word_told.emit(told)


def _make_point(value: DraftValue, score: DraftScore) -> TrendPoint:
    lines = [line for line in score.lines if line is not None]
    cost, words = sum(line.cost for line in lines), sum(line.words for line in lines)
    return TrendPoint(0, 0, cost, score.tokens, words, value.name, value.key)


def _begins(word: str, token: str) -> bool:
    return word.startswith(token.strip().casefold())

"""Where the texts of a rating sheet come from: what was kept of a story, its drafts, and models that write anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from storydesk.domain.draft_history import KeptGeneration
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.generation import MAXIMUM_SEED, SamplingSettings, TextChunk
from storydesk.domain.judging import ContenderKind, Entry
from storydesk.domain.manuscript import Draft, Story
from storydesk.domain.settings import WRITING_CONTROLS
from storydesk.domain.writing_controls import PRESETS, ControlDesk
from storydesk.services.desk import Desk
from storydesk.services.drafts import Version
from storydesk.services.ports import IsCancelled

MOST_PROMPTS = 200
LEAST_WORDS, MOST_WORDS = 20, 400


@dataclass(frozen=True, slots=True)
class TextSources:
    """What there is to take texts from: stories, models by name, prompts, and presets of how to write."""

    stories: tuple[Story, ...]
    models: tuple[str, ...]
    active: str
    prompts: tuple[str, ...]
    presets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StoryTexts:
    """What one story offers: what models wrote for it, newest first, and its drafts."""

    story: Story
    generations: tuple[KeptGeneration, ...]
    drafts: tuple[Draft, ...]


@dataclass(frozen=True, slots=True)
class WritingPlan:
    """Models that write on prompts: every model with every preset, ``each`` times, about ``words`` words."""

    models: tuple[str, ...]
    prompts: tuple[str, ...]
    presets: tuple[str, ...]
    words: int
    each: int
    seed: int

    @property
    def count(self) -> int:
        """How many texts that makes."""
        return len(self.models) * len(self.prompts) * len(self.presets) * self.each


@dataclass(frozen=True, slots=True)
class _Task:
    prompt: str
    model: str
    preset: str
    seed: int


def list_sources(desk: Desk) -> TextSources:
    """Return what there is; for the library's thread."""
    stories = tuple(desk.manuscripts.list_stories())
    prompts = [prompt.text for prompt in desk.prompts.list_prompts() if not prompt.in_trash]
    prompts += [story.prompt for story in stories]
    unique = [prompt for prompt in dict.fromkeys(" ".join(each.split()) for each in prompts) if prompt]
    controls = ControlDesk.from_text(desk.settings.get(WRITING_CONTROLS))
    presets = (*PRESETS, *(name for name, _controls in controls.own))
    models = tuple(model.name for model in desk.models.list_models())
    return TextSources(stories, models, desk.models.active, tuple(unique[:MOST_PROMPTS]), presets)


def read_story(desk: Desk, story: Story) -> StoryTexts:
    """Return what a story offers; for the library's thread."""
    generations = tuple(each for each in desk.drafts.find_generations(story.id) if each.text.strip())
    drafts = []
    for card in desk.drafts.list_versions(story.id).drafts:
        held = desk.drafts.load(Version(card.id))
        if held.text.strip():
            drafts.append(Draft(card.id, story.id, card.name, held.text, card.changed, card.changed))
    return StoryTexts(story, generations, tuple(drafts))


def make_generation_entry(kept: KeptGeneration, *, by_settings: bool) -> Entry:
    """Return a kept generation as what competes for its model, or for how it was set."""
    made_by = json.dumps({"model": kept.model, "seed": kept.seed, "settings": kept.settings}, ensure_ascii=False)
    name = f"{kept.model}, {_name_settings(kept.settings)}" if by_settings else kept.model
    kind = ContenderKind.SETTINGS if by_settings else ContenderKind.MODEL
    return Entry(kept.prompt.strip(), kept.text.strip(), name, kind, made_by)


def make_draft_entry(draft: Draft, prompt: str, name: str) -> Entry:
    """Return a draft as what competes for its own name."""
    return Entry(prompt.strip(), draft.text.strip(), name, ContenderKind.DRAFT, json.dumps({"draft": draft.id}))


class SheetWriting:
    """Writes the texts of a plan and keeps what is finished, so that making way costs one text at the most.

    ``work`` belongs to the engine's thread.
    """

    def __init__(self, desk: Desk, plan: WritingPlan, name_preset: Callable[[str], str]) -> None:
        """``name_preset`` says what a preset is called in a contender's name."""
        self._desk = desk
        self._plan = plan
        self._names = {preset: name_preset(preset) for preset in plan.presets}
        self._settings = _find_settings(desk, plan.presets)
        self._done: dict[_Task, str] = {}
        # Turn by turn, so that a plan that is stopped early has texts of every model.
        self._tasks = [
            _Task(prompt, model, preset, (plan.seed + turn) % (MAXIMUM_SEED + 1))
            for turn in range(plan.each)
            for model in plan.models
            for preset in plan.presets
            for prompt in plan.prompts
        ]

    @property
    def count(self) -> int:
        """How many texts are asked for."""
        return len(self._tasks)

    def work(self, is_wanted: Callable[[], bool], is_cancelled: IsCancelled, report: Callable[[int], None]) -> None:
        """Write what is missing; raise StorydeskError(CANCELLED) to make way, or what writing raises."""
        for task in self._tasks:
            if task in self._done:
                continue
            if not is_wanted():
                return
            text = self._write(task, is_wanted, is_cancelled)
            if not is_wanted():
                return
            self._done[task] = text
            report(len(self._done))

    def entries(self) -> list[Entry]:
        """Return what was written so far; any thread once ``work`` has ended."""
        return [self._make_entry(task, self._done[task]) for task in self._tasks if task in self._done]

    def _write(self, task: _Task, is_wanted: Callable[[], bool], is_cancelled: IsCancelled) -> str:
        writing, text = self._desk.writing, ""
        request = writing.request(
            task.prompt,
            words=self._plan.words,
            seed=task.seed,
            settings=self._settings[task.preset],
            model=task.model,
        )
        events = writing.write(request)
        try:
            for event in events:
                if is_cancelled():
                    raise StorydeskError(FailureCode.CANCELLED)
                if not is_wanted():
                    return ""
                if isinstance(event, TextChunk):
                    text += event.text
        finally:
            events.close()
        if is_cancelled():
            raise StorydeskError(FailureCode.CANCELLED)  # its end may be the interruption's
        return text

    def _make_entry(self, task: _Task, text: str) -> Entry:
        several = len(self._plan.presets) > 1
        name = f"{task.model}, {self._names[task.preset]}" if several else task.model
        kind = ContenderKind.SETTINGS if several else ContenderKind.MODEL
        made_by = {"model": task.model, "seed": task.seed, "settings": asdict(self._settings[task.preset])}
        return Entry(task.prompt, text.strip(), name, kind, json.dumps(made_by, ensure_ascii=False))


def _find_settings(desk: Desk, presets: Sequence[str]) -> Mapping[str, SamplingSettings]:
    controls = ControlDesk.from_text(desk.settings.get(WRITING_CONTROLS))
    return {name: (controls.find(name) or PRESETS["balanced"]).sampling() for name in presets}


def _name_settings(stored: str) -> str:
    """Return kept settings in a few letters; those that can't be read are all alike."""
    try:
        settings = json.loads(stored)
        return f"{float(settings['temperature']):.2f} / {float(settings['top_p']):.2f}"
    except (ValueError, KeyError, TypeError):
        return "–"

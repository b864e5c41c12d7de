"""Blind sheets from the stories that a judging job wrote: two and two to choose between, or some to rate."""

from __future__ import annotations

import json
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from storydesk.domain.judgement import JudgeReport, WrittenStory
from storydesk.domain.judging import ContenderKind, Entry

PAIRS = 12
"""A few minutes' choices; the results say how many more it would take."""
MOST_PAIRS = 30
TEXTS = 24
"""So many texts can be rated in one sitting, and are enough to say which figures go with the ratings."""


@dataclass(frozen=True, slots=True)
class Contender:
    """Who wrote some of a report's stories: a model, with one of the report's choices of settings."""

    model: str
    settings: int


def list_rows(report: JudgeReport) -> list[Contender]:
    """Return models with settings in the report's order: nearest to people's first, as tried where none is known."""
    ranked = [Contender(model, rank.settings) for model, ranks in report.sweeps.items() for rank in ranks]
    if ranked or len(report.settings) < 2:
        return ranked
    return [Contender(model, settings) for model in report.models for settings in range(len(report.settings))]


def choose_contenders(report: JudgeReport, chosen: Contender | None = None) -> tuple[Contender, ...]:
    """Return who should meet: a model's first settings and the ``chosen`` ones (the second best for the first).

    Where one choice of settings was tried, all models meet. Empty where nobody has anybody to meet.
    """
    if len(report.settings) > 1:
        rows = list_rows(report)
        model = chosen.model if chosen is not None else rows[0].model if rows else ""
        own = [row for row in rows if row.model == model]
        if len(own) < 2:
            return ()
        return own[0], chosen if chosen in own[1:] and chosen is not None else own[1]
    return tuple(Contender(model, 0) for model in report.models) if len(report.models) > 1 else ()


def count_pairs(contenders: Sequence[Contender]) -> int:
    """Return how many pairs to ask for at most."""
    return min(PAIRS * len(contenders) * (len(contenders) - 1) // 2, MOST_PAIRS)


def make_duel(report: JudgeReport, stories: Sequence[WrittenStory], contenders: Sequence[Contender]) -> list[Entry]:
    """Return the contenders' stories as they meet: where two wrote the same, there is nothing to choose.

    Stories that the report shows with names are left out as long as there are others.
    """
    found: dict[tuple[str, int], list[WrittenStory]] = {}
    for story in _leave_out_shown(report, _of(stories, contenders)):
        found.setdefault((story.prompt, story.sample), []).append(story)
    entries = []
    for met in found.values():
        texts = [" ".join(story.text.split()) for story in met]
        different = [story for place, story in enumerate(met) if texts[place] not in texts[:place]]
        if len(different) > 1:
            entries += [_make_entry(report, story) for story in different]
    return entries


def make_rating_entries(
    report: JudgeReport, stories: Sequence[WrittenStory], rated: Container[str] = (), most: int = TEXTS
) -> list[Entry]:
    """Return some stories to rate, as many of each contender as can be, those that nobody ``rated`` first.

    ``rated`` holds ids of stories. Which prompts they are on is by chance and always the same.
    """
    of_models = [story for story in stories if story.model]
    usable = _leave_out_shown(report, of_models)
    waiting: dict[Contender, list[WrittenStory]] = {}
    for story in sorted(usable, key=lambda story: (story.id in rated, story.id)):
        waiting.setdefault(Contender(story.model, story.settings), []).append(story)
    return [_make_entry(report, story) for story in islice(_take_turns(list(waiting.values())), most)]


def _take_turns(rows: Sequence[Sequence[WrittenStory]]) -> Iterator[WrittenStory]:
    for turn in range(max(map(len, rows), default=0)):
        yield from (row[turn] for row in rows if turn < len(row))


def _of(stories: Sequence[WrittenStory], contenders: Sequence[Contender]) -> list[WrittenStory]:
    return [story for story in stories if Contender(story.model, story.settings) in contenders]


def _leave_out_shown(report: JudgeReport, stories: Sequence[WrittenStory]) -> Sequence[WrittenStory]:
    return [story for story in stories if story.prompt not in report.shown_prompts] or stories


def _make_entry(report: JudgeReport, story: WrittenStory) -> Entry:
    known = 0 <= story.settings < len(report.settings)
    several = len(report.settings) > 1 and known
    values = report.values_of(story.settings) if known else None
    made_by = {"model": story.model, "settings": dict(values or {}), "job": report.job_id, "sample": story.sample}
    return Entry(
        story.prompt,
        story.text,
        f"{story.model}, {report.settings[story.settings]}" if several else story.model,
        ContenderKind.SETTINGS if several else ContenderKind.MODEL,
        json.dumps(made_by, ensure_ascii=False),
    )

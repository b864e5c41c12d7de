"""From the ledger to values: every story of every cell, whole and cut to equal length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from trainer.corpus.document import Document
from trainer.evaluation.stories import TrainingText
from trainer.judging.cells import (
    PEOPLE,
    Cell,
    JudgedStory,
    Yardsticks,
    find_equal_length,
    measure_cell,
    measure_heldout,
)
from trainer.judging.judgement import AS_WRITTEN, EQUAL_LENGTH, NO_SETTINGS, Findings, Key
from trainer.judging.ledger import Ledger
from trainer.judging.material import list_references
from trainer.judging.metrics import BY_NAME, Metric
from trainer.judging.quantities import StoryValues
from trainer.judging.reading import StoryReading
from trainer.judging.units import list_story_keys, make_heldout_key, make_reading_key
from trainer.judging.wording import ContentWords
from trainer.protocol.judging import JudgeRequest


def gather_cells(request: JudgeRequest, documents: Sequence[Document], ledger: Ledger, reader: int) -> list[Cell]:
    """Return the stories of people, where there are any, and then those of each model with each of the settings."""
    people = tuple(
        JudgedStory(
            number, 0, document.story, ended=True, reading=_find_reading(ledger, make_heldout_key(reader, number))
        )
        for number, document in list_references(documents)
    )
    cells = [Cell(PEOPLE, NO_SETTINGS, people)] if people else []
    for style in range(len(request.styles)):
        of: dict[int, list[JudgedStory]] = {}
        for key, settings, prompt, sample in list_story_keys(request, len(documents), style):
            unit = ledger.get(key)
            reading = _find_reading(ledger, make_reading_key(key))
            story = JudgedStory(prompt, sample, str(unit["text"]), bool(unit["ended"]), reading)
            of.setdefault(settings, []).append(story)
        cells += [Cell(style, settings, tuple(stories)) for settings, stories in of.items()]
    return cells


def measure_cells(
    request: JudgeRequest,
    metrics: Sequence[Metric],
    documents: Sequence[Document],
    cells: Sequence[Cell],
    ledger: Ledger,
    training: TrainingText | None,
    check: Callable[[], None],
) -> tuple[Findings, int]:
    """Return every wanted value of every cell, and how many words stories have that were cut to equal length."""
    wanted = {metric.name for metric in metrics}
    values: dict[str, dict[Key, StoryValues]] = {}

    def keep(found: dict[str, StoryValues], key: Key, *, cut: bool = False) -> None:
        for name, of_stories in found.items():
            if name in wanted and (not cut or BY_NAME[name].cut):
                values.setdefault(name, {})[key] = of_stories

    for style in range(len(request.styles)):
        readings = [
            (number, reading)
            for number, _ in list_references(documents)
            if (reading := _find_reading(ledger, make_heldout_key(style, number))) is not None
        ]
        if readings:
            keep(measure_heldout(readings), (style, NO_SETTINGS, AS_WRITTEN))
    content = ContentWords([each.story for each in documents if each.story] or _list_texts(cells))
    yardsticks = Yardsticks(documents, training, content)
    equal = find_equal_length(cells)
    for cell in cells:
        check()
        keep(measure_cell(cell, yardsticks), (cell.style, cell.settings, AS_WRITTEN))
        if equal:
            found = measure_cell(cell, yardsticks, equal=equal)
            keep(found, (cell.style, cell.settings, EQUAL_LENGTH), cut=True)
    names = [style.name for style in request.styles]
    return Findings(names, request.settings, documents, cells, metrics, values, request.seed), equal


def _list_texts(cells: Sequence[Cell]) -> list[str]:
    return [story.text for cell in cells for story in cell.stories]


def _find_reading(ledger: Ledger, key: str) -> StoryReading | None:
    if key not in ledger:
        return None
    record: dict[str, Any] = {name: value for name, value in ledger.get(key).items() if name != "unit"}
    return StoryReading(**record)

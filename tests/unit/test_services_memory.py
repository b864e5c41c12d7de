"""What a request is reminded of reaches the model, is counted, and what has no room is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.memory import StoryMemory
from storydesk.domain.prompting import Part
from storydesk.services.memory import MemoryPage
from storydesk.services.writing import Started
from tests.fakes.services import FakeWorld, make_world


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path)


PAGE = MemoryPage(
    StoryMemory("An island.", "Cold — still.", 1),
    (
        LoreEntry(1, "Mara", "She’s old.", ("Mara",), priority=2),
        LoreEntry(2, "Tom", "word " * 90, ("Tom",), priority=1),
        LoreEntry(3, "Ferry", "Six."),
    ),
)


def test_the_preview_is_what_the_engine_is_given(world: FakeWorld) -> None:
    text = "Mara sat. Tom stood.\n\nIt was late."
    request = world.desk.writing.request("A bell", text, words=5, seed=1, recalled=PAGE.recall(text, "A bell"))
    preview = world.desk.writing.preview(request)
    started, *_ = world.desk.writing.write(request)
    seen = world.loader.engines[0].requests[0]
    assert preview.window.context == seen.context
    assert seen.context.startswith("An island.\n\nShe's old.\n\nPrompt: A bell")
    assert seen.context[: seen.head].endswith("Story:\n")
    assert isinstance(started, Started)
    assert (started.lore_left_out, preview.window.lore_left_out) == (1, (1,))
    assert [section.part for section, _text, _tokens in preview.sections] == [
        Part.MEMORY,
        Part.LORE,
        Part.PROMPT,
        Part.TEXT,
        Part.NOTE,
        Part.TEXT,
    ]
    assert preview.used == len(seen.context.split()) == sum(preview.tokens)
    assert preview.used < preview.room < preview.positions


def test_a_frozen_request_keeps_the_entries_as_they_were(world: FakeWorld) -> None:
    request = world.desk.writing.request("A bell", "Mara.", words=5, recalled=PAGE.recall("Mara.", "A bell"))
    assert (request.memory, request.author_note, request.note_depth) == ("An island.", "Cold — still.", 1)
    assert request.lore == ("She’s old.",)


def test_a_novel_is_cut_where_its_window_would_be_anyway(world: FakeWorld) -> None:
    text = "\n\n".join(f"Paragraph {number} of the novel goes on." for number in range(20_000))
    preview = world.desk.writing.preview(world.desk.writing.request("", text, words=5))
    assert text.endswith(preview.window.context)
    assert preview.window.text_left_out == len(text) - len(preview.window.context)


def test_names_are_titles_aliases_and_keys_that_are_words() -> None:
    entry = LoreEntry(title="Mara", keys=("keeper & lamp", "/x+/"), aliases=("Mrs Quay",), enabled=False)
    assert MemoryPage(entries=(entry,)).names == ("Mara", "Mrs Quay", "keeper", "lamp")

"""Whole stories from prompts: planning, endings, the writer, the queue's store, prompts out of files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.authorship import Kind, load_runs
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.generation import Finished, FinishReason, GenerationEvent, GenerationRequest, TextChunk
from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.manuscript import count_words
from storydesk.domain.memory import StoryMemory
from storydesk.domain.prompt_shelf import ShelfPrompt, list_tags, read_prompts, search_prompts, split_tags
from storydesk.domain.whole_story import (
    ENDING_SHARE,
    ENDING_WORDS,
    ENDINGS,
    LEAST_LAST_WORDS,
    MOST_TRIES,
    STRETCH_WORDS,
    QueuedStory,
    StopPlace,
    StoryEnding,
    StoryState,
    StoryWish,
    choose_ending,
    close_text,
    list_stop_places,
    plan_step,
    repeats_itself,
    title_prompt,
)
from storydesk.inference.engine import OnnxEngineLoader
from storydesk.services.engines import EngineHost
from storydesk.services.ports import TextEngine
from storydesk.services.prompts import (
    PromptService,
    StoryWriter,
    describe_failure,
    read_failure,
    read_prompt_file,
)
from storydesk.services.scoring import ScoringService
from storydesk.services.writing import WritingService
from storydesk.storage.library import SqliteLibrary
from storydesk.storage.prompts import PromptShelfStore
from tests.fakes.services import FakeEngine, FakeWorld, make_model, make_world
from tests.fakes.tiny_style_model import make_tiny_style_model

WISH = StoryWish("A bell under the sea", 120, 7)


def _never() -> bool:
    return False


def _write(writer: StoryWriter, story: QueuedStory) -> QueuedStory:
    for _ in range(100):
        if story.state is StoryState.DONE:
            return story
        story = writer.advance(story, _never)
    raise AssertionError("it never ends")


@given(st.integers(0, 30_000), st.integers(30, 20_000), st.integers(0, 4))
def test_every_step_writes_something_and_the_last_ones_look_for_an_end(done: int, wanted: int, tries: int) -> None:
    step = plan_step(done, wanted, tries)
    assert step.words >= LEAST_LAST_WORDS
    near = done >= max(wanted * ENDING_SHARE, wanted - ENDING_WORDS)
    assert step.is_ending is (near or tries >= MOST_TRIES)
    assert step.words <= ENDING_WORDS
    if not step.is_ending:
        assert step.words <= STRETCH_WORDS


def test_a_story_may_stop_at_sentence_ends_and_nowhere_else() -> None:
    text = "It was dark."
    ways = [(" She went home. The door was shut and", False), (" Then it ended", True), ("", False)]
    places = list_stop_places(text, ways, 20)
    assert [(each.addition, each.is_own) for each in places] == [
        ("", False),
        (" She went home.", False),
        (" Then it ended", True),
    ]


def test_the_likeliest_end_is_chosen_and_called_what_it_is() -> None:
    places = [StopPlace(" a."), StopPlace(" b.", is_own=True), StopPlace(" c.")]
    assert choose_ending(places, [0.2, 0.1, 0.1]) == (places[0], StoryEnding.LIKELY, 0.2)
    assert choose_ending(places, [0.1, 0.2, 0.1]) == (places[1], StoryEnding.OWN, 0.2)
    assert choose_ending(places, [0.0, 0.0, 0.001])[1] is StoryEnding.CUT


def test_small_things() -> None:
    assert close_text("One. Two is cut o") == "One."
    assert close_text("no end") == "no end"
    assert repeats_itself("She went to the old wall. He saw.", " She went to the old wall.")
    assert not repeats_itself("She went to the old wall.", " Then she came back again.")
    assert title_prompt("A keeper hears a bell that rings under the sea, and answers it.\nMore") == (
        "A keeper hears a bell that rings under the sea"
    )
    failure = Failure("model_not_found", {"name": "x"})
    assert read_failure(describe_failure(failure)) == failure
    assert read_failure("[") is None


@given(st.text(max_size=60))
def test_any_kept_wish_can_be_read(text: str) -> None:
    wish = StoryWish.from_text("p", 100, text)
    assert StoryWish.from_text("p", 100, wish.to_text()) == wish


class StoryEngine(FakeEngine):
    """Writes sentences that are all different; the second of several candidates ends itself."""

    def generate(self, request: GenerationRequest) -> Iterator[GenerationEvent]:
        self.requests.append(request)
        for candidate in range(request.count):
            ends = request.count > 1 and candidate == 1
            for number in range(request.words // 4 + 1):
                word = f"w{request.seed + candidate}n{number}"
                yield TextChunk(f" The bell {word} rang{'!' if candidate == 1 else '.'}", candidate)
            yield Finished(FinishReason.END_OF_TEXT if ends else FinishReason.LENGTH, 1, 9.0, candidate=candidate)

    def measure_end(self, request: GenerationRequest) -> float:
        return 0.7 if request.context.endswith("rang!") else 0.01


class Host(EngineHost):
    """Always the one engine."""

    def __init__(self, engine: TextEngine) -> None:
        self._only = engine

    def engine(self, name: str | None = None) -> TextEngine:
        return self._only


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path)


def _writer(world: FakeWorld, engine: TextEngine) -> StoryWriter:
    host = Host(engine)
    return StoryWriter(WritingService(host), ScoringService(host), world.desk.memory)


def test_a_story_comes_to_its_length_and_its_own_end(world: FakeWorld) -> None:
    engine = StoryEngine(make_model(), ())
    story = _write(_writer(world, engine), QueuedStory(1, WISH))
    assert (story.state, story.ending, story.model) == (StoryState.DONE, StoryEnding.OWN, "starter")
    assert story.text.endswith("rang!")
    assert WISH.words * ENDING_SHARE <= story.words <= WISH.words * 1.2
    assert story.end_chance == 0.7
    assert story.perplexity == pytest.approx(7.39, abs=0.01)
    assert [request.count for request in engine.requests[-1:]] == [ENDINGS]
    # Until the ending is looked for, the end of the text is held back, and every stretch has the prompt before it.
    assert all(request.settings.minimum_words == request.words for request in engine.requests[:-1])
    assert all("A bell under the sea" in request.context for request in engine.requests)


def test_an_interrupted_story_goes_on_as_if_nothing_had_been(world: FakeWorld) -> None:
    writer = _writer(world, StoryEngine(make_model(), ()))
    whole = _write(writer, QueuedStory(1, WISH))
    story = writer.advance(QueuedStory(1, WISH), _never)
    with pytest.raises(StorydeskError) as caught:
        writer.advance(story, lambda: True)
    assert caught.value.failure.code == FailureCode.CANCELLED
    assert _write(writer, story) == whole


def test_a_model_that_goes_round_in_circles_comes_to_an_end_all_the_same(world: FakeWorld) -> None:
    writer = _writer(world, FakeEngine(make_model(), ("the", "old", "bell", "rang.")))
    story = _write(writer, QueuedStory(1, dataclasses.replace(WISH, words=400)))
    assert story.state is StoryState.DONE
    assert story.words < 400


def test_memory_and_lorebook_of_a_story_are_used(world: FakeWorld) -> None:
    told = world.desk.memory
    told.keep_memory(1, StoryMemory("Mara is old."))
    told.keep_entries(1, [LoreEntry(title="Bell", text="It is cracked.", keys=("bell",))])
    engine = StoryEngine(make_model(), ())
    _writer(world, engine).advance(QueuedStory(1, dataclasses.replace(WISH, memory_of=1)), _never)
    assert engine.requests[0].context.startswith("Mara is old.\n\nIt is cracked.\n\nPrompt:")


def test_a_finished_story_is_a_draft_of_its_own(world: FakeWorld) -> None:
    world.desk.memory.keep_memory(1, StoryMemory("Mara is old."))
    [queued] = world.desk.prompts.add_to_queue([dataclasses.replace(WISH, memory_of=1)])
    done, story = world.desk.prompts.finish(dataclasses.replace(queued, text="It rang.", model="starter"))
    assert (story.title, story.prompt) == ("A bell under the sea", "A bell under the sea")
    draft = world.desk.manuscripts.open_story(story.id)
    assert (draft.text, draft.origin) == ("It rang.", "generated")
    [(length, origin)] = load_runs(draft.authorship, draft.text)
    assert (length, origin.kind) == (len("It rang."), Kind.GENERATED)
    assert origin.source is not None
    assert (origin.source.model, origin.source.seed) == ("starter", WISH.seed)
    assert world.library.records[0].text == "It rang."
    assert world.desk.memory.load(story.id).memory.memory == "Mara is old."
    assert world.desk.prompts.list_queue() == [done]
    assert world.desk.prompts.finish(dataclasses.replace(done, state=StoryState.WRITING))[1].id == story.id
    assert (done.state, done.story_id) == (StoryState.DONE, story.id)


def test_a_real_model_writes_a_whole_story(tmp_path: Path, world: FakeWorld) -> None:
    engine = OnnxEngineLoader().load(make_tiny_style_model(tmp_path))
    wish = StoryWish("A bell", 60, 3)
    story = _write(_writer(world, engine), QueuedStory(1, wish))
    assert story.state is StoryState.DONE
    assert story.ending in set(StoryEnding)
    assert 0.0 <= story.end_chance <= 1.0
    assert story.perplexity > 1
    assert count_words(story.text) > 0


def test_the_library_keeps_prompts_and_queue(tmp_path: Path, world: FakeWorld) -> None:
    library = SqliteLibrary(tmp_path / "library.sqlite")
    service = PromptService(PromptShelfStore(library), world.desk.manuscripts, world.desk.memory)
    [one, two] = service.keep_prompts([ShelfPrompt(0, "A bell", ("Sea", "sea ")), ShelfPrompt(0, "A door \ud800")])
    assert (one.tags, two.text) == (("sea",), "A door \ufffd")
    service.keep_prompts([dataclasses.replace(one, text="A bell rings", in_trash=True)])
    assert [(each.text, each.in_trash) for each in service.list_prompts()] == [
        ("A door \ufffd", False),
        ("A bell rings", True),
    ]
    service.delete_prompts([one.id])
    [queued] = service.add_to_queue([WISH])
    assert queued.wish == WISH
    service.keep_queued(dataclasses.replace(queued, state=StoryState.WRITING, text="It rang.", stretches=2))
    library.close()
    again = SqliteLibrary(tmp_path / "library.sqlite")
    shelf = PromptShelfStore(again)
    [story] = shelf.list_queue()
    assert (story.text, story.stretches, story.state, story.wish) == ("It rang.", 2, StoryState.WRITING, WISH)
    shelf.remove_queued([story.id])
    shelf.keep_queued(story)
    assert list(shelf.list_queue()) == []
    assert len(shelf.list_prompts()) == 1
    again.close()


def test_prompts_are_read_out_of_many_files(tmp_path: Path) -> None:
    assert read_prompts("[ WP ] A door , a key .\n\n[WP] [EU] A bell<newline>rings !\nA door, a key.", "txt") == [
        "A door, a key.",
        "A bell\nrings!",
    ]
    assert read_prompts('prompt,story\n"A door, open",She\n"A bell",He', "csv") == ["A door, open", "A bell"]
    assert read_prompts('{"prompt": "A door", "story": "x"}\n"A bell"\n', "jsonl") == ["A door", "A bell"]
    assert read_prompts('[{"prompt": "A door"}, {"no": 1}]', "json") == ["A door"]
    for name, content in (("a.jsonl", b"{"), ("b.json", b"[" * 100_000), ("c.txt", b"\0\1\2"), ("d.txt", b" \n ")):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(StorydeskError):
            read_prompt_file(path)
    path = tmp_path / "e.csv"
    path.write_text(json.dumps("x") * 3, encoding="utf-16")
    assert len(read_prompt_file(path)) == 1


@given(st.text(max_size=80), st.sampled_from(["txt", "csv", "tsv", "json", "jsonl"]))
def test_any_file_gives_prompts_or_a_value_error(text: str, suffix: str) -> None:
    try:
        found = read_prompts(text, suffix)
    except ValueError:
        return
    assert all(prompt.strip() for prompt in found)


def test_prompts_are_found_by_words_and_tags() -> None:
    prompts = [ShelfPrompt(1, "A bell rings", ("sea",)), ShelfPrompt(2, "A door", ("sea", "night"))]
    assert [each.id for each in search_prompts(prompts, "sea door")] == [2]
    assert [each.id for each in search_prompts(prompts, "", "night")] == [2]
    assert list_tags(prompts) == ["night", "sea"]
    assert split_tags(" Sea,, old  house ") == ("sea", "old house")

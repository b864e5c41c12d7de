"""Candidates, other words, memory and comparisons as a window or a command gets them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from storydesk.domain.generation import (
    Alternative,
    Finished,
    FinishReason,
    GenerationEvent,
    GenerationRequest,
    SamplingSettings,
    TextChunk,
    TokenChoice,
)
from storydesk.inference.engine import OnnxEngine, OnnxEngineLoader
from storydesk.services.engines import EngineHost
from storydesk.services.writing import Started, WritingService
from tests.fakes.services import FakeEngine, FakeWorld, make_model, make_world
from tests.fakes.tiny_style_model import make_starter_style_model


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path)


class ChoosingEngine(FakeEngine):
    """Writes given tokens, each with two alternatives."""

    def __init__(self, tokens: Sequence[str], chunk: int) -> None:
        super().__init__(make_model(), ())
        self._tokens = tokens
        self._chunk = chunk

    def generate(self, request: GenerationRequest) -> Iterator[GenerationEvent]:
        place = 0
        choices, text = [], ""
        for number, token in enumerate(self._tokens, start=1):
            others = (Alternative(token, 0.5), Alternative(" --", 0.25))
            choices.append(TokenChoice(place, place + len(token), 0.5, others))
            place += len(token)
            text += token
            if number % self._chunk == 0:
                yield TextChunk(text, 0, tuple(choices))
                choices, text = [], ""
        yield TextChunk(text, 0, tuple(choices))
        yield Finished(FinishReason.LENGTH, len(self._tokens), 1.0)


class Host(EngineHost):
    """Always the one engine."""

    def __init__(self, engine: FakeEngine | OnnxEngine) -> None:
        self._only = engine

    def engine(self, name: str | None = None) -> FakeEngine | OnnxEngine:
        return self._only


@pytest.mark.parametrize("chunk", [1, 2, 3, 20])
@pytest.mark.parametrize("before", ["", "He sat. ", "He sat."])
def test_choices_stand_where_the_styled_text_shows_them(chunk: int, before: str) -> None:
    tokens = [' "', "Go", " --", " she", " said", ".", "..", "\n", "\n", '"', "No", "!", '"', " "]
    service = WritingService(Host(ChoosingEngine(tokens, chunk)))
    events = list(service.write(service.request("A bell", before, words=9, alternatives=2)))
    chunks = [event for event in events if isinstance(event, TextChunk)]
    text = "".join(chunk.text for chunk in chunks)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert text.lstrip() == "“Go — she said…\n\n“No!”"
    shown = [text[choice.start : choice.end] for choice in choices]
    assert "".join(shown) == text
    assert shown[1] == "Go"
    assert shown[3:5] == [" she", " said"]
    assert [choice.alternatives[1].text for choice in choices][1] == " —"
    assert choices[0].alternatives[0].text.endswith("“")


def test_going_on_from_another_word_keeps_what_stands_before_it() -> None:
    service = WritingService(Host(ChoosingEngine([" The", " fog", " came", "."], 2)))
    request = service.request("A bell", "She heard.", words=9, seed=4, count=3)
    choice = TokenChoice(4, 8, 0.1, (Alternative(" fog", 0.1), Alternative(" rain", 0.09)))
    other = service.go_on_from(request, " The fog came.", choice, choice.alternatives[1])
    assert other.text == "She heard. The rain"
    assert (other.words, other.count, other.prompt, other.seed) == (7, 1, "A bell", 4)
    assert other.id != request.id


def test_candidates_come_side_by_side(world: FakeWorld) -> None:
    request = world.desk.writing.request("A bell", words=3, seed=0, count=3)
    texts = ["", "", ""]
    ended = []
    for event in world.desk.writing.write(request):
        if isinstance(event, TextChunk):
            texts[event.candidate] += event.text
        elif isinstance(event, Finished):
            ended.append(event.candidate)
    assert texts == ["the bell rang.", "bell rang. the", "rang. the bell"]
    assert sorted(ended) == [0, 1, 2]


def test_memory_and_note_reach_the_model_and_what_does_not_fit_is_said(world: FakeWorld) -> None:
    request = world.desk.writing.request(
        "A bell", "He came.", words=3, memory="Mara’s old.", author_note="Fog — cold.", note_depth=1
    )
    started, *_ = world.desk.writing.write(request)
    assert isinstance(started, Started)
    assert (started.memory_left_out, started.note_left_out) == (0, 0)
    long = dataclasses.replace(request, memory="word " * 500, author_note="note " * 500)
    started, *_ = world.desk.writing.write(long)
    assert isinstance(started, Started)
    assert started.memory_left_out > 0
    assert started.note_left_out > 0
    seen = world.loader.engines[0].requests[0]
    assert seen.context == "Mara's old.\n\nPrompt: A bell\n\nStory:\n[Author's note: Fog -- cold.]\n\nHe came."
    assert seen.context[slice(*seen.note)] == "[Author's note: Fog -- cold.]\n\n"
    assert seen.context[: seen.head].endswith("Story:\n")


def test_phrases_reach_the_model_in_its_own_form(world: FakeWorld) -> None:
    settings = SamplingSettings(banned=("Mara’s",), phrase_bias=(("so—so", 2.0),), stops=("“No",))
    list(world.desk.writing.write(world.desk.writing.request("A bell", words=1, settings=settings)))
    seen = world.loader.engines[0].requests[0].settings
    assert (seen.banned, seen.phrase_bias, seen.stops) == (("Mara's",), (("so--so", 2.0),), ('"No',))


def test_two_models_are_compared_at_once(world: FakeWorld) -> None:
    host = world.desk.engines
    world.models.shelf["mine"] = make_model("mine", built_in=False)
    compared = world.desk.scoring.compare("The bell rang.", model="mine", base="starter")
    assert (compared.tuned.model, compared.base.model) == ("mine", "starter")
    assert [word.gain for word in compared.words] == [0.0, 0.0, 0.0]
    assert [engine.closed for engine in world.loader.engines] == [False, False]
    world.desk.scoring.compare("The bell rang.", model="mine", base="starter")
    assert len(world.loader.engines) == 2
    host.close()
    assert [engine.closed for engine in world.loader.engines] == [True, True]


def test_another_word_is_taken_up_by_the_real_model(tmp_path: Path) -> None:
    service = WritingService(Host(OnnxEngineLoader().load(make_starter_style_model(tmp_path, "int8"))))
    request = service.request("A keeper hears a bell", words=25, seed=3, alternatives=4)
    chunks = [event for event in service.write(request) if isinstance(event, TextChunk)]
    text = "".join(chunk.text for chunk in chunks)
    choices = [choice for chunk in chunks for choice in chunk.choices]
    assert "".join(text[each.start : each.end] for each in choices) == text
    choice = choices[len(choices) // 2]
    drawn = text[choice.start : choice.end]
    other = next(each for each in choice.alternatives if each.text.strip() and each.text != drawn)
    again = service.go_on_from(request, text, choice, other)
    assert again.text == text[: choice.start] + other.text
    assert "".join(event.text for event in service.write(again) if isinstance(event, TextChunk))

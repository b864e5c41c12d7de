"""A generation made again: by another engine with an empty cache, from what was kept, it is the same word for word."""

from __future__ import annotations

import pytest

from storydesk.domain.draft_history import KeptGeneration, Outcome
from storydesk.domain.failures import StorydeskError
from storydesk.domain.generation import SamplingSettings, TextChunk
from storydesk.inference.engine import OnnxEngineLoader
from storydesk.services.arrival import ArrivalService, Replaced, Settled
from storydesk.services.drafts import dump_request
from storydesk.services.engines import EngineHost
from storydesk.services.polishing import PolishingService
from storydesk.services.repeating import GenerationRepeater
from storydesk.services.writing import WritingRequest, WritingService
from tests.fakes.services import FakeChecker, FakeModels, FakeSettings
from tests.fakes.tiny_style_model import make_tiny_style_model

PROSE = "It was the winter I had the schooner. “Hold her,” he said, and the sea — grey as slate — rose. " * 40


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> FakeModels:
    folder = tmp_path_factory.mktemp("models")
    shelf = FakeModels(folder / "staging")
    model = make_tiny_style_model(folder / "tiny", positions=256)
    shelf.shelf = {"starter": model, "tiny": model}
    return shelf


def _open(models: FakeModels) -> WritingService:
    return WritingService(EngineHost(OnnxEngineLoader(), models, FakeSettings()))


def _idle_checker() -> PolishingService:
    return PolishingService({"harper": lambda: FakeChecker("harper", {})}, lambda: ())


def _write(writing: WritingService, request: WritingRequest) -> list[tuple[WritingRequest, int, str]]:
    """Return for each candidate the request that gives its text, its place there, and the text."""
    texts = [""] * request.count
    made: dict[int, tuple[WritingRequest, int]] = {}
    for event in ArrivalService(writing).write(request):
        if isinstance(event, TextChunk):
            texts[event.candidate] += event.text
        elif isinstance(event, Replaced):
            texts[event.candidate] = event.text
        elif isinstance(event, Settled):
            made[event.candidate] = (event.request, event.place)
    return [(*made[number], text) for number, text in enumerate(texts)]


def _keep(request: WritingRequest, place: int, text: str) -> KeptGeneration:
    stored = dump_request(request, place, " so")
    return KeptGeneration(
        "k", 1, "go_on", "tiny", request.seed, "", "{}", f" so{text}", Outcome.UNUSED, 0.0, 1.0, stored
    )


@pytest.mark.parametrize("count", [1, 3])
def test_every_candidate_comes_out_the_same_from_a_cold_cache(models: FakeModels, count: int) -> None:
    warm = _open(models)
    _write(warm, warm.request("A door", "Something else entirely.", words=8))
    request = warm.request(
        "A door on the beach",
        PROSE,
        words=20,
        seed=77,
        count=count,
        model="tiny",
        settings=SamplingSettings(temperature=1.1, banned=("zebra",)),
        memory="A small island.",
        author_note="Cold.",
    )
    made = _write(warm, request)
    assert len({text for _, _, text in made}) == count
    cold = GenerationRepeater(_open(models), _idle_checker)
    for source, place, text in made:
        assert text.strip()
        repeated = cold.repeat(_keep(source, place, text), lambda: False)
        assert (repeated.text, repeated.same) == (f" so{text}", True)


def test_a_generation_that_was_stopped_is_the_same_as_far_as_it_came(models: FakeModels) -> None:
    writing = _open(models)
    [(source, place, text)] = _write(writing, writing.request("A door", "It was ", words=20, seed=3, model="tiny"))
    kept = _keep(source, place, text[: len(text) // 2])
    assert GenerationRepeater(_open(models), _idle_checker).repeat(kept, lambda: False).same


def test_another_seed_is_not_the_same_and_a_cancel_is_heard(models: FakeModels) -> None:
    writing = _open(models)
    [(source, place, text)] = _write(writing, writing.request("A door", "It was ", words=20, seed=3, model="tiny"))
    repeater = GenerationRepeater(_open(models), _idle_checker)
    assert not repeater.repeat(_keep(source, place, "quite other words"), lambda: False).same
    with pytest.raises(StorydeskError):
        repeater.repeat(_keep(source, place, text), lambda: True)

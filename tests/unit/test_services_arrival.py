"""Answers before they are offered: mended by the sentence, whole at their end, begun anew where they loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.alternatives import Passage, cut_passage
from storydesk.domain.endings import Ending
from storydesk.domain.failures import FailureCode, StorydeskError
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
from storydesk.domain.polishing import Category, Finding
from storydesk.services.alternatives import MOST_WORDS, AlternativesService
from storydesk.services.arrival import ArrivalService, Mender, Replaced, Settled, mend
from tests.fakes.services import FakeChecker, FakeEngine, FakeWorld, make_world


class ScriptedEngine(FakeEngine):
    """Answers each request with the texts and the reason of its turn, a word at a time, in every candidate alike."""

    turns: Sequence[tuple[str, FinishReason]] = ()

    def generate(self, request: GenerationRequest) -> Iterator[GenerationEvent]:
        text, reason = self.turns[min(len(self.requests), len(self.turns) - 1)]
        self.requests.append(request)
        for candidate in range(request.count):
            place = 0
            for word in text.split(" "):
                piece = f" {word}"
                choice = TokenChoice(place, place + len(piece), 0.5, (Alternative(" or", 0.2),))
                place += len(piece)
                yield TextChunk(piece, candidate, (choice,) if request.alternatives else ())
            yield Finished(reason, 9, 50.0, candidate=candidate)


def _answer(
    world: FakeWorld, *turns: tuple[str, FinishReason], words: int = 8, count: int = 1, polish: bool = False
) -> tuple[list[str], list[Settled], ScriptedEngine]:
    """Return each candidate's text as a reader sees it in the end, how it ended, and the engine."""
    service = ArrivalService(world.desk.writing, world.desk.new_polishing)
    engine = world.desk.engines.engine()
    engine.__class__ = ScriptedEngine
    assert isinstance(engine, ScriptedEngine)
    engine.turns = turns
    request = world.desk.writing.request("", "It was late.", words=words, seed=5, count=count, alternatives=1)
    texts, ends = [""] * count, []
    for event in service.write(request, polish=polish):
        if isinstance(event, TextChunk):
            texts[event.candidate] += event.text
        elif isinstance(event, Replaced):
            texts[event.candidate] = event.text
            assert all(choice.end <= len(event.text) for choice in event.choices)
        elif isinstance(event, Settled):
            ends.append(event)
    service.close()
    return texts, ends, engine


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path)


def test_a_sentence_that_broke_off_is_left_off_and_said(world: FakeWorld) -> None:
    texts, [end], _engine = _answer(world, ("The bell rang twice. Then it", FinishReason.LENGTH))
    assert texts == [" The bell rang twice."]
    assert (end.ending, end.reason) == (Ending.TRIMMED, FinishReason.LENGTH)


@pytest.mark.parametrize("reason", [FinishReason.STOP, FinishReason.CANCELLED])
def test_what_the_writer_ended_stays_as_it_is(world: FakeWorld, reason: FinishReason) -> None:
    texts, [end], _engine = _answer(world, ("The bell rang twice. Then it", reason))
    assert texts == [" The bell rang twice. Then it"]
    assert end.ending is Ending.WHOLE


def test_a_loop_is_tried_once_more_with_another_seed_and_quietly(world: FakeWorld) -> None:
    loop = ("He ran. " * 4).strip(), FinishReason.LOOP
    texts, [end], engine = _answer(world, loop, ("The bell rang.", FinishReason.END_OF_TEXT))
    assert texts == [" The bell rang."]
    assert end.ending is Ending.BEGUN_AGAIN
    first, second = engine.requests
    assert (second.count, second.seed != first.seed) == (1, True)
    assert (end.request.seed, end.place, end.candidate) == (second.seed, 0, 0)


def test_of_two_loops_the_longer_is_cut_back(world: FakeWorld) -> None:
    longer = "The bell rang. He ran on and on. He ran on and on. He ran on and on.", FinishReason.LOOP
    shorter = "No. No. No. No. No. No. No.", FinishReason.LOOP
    texts, [end], engine = _answer(world, longer, shorter)
    assert texts == [" The bell rang. He ran on and on."]
    assert (end.ending, end.request.seed) == (Ending.CUT_BACK, 5)
    assert len(engine.requests) == 2  # and no more


def test_every_candidate_has_its_own_end(world: FakeWorld) -> None:
    texts, ends, engine = _answer(world, ("The bell rang. Then it", FinishReason.LENGTH), count=3, words=4)
    assert texts == [" The bell rang."] * 3
    assert [(end.candidate, end.place) for end in ends] == [(0, 0), (1, 1), (2, 2)]
    assert len(engine.requests) == 1


def test_slips_are_mended_by_the_sentence_before_they_are_seen(world: FakeWorld) -> None:
    world.checkers["harper"] = FakeChecker("harper", {"teh": "the"})
    text = "Mara saw teh bell. Then teh sea came."
    texts, _ends, _engine = _answer(world, (text, FinishReason.END_OF_TEXT), polish=True)
    assert texts == [" Mara saw the bell. Then the sea came."]


def test_the_writer_s_own_words_are_no_slips(world: FakeWorld) -> None:
    service = ArrivalService(world.desk.writing, world.desk.new_polishing)
    request = world.desk.writing.request("", "Old Teh laughed.", words=6, seed=0)
    world.loader.script = ["teh", "bell."]
    shown = "".join(event.text for event in service.write(request, polish=True) if isinstance(event, TextChunk))
    assert "teh" in shown


def test_a_checker_that_can_t_run_costs_nothing_but_the_mending(world: FakeWorld) -> None:
    failure = StorydeskError(FailureCode.GRAMMAR_UNAVAILABLE, engine="Harper", detail="gone")
    world.checkers["harper"] = FakeChecker("harper", {"teh": "the"}, failure=failure)
    texts, _ends, _engine = _answer(world, ("teh bell. Teh sea.", FinishReason.END_OF_TEXT), polish=True)
    assert texts == [" teh bell. Teh sea."]


@given(st.lists(st.sampled_from(["teh", "bell", "😀", "a"]), max_size=12), st.integers(0, 50), st.integers(-3, 9))
def test_tokens_stay_with_their_words_when_others_are_mended(words: list[str], start: int, shift: int) -> None:
    sentence = "".join(f" {word}" for word in words)
    choices, findings, place = [], [], 0
    for word in words:
        choices.append(TokenChoice(start + place, start + place + len(word) + 1, 0.5, ()))
        if word == "teh":
            found = (place + 1, place + 1 + len(word))
            findings.append(Finding(*found, Category.SPELLING, "WORD", "", ("the thing",), "harper"))
        place += len(word) + 1
    text, kept = mend(sentence, choices, findings, start, shift)
    assert text == sentence.replace("teh", "the thing")
    shown = [text[choice.start - start - shift : choice.end - start - shift] for choice in kept]
    assert shown == [f" {word}" for word in words if word != "teh"]


def test_a_mender_gives_everything_it_was_given() -> None:
    mender = Mender(lambda _before, _sentence: (), "")
    pieces = [mender.take(TextChunk(piece)) for piece in (" One. T", "wo. Thr", "ee")]
    pieces.append(mender.finish(0))
    assert [piece.text for piece in pieces if piece is not None] == [" One.", " Two.", " Three"]


def _passage(text: str = "It was late. The sea came in. Mara ran.") -> Passage:
    start = text.index("The sea")
    return cut_passage(text, start, start + len("The sea came in. "))


def test_other_ways_are_about_as_long_and_measured_by_what_follows(world: FakeWorld) -> None:
    service = AlternativesService(world.desk.writing, world.desk.scoring)
    world.loader.script = ["The", "bell", "rang."]
    request = service.request(_passage(), "A bell", SamplingSettings(), seed=0, count=3)
    told: list[tuple[int, int]] = []
    original, ways = service.find(_passage(), request, progress=lambda done, total: told.append((done, total)))
    assert request.text == "It was late. "
    assert "\n" in request.settings.stops
    assert original.text == "The sea came in."
    assert original.closeness == 1
    assert ways
    assert len({way.text for way in ways}) == len(ways)
    assert original.text not in {way.text for way in ways}
    assert {way.follow for way in ways} == {-2.0}  # what the fake's tokens cost
    assert told[-1][0] == told[-1][1]
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_where_nothing_follows_the_text_itself_is_measured(world: FakeWorld) -> None:
    service = AlternativesService(world.desk.writing, world.desk.scoring)
    passage = cut_passage("It was late. The sea came in.", 13, 29)
    original, _ways = service.find(passage, service.request(passage, "", SamplingSettings(), seed=0))
    assert original.follow is None
    assert original.fit == original.own == -2.0


def test_a_part_of_a_sentence_gets_as_many_words_and_no_end(world: FakeWorld) -> None:
    service = AlternativesService(world.desk.writing, world.desk.scoring)
    passage = cut_passage("It was late and cold. Mara ran.", 7, 20)
    assert passage.text == "late and cold"
    request = service.request(passage, "", SamplingSettings())
    assert (request.words, request.until_sentence_end) == (3, False)


def test_too_little_and_too_much_are_refused(world: FakeWorld) -> None:
    service = AlternativesService(world.desk.writing, world.desk.scoring)
    for text, code in (("", FailureCode.TEXT_EMPTY), ("word " * (MOST_WORDS + 1), FailureCode.PASSAGE_TOO_LONG)):
        with pytest.raises(StorydeskError) as caught:
            service.request(cut_passage(text, 0, len(text)), "", SamplingSettings())
        assert caught.value.failure.code == code


def test_a_search_is_given_up_when_it_is_asked_to(world: FakeWorld) -> None:
    service = AlternativesService(world.desk.writing, world.desk.scoring)
    request = service.request(_passage(), "", SamplingSettings())
    with pytest.raises(StorydeskError) as caught:
        service.find(_passage(), request, is_cancelled=lambda: True)
    assert caught.value.failure.code == FailureCode.CANCELLED

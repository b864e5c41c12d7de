"""Polishing as a use case: what is read again, what can be broken off, what is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.polishing import PolishSettings
from storydesk.services.paragraph_cache import ParagraphCache
from storydesk.services.polishing import PolishingService
from storydesk.services.ranking import EngineRanker, rank_findings
from tests.fakes.services import FakeChecker, FakeWorld, make_world


@pytest.fixture
def world(tmp_path: Path) -> FakeWorld:
    return make_world(tmp_path)


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="teh 😀e\u0301.“", max_size=12), max_size=8), st.sampled_from(["\n", "\r\n", "\n\n"]))
def test_places_are_right_in_every_paragraph_and_line_end(paragraphs: list[str], line_end: str) -> None:
    text = line_end.join(paragraphs)
    checker = FakeChecker("harper", {"teh": "the"})
    cache = ParagraphCache()
    for _ in range(2):
        found = cache.check(checker, text, "en-US")
        assert all(text[finding.start : finding.end] == "teh" for finding in found)
        assert len(found) == len(checker.check(text))


def test_only_what_changed_is_read_again_by_either_checker(world: FakeWorld) -> None:
    polishing = world.desk.new_polishing()
    polishing.check("One.\n\nteh two.\n\nThree.")
    for checker in world.checkers.values():
        checker.read.clear()
    check = polishing.check("One!\n\nteh two.\n\nThree.")
    assert [checker.read for checker in world.checkers.values()] == [["One!"], ["One!"]]
    assert len(check.findings) == 1


def test_learning_a_word_reads_nothing_again(world: FakeWorld) -> None:
    polishing = world.desk.new_polishing()
    assert polishing.check("teh sea").findings
    world.checkers["harper"].read.clear()
    world.library.words.append("teh")
    assert not polishing.check("teh sea").findings
    assert not polishing.check("teh sea", names=["Teh Sea"]).findings
    assert world.checkers["harper"].read == []


def test_a_long_text_can_be_broken_off_and_goes_on_where_it_was(world: FakeWorld) -> None:
    polishing = world.desk.new_polishing()
    text = "\n".join(f"Paragraph {number} has teh sea. " * 30 for number in range(100))
    told: list[tuple[int, int]] = []
    with pytest.raises(StorydeskError) as caught:
        polishing.check(
            text, progress=lambda done, total: told.append((done, total)), is_cancelled=lambda: len(told) > 3
        )
    assert caught.value.failure.code == FailureCode.CANCELLED
    read = len(world.checkers["languagetool"].read)
    assert 0 < read < 12
    polishing.check(text, progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1]
    whole = "".join(world.checkers["languagetool"].read)
    assert all(whole.count(f"Paragraph {number} has") == 30 for number in range(100))


def test_a_notice_of_the_checker_is_told(world: FakeWorld) -> None:
    notice = Failure(FailureCode.GRAMMAR_VERSION, {"found": "6.1", "expected": "6.8"})
    world.checkers["languagetool"].notices = (notice,)
    assert world.desk.new_polishing().check("teh sea").failures == (notice,)


def test_harper_is_passed_over_for_other_languages(world: FakeWorld) -> None:
    check = world.desk.new_polishing().check("teh sea", settings=PolishSettings(language="es"))
    assert check.engines == ("languagetool",)


def test_speech_is_mended_only_when_asked(world: FakeWorld) -> None:
    polishing = world.desk.new_polishing()
    text = "“I saw teh sea,” she said. It was teh sea."
    assert polishing.polish(text).text == "“I saw teh sea,” she said. It was the sea."
    assert "“I saw the sea,”" in polishing.polish(text, settings=PolishSettings(mend_dialogue=True)).text


def test_what_a_model_wrote_is_mended_and_what_stood_before_is_not(world: FakeWorld) -> None:
    polishing = world.desk.new_polishing()
    assert polishing.polish_addition("Old.\nShe saw teh", " sea. Then “teh wave” and teh") == (
        " sea. Then “the wave” and teh"
    )


def test_the_quick_check_remembers_what_the_deep_one_said(world: FakeWorld) -> None:
    polishing = world.desk.new_polishing()
    text = "I recieve it.\nNew."
    assert not polishing.check_quickly(text)
    polishing.check(text)
    read = len(world.checkers["languagetool"].read)
    assert [text[item.start : item.end] for item in polishing.check_quickly(text + " More.")] == ["recieve"]
    assert len(world.checkers["languagetool"].read) == read


def _ranking_service(world: FakeWorld, ranker: EngineRanker) -> PolishingService:
    return PolishingService(
        {name: (lambda checker=checker: checker) for name, checker in world.checkers.items()},  # type: ignore[misc]  # mypy can't infer a default in a lambda
        list,
        ranker,
    )


def test_a_model_has_its_say_and_a_missing_one_costs_the_order_only(world: FakeWorld) -> None:
    polish = _ranking_service(world, EngineRanker(world.desk.engines)).polish("It was teh sea.")
    assert (polish.check.model, polish.text) == ("starter", "It was the sea.")
    polish = _ranking_service(world, EngineRanker(world.desk.engines, "nowhere")).polish("It was teh sea.")
    assert (polish.check.model, polish.text) == ("", "It was the sea.")
    assert [failure.code for failure in polish.check.failures] == [FailureCode.MODEL_NOT_FOUND]


def test_a_model_that_knows_nothing_has_no_say(world: FakeWorld) -> None:
    findings = world.desk.new_polishing().check("teh").findings
    ranking = rank_findings("teh", findings, EngineRanker(world.desk.engines))
    assert ranking.model == "starter"

    class Lost(EngineRanker):
        def measure(self, trial: object, is_cancelled: object = None) -> list[float]:
            return [900.0, 899.0]

    ranking = rank_findings("teh", findings, Lost(world.desk.engines))
    assert (ranking.model, ranking.findings) == ("", findings)

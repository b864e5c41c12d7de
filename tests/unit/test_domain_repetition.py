"""What a draft says again, and how it is kept up with."""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.failures import StorydeskError
from storydesk.domain.readability import measure_readability
from storydesk.domain.repetition import (
    COMMON,
    PHRASE_WORDS,
    LineWords,
    Repetition,
    RepetitionKind,
    choose_adverbs,
    choose_filters,
    count_lengths,
    find_echoes,
    find_openings,
    find_phrases,
    find_stem,
    find_words,
    has_words,
    measure_reference,
    rate_overuse,
    read_line,
)
from storydesk.services.insight import Breather, InsightService, ProseAnalyst, fingerprint
from tests.fakes.services import FakeLibrary

NO_NAMES: frozenset[str] = frozenset()


def _places(text: str, found: Repetition) -> list[str]:
    lines = text.split("\n")
    return [lines[line][start:end] for line, start, end in found.places]


def _lines(text: str) -> list[LineWords]:
    return [read_line(line) for line in text.split("\n")]


def test_an_echo_is_the_same_word_again_in_any_form() -> None:
    text = "He walked along the shore.\nNobody walks there, said the ferryman."
    (echo,) = find_echoes(_lines(text), COMMON, NO_NAMES)
    assert _places(text, echo) == ["walked", "walks"]


def test_far_apart_common_or_a_name_is_no_echo() -> None:
    far = "door " + "and then it was so " * 10 + "door"
    assert not find_echoes(_lines(far), COMMON, NO_NAMES)
    assert not find_echoes(_lines("They were there, they were there."), COMMON, NO_NAMES)
    assert not find_echoes(_lines("So Mara called Mara."), COMMON, frozenset({"mara"}))


@pytest.mark.parametrize(
    ("one", "other"),
    [("walked", "walking"), ("stopped", "stops"), ("makes", "making"), ("door", "doors"), ("mara's", "mara")],
)
def test_forms_of_a_word_share_their_stem(one: str, other: str) -> None:
    assert find_stem(one) == find_stem(other)
    assert find_stem("glass") == "glass"


def _phrases(text: str) -> list[Repetition]:
    lines = _lines(text)
    counts = Counter(phrase for line in lines for phrase in line.phrases)
    return find_phrases(lines, counts.__getitem__, COMMON)


def test_a_phrase_is_as_long_as_it_is_the_same_everywhere() -> None:
    text = (
        "The lamp on the far shore went out like a candle.\n"
        "Later the lamp on the far shore went out again.\n"
        "Nobody saw how the lamp on the far shore burned."
    )
    found = {phrase.text: _places(text, phrase) for phrase in _phrases(text)}
    assert found == {
        "the lamp on the far shore": ["The lamp on the far shore", *["the lamp on the far shore"] * 2],
    }


def test_phrases_of_small_words_and_over_sentence_ends_do_not_count() -> None:
    assert not _phrases("and it was all that there was\nbut it was all that there was\nso it was all that there was")
    assert not _phrases("Grey morning. Cold water.\nGrey morning. Cold water.\nGrey morning. Cold water.")


@given(st.lists(st.lists(st.sampled_from(["lamp", "door", "pier", "salt"]), max_size=12), max_size=12))
def test_phrases_stand_where_they_are_said_to(rows: list[list[str]]) -> None:
    text = "\n".join(" ".join(row) for row in rows)
    for phrase in _phrases(text):
        assert set(_places(text, phrase)) == {phrase.text}
        assert len(phrase.text.split()) >= PHRASE_WORDS
        assert len(set(phrase.places)) == len(phrase.places) >= 2


def test_sentences_in_a_row_that_begin_alike() -> None:
    text = "She ran. She fell. “She knows,” he said.\nShe slept. Then it rained. She woke."
    (opening,) = find_openings(_lines(text))
    assert opening.text == "she"
    assert _places(text, opening) == ["She", "She", "She", "She"]


def test_overuse_is_of_words_that_everybody_uses() -> None:
    reference = {"suddenly": 0.001, "window": 0.001, "the": 0.05}
    words = {"suddenly": 30, "window": 3, "the": 900, "kraken": 500, "other": 2000}
    ((word, ratio),) = rate_overuse(words, reference)
    assert word == "suddenly"
    assert ratio == pytest.approx(30 / 3433 / 0.001)
    assert set(measure_reference(["a sea", "A sea", "sea kraken"], 2)) == {"a", "sea"}


def test_filters_adverbs_and_lengths() -> None:
    line = read_line("She felt that it was slowly, slowly sinking. He saw it. I felt it.")
    words = Counter(line.words)
    assert choose_filters(words) == ["felt"]
    assert choose_adverbs(words) == ["slowly"]
    assert find_words([line], ["felt"]) == {"felt": ((0, 4, 8), (0, 58, 62))}
    assert count_lengths([1, 5, 6, 30, 31, 400]) == (2, 1, 0, 0, 1, 2)


def test_headings_and_scene_breaks_say_nothing() -> None:
    assert not read_line("# The Lamp").words
    assert not read_line("* * *").words
    assert read_line("The *lamp*.").words == ("the", "lamp")


def test_scripts_without_spaces_are_known() -> None:
    assert has_words("Le phare s'éteignit.")
    assert has_words("")
    assert not has_words("彼女は干潮のときに扉を見つけた。")


# Keeping up with a draft


def _go_on() -> None:
    pass


def _analyst(tmp_path: Path) -> ProseAnalyst:
    return InsightService(FakeLibrary(), tmp_path).new_analyst()


def test_an_edit_changes_only_what_it_should(tmp_path: Path) -> None:
    chance = random.Random(7)
    words = re.findall(r"\S+", "She ran slowly . felt the lamp door walked on pier salt Mara harbour and then was")
    lines = [" ".join(chance.choices(words, k=chance.randrange(30))) for _ in range(40)]
    kept = _analyst(tmp_path)
    for _ in range(25):
        place = chance.randrange(len(lines) + 1)
        change = [" ".join(chance.choices(words, k=chance.randrange(30))) for _ in range(chance.randrange(3))]
        lines[place : place + chance.randrange(3)] = change
        assert kept.analyse(lines, "en-GB", _go_on) == _analyst(tmp_path).analyse(lines, "en-GB", _go_on)


def test_a_cancelled_reading_goes_on_where_it_was(tmp_path: Path) -> None:
    lines = [f"The lamp number {number} went out over the harbour again." for number in range(4000)]
    asked = iter([False, False, True])
    analyst = _analyst(tmp_path)
    with pytest.raises(StorydeskError):
        analyst.analyse(lines, "en-US", Breather(lambda: next(asked, True)))
    report = analyst.analyse(lines, "en-US", _go_on)
    assert report == _analyst(tmp_path).analyse(lines, "en-US", _go_on)
    assert report.readability == measure_readability("\n".join(lines))


def test_another_language_has_what_can_be_told(tmp_path: Path) -> None:
    lines = ["Elle voit la lampe. Elle voit la porte. Elle sentait vraiment la lampe."]
    report = _analyst(tmp_path).analyse(lines, "fr", _go_on)
    assert not report.english
    assert {found.kind for found in report.repetitions} <= {
        RepetitionKind.ECHO,
        RepetitionKind.PHRASE,
        RepetitionKind.OPENING,
    }
    report = _analyst(tmp_path).analyse(["彼女は扉を見つけた。"], "ja", _go_on)
    assert not report.told
    assert not report.repetitions


def test_values_of_drafts_are_kept_by_text_prompt_and_model() -> None:
    library = FakeLibrary()
    story = library.add_story("The Salt Road", "", "A door.")
    library.add_draft(story.id, "2", "A warm door.")
    service = InsightService(library, Path())
    first, second = service.list_values(story.id, "", "starter")
    assert (first.name, second.name, first.point) == ("1", "2", None)
    service.keep_value(story.id, first.fingerprint, 6.0, 3, 2)
    first, second = service.list_values(story.id, "", "starter")
    assert first.point is not None
    assert first.point.nats_per_word == 3.0
    assert second.point is None
    assert service.list_values(story.id, "", "gpt2")[0].point is None
    assert service.list_values(story.id, "A prompt", "starter")[0].point is None
    library.set_story_setting(story.id, "insight.values", "[damaged")
    assert service.list_values(story.id, "", "starter")[0].point is None
    assert fingerprint("\ud800", "", "starter")

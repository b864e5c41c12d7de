"""What the partner is made of: ends of answers, parts of suggestions, closeness, order, controls and presets."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.acceptance import measure_sentence, measure_word
from storydesk.domain.alternatives import Rewording, cut_passage, rank_rewordings
from storydesk.domain.closeness import measure_closeness
from storydesk.domain.endings import cut_repetition, ends_whole, trim_to_sentence
from storydesk.domain.generation import SamplingSettings
from storydesk.domain.writing_controls import (
    BALANCED,
    DRAWN,
    NUMBERS,
    PRESETS,
    ControlDesk,
    WritingControls,
    read_biases,
    read_lines,
    write_biases,
)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" The bell rang. She ran to the", " The bell rang."),
        (" “Run!” she said. And then he", " “Run!” she said."),
        (" The bell rang.", " The bell rang."),
        (" “I thought you—”", " “I thought you—”"),
        (" She ran to the", " She ran to the"),
        (" He met Dr. Vane. Then he", " He met Dr. Vane."),
        ("", ""),
    ],
)
def test_an_unfinished_sentence_is_left_off(text: str, kept: str) -> None:
    assert trim_to_sentence(text, 1) == kept


def test_it_stays_where_too_little_would_be_left() -> None:
    text = " Yes. She ran all the way down to the harbour and the"
    assert trim_to_sentence(text, 5) == text
    assert trim_to_sentence(text, 1) == " Yes."


@given(st.text(alphabet="ab .!?\n”“", max_size=80))
def test_what_is_kept_is_a_beginning_that_ends_whole_or_all_of_it(text: str) -> None:
    kept = trim_to_sentence(text, 1)
    assert text.startswith(kept)
    assert kept == text or ends_whole(kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" He ran on and on. He ran on and on. He ran on and on.", " He ran on and on."),
        (" She waited. It was late. She waited.", " She waited. It was late."),
        (" the sea and the sea and the sea and the sea", " the sea and"),
        (" No, no, no!", " No, no, no!"),
        (" The bell rang. She ran.", " The bell rang. She ran."),
    ],
)
def test_what_repeats_is_cut_back(text: str, kept: str) -> None:
    assert cut_repetition(text) in (kept, kept + " the sea")


@given(st.lists(st.sampled_from(["sea", "bell.", "ran", "on.", "“Go”"]), max_size=40).map(" ".join))
def test_cutting_back_keeps_a_beginning(text: str) -> None:
    assert text.startswith(cut_repetition(text))


def test_words_and_sentences_come_with_the_space_before_them() -> None:
    text = "\n\n“Go!” she said. Then it rang."
    assert text[: measure_word(text)] == "\n\n“Go!”"
    assert text[: measure_sentence(text)] == "\n\n“Go!” she said."
    assert measure_word("   ") == measure_sentence("   ") == 3
    assert "海が鳴る"[: measure_word("海が鳴る")] == "海"


@given(st.text(max_size=60).filter(bool))
def test_part_by_part_everything_is_accepted(text: str) -> None:
    for measure in (measure_word, measure_sentence):
        rest, steps = text, 0
        while rest:
            rest = rest[measure(rest) :]
            steps += 1
        assert steps <= len(text)


def test_closeness_is_high_for_the_same_words_and_low_for_others() -> None:
    original = "She closed the door behind her."
    assert measure_closeness(original, original.upper()) == 1
    near = measure_closeness(original, "She closed the doors behind her!")
    far = measure_closeness(original, "A gull cried over the mud.")
    assert 1 > near > 0.7 > far


@given(st.text(max_size=40), st.text(max_size=40))
def test_closeness_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    assert 0 <= measure_closeness(one, other) <= 1
    assert measure_closeness(one, other) == pytest.approx(measure_closeness(other, one))


def test_the_slider_leads_from_what_fits_to_what_is_close() -> None:
    fits, close = Rewording("a", -3.0, -1.0, 0.1), Rewording("b", -1.0, -3.0, 0.9)
    assert [way.text for way in rank_rewordings([close, fits], 0.0)] == ["a", "b"]
    assert [way.text for way in rank_rewordings([close, fits], 1.0)] == ["b", "a"]
    assert rank_rewordings([], 0.5) == []
    ends_here = [replace(way, follow=None) for way in (fits, close)]
    assert rank_rewordings(ends_here, 0.0)[0].text == "b"  # nothing follows: the likelier text itself


def test_a_passage_leaves_the_space_around_it_where_it_is() -> None:
    passage = cut_passage("It rang. She ran.  Then", 8, 18)
    assert (passage.before, passage.text, passage.after) == ("It rang. ", "She ran.", "  Then")
    assert (passage.start, passage.end) == (9, 17)


def test_every_number_is_declared_with_the_default_that_it_has() -> None:
    for name, setting in NUMBERS.items():
        assert getattr(BALANCED, name) == setting.default
    assert BALANCED.sampling() == SamplingSettings()
    assert PRESETS["careful"].temperature < BALANCED.temperature < PRESETS["wild"].temperature


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5), st.lists))
def test_whatever_was_kept_gives_controls_within_their_limits(value: object) -> None:
    record = dict.fromkeys([*BALANCED.to_record()], value)
    controls = WritingControls.from_record(record)
    for name, setting in NUMBERS.items():
        number = getattr(controls, name)
        assert math.isfinite(number)
        assert (setting.low or -1) <= number <= (setting.high or 1)
    controls.sampling()


def test_controls_come_back_from_what_was_kept() -> None:
    controls = WritingControls(
        temperature=1.3, banned=("very",), phrase_bias=(("salt", 2.5),), stops=("\n\n",), seed=7, ways=5
    )
    desk = ControlDesk().change(controls).keep_as("  Ghost   stories ")
    assert ControlDesk.from_text(desk.to_text()) == desk
    assert (desk.preset, desk.is_changed) == ("Ghost stories", False)
    for broken in ("", "{", "[]", '{"own": 3}', '{"preset": "gone"}', json.dumps({"own": {"x": 1}})):
        assert ControlDesk.from_text(broken).controls == BALANCED


def test_settings_from_elsewhere_become_a_preset_beside_the_writers_own_words() -> None:
    mine = ControlDesk().change(replace(BALANCED, top_k=40, banned=("very",), minimum_words=5, seed=7, ways=5))
    taken = mine.take({"temperature": 1.1, "no_repeat_ngram": 3.0, "unheard": 4.0}, "Warm")
    assert taken.controls == replace(mine.controls, temperature=1.1, no_repeat_ngram=3, top_k=0)
    assert (taken.preset, taken.is_changed) == ("Warm", False)
    assert ControlDesk.from_text(taken.to_text()) == taken
    assert taken.take({"temperature": 1.1, "no_repeat_ngram": 3}, "Warm") == taken
    other = taken.take({"temperature": 0.3}, "Warm")
    assert [name for name, _controls in other.own] == ["Warm", "Warm (2)"]
    assert other.find("Warm") == taken.controls
    longest = taken.take({"temperature": 0.3}, "w" * 80).take({"temperature": 0.2}, "w" * 80)
    assert len({name for name, _controls in longest.own}) == 3
    assert ControlDesk().take({}, "Usual").preset == "balanced"
    for wild in (math.inf, -math.inf, math.nan, 1e9):
        limits = NUMBERS["temperature"], NUMBERS["top_k"]
        drawn = BALANCED.with_sampling({"temperature": wild, "top_k": wild})
        for setting, value in zip(limits, (drawn.temperature, drawn.top_k), strict=True):
            assert (setting.low or 0) <= value <= (setting.high or 0)


def test_a_preset_is_left_changed_and_come_back_to() -> None:
    desk = ControlDesk().choose("wild")
    changed = desk.change(replace(desk.controls, top_k=40, ways=5))
    assert changed.is_changed
    back = changed.choose(changed.preset)
    assert (back.is_changed, back.controls.top_k, back.controls.ways) == (False, 0, 5)
    assert desk.keep_as("wild") is desk  # the presets that are always there stay
    kept = changed.keep_as("Mine")
    assert kept.forget("Mine").preset == "balanced"
    assert desk.change(replace(desk.controls, seed=DRAWN)).is_changed is False


def test_a_longest_length_below_the_shortest_gives_way() -> None:
    sampling = replace(BALANCED, minimum_words=50, maximum_words=20).sampling()
    assert (sampling.minimum_words, sampling.maximum_words) == (50, 50)


def test_lists_are_read_as_a_writer_writes_them() -> None:
    assert read_lines("very\n\n quite \nvery") == ("very", "quite")
    biases = read_biases("lantern = 2\nsuddenly=-3\nsalt\n= 4\nx = y")
    assert biases == (("lantern", 2.0), ("suddenly", -3.0), ("salt", 2.0), ("x = y", 2.0))
    assert read_biases(write_biases(biases))[:3] == biases[:3]

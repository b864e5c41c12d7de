"""Whether stories were learnt by heart, against counts made by hand."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.stories import TrainingText, measure_stories

TRAINING = (
    "Mara carried the bell down to the harbour before the fog had come in, and nobody asked her why.",
    "The wall was older than the town.",
)


def test_a_copied_run_is_found_whatever_stands_around_it() -> None:
    story = "He said: mara CARRIED the bell, down to the harbour before the rain."
    found = TrainingText(TRAINING).measure_copying([story])
    assert (found.longest, found.passage) == (10, "mara carried the bell down to the harbour before the")
    assert found.share == 3 / 6  # runs of eight words: three lie in the ten, and the story has six


def test_nothing_is_found_across_two_stories_or_inside_a_word() -> None:
    training = TrainingText(["one two three four", "five six seven eight"])
    assert training.measure_copying(["three four five six"]).longest == 2
    assert TrainingText(["the bell"]).measure_copying(["he bel"]).longest == 0


def test_no_text_is_no_copy() -> None:
    found = measure_stories([], TrainingText([]), "after")
    assert (found.stories, found.longest_copy, found.copied_share, found.distinct_2) == (0, 0, 0.0, 0.0)


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=1, max_size=30), st.data())
def test_a_story_taken_out_of_the_training_text_is_found_whole(words: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    found = TrainingText([" ".join(words)]).measure_copying([" ".join(words[start:end])])
    assert found.longest == end - start


def test_variety_is_counted_inside_each_story() -> None:
    found = measure_stories(["the cat the cat the cat", "one two three"], TrainingText([]), "before")
    assert found.distinct_2 == (2 / 5 + 1) / 2
    assert found.repetition_3 == (2 / 4 + 0) / 2

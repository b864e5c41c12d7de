"""Comparing two texts: what is put together from all differences is the other text, and small changes stay small."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.authorship import PASTED, WRITTEN, measure_runs
from storydesk.domain.comparison import compare_texts, find_edits, merge_runs, merge_texts
from storydesk.domain.failures import StorydeskError

TEXTS = st.lists(st.sampled_from(["the ", "bell ", "rang. ", "Mara ", "\n\n", "sea", "’s ", "😀 ", "日本"])).map(
    "".join
)


@given(TEXTS, TEXTS)
@settings(max_examples=200)
def test_taking_every_difference_gives_the_other_text_and_none_the_first(old: str, new: str) -> None:
    differences = compare_texts(old, new)
    assert merge_texts(old, new, differences, range(len(differences))) == new
    assert merge_texts(old, new, differences, ()) == old
    assert merge_texts(old, new, find_edits(old, new), range(len(find_edits(old, new)))) == new


@given(TEXTS, TEXTS, st.sets(st.integers(0, 10)))
@settings(max_examples=100)
def test_spans_go_with_the_text_that_is_picked(old: str, new: str, wanted: set[int]) -> None:
    differences = compare_texts(old, new)
    taken = {number for number in wanted if number < len(differences)}
    text = merge_texts(old, new, differences, taken)
    runs = merge_runs([(len(old), WRITTEN)], [(len(new), PASTED)], differences, taken, len(old))
    assert measure_runs(runs) == len(text)
    picked = sum(differences[number].new_end - differences[number].new_start for number in taken)
    assert sum(length for length, origin in runs if origin == PASTED) == picked


def test_a_changed_word_is_one_difference_of_that_word() -> None:
    old = "One two three.\n\nFour five six.\n\nSeven."
    [each] = compare_texts(old, old.replace("five", "FIVE"))
    assert (old[each.old_start : each.old_end], each.new_start) == ("five", each.old_start)


def test_distant_words_are_picked_one_by_one() -> None:
    old = "The bell rang and then the whole sea answered it again. Mara slept."
    new = "The horn rang and then the whole sea answered it twice. Mara slept."
    differences = compare_texts(old, new)
    assert len(differences) == 2
    assert merge_texts(old, new, differences, {1}) == old.replace("again", "twice")


def test_a_paragraph_that_was_put_in_touches_no_other() -> None:
    old = "A bell.\n\nThe sea.\n\nA bell.\n\nThe end."
    new = "A bell.\n\nThe sea.\n\nSomething else.\n\nA bell.\n\nThe end."
    [each] = compare_texts(old, new)
    assert each.old_start == each.old_end
    assert new[each.new_start : each.new_end] == "Something else.\n\n"


def test_a_novel_of_like_paragraphs_is_compared_and_can_be_cancelled() -> None:
    dice = random.Random(3)
    words = ["the", "bell", "rang", "over", "sea", "and", "Mara", "slept"]
    lines = [" ".join(dice.choices(words, k=dice.randint(1, 40))) + "." for _ in range(2500)]
    other = list(lines)
    for place in dice.sample(range(len(lines)), 250):
        other[place] = other[place].replace("bell", "horn") + " Then nothing."
    old, new = "\n\n".join(lines), "\n\n".join(other)
    differences = compare_texts(old, new)
    assert merge_texts(old, new, differences, range(len(differences))) == new
    asked: list[bool] = []

    def stop() -> bool:
        asked.append(True)
        return len(asked) > 3

    with pytest.raises(StorydeskError):
        compare_texts(old, new, stop)

"""N-gram figures against counts made by hand."""

from __future__ import annotations

from trainer.text.ngrams import count_words, measure_distinct, measure_repetition, split_words


def test_words_keep_their_apostrophes() -> None:
    assert split_words("Don't — the captain's door!") == ["don't", "the", "captain's", "door"]
    assert count_words("Don't — the captain's door!") == 4


def test_distinct_and_repetition_by_hand() -> None:
    words = ["the", "cat", "saw", "the", "cat", "saw", "the", "dog"]
    # Bigrams: the-cat cat-saw saw-the the-cat cat-saw saw-the the-dog: 7, of which 4 are different.
    assert measure_distinct(words, 2) == 4 / 7
    assert measure_repetition(words, 2) == 3 / 7
    assert measure_distinct(words, 1) == 4 / 8


def test_short_texts_have_nothing_to_measure() -> None:
    assert measure_distinct(["one"], 2) == 0.0
    assert measure_repetition([], 1) == 0.0

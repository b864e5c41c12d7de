"""Learnt words are known in every form that a writer would call the same word."""

from __future__ import annotations

import unicodedata

import pytest

from storydesk.domain.vocabulary import Vocabulary


@pytest.mark.parametrize(
    "passage", ["Skerrow", "skerrow", "SKERROW", "Skerrow's", "Skerrow’s", " Skerrow", "Skerrow Bar", "Zoë"]
)
def test_a_learnt_word_is_known(passage: str) -> None:
    assert Vocabulary(["Skerrow", "Bar", unicodedata.normalize("NFD", "Zoë")]).knows(passage)


@pytest.mark.parametrize("passage", ["Skerro", "Skerrow Barr", "", "—"])
def test_other_words_are_not(passage: str) -> None:
    assert not Vocabulary(["Skerrow", "Bar"]).knows(passage)


def test_an_entry_of_several_words_teaches_each() -> None:
    assert Vocabulary(["Ambrose Kell"]).knows("Kell")

"""Sentences, speech and the figures of readability."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.readability import count_syllables, is_adverb, measure_readability
from storydesk.domain.sentences import find_quotations, split_paragraphs, split_sentences

_TEXTS = st.text(alphabet="aB.!?… \n\r“”\"'‘’—«»😀e\u0301", max_size=80)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("He ran. She slept!", ["He ran.", "She slept!"]),
        ("Mr. Hale met Dr. A. Brown. They spoke.", ["Mr. Hale met Dr. A. Brown.", "They spoke."]),
        ("“Stop!” he said. “Now.”", ["“Stop!” he said.", "“Now.”"]),
        ("Well … perhaps. Yes…", ["Well … perhaps.", "Yes…"]),
        ("A title\n\nA line\r\nAnother", ["A title", "A line", "Another"]),
        ("  \n ", []),
    ],
)
def test_sentences_end_where_a_reader_would_say(text: str, sentences: list[str]) -> None:
    assert [text[start:end] for start, end in split_sentences(text)] == sentences


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("“Go,” she said. “Now.”", ["“Go,”", "“Now.”"]),
        ('"Go," she said.', ['"Go,"']),
        ("‘It’s late,’ she said, and the boys’ coats hung.", ["‘It’s late,’"]),
        ("'Don't,' he said.", ["'Don't,'"]),
        ("The boys’ coats and the dog's bone.", []),
        ("“One paragraph of speech\n\nand no more.", ["“One paragraph of speech"]),
        ("«Oui», dit-elle.", ["«Oui»"]),
    ],
)
def test_speech_is_found_in_every_kind_of_mark(text: str, spoken: list[str]) -> None:
    assert [text[start:end] for start, end in find_quotations(text)] == spoken


@given(_TEXTS)
def test_spans_are_in_order_apart_and_inside_their_paragraph(text: str) -> None:
    paragraphs = list(split_paragraphs(text))
    for spans in (split_sentences(text), find_quotations(text)):
        assert all(start < end for start, end in spans)
        assert all(one[1] <= other[0] for one, other in pairwise(spans))
        assert all(any(first <= start and end <= last for first, last in paragraphs) for start, end in spans)


def test_figures_of_a_small_text() -> None:
    text = "The door was opened slowly. The sea came in. “Run,” she said."
    figures = measure_readability(text)
    assert (figures.words, figures.sentences, figures.longest_sentence) == (12, 3, 5)
    assert figures.mean_sentence == 4
    assert figures.passive_share == pytest.approx(1 / 3)
    assert figures.adverb_share == pytest.approx(1 / 12)
    assert figures.repeated_opening_share == pytest.approx(1 / 3)
    assert figures.dialogue_share == pytest.approx(1 / 12)


def test_harder_words_and_longer_sentences_read_harder() -> None:
    easy = measure_readability("The cat sat. The dog ran.")
    hard = measure_readability(
        "Notwithstanding considerable institutional reservations, the administration authorised expenditure."
    )
    assert easy.reading_ease > 100
    assert hard.reading_ease < 0


def test_a_text_without_words_has_no_figures() -> None:
    assert measure_readability(" … 12 \n").words == 0


@pytest.mark.parametrize(
    ("word", "syllables"), [("the", 1), ("table", 2), ("asked", 1), ("wanted", 2), ("houses", 2), ("beautiful", 3)]
)
def test_syllables(word: str, syllables: int) -> None:
    assert count_syllables(word) == syllables


def test_adverbs() -> None:
    assert is_adverb("slowly")
    assert not is_adverb("lovely")

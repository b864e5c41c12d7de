"""Measures of words against counts made by hand and against sacrebleu itself."""

from __future__ import annotations

import math

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from trainer.corpus.document import Document
from trainer.evaluation.stories import TrainingText
from trainer.judging.cells import Cell, JudgedStory, Yardsticks, find_equal_length, measure_cell
from trainer.judging.wording import (
    ContentWords,
    count_bleu,
    cut_words,
    measure_chrf,
    measure_grade,
    measure_self_bleu,
    share_repeated,
)

STORIES = [
    "The cat sat on the mat, and the dog sat too.",
    "The dog sat on the mat. The cat ran away from it.",
    "Nobody knew where the cat was; it sat on the roof.",
    "The end.",
]


def _measure(texts: list[str], *, training: TrainingText | None = None, equal: int = 0) -> dict[str, float]:
    documents = [Document(story="The cat sat on the mat.", prompt=f"The cat {number}") for number in range(len(texts))]
    stories = tuple(JudgedStory(number, 0, text, ended=True) for number, text in enumerate(texts))
    yardsticks = Yardsticks(documents, training, ContentWords(texts))
    found = measure_cell(Cell(0, 0, stories), yardsticks, equal=equal)
    return {name: values.add_up(len(texts)).value for name, values in found.items()}


def test_variety_and_repetition_by_hand() -> None:
    # "the cat saw the cat run": pairs the-cat cat-saw saw-the the-cat cat-run, 4 different of 5.
    # "a bell rang": nothing comes again.
    found = _measure(["The cat saw. The cat run!", "A bell rang."])
    assert found["distinct_1"] == pytest.approx((4 / 6 + 1) / 2)
    assert found["distinct_2"] == pytest.approx((4 / 5 + 1) / 2)
    assert found["repetition_1"] == pytest.approx((2 / 6 + 0) / 2)
    assert found["repetition_2"] == pytest.approx((1 / 5 + 0) / 2)
    # Only the first story has runs of four words, and none of its three comes again.
    assert found["repetition_4"] == 0.0
    assert found["words"] == pytest.approx((6 + 3) / 2)


def test_shares_between_stories_by_hand() -> None:
    words = [["the", "cat", "sat"], ["the", "cat", "ran"], ["a", "bell"]]
    assert share_repeated(words, [0, 1, 2], 1) == [2 / 3, 2 / 3, 0.0]
    assert share_repeated(words, [0, 1, 2], 2) == [1 / 2, 1 / 2, 0.0]
    # Stories on one prompt may share their words.
    assert share_repeated(words, [0, 0, 2], 1) == [0.0, 0.0, 0.0]
    assert math.isnan(share_repeated(words, [0, 1, 2], 3)[2])


def test_self_bleu_is_sacrebleus() -> None:
    judge = BLEU(effective_order=True)
    expected = [
        judge.sentence_score(story, [other for place, other in enumerate(STORIES) if place != number]).score
        for number, story in enumerate(STORIES)
    ]
    assert measure_self_bleu(STORIES) == pytest.approx(expected)
    assert measure_self_bleu(["Same here now.", "Same here now."]) == pytest.approx([100.0, 100.0])
    assert math.isnan(measure_self_bleu(["Alone."])[0])


def test_bleu_and_chrf_are_sacrebleus() -> None:
    references = ["The cat sat on the mat."] * len(STORIES)
    found = _measure(STORIES)
    assert found["bleu"] == pytest.approx(BLEU().corpus_score(STORIES, [references]).score)
    each = [
        CHRF().sentence_score(story, [reference]).score for story, reference in zip(STORIES, references, strict=True)
    ]
    assert found["chrf"] == pytest.approx(sum(each) / len(each))
    assert measure_chrf(STORIES[0], references[0]) == pytest.approx(each[0])
    assert count_bleu("The cat.", "The cat sat.")[2:] == (3, 4)


def test_reading_grade_by_hand() -> None:
    # 7 words, 26 letters, 2 sentences.
    text = "The keeper heard it. “Was that you?”"
    assert measure_grade(text) == pytest.approx(4.71 * 26 / 7 + 0.5 * 7 / 2 - 21.43)
    assert math.isnan(measure_grade(" ... "))


def test_content_words_are_compared_and_not_the_little_ones() -> None:
    content = ContentWords(["The lamp was lit.", "The ship was lost.", "The ship came in."])
    assert content.compare("A lamp", "The lamps!") == pytest.approx(1.0)
    assert content.compare("A lamp", "The ship was lost.") == 0.0
    # Rare words weigh more.
    assert content.compare("lamp ship", "lamp") > content.compare("lamp ship", "ship")
    assert math.isnan(content.compare("and the", "lamp"))


def test_copies_are_measured_story_by_story() -> None:
    training = TrainingText(["one two three four five six seven eight nine ten"])
    found = _measure(
        [
            "two three four five six seven eight nine and then something else came",
            "nothing of it stands here at all really",
        ],
        training=training,
    )
    # 13 words: 6 runs of eight, one of them copied; the other story has 8 words and 1 run. The longest copy has 8.
    assert found["copied_share"] == pytest.approx((1 / 6 + 0) / 2)
    assert found["longest_copy"] == pytest.approx((8 + 0) / 2)
    assert "longest_copy" not in _measure(["A story."])


def test_equal_length_cuts_all_and_passes_over_short_ones() -> None:
    long, longer, short = "word " * 60, "other words " * 40, "too short"
    cell = Cell(0, 0, tuple(JudgedStory(0, 0, text, ended=False) for text in [long, longer] * 9 + [short]))
    assert find_equal_length([cell]) == 60
    assert find_equal_length([Cell(0, 0, (JudgedStory(0, 0, short, ended=False),))]) == 0
    assert cut_words("One two,\n\nthree four", 3) == "One two,\n\nthree"
    found = _measure([long, "a b c " * 20, short], equal=60)
    assert found["distinct_1"] == pytest.approx((1 / 60 + 3 / 60) / 2)
    assert "words" not in found

"""The held-out side is a fair tenth that shares nothing with what is learned from."""

from __future__ import annotations

import random

import pytest

from trainer.corpus.document import Document
from trainer.corpus.splitting import MOST_HELDOUT, split_documents
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.text.ngrams import count_words

WORDS = [
    "sea",
    "bell",
    "fog",
    "cup",
    "road",
    "hedge",
    "lamp",
    "boat",
    "gull",
    "slate",
    "letter",
    "kettle",
    "door",
    "river",
    "stone",
    "night",
    "rain",
    "glass",
]


def story(number: int, words: int = 120) -> str:
    """Return words in an order of their own."""
    generator = random.Random(number)
    return " ".join(generator.choice(WORDS) for _ in range(words)) + "."


def documents(count: int) -> list[Document]:
    """Return unlike stories with a prompt each."""
    return [Document(story=story(number), prompt=f"prompt {number}") for number in range(count)]


@pytest.mark.parametrize("count", [16, 40, 72, 200, 1000])
def test_a_tenth_is_held_out_four_at_least_and_a_quarter_at_most(count: int) -> None:
    split = split_documents(documents(count), seed=7)
    held = len(split.heldout)
    assert held == min(max(round(count / 10), 4), count // 4, MOST_HELDOUT)
    assert {*split.training} | {*split.heldout} == {*documents(count)}
    assert not {*split.training} & {*split.heldout}


def test_the_seed_alone_decides() -> None:
    pool = documents(60)
    assert split_documents(pool, seed=1) == split_documents(pool, seed=1)
    assert split_documents(pool, seed=1).heldout != split_documents(pool, seed=2).heldout


def test_prompts_copies_and_parts_never_straddle() -> None:
    pool = documents(40)
    same_prompt = [Document(story=story(100 + number), prompt="Prompt,  ONE!") for number in range(3)]
    copied = [Document(story=story(200), prompt="a"), Document(story="Now: " + story(200) + " The end.", prompt="b")]
    parts = [Document(story=story(300 + number), prompt="", whole="novel") for number in range(3)]
    for seed in range(25):
        split = split_documents([*pool, *same_prompt, *copied, *parts], seed)
        for together in (same_prompt, copied, parts):
            held = [document in split.heldout for document in together]
            assert all(held) or not any(held)


def test_one_long_text_is_cut_so_that_some_of_it_can_be_held_out() -> None:
    novel = Document(story="\n\n".join(story(number) for number in range(40)), prompt="The Novel")
    split = split_documents([novel], seed=7)
    assert split.same_story
    assert 1 <= len(split.heldout) <= len(split.training) / 2
    kept = sum(count_words(document.story) for document in (*split.training, *split.heldout))
    assert kept == count_words(novel.story)


def test_too_little_text_is_refused_with_the_numbers() -> None:
    with pytest.raises(TrainerError) as caught:
        split_documents(documents(3), seed=7)
    assert caught.value.code is TrainerFailure.TOO_LITTLE_TEXT
    assert caught.value.parameters == {"stories": 3, "words": 360, "needed_stories": 8, "needed_words": 3000}
    with pytest.raises(TrainerError):
        split_documents([], seed=7)
    assert len(split_documents(documents(8), seed=7).heldout) >= 2


def test_many_documents_with_one_prompt_can_still_be_split() -> None:
    pool = [Document(story=story(number), prompt="Go on") for number in range(30)]
    split = split_documents(pool, seed=7)
    assert 4 <= len(split.heldout) <= len(split.training)

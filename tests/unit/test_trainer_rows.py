"""Rows hold every story token once, never two stories, and never more than the model can see."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.corpus.document import Document
from trainer.corpus.rows import make_heldout_rows, make_training_rows, measure_padding, plan_batches
from trainer.corpus.tokens import TokenisedDocument, load_tokenizer, tokenise_documents
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.text.template import Template

lengths = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 200)), min_size=1, max_size=12)


def make(sizes: list[tuple[int, int]]) -> list[TokenisedDocument]:
    """Return documents whose story tokens are all different."""
    result, token = [], 1000
    for prompt, story in sizes:
        result.append(TokenisedDocument(tuple(range(1, prompt + 1)), tuple(range(token, token + story)), story, story))
        token += story
    return result


@settings(max_examples=80, deadline=None)
@given(lengths, st.integers(8, 64))
def test_held_out_rows_count_every_story_token_once(sizes: list[tuple[int, int]], positions: int) -> None:
    documents = make(sizes)
    rows = make_heldout_rows(documents, positions=positions)
    counted = [token for row in rows for token in row.ids[row.counted_from :]]
    assert counted == [token for document in documents for token in document.story_ids]
    assert all(len(row.ids) <= positions and row.counted_from >= 1 for row in rows)


@settings(max_examples=80, deadline=None)
@given(lengths, st.integers(8, 64), st.sampled_from(["story", "all"]))
def test_training_rows_learn_each_story_and_its_end(sizes: list[tuple[int, int]], positions: int, loss_on: str) -> None:
    documents = make(sizes)
    rows = make_training_rows(documents, positions=positions, end_token=0, loss_on=loss_on)
    learned = [token for row in rows for token in row.ids[row.counted_from :] if token == 0 or token >= 1000]
    assert learned == [token for document in documents for token in (*document.story_ids, 0)]
    assert all(len(row.ids) <= positions and row.counted_from >= 1 for row in rows)
    prompts_learned = any(token < 1000 and token for row in rows for token in row.ids[row.counted_from :])
    assert prompts_learned == (loss_on == "all" and any(prompt > 1 for prompt, _ in sizes))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 512), min_size=1, max_size=80), st.integers(16, 4096), st.integers(1, 3))
def test_every_epoch_sees_every_row_once_within_the_batch_limit(rows: list[int], limit: int, epochs: int) -> None:
    batches = plan_batches(rows, batch_tokens=limit, epochs=epochs, seed=7)
    assert batches == plan_batches(rows, batch_tokens=limit, epochs=epochs, seed=7)
    seen = sorted(row for batch in batches for row in batch)
    assert seen == sorted(list(range(len(rows))) * epochs)
    assert all(len(batch) == 1 or len(batch) * max(rows[row] for row in batch) <= limit for batch in batches)


def test_rows_of_like_length_leave_little_padding() -> None:
    rows = [150 + 37 * number % 360 for number in range(400)]
    assert measure_padding(rows, plan_batches(rows, batch_tokens=2048, epochs=1, seed=7)) < 0.12


def test_tokens_follow_the_template_and_the_tokenizers_of_both_ages_agree(tmp_path: Path) -> None:
    folder = make_tiny_gpt2(tmp_path / "tiny")
    documents = [Document(story="The bell rang.\n\nIt was late.", prompt="A bell"), Document(story="No prompt here.")]
    new = load_tokenizer(folder)
    with_prompt, without = tokenise_documents(documents, new, Template(), end_token=0, positions=128)
    assert with_prompt.prompt_ids[0] == 0
    assert new.decode(list(with_prompt.prompt_ids[1:])) == "Prompt: A bell\n\nStory:\n"
    assert new.decode(list(with_prompt.story_ids)) == documents[0].story
    whole = new.encode(Template().render("A bell") + documents[0].story).ids
    assert [0, *whole] == [*with_prompt.prompt_ids, *with_prompt.story_ids]
    assert without.prompt_ids == (0,)
    (folder / "tokenizer.json").unlink()
    old = load_tokenizer(folder)
    assert tokenise_documents(documents, old, Template(), end_token=0, positions=128) == [with_prompt, without]
    (folder / "vocab.json").write_text("{", encoding="utf-8")
    with pytest.raises(TrainerError) as caught:
        load_tokenizer(folder)
    assert caught.value.code is TrainerFailure.BASE_NOT_USABLE


def test_a_prompt_that_is_too_long_loses_words_and_the_template_stays_whole(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(make_tiny_gpt2(tmp_path / "tiny"))
    for prompt in ("a bell under the sea " * 60, "x" * 600):
        (document,) = tokenise_documents(
            [Document(story="It rang.", prompt=prompt)], tokenizer, Template(), end_token=0, positions=128
        )
        assert len(document.prompt_ids) <= 64
        head = tokenizer.decode(list(document.prompt_ids[1:]))
        assert head == "" or (head.startswith("Prompt: a bell") and head.endswith("\n\nStory:\n"))


def test_a_passage_is_learned_behind_what_it_goes_on_from_and_does_not_end(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(make_tiny_gpt2(tmp_path / "tiny"))
    passage = Document(story=" and the bell rang.", prompt="A bell", before="The fog came in")
    opening = Document(story="The bell rang.", prompt="A bell", before="")
    long = Document(story=" It rang.", prompt="A bell " * 60, before="The boat had gone. " * 90 + "Mara heard it.")
    found = tokenise_documents([passage, opening, long], tokenizer, Template(), end_token=0, positions=128)
    rows = make_training_rows(found, positions=128, end_token=0, loss_on="all")
    first, second, third = rows
    head = Template().render("A bell")
    assert tokenizer.decode(list(first.ids[1 : first.counted_from])) == head + "The fog came in"
    assert tokenizer.decode(list(first.ids[first.counted_from :])) == " and the bell rang."
    assert tokenizer.decode(list(second.ids[second.counted_from :])) == "The bell rang."
    assert tokenizer.decode(list(second.ids[1 : second.counted_from])) == head
    # What stands nearest stays, and both share the room.
    said = tokenizer.decode(list(third.ids[1 : third.counted_from]))
    assert said.startswith("Prompt: A bell")
    assert said.endswith("Mara heard it.")
    assert third.counted_from <= 64
    assert all(0 not in row.ids[row.counted_from :] for row in rows)
    held_out = make_heldout_rows(found, positions=128)
    assert [row.counted_from for row in held_out] == [row.counted_from for row in rows]

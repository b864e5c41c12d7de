"""What a folder of text becomes before anything is learned: stories, sides, prompts, tokenizer and packed ids."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.pretraining import write_stories
from trainer.corpus.tokens import END_OF_TEXT, load_tokenizer
from trainer.pretraining.packing import HELDOUT_NAME, TRAINING_NAME, PackedText, choose_type, pack_folder
from trainer.pretraining.prompts import KeyWords, compose_texts, learn_keys, split_passages
from trainer.pretraining.rows import Batches, PackedRows, cut_rows
from trainer.pretraining.settings import PretrainingSettings
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import Stage
from trainer.text.normaliser import normalise_text
from trainer.text.template import Template

TINY = PretrainingSettings(layers=1, width=16, heads=2, positions=32, vocabulary=400, batch_tokens=128)


def pack(folder: Path, out: Path, titles: Path | None = None) -> tuple[PackedText, list[Stage]]:
    out.mkdir(exist_ok=True)
    stages: list[Stage] = []
    return pack_folder(folder, out, TINY, titles, enter=stages.append, check=lambda: None), stages


def read_side(packed: PackedText, name: str) -> str:
    ids = np.fromfile(packed.folder / name, packed.token_type)
    text: str = load_tokenizer(packed.folder).decode(ids.tolist(), skip_special_tokens=False)
    return text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stories(tmp_path_factory.mktemp("texts"), "sea_tales")


def test_a_folder_becomes_two_sides_that_share_no_story(folder: Path, tmp_path: Path) -> None:
    story = sorted(folder.rglob("*.txt"))[0].read_text(encoding="utf-8")
    for number in range(6):
        (folder / f"copy {number}.txt").write_text(f"{story}\n\nAnother end, number {number}.", encoding="utf-8")
    try:
        packed, _ = pack(folder, tmp_path / "out")
    finally:
        for copy in folder.glob("copy *.txt"):
            copy.unlink()
    training, heldout = read_side(packed, TRAINING_NAME), read_side(packed, HELDOUT_NAME)
    assert training.startswith(END_OF_TEXT)
    assert training.endswith(END_OF_TEXT)
    assert f"{END_OF_TEXT}Prompt: " in training
    # The near copies are one thing: all of them are learned from, or none is.
    held = [{number for number in range(6) if f"end, number {number}." in side} for side in (training, heldout)]
    assert sorted(map(len, held)) == [0, 6]
    for path in folder.rglob("*.txt"):
        last = normalise_text(path.read_text(encoding="utf-8")).split("\n\n")[-1]
        assert (last in training) != (last in heldout), path
    summary = packed.summary
    assert summary.training.tokens == len(np.fromfile(packed.training, packed.token_type))
    assert summary.training_documents + summary.heldout_documents == len(list(folder.rglob("*.txt"))) + 6


def test_the_same_text_is_packed_once(folder: Path, tmp_path: Path) -> None:
    first, stages = pack(folder, tmp_path)
    assert stages == [Stage.READING, Stage.CLEANING, Stage.PACKING]
    again, stages = pack(folder, tmp_path)
    assert stages == [Stage.READING]
    assert again == first
    with first.training.open("r+b") as stream:
        stream.truncate(100)
    _, stages = pack(folder, tmp_path)
    assert Stage.PACKING in stages
    added = folder / "added.txt"
    added.write_text("A thing that was never told before. " * 20, encoding="utf-8")
    try:
        other, stages = pack(folder, tmp_path)
    finally:
        added.unlink()
    assert Stage.PACKING in stages
    assert other.summary.fingerprint != first.summary.fingerprint


def test_titles_come_from_a_table_where_there_is_one(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "titles.tsv"
    rows = [
        f"{path.relative_to(folder).as_posix()}\tCalled number {number}"
        for number, path in enumerate(sorted(folder.rglob("*.txt")))
    ]
    table.write_text("\n".join(["file\ttitle", *rows]), encoding="utf-8")
    packed, _ = pack(folder, tmp_path / "out", table)
    assert "Prompt: Called number" in read_side(packed, TRAINING_NAME) + read_side(packed, HELDOUT_NAME)
    table.write_text("name\tyear\nx\t1900\n", encoding="utf-8")
    with pytest.raises(TrainerError) as refused:
        pack(folder, tmp_path / "out", table)
    assert refused.value.code is TrainerFailure.BAD_REQUEST


def test_one_long_story_gives_parts_to_both_sides(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "novel").mkdir()
    novel = "\n\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.txt")))
    (tmp_path / "novel" / "The Long One.md").write_text(novel, encoding="utf-8")
    packed, _ = pack(tmp_path / "novel", tmp_path / "out")
    assert packed.summary.same_story
    assert packed.summary.heldout.tokens > 0


def test_too_little_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("Only this much was ever written down by anybody at all, they say. " * 3, "utf-8")
    for folder, code in ((tmp_path, TrainerFailure.TOO_LITTLE_TEXT), (tmp_path / "x", TrainerFailure.DATA_NOT_FOUND)):
        with pytest.raises(TrainerError) as refused:
            pack(folder, tmp_path / "out")
        assert refused.value.code is code


@given(st.integers(0, 1000), st.lists(st.integers(1, 700), min_size=1, max_size=12))
@settings(max_examples=40, deadline=None)
def test_texts_hold_the_whole_story_in_order(seed: int, sizes: list[int]) -> None:
    story = "\n\n".join(" ".join(f"w{number}x{place}" for place in range(size)) for number, size in enumerate(sizes))
    chance = random.Random(seed)
    assert "\n\n".join(split_passages(story, chance)) == story
    texts = compose_texts("A Title", story, learn_keys([story]), Template(), chance)
    bare = [text.split("Story:\n", 1)[-1] for text in texts]
    assert "\n\n".join(bare) == story


def test_key_words_are_frequent_here_and_rare_elsewhere() -> None:
    keys = KeyWords()
    for number in range(20):
        keys.learn(
            "The weather was fine and the people were quiet." + (" A lighthouse stood there." if number < 4 else "")
        )
    assert keys.choose("The lighthouse was dark. People came to the lighthouse.", 3) == ["lighthouse"]
    assert keys.choose("Nothing known.", 3) == []


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 40))
def test_every_row_comes_once_a_pass_and_the_order_hangs_on_the_seed(rows: int, batch: int, step: int) -> None:
    batches = Batches(rows, batch, seed=3)
    per_pass = rows // min(batch, rows)
    seen = [int(row) for number in range(per_pass) for row in batches.rows_of(number)]
    assert len(seen) == len(set(seen)) == per_pass * min(batch, rows)
    assert Batches(rows, batch, seed=3).rows_of(step).tolist() == batches.rows_of(step).tolist()


def test_rows_join_without_a_gap(tmp_path: Path) -> None:
    np.arange(70, dtype="<u2").tofile(tmp_path / "ids")
    rows = PackedRows(tmp_path / "ids", choose_type(400), 16)
    assert len(rows) == 4
    read = rows.read(np.array([0, 2]))
    assert read.tolist() == [list(range(17)), list(range(32, 49))]
    cut = cut_rows(read, 8)
    assert cut[:, 0].tolist() == [0, 8, 32, 40]
    assert sorted(cut[:, 1:].ravel()) == sorted(read[:, 1:].ravel())


def test_a_large_vocabulary_gets_larger_numbers() -> None:
    assert [choose_type(size).itemsize for size in (400, 65_536, 65_537)] == [2, 2, 4]

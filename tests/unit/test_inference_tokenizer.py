"""Text comes back from tokens whole, whatever is written in it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.inference.tokenizer import TextStream, TextTokenizer
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from tests.fakes.tiny_style_model import STARTER

TOKENIZER = TextTokenizer(STARTER / "tokenizer.json", "starter", 8192)
PIECES = [
    "The keeper ", "didn't.", "\n\n", "né", "e\u0301", "中文字", "日本", "한국", "हिन्दी", "\u202bעברית",
    "\U0001f600", "\U0001f44d\U0001f3fd", "\U0001f469\u200d\U0001f680", "\U0001f1e9\U0001f1ea", "❤️", "1️⃣", "©", "…",
]  # fmt: skip
texts = st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
CLUSTERS = [
    "1️⃣", "#️⃣", "e\u0301", "o\u0308\u0304", "क्ष", "न्", "か\u3099", "中", "\u1112\u1161\u11ab", "❤️", "\U0001f600",
    "\U0001f44d\U0001f3fd", "\U0001f469\u200d\U0001f680", "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\U0001f1e9\U0001f1ea", "\U0001f3f4\U000e0067\U000e0062\U000e007f",
]  # fmt: skip


def stream(ids: list[int]) -> list[str]:
    decoder = TextStream(TOKENIZER)
    chunks = [decoder.feed(token) for token in ids]
    return [chunk for chunk in [*chunks, decoder.finish()] if chunk]


@given(texts)
def test_streamed_equals_decoded_equals_written(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert "".join(stream(ids)) == text


@given(st.lists(st.sampled_from(CLUSTERS), min_size=1, max_size=8), st.sampled_from([" x ", "", "x", ". "]))
def test_no_chunk_ends_inside_a_character(clusters: list[str], joint: str) -> None:
    text = joint.join(clusters)
    inside = set()
    place = 0
    for cluster in clusters:
        inside |= set(range(place + 1, place + len(cluster)))
        place += len(cluster) + len(joint)
    shown = 0
    for chunk in stream(TOKENIZER.encode(text)):
        shown += len(chunk)
        assert shown not in inside


@given(st.lists(st.integers(0, 8191), max_size=60))
def test_nonsense_gives_no_half_characters(ids: list[int]) -> None:
    assert "".join(stream(ids)) == TOKENIZER.decode(ids)
    assert "\ufffd" not in TOKENIZER.decode([token for token in ids if b"\xef" not in TOKENIZER.token_bytes(token)])


def test_half_a_character_at_the_end_is_dropped() -> None:
    ids = TOKENIZER.encode("a \U0001f600")
    assert "".join(stream(ids[:-1])) == "a "


@given(texts)
def test_spans_cover_the_text_without_gaps(text: str) -> None:
    ids = TOKENIZER.encode(text)
    spans = TOKENIZER.measure_spans(text, ids)
    place = 0
    for start, end in spans:
        assert start == place <= end
        place = end
    assert place == len(text)


def test_a_special_tokens_name_in_a_text_is_text() -> None:
    ids = TOKENIZER.encode("The <|endoftext|> came.")
    assert 0 not in ids
    assert TOKENIZER.decode(ids) == "The <|endoftext|> came."
    assert TOKENIZER.token_bytes(0) == b""


def test_lone_surrogates_do_no_harm() -> None:
    assert TOKENIZER.decode(TOKENIZER.encode("a\ud83db")) == "a\ufffdb"


def test_marks_are_no_words() -> None:
    words = TOKENIZER.find_words()
    assert words[TOKENIZER.encode(" the")[0]]
    for mark in (".", '"', "\n", ","):
        assert not words[TOKENIZER.encode(mark)[0]]


def change_json(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        content = json.loads(path.read_text(encoding="utf-8"))
        change(content)
        path.write_text(json.dumps(content), encoding="utf-8")

    return spoil


@pytest.mark.parametrize(
    "spoil",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(b"\x00\xff" * 50),
        lambda path: path.write_text("{}"),
        lambda path: path.write_text("[" * 100_000),
        lambda path: path.write_bytes(random.Random(0).randbytes(5000)),
        change_json(lambda content: content.update(model={"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"})),
        change_json(lambda content: content.update(decoder=None, pre_tokenizer=None)),
        change_json(lambda content: content.update(normalizer={"type": "Lowercase"})),
        change_json(lambda content: content["model"]["vocab"].update(intruder=9999)),
        change_json(lambda content: content["model"]["merges"].append(["nowhere", "to be found"])),
    ],
)
def test_hostile_files_are_refused(tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    path = make_tiny_gpt2(tmp_path) / "tokenizer.json"
    spoil(path)
    with pytest.raises(StorydeskError) as caught:
        TextTokenizer(path, "odd", 384)
    assert caught.value.failure.code == FailureCode.MODEL_NOT_LOADED
    assert caught.value.failure.parameters["name"] == "odd"

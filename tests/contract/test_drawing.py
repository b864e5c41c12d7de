"""The trainer draws tokens as the app does: a sweep tells about writing in the app only as long as they agree."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from storydesk.domain.generation import SamplingSettings
from storydesk.inference.sampling import TokenSampler
from storydesk.inference.tokenizer import TextTokenizer
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.judging.drawing import DEFAULTS, TokenDrawer, find_words
from trainer.protocol.judging import SETTING_RANGES

VOCABULARY = 60

CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0.0, 0.3, 0.8, 1.0, 1.7]),
        "top_p": st.sampled_from([0.2, 0.9, 0.95, 1.0]),
        "top_k": st.sampled_from([0, 1, 5, 40]),
        "min_p": st.sampled_from([0.0, 0.04, 0.3]),
        "typical_p": st.sampled_from([0.3, 0.9, 1.0]),
        "repetition_penalty": st.sampled_from([0.8, 1.0, 1.1, 1.5]),
        "frequency_penalty": st.sampled_from([-0.5, 0.0, 0.7]),
        "presence_penalty": st.sampled_from([-0.5, 0.0, 0.7]),
        "no_repeat_ngram": st.sampled_from([0, 2, 3, 4]),
    },
)


@settings(max_examples=30, deadline=None)
@given(choice=CHOICES, seed=st.integers(0, 2**31 - 1), sharpness=st.sampled_from([0.5, 2.0, 6.0]))
def test_the_same_tokens_are_drawn(choice: dict[str, float], seed: int, sharpness: float) -> None:
    random = np.random.default_rng(seed)
    words = random.random(VOCABULARY) < 0.7
    ours, theirs = TokenDrawer(choice, seed, words), TokenSampler(SamplingSettings(**choice), seed, words)  # type: ignore[arg-type]
    head, written = random.integers(VOCABULARY, size=5).tolist(), list[int]()
    for _ in range(25):
        logits = (sharpness * random.normal(size=VOCABULARY)).astype(np.float32)
        token = ours.draw(logits, [*head, *written], written)
        assert token == theirs.draw(logits, [*head, *written], written)
        written.append(token)


def test_the_usual_settings_are_the_apps() -> None:
    usual = SamplingSettings()
    assert {name: getattr(usual, name) for name in DEFAULTS} == dict(DEFAULTS)
    assert set(DEFAULTS) == set(SETTING_RANGES)
    assert set(DEFAULTS) <= {field.name for field in fields(SamplingSettings)}


def test_the_same_tokens_carry_words(tmp_path: Path) -> None:
    folder = make_tiny_gpt2(tmp_path / "tiny")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    expected = TextTokenizer(folder / "tokenizer.json", "tiny", 384).find_words()
    np.testing.assert_array_equal(find_words(tokenizer, 384), expected)


def test_a_setting_out_of_its_range_is_the_same_in_both() -> None:
    from storydesk.domain.failures import StorydeskError
    from storydesk.inference.sampling import check_settings

    for name, (low, high) in SETTING_RANGES.items():
        for value in (low, min(high, 1e9)):
            whole = int(value) if name in ("top_k", "no_repeat_ngram") else value
            check_settings(SamplingSettings(**{name: whole}))  # type: ignore[arg-type]
        with pytest.raises(StorydeskError):
            check_settings(SamplingSettings(**{name: high * 2 + 1}))  # type: ignore[arg-type]

"""Requests of judging jobs: what was asked for comes back, and nothing strange gets in."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.judging.metrics import METRICS, choose_metrics
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.judging import (
    JudgedPair,
    JudgedStyle,
    JudgeRequest,
    decode_judge_request,
    encode_judge_request,
)

GOOD: dict[str, Any] = {
    "v": "1.2",
    "job_id": "night",
    "styles": [{"name": "mine", "folder": "/models/mine"}],
    "pairs": [{"prompt": "A bell.", "story": "It rang."}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def test_a_request_comes_back_as_it_was() -> None:
    request = JudgeRequest(
        job_id="night",
        styles=(JudgedStyle("mine", "/models/mine", ("/runs/1",)), JudgedStyle("theirs", "/models/theirs")),
        pairs=(JudgedPair("A bell — “rang”.", "It rang."), JudgedPair("A ship.")),
        data=("/stories.csv",),
        prompts=5,
        stories=3,
        tokens=120,
        settings=({}, {"temperature": 0.9, "top_k": 40}),
        reader="theirs",
        metrics=("perplexity",),
        ratings="/ratings.json",
        out="/out",
        title="Night",
        seed=9,
        device="cpu",
    )
    assert decode_judge_request(encode_judge_request(request)) == request


@pytest.mark.parametrize(
    "change",
    [
        {"styles": []},
        {"styles": "mine"},
        {"styles": [{"name": "", "folder": "/m"}]},
        {"styles": [{"name": "a", "folder": "/m"}, {"name": "a", "folder": "/n"}]},
        {"styles": [{"name": "a" * 300, "folder": "/m"}]},
        {"styles": [{"name": "a", "folder": "/m\0"}]},
        {"pairs": []},
        {"pairs": [{"prompt": ["A bell."]}]},
        {"pairs": [{"prompt": "A bell."}] * 3000},
        {"data": [7]},
        {"settings": [{"temperature": "hot"}]},
        {"settings": [{"temperature": float("nan")}]},
        {"settings": [{"temperature": 1e9}]},
        {"settings": [{"temperature": True}]},
        {"settings": [{"top_k": 2.5}]},
        {"settings": [{"__class__": 1}]},
        {"settings": [{}, {}]},
        {"settings": [{"top_k": number} for number in range(100)]},
        {"stories": -1},
        {"stories": 1.5},
        {"tokens": 10**9},
        {"seed": "seven"},
        {"reader": "nobody"},
        {"device": "toaster"},
        {"job_id": ""},
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(TrainerError) as refused:
        decode_judge_request(json.dumps({**GOOD, **change}))
    assert refused.value.code is TrainerFailure.BAD_REQUEST
    assert 0 < len(str(refused.value.parameters["detail"])) < 200


def test_another_protocol_is_named() -> None:
    with pytest.raises(TrainerError) as refused:
        decode_judge_request(json.dumps({**GOOD, "v": "9.0"}))
    assert refused.value.code is TrainerFailure.PROTOCOL_TOO_NEW


@given(name=st.sampled_from([*GOOD, "data", "settings", "stories", "tokens", "ratings", "metrics"]), value=JSON)
def test_whatever_stands_there_is_taken_or_refused(name: str, value: object) -> None:
    with contextlib.suppress(TrainerError):
        decode_judge_request(json.dumps({**GOOD, name: value}))


@given(text=st.text(max_size=60))
def test_whatever_text_it_is_is_refused(text: str) -> None:
    with pytest.raises(TrainerError):
        decode_judge_request(text)


def test_metrics_are_chosen_by_name() -> None:
    assert choose_metrics(()) == METRICS
    assert [metric.name for metric in choose_metrics(("words", "perplexity"))] == ["perplexity", "words"]
    with pytest.raises(TrainerError):
        choose_metrics(("goodness",))

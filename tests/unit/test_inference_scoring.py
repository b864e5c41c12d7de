"""Scores are the model's own, of any text, in the writer's own characters, and edits cost only what they touch."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.style_model import StyleModel
from storydesk.inference.cancellation import Cancellation
from storydesk.inference.engine import OnnxEngine, OnnxEngineLoader
from storydesk.inference.session import TokenCache
from storydesk.inference.tokenizer import TextTokenizer
from tests.fakes.tiny_style_model import make_tiny_style_model
from trainer.export.graph_runner import GraphRunner

STORY = "The bell rang twice before the fog came in. Mara put down her cup and listened.\n\n"
PIECES = [
    "“Go,” ",
    "he said…",
    "\r\n\r\n",
    "  ",
    "\U0001f469\u200d\U0001f680",
    "née",
    "—",
    "\u200b",
    "\t",
    "中",
    "a b",
    "\ud800",
    "\xad",
]
texts = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(PIECES), max_size=25).map("".join))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> StyleModel:
    return make_tiny_style_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def engine(model: StyleModel) -> OnnxEngine:
    return OnnxEngineLoader().load(model)


def compute_directly(model: StyleModel, text: str, head: str) -> list[float]:
    """Return the nats of each token of a normalised text by windows of whole reads, without any cache."""
    tokenizer = TextTokenizer(model.tokenizer, model.name, model.vocabulary)
    stride = model.positions // 2
    context = [model.end_token_id, *tokenizer.encode(head)][-stride:]
    tokens = [*context, *tokenizer.encode(text)]
    runner = GraphRunner(model.graph)
    nats = [0.0] * len(context)
    start = 0
    while len(nats) < len(tokens):
        window = tokens[start : start + model.positions]
        table = runner.log_probabilities(np.array(window))
        for index in range(len(nats), min(start + len(window) + 1, len(tokens))):
            nats.append(-float(table[index - 1 - start, tokens[index]]))
        start += stride
    return nats[len(context) :]


@pytest.mark.parametrize("head", ["", "A keeper hears a bell under the sea."])
@pytest.mark.parametrize("repeats", [1, 3, 12])
def test_it_says_what_a_direct_computation_says(model: StyleModel, engine: OnnxEngine, head: str, repeats: int) -> None:
    text = (STORY * repeats).strip()
    score = engine.score(text, head)
    expected = compute_directly(model, text, engine.render_prompt(head))
    assert [token.nats for token in score.tokens] == pytest.approx(expected, abs=1e-3)
    assert score.perplexity == pytest.approx(math.exp(sum(expected) / len(expected)), rel=1e-4)
    assert score.stride == model.positions // 2
    assert score.words == 16 * repeats


@given(texts)
@settings(max_examples=60, deadline=None)
def test_spans_cover_the_writers_text_in_order(engine: OnnxEngine, text: str) -> None:
    score = engine.score(text)
    covered: set[int] = set()
    last = (0, 0)
    for token in score.tokens:
        assert 0 <= token.start <= token.end <= len(text)
        assert (token.start, token.end) >= last or token.start >= last[0]
        last = (token.start, token.end)
        covered |= set(range(token.start, token.end))
    visible = {
        place for place, character in enumerate(text) if not character.isspace() and engine.normalise(character).strip()
    }
    assert visible <= covered


def test_a_curly_quote_is_scored_where_it_stands(engine: OnnxEngine) -> None:
    text = "“Go,” he said…\r\n\r\nThey went."
    score = engine.score(text)
    plain = engine.score('"Go," he said...\n\nThey went.')
    assert [token.nats for token in score.tokens] == pytest.approx([token.nats for token in plain.tokens])
    assert text[score.tokens[0].start : score.tokens[0].end].startswith("“")
    assert score.tokens[-1].end == len(text)


def test_the_prompt_is_context_and_not_scored(engine: OnnxEngine) -> None:
    alone, answered = engine.score(STORY), engine.score(STORY, "A bell")
    assert len(alone.tokens) == len(answered.tokens)
    assert [(each.start, each.end) for each in alone.tokens] == [(each.start, each.end) for each in answered.tokens]
    assert alone.tokens[0].nats != answered.tokens[0].nats


def test_white_space_alone_has_no_score(engine: OnnxEngine) -> None:
    assert engine.score(" \n\u00a0 ").tokens == ()
    assert engine.score("").perplexity == 0


def test_edits_rescore_only_what_follows(model: StyleModel, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OnnxEngineLoader().load(model)
    read: list[int] = []
    run = TokenCache._run

    def count(self: TokenCache, tokens: list[int], first_row: int, cancellation: Cancellation) -> object:
        read.append(len(tokens))
        return run(self, tokens, first_row, cancellation)

    monkeypatch.setattr(TokenCache, "_run", count)
    text = STORY * 12
    engine.score(text)
    whole = sum(read)
    read.clear()
    edited = engine.score(text + "And then")
    assert 0 < sum(read) <= model.positions
    assert sum(read) < whole / 4
    fresh = OnnxEngineLoader().load(model).score(text + "And then")
    assert [token.nats for token in edited.tokens] == pytest.approx([token.nats for token in fresh.tokens], abs=1e-3)
    read.clear()
    engine.score(text + "And then")
    assert not read


@pytest.mark.parametrize("place", [0, 100, 500])
def test_an_edit_anywhere_gives_the_score_of_the_whole(model: StyleModel, engine: OnnxEngine, place: int) -> None:
    text = STORY * 10
    engine.score(text)
    edited = text[:place] + "Suddenly " + text[place:]
    fresh = OnnxEngineLoader().load(model).score(edited)
    assert engine.score(edited).nats == pytest.approx(fresh.nats, rel=1e-4)


def test_a_long_score_can_be_cancelled_and_taken_up_again(model: StyleModel, tmp_path: Path) -> None:
    engine = OnnxEngineLoader().load(model)
    text = STORY * 40
    asked = iter(range(10_000))
    with pytest.raises(StorydeskError) as caught:
        engine.score(text, is_cancelled=lambda: next(asked) > 5)
    assert caught.value.failure.code == FailureCode.CANCELLED
    again = engine.score(text)
    fresh = OnnxEngineLoader().load(model).score(text)
    assert again.nats == pytest.approx(fresh.nats, rel=1e-4)

"""Scores are the model's own, of any text, in the writer's own characters, and edits cost only what they touch."""

from __future__ import annotations

import itertools
import math
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.style_model import StyleModel
from storydesk.inference.cancellation import Cancellation
from storydesk.inference.engine import OnnxEngine, OnnxEngineLoader
from storydesk.inference.scoring import lay_out_blocks, measure_surprise
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
    tokens = tokenizer.encode(text)
    runner = GraphRunner(model.graph)
    nats: list[float] = []
    begin = previous = 0
    for end in lay_out_blocks(tokens, stride, tokenizer.find_breaks()):
        whole = len(context) + end <= model.positions
        before = [*context, *tokens[:begin]] if whole or not begin else tokens[previous:begin]
        table = runner.log_probabilities(np.array([*before, *tokens[begin:end]])[: model.positions])
        nats += [-float(table[len(before) + index - 1, tokens[begin + index]]) for index in range(end - begin)]
        previous, begin = begin, end
    return nats


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


@pytest.fixture
def count_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that grows by the number of tokens of each read."""
    read: list[int] = []
    run = TokenCache._run

    def count(self: TokenCache, tokens: list[int], first_row: int, cancellation: Cancellation) -> object:
        read.append(len(tokens))
        return run(self, tokens, first_row, cancellation)

    monkeypatch.setattr(TokenCache, "_run", count)
    return read


def vary(count: int) -> str:
    """Return so many paragraphs, no two of them alike."""
    words = (
        "fog",
        "Mara",
        "the wall",
        "a gull",
        "listened",
        "came",
        "the lamp",
        "slate",
        "and",
        "cold",
        "twice",
        "her",
    )
    drawn = np.random.default_rng(5).choice(words, (count, 6))
    return "\n\n".join(f"{' '.join(row)}." for row in drawn)


def test_writing_on_rescores_only_the_end(model: StyleModel, count_read: list[int]) -> None:
    engine = OnnxEngineLoader().load(model)
    text = vary(60)
    engine.score(text)
    whole = sum(count_read)
    count_read.clear()
    edited = engine.score(text + "And then")
    assert 0 < sum(count_read) <= model.positions < whole / 4
    fresh = OnnxEngineLoader().load(model).score(text + "And then")
    assert [token.nats for token in edited.tokens] == pytest.approx([token.nats for token in fresh.tokens], abs=1e-3)
    count_read.clear()
    engine.score(text + "And then")
    assert not count_read


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_an_edit_in_the_middle_rescores_only_what_the_window_sees(
    model: StyleModel, count_read: list[int], place: float
) -> None:
    engine = OnnxEngineLoader().load(model)
    text = vary(150)
    engine.score(text)
    whole = sum(count_read)
    count_read.clear()
    middle = text.index("\n\n", int(len(text) * place)) + 2
    engine.score(text[:middle] + "Nobody saw it. " + text[middle:])
    assert 0 < sum(count_read) <= 5 * model.positions < whole / 4


@given(st.lists(st.integers(1, 40), min_size=0, max_size=400), st.integers(8, 64))
def test_blocks_are_neither_short_nor_long(ids: list[int], most: int) -> None:
    ends = lay_out_blocks(ids, most, frozenset({1, 2}))
    sizes = [end - begin for begin, end in itertools.pairwise([0, *ends])]
    assert sum(sizes) == len(ids)
    assert all(most // 2 <= size <= most for size in sizes[:-1])
    assert all(0 < size <= most for size in sizes[-1:])


def test_blocks_begin_where_they_began_soon_after_an_edit() -> None:
    ids = np.random.default_rng(3).integers(0, 500, 20_000).tolist()
    breaks = frozenset(range(10))
    before = lay_out_blocks(ids, 512, breaks)
    for place in range(500, 19_000, 1500):
        after = {end - 1 for end in lay_out_blocks([*ids[:place], 77, *ids[place:]], 512, breaks)}
        later = [end for end in before if end > place]
        moved = next(index for index, end in enumerate(later) if end in after)
        assert moved <= 6
        assert set(later[moved:]) <= after


def test_rank_entropy_and_alternatives_are_the_models_own(model: StyleModel, engine: OnnxEngine) -> None:
    score = engine.score(STORY, alternatives=5)
    tokenizer = TextTokenizer(model.tokenizer, model.name, model.vocabulary)
    tokens = tokenizer.encode(STORY.strip())
    table = GraphRunner(model.graph).log_probabilities(np.array([model.end_token_id, *tokens]))
    for index, (token, scored) in enumerate(zip(tokens, score.tokens, strict=True)):
        row = table[index]
        assert scored.entropy == pytest.approx(-float((np.exp(row) * row).sum()), abs=1e-3)
        assert abs(scored.rank - (1 + int((row > row[token]).sum()))) <= 1
        assert [each.probability for each in scored.alternatives] == pytest.approx(
            np.sort(np.exp(row))[::-1][:5].tolist(), abs=1e-4
        )
    assert all(not token.alternatives for token in engine.score(STORY).tokens)


def test_surprise_of_a_certain_and_of_an_open_place() -> None:
    logits = np.array([[50.0, 0, 0, 0], [1, 1, 1, 1]], np.float32)
    certain, open_place = measure_surprise(logits, [0, 2], 1)
    assert certain.nats == pytest.approx(0)
    assert certain.rank == 1
    assert certain.entropy == pytest.approx(0, abs=1e-6)
    assert open_place.nats == pytest.approx(math.log(4))
    assert open_place.entropy == pytest.approx(math.log(4))
    token, chance = certain.likeliest[0]
    assert token == 0
    assert chance == pytest.approx(1)


def test_a_wish_to_end_breaks_off_a_piece_under_way(tmp_path: Path) -> None:
    engine = OnnxEngineLoader().load(make_tiny_style_model(tmp_path, layers=6, width=256, heads=4, positions=2048))
    main, others = threading.current_thread(), []

    def is_cancelled() -> bool:
        others.append(threading.current_thread() is not main)
        return others[-1]

    with pytest.raises(StorydeskError) as caught:
        engine.score(vary(400), is_cancelled=is_cancelled)
    assert caught.value.failure.code == FailureCode.CANCELLED
    assert any(others)
    assert not [thread for thread in threading.enumerate() if thread.name == "scoring-watch"]


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

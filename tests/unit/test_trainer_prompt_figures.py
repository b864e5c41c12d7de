"""Prompt ranking in a run: bounded in time, the same stories each time, and an interval that can be looked up."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.base import Base, open_base
from trainer.config import Hyperparameters
from trainer.corpus.document import Document
from trainer.corpus.tokens import load_tokenizer
from trainer.evaluation import prompt_figures
from trainer.evaluation.prompt_figures import find_interval, rank_heldout
from trainer.evaluation.ranking import RankedPrompt
from trainer.protocol.messages import PromptsRanked
from trainer.tuning.network import TunedNetwork, load_network


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Return a tiny GPT-2."""
    return open_base(make_tiny_gpt2(tmp_path_factory.mktemp("base") / "tiny"))


@pytest.fixture(scope="module")
def network(base: Base) -> TunedNetwork:
    """Return its network."""
    return load_network(base.weights, Hyperparameters())


def _documents(count: int) -> list[Document]:
    return [Document(f"The bell {n} rang. " * 3, f"Prompt number {n}.") for n in range(count)]


def _rank(network: TunedNetwork, base: Base, documents: list[Document], **changes: Any) -> PromptsRanked | None:
    options = {"moment": "before", "most": 60, "seconds": 60.0, "seed": 1, **changes}
    tokenizer = load_tokenizer(base.weights)
    return rank_heldout(network, tokenizer, base, documents, device=torch.device("cpu"), **options)


def test_every_story_is_asked_about_among_ten_prompts(network: TunedNetwork, base: Base) -> None:
    ranked = _rank(network, base, _documents(12))
    assert ranked is not None
    assert (ranked.moment, ranked.stories, ranked.choices) == ("before", 12, 10)
    assert 0 <= ranked.low <= ranked.accuracy <= ranked.high <= 1
    assert _rank(network, base, _documents(12)) == ranked
    few = _rank(network, base, _documents(3), moment="after")
    assert few is not None
    assert (few.stories, few.choices) == (3, 3)


def test_where_there_is_nothing_to_tell_apart_nothing_is_said(network: TunedNetwork, base: Base) -> None:
    assert _rank(network, base, _documents(1)) is None
    assert _rank(network, base, _documents(9), most=0) is None
    assert _rank(network, base, [Document("A story.")] * 3) is None


class Slow:
    """Stands in for a model that takes ten seconds for a story."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Take the place of the clock and of the reading."""
        self.time = 0.0
        self.asked: list[str] = []
        monkeypatch.setattr("trainer.evaluation.prompt_figures.time.monotonic", lambda: self.time)
        monkeypatch.setattr(prompt_figures, "rank_prompts", self._rank_prompts)

    def _rank_prompts(self, _network: Any, _tokenizer: Any, _template: Any, documents: Any, **_: Any) -> Any:
        self.time += 10.0 * len(documents)
        self.asked += [document.prompt for document in documents]
        return [RankedPrompt(1, 10, 0.1) for _ in documents]


def test_fewer_stories_are_read_where_time_is_short_and_the_same_ones_after(
    network: TunedNetwork, base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(monkeypatch)
    before = _rank(network, base, _documents(40), seconds=125.0)
    assert before is not None
    assert before.stories == 12
    asked, slow.asked = slow.asked, []
    after = _rank(network, base, _documents(40), moment="after", most=before.stories, seconds=None)
    assert after is not None
    assert (after.stories, slow.asked) == (12, asked)


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    [(0.3, 10, 0.1078, 0.6032), (0.0, 20, 0.0, 0.1611), (1.0, 20, 0.8389, 1.0), (0.5, 100, 0.4038, 0.5962)],
)
def test_intervals_are_wilsons(share: float, count: int, low: float, high: float) -> None:
    assert find_interval(share, count) == pytest.approx((low, high), abs=1e-4)

"""Inside the network: rows don't see each other, the loss is GPT-2's own, resuming is exact enough to be unseen."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from transformers import GPT2LMHeadModel

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.config import Hyperparameters
from trainer.corpus.rows import Row
from trainer.evaluation.figures import TextSize
from trainer.evaluation.heldout import measure_heldout
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.tuning.batches import collate_rows
from trainer.tuning.network import TunedNetwork, load_network

ROWS = [Row(tuple(range(5, 5 + length)), counted_from) for length, counted_from in ((40, 1), (17, 6), (29, 3))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny GPT-2."""
    return make_tiny_gpt2(tmp_path_factory.mktemp("base") / "tiny")


@pytest.fixture
def network(folder: Path) -> TunedNetwork:
    """Return it as it is tuned, without dropout so that numbers can be compared."""
    return load_network(folder, Hyperparameters(dropout=0.0))


def test_a_story_is_predicted_the_same_alone_and_beside_others(network: TunedNetwork) -> None:
    batch = collate_rows(ROWS)["input_ids"]
    with torch.inference_mode():
        together = network.transformer(batch, use_cache=False).last_hidden_state
        for index, row in enumerate(ROWS):
            alone = network.transformer(torch.tensor([row.ids]), use_cache=False).last_hidden_state[0]
            assert torch.allclose(together[index, : len(row.ids)], alone, atol=1e-5)


def test_other_rows_get_no_gradient_from_a_storys_loss(network: TunedNetwork) -> None:
    inputs = collate_rows(ROWS)
    embedded = network.transformer.wte(inputs["input_ids"]).detach().requires_grad_()
    hidden = network.transformer(inputs_embeds=embedded, use_cache=False).last_hidden_state
    hidden[0].sum().backward()
    assert embedded.grad is not None
    assert embedded.grad[0].abs().sum() > 0
    assert embedded.grad[1:].abs().max() == 0


def test_the_loss_is_that_of_transformers(network: TunedNetwork, folder: Path) -> None:
    inputs = collate_rows(ROWS)
    plain = GPT2LMHeadModel.from_pretrained(folder).eval()
    mask = (torch.arange(40)[None] < torch.tensor([[len(row.ids)] for row in ROWS])).long()
    with torch.inference_mode():
        expected = plain(input_ids=inputs["input_ids"], attention_mask=mask, labels=inputs["labels"]).loss
        network.train(False)
        assert float(network(**inputs).loss) == pytest.approx(float(expected), abs=1e-4)
        total = float(network(**inputs, num_items_in_batch=1).loss)
    assert total == pytest.approx(float(expected) * sum(row.counted for row in ROWS), rel=1e-4)


def test_held_out_figures_hang_together(network: TunedNetwork) -> None:
    tokens = sum(row.counted for row in ROWS)
    figures = measure_heldout(
        network, ROWS, TextSize(tokens=tokens, words=tokens // 2, bytes=tokens * 4), device=torch.device("cpu")
    )
    assert figures.perplexity == pytest.approx(math.exp(figures.nats_per_token))
    assert figures.nats_per_word == pytest.approx(figures.nats_per_token * tokens / (tokens // 2))
    assert figures.bits_per_byte == pytest.approx(figures.nats_per_token / 4 / math.log(2))


def test_a_base_of_another_kind_is_refused_by_name(tmp_path: Path) -> None:
    folder = make_tiny_gpt2(tmp_path / "tiny")
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(TrainerError) as caught:
        load_network(folder, Hyperparameters())
    assert caught.value.code is TrainerFailure.BASE_NOT_USABLE

"""How a pretraining goes along, what its loss is, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from trainer.pretraining.network import compute_loss, make_network, make_optimisers
from trainer.pretraining.schedule import choose_row_length, measure_progress, rate_factor
from trainer.pretraining.settings import PretrainingSettings
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import Parameter
from trainer.tuning.devices import Device

TINY = PretrainingSettings(layers=2, width=16, heads=2, positions=32, vocabulary=300)


def test_the_rate_rises_stays_and_falls_to_its_share() -> None:
    def at(step: int, progress: float) -> float:
        return rate_factor(TINY, step=step, progress=progress)

    assert at(0, 0) == pytest.approx(0.01)
    assert at(99, 0.1) == at(5000, 0.4) == 1
    assert at(5000, 0.7) == pytest.approx((1 + 0.02) / 2)
    assert at(5000, 1) == pytest.approx(0.02)


def test_time_and_tokens_both_end_a_run_and_the_text_once_where_neither_is_told() -> None:
    def progress(minutes: float, tokens: int) -> float:
        settings = PretrainingSettings(minutes=minutes, tokens=tokens)
        return measure_progress(settings, tokens=300, seconds=30, one_pass=1200)

    assert progress(0, 0) == pytest.approx(0.25)
    assert progress(1, 0) == pytest.approx(0.5)
    assert progress(1, 400) == pytest.approx(0.75)
    assert progress(0.1, 0) == 1


def test_rows_are_short_first() -> None:
    assert [choose_row_length(TINY, progress) for progress in (0, 0.44, 0.45, 1)] == [16, 16, 32, 32]


@pytest.mark.parametrize(
    "values",
    [{"width": 100, "heads": 6}, {"positions": 33}, {"vocabulary": 100}, {"precision": "fp8"}, {"layers": 0}],
)
def test_what_cannot_be_is_refused(values: dict[str, Parameter]) -> None:
    with pytest.raises(TrainerError) as refused:
        PretrainingSettings(**values)  # type: ignore[arg-type]  # that is what is looked at
    assert refused.value.code is TrainerFailure.BAD_REQUEST


@pytest.mark.parametrize(("rows", "length"), [(1, 2), (3, 32)])
def test_the_loss_in_pieces_is_the_cross_entropy_with_its_gradients(rows: int, length: int) -> None:
    network = make_network(TINY, 300)
    drawn = np.random.default_rng(rows * 100 + length).integers(0, 300, (rows, length + 1))
    ids = torch.from_numpy(drawn)
    logits = network(ids[:, :-1]).logits
    expected = functional.cross_entropy(logits.reshape(-1, 300), ids[:, 1:].reshape(-1), reduction="sum")
    loss = compute_loss(network, drawn, Device(torch.device("cpu"), "cpu"))
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)
    weights = list(network.parameters())
    for found, wanted in zip(torch.autograd.grad(loss, weights), torch.autograd.grad(expected, weights), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


def test_every_weight_has_one_optimiser_and_only_matrices_of_blocks_have_muon() -> None:
    network = make_network(TINY, 300)
    optimisers = make_optimisers(network, TINY)
    held = {
        name: [id(weight) for group in each.param_groups for weight in group["params"]]
        for name, each in optimisers.items()
    }
    names = {id(weight): name for name, weight in network.named_parameters()}
    assert sorted(held["muon"] + held["adamw"]) == sorted(names)
    assert {names[weight].split(".")[3] for weight in held["muon"]} == {"attn", "mlp"}
    assert len(held["muon"]) == 4 * TINY.layers

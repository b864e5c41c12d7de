"""How well a network tells the text that a writer chose from the other one."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from trainer.preference.records import EncodedPair
from trainer.protocol.messages import ChoicesMeasured
from trainer.tuning.devices import Device, share_processor
from trainer.tuning.network import TunedNetwork

LogLikelihoods = tuple[float, float]
"""Nats (negative: less likely) of the better and of the other text of a pair, behind what stands before them."""


@dataclass(frozen=True, slots=True)
class ChoiceFigures:
    """How held-out choices are predicted.

    ``accuracy`` is the share in which the better text is the likelier one per token. ``loss`` is the mean of
    -log P(choice) where P is the logistic function of ``strength`` times how much further the better text has come from
    the base than the other (Rafailov et al. 2023); a network that learned nothing has ln 2.
    """

    pairs: int
    accuracy: float
    loss: float

    def as_event(self, moment: str, step: int) -> ChoicesMeasured:
        """Return the event that reports these figures."""
        return ChoicesMeasured(moment=moment, step=step, pairs=self.pairs, accuracy=self.accuracy, loss=self.loss)


def measure_likelihoods(
    network: TunedNetwork, pairs: Sequence[EncodedPair], device: Device, check: Callable[[], None] = lambda: None
) -> list[LogLikelihoods]:
    """Return how likely both texts of each pair are; without dropout, in float32. The network's mode is put back."""
    was_training = network.training
    network.train(False)
    try:
        # Two hundred tokens of a small network on two threads of a busy processor take five times as long as on one.
        weights = sum(parameter.numel() for parameter in network.parameters())
        with share_processor(weights, device.torch), torch.inference_mode():
            found = []
            for pair in pairs:
                check()
                chosen = _sum_log_likelihood(network, pair.context, pair.chosen, device)
                found.append((chosen, _sum_log_likelihood(network, pair.context, pair.rejected, device)))
            return found
    finally:
        network.train(was_training)


def compute_choices(
    pairs: Sequence[EncodedPair], found: Sequence[LogLikelihoods], base: Sequence[LogLikelihoods], strength: float
) -> ChoiceFigures:
    """Return the figures of what ``measure_likelihoods`` found, beside what it found with the base's weights."""
    likelier = sum(
        chosen / len(pair.chosen) > rejected / len(pair.rejected)
        for pair, (chosen, rejected) in zip(pairs, found, strict=True)
    )
    losses = [
        _softplus(-strength * ((chosen - base_chosen) - (rejected - base_rejected)))
        for (chosen, rejected), (base_chosen, base_rejected) in zip(found, base, strict=True)
    ]
    return ChoiceFigures(len(pairs), likelier / max(1, len(pairs)), sum(losses) / max(1, len(losses)))


def _sum_log_likelihood(
    network: TunedNetwork, context: tuple[int, ...], text: tuple[int, ...], device: Device
) -> float:
    ids = torch.tensor([(*context, *text)], dtype=torch.long, device=device.torch)
    labels = ids.clone()
    labels[:, : len(context)] = -100
    # The class's own forward: accelerate hangs one with autocast on the object while it learns.
    return -float(TunedNetwork.forward(network, ids, labels, num_items_in_batch=1).loss)


def _softplus(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))

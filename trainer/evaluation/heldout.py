"""The held-out measure through torch: the log-likelihood of story tokens, given their prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from trainer.corpus.rows import Row
from trainer.evaluation.figures import HeldoutFigures, TextSize, compute_figures
from trainer.resources import is_memory_full
from trainer.tuning.batches import collate_rows
from trainer.tuning.network import TunedNetwork

_BATCH_TOKENS = 2048


def measure_heldout(
    network: TunedNetwork,
    rows: Sequence[Row],
    size: TextSize,
    *,
    device: torch.device,
    check: Callable[[], None] = lambda: None,
) -> HeldoutFigures:
    """Return the figures over all rows; without dropout, in float32 whatever tuning computes in.

    ``check`` is called between batches and may raise to break off. The network's mode is put back as it was.
    """
    was_training = network.training
    network.train(False)
    nats = 0.0
    waiting = group_rows(rows)[::-1]
    try:
        with torch.inference_mode():
            while waiting:
                check()
                batch = waiting.pop()
                try:
                    nats += _measure_batch(network, batch, device)
                except (RuntimeError, MemoryError) as error:
                    if len(batch) == 1 or not is_memory_full(error):
                        raise
                    middle = len(batch) // 2
                    waiting += [batch[middle:], batch[:middle]]
    finally:
        network.train(was_training)
    return compute_figures(nats, size)


def _measure_batch(network: TunedNetwork, batch: Sequence[Row], device: torch.device) -> float:
    """Return the nats of all tokens that are counted in a batch."""
    inputs = {name: tensor.to(device) for name, tensor in collate_rows(batch).items()}
    # The class's own forward: accelerate hangs one with autocast on the object while it tunes.
    # The loss is a sum here, since num_items_in_batch divides it by one.
    return float(TunedNetwork.forward(network, **inputs, num_items_in_batch=1).loss)


def group_rows(rows: Sequence[Row]) -> list[list[Row]]:
    """Return batches of rows of like length."""
    batches: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: -len(row.ids)):
        if batches and (len(batches[-1]) + 1) * len(batches[-1][0].ids) <= _BATCH_TOKENS:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches

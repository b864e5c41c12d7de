"""The held-out measure through torch: the log-likelihood of story tokens, given their prompts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch.nn import functional

from trainer.corpus.rows import IGNORED, Row
from trainer.evaluation.figures import HeldoutFigures, TextSize, compute_figures
from trainer.resources import is_memory_full
from trainer.tuning.batches import collate_rows
from trainer.tuning.devices import free_memory, rounding_products
from trainer.tuning.network import TunedNetwork

_BATCH_TOKENS = 2048
# So many positions go through the output layer at once: its logits are by far the largest thing here.
_POSITIONS = 512


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
        with torch.inference_mode(), rounding_products(False):
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
                    error.__traceback__ = None  # its frames hold the batch that was too large
                    free_memory(device)
    finally:
        network.train(was_training)
    return compute_figures(nats, size)


def _measure_batch(network: TunedNetwork, batch: Sequence[Row], device: torch.device) -> float:
    """Return the nats of all tokens that are counted in a batch."""
    inputs = {name: tensor.to(device) for name, tensor in collate_rows(batch).items()}
    # The layers themselves: accelerate hangs a forward with autocast on the network while it tunes. Rows are padded at
    # the end and attention is causal, so no mask is needed.
    hidden = network.transformer(inputs["input_ids"], use_cache=False).last_hidden_state[:, :-1]
    wanted = inputs["labels"][:, 1:]
    counted = wanted != IGNORED
    nats = 0.0
    positions, tokens = hidden[counted], wanted[counted]
    for start in range(0, len(tokens), _POSITIONS):
        logits = network.lm_head(positions[start : start + _POSITIONS]).float()
        nats += float(functional.cross_entropy(logits, tokens[start : start + _POSITIONS], reduction="sum"))
    return nats


def group_rows(rows: Sequence[Row]) -> list[list[Row]]:
    """Return batches of rows of like length."""
    batches: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: -len(row.ids)):
        if batches and (len(batches[-1]) + 1) * len(batches[-1][0].ids) <= _BATCH_TOKENS:
            batches[-1].append(row)
        else:
            batches.append([row])
    return batches

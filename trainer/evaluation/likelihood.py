"""What a model makes of each row of tokens by itself: how likely, and how often its first guesses were right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from trainer.corpus.rows import Row
from trainer.evaluation.heldout import group_rows
from trainer.resources import is_memory_full
from trainer.tuning.batches import collate_rows
from trainer.tuning.network import TunedNetwork

AMONG = 5
"""A guess also counts as near where the true token is among so many of the likeliest."""

_POSITIONS = 512
"""So many positions go through the output layer at once: its logits are by far the largest thing here."""


@dataclass(frozen=True, slots=True)
class RowFigures:
    """Of the tokens of a row that are counted: their nats together, and how many were guessed first or among five."""

    tokens: int
    nats: float
    first: int
    among: int


def measure_rows(
    network: TunedNetwork,
    rows: Sequence[Row],
    *,
    device: torch.device,
    check: Callable[[], None] = lambda: None,
) -> list[RowFigures]:
    """Return the figures of every row, in order; without dropout, in float32 whatever tuning computes in.

    ``check`` is called between batches and may raise to break off. The network's mode is put back as it was. Batches
    are halved where memory runs short.
    """
    was_training = network.training
    network.train(False)
    # Rows that are the same are read once.
    found: dict[Row, RowFigures] = {}
    waiting = group_rows(list(dict.fromkeys(rows)))[::-1]
    try:
        with torch.inference_mode():
            while waiting:
                check()
                batch = waiting.pop()
                try:
                    figures = _measure_batch(network, batch, device)
                except (RuntimeError, MemoryError) as error:
                    if len(batch) == 1 or not is_memory_full(error):
                        raise
                    middle = len(batch) // 2
                    waiting += [batch[middle:], batch[:middle]]
                    continue
                found.update(zip(batch, figures, strict=True))
    finally:
        network.train(was_training)
    return [found[row] for row in rows]


def _measure_batch(network: TunedNetwork, batch: Sequence[Row], device: torch.device) -> list[RowFigures]:
    ids = collate_rows(batch)["input_ids"].to(device)
    # Rows are padded at the end and attention is causal, so no mask is needed.
    hidden = network.transformer(ids, use_cache=False).last_hidden_state
    chosen, wanted = [], []
    for number, row in enumerate(batch):
        chosen.append(hidden[number, row.counted_from - 1 : len(row.ids) - 1])
        wanted.append(ids[number, row.counted_from : len(row.ids)])
    nats, ranks = _score(network, torch.cat(chosen), torch.cat(wanted))
    figures, start = [], 0
    for row in batch:
        end = start + row.counted
        of_row = ranks[start:end]
        figures.append(
            RowFigures(
                tokens=row.counted,
                nats=float(nats[start:end].sum()),
                first=int((of_row == 0).sum()),
                among=int((of_row < AMONG).sum()),
            )
        )
        start = end
    return figures


def _score(network: TunedNetwork, hidden: torch.Tensor, wanted: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return nats (float64) of each wanted token, and how many tokens are likelier; both on the processor."""
    nats, ranks = [], []
    for start in range(0, len(wanted), _POSITIONS):
        logits = network.lm_head(hidden[start : start + _POSITIONS]).float()
        own = logits.gather(1, wanted[start : start + _POSITIONS, None])
        nats.append((torch.logsumexp(logits, dim=1) - own[:, 0]).double().cpu())
        ranks.append((logits > own).sum(dim=1).cpu())
    if not nats:
        return torch.zeros(0, dtype=torch.float64), torch.zeros(0, dtype=torch.long)
    return torch.cat(nats), torch.cat(ranks)

"""Rows of ids as tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch.utils.data import Dataset

from trainer.corpus.rows import IGNORED, Row
from trainer.tuning.thrift import Thrift


def collate_rows(rows: Sequence[Row]) -> dict[str, torch.Tensor]:
    """Return ``input_ids`` and ``labels``, [rows, tokens] int64, padded at the end.

    Labels stand at the token they name (the network shifts them), and are IGNORED where no loss is taken.
    """
    longest = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), IGNORED, dtype=torch.long)
    for index, row in enumerate(rows):
        tokens = torch.tensor(row.ids, dtype=torch.long)
        ids[index, : len(tokens)] = tokens
        labels[index, row.counted_from : len(tokens)] = tokens[row.counted_from :]
    return {"input_ids": ids, "labels": labels}


class BatchDataset(Dataset[dict[str, torch.Tensor]]):
    """Whole batches in the order of their steps, so that a resumed run goes on where the journal ends.

    Where memory is saved, or several processes share the work, each batch comes in several pieces, one after the other.
    """

    def __init__(self, rows: Sequence[Row], batches: Sequence[Sequence[int]], thrift: Thrift, sharers: int = 1) -> None:
        """Keep the rows and which of them make each batch."""
        thrift = replace(thrift, parts=thrift.parts * sharers)
        self._rows = rows
        self._batches = batches
        self._thrift = thrift

    def __len__(self) -> int:
        """Return how many pieces of batches the run has over all epochs."""
        return len(self._batches) * self._thrift.parts

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return piece ``index`` as tensors."""
        batch, part = divmod(index, self._thrift.parts)
        rows = [self._rows[row] for row in self._batches[batch]]
        return collate_rows(self._thrift.cut(rows, part))

"""Rows of ids as tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.utils.data import Dataset

from trainer.corpus.rows import IGNORED, Row


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
    """Whole batches in the order of their steps, so that a resumed run goes on where the journal ends."""

    def __init__(self, rows: Sequence[Row], batches: Sequence[Sequence[int]]) -> None:
        """Keep the rows and which of them make each batch."""
        self._rows = rows
        self._batches = batches

    def __len__(self) -> int:
        """Return how many batches the run has over all epochs."""
        return len(self._batches)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        """Return batch ``index`` as tensors."""
        return collate_rows([self._rows[row] for row in self._batches[index]])

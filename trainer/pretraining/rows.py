"""Rows of a token file in the order they are learned in, which hangs on the seed alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray


class PackedRows:
    """Rows of ``positions`` tokens of a file that stays on disk. Any thread may read."""

    def __init__(self, path: Path, token_type: np.dtype[np.unsignedinteger], positions: int) -> None:
        """Open the file; each row begins with the token that the one before it ends by predicting."""
        self._ids = np.memmap(path, token_type, "r")
        self.positions = positions

    def __len__(self) -> int:
        """Return how many whole rows there are."""
        return max(0, (len(self._ids) - 1) // self.positions)

    def read(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows, [rows, positions + 1]: what is seen and, one further, what is predicted."""
        starts = rows[:, None] * self.positions
        ids: NDArray[np.int64] = self._ids[starts + np.arange(self.positions + 1)].astype(np.int64)
        return ids


class Batches:
    """Which rows each step learns from: every row once a pass, in an order of its own for each pass."""

    def __init__(self, rows: int, batch_rows: int, seed: int) -> None:
        """Share ``rows`` out, ``batch_rows`` to a step; a pass leaves out what fills no batch."""
        self._rows = rows
        self._batch_rows = max(1, min(batch_rows, rows))
        self._seed = seed
        self._pass = -1
        self._order: NDArray[np.int64] = np.empty(0, np.int64)

    def rows_of(self, step: int) -> NDArray[np.int64]:
        """Return the rows of a step; the same for the same step, whatever was asked before."""
        number, place = divmod(step, self._rows // self._batch_rows)
        if number != self._pass:
            self._order = np.random.default_rng([self._seed, number]).permutation(self._rows).astype(np.int64)
            self._pass = number
        return self._order[place * self._batch_rows : (place + 1) * self._batch_rows]


def cut_rows(rows: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Return rows of ``positions + 1`` tokens as more rows of ``length + 1``; each token is still predicted once."""
    pieces = (rows.shape[1] - 1) // length
    starts = np.arange(pieces) * length
    return rows[:, starts[:, None] + np.arange(length + 1)].reshape(-1, length + 1)

"""Ways to need less memory, one after the other: smaller batches, layers computed twice, adapters, shorter rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from trainer.base import Base
from trainer.config import Hyperparameters
from trainer.corpus.rows import Row
from trainer.resources import estimate_memory

SHORTEST_ROW = 128
"""Tokens below which rows are not cut: a model that sees less than a paragraph learns no stories."""

_NOTHING = Row(ids=(0, 0), counted_from=2)


@dataclass(frozen=True, slots=True)
class Thrift:
    """How a run saves memory.

    A batch goes through the network in ``parts`` pieces whose gradients are added up. With ``recompute`` the values
    inside each layer are computed again on the way back instead of being kept (gradient checkpointing), which costs
    about a third of the speed. Neither changes what a step learns. With ``adapters`` the weights stay as they are and
    low-rank adapters learn (LoRA). ``row_limit`` is the most tokens of a row, 0 for no limit.
    """

    parts: int = 1
    recompute: bool = False
    adapters: bool = False
    row_limit: int = 0

    def save_more(self, batches: Sequence[Sequence[int]], lengths: Sequence[int]) -> tuple[Thrift, str] | None:
        """Return the next way to need less, with the code of the notice about it; None where there is none left."""
        if self.parts < max(map(len, batches), default=1):
            return replace(self, parts=self.parts * 2), "memory_smaller_batches"
        if not self.recompute:
            return replace(self, recompute=True), "memory_recompute"
        if not self.adapters:
            return replace(self, adapters=True), "memory_adapters"
        longest = min(self.row_limit or max(lengths, default=0), max(lengths, default=0))
        if longest >= 2 * SHORTEST_ROW:
            return replace(self, row_limit=longest // 2), "memory_shorter_rows"
        return None

    def cut(self, rows: Sequence[Row], part: int) -> list[Row]:
        """Return one of the pieces of a batch; a row that nothing is learned from where there are too few for it."""
        pieces = [piece for row in rows for piece in _cut_row(row, self.row_limit)]
        chosen = sorted(pieces, key=lambda row: -len(row.ids))[part :: self.parts]
        return chosen or [_NOTHING]

    def as_state(self) -> dict[str, int | bool]:
        """Return what a later start of the run has to know."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: object) -> Thrift:
        """Return what an earlier start of the run wrote down; no thrift where that can't be read."""
        if not isinstance(state, Mapping):
            return cls()
        try:
            parts, limit = int(state.get("parts", 1)), int(state.get("row_limit", 0))
        except (TypeError, ValueError):
            return cls()
        return cls(max(parts, 1), state.get("recompute") is True, state.get("adapters") is True, max(limit, 0))


def choose_thrift(base: Base, settings: Hyperparameters, free: int | None) -> Thrift:
    """Return how a run begins: as it is told, else with adapters where ``free`` bytes are too few for every weight."""
    adapters = settings.method == "adapters"
    if settings.method == "auto" and free is not None:
        # What lies loaded already is counted once more; the rest is for the values inside the layers.
        adapters = estimate_memory(base, settings, adapters=False) > free
    return Thrift(recompute=settings.recompute == "always", adapters=adapters)


def _cut_row(row: Row, limit: int) -> Iterator[Row]:
    """Yield a row in pieces of at most ``limit`` tokens; each later one begins with the last token of the one before.

    Every token that was learned from still is, once. Pieces without such a token are left out.
    """
    if not limit or len(row.ids) <= limit:
        yield row
        return
    start = 0
    while start < len(row.ids) - 1:
        ids = row.ids[start : start + limit]
        counted_from = max(row.counted_from - start, 1)
        if counted_from < len(ids):
            yield Row(ids, counted_from)
        start += limit - 1

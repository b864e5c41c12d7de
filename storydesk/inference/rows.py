"""Several texts at once: one cache with a row for each, filled from one prefill, stepped as one batch.

Reading the weights is what a step costs, so four texts take little longer than one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from storydesk.domain.style_model import StyleModel
from storydesk.inference.cancellation import Cancellation
from storydesk.inference.devices import OpenedGraph
from storydesk.inference.session import Logits, Memory, TokenCache, bind_memory, check_numbers, run_bound


class RowCache:
    """What attention keeps of several texts of any lengths. Lives where its session lives."""

    def __init__(
        self, opened: OpenedGraph, model: StyleModel, shape: tuple[int, int, int, int], source: TokenCache
    ) -> None:
        """Begin every row with what ``source`` holds; GraphSession.open_rows calls this."""
        self._session = opened.session
        self._device = opened.provider.memory
        self._model = model
        self._shape = shape
        parts = source.copy_out()
        # Zeros and not just any memory: what stands behind a text is multiplied by 0, which not all numbers bear. In
        # one piece, because numpy asks for large pages where an array has room for some.
        values = np.zeros((len(parts), *shape), parts[0].dtype)
        for each, part in zip(values, parts, strict=True):
            each[:, :, : part.shape[2]] = part
        self._memory = [Memory(each, self._device) for each in values]
        self.tokens = [list(source.tokens) for _ in range(shape[0])]
        self._bind()

    def step(self, tokens: Sequence[int], cancellation: Cancellation) -> Logits:
        """Read one more token for each row and return the logits after them, [rows, vocabulary]; a view."""
        cancellation.check()
        lengths = [len(row) for row in self.tokens]
        if max(lengths) >= self._shape[2]:
            raise ValueError(f"{max(lengths) + 1} tokens do not fit into {self._shape[2]} places")
        binding = self._binding
        places = np.array(lengths, np.int64)
        binding.bind_cpu_input("token_ids", np.array(tokens, np.int64)[:, None])
        binding.bind_cpu_input("positions", places[:, None])
        binding.bind_cpu_input("last_index", places.astype(np.int32))
        binding.bind_cpu_input("total_length", np.array(max(lengths) + 1, np.int32))
        run_bound(self._session, binding, self._model.name, cancellation)
        check_numbers(self._logits, self._model.name)
        for row, token in zip(self.tokens, tokens, strict=True):
            row.append(token)
        logits: Logits = self._logits[:, 0]
        return logits

    def truncate(self, row: int, length: int) -> None:
        """Forget a row's tokens after the first ``length``."""
        del self.tokens[row][length:]

    def replace(self, row: int, source: TokenCache) -> None:
        """Let a row hold what ``source`` holds."""
        for memory, part in zip(self._memory, source.copy_out(), strict=True):
            values = memory.read()
            values[row, :, : part.shape[2]] = part[0]
            memory.write(values)
        self.tokens[row] = list(source.tokens)

    def drop(self, row: int) -> int:
        """Take a row out; the last one moves to its place. Return how many are left."""
        last = len(self.tokens) - 1
        length = len(self.tokens[last])
        kept = []
        for memory in self._memory:
            values = memory.read()
            if row != last:
                values[row, :, :length] = values[last, :, :length]
            kept.append(Memory(values[:last], self._device))
        self._memory = kept
        self.tokens[row] = self.tokens[last]
        self.tokens.pop()
        if last:
            self._bind()
        return last

    def _bind(self) -> None:
        """Bind the rows that are left and memory of ours for their logits."""
        self._binding: Any = self._session.io_binding()
        bind_memory(self._binding, [each.value for each in self._memory])
        self._logits = np.empty((len(self.tokens), 1, self._model.vocabulary), np.float32)
        self._wanted = np.zeros(1, np.int64)
        self._binding.bind_cpu_input("wanted", self._wanted)
        self._binding.bind_ortvalue_output("logits", Memory(self._logits, "cpu").value)


class SingleRow:
    """One text with a TokenCache of its own, to be used like a RowCache. Lives where its session lives."""

    def __init__(self, cache: TokenCache) -> None:
        """Go on with what the cache holds."""
        self._cache = cache

    @property
    def tokens(self) -> list[list[int]]:
        """The one row's tokens."""
        return [self._cache.tokens]

    def step(self, tokens: Sequence[int], cancellation: Cancellation) -> Logits:
        """Read one more token and return the logits after it, [1, vocabulary]; a view."""
        return self._cache.extend(tokens, cancellation)[None]

    def truncate(self, _row: int, length: int) -> None:
        """Forget the tokens after the first ``length``."""
        self._cache.truncate(length)

    def replace(self, _row: int, source: TokenCache) -> None:
        """Do nothing: the source is this row's own cache, which holds it already."""

    def drop(self, _row: int) -> int:
        """Return 0: no row is left."""
        return 0

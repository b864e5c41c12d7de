"""Runs a fast graph for the trainer's own checks: parity with torch, perplexity, and what its layers pass on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_LAYOUT = "storydesk-gpt2-1"
_TOKENS_AT_ONCE = 128

Float32 = NDArray[np.float32]


class GraphRunner:
    """One fast graph on the CPU, without a cache between calls. Lives on one thread."""

    def __init__(self, path: Path, tokens_at_once: int = _TOKENS_AT_ONCE) -> None:
        """Load the graph; raise ValueError where it is no fast graph of ours, else what onnxruntime raises.

        ``tokens_at_once`` decides which kernel of a graph with several is run.
        """
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Sleeps between two pieces of work: the trainer's own threads want the processor.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Without this, processors that lack VNNI add up whole numbers past their limit.
        options.add_session_config_entry("session.x64quantprecision", "1")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self._tokens_at_once = tokens_at_once
        measures = self._session.get_modelmeta().custom_metadata_map
        if measures.get("layout") != _LAYOUT:
            raise ValueError(f"{path.name} is no fast graph of ours")
        self.positions = int(measures["positions"])
        self.vocabulary = int(measures["vocabulary"])
        self._layers = int(measures["layers"])
        self._cache_shape = (1, int(measures["heads"]), self.positions, int(measures["head_size"]))
        halves = any(value.type == "tensor(float16)" for value in self._session.get_inputs())
        self._cache_type = np.float16 if halves else np.float32

    def log_probabilities(self, ids: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return [tokens, vocabulary] log-probabilities of what follows each token; raise ValueError over the limit."""
        result = np.empty((np.size(ids), self.vocabulary), np.float32)

        def take(start: int, logits: Float32) -> None:
            result[start : start + logits.shape[1]] = _log_softmax(logits[0])

        self._run(ids, ("logits",), take)
        return result

    def observe(self, ids: NDArray[np.integer], names: Sequence[str], take: Callable[[str, Float32], None]) -> None:
        """Hand over each of the outputs ``names``, [1, tokens, width], piece by piece."""

        def take_all(_start: int, *values: Float32) -> None:
            for name, value in zip(names, values, strict=True):
                take(name, value)

        self._run(ids, names, take_all)

    def _run(self, ids: NDArray[np.integer], names: Sequence[str], take: Callable[..., object]) -> None:
        ids = np.asarray(ids, np.int64).reshape(1, -1)
        if not 0 < ids.shape[1] <= self.positions:
            raise ValueError(f"between 1 and {self.positions} tokens, not {ids.shape[1]}")
        binding = self._session.io_binding()
        cache = self._bind_cache(binding)
        for start in range(0, ids.shape[1], self._tokens_at_once):
            part = ids[:, start : start + self._tokens_at_once]
            end = start + part.shape[1]
            binding.bind_cpu_input("token_ids", np.ascontiguousarray(part))
            binding.bind_cpu_input("positions", np.arange(start, end, dtype=np.int64)[None])
            binding.bind_cpu_input("last_index", np.array([end - 1], np.int32))
            binding.bind_cpu_input("total_length", np.array(end, np.int32))
            binding.bind_cpu_input("wanted", np.arange(part.shape[1], dtype=np.int64))
            for name in names:
                binding.bind_output(name)
            self._session.run_with_iobinding(binding)
            take(start, *(value.numpy() for value in binding.get_outputs()[cache:]))

    def _bind_cache(self, binding: onnxruntime.IOBinding) -> int:
        """Give past and present the same memory, as the app does; return how many outputs that binds."""
        for layer in range(self._layers):
            for kind in ("key", "value"):
                memory = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(self._cache_shape, self._cache_type))
                binding.bind_ortvalue_input(f"past_{kind}.{layer}", memory)
                binding.bind_ortvalue_output(f"present_{kind}.{layer}", memory)
        return 2 * self._layers


def _log_softmax(logits: Float32) -> Float32:
    shifted = logits - logits.max(-1, keepdims=True)
    result: Float32 = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result

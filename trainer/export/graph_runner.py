"""Runs a fast graph for the trainer's own checks: parity with torch, and perplexity."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

_LAYOUT = "storydesk-gpt2-1"
_TOKENS_AT_ONCE = 128


class GraphRunner:
    """One fast graph on the CPU, without a cache between calls. Lives on one thread."""

    def __init__(self, path: Path) -> None:
        """Load the graph; raise ValueError where it is no fast graph of ours, else what onnxruntime raises."""
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Sleeps between two pieces of work: the trainer's own threads want the processor.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        measures = self._session.get_modelmeta().custom_metadata_map
        if measures.get("layout") != _LAYOUT:
            raise ValueError(f"{path.name} is no fast graph of ours")
        self.positions = int(measures["positions"])
        self.vocabulary = int(measures["vocabulary"])
        self._layers = int(measures["layers"])
        self._cache_shape = (1, int(measures["heads"]), self.positions, int(measures["head_size"]))

    def log_probabilities(self, ids: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return [tokens, vocabulary] log-probabilities of what follows each token; raise ValueError over the limit."""
        ids = np.asarray(ids, np.int64).reshape(1, -1)
        if not 0 < ids.shape[1] <= self.positions:
            raise ValueError(f"between 1 and {self.positions} tokens, not {ids.shape[1]}")
        result = np.empty((ids.shape[1], self.vocabulary), np.float32)
        binding = self._session.io_binding()
        self._bind_cache(binding)
        for start in range(0, ids.shape[1], _TOKENS_AT_ONCE):
            part = ids[:, start : start + _TOKENS_AT_ONCE]
            end = start + part.shape[1]
            binding.bind_cpu_input("token_ids", np.ascontiguousarray(part))
            binding.bind_cpu_input("positions", np.arange(start, end, dtype=np.int64)[None])
            binding.bind_cpu_input("last_index", np.array([end - 1], np.int32))
            binding.bind_cpu_input("total_length", np.array(end, np.int32))
            binding.bind_cpu_input("wanted", np.arange(part.shape[1], dtype=np.int64))
            binding.bind_output("logits")
            self._session.run_with_iobinding(binding)
            result[start:end] = _log_softmax(binding.get_outputs()[-1].numpy()[0])
        return result

    def _bind_cache(self, binding: onnxruntime.IOBinding) -> None:
        """Give past and present the same memory, as the app does."""
        for layer in range(self._layers):
            for kind in ("key", "value"):
                memory = onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros(self._cache_shape, np.float32))
                binding.bind_ortvalue_input(f"past_{kind}.{layer}", memory)
                binding.bind_ortvalue_output(f"present_{kind}.{layer}", memory)


def _log_softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = logits - logits.max(-1, keepdims=True)
    result: NDArray[np.float32] = shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))
    return result

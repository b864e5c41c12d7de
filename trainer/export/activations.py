"""What a model's projections are given on a sample text: measured once, by the float32 graph itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from trainer.corpus.rows import Row
from trainer.export.forms import Activations, list_projected
from trainer.export.graph_runner import Float32, GraphRunner
from trainer.export.weights import read_shape

_MOST_TOKENS = 2048


def measure_activations(
    weights: Path, graph: Path, rows: Sequence[Row], *, check: Callable[[], None] = lambda: None
) -> Activations:
    """Return the largest magnitudes and mean squares on the first rows; ``check`` may raise between rows.

    ``graph`` is the float32 graph of ``weights``; for a moment a second file stands beside it that uses its weights.
    """
    names = list_projected(read_shape(weights))
    largest: dict[str, Float32] = {}
    totals: dict[str, Float32] = {}
    tokens = 0

    def take(name: str, values: Float32) -> None:
        magnitudes = np.abs(values[0])
        squares = np.square(magnitudes, dtype=np.float32).sum(0)
        largest[name] = np.maximum(largest[name], magnitudes.max(0)) if name in largest else magnitudes.max(0)
        totals[name] = totals[name] + squares if name in totals else squares

    beside = graph.with_name(f"observed-{graph.name}")
    try:
        model = onnx.load(str(graph), load_external_data=False)
        observed = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names]
        model.graph.output.extend(observed)
        beside.write_bytes(model.SerializeToString())
        del model
        runner = GraphRunner(beside)
        for row in rows:
            check()
            runner.observe(np.asarray(row.ids, np.int64), names, take)
            tokens += len(row.ids)
            if tokens >= _MOST_TOKENS:
                break
        del runner  # Windows deletes no file that is open
    finally:
        beside.unlink(missing_ok=True)
    return Activations(largest, {name: total / np.float32(tokens) for name, total in totals.items()})

"""Say where the time of a step or of a prefill goes: ``python -m tests.bench.profile_graph [--tokens 1]``.

Prints ONNX Runtime's own figures for each kind of node, and how fast the products of a step read their weights beside
how fast they read weights that lie in the processor's cache: where both are alike, it is arithmetic that takes the
time and not memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from storydesk.inference.large_pages import keep_in_large_pages
from storydesk.inference.session import CHUNK
from tests.bench.bandwidth import measure_bandwidth
from tests.bench.peers import THREADS
from tests.bench.prepare import count_step_bytes, prepare
from trainer.export.quantising import quantise_blocks

_RUNS = 24
_BEFORE = 200
_KERNEL = (3072, 768, 256)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="124M", choices=("124M", "starter", "tiny"))
    parser.add_argument("--precision", default="int8", choices=("int8", "int4", "fp32"))
    parser.add_argument("--tokens", type=int, default=1, help="how many are read: 1 is a step after 200 tokens")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "storydesk-bench")
    options = parser.parse_args(arguments)
    folder = prepare(options.folder, options.model, peers=False)
    kinds, whole = profile(folder / "fast" / f"{options.precision}.onnx", options.tokens)
    print(f"{options.model} {options.precision}, {options.tokens} tokens, {THREADS} threads: {whole:.2f} ms\n")
    for kind, (milliseconds, count) in sorted(kinds.items(), key=lambda each: -each[1][0]):
        print(f"{kind:<24}{milliseconds:>9.2f} ms{count:>6} nodes")
    if options.tokens == 1 and "MatMulNBits" in kinds:
        read = count_step_bytes(folder, options.precision) / kinds["MatMulNBits"][0] / 1e6
        print(f"\nThe products read {read:.0f} GB/s; two threads read memory at {measure_bandwidth(2) / 1e9:.0f} GB/s.")
        print(f"From the processor's cache the 8-bit product reads {measure_kernel(THREADS):.0f} GB/s.")
    return 0


def profile(graph: Path, tokens: int) -> tuple[dict[str, tuple[float, int]], float]:
    """Return milliseconds and nodes of each kind of node for one reading of ``tokens``, and all milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        options = _choose_options()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        with keep_in_large_pages():
            session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        runs = _RUNS if tokens == 1 else 3
        whole = statistics.median([_read(session, tokens) for _ in range(runs)])
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    milliseconds: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            kind = event["args"]["op_name"]
            if kind != "If":  # what is inside is counted by itself
                milliseconds[kind] += event["dur"] / 1000 / runs
                counts[kind] += 1
    return {kind: (milliseconds[kind], counts[kind] // runs) for kind in counts}, whole


def _read(session: Any, tokens: int) -> float:
    """Read tokens as the app does and return the milliseconds it took."""
    measures = session.get_modelmeta().custom_metadata_map
    layers, heads, size, positions = (int(measures[key]) for key in ("layers", "heads", "head_size", "positions"))
    memory = np.zeros((2 * layers, 1, heads, positions, size), np.float32)
    binding = session.io_binding()
    for index, values in enumerate(memory):
        name, value = f"{('key', 'value')[index % 2]}.{index // 2}", onnxruntime.OrtValue.ortvalue_from_numpy(values)
        binding.bind_ortvalue_input(f"past_{name}", value)
        binding.bind_ortvalue_output(f"present_{name}", value)
    first = _BEFORE if tokens == 1 else 0
    seconds = 0.0
    for start in range(first, first + tokens, CHUNK):
        end = min(start + CHUNK, first + tokens)
        binding.bind_cpu_input("token_ids", np.arange(start, end, dtype=np.int64)[None])
        binding.bind_cpu_input("positions", np.arange(start, end, dtype=np.int64)[None])
        binding.bind_cpu_input("last_index", np.array([end - 1], np.int32))
        binding.bind_cpu_input("total_length", np.array(end, np.int32))
        binding.bind_cpu_input("wanted", np.array([end - start - 1] if end == first + tokens else [], np.int64))
        binding.bind_output("logits")
        started = time.perf_counter()
        session.run_with_iobinding(binding)
        seconds += time.perf_counter() - started
    return seconds * 1000


def measure_kernel(threads: int, repeats: int = 50) -> float:
    """Return the GB/s at which the product of one row and 8-bit weights reads weights that fit into the cache."""
    outputs, inputs, size = _KERNEL
    matrix = np.random.default_rng(0).standard_normal((outputs, inputs)).astype(np.float32)
    numbers, scales = quantise_blocks(matrix, 8, size)
    node = helper.make_node(
        "MatMulNBits",
        ["x", "numbers", "scales"],
        ["y"],
        domain="com.microsoft",
        K=inputs,
        N=outputs,
        bits=8,
        block_size=size,
        accuracy_level=4,
    )
    graph = helper.make_graph(
        [node],
        "kernel",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, inputs])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, outputs])],
        [numpy_helper.from_array(numbers, "numbers"), numpy_helper.from_array(scales, "scales")],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), _choose_options(threads), providers=["CPUExecutionProvider"]
    )
    row = {"x": np.ones((1, inputs), np.float32)}
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        session.run(None, row)
        seconds.append(time.perf_counter() - started)
    return numbers.nbytes / min(seconds) / 1e9


def _choose_options(threads: int = THREADS) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.x64quantprecision", "1")
    return options


if __name__ == "__main__":
    raise SystemExit(main())

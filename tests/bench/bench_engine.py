"""Measure the engine: ``python -m tests.bench.bench_engine`` prints a table of medians in under two minutes.

The 124M shape has random weights, which run as fast as real ones. Loads read files that are in the page cache.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from storydesk.domain.generation import GenerationRequest, TextChunk
from storydesk.domain.style_model import StyleModel
from storydesk.inference.cancellation import Cancellation
from storydesk.inference.devices import count_threads
from storydesk.inference.engine import OnnxEngineLoader
from storydesk.inference.session import GraphSession
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from tests.fakes.tiny_style_model import STARTER, describe_model

STARTER_SIZES = {"layers": 6, "heads": 6, "width": 384, "positions": 512, "vocabulary": 8192}
SMALL_SIZES = {"layers": 12, "heads": 12, "width": 768, "positions": 1024, "vocabulary": 50257}
REPEATS = 5
STEPS = 96


def measure(action: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the median seconds of an action, after one unmeasured run."""
    action()
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def make_small(folder: Path) -> Path:
    """Write a random GPT-2 of 124M with the starter's tokenizer, whose tokens are among its own."""
    make_tiny_gpt2(folder, **SMALL_SIZES)
    shutil.copy(STARTER / "tokenizer.json", folder / "tokenizer.json")
    return folder


def measure_model(model: StyleModel) -> dict[str, float]:
    """Return milliseconds of prefills and of a load to the first token, and tokens per second of decoding."""

    def load_and_write() -> None:
        engine = OnnxEngineLoader().load(model)
        request = GenerationRequest(1, "The keeper heard a bell under the sea.", words=5, seed=1)
        events = engine.generate(request)
        while not isinstance(next(events), TextChunk):
            pass
        engine.close()

    cache = GraphSession(model).open_cache()
    tokens = np.random.default_rng(0).integers(1, 8192, 512).tolist()
    figures = {}
    for count in (128, 512):

        def prefill(count: int = count) -> None:
            cache.resume([0, 0])
            cache.read(tokens[:count], Cancellation())

        figures[f"prefill {count}"] = measure(prefill) * 1000
    steps = []
    cache.read(tokens[:128], Cancellation())
    for token in tokens[:STEPS]:
        started = time.perf_counter()
        cache.extend([token], Cancellation())
        steps.append(time.perf_counter() - started)
    figures["decode"] = 1 / statistics.median(steps)
    figures["load to first"] = measure(load_and_write, 3) * 1000
    figures["megabytes"] = model.graph.stat().st_size / 1e6
    return figures


def main() -> int:
    """Print the table, or one JSON object with ``--json``."""
    table = {}
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        small = make_small(folder / "small")
        for name, weights, sizes in (("starter", STARTER, STARTER_SIZES), ("124M", small, SMALL_SIZES)):
            for precision in ("int8", "fp32"):
                model = describe_model(folder / name, weights, precision, **sizes)
                table[f"{name} {precision}"] = measure_model(model)
    if "--json" in sys.argv:
        print(json.dumps(table, indent=2))
        return 0
    print(f"{count_threads()} threads, medians\n")
    print(f"{'model':<14}{'prefill 128':>13}{'prefill 512':>13}{'decode':>13}{'load to first':>15}{'file':>10}")
    for name, row in table.items():
        print(
            f"{name:<14}{row['prefill 128']:>10.1f} ms{row['prefill 512']:>10.1f} ms{row['decode']:>7.0f} tok/s"
            f"{row['load to first']:>12.0f} ms{row['megabytes']:>7.0f} MB"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Where a graph costs too much perplexity it is built again, with a truer kernel, and the manifest says which."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.export import building
from trainer.export.building import build_model
from trainer.export.forms import CARES
from trainer.export.graph_runner import GraphRunner
from trainer.protocol.manifest import Manifest
from trainer.protocol.messages import GraphCompared
from trainer.reporter import Reporter

Losses = dict[str, list[float]]


def build(tmp_path: Path) -> Manifest:
    reporter = Reporter(io.BytesIO(), tmp_path / "events.jsonl")
    try:
        return build_model(
            make_tiny_gpt2(tmp_path / "weights", width=64),
            tmp_path / "bundle",
            name="tiny",
            origin="test",
            licence="CC0-1.0",
            portable=False,
            precisions=("int8", "int4"),
            reporter=reporter,
            check=lambda: None,
            enter=lambda _stage: None,
        )
    finally:
        reporter.close()


def measure_as(losses: Losses) -> Callable[[GraphCompared], float]:
    """Return what finds the given losses, one after another for each graph."""
    left = {graph: iter(values) for graph, values in losses.items()}
    return lambda comparison: next(left[comparison.graph])


@pytest.mark.parametrize(
    ("losses", "kernels"),
    [
        ({"int8": [0.001, 0.001], "int4": [0.01]}, ("rows", "blocks")),
        # Both of the 8-bit kernels cost too much, the one for few tokens less.
        ({"int8": [0.02, 0.01], "int4": [0.05, 0.01]}, ("blocks", "blocks")),
        ({"int8": [0.02, 0.03], "int4": [0.05, 0.05, 0.01]}, ("rows", "mixed")),
        # Nothing is enough: what was tried last stays.
        ({"int8": [0.001, 0.001], "int4": [0.05] * len(CARES)}, ("rows", "mixed")),
    ],
)
def test_what_costs_too_much_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, losses: Losses, kernels: tuple[str, str]
) -> None:
    monkeypatch.setattr(building, "measure_loss", measure_as(losses))
    manifest = build(tmp_path)
    graphs = {graph.precision: graph for graph in manifest.graphs}
    assert (graphs["int8"].kernel, graphs["int4"].kernel) == kernels
    ids = np.arange(1, 60)
    exact = GraphRunner(tmp_path / "bundle" / graphs["fp32"].path).log_probabilities(ids)
    for precision in ("int8", "int4"):
        found = GraphRunner(tmp_path / "bundle" / graphs[precision].path).log_probabilities(ids)
        assert np.abs(found - exact).mean() < 0.3

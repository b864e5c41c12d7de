"""What runs where: a GPU takes the graph that suits it, and one that fails is heard of and the CPU serves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from storydesk.inference.cancellation import Cancellation
from storydesk.inference.devices import CPU, PROVIDERS, open_graph
from storydesk.inference.session import GraphSession
from tests.fakes.tiny_style_model import make_tiny_style_model
from trainer.export.device import has_gpu
from trainer.export.graph import build_graph

NEEDS_GPU = pytest.mark.skipif(not has_gpu(), reason="no NVIDIA driver with a device on this machine")


@pytest.fixture
def graphs(tmp_path: Path) -> dict[str, Path]:
    weights = make_tiny_style_model(tmp_path).weights
    made = {precision: tmp_path / "made" / f"{precision}.onnx" for precision in ("int8", "fp16")}
    for precision, path in made.items():
        build_graph(weights, path, precision)
    return made


@pytest.mark.skipif(has_gpu(), reason="a GPU is here and serves")
@pytest.mark.skipif(
    "CUDAExecutionProvider" not in onnxruntime.get_available_providers(), reason="this ONNX Runtime has no CUDA"
)
def test_a_gpu_without_a_driver_is_heard_of_and_the_cpu_serves(graphs: dict[str, Path]) -> None:
    heard: list[tuple[str, str]] = []
    opened = open_graph(graphs["int8"], "int8", lambda *words: heard.append(words), others=graphs)
    assert (opened.provider.words, opened.precision) == (CPU, "int8")
    assert [words for words, _ in heard] == ["NVIDIA GPU"]
    assert heard[0][1]


def test_a_gpu_is_not_tried_with_a_graph_that_does_not_suit_it(graphs: dict[str, Path]) -> None:
    heard: list[tuple[str, str]] = []
    opened = open_graph(graphs["int8"], "int8", lambda *words: heard.append(words))
    assert opened.provider is PROVIDERS[-1]
    assert not heard


def test_a_float16_graph_runs_on_the_cpu_too(tmp_path: Path) -> None:
    tokens = np.random.default_rng(0).integers(1, 384, 90).tolist()
    logits = [
        GraphSession(make_tiny_style_model(tmp_path / precision, precision=precision))
        .open_cache()
        .read(tokens, Cancellation())
        for precision in ("fp32", "fp16")
    ]
    assert np.abs(logits[0] - logits[1]).max() < 0.01


@pytest.mark.gpu
@NEEDS_GPU
def test_a_gpu_writes_what_the_cpu_writes(graphs: dict[str, Path]) -> None:
    heard: list[tuple[str, str]] = []
    opened = open_graph(graphs["int8"], "int8", lambda *words: heard.append(words), others=graphs)
    assert not heard
    assert (opened.provider is not PROVIDERS[-1], opened.precision) == (True, "fp16")

"""What runs where: a GPU takes the graph that suits it, and one that fails is heard of and the CPU serves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.inference import devices
from storydesk.inference.cancellation import Cancellation
from storydesk.inference.devices import CPU, PROVIDERS, Provider, open_graph
from storydesk.inference.large_pages import keep_in_large_pages, list_memory, subtract_ranges
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


class LateFailure:
    """A session that opens and then can't run: a driver too old, its memory full."""

    def __init__(self, session: Any, provider: str, words: str) -> None:
        self._session, self._provider, self._words = session, provider, words

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_providers(self) -> list[str]:
        return [self._provider, "CPUExecutionProvider"]

    def run_with_iobinding(self, *_: object) -> None:
        raise RuntimeError(self._words)


def install_failing_device(monkeypatch: pytest.MonkeyPatch, provider: Provider, words: str) -> None:
    """Let ONNX Runtime offer a device whose sessions fail when they are run."""
    real = onnxruntime.InferenceSession

    def open_session(path: str, options: object, *, providers: list[Any], enable_fallback: int) -> Any:
        if providers[0][0] != provider.name:
            return real(path, options, providers=providers, enable_fallback=enable_fallback)
        return LateFailure(real(path, options, providers=["CPUExecutionProvider"]), provider.name, words)

    monkeypatch.setattr(devices, "PROVIDERS", (provider, PROVIDERS[-1]))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [provider.name, "CPUExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "InferenceSession", open_session)


@pytest.mark.parametrize(
    ("words", "said"),
    [("no kernel for this card", "no kernel for this card"), ("Failed to allocate", "memory is full")],
)
def test_a_device_that_opens_and_then_fails_is_heard_of_and_the_cpu_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: str, said: str
) -> None:
    model = make_tiny_style_model(tmp_path)
    install_failing_device(monkeypatch, Provider("OddExecutionProvider", "odd card", "cpu"), words)
    heard: list[tuple[str, str]] = []
    session = GraphSession(model, lambda *each: heard.append(each))
    assert [device for device, _ in heard] == ["odd card"]
    assert said in heard[0][1]
    assert session.device == "CPU, 32-bit"
    assert np.isfinite(session.open_cache().read([1, 2, 3], Cancellation())).all()


def test_a_processor_that_fails_is_nobodys_turn_after_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_tiny_style_model(tmp_path)
    install_failing_device(monkeypatch, PROVIDERS[-1], "broken")
    with pytest.raises(StorydeskError) as caught:
        GraphSession(model)
    assert caught.value.failure.code == FailureCode.MODEL_NOT_LOADED


@st.composite
def draw_ranges(draw: st.DrawFn) -> list[tuple[int, int]]:
    ends = sorted(draw(st.sets(st.integers(0, 60), max_size=10)))
    return list(zip(ends[::2], ends[1::2], strict=False))


@given(draw_ranges(), draw_ranges())
def test_what_memory_is_new_is_what_was_not_there_before(
    now: list[tuple[int, int]], before: list[tuple[int, int]]
) -> None:
    def spell(ranges: list[tuple[int, int]]) -> set[int]:
        return {place for start, end in ranges for place in range(start, end)}

    left = subtract_ranges(now, before)
    assert spell(left) == spell(now) - spell(before)
    assert all(start < end for start, end in left)


def test_memory_in_large_pages_holds_what_was_put_there() -> None:
    with keep_in_large_pages():
        values = np.full(6_000_000, 7, np.int64)
    assert (values == 7).all()


def test_memory_is_listed_where_linux_says_it_lies() -> None:
    values = np.ones(6_000_000, np.int64)
    place = values.ctypes.data
    ranges = list_memory()
    assert ranges == sorted(ranges)
    assert any(start <= place < end for start, end in ranges) == (sys.platform == "linux")


@pytest.mark.gpu
@NEEDS_GPU
def test_a_gpu_writes_what_the_cpu_writes(graphs: dict[str, Path]) -> None:
    heard: list[tuple[str, str]] = []
    opened = open_graph(graphs["int8"], "int8", lambda *words: heard.append(words), others=graphs)
    assert not heard
    assert (opened.provider is not PROVIDERS[-1], opened.precision) == (True, "fp16")

"""Where a graph can run: a GPU where ONNX Runtime offers one and the graph suits it, the CPU always."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnxruntime

from storydesk.inference.large_pages import keep_in_large_pages

CPU = "CPU"
# Past this, threads wait for memory and for each other and not for arithmetic.
_MOST_THREADS = 8
_SIBLINGS = "topology/thread_siblings_list"
_BITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Provider:
    """A way to run a graph: ONNX Runtime's name, the name for the status bar, the precisions it runs as a whole.

    ``memory`` is where the cache lies. ``precisions`` of None means any.
    """

    name: str
    words: str
    memory: str
    precisions: frozenset[str] | None = None
    options: Mapping[str, str] = field(default_factory=dict)


# GroupQueryAttention has no float32 kernel for CUDA: such a graph would go back and forth at every layer. CoreML knows
# none of it: it takes what it can of a float16 graph, which is built for it only where somebody asks for one.
PROVIDERS = (
    Provider("CUDAExecutionProvider", "NVIDIA GPU", "cuda", frozenset({"fp16"})),
    Provider("DmlExecutionProvider", "GPU (DirectML)", "dml", frozenset({"fp16"})),
    Provider("CoreMLExecutionProvider", "Apple GPU (CoreML)", "cpu", frozenset({"fp16"})),
    Provider("CPUExecutionProvider", CPU, "cpu"),
)


@dataclass(frozen=True, slots=True)
class OpenedGraph:
    """A graph that is ready to run, where, and in which precision."""

    session: Any
    provider: Provider
    precision: str = ""


def open_graph(
    path: Path,
    precision: str,
    on_failure: Callable[[str, str], None],
    *,
    others: Mapping[str, Path] | None = None,
    providers: Sequence[Provider] | None = None,
    threads: int | None = None,
) -> OpenedGraph:
    """Open a graph on the first provider that takes it; ``on_failure`` hears the words and detail of one that fails.

    ``others`` are the model's graphs by precision, of which a GPU takes the one that suits it. What the last provider,
    the CPU, raises is the caller's.
    """
    offered = onnxruntime.get_available_providers()
    graphs = {**(others or {}), precision: path}
    *gpus, last = providers or PROVIDERS
    for provider in gpus:
        suited = [each for each in graphs if provider.precisions is None or each in provider.precisions]
        if provider.name not in offered or not suited:
            continue
        try:
            return OpenedGraph(_open(graphs[suited[0]], provider, threads), provider, suited[0])
        except Exception as error:  # noqa: BLE001 - a driver may raise anything, and the CPU serves
            on_failure(provider.words, _shorten(error))
    return OpenedGraph(_open(path, last, threads), last, precision)


def describe_precision(precision: str) -> str:
    """Return a graph's precision in words: ``8-bit`` for ``int8``; the name itself where it has no number."""
    found = _BITS.search(precision)
    return f"{found.group()}-bit" if found else precision


def count_threads() -> int:
    """Return how many threads help: physical cores up to a limit, one left for the window where there are many."""
    cores = _count_cores()
    return min(cores - 1 if cores > 3 else cores, _MOST_THREADS)


def _open(path: Path, provider: Provider, threads: int | None) -> Any:
    if provider.memory == "cuda" and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads or count_threads()
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = provider.memory != "dml"  # DirectML refuses it
    # Without this, processors that lack VNNI add up whole numbers past their limit.
    options.add_session_config_entry("session.x64quantprecision", "1")
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Threads wait busily inside a step, which is 1.4 times as fast, and sleep as soon as it ends.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    with keep_in_large_pages() if provider.words == CPU else nullcontext():
        session = onnxruntime.InferenceSession(
            str(path), options, providers=[(provider.name, dict(provider.options))], enable_fallback=0
        )
    if session.get_providers()[0] != provider.name:
        raise RuntimeError(f"{provider.name} did not start")
    return session


def _shorten(error: BaseException) -> str:
    return " ".join(str(error).split())[:160]


def _count_cores() -> int:
    """Return the physical cores this process may use; half the logical ones where the machine does not say."""
    if hasattr(os, "sched_getaffinity"):
        allowed = sorted(os.sched_getaffinity(0))
        root = Path("/sys/devices/system/cpu")
        try:
            return len({(root / f"cpu{number}" / _SIBLINGS).read_text(encoding="ascii") for number in allowed}) or 1
        except OSError:
            return max(len(allowed), 1)
    logical = os.cpu_count() or 1
    shared = platform.machine().lower() in {"x86_64", "amd64"}
    return max(logical // 2, 1) if shared else logical

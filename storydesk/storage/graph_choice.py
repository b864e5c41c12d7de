"""Which of a model's graphs serves: by what the writer wants, what each costs in perplexity, and what memory allows."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from trainer.protocol.manifest import Graph, Manifest

Parameters = Mapping[str, str | int | float]

LARGEST_LOSSES = {"int8": 0.005, "int4": 0.03}
"""The share by which a graph's perplexity may be worse than float32's before another serves."""

_MEMORY_SHARE = 0.4
# A loaded graph takes its file and some more while it is being loaded.
_GROWTH = 1.4


@dataclass(frozen=True, slots=True)
class GraphChoice:
    """A graph of the manifest, and why it serves: a code with parameters, whose sentence is in en.toml."""

    precision: str
    reason: str
    parameters: Parameters = field(default_factory=dict)


def choose_graph(manifest: Manifest, wanted: str = "", memory: int | None = None) -> GraphChoice:
    """Return the graph that serves on the CPU; ``memory`` is the machine's in bytes, None where nobody knows.

    The 8-bit graph where its perplexity is within half a percent of float32's, float32 where it is not, the 4-bit
    graph where the better one does not fit into two fifths of memory.
    """
    graphs = {graph.precision: graph for graph in manifest.graphs}
    if wanted in graphs and wanted in ("fp32", "int8", "int4"):
        return _describe(manifest, graphs[wanted], "graph_wanted")
    best = "fp32" if not _is_true(graphs, "int8") and "fp32" in graphs else "int8"
    if "int8" not in graphs:
        return _describe(manifest, graphs[manifest.default_graph], "graph_only")
    fits = memory is None or measure_bytes(manifest, graphs[best]) * _GROWTH <= memory * _MEMORY_SHARE
    if not fits:
        for smaller in ("int4", "int8"):
            if smaller in graphs and (_is_true(graphs, smaller) or smaller == "int8") and smaller != best:
                return _describe(manifest, graphs[smaller], "graph_small", memory)
    return _describe(manifest, graphs[best], "graph_fast" if best == "int8" else "graph_true", memory)


def measure_loss(graphs: Mapping[str, Graph], precision: str) -> float:
    """Return the share by which a graph's perplexity is worse than its reference's."""
    graph = graphs[precision]
    return graph.perplexity / graph.reference_perplexity - 1 if graph.reference_perplexity > 0 else 0.0


def measure_bytes(manifest: Manifest, graph: Graph) -> int:
    """Return the bytes of a graph and of its weights' file."""
    return sum(manifest.files[path].bytes for path in (graph.path, f"{graph.path}.data") if path in manifest.files)


def read_memory() -> int | None:
    """Return the machine's memory in bytes, None where the system does not say."""
    if sys.platform == "win32":
        return _read_windows_memory()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _read_windows_memory() -> int | None:
    """Return Windows' own figure: the second field of a structure of nine, the first of its eight-byte ones."""
    status = (ctypes.c_ulonglong * 8)()
    ctypes.c_ulong.from_buffer(status).value = ctypes.sizeof(status)
    kernel = getattr(ctypes, "windll", None)
    if kernel is None or not kernel.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status[1])


def _is_true(graphs: Mapping[str, Graph], precision: str) -> bool:
    return precision in graphs and measure_loss(graphs, precision) <= LARGEST_LOSSES[precision]


def _describe(manifest: Manifest, graph: Graph, reason: str, memory: int | None = None) -> GraphChoice:
    graphs = {each.precision: each for each in manifest.graphs}
    parameters: dict[str, str | int | float] = {
        "precision": graph.precision,
        "percent": round(measure_loss(graphs, graph.precision) * 100, 2),
        "megabytes": round(measure_bytes(manifest, graph) / 1e6),
    }
    if "int8" in graphs:
        parameters["percent_at_8"] = round(measure_loss(graphs, "int8") * 100, 2)
    if memory is not None:
        parameters["memory"] = round(memory / 1e9)
    return GraphChoice(graph.precision, reason, parameters)

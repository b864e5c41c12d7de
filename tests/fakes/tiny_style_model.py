"""A tiny GPT-2 with its fast graph, as the model library would hand it to the engine."""

from __future__ import annotations

from pathlib import Path

from storydesk.domain.style_model import StyleModel
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.export.graph import build_graph
from trainer.text.template import Template

STARTER = Path(__file__).resolve().parents[2] / "resources" / "starter"


def make_tiny_style_model(
    folder: Path,
    *,
    precision: str = "fp32",
    layers: int = 2,
    heads: int = 2,
    width: int = 32,
    positions: int = 128,
    vocabulary: int = 384,
    seed: int = 0,
) -> StyleModel:
    """Make the folder of a tiny GPT-2 and its graph, and return its description."""
    weights = make_tiny_gpt2(
        folder / "weights",
        layers=layers,
        heads=heads,
        width=width,
        positions=positions,
        vocabulary=vocabulary,
        seed=seed,
    )
    return describe_model(
        folder, weights, precision, layers=layers, heads=heads, width=width, positions=positions, vocabulary=vocabulary
    )


def make_starter_style_model(folder: Path, precision: str) -> StyleModel:
    """Build a graph of the starter in ``folder`` and return its description."""
    return describe_model(folder, STARTER, precision, layers=6, heads=6, width=384, positions=512, vocabulary=8192)


def describe_model(
    folder: Path,
    weights: Path,
    precision: str,
    *,
    layers: int,
    heads: int,
    width: int,
    positions: int,
    vocabulary: int,
) -> StyleModel:
    """Build the graph of the GPT-2 in ``weights`` into ``folder`` and return its description."""
    graph = folder / "fast" / f"{precision}.onnx"
    build_graph(weights, graph, precision)
    return StyleModel(
        name="tiny",
        kind="gpt2",
        folder=folder,
        weights=weights,
        tokenizer=weights / "tokenizer.json",
        graph=graph,
        precision=precision,
        layers=layers,
        heads=heads,
        width=width,
        positions=positions,
        vocabulary=vocabulary,
        end_token_id=0,
        normaliser="ascii-1",
        template=Template().as_mapping(),
        licence="CC0-1.0",
        origin="test",
        created="2026-01-01T00:00:00+00:00",
    )

"""StyleModel: what writes. A GPT-2 with its text form, graphs and history, as the model library knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class StyleModel:
    """An installed, verified model. Paths are absolute; limits come from the model's own configuration.

    ``graph`` is the ONNX file that serves by default and ``precision`` its kind; ``tokenizer`` is its tokenizer.json.
    ``choice`` is the code of why that graph serves, with ``choice_parameters``; its sentence is a notice's.
    ``heldout`` holds ``perplexity_before`` and ``perplexity_after`` where the model was tuned.
    """

    name: str
    kind: str
    folder: Path
    weights: Path
    tokenizer: Path
    graph: Path
    precision: str
    layers: int
    heads: int
    width: int
    positions: int
    vocabulary: int
    end_token_id: int
    normaliser: str
    template: Mapping[str, str]
    licence: str
    origin: str
    created: str
    built_in: bool = False
    lineage: tuple[str, ...] = ()
    heldout: Mapping[str, float] = field(default_factory=dict)
    bytes: int = 0
    graphs: Mapping[str, Path] = field(default_factory=dict)
    choice: str = ""
    choice_parameters: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HubModel:
    """A model that can be fetched: repository and revision are pinned, the weights' size and SHA-256 known."""

    id: str
    repository: str
    revision: str
    weight_bytes: int
    weight_sha256: str
    licence: str

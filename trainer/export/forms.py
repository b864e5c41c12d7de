"""The kinds of graph there are, how carefully 4 bits are made, and what has to be known of a model's activations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trainer.export.quantising import Blocks
from trainer.export.weights import Float32, Shape


@dataclass(frozen=True, slots=True)
class Form:
    """How a precision keeps the layers and the output layer; None keeps them as they are, ``half`` as float16."""

    layers: Blocks | None = None
    output: Blocks | None = None
    half: bool = False


# The output layer stays at 8 bits: at 4 it costs more perplexity than all the layers together.
PRECISIONS: dict[str, Form] = {
    "fp32": Form(),
    "fp16": Form(half=True),
    "int8": Form(Blocks(bits=8, size=256), Blocks(bits=8, size=256)),
    "int4": Form(Blocks(bits=4, size=64), Blocks(bits=8, size=256)),
}
"""The kinds of graph by name."""


@dataclass(frozen=True, slots=True)
class Care:
    """How much an int4 graph gives for its truth: the size of its blocks, and projections that stay at 8 bits."""

    size: int = 64
    eight_bits: frozenset[str] = frozenset()


CARES = (
    Care(),
    Care(32),
    Care(32, frozenset({"attn.c_attn"})),
    Care(32, frozenset({"attn.c_attn", "mlp.c_proj"})),
    Care(32, frozenset({"attn.c_attn", "mlp.c_proj", "mlp.c_fc"})),
)
"""What is tried in turn until an int4 graph's perplexity is good enough."""


@dataclass(frozen=True, slots=True)
class Activations:
    """What goes into each projection on a sample text, by the name of its tensor: [inputs] for each.

    ``largest`` is the largest magnitude, ``mean_square`` the mean of the squares.
    """

    largest: Mapping[str, Float32]
    mean_square: Mapping[str, Float32]


def list_projected(shape: Shape) -> list[str]:
    """Return the names of the tensors that Activations are kept of."""
    parts = ("ln_1", "attn", "ln_2", "mlp.active")
    return [f"h.{layer}.{part}" for layer in range(shape.layers) for part in parts]

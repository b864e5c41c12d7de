"""A GPT-2 folder as numbers: its configuration, checked, and its safetensors, read without torch."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trainer.protocol.failures import TrainerError, TrainerFailure

Float32 = NDArray[np.float32]

_ACTIVATIONS = {
    "gelu_new": "FastGelu",
    "gelu_pytorch_tanh": "FastGelu",
    "gelu_fast": "FastGelu",
    "gelu": "Gelu",
    "relu": "Relu",
}
_TYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "BF16": np.dtype("<u2")}
_MAXIMAL_HEADER = 100_000_000
_MAXIMAL_SIZE = 1 << 24


@dataclass(frozen=True, slots=True)
class Shape:
    """A GPT-2's measures as config.json gives them; ``activation`` is the graph operator's name."""

    layers: int
    heads: int
    width: int
    inner: int
    positions: int
    vocabulary: int
    epsilon: float
    activation: str
    scale_attention: bool
    scale_by_layer: bool
    tied_output: bool
    end_token_id: int

    @property
    def head_size(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    def attention_scale(self, layer: int) -> float:
        """Return what the dot products of a layer's queries and keys are multiplied with."""
        scale = 1.0 / math.sqrt(self.head_size) if self.scale_attention else 1.0
        return scale / (layer + 1) if self.scale_by_layer else scale


def refuse(folder: Path, detail: str) -> TrainerError:
    """Return the failure that says why a folder is no usable GPT-2."""
    return TrainerError(TrainerFailure.BASE_NOT_USABLE, path=str(folder), detail=detail)


def read_shape(folder: Path) -> Shape:
    """Return the measures of the GPT-2 in ``folder``; raise TrainerError(BASE_NOT_USABLE)."""
    config = _read_json(folder, "config.json")
    if config.get("model_type", "gpt2") != "gpt2":
        raise refuse(folder, "it is not a GPT-2")
    if config.get("add_cross_attention"):
        raise refuse(folder, "cross-attention is not supported")
    activation = str(config.get("activation_function", "gelu_new"))
    if activation not in _ACTIVATIONS:
        raise refuse(folder, f"the activation function {activation[:40]} is not supported")

    def read_size(key: str) -> int:
        value = config.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _MAXIMAL_SIZE:
            raise refuse(folder, f"{key} in config.json is not a usable number")
        return value

    width, heads = read_size("n_embd"), read_size("n_head")
    if width % heads:
        raise refuse(folder, "n_embd is not a multiple of n_head")
    epsilon = config.get("layer_norm_epsilon", 1e-5)
    if not isinstance(epsilon, float) or not 0 < epsilon < 1:
        raise refuse(folder, "layer_norm_epsilon in config.json is not a usable number")
    vocabulary = read_size("vocab_size")
    end = config.get("eos_token_id", vocabulary - 1)
    return Shape(
        layers=read_size("n_layer"),
        heads=heads,
        width=width,
        inner=4 * width if config.get("n_inner") is None else read_size("n_inner"),
        positions=read_size("n_positions"),
        vocabulary=vocabulary,
        epsilon=epsilon,
        activation=_ACTIVATIONS[activation],
        scale_attention=bool(config.get("scale_attn_weights", True)),
        scale_by_layer=bool(config.get("scale_attn_by_inverse_layer_idx", False)),
        tied_output=bool(config.get("tie_word_embeddings", True)),
        end_token_id=end if isinstance(end, int) and 0 <= end < vocabulary else vocabulary - 1,
    )


class Weights:
    """The tensors of a GPT-2 folder, mapped from disk and converted to float32 one at a time."""

    def __init__(self, folder: Path) -> None:
        """Read the headers of model.safetensors or of its shards; raise TrainerError(BASE_NOT_USABLE)."""
        self._folder = folder
        self._tensors: dict[str, tuple[Path, str, tuple[int, ...], int]] = {}
        for name in self._list_files():
            self._read_header(folder / name)
        self._prefix = "transformer." if "transformer.wte.weight" in self._tensors else ""

    def __contains__(self, name: str) -> bool:
        """Say whether a tensor is there; names go without the ``transformer.`` prefix."""
        return self._find(name) in self._tensors

    def read(self, name: str, *shape: int) -> Float32:
        """Return a tensor as float32; raise TrainerError where it is missing, odd in shape or not finite."""
        found = self._find(name)
        if found not in self._tensors:
            raise refuse(self._folder, f"{name} is missing")
        path, kind, stored, offset = self._tensors[found]
        if stored != shape:
            raise refuse(self._folder, f"{name} has the shape {list(stored)} and not {list(shape)}")
        values: NDArray[Any] = np.memmap(path, _TYPES[kind], "r", offset, stored)
        if kind == "BF16":
            values = (values.astype(np.uint32) << 16).view(np.float32)
        result = np.array(values, np.float32)
        if not np.isfinite(result).all():
            raise refuse(self._folder, f"{name} has values that are not finite")
        return result

    def _find(self, name: str) -> str:
        return name if name == "lm_head.weight" else self._prefix + name

    def _list_files(self) -> list[str]:
        if (self._folder / "model.safetensors").is_file():
            return ["model.safetensors"]
        if not (self._folder / "model.safetensors.index.json").is_file():
            raise refuse(self._folder, "there is no model.safetensors")
        parts = _read_json(self._folder, "model.safetensors.index.json").get("weight_map")
        names = sorted({str(name) for name in parts.values()}) if isinstance(parts, dict) else []
        if not names or any(Path(name).name != name or not (self._folder / name).is_file() for name in names):
            raise refuse(self._folder, "model.safetensors.index.json names files that are not there")
        return names

    def _read_header(self, path: Path) -> None:
        """Note where every tensor of one file lies; nothing in the header is taken on trust."""
        try:
            size = path.stat().st_size
            with path.open("rb") as stream:
                length = int.from_bytes(stream.read(8), "little")
                if not 0 < length <= min(_MAXIMAL_HEADER, size - 8):
                    raise ValueError("the header is cut off")
                header = json.loads(stream.read(length).decode("utf-8"))
            if not isinstance(header, dict):
                raise TypeError("the header is no table")
            for name, entry in header.items():
                if name != "__metadata__" and entry["dtype"] in _TYPES:
                    self._tensors[name] = self._locate(path, entry, 8 + length, size)
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise refuse(self._folder, f"{path.name} is damaged ({str(error)[:80]})") from error

    @staticmethod
    def _locate(path: Path, entry: Mapping[str, Any], data: int, size: int) -> tuple[Path, str, tuple[int, ...], int]:
        start, end = entry["data_offsets"]
        shape = tuple(int(length) for length in entry["shape"])
        needed = math.prod(shape) * _TYPES[entry["dtype"]].itemsize
        if min(shape, default=0) < 0 or not 0 <= start <= end <= size - data or end - start != needed:
            raise ValueError("a tensor lies outside the file")
        return path, str(entry["dtype"]), shape, data + start


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    try:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise refuse(folder, f"there is no {name}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise refuse(folder, f"{name} can't be read") from error
    if not isinstance(content, dict):
        raise refuse(folder, f"{name} is no table")
    return content

"""The fast graph: a GPT-2 made of ONNX Runtime's own operators, from safetensors and without torch.

Inputs: ``token_ids`` and ``positions`` [batch, tokens] int64; ``last_index`` [batch] int32, the index of each row's
last token in the cache; ``total_length`` int32, the cache's length after this run; ``wanted`` [rows] int64, the
places among ``tokens`` whose logits are asked for; and ``past_key.<layer>``/``past_value.<layer>``
[batch, heads, capacity, head size], which may be bound to the same memory as ``present_...``.
Outputs: ``logits`` [batch, rows, vocabulary] float32 and the present cache.
The measures stand in the graph's metadata, so nobody needs config.json beside it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from trainer.export.weights import Float32, Shape, Weights, read_shape
from trainer.protocol.failures import TrainerError, TrainerFailure

LAYOUT = "storydesk-gpt2-1"
"""The names and meanings of inputs, outputs and metadata; a reader refuses what it does not know."""

_CONTRIB = "com.microsoft"
_OPSET = 18
_IR_VERSION = 9
# GroupQueryAttention wants head sizes in multiples of this; narrower heads are padded with zeros.
_HEAD_STEP = 8
# Protobuf ends at 2 GiB; what comes near goes into a file beside the graph.
_INLINE_BYTES = 1_800_000_000
_ALIGNMENT = 4096
# Rows of a matrix that are quantised at once, which bounds the memory it takes.
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Blocks:
    """Weights in whole numbers of ``bits`` with one scale for every ``size`` of them."""

    bits: int
    size: int

    def fit(self, inputs: int) -> int | None:
        """Return the largest block up to ``size`` that divides a row of ``inputs`` weights, None without one."""
        return next((size for size in (self.size, 64, 32, 16) if size <= self.size and inputs % size == 0), None)


PRECISIONS: dict[str, Blocks | None] = {"fp32": None, "int8": Blocks(bits=8, size=128)}
"""The kinds of graph by name; None keeps the weights as float32."""


def build_graph(weights: Path, out: Path, precision: str) -> None:
    """Write the fast graph of the GPT-2 in the folder ``weights`` to ``out``, atomically.

    A graph near 2 GB keeps its weights in ``<out>.data`` beside it. Raise TrainerError(BASE_NOT_USABLE) for a model
    that can't be built, BAD_REQUEST for an unknown precision or an unwritable place, DISK_FULL, MEMORY_FULL.
    """
    if precision not in PRECISIONS:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=f"the precision {precision[:40]} is not known")
    shape = read_shape(weights)
    tensors = Weights(weights)
    blocks = PRECISIONS[precision]
    graph = out.with_name(out.name + ".partial")
    data = out.with_name(out.name + ".data.partial")
    final_data = out.with_name(out.name + ".data")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with _Store(data, final_data.name, _estimate_bytes(shape, blocks) > _INLINE_BYTES) as store:
            model = _GraphBuilder(shape, tensors, blocks, store).build(precision)
        with graph.open("wb") as stream:
            stream.write(model.SerializeToString())
            stream.flush()
            os.fsync(stream.fileno())
        if data.exists():
            data.replace(final_data)
        graph.replace(out)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            raise TrainerError(TrainerFailure.DISK_FULL, path=str(out.parent)) from error
        detail = f"{out} can't be written ({error.strerror or type(error).__name__})"
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=detail) from error
    except MemoryError as error:
        raise TrainerError(TrainerFailure.MEMORY_FULL, detail="building the graph") from error
    finally:
        graph.unlink(missing_ok=True)
        data.unlink(missing_ok=True)


def quantise_blocks(matrix: Float32, bits: int, size: int) -> tuple[NDArray[np.uint8], Float32]:
    """Return [rows, blocks, size] unsigned numbers around the middle and [rows, blocks] scales of [rows, columns].

    Symmetric, one scale for each block of ``size`` columns, which has to divide their number. Only 8 bits so far.
    """
    if bits != 8:
        raise ValueError(f"{bits} bits are not supported")
    rows, columns = matrix.shape
    largest = (1 << (bits - 1)) - 1
    numbers = np.empty((rows, columns // size, size), np.uint8)
    scales = np.empty((rows, columns // size), np.float32)
    for start in range(0, rows, _ROWS_AT_ONCE):
        part = matrix[start : start + _ROWS_AT_ONCE].reshape(-1, columns // size, size)
        scale = np.abs(part).max(-1) / np.float32(largest)
        steps = np.rint(part / np.where(scale == 0, 1, scale)[..., None])
        numbers[start : start + _ROWS_AT_ONCE] = np.clip(steps, -largest, largest) + (largest + 1)
        scales[start : start + _ROWS_AT_ONCE] = scale
    return numbers, scales


def _estimate_bytes(shape: Shape, blocks: Blocks | None) -> int:
    layer = 4 * shape.width * shape.width + 2 * shape.width * shape.inner
    tables = (2 * shape.vocabulary + shape.positions) * shape.width
    return (shape.layers * layer + tables) * (4 if blocks is None else 2)


class _Store:
    """Where weights go: into the graph, or, for a large one, straight into the file beside it."""

    def __init__(self, path: Path, location: str, external: bool) -> None:
        self._location = location
        self._stream = path.open("wb") if external else None
        self.tensors: list[TensorProto] = []

    def __enter__(self) -> _Store:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()

    def add(self, name: str, values: NDArray[np.generic]) -> str:
        """Keep an array under ``name`` and return the name."""
        values = np.ascontiguousarray(values)
        tensor = TensorProto(name=name, data_type=helper.np_dtype_to_tensor_dtype(values.dtype), dims=values.shape)
        if self._stream is None or values.nbytes < _ALIGNMENT:
            tensor.raw_data = values.tobytes()
        else:
            self._stream.write(b"\0" * (-self._stream.tell() % _ALIGNMENT))
            places = {"location": self._location, "offset": self._stream.tell(), "length": values.nbytes}
            values.tofile(self._stream)
            tensor.data_location = TensorProto.EXTERNAL
            for key, value in places.items():
                tensor.external_data.add(key=key, value=str(value))
        self.tensors.append(tensor)
        return name


class _GraphBuilder:
    """Adds node after node from the embedding to the logits."""

    def __init__(self, shape: Shape, weights: Weights, blocks: Blocks | None, store: _Store) -> None:
        self._shape = shape
        self._weights = weights
        self._blocks = blocks
        self._store = store
        self._nodes: list[onnx.NodeProto] = []
        self._head = -(-shape.head_size // _HEAD_STEP) * _HEAD_STEP

    def build(self, precision: str) -> onnx.ModelProto:
        """Return the whole model."""
        shape = self._shape
        hidden = self._embed()
        normed = self._normalise_first(hidden)
        for layer in range(shape.layers):
            attended = self._attend(layer, normed)
            normed, hidden = self._add_and_normalise(f"h.{layer}.ln_2", attended, hidden)
            changed = self._transform(layer, normed)
            following = f"h.{layer + 1}.ln_1" if layer + 1 < shape.layers else "ln_f"
            normed, hidden = self._add_and_normalise(following, changed, hidden)
        self._predict(normed)
        cache: list[str | int | None] = ["batch", shape.heads, "capacity", self._head]
        names = [f"{kind}.{layer}" for layer in range(shape.layers) for kind in ("key", "value")]
        inputs = [
            helper.make_tensor_value_info("token_ids", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("positions", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("last_index", TensorProto.INT32, ["batch"]),
            helper.make_tensor_value_info("total_length", TensorProto.INT32, []),
            helper.make_tensor_value_info("wanted", TensorProto.INT64, ["rows"]),
            *(helper.make_tensor_value_info(f"past_{name}", TensorProto.FLOAT, cache) for name in names),
        ]
        outputs = [
            helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "rows", shape.vocabulary]),
            *(helper.make_tensor_value_info(f"present_{name}", TensorProto.FLOAT, cache) for name in names),
        ]
        graph = helper.make_graph(self._nodes, "gpt2", inputs, outputs, self._store.tensors)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="storydesk", ir_version=_IR_VERSION)
        helper.set_model_props(model, self._describe(precision))
        return model

    def _describe(self, precision: str) -> dict[str, str]:
        shape = self._shape
        return {
            "layout": LAYOUT,
            "precision": precision,
            "layers": str(shape.layers),
            "heads": str(shape.heads),
            "head_size": str(self._head),
            "positions": str(shape.positions),
            "vocabulary": str(shape.vocabulary),
            "end_token_id": str(shape.end_token_id),
        }

    def _node(self, kind: str, inputs: Sequence[str], output: str, *others: str, **attributes: Any) -> str:
        """Add one node and return its first output; kinds that ONNX itself has not are ONNX Runtime's."""
        domain = "" if kind in ("Add", "Cast", "Gather", "LayerNormalization", "Relu") else _CONTRIB
        outputs = [output, *others]
        self._nodes.append(helper.make_node(kind, inputs, outputs, name=f"make {output}", domain=domain, **attributes))
        return output

    def _keep(self, name: str, *shape: int) -> str:
        return self._store.add(name, self._weights.read(name, *shape))

    def _embed(self) -> str:
        shape = self._shape
        table = self._weights.read("wte.weight", shape.vocabulary, shape.width)
        if self._blocks is None:
            words = self._node("Gather", [self._store.add("wte.weight", table), "token_ids"], "words")
        else:
            # Half precision and not 8 bits: an error here runs through every layer (0.3 % of perplexity on the
            # starter), and only the rows looked up are ever read.
            half = self._store.add("wte.half", _to_half(table))
            rows = self._node("Gather", [half, "token_ids"], "half words")
            words = self._node("Cast", [rows], "words", to=TensorProto.FLOAT)
        table_of_positions = self._keep("wpe.weight", shape.positions, shape.width)
        places = self._node("Gather", [table_of_positions, "positions"], "places")
        return self._node("Add", [words, places], "embedded")

    def _normalise_first(self, hidden: str) -> str:
        width = self._shape.width
        scale, bias = self._keep("h.0.ln_1.weight", width), self._keep("h.0.ln_1.bias", width)
        return self._node("LayerNormalization", [hidden, scale, bias], "h.0.ln_1", axis=-1, epsilon=self._shape.epsilon)

    def _add_and_normalise(self, name: str, change: str, hidden: str) -> tuple[str, str]:
        """Return the layer norm of ``hidden + change`` and the sum itself, made by one node."""
        width = self._shape.width
        inputs = [change, hidden, self._keep(f"{name}.weight", width), self._keep(f"{name}.bias", width)]
        total = f"{name}.input"
        return self._node("SkipLayerNormalization", inputs, name, "", "", total, epsilon=self._shape.epsilon), total

    def _attend(self, layer: int, normed: str) -> str:
        shape, name = self._shape, f"h.{layer}.attn"
        matrix = self._weights.read(f"{name}.c_attn.weight", shape.width, 3 * shape.width)
        bias = self._weights.read(f"{name}.c_attn.bias", 3 * shape.width)
        packed = self._project(f"{name}.c_attn", normed, self._pad_heads(matrix).T, self._pad_heads(bias[None])[0])
        past = [f"past_key.{layer}", f"past_value.{layer}"]
        attended = self._node(
            "GroupQueryAttention",
            [packed, "", "", *past, "last_index", "total_length"],
            name,
            f"present_key.{layer}",
            f"present_value.{layer}",
            num_heads=shape.heads,
            kv_num_heads=shape.heads,
            do_rotary=0,
            scale=shape.attention_scale(layer),
        )
        matrix = self._weights.read(f"{name}.c_proj.weight", shape.width, shape.width)
        bias = self._weights.read(f"{name}.c_proj.bias", shape.width)
        return self._project(f"{name}.c_proj", attended, self._pad_heads(matrix.T), bias)

    def _pad_heads(self, matrix: Float32) -> Float32:
        """Return ``matrix`` with zeros behind each head's columns, so that heads have the size the operator takes."""
        size = self._shape.head_size
        if size == self._head:
            return matrix
        rows = matrix.shape[0]
        padded = np.pad(matrix.reshape(rows, -1, size), ((0, 0), (0, 0), (0, self._head - size)))
        return padded.reshape(rows, -1)

    def _transform(self, layer: int, normed: str) -> str:
        shape, name = self._shape, f"h.{layer}.mlp"
        matrix = self._weights.read(f"{name}.c_fc.weight", shape.width, shape.inner)
        bias = self._weights.read(f"{name}.c_fc.bias", shape.inner)
        wide = self._project(f"{name}.c_fc", normed, matrix.T, bias)
        active = self._node(shape.activation, [wide], f"{name}.active")
        matrix = self._weights.read(f"{name}.c_proj.weight", shape.inner, shape.width)
        bias = self._weights.read(f"{name}.c_proj.bias", shape.width)
        return self._project(f"{name}.c_proj", active, matrix.T, bias)

    def _predict(self, normed: str) -> None:
        shape = self._shape
        rows = self._node("Gather", [normed, "wanted"], "wanted rows", axis=1)
        if shape.tied_output and self._blocks is None:
            # Reads the embedding as it lies, so a tied matrix is stored once.
            self._node("FusedMatMul", [rows, "wte.weight"], "logits", transB=1)
        else:
            source = "wte.weight" if shape.tied_output else "lm_head.weight"
            self._project("logits", rows, self._weights.read(source, shape.vocabulary, shape.width), None)

    def _project(self, name: str, inputs: str, matrix: Float32, bias: Float32 | None) -> str:
        """Add ``inputs @ matrix.T + bias`` for a [outputs, inputs] matrix, in the graph's precision where it fits."""
        outputs, width = matrix.shape
        size = self._blocks.fit(width) if self._blocks else None
        added = self._store.add(f"{name}.bias", bias) if bias is not None else ""
        if self._blocks is None or size is None:
            weight = self._store.add(f"{name}.weight", matrix if bias is None else matrix.T)
            product = f"{name}.product" if added else name
            self._node("FusedMatMul", [inputs, weight], product, transB=int(bias is None))
            return self._node("Add", [product, added], name) if added else name
        numbers, scales = quantise_blocks(np.ascontiguousarray(matrix), self._blocks.bits, size)
        inputs_of_node = [
            inputs,
            self._store.add(f"{name}.numbers", numbers),
            self._store.add(f"{name}.scales", scales),
            *(["", "", added] if added else []),
        ]
        return self._node(
            "MatMulNBits",
            inputs_of_node,
            name,
            K=width,
            N=outputs,
            bits=self._blocks.bits,
            block_size=size,
            # Activations in 8 bits too, with a scale for each block of each row: outliers stay among themselves.
            accuracy_level=4,
        )


def _to_half(table: Float32) -> NDArray[np.generic]:
    """Return the table as float16 where it fits, else as it is."""
    return table.astype(np.float16) if np.abs(table).max(initial=0) < np.finfo(np.float16).max else table

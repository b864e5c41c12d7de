"""The fast graph: a GPT-2 made of ONNX Runtime's own operators, from safetensors and without torch.

Inputs: ``token_ids`` and ``positions`` [batch, tokens] int64; ``last_index`` [batch] int32, the index of each row's
last token in the cache; ``total_length`` int32, the cache's length after this run; ``wanted`` [rows] int64, the
places among ``tokens`` whose logits are asked for; and ``past_key.<layer>``/``past_value.<layer>``
[batch, heads, capacity, head size], which may be bound to the same memory as ``present_...``.
Outputs: ``logits`` [batch, rows, vocabulary] float32 and the present cache (float16 in an fp16 graph).
The measures stand in the graph's metadata, so nobody needs config.json beside it.

A graph with the ``rows`` kernel holds its layers twice: in blocks of 8 bits for a few tokens, which reads the fewest
bytes, and for many tokens as whole-number products with one scale for each row of activations, which the processor
multiplies twice as fast. docs/decisions/0016-kernels.md has the figures.
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

from trainer.export.forms import CARES, PRECISIONS, Activations, Care, Form
from trainer.export.quantising import Blocks, quantise_blocks, quantise_four_bits, quantise_outputs
from trainer.export.weight_store import WeightStore
from trainer.export.weights import Float32, Shape, Weights, read_shape
from trainer.protocol.failures import TrainerError, TrainerFailure

LAYOUT = "storydesk-gpt2-1"
"""The names and meanings of inputs, outputs and metadata; a reader refuses what it does not know."""

WIDE_FROM = 16
"""Tokens in one run from which on a graph with the ``rows`` kernel multiplies by rows and not by blocks."""

_CONTRIB = "com.microsoft"
# What ONNX itself has; the rest is ONNX Runtime's own.
_STANDARD = {"Abs", "Add", "Cast", "Concat", "ConstantOfShape", "Gather", "GreaterOrEqual", "If", "LayerNormalization"}
_STANDARD |= {"Max", "Mul", "QuantizeLinear", "ReduceMax", "Relu", "Reshape", "Shape", "Size", "Unsqueeze"}
_OPSET = 18
_IR_VERSION = 9
# Signed whole numbers from -127 to 127 are kept as unsigned ones around this.
_MIDDLE = 128
# GroupQueryAttention wants head sizes in multiples of this; narrower heads are padded with zeros.
_HEAD_STEP = 8
# What is larger goes into a file beside the graph: that one is mapped, where a graph is read, parsed and copied.
_INLINE_BYTES = 4_000_000


def build_graph(
    weights: Path,
    out: Path,
    precision: str,
    *,
    activations: Activations | None = None,
    by_rows: bool = False,
    care: Care = CARES[0],
) -> None:
    """Write the fast graph of the GPT-2 in the folder ``weights`` to ``out``, atomically.

    Weights of some size go into ``<out>.data`` beside it. ``activations`` makes 4 bits truer and is needed for
    ``by_rows``, the kernel for many tokens of int8; ``care`` is for int4. Raise TrainerError(BASE_NOT_USABLE) for a
    model that can't be built, BAD_REQUEST for an unknown precision or an unwritable place, DISK_FULL, MEMORY_FULL.
    """
    if precision not in PRECISIONS:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=f"the precision {precision[:40]} is not known")
    shape = read_shape(weights)
    tensors = Weights(weights)
    form = PRECISIONS[precision]
    graph = out.with_name(out.name + ".partial")
    data = out.with_name(out.name + ".data.partial")
    final_data = out.with_name(out.name + ".data")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        external = _count_weights(shape) * (4 if form.layers is None else 2) > _INLINE_BYTES
        with WeightStore(data, final_data.name, external) as store:
            builder = _GraphBuilder(shape, tensors, form, store, activations, care)
            model = builder.build(precision, by_rows=by_rows and activations is not None)
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


def _count_weights(shape: Shape) -> int:
    layer = 4 * shape.width * shape.width + 2 * shape.width * shape.inner
    return shape.layers * layer + (2 * shape.vocabulary + shape.positions) * shape.width


@dataclass(frozen=True, slots=True)
class _Product:
    """A projection's output, and the bias that its reader still has to add ("" where there is none)."""

    name: str
    bias: str = ""


class _GraphBuilder:
    """Adds node after node from the embedding to the logits."""

    def __init__(
        self,
        shape: Shape,
        weights: Weights,
        form: Form,
        store: WeightStore,
        activations: Activations | None,
        care: Care,
    ) -> None:
        self._shape = shape
        self._weights = weights
        self._form = form
        self._store = store
        self._activations = activations
        self._care = care
        self._nodes: list[onnx.NodeProto] = []
        self._branch = ""
        self._by_rows = False
        self._wide = False
        self._head = -(-shape.head_size // _HEAD_STEP) * _HEAD_STEP
        self._number = TensorProto.FLOAT16 if form.half else TensorProto.FLOAT

    def build(self, precision: str, *, by_rows: bool) -> onnx.ModelProto:
        """Return the whole model."""
        shape = self._shape
        self._by_rows = by_rows
        hidden = self._embed()
        self._predict(self._choose_kernel(hidden) if by_rows else self._add_layers(hidden))
        inputs = [
            helper.make_tensor_value_info("token_ids", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("positions", TensorProto.INT64, ["batch", "tokens"]),
            helper.make_tensor_value_info("last_index", TensorProto.INT32, ["batch"]),
            helper.make_tensor_value_info("total_length", TensorProto.INT32, []),
            helper.make_tensor_value_info("wanted", TensorProto.INT64, ["rows"]),
            *self._describe_cache("past"),
        ]
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "rows", shape.vocabulary])
        outputs = [logits, *self._describe_cache("present")]
        graph = helper.make_graph(self._nodes, "gpt2", inputs, outputs, self._store.tensors)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="storydesk", ir_version=_IR_VERSION)
        helper.set_model_props(model, {**self._describe(precision), "kernel": "rows" if by_rows else "blocks"})
        return model

    def _describe_cache(self, prefix: str) -> list[onnx.ValueInfoProto]:
        dimensions: list[str | int | None] = ["batch", self._shape.heads, "capacity", self._head]
        names = [f"{kind}.{layer}" for layer in range(self._shape.layers) for kind in ("key", "value")]
        return [helper.make_tensor_value_info(f"{prefix}_{name}", self._number, dimensions) for name in names]

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
        domain = "" if kind in _STANDARD else _CONTRIB
        outputs = [output, *others]
        self._nodes.append(helper.make_node(kind, inputs, outputs, name=f"make {output}", domain=domain, **attributes))
        return output

    def _add(self, name: str, values: NDArray[np.generic]) -> str:
        """Keep weights, as float16 in a graph of such."""
        if self._form.half and values.dtype == np.float32:
            values = _to_half(values)
        return self._store.add(name, values)

    def _keep(self, name: str, *shape: int) -> str:
        return name if name in self._store else self._add(name, self._weights.read(name, *shape))

    def _embed(self) -> str:
        shape = self._shape
        table = self._weights.read("wte.weight", shape.vocabulary, shape.width)
        if self._form.layers is None:
            words = self._node("Gather", [self._add("wte.weight", table), "token_ids"], "words")
        else:
            # Half precision and not 8 bits: an error here runs through every layer (0.3 % of perplexity on the
            # starter), and only the rows looked up are ever read.
            half = self._store.add("wte.half", _to_half(table))
            rows = self._node("Gather", [half, "token_ids"], "half words")
            words = self._node("Cast", [rows], "words", to=TensorProto.FLOAT)
        table_of_positions = self._keep("wpe.weight", shape.positions, shape.width)
        places = self._node("Gather", [table_of_positions, "positions"], "places")
        return self._node("Add", [words, places], "embedded")

    def _choose_kernel(self, hidden: str) -> str:
        """Add both kinds of layers and what chooses between them; return the rows whose logits are wanted."""
        outer = self._nodes
        branches = {}
        for branch, wide in (("then_branch", True), ("else_branch", False)):
            self._nodes, self._branch, self._wide = [], "wide/" if wide else "narrow/", wide
            rows = self._add_layers(hidden)
            row = helper.make_tensor_value_info(rows, self._number, ["batch", "rows", self._shape.width])
            outputs = [row, *self._describe_cache(f"{self._branch}present")]
            branches[branch] = helper.make_graph(self._nodes, self._branch.strip("/"), [], outputs)
        self._nodes, self._branch, self._wide = outer, "", False
        self._measure_rows()
        least = self._store.add("wide from", np.array(WIDE_FROM, np.int64))
        many = self._node("GreaterOrEqual", ["token count", least], "many tokens")
        presents = [value.name for value in self._describe_cache("present")]
        return self._node("If", [many], "wanted rows", *presents, **branches)

    def _measure_rows(self) -> None:
        """Add what all products by rows share: the sizes of [batch, tokens, width] and a zero point for each row."""
        rest = self._store.add("the rest", np.array([-1], np.int64))
        sizes = self._node("Shape", ["token_ids"], "token sizes")
        self._node("Concat", [sizes, rest], "wide/sizes", axis=0)
        count = self._node("Size", ["token_ids"], "token count")
        rows = self._node("Reshape", [count, rest], "row count")
        middle = helper.make_tensor("middle", TensorProto.UINT8, [1], [_MIDDLE])
        self._node("ConstantOfShape", [rows], "wide/middles", value=middle)

    def _add_layers(self, hidden: str) -> str:
        """Add all layers in the branch's kernel; return the rows whose logits are wanted.

        By rows, everything but attention works on [rows, width]: all tokens of all texts one below the other.
        """
        shape = self._shape
        if self._wide:
            hidden = self._flatten(hidden, shape.width)
        normed = self._normalise_first(hidden)
        for layer in range(shape.layers):
            normed, hidden = self._add_and_normalise(f"h.{layer}.ln_2", self._attend(layer, normed), hidden)
            following = f"h.{layer + 1}.ln_1" if layer + 1 < shape.layers else "ln_f"
            normed, hidden = self._add_and_normalise(following, self._transform(layer, normed), hidden)
        normed = self._unflatten(normed) if self._wide else normed
        return self._node("Gather", [normed, "wanted"], f"{self._branch}wanted rows", axis=1)

    def _flatten(self, name: str, width: int) -> str:
        size = self._store.add(f"rows of {width}", np.array([-1, width], np.int64))
        return self._node("Reshape", [name, size], f"{name} in rows")

    def _unflatten(self, name: str) -> str:
        """Return [rows, width] as [batch, tokens, width] again."""
        return self._node("Reshape", [name, "wide/sizes"], f"{name} by text")

    def _keep_norm(self, name: str) -> tuple[str, str]:
        """Keep a layer norm's scale and bias, evened out for the projection behind it where that is by rows."""
        width = self._shape.width
        if not self._evens or name == "ln_f":
            return self._keep(f"{name}.weight", width), self._keep(f"{name}.bias", width)
        part = "attn.c_attn" if name.endswith("ln_1") else "mlp.c_fc"
        outputs = 3 * width if name.endswith("ln_1") else self._shape.inner
        matrix = self._weights.read(f"{name.rpartition('.')[0]}.{part}.weight", width, outputs)
        evening = self._find_evening(name, matrix.T)
        scale, bias = self._weights.read(f"{name}.weight", width), self._weights.read(f"{name}.bias", width)
        place = f"{self._branch or 'even/'}{name}"
        return self._add(f"{place}.weight", scale * evening), self._add(f"{place}.bias", bias * evening)

    @property
    def _evens(self) -> bool:
        """Whether layer norms even out what the projections behind them are given."""
        four = self._form.layers is not None and self._form.layers.bits == 4
        return self._activations is not None and (self._wide or four)

    def _find_evening(self, name: str, matrix: Float32, *, by_rows: bool | None = None) -> Float32:
        """Return [inputs] factors that even out a projection's inputs; its weights are divided by them.

        GPT-2 has channels many times as large as the rest, and one scale for a row would round the others away. The
        factors move half of the difference, on a logarithmic scale, into the weights, which have outliers less. At 4
        bits it is the weights that are rounded: there the usual sizes count and not the largest.
        """
        assert self._activations is not None
        if self._wide if by_rows is None else by_rows:
            inputs, weights = self._activations.largest[name], np.abs(matrix).max(0)
        else:
            inputs, weights = np.sqrt(self._activations.mean_square[name]), np.sqrt(np.square(matrix).mean(0))
        factors: Float32 = np.sqrt(np.maximum(weights, 1e-5) / np.maximum(inputs, 1e-5)).astype(np.float32)
        return factors

    def _normalise_first(self, hidden: str) -> str:
        scale, bias = self._keep_norm("h.0.ln_1")
        name, epsilon = f"{self._branch}h.0.ln_1", self._shape.epsilon
        return self._node("LayerNormalization", [hidden, scale, bias], name, axis=-1, epsilon=epsilon)

    def _add_and_normalise(self, name: str, change: _Product, hidden: str) -> tuple[str, str]:
        """Return the layer norm of ``hidden + change``, and the sum itself."""
        norm = list(self._keep_norm(name))
        output, epsilon = f"{self._branch}{name}", self._shape.epsilon
        total = f"{output}.input"
        if self._form.half:
            # One kernel on a GPU. On the CPU the same node goes number by number and takes eight times as long.
            inputs = [change.name, hidden, *norm, *([change.bias] if change.bias else [])]
            return self._node("SkipLayerNormalization", inputs, output, "", "", total, epsilon=epsilon), total
        self._node("Add", [self._complete(change), hidden], total)
        return self._node("LayerNormalization", [total, *norm], output, axis=-1, epsilon=epsilon), total

    def _attend(self, layer: int, normed: str) -> _Product:
        shape, name = self._shape, f"h.{layer}.attn"
        matrix = self._weights.read(f"{name}.c_attn.weight", shape.width, 3 * shape.width)
        bias = self._weights.read(f"{name}.c_attn.bias", 3 * shape.width)
        evening = self._find_evening(f"h.{layer}.ln_1", matrix.T) if self._evens else None
        matrix, bias = self._pad_heads(matrix).T, self._pad_heads(bias[None])[0]
        output = self._pad_heads(self._weights.read(f"{name}.c_proj.weight", shape.width, shape.width).T)
        values_evening = self._find_values_evening(name, output)
        if values_evening is not None:
            start = 2 * len(values_evening)
            matrix = np.concatenate([matrix[:start], matrix[start:] * values_evening[:, None]])
            bias = np.concatenate([bias[:start], bias[start:] * values_evening])
        packed = self._project(f"{name}.c_attn", normed, matrix, bias, source=f"h.{layer}.ln_1", evening=evening)
        query = self._complete(packed)
        past = [f"past_key.{layer}", f"past_value.{layer}"]
        attended = self._node(
            "GroupQueryAttention",
            [self._unflatten(query) if self._wide else query, "", "", *past, "last_index", "total_length"],
            f"{self._branch}{name}",
            f"{self._branch}present_key.{layer}",
            f"{self._branch}present_value.{layer}",
            num_heads=shape.heads,
            kv_num_heads=shape.heads,
            do_rotary=0,
            scale=shape.attention_scale(layer),
        )
        if self._wide:
            attended = self._flatten(attended, shape.heads * self._head)
        bias = self._weights.read(f"{name}.c_proj.bias", shape.width)
        return self._project(f"{name}.c_proj", attended, output, bias, source=name, evening=values_evening)

    def _find_values_evening(self, name: str, matrix: Float32) -> Float32 | None:
        """Return what the values of attention are multiplied with, so that its output comes evened out.

        Both kernels of a graph keep the same cache, so both do it.
        """
        return self._find_evening(name, matrix, by_rows=True) if self._by_rows else None

    def _pad_heads(self, matrix: Float32) -> Float32:
        """Return ``matrix`` with zeros behind each head's columns, so that heads have the size the operator takes."""
        size = self._shape.head_size
        if size == self._head:
            return matrix
        rows = matrix.shape[0]
        padded = np.pad(matrix.reshape(rows, -1, size), ((0, 0), (0, 0), (0, self._head - size)))
        return padded.reshape(rows, -1)

    def _transform(self, layer: int, normed: str) -> _Product:
        shape, name = self._shape, f"h.{layer}.mlp"
        matrix = self._weights.read(f"{name}.c_fc.weight", shape.width, shape.inner)
        bias = self._weights.read(f"{name}.c_fc.bias", shape.inner)
        source = f"h.{layer}.ln_2"
        evening = self._find_evening(source, matrix.T) if self._evens else None
        wide = self._project(f"{name}.c_fc", normed, matrix.T, bias, source=source, evening=evening)
        output = f"{self._branch}{name}.active"
        if shape.activation == "FastGelu" and wide.bias:
            active = self._node("FastGelu", [wide.name, wide.bias], output)
        else:
            active = self._node(shape.activation, [self._complete(wide)], output)
        matrix = self._weights.read(f"{name}.c_proj.weight", shape.inner, shape.width)
        bias = self._weights.read(f"{name}.c_proj.bias", shape.width)
        return self._project(f"{name}.c_proj", active, matrix.T, bias, source=f"{name}.active")

    def _predict(self, rows: str) -> None:
        shape = self._shape
        if shape.tied_output and self._form.output is None:
            # Reads the embedding as it lies, so a tied matrix is stored once.
            logits = "half logits" if self._form.half else "logits"
            self._node("FusedMatMul", [rows, "wte.weight"], logits, transB=1)
        else:
            source = "wte.weight" if shape.tied_output else "lm_head.weight"
            matrix = self._weights.read(source, shape.vocabulary, shape.width)
            name = "half logits" if self._form.half else "logits"
            self._multiply(name, rows, matrix, None, self._form.output, None)
        if self._form.half:
            self._node("Cast", ["half logits"], "logits", to=TensorProto.FLOAT)

    def _complete(self, product: _Product) -> str:
        """Return a projection's output with its bias added."""
        if not product.bias:
            return product.name
        return self._node("Add", [product.name, product.bias], f"{product.name} complete")

    def _project(
        self,
        name: str,
        inputs: str,
        matrix: Float32,
        bias: Float32,
        *,
        source: str,
        evening: Float32 | None = None,
    ) -> _Product:
        """Add ``inputs @ matrix.T`` for a [outputs, inputs] matrix of a layer, in the branch's kernel.

        ``evening`` says that the inputs come evened out; by rows, others are evened out here.
        """
        if not self._wide:
            importance = self._activations.mean_square[source] if self._activations else None
            if evening is not None:
                matrix = matrix / evening
                importance = None if importance is None else importance * np.square(evening)
            blocks = self._form.layers
            if blocks is not None and blocks.bits == 4:
                kept = name.split(".", 2)[-1] in self._care.eight_bits
                blocks = self._form.output if kept else Blocks(4, self._care.size)
            return self._multiply(name, inputs, matrix, bias, blocks, importance)
        if evening is None:
            # Nothing before this projection could take the factors in: FastGelu is no straight line.
            evening = self._find_evening(source, matrix)
            inputs = self._node("Mul", [inputs, self._add(f"wide/{name}.evening", evening)], f"wide/{name}.even")
        return self._multiply_rows(name, inputs, matrix / evening, bias)

    def _multiply_rows(self, name: str, inputs: str, matrix: Float32, bias: Float32) -> _Product:
        """Add a product of whole numbers with one scale for each row of the inputs and one for each output."""
        place = f"wide/{name}"
        magnitudes = self._node("Abs", [inputs], f"{place}.magnitudes")
        last = self._store.add("last axis", np.array([-1], np.int64))
        largest = self._node("ReduceMax", [magnitudes, last], f"{place}.largest", keepdims=0)
        step = self._store.add("step", np.array(1 / 127, np.float32))
        least = self._store.add("least scale", np.array(1e-12, np.float32))
        scale = self._node("Mul", [largest, step], f"{place}.scale")
        scale = self._node("Max", [scale, least], f"{place}.safe scale")
        rounded = self._node("QuantizeLinear", [inputs, scale, "wide/middles"], f"{place}.rounded", axis=0)
        numbers, scales = quantise_outputs(np.ascontiguousarray(matrix))
        one = self._store.add("one", np.array(1, np.float32))
        middle = self._store.add("middle", np.array(_MIDDLE, np.uint8))
        weights = [self._store.add(f"{place}.numbers", numbers), one, self._store.add(f"{place}.scales", scales)]
        product = self._node("MatMulIntegerToFloat", [rounded, *weights, middle], f"{place}.product")
        scale = self._node("Unsqueeze", [scale, last], f"{place}.column")
        added = self._store.add(f"{name}.bias", bias)
        return _Product(self._node("Mul", [product, scale], place), added)

    def _multiply(
        self,
        name: str,
        inputs: str,
        matrix: Float32,
        bias: Float32 | None,
        blocks: Blocks | None,
        importance: Float32 | None,
    ) -> _Product:
        """Add a product in blocks, or in floating point where ``blocks`` is None or fits no row."""
        outputs, width = matrix.shape
        output = f"{self._branch}{name}"
        size = blocks.fit(width) if blocks else None
        added = self._add(f"{name}.bias", bias) if bias is not None else ""
        if blocks is None or size is None:
            weight = self._add(f"{name}.weight", matrix if bias is None else matrix.T)
            return _Product(self._node("FusedMatMul", [inputs, weight], output, transB=int(bias is None)), added)
        matrix = np.ascontiguousarray(matrix)
        if blocks.bits == 4:
            found = quantise_four_bits(matrix, size, importance)
            numbers, scales, zeros = found.pack_numbers(), found.scales, found.pack_zeros()
            last = [self._store.add(f"{name}.zeros", zeros), "", added]
        else:
            numbers, scales = quantise_blocks(matrix, blocks.bits, size)
            last = ["", "", added]
        parts = [self._store.add(f"{name}.numbers", numbers), self._store.add(f"{name}.scales", scales)]
        while last and not last[-1]:
            last.pop()
        self._node(
            "MatMulNBits",
            [inputs, *parts, *last],
            output,
            K=width,
            N=outputs,
            bits=blocks.bits,
            block_size=size,
            # Activations in 8 bits too, with a scale for each block of each row: outliers stay among themselves.
            accuracy_level=4,
        )
        return _Product(output)


def _to_half(table: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return the table as float16 where it fits, else as it is."""
    return table.astype(np.float16) if np.abs(table).max(initial=0) < np.finfo(np.float16).max else table

"""The fast graph says what torch says, and folders that are no usable GPT-2 are refused with a reason."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from tokenizers import Tokenizer

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from tests.fakes.tiny_style_model import STARTER
from trainer.base import open_base
from trainer.export import graph as graph_module
from trainer.export.activations import measure_activations
from trainer.export.building import make_passage_rows
from trainer.export.forms import CARES, Activations, Care, list_projected
from trainer.export.graph import WIDE_FROM, build_graph
from trainer.export.graph_runner import GraphRunner
from trainer.export.passage import CALIBRATION, MEASURED
from trainer.export.quantising import quantise_blocks, quantise_four_bits, quantise_outputs
from trainer.export.weights import read_shape
from trainer.protocol.failures import TrainerError, TrainerFailure

Arrays = dict[str, NDArray[Any]]
SAMPLES = STARTER.parent / "samples"


def compute_with_torch(folder: Path, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    return compute_rows_with_torch(folder, [ids])[0]


def compute_rows_with_torch(folder: Path, rows: list[NDArray[np.int64]]) -> list[NDArray[np.float32]]:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.set_num_threads(1)  # more of them wait busily for each other on a machine that does something else
    # Not sdpa, which passes over the scales that some configurations ask for.
    network = transformers.GPT2LMHeadModel.from_pretrained(folder, attn_implementation="eager").float().eval()
    results = []
    for ids in rows:
        with torch.inference_mode():
            logits = network(torch.tensor(ids[None])).logits[0]
        results.append(torch.log_softmax(logits, -1).numpy())
    return results


def change_config(folder: Path, **changes: object) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_weights(folder: Path, change: Callable[[Arrays], Arrays]) -> None:
    path = folder / "model.safetensors"
    changed = change(load_file(path))
    path.unlink()
    save_file(changed, path)


def draw_ids(count: int, vocabulary: int) -> NDArray[np.int64]:
    return np.random.default_rng(1).integers(0, vocabulary, count)


def sample_rows() -> Iterator[NDArray[np.int64]]:
    tokenizer = Tokenizer.from_file(str(STARTER / "tokenizer.json"))
    for path in sorted(SAMPLES.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines()[:4]:
            pair = json.loads(line)
            text = f"Prompt: {pair['prompt']}\n\nStory:\n{pair['story']}"
            yield np.array([0, *tokenizer.encode(text).ids][:512], np.int64)


def mean_nats(log_probabilities: NDArray[np.float32], ids: NDArray[np.int64]) -> float:
    return float(-log_probabilities[np.arange(len(ids) - 1), ids[1:]].mean(dtype=np.float64))


def test_starter_agrees_with_torch_and_keeps_its_perplexity_in_8_bits(tmp_path: Path) -> None:
    runners = {}
    for precision in ("fp32", "int8"):
        build_graph(STARTER, tmp_path / f"{precision}.onnx", precision)
        runners[precision] = GraphRunner(tmp_path / f"{precision}.onnx")
    nats: dict[str, list[float]] = {"fp32": [], "int8": []}
    rows = list(sample_rows())
    for ids, expected in zip(rows, compute_rows_with_torch(STARTER, rows), strict=True):
        exact = runners["fp32"].log_probabilities(ids)
        assert np.abs(exact - expected).max() < 1e-3
        nats["fp32"].append(mean_nats(exact, ids) * (len(ids) - 1))
        nats["int8"].append(mean_nats(runners["int8"].log_probabilities(ids), ids) * (len(ids) - 1))
    tokens = sum(len(ids) - 1 for ids in rows)
    assert abs(np.expm1((sum(nats["int8"]) - sum(nats["fp32"])) / tokens)) < 0.005


@pytest.mark.parametrize(
    ("sizes", "config"),
    [
        ({}, {}),
        ({"width": 60, "heads": 5, "layers": 1}, {}),  # heads of 12, no block fits
        ({"width": 48, "heads": 4, "positions": 33}, {"n_inner": None}),
        ({"layers": 3}, {"scale_attn_by_inverse_layer_idx": True}),
        ({}, {"scale_attn_weights": False, "layer_norm_epsilon": 1e-3}),
        ({}, {"activation_function": "gelu"}),
        ({}, {"activation_function": "relu"}),
    ],
)
def test_every_shape_agrees_with_torch(tmp_path: Path, sizes: dict[str, int], config: dict[str, object]) -> None:
    folder = make_tiny_gpt2(tmp_path / "model", **sizes)
    change_config(folder, **config)
    ids = draw_ids(sizes.get("positions", 90), 384)
    expected = compute_with_torch(folder, ids)
    build_graph(folder, tmp_path / "fp32.onnx", "fp32")
    assert np.abs(GraphRunner(tmp_path / "fp32.onnx").log_probabilities(ids) - expected).max() < 1e-3
    build_graph(folder, tmp_path / "int8.onnx", "int8")
    assert np.abs(GraphRunner(tmp_path / "int8.onnx").log_probabilities(ids) - expected).mean() < 0.05


def test_an_inner_width_of_its_own_is_taken_from_the_config(tmp_path: Path) -> None:
    folder = make_tiny_gpt2(tmp_path / "model", layers=1)
    change_config(folder, n_inner=72)

    def cut(weights: Arrays) -> Arrays:
        name = "transformer.h.0.mlp"
        weights[f"{name}.c_fc.weight"] = weights[f"{name}.c_fc.weight"][:, :72].copy()
        weights[f"{name}.c_fc.bias"] = weights[f"{name}.c_fc.bias"][:72].copy()
        weights[f"{name}.c_proj.weight"] = weights[f"{name}.c_proj.weight"][:72].copy()
        return weights

    change_weights(folder, cut)
    ids = draw_ids(20, 384)
    build_graph(folder, tmp_path / "g.onnx", "fp32")
    difference = GraphRunner(tmp_path / "g.onnx").log_probabilities(ids) - compute_with_torch(folder, ids)
    assert np.abs(difference).max() < 1e-3


@pytest.mark.parametrize("kind", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_files_without_a_prefix_are_read(tmp_path: Path, kind: type) -> None:
    plain = make_tiny_gpt2(tmp_path / "plain")
    half = make_tiny_gpt2(tmp_path / "half")
    rounded: Arrays = {name: values.astype(kind) for name, values in load_file(plain / "model.safetensors").items()}
    change_weights(plain, lambda _: {name: values.astype(np.float32) for name, values in rounded.items()})
    (half / "model.safetensors").unlink()
    bare = {name.removeprefix("transformer."): values for name, values in rounded.items()}
    save_file(bare, half / "model.safetensors")
    ids = draw_ids(30, 384)
    answers = []
    for folder in (plain, half):
        build_graph(folder, folder / "g.onnx", "fp32")
        answers.append(GraphRunner(folder / "g.onnx").log_probabilities(ids))
    assert np.array_equal(answers[0], answers[1])


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_an_output_layer_of_its_own_is_used_where_the_config_says_so(tmp_path: Path, precision: str) -> None:
    folder = make_tiny_gpt2(tmp_path / "model")
    own = np.random.default_rng(5).standard_normal((384, 32)).astype(np.float32)
    change_weights(folder, lambda weights: {**weights, "lm_head.weight": own})
    change_config(folder, tie_word_embeddings=False)
    ids = draw_ids(30, 384)
    build_graph(folder, tmp_path / "g.onnx", precision)
    difference = GraphRunner(tmp_path / "g.onnx").log_probabilities(ids) - compute_with_torch(folder, ids)
    assert np.abs(difference).mean() < (1e-4 if precision == "fp32" else 0.2)


def test_sharded_weights_are_read(tmp_path: Path) -> None:
    folder = make_tiny_gpt2(tmp_path / "model")
    build_graph(folder, tmp_path / "whole.onnx", "fp32")
    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names = sorted(weights)
    parts = {"a.safetensors": names[::2], "b.safetensors": names[1::2]}
    for part, members in parts.items():
        save_file({name: weights[name] for name in members}, folder / part)
    index = {"weight_map": {name: part for part, members in parts.items() for name in members}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    build_graph(folder, tmp_path / "sharded.onnx", "fp32")
    assert (tmp_path / "sharded.onnx").read_bytes() == (tmp_path / "whole.onnx").read_bytes()


def test_large_graphs_keep_their_weights_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_tiny_gpt2(tmp_path / "model")
    ids = draw_ids(30, 384)
    build_graph(folder, tmp_path / "inline.onnx", "int8")
    monkeypatch.setattr(graph_module, "_INLINE_BYTES", 0)
    build_graph(folder, tmp_path / "beside.onnx", "int8")
    assert (tmp_path / "beside.onnx").stat().st_size < (tmp_path / "inline.onnx").stat().st_size
    inline, beside = (GraphRunner(tmp_path / f"{name}.onnx").log_probabilities(ids) for name in ("inline", "beside"))
    assert np.array_equal(inline, beside)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "beside.onnx",
        "beside.onnx.data",
        "inline.onnx",
    ]


def drop(name: str) -> Callable[[Path], None]:
    return lambda folder: change_weights(folder, lambda weights: {k: v for k, v in weights.items() if k != name})


def set_not_finite(folder: Path) -> None:
    def change(weights: Arrays) -> Arrays:
        weights["transformer.ln_f.bias"][3] = np.nan
        return weights

    change_weights(folder, change)


@pytest.mark.parametrize(
    ("spoil", "detail"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "can't be read"),
        (lambda folder: (folder / "config.json").write_text("[]"), "no table"),
        (lambda folder: change_config(folder, model_type="bert"), "not a GPT-2"),
        (lambda folder: change_config(folder, n_layer=0), "n_layer"),
        (lambda folder: change_config(folder, n_embd="32"), "n_embd"),
        (lambda folder: change_config(folder, n_head=3), "multiple"),
        (lambda folder: change_config(folder, n_layer=9), "missing"),
        (lambda folder: change_config(folder, vocab_size=999), "shape"),
        (lambda folder: change_config(folder, activation_function="swish"), "swish"),
        (lambda folder: change_config(folder, add_cross_attention=True), "cross"),
        (lambda folder: change_config(folder, tie_word_embeddings=False), "lm_head.weight is missing"),
        (lambda folder: (folder / "model.safetensors").unlink(), "no model.safetensors"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "damaged"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 100), "damaged"),
        (lambda folder: cut_short(folder / "model.safetensors"), "damaged"),
        (drop("transformer.h.1.ln_2.bias"), "h.1.ln_2.bias is missing"),
        (set_not_finite, "not finite"),
    ],
)
def test_unusable_folders_are_refused_and_leave_nothing(
    tmp_path: Path, spoil: Callable[[Path], object], detail: str
) -> None:
    folder = make_tiny_gpt2(tmp_path / "model")
    spoil(folder)
    with pytest.raises(TrainerError) as caught:
        build_graph(folder, tmp_path / "out" / "g.onnx", "int8")
    assert caught.value.code == TrainerFailure.BASE_NOT_USABLE
    assert detail in str(caught.value.parameters["detail"])
    assert not list((tmp_path / "out").glob("*"))


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def test_an_unknown_precision_is_a_bad_request(tmp_path: Path) -> None:
    with pytest.raises(TrainerError) as caught:
        build_graph(make_tiny_gpt2(tmp_path / "model"), tmp_path / "g.onnx", "int3")
    assert caught.value.code == TrainerFailure.BAD_REQUEST


def test_a_full_disk_leaves_the_old_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_tiny_gpt2(tmp_path / "model")
    (tmp_path / "g.onnx").write_text("old")

    def fail(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(TrainerError) as caught:
        build_graph(folder, tmp_path / "g.onnx", "fp32")
    assert caught.value.code == TrainerFailure.DISK_FULL
    assert (tmp_path / "g.onnx").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["g.onnx"]


def test_blocks_are_off_by_half_a_step_at_most() -> None:
    matrix = np.random.default_rng(2).standard_normal((5000, 64)).astype(np.float32)
    matrix[3, :32] = 0
    numbers, scales = quantise_blocks(matrix, 8, 32)
    restored = (numbers.astype(np.float32) - 128) * scales[..., None]
    assert (np.abs(restored.reshape(matrix.shape) - matrix) <= np.repeat(scales, 32, 1) / 2 + 1e-7).all()


def test_the_runner_refuses_too_many_tokens_and_strangers(tmp_path: Path) -> None:
    folder = make_tiny_gpt2(tmp_path / "model", positions=16)
    build_graph(folder, tmp_path / "g.onnx", "fp32")
    with pytest.raises(ValueError, match="16"):
        GraphRunner(tmp_path / "g.onnx").log_probabilities(np.zeros(17, np.int64))


def make_activations(folder: Path, seed: int = 3) -> Activations:
    """Draw activations for every projection: what they are matters to how true a graph is, not to whether it runs."""
    shape = read_shape(folder)
    random = np.random.default_rng(seed)
    sizes = {name: shape.inner if name.endswith("active") else shape.width for name in list_projected(shape)}
    largest = {name: random.uniform(0.5, 4, size).astype(np.float32) for name, size in sizes.items()}
    return Activations(largest, {name: (np.square(values) / 4).astype(np.float32) for name, values in largest.items()})


def stretch_channels(weights: Arrays, factor: float) -> Arrays:
    """Return the same function with outliers: a few channels of every layer norm stretched, their readers shrunk."""
    for name in [name for name in weights if ".ln_1.weight" in name or ".ln_2.weight" in name]:
        layer = name.split(".")[2]
        reader = "attn.c_attn" if ".ln_1." in name else "mlp.c_fc"
        channels = [5, 77, 138]
        for part in ("weight", "bias"):
            values = weights[name.replace("weight", part)].astype(np.float32)
            values[channels] *= factor
            weights[name.replace("weight", part)] = values
        matrix = weights[f"transformer.h.{layer}.{reader}.weight"].astype(np.float32)
        matrix[channels] /= factor
        weights[f"transformer.h.{layer}.{reader}.weight"] = matrix
    return weights


def measure_perplexities(folder: Path, graphs: dict[str, Path]) -> dict[str, float]:
    rows = make_passage_rows(open_base(folder), MEASURED)
    perplexities = {}
    for name, path in graphs.items():
        runner = GraphRunner(path)
        nats = [mean_nats(runner.log_probabilities(np.array(row.ids)), np.array(row.ids)) for row in rows]
        perplexities[name] = float(np.exp(np.average(nats, weights=[len(row.ids) - 1 for row in rows])))
    return perplexities


@pytest.mark.parametrize("factor", [1.0, 40.0])
def test_every_precision_keeps_the_starters_perplexity_on_our_prose(tmp_path: Path, factor: float) -> None:
    folder = Path(shutil.copytree(STARTER, tmp_path / "model"))
    change_weights(folder, lambda weights: stretch_channels(weights, factor))
    graphs = {name: tmp_path / f"{name}.onnx" for name in ("fp32", "fp16", "int8", "int4")}
    build_graph(folder, graphs["fp32"], "fp32")
    activations = measure_activations(folder, graphs["fp32"], make_passage_rows(open_base(folder), CALIBRATION))
    build_graph(folder, graphs["fp16"], "fp16")
    build_graph(folder, graphs["int8"], "int8", activations=activations, by_rows=True)
    build_graph(folder, graphs["int4"], "int4", activations=activations)
    found = measure_perplexities(folder, graphs)
    assert abs(found["fp16"] / found["fp32"] - 1) < 0.001
    assert abs(found["int8"] / found["fp32"] - 1) < 0.005
    assert abs(found["int4"] / found["fp32"] - 1) < 0.03


@pytest.mark.parametrize(
    ("sizes", "config"),
    [
        ({}, {}),
        ({"width": 60, "heads": 5, "layers": 1}, {}),
        ({"width": 48, "heads": 4, "positions": 33}, {}),
        ({}, {"activation_function": "gelu"}),
        ({}, {"activation_function": "relu"}),
    ],
)
@pytest.mark.parametrize("precision", ["fp16", "int8", "int4"])
def test_every_shape_is_built_in_every_precision(
    tmp_path: Path, precision: str, sizes: dict[str, int], config: dict[str, object]
) -> None:
    folder = make_tiny_gpt2(tmp_path / "model", **sizes)
    change_config(folder, **config)
    ids = draw_ids(sizes.get("positions", 90), 384)
    activations = None
    if read_shape(folder).head_size % 8 == 0:
        activations = make_activations(folder)
    build_graph(folder, tmp_path / "fp32.onnx", "fp32")
    expected = GraphRunner(tmp_path / "fp32.onnx").log_probabilities(ids)
    build_graph(folder, tmp_path / "g.onnx", precision, activations=activations, by_rows=precision == "int8")
    found = GraphRunner(tmp_path / "g.onnx").log_probabilities(ids)
    assert np.abs(found - expected).mean() < {"fp16": 0.01, "int8": 0.05, "int4": 0.3}[precision]


def test_both_kernels_of_a_graph_say_the_same_and_no_row_depends_on_another(tmp_path: Path) -> None:
    folder = make_tiny_gpt2(tmp_path / "model")
    build_graph(folder, tmp_path / "g.onnx", "int8", activations=make_activations(folder), by_rows=True)
    ids = draw_ids(80, 384)
    wide = GraphRunner(tmp_path / "g.onnx").log_probabilities(ids)
    few = GraphRunner(tmp_path / "g.onnx", WIDE_FROM - 1).log_probabilities(ids)
    assert not np.array_equal(wide, few)
    assert np.abs(wide - few).mean() < 0.02
    # By rows: in other company, the same tokens are the same to the last bits.
    longer = GraphRunner(tmp_path / "g.onnx", 20).log_probabilities(ids)
    assert np.abs(wide[:60] - longer[:60]).max() < 1e-3


@pytest.mark.parametrize("care", CARES[1:])
def test_a_4_bit_graph_can_be_made_with_more_care(tmp_path: Path, care: Care) -> None:
    folder = make_tiny_gpt2(tmp_path / "model", width=64)
    ids = draw_ids(60, 384)
    sizes, differences = [], []
    build_graph(folder, tmp_path / "fp32.onnx", "fp32")
    expected = GraphRunner(tmp_path / "fp32.onnx").log_probabilities(ids)
    for name, each in (("plain", CARES[0]), ("careful", care)):
        build_graph(folder, tmp_path / f"{name}.onnx", "int4", care=each)
        sizes.append((tmp_path / f"{name}.onnx").stat().st_size)
        differences.append(np.abs(GraphRunner(tmp_path / f"{name}.onnx").log_probabilities(ids) - expected).mean())
    assert sizes[1] > sizes[0]
    assert differences[1] < differences[0]


@given(seed=st.integers(0, 1000), scale=st.floats(1e-3, 1e3), shift=st.floats(-2, 2))
def test_4_bits_are_off_by_no_more_than_plain_rounding_is(seed: int, scale: float, shift: float) -> None:
    random = np.random.default_rng(seed)
    matrix = ((random.standard_normal((6, 64)) + shift) * scale).astype(np.float32)
    found = quantise_four_bits(matrix, 32)
    blocks = matrix.reshape(6, 2, 32)
    low, high = np.minimum(blocks.min(-1), 0), np.maximum(blocks.max(-1), 0)
    step = (high - low) / 15
    plain = np.square(step).sum() * 32  # every weight off by a whole step
    assert np.square(found.restore() - matrix).sum() <= plain
    unpacked = np.stack([found.pack_numbers() & 15, found.pack_numbers() >> 4], -1).reshape(found.numbers.shape)
    assert np.array_equal(unpacked, found.numbers)


def test_outputs_are_off_by_half_a_step_at_most() -> None:
    matrix = np.random.default_rng(2).standard_normal((50, 64)).astype(np.float32)
    matrix[3] = 0
    numbers, scales = quantise_outputs(matrix)
    assert (np.abs(numbers.T * scales[:, None] - matrix) <= scales[:, None] / 2 + 1e-7).all()

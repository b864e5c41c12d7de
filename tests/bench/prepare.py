"""Makes what the benchmarks read: one set of weights in every engine's own format, kept for the next run.

Our own graphs are made again after the code that makes them has changed.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import trainer.export.graph
from storydesk.domain.style_model import StyleModel
from tests.bench.gguf_writer import quantise_gguf, write_gguf
from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from tests.fakes.tiny_style_model import STARTER
from trainer.base import open_base
from trainer.export.activations import measure_activations
from trainer.export.building import make_passage_rows
from trainer.export.forms import CARES, Care
from trainer.export.graph import build_graph
from trainer.export.passage import CALIBRATION, MEASURED
from trainer.export.weights import read_shape
from trainer.text.template import Template

SIZES = {
    "124M": {"layers": 12, "heads": 12, "width": 768, "positions": 1024, "vocabulary": 50257},
    "tiny": {"layers": 2, "heads": 2, "width": 64, "positions": 1024, "vocabulary": 1024},
}
"""Shapes with random weights, which run as fast as real ones; ``starter`` is the model that ships."""


def prepare(root: Path, name: str, *, peers: bool = True) -> Path:
    """Return the folder of a model in every format; what is there already stays."""
    folder = root / name
    weights = folder / "weights"
    if not (weights / "model.safetensors").is_file():
        if name == "starter":
            shutil.copytree(STARTER, weights, dirs_exist_ok=True)
        else:
            make_tiny_gpt2(weights, **SIZES[name])
    made_by = folder / "fast" / "made_by"
    if not made_by.is_file() or made_by.read_text(encoding="ascii") != _identify_code():
        _build_graphs(weights, folder / "fast", CARES[1] if name == "starter" else CARES[0])
        made_by.write_text(_identify_code(), encoding="ascii")
    if peers:
        _convert(folder, weights)
    return folder


def _identify_code() -> str:
    """Return what is another string as soon as the code that makes graphs is other code."""
    paths = sorted(Path(trainer.export.graph.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _build_graphs(weights: Path, out: Path, care: Care) -> None:
    """Build what ``trainer build`` builds; ``care`` is what it would choose for the model's 4 bits."""
    build_graph(weights, out / "fp32.onnx", "fp32")
    rows = make_passage_rows(open_base(weights), CALIBRATION)
    activations = measure_activations(weights, out / "fp32.onnx", rows)
    build_graph(weights, out / "int8.onnx", "int8", activations=activations, by_rows=True)
    build_graph(weights, out / "int4.onnx", "int4", activations=activations, care=care)


def _convert(folder: Path, weights: Path) -> None:
    """Convert for the others, each in a process of its own; one that fails is missing from the table."""
    if not (folder / "portable" / "model.onnx").is_file():
        _run("from trainer.export.portable import export_portable as work", weights, folder / "portable")
    if not (folder / "ctranslate2" / "model.bin").is_file():
        _run("from tests.bench.prepare import convert_ctranslate2 as work", weights, folder / "ctranslate2")
    if not (folder / "f16.gguf").is_file():
        write_gguf(weights, folder / "f16.gguf")
    for kind in ("q8_0", "q4_0"):
        if not (folder / f"{kind}.gguf").is_file():
            quantise_gguf(folder / "f16.gguf", folder / f"{kind}.gguf", kind)


def convert_ctranslate2(weights: Path, out: Path) -> None:
    """Convert with CTranslate2's own converter; it quantises when it loads."""
    from ctranslate2.converters import TransformersConverter

    TransformersConverter(str(weights)).convert(str(out), force=True)


def _run(imports: str, weights: Path, out: Path) -> None:
    program = f"import sys; from pathlib import Path; {imports}; work(Path(sys.argv[1]), Path(sys.argv[2]))"
    subprocess.run([sys.executable, "-c", program, str(weights), str(out)], check=True, stdout=subprocess.DEVNULL)


def read_tokens(folder: Path, count: int) -> list[int]:
    """Return ``count`` tokens of our own prose, begun again as often as needed."""
    rows = make_passage_rows(open_base(folder / "weights"), MEASURED)
    tokens = [token for row in rows for token in row.ids]
    return (tokens * (count // len(tokens) + 1))[:count]


def read_words(count: int) -> str:
    """Return paragraphs of ``count`` words and more: sentences of our own prose, drawn anew for every paragraph.

    No two paragraphs are alike, so nothing can be answered from what was scored before.
    """
    sentences = [each for text in MEASURED for each in re.split(r"(?<=[.!?])\s+", text) if each.strip()]
    draw = random.Random(7)
    pieces: list[str] = []
    words = 0
    while words < count:
        pieces.append(" ".join(draw.sample(sentences, draw.randint(3, 6))))
        words += len(pieces[-1].split())
    return "\n\n".join(pieces)


def describe_graph(folder: Path, precision: str) -> StyleModel:
    """Return one graph of a prepared folder as the model library would."""
    shape = read_shape(folder / "weights")
    return StyleModel(
        name="bench",
        kind="base",
        folder=folder,
        weights=folder / "weights",
        tokenizer=folder / "weights" / "tokenizer.json",
        graph=folder / "fast" / f"{precision}.onnx",
        precision=precision,
        layers=shape.layers,
        heads=shape.heads,
        width=shape.width,
        positions=shape.positions,
        vocabulary=shape.vocabulary,
        end_token_id=shape.end_token_id,
        normaliser="ascii-1",
        template=Template().as_mapping(),
        licence="CC0-1.0",
        origin="bench",
        created="",
    )


def count_step_bytes(folder: Path, precision: str) -> int:
    """Return the bytes of weights that one step reads: all of the narrow layers and the output layer.

    Embeddings are looked up and not read, and the layers of the kernel for many tokens are left alone.
    ``count_cache_bytes`` says what comes on top.
    """
    import onnx

    graph = onnx.load(str(folder / "fast" / f"{precision}.onnx"), load_external_data=False).graph
    lookups = {"wte.half", "wpe.weight"}
    total = 0
    for tensor in graph.initializer:
        if tensor.name in lookups or tensor.name.startswith("wide/"):
            continue
        size = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
        for length in tensor.dims:
            size *= length
        total += size
    return total


def count_cache_bytes(folder: Path, tokens: float) -> float:
    """Return the bytes of keys and values that a step reads after ``tokens`` tokens, in float32."""
    shape = read_shape(folder / "weights")
    return 2 * 4 * shape.layers * shape.width * tokens


def save(results: object, path: Path) -> None:
    """Write results as JSON."""
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")

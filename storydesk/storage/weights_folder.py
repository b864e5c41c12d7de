"""A stranger's GPT-2 folder: refused early and in words, before anything is built from it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from storydesk.domain.failures import FailureCode, StorydeskError

_LARGEST_CONFIG = 1 << 20
_LARGEST_HEADER = 16_000_000
_LARGEST_TOKENIZER = 100_000_000
_MEASURES = {"n_layer": 1000, "n_head": 1000, "n_embd": 100_000, "n_positions": 1_000_000, "vocab_size": 10_000_000}
PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt", ".h5", ".msgpack", ".index", ".data-00000-of-00001")


def check_weights_folder(folder: Path) -> None:
    """Raise StorydeskError(MODEL_FOLDER_BAD) where a folder holds no GPT-2 in safetensors with its tokenizer."""
    if not folder.is_dir():
        raise refuse(folder, "there is no such folder")
    try:
        config = _read_config(folder)
        if config.get("model_type", "gpt2") != "gpt2":
            raise refuse(folder, f"it is a {str(config['model_type'])[:40]} and no GPT-2")
        for key, largest in _MEASURES.items():
            value = config.get(key)
            if type(value) is not int or not 0 < value <= largest:
                raise refuse(folder, f"{key} in config.json is no usable number")
        _check_tensors(folder, config)
        pair = (folder / "vocab.json").is_file() and (folder / "merges.txt").is_file()
        for name in ("tokenizer.json", "vocab.json", "merges.txt"):
            if (folder / name).is_file() and (folder / name).stat().st_size > _LARGEST_TOKENIZER:
                raise refuse(folder, f"{name} is too large")
        if not (folder / "tokenizer.json").is_file() and not pair:
            raise refuse(folder, "tokenizer.json is missing")
    except OSError as error:
        raise refuse(folder, (error.strerror or str(error)).lower()) from error


def refuse(folder: Path, detail: str) -> StorydeskError:
    """Return the failure that says what is wrong with a folder."""
    return StorydeskError(FailureCode.MODEL_FOLDER_BAD, path=str(folder), detail=detail)


def _read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    if not path.is_file():
        raise refuse(folder, "config.json is missing")
    if path.stat().st_size > _LARGEST_CONFIG:
        raise refuse(folder, "config.json is too large")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise refuse(folder, "config.json is damaged") from error
    if not isinstance(config, dict):
        raise refuse(folder, "config.json is damaged")
    return config


def _check_tensors(folder: Path, config: dict[str, Any]) -> None:
    files = sorted(folder.glob("model-*.safetensors"))
    if (folder / "model.safetensors").is_file():
        files = [folder / "model.safetensors"]
    elif not files or not (folder / "model.safetensors.index.json").is_file():
        pickled = sorted(path.name for path in folder.iterdir() if path.name.endswith(PICKLED))
        if pickled:
            raise refuse(folder, f"only a pickled file, {pickled[0]}, which could run a stranger's program")
        raise refuse(folder, "model.safetensors is missing")
    shapes: dict[str, Any] = {}
    for path in files:
        shapes.update(_check_header(folder, path))
    width, layers = config["n_embd"], config["n_layer"]
    wanted = {"wte.weight": [config["vocab_size"], width], "wpe.weight": [config["n_positions"], width]}
    for layer in (0, layers - 1):
        wanted[f"h.{layer}.attn.c_attn.weight"] = [width, 3 * width]
    for name, shape in wanted.items():
        found = shapes.get(name, shapes.get(f"transformer.{name}"))
        if found is None:
            raise refuse(folder, f"{name} is missing in its weights")
        if found != shape:
            raise refuse(folder, f"{name} has the shape {str(found)[:40]} and not {shape}")


def _check_header(folder: Path, path: Path) -> dict[str, Any]:
    """Compare what the file's header promises with how long the file is; return the tensors' shapes."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
            raise refuse(folder, f"{path.name} is damaged")
        raw = stream.read(length)
    try:
        header = json.loads(raw)
        tensors = {name: tensor for name, tensor in header.items() if name != "__metadata__"}
        end = max(int(tensor["data_offsets"][1]) for tensor in tensors.values())
        shapes = {name: tensor["shape"] for name, tensor in tensors.items()}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError) as error:
        raise refuse(folder, f"{path.name} is damaged") from error
    if 8 + length + end != size:
        raise refuse(folder, f"{path.name} is cut short" if 8 + length + end > size else f"{path.name} is damaged")
    return shapes

"""The weights folder of a bundle: safetensors in the base's own precision, its configuration, its tokenizer."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.base import Base, list_weight_files
from trainer.corpus.tokens import load_tokenizer

if TYPE_CHECKING:
    import torch

    from trainer.tuning.network import TunedNetwork

_COMPANIONS = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.json",
    "merges.txt",
)


def copy_weights(base: Base, out: Path) -> None:
    """Copy a GPT-2 folder's weights, configuration and tokenizer, and nothing else, into ``out``."""
    _copy_companions(base, out)
    for path in list_weight_files(base.weights):
        shutil.copyfile(path, out / path.name)


def round_weights(network: TunedNetwork, base: Base) -> None:
    """Round the network to the precision it will have on disk, so that what is measured is what is shipped."""
    import torch

    kind = _torch_type(base.number)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.to(kind).to(parameter.dtype))


def save_weights(network: TunedNetwork, base: Base, out: Path) -> None:
    """Write the network into ``out`` under Hugging Face's names, with the base's configuration and tokenizer."""
    from safetensors.torch import save_file

    _copy_companions(base, out)
    kind = _torch_type(base.number)
    state = {
        name: tensor.detach().to("cpu", kind).contiguous()
        for name, tensor in network.state_dict().items()
        if name != "lm_head.weight" or not base.shape.tied_output
    }
    save_file(state, out / "model.safetensors", metadata={"format": "pt"})


def _torch_type(number: str) -> torch.dtype:
    import torch

    return {"F16": torch.float16, "BF16": torch.bfloat16}.get(number, torch.float32)


def _copy_companions(base: Base, out: Path) -> None:
    """Copy configuration and tokenizer; a tokenizer in GPT-2's first form is written in today's as well."""
    out.mkdir(parents=True, exist_ok=True)
    for name in _COMPANIONS:
        if (base.weights / name).is_file():
            shutil.copyfile(base.weights / name, out / name)
    if not (out / "tokenizer.json").exists():
        load_tokenizer(base.weights).save(str(out / "tokenizer.json"))

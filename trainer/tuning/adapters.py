"""Low-rank adapters (LoRA) for bases that are too large to be tuned whole; they become weights at the end.

Hu et al. 2021, through peft. Only the adapters have gradients and optimiser state, a few per cent of the weights.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer

from trainer.tuning.network import TunedNetwork

_NAME = "default"
_TARGETS = ("c_attn", "c_proj", "c_fc")
_BASE = ".base_layer"


def attach_adapters(network: TunedNetwork, rank: int, *, dropout: float) -> None:
    """Put adapters of ``rank`` beside every projection and freeze all else; they change nothing until they learn."""
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        lora_dropout=dropout,
        target_modules=list(_TARGETS),
        fan_in_fan_out=True,  # GPT-2 keeps its matrices the other way round
    )
    inject_adapter_in_model(config, cast("Any", network), adapter_name=_NAME)
    for name, parameter in network.named_parameters():
        parameter.requires_grad = ".lora_" in name


def detach_adapters(network: TunedNetwork) -> None:
    """Take adapters away, where there are any, without what they learned; the weights beside them are as they were."""
    for name, layer in list(_list_layers(network)):
        parent, _, own = name.rpartition(".")
        setattr(network.get_submodule(parent), own, layer.base_layer)
    for parameter in network.parameters():
        parameter.requires_grad = True


def merge_adapters(network: TunedNetwork) -> dict[str, torch.Tensor]:
    """Return the weights by the names they have without adapters, with what was learned added; changes nothing."""
    learned = dict(_list_layers(network))
    merged: dict[str, torch.Tensor] = {}
    for name, tensor in network.state_dict().items():
        if ".lora_" in name:
            continue
        plain = name.replace(_BASE, "")
        layer = learned.get(plain.removesuffix(".weight")) if name.endswith(f"{_BASE}.weight") else None
        merged[plain] = tensor if layer is None else tensor + layer.get_delta_weight(_NAME).to(tensor.dtype)
    return merged


def _list_layers(network: TunedNetwork) -> Iterator[tuple[str, Any]]:
    return ((name, module) for name, module in network.named_modules() if isinstance(module, LoraLayer))

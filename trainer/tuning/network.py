"""The GPT-2 that is tuned: loaded from safetensors, computing its loss only where there is something to learn."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from torch.nn import functional
from transformers import GPT2LMHeadModel
from transformers.activations import ACT2FN
from transformers.modeling_outputs import CausalLMOutputWithCrossAttentions

from trainer.config import Hyperparameters
from trainer.corpus.rows import IGNORED
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.resources import explain, read_free_memory

# glibc's mallopt: keep big blocks on the heap, and don't hand the heap back after every step.
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
_NEVER = 2**31 - 1


class TunedNetwork(GPT2LMHeadModel):  # type: ignore[no-untyped-call]  # transformers is typed in part only
    """GPT-2 with a loss that multiplies the output layer only with the positions that are learned from.

    The output layer of GPT-2 small takes a third of a step; prompts left out of the loss and padding don't need it.
    """

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        num_items_in_batch: torch.Tensor | int | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the loss per token for ``labels`` (of the whole batch of a step), or GPT-2's own output without."""
        if labels is None:
            return super().forward(input_ids=input_ids, **kwargs)
        # Rows are padded at the end and attention is causal: without a mask, the fast kernel serves.
        hidden = self.transformer(input_ids, use_cache=False).last_hidden_state[:, :-1]
        wanted = labels[:, 1:]
        counted = wanted != IGNORED
        logits = self.lm_head(hidden[counted]).float()
        loss = functional.cross_entropy(logits, wanted[counted], reduction="sum")
        loss = loss / (num_items_in_batch if num_items_in_batch is not None else counted.sum().clamp(min=1))
        return CausalLMOutputWithCrossAttentions(loss=cast("torch.FloatTensor", loss))


@dataclass(frozen=True, slots=True)
class Device:
    """Where and how precisely the run computes; ``name`` is ``cpu`` or the GPU's."""

    torch: torch.device
    name: str
    bf16: bool

    @property
    def precision(self) -> str:
        """Return the precision's name in events."""
        return "bf16" if self.bf16 else "fp32"


def choose_device(settings: Hyperparameters) -> Device:
    """Return the device; raise TrainerError(BAD_REQUEST) where a GPU is asked for that torch can't use."""
    has_gpu = torch.cuda.is_available()
    if settings.device == "cuda" and not has_gpu:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail="torch sees no GPU here")
    on_gpu = has_gpu and settings.device != "cpu"
    if settings.precision == "auto":
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False) if on_gpu else cpu_computes_bf16()
    else:
        bf16 = settings.precision == "bf16"
    if on_gpu:
        # In a team each process on a machine takes the card with its number.
        number = int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count()
        torch.cuda.set_device(number)
        return Device(torch.device("cuda", number), torch.cuda.get_device_name(number), bf16)
    return Device(torch.device("cpu"), "cpu", bf16)


def cpu_computes_bf16() -> bool:
    """Say whether the processor multiplies bf16 itself (AVX512-BF16 or AMX); elsewhere autocast makes it slower."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, check, lambda: False)()) for check in checks)


def load_network(weights: Path, settings: Hyperparameters) -> TunedNetwork:
    """Return the GPT-2 of a folder in float32, ready to be tuned; raise TrainerError(BASE_NOT_USABLE)."""
    try:
        loaded: Any = TunedNetwork.from_pretrained(
            weights,
            output_loading_info=True,
            dtype=torch.float32,
            attn_implementation="sdpa",
            use_safetensors=True,
            local_files_only=True,
            resid_pdrop=settings.dropout,
            embd_pdrop=settings.dropout,
            attn_pdrop=settings.attention_dropout,
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        if explain(error) is not None:
            raise
        detail = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise TrainerError(TrainerFailure.BASE_NOT_USABLE, path=str(weights), detail=detail) from error
    network: TunedNetwork
    network, report = loaded
    if report["missing_keys"]:
        # transformers would fill them with random numbers.
        detail = f"{min(report['missing_keys'])} is missing"
        raise TrainerError(TrainerFailure.BASE_NOT_USABLE, path=str(weights), detail=detail)
    if network.config.activation_function == "gelu_new":
        # The same function in one kernel instead of six. The configuration still says gelu_new.
        for block in network.transformer.h:
            block.get_submodule("mlp").act = ACT2FN["gelu_pytorch_tanh"]
    return network


def move_network(network: TunedNetwork, device: torch.device) -> None:
    """Move the network's weights to a device."""
    torch.nn.Module.to(network, device)


def recompute_layers(network: TunedNetwork, on: bool) -> None:
    """Compute each layer again on the way back instead of keeping its values, or keep them (gradient checkpointing)."""
    if on:
        network.gradient_checkpointing_enable({"use_reentrant": False})  # type: ignore[no-untyped-call]  # not typed by transformers
    elif network.is_gradient_checkpointing:
        network.gradient_checkpointing_disable()  # type: ignore[no-untyped-call]  # not typed by transformers


def read_free(device: torch.device) -> int | None:
    """Return the bytes that are free where the run computes; None where nobody says."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    return read_free_memory()


def free_memory(device: torch.device) -> None:
    """Give back what a failed step left behind."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def keep_memory() -> None:
    """Let glibc keep the memory of big tensors between steps; asking the system for it anew costs a third of the speed.

    Does nothing where the C library is another.
    """
    if sys.platform != "linux":
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return
    mallopt(_M_MMAP_MAX, 0)
    mallopt(_M_TRIM_THRESHOLD, _NEVER)

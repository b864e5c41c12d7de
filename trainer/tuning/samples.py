"""Stories that the tuned network writes on held-out prompts, through torch's own generate."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import StoppingCriteria, StoppingCriteriaList

from trainer.config import Hyperparameters
from trainer.corpus.tokens import PROMPT_SHARE, encode_head
from trainer.text.template import Template
from trainer.tuning.devices import Device, share_processor
from trainer.tuning.network import TunedNetwork


class _StopWhen(StoppingCriteria):
    """Ends a generation where ``check`` raises."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: object) -> torch.Tensor:
        self._check()
        return torch.zeros(input_ids.shape[0], dtype=torch.bool, device=input_ids.device)


def write_sample(
    network: TunedNetwork,
    tokenizer: Tokenizer,
    template: Template,
    prompt: str,
    *,
    settings: Hyperparameters,
    device: Device,
    end_token: int,
    seed: int,
    most_tokens: int,
    check: Callable[[], None] = lambda: None,
) -> str:
    """Return a story on ``prompt`` in the model's text form; the same seed gives the same story on one machine.

    It has ``most_tokens`` at most. What the run draws by chance afterwards, and the network's mode, are left as they
    were, so that a tuning learns the same with samples and without.
    """
    positions = int(network.config.n_positions)
    head = [end_token, *encode_head(prompt, tokenizer, template, int(positions * PROMPT_SHARE) - 1)]
    ids = torch.tensor([head], device=device.torch)
    with _apart(network, device.torch, seed), torch.inference_mode(), device.autocast():
        written = network.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            top_p=settings.sample_top_p,
            top_k=0,
            temperature=settings.sample_temperature,
            max_new_tokens=min(most_tokens, positions - len(head)),
            eos_token_id=end_token,
            pad_token_id=end_token,
            stopping_criteria=StoppingCriteriaList([_StopWhen(check)]),
        )
    text: str = tokenizer.decode(written[0, len(head) :].tolist(), skip_special_tokens=True)
    return text.strip()


@contextlib.contextmanager
def _apart(network: TunedNetwork, device: torch.device, seed: int) -> Iterator[None]:
    """Draw from ``seed`` and without dropout, then go on drawing where the run was."""
    was_training = network.training
    drawn = torch.get_rng_state()
    gpu: Any = None if device.type == "cpu" else getattr(torch, device.type)
    place = () if gpu is None or device.type == "mps" else (device,)
    drawn_there = gpu.get_rng_state(*place) if gpu is not None else None
    network.train(False)
    torch.manual_seed(seed)
    try:
        with share_processor(network.num_parameters(), device):
            yield
    finally:
        torch.set_rng_state(drawn)
        if drawn_there is not None:
            gpu.set_rng_state(drawn_there, *place)
        network.train(was_training)

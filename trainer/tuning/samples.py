"""Stories that the tuned network writes on held-out prompts, through torch's own generate."""

from __future__ import annotations

from collections.abc import Callable

import torch
from tokenizers import Tokenizer
from transformers import StoppingCriteria, StoppingCriteriaList

from trainer.config import Hyperparameters
from trainer.corpus.tokens import PROMPT_SHARE, encode_head
from trainer.text.template import Template
from trainer.tuning.network import Device, TunedNetwork


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
    check: Callable[[], None] = lambda: None,
) -> str:
    """Return a story on ``prompt`` in the model's text form; the same seed gives the same story on one machine."""
    positions = int(network.config.n_positions)
    head = [end_token, *encode_head(prompt, tokenizer, template, int(positions * PROMPT_SHARE) - 1)]
    torch.manual_seed(seed)
    network.train(False)
    ids = torch.tensor([head], device=device.torch)
    with torch.inference_mode(), torch.autocast(device.torch.type, dtype=torch.bfloat16, enabled=device.bf16):
        written = network.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            top_p=settings.sample_top_p,
            top_k=0,
            temperature=settings.sample_temperature,
            max_new_tokens=min(settings.sample_tokens, positions - len(head)),
            eos_token_id=end_token,
            pad_token_id=end_token,
            stopping_criteria=StoppingCriteriaList([_StopWhen(check)]),
        )
    text: str = tokenizer.decode(written[0, len(head) :].tolist(), skip_special_tokens=True)
    return text.strip()

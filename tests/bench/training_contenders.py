"""What tuning is measured beside, each as its own documentation shows it; ``training_peers`` starts it as a process.

*transformers*: the packed language-model recipe: all stories joined by the end token and cut into full blocks, Trainer
with its default settings (batches of 8, AdamW, linear rate from 5e-5, no clipping but its own 1.0), fp32 or bf16.
*nanoGPT-style*: blocks from random places, a plain loop, fused AdamW (0.9, 0.95), weight decay 0.1, clipping at 1, a
constant 3e-5 as for fine-tuning, bf16 autocast. Neither is told how to allocate memory.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import GPT2LMHeadModel, Trainer, TrainerCallback, TrainingArguments

from trainer.base import open_base
from trainer.config import Hyperparameters
from trainer.corpus.preparation import prepare_corpus
from trainer.corpus.rows import Row, make_heldout_rows, make_training_rows, measure_padding, plan_batches
from trainer.corpus.tokens import TokenisedDocument, load_tokenizer, tokenise_documents
from trainer.evaluation.figures import TextSize, measure_size
from trainer.evaluation.heldout import measure_heldout
from trainer.protocol.codec import decode_request
from trainer.protocol.messages import Request
from trainer.tuning.network import TunedNetwork

_BATCH = 8
_NANOGPT_RATE = 3e-5
_TIMED_STEPS = 3


class Texts:
    """Both sides of the corpus that a run folder asks for, the same that ``tune`` makes of it."""

    def __init__(self, folder: Path) -> None:
        """Read, clean, split and tokenise."""
        self.request: Request = decode_request((folder / "request.json").read_text(encoding="utf-8"))
        self.base = open_base(Path(self.request.base))
        corpus = prepare_corpus(self.request, self.base.normaliser, folder, lambda _stage: None)
        self.positions = min(1024, self.base.shape.positions)
        self.end_token = self.base.shape.end_token_id
        self.training = self._tokenise(corpus.split.training)
        heldout = self._tokenise(corpus.split.heldout)
        self.heldout: list[Row] = make_heldout_rows(heldout, positions=self.base.shape.positions)
        self.size: TextSize = measure_size(heldout)

    def _tokenise(self, documents: Any) -> list[TokenisedDocument]:
        tokenizer = load_tokenizer(self.base.weights)
        return list(
            tokenise_documents(
                documents, tokenizer, self.base.template, end_token=self.end_token, positions=self.positions
            )
        )

    def join(self) -> torch.Tensor:
        """Return prompts and stories one after the other, [tokens] int64."""
        ids: list[int] = []
        for document in self.training:
            ids += (*document.prompt_ids, *document.story_ids, self.end_token)
        return torch.tensor(ids, dtype=torch.long)

    def measure(self, network: GPT2LMHeadModel) -> float:
        """Return the held-out nats per token by the measure that ``tune`` uses."""
        twin = TunedNetwork(network.config)  # type: ignore[no-untyped-call]  # not typed by transformers
        twin.load_state_dict(network.state_dict())
        return measure_heldout(twin, self.heldout, self.size, device=torch.device("cpu")).nats_per_token


def count_text_share(folder: Path) -> float:
    """Return the share of positions in a run's batches that is text and not padding, 0 to 1."""
    texts, settings = Texts(folder), Hyperparameters()
    rows = make_training_rows(texts.training, positions=texts.positions, end_token=texts.end_token, loss_on="all")
    lengths = [len(row.ids) for row in rows]
    plan = plan_batches(lengths, batch_tokens=settings.batch_tokens, epochs=1, seed=texts.request.seed)
    return 1 - measure_padding(lengths, plan)


class _Blocks(Dataset[dict[str, torch.Tensor]]):
    """Full blocks of the joined text; what is left at the end is dropped."""

    def __init__(self, ids: torch.Tensor, block: int) -> None:
        self._blocks = ids[: len(ids) // block * block].view(-1, block)

    def __len__(self) -> int:
        return len(self._blocks)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self._blocks[index], "labels": self._blocks[index]}


class _Clock(TrainerCallback):
    """Counts whole steps and ends the training when its time is up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._began = time.monotonic()
        self._step_began = self._began
        self.steps: list[float] = []

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Start the step's clock."""
        self._step_began = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """Stop it."""
        now = time.monotonic()
        self.steps.append(now - self._step_began)
        control.should_training_stop = now - self._began >= self._seconds
        return control


def train_with_transformers(texts: Texts, seconds: float, rate: float, *, bf16: bool) -> tuple[GPT2LMHeadModel, float]:
    """Return the trained network and tokens a second."""
    blocks = _Blocks(texts.join(), texts.positions)
    # The linear rate falls over the steps that are planned, so as many are planned as the time is for.
    pace = _middle(_run_trainer(texts, blocks, _TIMED_STEPS, math.inf, rate, bf16=bf16)[1])
    network, steps = _run_trainer(texts, blocks, max(1, int(seconds / pace)), seconds, rate, bf16=bf16)
    return network, _BATCH * texts.positions / _middle(steps)


def _run_trainer(
    texts: Texts, blocks: _Blocks, planned: int, seconds: float, rate: float, *, bf16: bool
) -> tuple[GPT2LMHeadModel, list[float]]:
    """Return the network after ``planned`` steps, or as many as go into the time, and the seconds of each."""
    network, clock = _load(texts), _Clock(seconds)
    arguments = TrainingArguments(
        output_dir=str(Path(texts.request.bundle).with_name("peer")),
        max_steps=planned,
        use_cpu=True,
        bf16=bf16,
        seed=texts.request.seed,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
    )
    if rate:
        arguments.learning_rate = rate
    trainer = Trainer(model=network, args=arguments, train_dataset=blocks, callbacks=[clock])
    trainer.train()
    trained: GPT2LMHeadModel = trainer.accelerator.unwrap_model(network, keep_fp32_wrapper=False)
    return trained, clock.steps


def train_plainly(texts: Texts, seconds: float, rate: float) -> tuple[GPT2LMHeadModel, float]:
    """Return the trained network and tokens a second."""
    network, ids = _load(texts).train(), texts.join()
    matrices = [each for each in network.parameters() if each.dim() >= 2]
    others = [each for each in network.parameters() if each.dim() < 2]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}],
        lr=rate or _NANOGPT_RATE,
        betas=(0.9, 0.95),
        fused=True,
    )
    generator = torch.Generator().manual_seed(texts.request.seed)
    steps: list[float] = []
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        step_began = time.monotonic()
        starts = torch.randint(len(ids) - texts.positions - 1, (_BATCH,), generator=generator).tolist()
        batch = torch.stack([ids[start : start + texts.positions] for start in starts])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = network(input_ids=batch, labels=batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        steps.append(time.monotonic() - step_began)
    return network, _BATCH * texts.positions / _middle(steps)


PEERS: dict[str, Callable[[Texts, float, float], tuple[GPT2LMHeadModel, float]]] = {
    "transformers fp32": lambda texts, seconds, rate: train_with_transformers(texts, seconds, rate, bf16=False),
    "transformers bf16": lambda texts, seconds, rate: train_with_transformers(texts, seconds, rate, bf16=True),
    "nanoGPT-style bf16": train_plainly,
}


def _load(texts: Texts) -> GPT2LMHeadModel:
    network: GPT2LMHeadModel = GPT2LMHeadModel.from_pretrained(
        texts.base.weights, dtype=torch.float32, local_files_only=True, use_safetensors=True
    )
    return network


def _middle(seconds: list[float]) -> float:
    """Return the median step; the first one warms up."""
    ordered = sorted(seconds[1:] or seconds)
    return ordered[len(ordered) // 2]


def main() -> None:
    """Train by one peer and print its figures as JSON lines."""
    name, folder, rate = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    texts = Texts(folder)
    torch.manual_seed(texts.request.seed)
    assert texts.request.minutes is not None
    before = texts.measure(_load(texts))
    print(json.dumps({"kind": "stage_entered", "stage": "tuning"}), flush=True)
    network, speed = PEERS[name](texts, texts.request.minutes * 60, rate)
    print(json.dumps({"kind": "stage_entered", "stage": "measuring_after"}), flush=True)
    after = texts.measure(network)
    figures = {"kind": "figures", "tokens_per_second": speed, "before": before, "after": after, "last": after}
    print(json.dumps({key: _bound(value) for key, value in figures.items()}), flush=True)


def _bound(value: Any) -> Any:
    return value if not isinstance(value, float) or math.isfinite(value) else 99.0


if __name__ == "__main__":
    main()

"""Measure tokens a second of padded rows of like length against rows packed with a block-diagonal mask.

Run from the repository: ``python -m tests.bench.packing_speed [--base resources/starter]``. Both take the same stories
and learn from the same tokens; only real tokens are counted. One thread and its processor time, so that what else the
machine does counts little. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from trainer.base import open_base
from trainer.config import Hyperparameters
from trainer.corpus.cleaning import clean_documents
from trainer.corpus.document import CleaningReport
from trainer.corpus.readers import read_sources
from trainer.corpus.rows import IGNORED, Row, make_training_rows, measure_padding, plan_batches
from trainer.corpus.tokens import load_tokenizer, tokenise_documents
from trainer.tuning.batches import collate_rows
from trainer.tuning.devices import cpu_computes_bf16
from trainer.tuning.network import keep_memory, load_network

ROOT = Path(__file__).parents[2]
BATCH_TOKENS = 2048

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]


def pack(rows: list[Row], positions: int) -> list[Batch]:
    """Return batches of (ids, labels, position ids): each row filled first-fit, positions starting anew by story."""
    bins: list[list[Row]] = []
    for row in sorted(rows, key=lambda row: -len(row.ids)):
        home = next((one for one in bins if sum(len(other.ids) for other in one) + len(row.ids) <= positions), None)
        if home is None:
            bins.append([row])
        else:
            home.append(row)
    per_batch = max(1, BATCH_TOKENS // positions)
    batches: list[Batch] = []
    for start in range(0, len(bins), per_batch):
        chosen = bins[start : start + per_batch]
        ids = torch.zeros(len(chosen), positions, dtype=torch.long)
        labels = torch.full_like(ids, IGNORED)
        places = torch.zeros_like(ids)
        for index, members in enumerate(chosen):
            at = 0
            for row in members:
                end = at + len(row.ids)
                ids[index, at:end] = torch.tensor(row.ids)
                labels[index, at + 1 : end] = ids[index, at + 1 : end]
                places[index, at:end] = torch.arange(len(row.ids))
                at = end
            places[index, at:] = torch.arange(positions - at)
        batches.append((ids, labels, places))
    return batches


def main() -> None:
    """Time both by turns and print the best of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--base", type=Path, default=ROOT / "resources" / "starter")
    parser.add_argument("--batches", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    base = open_base(options.base)
    documents = clean_documents(
        read_sources((str(ROOT / "resources" / "samples"),)).documents, base.normaliser, CleaningReport()
    )
    positions, end = min(1024, base.shape.positions), base.shape.end_token_id
    tokens = tokenise_documents(
        documents, load_tokenizer(base.weights), base.template, end_token=end, positions=positions
    )
    rows = make_training_rows(tokens, positions=positions, end_token=end, loss_on="all")
    lengths = [len(row.ids) for row in rows]
    plan = plan_batches(lengths, batch_tokens=BATCH_TOKENS, epochs=1, seed=7)
    padded: list[Batch] = []
    for batch in plan[: options.batches]:
        collated = collate_rows([rows[row] for row in batch])
        padded.append((collated["input_ids"], collated["labels"], None))
    packed = pack(rows, positions)
    fill = sum(lengths) / sum(ids.numel() for ids, _, _ in packed)
    network = load_network(base.weights, Hyperparameters()).train()
    optimiser = torch.optim.AdamW(network.parameters(), lr=1e-5, fused=True)

    def step(batch: Batch) -> int:
        ids, labels, places = batch
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=cpu_computes_bf16()):
            hidden = network.transformer(ids, position_ids=places, use_cache=False).last_hidden_state[:, :-1]
            counted = labels[:, 1:] != IGNORED
            logits = network.lm_head(hidden[counted]).float()
        loss: Any = functional.cross_entropy(logits, labels[:, 1:][counted])
        loss.backward()
        optimiser.step()
        optimiser.zero_grad()
        return int(counted.sum())

    best = {"padded": 0.0, "packed": 0.0}
    for _ in range(options.rounds):
        for name, batches in (("padded", padded), ("packed", packed[: options.batches])):
            step(batches[0])
            began = time.process_time()
            learned = sum(step(batch) for batch in batches)
            best[name] = max(best[name], learned / (time.process_time() - began))
    print("| rows | share of padding | tokens a second |\n|---|---|---|")
    print(f"| one story each, like lengths together | {measure_padding(lengths, plan):.1%} | {best['padded']:.0f} |")
    print(f"| packed, block-diagonal mask | {1 - fill:.1%} | {best['packed']:.0f} |")


if __name__ == "__main__":
    main()

"""The result: a GPT-2 folder as the Hub has them, with a card that says where it comes from."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import torch
from transformers import GPT2LMHeadModel, GPT2TokenizerFast

from trainer.corpus.tokens import END_OF_TEXT
from trainer.evaluation.figures import HeldoutFigures
from trainer.export.card import CARD_NAME, list_versions
from trainer.pretraining.learning import Progress
from trainer.pretraining.packing import PackedText
from trainer.pretraining.settings import PretrainingSettings
from trainer.tuning.checkpoints import sync_file, sync_folder

MODEL_NAME = "model"


def round_weights(network: GPT2LMHeadModel) -> None:
    """Round every weight to float16, as it will be stored, so that what is measured is what is shipped."""
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_(weight.half())


def write_model(network: GPT2LMHeadModel, packed: PackedText, card: str, out: Path) -> Path:
    """Write weights, tokenizer and card beside their place, force them to disk and rename; return the folder."""
    place = out / MODEL_NAME
    partial = out / f".{MODEL_NAME}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        network.half().save_pretrained(partial, safe_serialization=True)  # type: ignore[no-untyped-call]  # of transformers
        tokenizer = GPT2TokenizerFast(  # type: ignore[no-untyped-call]  # of transformers
            str(packed.folder / "vocab.json"),
            str(packed.folder / "merges.txt"),
            model_max_length=network.config.n_positions,
            unk_token=END_OF_TEXT,
            bos_token=END_OF_TEXT,
            eos_token=END_OF_TEXT,
        )
        tokenizer.save_pretrained(partial)
        (partial / CARD_NAME).write_text(card, encoding="utf-8")
        for path in partial.iterdir():
            sync_file(path)
        partial.rename(place)
        sync_folder(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return place


def write_card(
    name: str,
    licence: str,
    settings: PretrainingSettings,
    packed: PackedText,
    progress: Progress,
    figures: HeldoutFigures,
    weights: int,
) -> str:
    """Return the model card as Markdown."""
    text = packed.summary
    shape = f"{weights / 1e6:.1f} million weights, {settings.layers} layers, {settings.width} wide"
    shape += f", {settings.heads} heads, {settings.positions} positions"
    lines = [
        f"# {name}",
        "",
        f"A GPT-2 trained from nothing by `storydesk-train pretrain`: {shape}.",
        "",
        f"Licence: {licence}.",
        "",
        "It knows no more than its texts, and has their views. Nothing it says is true.",
    ]
    lines += _section(
        "Text",
        {
            "form": "straight quotes, --, ..., a blank line between paragraphs; Prompt: ..., a blank line, Story:",
            "tokenizer": f"byte-level BPE, {text.vocabulary:,} tokens, {END_OF_TEXT} is token 0",
            "stories to learn from": text.training_documents,
            "stories to measure with": text.heldout_documents,
            "tokens to learn from": f"{text.training.tokens:,}",
            "fingerprint": text.fingerprint,
        },
    )
    lines += _section(
        "Held-out text",
        {
            "nats per token": f"{figures.nats_per_token:.4f}",
            "perplexity": f"{figures.perplexity:.2f}",
            "bits per byte": f"{figures.bits_per_byte:.4f}",
            "tokens": figures.tokens,
        },
    )
    learned = {"steps": progress.step, "tokens": f"{progress.tokens:,}", "minutes": round(progress.seconds / 60, 1)}
    lines += _section("Learning", learned)
    lines += _section("Settings", settings.as_mapping())
    lines += _section("Made with", list_versions())
    return "\n".join([*lines, ""])


def _section(title: str, items: Mapping[str, object]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {name.replace('_', ' ')}: {value}" for name, value in items.items())]

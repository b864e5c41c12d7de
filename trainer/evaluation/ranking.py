"""Prompt ranking (Fan et al. 2018): can a model tell which of ten prompts a story was written on?

The model reads a story's beginning under its own prompt and under nine others and finds some of them likelier than
others. A model that passes over its prompt finds its own first one time in ten.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from trainer.corpus.document import Document
from trainer.corpus.rows import Row
from trainer.corpus.tokens import PROMPT_SHARE, encode_head
from trainer.evaluation.likelihood import measure_rows
from trainer.text.template import Template
from trainer.tuning.network import TunedNetwork

CHOICES = 10
"""One true prompt among so many."""

STORY_TOKENS = 256
"""So much of a story is read: what a prompt tells is mostly used up by then, and every prompt costs a reading."""


@dataclass(frozen=True, slots=True)
class RankedPrompt:
    """One story's outcome: ``place`` is 1 where its own prompt made it likeliest, of ``choices`` prompts.

    ``gain`` is how much likelier its own prompt makes the story than the mean of the others, in nats per token: an
    estimate of the pointwise mutual information of prompt and story. Equally likely prompts count as ahead.
    """

    place: int
    choices: int
    gain: float

    @property
    def found(self) -> bool:
        """Return whether its own prompt came first."""
        return self.place == 1


def measure_accuracy(ranked: Sequence[RankedPrompt]) -> float:
    """Return the share of stories whose own prompt came first, 0 without any."""
    return sum(each.found for each in ranked) / len(ranked) if ranked else 0.0


def choose_rivals(prompt: str, prompts: Sequence[str], *, choices: int = CHOICES, seed: int = 0) -> list[str]:
    """Return ``choices`` - 1 other prompts, fewer where there are fewer; the same for the same prompt and seed."""
    others = sorted({other for other in prompts if other.strip() and other != prompt})
    return random.Random(f"{seed} {prompt}").sample(others, min(choices - 1, len(others)))


def rank_prompts(
    network: TunedNetwork,
    tokenizer: Tokenizer,
    template: Template,
    documents: Sequence[Document],
    *,
    device: torch.device,
    end_token: int,
    positions: int,
    prompts: Sequence[str] = (),
    choices: int = CHOICES,
    story_tokens: int = STORY_TOKENS,
    seed: int = 0,
    check: Callable[[], None] = lambda: None,
) -> list[RankedPrompt | None]:
    """Return each document's outcome; None for one without prompt or story, or with no other prompt to choose from.

    Texts are in the model's form. ``prompts`` are where the others are drawn from, by default those of ``documents``.
    ``positions`` is the longest row. ``check`` is called between batches and may raise to break off.
    """
    pool = prompts or [document.prompt for document in documents]
    rows: list[Row] = []
    parts: list[int] = []
    for document in documents:
        made = _make_rows(document, pool, tokenizer, template, end_token, positions, choices, story_tokens, seed)
        rows += made
        parts.append(len(made))
    figures = measure_rows(network, rows, device=device, check=check)
    ranked: list[RankedPrompt | None] = []
    start = 0
    for count in parts:
        ranked.append(_rank([each.nats / max(each.tokens, 1) for each in figures[start : start + count]]))
        start += count
    return ranked


def _make_rows(
    document: Document,
    pool: Sequence[str],
    tokenizer: Tokenizer,
    template: Template,
    end_token: int,
    positions: int,
    choices: int,
    story_tokens: int,
    seed: int,
) -> list[Row]:
    """Return the story's beginning under its own prompt, first, and under the others; none where nothing can be said.

    Under each prompt the very same tokens are counted.
    """
    rivals = choose_rivals(document.prompt, pool, choices=choices, seed=seed)
    story = tokenizer.encode(document.story, add_special_tokens=False).ids
    if not document.prompt.strip() or not rivals or not story:
        return []
    room = int(positions * PROMPT_SHARE) - 1
    heads = [(end_token, *encode_head(prompt, tokenizer, template, room)) for prompt in (document.prompt, *rivals)]
    piece = tuple(story[: max(1, min(story_tokens, positions - max(map(len, heads))))])
    return [Row(ids=head + piece, counted_from=len(head)) for head in heads]


def _rank(nats: Sequence[float]) -> RankedPrompt | None:
    """Return the outcome of nats per token, those of the true prompt first."""
    if len(nats) < 2:
        return None
    own, others = nats[0], nats[1:]
    place = 1 + sum(other <= own for other in others)
    return RankedPrompt(place, len(nats), sum(others) / len(others) - own)

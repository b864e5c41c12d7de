"""Prompt ranking on a run's held-out stories, within a bounded time: accuracy and how sure it is."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import torch
from tokenizers import Tokenizer

from trainer.base import Base
from trainer.corpus.document import Document
from trainer.evaluation.ranking import RankedPrompt, measure_accuracy, rank_prompts
from trainer.protocol.messages import PromptsRanked
from trainer.tuning.network import TunedNetwork

STORY_TOKENS = 128
"""So much of a story is read under each prompt: half of what judging reads, for this is done in every run."""

_FIRST_STORIES = 4
# The normal distribution's quantile of 97.5 %.
_Z = 1.959964


def rank_heldout(
    network: TunedNetwork,
    tokenizer: Tokenizer,
    base: Base,
    documents: Sequence[Document],
    *,
    moment: str,
    most: int,
    seconds: float | None,
    device: torch.device,
    seed: int,
    check: Callable[[], None] = lambda: None,
) -> PromptsRanked | None:
    """Return how often a story was likeliest under its own prompt, of ten; None where there are no two prompts.

    ``most`` stories are read, or as many as go into ``seconds``. Stories come in their order, so that two models
    asked about equally many were asked about the same. ``check`` may raise to break off.
    """
    prompts = [document.prompt for document in documents]
    asked = [document for document in documents if document.prompt.strip() and document.story.strip()]
    ranked: list[RankedPrompt] = []
    began, done, count = time.monotonic(), 0, min(most, _FIRST_STORIES)
    while count > 0:
        found = rank_prompts(
            network,
            tokenizer,
            base.template,
            asked[done : done + count],
            device=device,
            end_token=base.shape.end_token_id,
            positions=base.shape.positions,
            prompts=prompts,
            story_tokens=STORY_TOKENS,
            seed=seed,
            check=check,
        )
        ranked += [each for each in found if each is not None]
        done += count
        # The first few tell how long a story takes; the rest is read in one go.
        spent = time.monotonic() - began
        room = most if seconds is None else int(max(0.0, seconds - spent) / max(spent / done, 1e-9))
        count = min(most - len(ranked), len(asked) - done, room)
    if not ranked:
        return None
    accuracy = measure_accuracy(ranked)
    low, high = find_interval(accuracy, len(ranked))
    return PromptsRanked(moment, len(ranked), max(each.choices for each in ranked), accuracy, low, high)


def find_interval(share: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share that was seen in ``count`` cases (one or more)."""
    # Wilson 1927: right for few cases and for shares near 0 and 1, where the usual one is not.
    weight = 1 + _Z**2 / count
    middle = (share + _Z**2 / (2 * count)) / weight
    half = _Z / weight * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)

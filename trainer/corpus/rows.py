"""Rows of tokens: one story (or one piece of a long story) a row, so that stories never attend to each other.

Rows of like length share a batch; what padding is left stands at the end, where causal attention never looks back at
it, so that no mask is needed. docs/decisions/0007-packing.md has the measurement behind this.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from trainer.corpus.tokens import PROMPT_SHARE, TokenisedDocument

IGNORED = -100
"""Label of a position that is not learned from (torch's convention)."""

# Rows of a stretch this many batches long are sorted by length before they are batched: little padding, still shuffled.
_STRETCH = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Token ids of one row; ``counted_from`` is the index of the first token that loss is taken of (1 or more)."""

    ids: tuple[int, ...]
    counted_from: int

    @property
    def counted(self) -> int:
        """Return how many tokens of the row are predicted."""
        return len(self.ids) - self.counted_from


def make_training_rows(
    documents: Sequence[TokenisedDocument], *, positions: int, end_token: int, loss_on: str
) -> list[Row]:
    """Return rows of at most ``positions`` tokens, each whole story closed by the end token.

    ``loss_on`` is ``story`` or ``all`` (prompt and story). A later piece of a long story begins with the prompt again,
    as the window does when writing goes on, but the prompt is learned from only once. Of a passage never more is
    learned than the passage.
    """
    rows = []
    for document in documents:
        closed = (*document.story_ids, end_token) if document.ends else document.story_ids
        for number, (head, piece, _) in enumerate(_cut(document.prompt_ids, closed, positions, overlap=0)):
            counted_from = 1 if loss_on == "all" and document.ends and number == 0 else len(head)
            rows.append(Row(ids=head + piece, counted_from=counted_from))
    return rows


def make_heldout_rows(documents: Sequence[TokenisedDocument], *, positions: int) -> list[Row]:
    """Return rows that count each story token once, given the prompt and up to a quarter window before it."""
    rows = []
    for document in documents:
        for head, piece, repeated in _cut(document.prompt_ids, document.story_ids, positions, overlap=positions // 4):
            rows.append(Row(ids=head + piece, counted_from=len(head) + repeated))
    return rows


def _cut(
    prompt: tuple[int, ...], story: tuple[int, ...], positions: int, *, overlap: int
) -> list[tuple[tuple[int, ...], tuple[int, ...], int]]:
    """Return (head, piece, repeated) of each row: ``repeated`` tokens at the start of a piece stood in the last one."""
    head = prompt[: max(1, int(positions * PROMPT_SHARE))]
    room = positions - len(head)
    pieces = []
    start = 0
    while start < len(story):
        repeated = min(overlap, start, room - 1)
        pieces.append((head, story[start - repeated : start - repeated + room], repeated))
        start += room - repeated
    return pieces


def plan_batches(lengths: Sequence[int], *, batch_tokens: int, epochs: int, seed: int) -> list[list[int]]:
    """Return the rows of each batch over all epochs; a batch has at most ``batch_tokens`` tokens with its padding.

    Depends on its arguments alone, so a resumed run sees the same batches. A row longer than ``batch_tokens`` is a
    batch of its own.
    """
    batches: list[list[int]] = []
    for epoch in range(epochs):
        shuffled = list(range(len(lengths)))
        generator = random.Random(f"{seed} {epoch}")
        generator.shuffle(shuffled)
        mean = max(1, sum(lengths) // max(1, len(lengths)))
        stretch = max(1, batch_tokens // mean) * _STRETCH
        of_epoch: list[list[int]] = []
        for start in range(0, len(shuffled), stretch):
            of_epoch.extend(_fill_batches(shuffled[start : start + stretch], lengths, batch_tokens))
        generator.shuffle(of_epoch)
        batches.extend(of_epoch)
    return batches


def _fill_batches(rows: list[int], lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Return batches of rows of like length, longest first."""
    batches: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for row in sorted(rows, key=lambda index: (-lengths[index], index)):
        longest = max(longest, lengths[row])
        if current and (len(current) + 1) * longest > batch_tokens:
            batches.append(current)
            current, longest = [], lengths[row]
        current.append(row)
    if current:
        batches.append(current)
    return batches


def measure_padding(lengths: Sequence[int], batches: Sequence[Sequence[int]]) -> float:
    """Return the share of positions that padding takes, 0 to 1."""
    used = sum(lengths[row] for batch in batches for row in batch)
    taken = sum(len(batch) * max(lengths[row] for row in batch) for batch in batches)
    return 1 - used / taken if taken else 0.0

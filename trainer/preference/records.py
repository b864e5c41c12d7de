"""What a writer liked, read from a run folder and made into token ids; no torch in here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

from trainer.base import Base
from trainer.corpus.rows import Row
from trainer.corpus.tokens import PROMPT_SHARE, encode_head
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.feedback import FEEDBACK_FILE, FeedbackExample, FeedbackPair, FeedbackRecord, read_feedback
from trainer.text.normaliser import normalise_text

FEWEST_PAIRS = 16
"""Choices to learn from below which nothing general is in them."""

FEWEST_HELDOUT = 4
"""Choices kept aside below which nobody can tell whether anything was learned."""

LARGEST_FILE = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """Ids of what stands before both texts (the end token first), of the better and of the other text."""

    context: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Feedback:
    """Choices to learn from, choices kept aside, and texts that are worth learning as they are."""

    training: tuple[EncodedPair, ...]
    heldout: tuple[EncodedPair, ...]
    examples: tuple[Row, ...]


def has_feedback(folder: Path) -> bool:
    """Say whether a run learns from feedback."""
    return (folder / FEEDBACK_FILE).is_file()


def load_feedback(folder: Path, base: Base, tokenizer: Tokenizer, positions: int) -> Feedback:
    """Return the feedback of a run folder as ids, at most ``positions`` together.

    Raise TrainerError: FEEDBACK_NOT_READABLE, or TOO_LITTLE_FEEDBACK where there are too few choices.
    """
    records = read_records(folder / FEEDBACK_FILE)
    feedback = encode_records(records, base, tokenizer, positions)
    found = (len(feedback.training), len(feedback.heldout))
    if found[0] < FEWEST_PAIRS or found[1] < FEWEST_HELDOUT:
        raise TrainerError(
            TrainerFailure.TOO_LITTLE_FEEDBACK,
            choices=found[0],
            needed=FEWEST_PAIRS,
            kept_aside=found[1],
            needed_aside=FEWEST_HELDOUT,
        )
    return feedback


def read_records(path: Path) -> list[FeedbackRecord]:
    """Return the records of a file; raise TrainerError(FEEDBACK_NOT_READABLE)."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"larger than {LARGEST_FILE // 1_000_000} MB")
        with path.open(encoding="utf-8") as lines:
            return list(read_feedback(lines))
    except (OSError, ValueError) as error:
        raise TrainerError(TrainerFailure.FEEDBACK_NOT_READABLE, path=str(path), detail=str(error)[:200]) from error


def encode_records(records: Iterable[FeedbackRecord], base: Base, tokenizer: Tokenizer, positions: int) -> Feedback:
    """Return records as ids; a pair whose two texts are the same in the model's own form is left out."""
    encoder = _Encoder(base, tokenizer, positions)
    training: list[EncodedPair] = []
    heldout: list[EncodedPair] = []
    examples: list[Row] = []
    for record in records:
        if isinstance(record, FeedbackPair):
            pair = encoder.encode_pair(record)
            if pair.chosen != pair.rejected and pair.chosen and pair.rejected:
                (heldout if record.held_out else training).append(pair)
        elif isinstance(record, FeedbackExample) and not record.held_out:
            row = encoder.encode_example(record)
            if row.counted > 0:
                examples.append(row)
    return Feedback(tuple(training), tuple(heldout), tuple(examples))


class _Encoder:
    """Puts prompt and text before in front, as writing does, and both texts behind it, cut to the same room."""

    def __init__(self, base: Base, tokenizer: Tokenizer, positions: int) -> None:
        self._base, self._tokenizer, self._positions = base, tokenizer, positions

    def encode_pair(self, pair: FeedbackPair) -> EncodedPair:
        chosen, rejected = self._encode(pair.chosen), self._encode(pair.rejected)
        longest = min(max(len(chosen), len(rejected)), self._positions // 2)
        context = self._encode_context(pair.prompt, pair.before, self._positions - longest)
        return EncodedPair(context, tuple(chosen[:longest]), tuple(rejected[:longest]), pair.weight)

    def encode_example(self, example: FeedbackExample) -> Row:
        text = self._encode(example.text)[: self._positions // 2]
        context = self._encode_context(example.prompt, example.before, self._positions - len(text))
        return Row(ids=(*context, *text), counted_from=len(context))

    def _encode_context(self, prompt: str, before: str, room: int) -> tuple[int, ...]:
        head = encode_head(
            normalise_text(prompt, self._base.normaliser),
            self._tokenizer,
            self._base.template,
            int(room * PROMPT_SHARE) - 1,
        )
        text = self._encode(before)
        kept: Sequence[int] = text[max(0, len(text) - (room - 1 - len(head))) :]
        return (self._base.shape.end_token_id, *head, *kept)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(
            normalise_text(text, self._base.normaliser), add_special_tokens=False
        ).ids
        return ids

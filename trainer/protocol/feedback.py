"""What a writer liked, as the trainer reads it: ``feedback.jsonl``, one record a line, UTF-8.

A ``pair`` says which of two texts is better behind the same prompt and text; an ``example`` is a text that was accepted
or rated high. Records of held-out prompts are marked and never learned from. Kinds and fields that this version does
not know are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

FEEDBACK_FILE = "feedback.jsonl"
"""Its name in a run folder."""


@dataclass(frozen=True, slots=True)
class FeedbackPair:
    """Of two continuations of ``prompt`` (rendered by the model's template) and ``before`` the first is better.

    ``before`` is text of the story that stands already, often empty; ``weight`` is above 0 and at most 1; ``origin`` is
    ``rating``, ``choice``, ``suggestion`` or ``edit``.
    """

    kind: ClassVar[str] = "pair"
    prompt: str
    before: str
    chosen: str
    rejected: str
    weight: float
    origin: str
    held_out: bool


@dataclass(frozen=True, slots=True)
class FeedbackExample:
    """A text behind ``prompt`` and ``before`` that is worth learning; the fields mean what they do in a pair."""

    kind: ClassVar[str] = "example"
    prompt: str
    before: str
    text: str
    weight: float
    origin: str
    held_out: bool


FeedbackRecord = FeedbackPair | FeedbackExample


def encode_feedback(record: FeedbackRecord) -> str:
    """Return a record as one line without its line break."""
    return json.dumps({"kind": record.kind, **asdict(record)}, ensure_ascii=False, separators=(",", ":"))


def decode_feedback(line: str) -> FeedbackRecord | None:
    """Return the record of a line, None for a kind of a newer version; raise ValueError where it is none."""
    try:
        record = json.loads(line)
    except RecursionError as error:
        raise ValueError("too deep") from error
    if not isinstance(record, dict) or not isinstance(record.get("kind"), str):
        raise ValueError("no feedback")
    if record["kind"] not in (FeedbackPair.kind, FeedbackExample.kind):
        return None
    shared: dict[str, Any] = {
        "prompt": _read_text(record, "prompt", empty=True),
        "before": _read_text(record, "before", empty=True),
        "weight": _read_weight(record.get("weight", 1.0)),
        "origin": _read_text(record, "origin", empty=True),
        "held_out": record.get("held_out") is True,
    }
    if record["kind"] == FeedbackPair.kind:
        return FeedbackPair(chosen=_read_text(record, "chosen"), rejected=_read_text(record, "rejected"), **shared)
    return FeedbackExample(text=_read_text(record, "text"), **shared)


def read_feedback(lines: Iterable[str]) -> Iterator[FeedbackRecord]:
    """Yield the records of a file; raise ValueError with the number of a line that is none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                record = decode_feedback(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
            if record is not None:
                yield record


def _read_text(record: dict[str, Any], name: str, *, empty: bool = False) -> str:
    value = record.get(name, "" if empty else None)
    if not isinstance(value, str) or not (empty or value.strip()):
        raise ValueError(f"{name} is no text")
    return value


def _read_weight(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise ValueError("weight is not between 0 and 1")
    return float(value)

"""Texts of our own: one to measure models on, another to see what their activations are like.

No model of ours was tuned on either, and what is measured on the first was never adjusted on it.
"""

from __future__ import annotations

from pathlib import Path

_TEXTS = Path(__file__).resolve().parent / "texts"


def _read(name: str) -> tuple[str, ...]:
    """Return the pieces of a text, which stand between lines of three asterisks."""
    return tuple(piece.strip() for piece in (_TEXTS / name).read_text(encoding="utf-8").split("\n***\n"))


MEASURED = _read("measured.txt")
"""Eight pieces of fiction, about 3,000 words: every kind of graph is measured on them."""

CALIBRATION = _read("calibration.txt")
"""Three more pieces, about 900 words: what goes into each projection is looked at on them."""

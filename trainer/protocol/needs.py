"""How much memory and disk a run needs, by formula; the trainer asks before it starts, the app before it offers."""

from __future__ import annotations


def estimate_memory_bytes(weights: int, vocabulary: int, batch_tokens: int, *, adapters: bool) -> int:
    """Return the bytes that weights, gradients, AdamW's two averages and one batch's output layer take.

    ``weights`` counts numbers. With adapters the weights have neither gradients nor averages; what the adapters take is
    little beside that.
    """
    copies = 1.2 if adapters else 4.0
    return int(weights * 4 * copies) + batch_tokens * vocabulary * 4 * 2


def estimate_disk_bytes(weights: int, *, portable: bool) -> tuple[int, int]:
    """Return the bytes that checkpoints take at most, and those of the finished bundle; ``weights`` counts numbers."""
    # A checkpoint is the weights and AdamW's two averages; two are kept while a third is written, besides the best.
    checkpoints = weights * 4 * (3 * 3 + 2)
    # Weights, float32 and 8-bit graphs, and Optimum's graph, which for a moment exists twice.
    return checkpoints, weights * (4 + 4 + 2 + (8 if portable else 0))

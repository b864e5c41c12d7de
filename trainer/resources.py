"""Disk and memory: whether a run fits, asked before it starts rather than found out at its end."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from trainer.base import Base
from trainer.config import Hyperparameters
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.needs import estimate_disk_bytes, estimate_memory_bytes
from trainer.reporter import is_disk_full

_SPARE_BYTES = 100_000_000
# torch and the C++ library say it in these words, on processors and graphics cards.
_SHORT_OF_MEMORY = ("OutOfMemoryError", "not enough memory", "can't allocate memory", "bad_alloc", "out of memory")


def require_disk(run_folder: Path, bundle: Path, weights: int, *, portable: bool) -> None:
    """Raise TrainerError(DISK_FULL) where checkpoints or bundle won't fit; ``weights`` counts numbers."""
    checkpoints, finished = estimate_disk(weights, portable=portable)
    for folder, needed in ((run_folder, checkpoints), (_existing(bundle), finished)):
        if shutil.disk_usage(folder).free < needed + _SPARE_BYTES:
            raise TrainerError(TrainerFailure.DISK_FULL, path=str(folder))


def estimate_disk(weights: int, *, portable: bool) -> tuple[int, int]:
    """Return the bytes that checkpoints take at most, and those of the finished bundle; ``weights`` counts numbers."""
    return estimate_disk_bytes(weights, portable=portable)


def estimate_memory(base: Base, settings: Hyperparameters, *, adapters: bool) -> int:
    """Return the bytes that a run takes at least (see ``trainer.protocol.needs``)."""
    return estimate_memory_bytes(base.weight_count, base.shape.vocabulary, settings.batch_tokens, adapters=adapters)


def require_memory(base: Base, settings: Hyperparameters) -> None:
    """Raise TrainerError(MEMORY_FULL) where the network and its optimiser alone are more than what is free.

    Only Linux says cheaply what is free; elsewhere, and on a GPU, the run finds out.
    """
    if settings.device == "cuda":
        return
    needed = estimate_memory(base, settings, adapters=settings.method != "full")
    free = read_free_memory()
    if free is not None and needed > free:
        detail = f"{needed / 1e9:.1f} GB needed, {free / 1e9:.1f} GB free"
        raise TrainerError(TrainerFailure.MEMORY_FULL, detail=detail)


def explain(error: BaseException) -> TrainerError | None:
    """Return the expected failure behind an exception: a full disk or memory; None for anything else."""
    if isinstance(error, TrainerError):
        return error
    if is_disk_full(error):
        # Of a copy, the second name is the file that could not be written.
        filename = getattr(error, "filename2", None) or getattr(error, "filename", None)
        return TrainerError(TrainerFailure.DISK_FULL, path=str(filename or ""))
    if is_memory_full(error):
        return TrainerError(TrainerFailure.MEMORY_FULL, detail=_say(error).splitlines()[0][:200])
    return None


def is_memory_full(error: BaseException) -> bool:
    """Say whether an exception means that memory, the processor's or the graphics card's, did not suffice."""
    return isinstance(error, MemoryError) or any(word in _say(error) for word in _SHORT_OF_MEMORY)


def _say(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"


def _existing(path: Path) -> Path:
    """Return the nearest folder above ``path`` that is there."""
    while not path.is_dir() and path != path.parent:
        path = path.parent
    return path


def read_free_memory() -> int | None:
    """Return the bytes that can be had without swapping out others, as Linux counts them; None elsewhere."""
    if sys.platform != "linux":
        return None
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None

"""Where a run computes and how precisely: NVIDIA's and AMD's cards (CUDA, ROCm), Apple's, Intel's, or the processor."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import torch

from trainer.config import Hyperparameters
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.resources import read_free_memory

_GPU_KINDS = ("cuda", "mps", "xpu")
_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}

# AMD's families that multiply bf16 in their matrix units; torch says yes to bf16 on all of them and emulates the rest.
_AMD_WITH_BF16 = ("gfx90a", "gfx94", "gfx95", "gfx11", "gfx12")
# From Volta on, NVIDIA's cards multiply fp16 faster than fp32; Pascal's consumer cards are slower by far.
_FP16_SINCE = (7, 0)
_TF32_SINCE = (8, 0)
# Networks with fewer weights write their tokens on one thread.
_SMALL_WEIGHTS = 50_000_000


@dataclass(frozen=True, slots=True)
class Device:
    """Where and how precisely the run computes; ``name`` is ``cpu`` or the GPU's, ``precision`` as in events.

    With ``tf32`` the products of fp32 numbers may be rounded while tuning.
    """

    torch: torch.device
    name: str
    precision: str = "fp32"
    tf32: bool = False

    @property
    def is_gpu(self) -> bool:
        """Whether the run computes on a graphics card."""
        return self.torch.type != "cpu"

    @property
    def bf16(self) -> bool:
        """Whether the network computes in bf16."""
        return self.precision == "bf16"

    def autocast(self) -> AbstractContextManager[object]:
        """Return a context in which the network computes in this device's precision."""
        half = _HALVES.get(self.precision)
        if half is None:
            return contextlib.nullcontext()
        return torch.autocast(self.torch.type, dtype=half)


def choose_device(settings: Hyperparameters) -> Device:
    """Return the device; raise TrainerError(BAD_REQUEST) where torch can't compute as it is asked to."""
    available = [kind for kind in _GPU_KINDS if _is_available(kind)]
    if settings.device in _GPU_KINDS and settings.device not in available:
        raise TrainerError(TrainerFailure.BAD_REQUEST, detail=f"torch sees no GPU here ({settings.device})")
    kind = settings.device if settings.device != "auto" else (available or ["cpu"])[0]
    precision = _choose_precision(kind) if settings.precision == "auto" else settings.precision
    if kind == "cpu":
        if precision == "fp16":
            raise TrainerError(TrainerFailure.BAD_REQUEST, detail="fp16 needs a GPU; a processor takes bf16 or fp32")
        return Device(torch.device("cpu"), "cpu", precision)
    if kind == "mps":
        return Device(torch.device("mps"), "Apple GPU", precision)
    backend: Any = torch.cuda if kind == "cuda" else torch.xpu
    # In a team each process on a machine takes the card with its number.
    number = int(os.environ.get("LOCAL_RANK", "0")) % backend.device_count()
    backend.set_device(number)
    tf32 = kind == "cuda" and settings.tf32 and not torch.version.hip and _nvidia_generation() >= _TF32_SINCE
    return Device(torch.device(kind, number), backend.get_device_name(number), precision, tf32)


def cpu_computes_bf16() -> bool:
    """Say whether the processor multiplies bf16 itself (AVX512-BF16 or AMX); elsewhere autocast makes it slower."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(bool(getattr(torch.cpu, check, lambda: False)()) for check in checks)


@contextlib.contextmanager
def rounding_products(on: bool) -> Iterator[None]:
    """Let NVIDIA's cards round the factors of fp32 products to TF32, or forbid it, until the context is left."""
    before = torch.get_float32_matmul_precision()
    wanted = "high" if on else "highest"
    if before == wanted:
        yield
        return
    torch.set_float32_matmul_precision(wanted)
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


@contextlib.contextmanager
def share_processor(weights: int, device: torch.device) -> Iterator[None]:
    """Let small networks compute on one thread inside the block.

    A token of a small network is a hundred tiny sums. A second thread gains nothing there, and where something else
    uses the processor, each sum waits until both threads get their turn: ten times as long was measured.
    """
    threads = torch.get_num_threads()
    if device.type == "cpu" and weights < _SMALL_WEIGHTS:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def read_free(device: torch.device) -> int | None:
    """Return the bytes that are free where the run computes; None where nobody says."""
    if device.type in ("cuda", "xpu"):
        backend: Any = torch.cuda if device.type == "cuda" else torch.xpu
        with contextlib.suppress(RuntimeError):  # some of Intel's drivers don't say
            return int(backend.mem_get_info(device)[0])
        return None
    if device.type == "mps":
        # Apple's processors and cards share their memory, and the card gets a part of it.
        return max(0, int(torch.mps.recommended_max_memory()) - int(torch.mps.driver_allocated_memory()))
    return read_free_memory()


def free_memory(device: torch.device) -> None:
    """Give back what a failed step left behind."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
    elif device.type == "xpu":
        torch.xpu.empty_cache()


def _is_available(kind: str) -> bool:
    if kind == "mps":
        return bool(torch.backends.mps.is_available())
    backend: Any = torch.cuda if kind == "cuda" else getattr(torch, "xpu", None)
    return backend is not None and bool(backend.is_available())


def _choose_precision(kind: str) -> str:
    """Return the quickest precision that the device computes in itself and that GPT-2 is known to learn in."""
    if kind == "cpu":
        return "bf16" if cpu_computes_bf16() else "fp32"
    if kind == "cuda" and torch.version.hip:
        family = str(getattr(torch.cuda.get_device_properties(0), "gcnArchName", ""))
        return "bf16" if family.startswith(_AMD_WITH_BF16) else "fp16"
    if kind == "cuda":
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return "bf16"
        return "fp16" if _nvidia_generation() >= _FP16_SINCE else "fp32"
    if kind == "xpu":
        return "bf16" if torch.xpu.is_bf16_supported(including_emulation=False) else "fp16"
    return "fp32"  # Apple's: half precision under autocast is young there, and nobody has measured it for us


def _nvidia_generation() -> tuple[int, int]:
    major, minor = torch.cuda.get_device_capability()
    return int(major), int(minor)

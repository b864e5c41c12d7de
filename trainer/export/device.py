"""Whether this machine has a GPU that a graph could run on: what is not needed is not built."""

from __future__ import annotations

import ctypes
import sys

import onnxruntime


def has_gpu() -> bool:
    """Return whether ONNX Runtime offers a GPU that the system has too; asks the driver and starts nothing.

    CoreML does not count: it takes only parts of such a graph, so one is built for it when somebody asks.
    """
    offered = onnxruntime.get_available_providers()
    if "DmlExecutionProvider" in offered:
        return True
    return "CUDAExecutionProvider" in offered and _count_cuda_devices() > 0


def _count_cuda_devices() -> int:
    """Return how many devices NVIDIA's driver knows; 0 without a driver."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value

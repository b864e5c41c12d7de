"""How fast threads can read memory: what no engine can beat, because a token reads every weight once."""

from __future__ import annotations

import threading
import time

import numpy as np

_BYTES = 512 << 20


def measure_bandwidth(threads: int = 2, repeats: int = 5) -> float:
    """Return the best bytes per second at which ``threads`` threads read 512 MB together.

    The best and not the median: it has to be a bound. Sums of whole numbers, which the processor does in passing.
    """
    memory = np.ones(_BYTES // 8, np.int64)
    parts = np.array_split(memory, threads)
    best = 0.0
    for _ in range(repeats):
        readers = [threading.Thread(target=np.bitwise_or.reduce, args=(part,)) for part in parts]
        started = time.perf_counter()
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
        best = max(best, memory.nbytes / (time.perf_counter() - started))
    return best

"""How hard the engine's threads may work while somebody is typing. No Qt in here."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

POLITENESS = 5
"""Steps of Linux's niceness: where both want a processor the window gets about three quarters of it."""


def make_way_for_the_window() -> None:
    """Let this thread, and every thread it starts, step back where the window wants a processor.

    On a machine of four cores and more the engine leaves one free (``inference.devices``); on a smaller one that would
    cost too much speed, so there it takes them all and gives way. Linux keeps a niceness for each thread, which the
    threads that it starts inherit, ONNX Runtime's among them; elsewhere nothing is done.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), POLITENESS)

"""The real trainer with something wrong around it: ``python -m tests.bench.faulty_trainer FAULT STAGE TIMES RUN``.

FAULT ``memory`` lets STAGE find no memory, TIMES times: where the network computes, on its way forward, else as soon
as the stage begins. FAULT ``kill`` ends the process there, as Linux's memory killer does.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from trainer.__main__ import main
from trainer.protocol.messages import Stage, StageEntered
from trainer.reporter import Reporter

NETWORK_STAGES = (Stage.MEASURING_BEFORE, Stage.TUNING, Stage.MEASURING_AFTER, Stage.SAMPLING)
"""Where the network computes; the other stages work without it."""


class _Fault:
    """Strikes in one stage, a given number of times."""

    def __init__(self, stage: Stage, times: int, strike: Callable[[], None]) -> None:
        self._stage, self._left, self._strike = stage, times, strike
        self._now: Stage | None = None

    def watch_reporter(self) -> None:
        """Learn from the reporter which stage it is."""
        report = Reporter.report

        def watched(reporter: Reporter, event: Any) -> None:
            report(reporter, event)
            if isinstance(event, StageEntered):
                self._now = event.stage
                if event.stage not in NETWORK_STAGES:
                    self.strike()

        Reporter.report = watched  # type: ignore[assignment,method-assign]  # that is the fault

    def watch_network(self) -> None:
        """Strike where the network computes."""
        from trainer.tuning.network import TunedNetwork

        forward = TunedNetwork.forward

        def faulty(*arguments: Any, **named: Any) -> Any:
            if self._now in NETWORK_STAGES:
                self.strike()
            return forward(*arguments, **named)

        TunedNetwork.forward = faulty  # type: ignore[method-assign]  # that is the fault

    def strike(self) -> None:
        """Fail where the stage has come and the fault lasts."""
        if self._now == self._stage and self._left > 0:
            self._left -= 1
            self._strike()


def _run_out() -> None:
    import torch

    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(fault: str, stage: str, times: int, folder: str) -> int:
    """Carry out the run with the fault and return the exit code."""
    strikes = _Fault(Stage(stage), times, _die if fault == "kill" else _run_out)
    strikes.watch_reporter()
    strikes.watch_network()
    return main(["tune", folder, "--detached"])


if __name__ == "__main__":
    sys.exit(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]))

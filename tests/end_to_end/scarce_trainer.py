"""The trainer on a machine where one process of a team finds no memory, once; started by torchrun in a test."""

from __future__ import annotations

import os
import sys
from typing import Any

import torch
from transformers import Trainer

from trainer.__main__ import main

FAILING_RANK, FAILING_STEP = "1", 3


def fail_once() -> None:
    """Let the second process run out of memory in the middle of a step."""
    real = Trainer.training_step
    left = [1]

    def training_step(trainer: Any, *arguments: Any, **named: Any) -> Any:
        if os.environ["RANK"] == FAILING_RANK and trainer.state.global_step + 1 == FAILING_STEP and left:
            left.clear()
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return real(trainer, *arguments, **named)

    Trainer.training_step = training_step  # what a full card would do


if __name__ == "__main__":
    fail_once()
    sys.exit(main())

"""Several processes that tune one network together, one for each GPU or machine: ``torchrun -m trainer tune RUN``.

The first of them reads, measures, speaks, saves and exports; the others compute their part of each batch. A process
that was started alone is a team of one, for which all of this does nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as group

from trainer.resources import is_memory_full

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Team:
    """Who this process is among how many. One thread."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the process that speaks."""
        return self.rank == 0

    def wait(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            group.barrier()

    def follow(self, decision: T) -> T:
        """Return what the first process decided; clocks and wishes differ between processes, and steps must not."""
        if self.size == 1:
            return decision
        box = [decision]
        group.broadcast_object_list(box, src=0)
        return box[0]

    def average(self, value: float) -> float:
        """Return the mean over all processes; no number where any of them has none."""
        if self.size == 1:
            return value
        return self._add_up(value) / self.size

    def together(self, work: Callable[[], T]) -> T:
        """Return what this process's share of some work gives; no process speaks to others in it.

        Where memory falls short in any process a MemoryError or what torch raised is raised in every one of them, so
        that they can go on with less together: the others would wait for the one that failed.
        """
        if self.size == 1:
            return work()
        failed: RuntimeError | MemoryError | None = None
        try:
            result = work()
        except (RuntimeError, MemoryError) as error:
            if not is_memory_full(error):
                raise
            failed = error
        if self._add_up(float(failed is not None)) > 0:
            raise failed or MemoryError("another process of the team ran out of memory")
        return result

    def average_gradients(self, parameters: Sequence[torch.nn.Parameter]) -> None:
        """Give every process the mean of all their gradients."""
        if self.size == 1:
            return
        for parameter in parameters:
            if parameter.requires_grad and parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        pending = [group.all_reduce(gradient, async_op=True) for gradient in gradients]
        for each in pending:
            if each is not None:
                each.wait()
        for gradient in gradients:
            gradient /= self.size

    def _add_up(self, value: float) -> float:
        tensor = torch.tensor([value], dtype=torch.float64)
        if group.get_backend() == "nccl":
            tensor = tensor.float().cuda()
        group.all_reduce(tensor)
        return float(tensor[0])

    def leave(self) -> None:
        """End what was begun by ``join_team``."""
        if self.size > 1 and group.is_initialized():
            group.destroy_process_group()


def join_team(*, on_gpu: bool) -> Team:
    """Return the team that torchrun or accelerate started this process in."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        return Team()
    if not group.is_initialized():
        group.init_process_group("nccl" if on_gpu else "gloo")
    return Team(group.get_rank(), group.get_world_size())

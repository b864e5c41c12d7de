"""Several processes that tune one network together, one for each GPU or machine: ``torchrun -m trainer tune RUN``.

The first of them reads, measures, speaks, saves and exports; the others compute their part of each batch. A process
that was started alone is a team of one, for which all of this does nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as group

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
        tensor = torch.tensor([value], dtype=torch.float64)
        if group.get_backend() == "nccl":
            tensor = tensor.float().cuda()
        group.all_reduce(tensor)
        return float(tensor[0]) / self.size

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

"""The loop: a step, a measurement now and then, a checkpoint now and then, from wherever the last one stands."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from transformers import GPT2LMHeadModel

from trainer.control import Control, StopRequested
from trainer.evaluation.figures import HeldoutFigures, TextSize, compute_figures
from trainer.pretraining.network import compute_loss, make_optimisers, measure_nats
from trainer.pretraining.rows import Batches, PackedRows, cut_rows
from trainer.pretraining.schedule import choose_row_length, measure_progress, rate_factor
from trainer.pretraining.settings import PretrainingSettings
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import CheckpointSaved, NoticeGiven, StepTaken
from trainer.reporter import Reporter
from trainer.resources import is_memory_full
from trainer.tuning.checkpoints import CheckpointStore, read_json, write_json
from trainer.tuning.devices import Device, free_memory

_NETWORK, _OPTIMISERS, _PROGRESS = "network.safetensors", "optimisers.safetensors", "progress.json"
_SPEED_WINDOW = 0.9
_FINAL_TIMES = 5


@dataclass(slots=True)
class Progress:
    """What a run has behind it; saved in every checkpoint. Time that a killed run lost doesn't count."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Course:
    """Everything a pretraining works with; ``heldout_size`` is that of the whole held-out side."""

    network: GPT2LMHeadModel
    settings: PretrainingSettings
    device: Device
    training: PackedRows
    heldout: PackedRows
    heldout_size: TextSize
    store: CheckpointStore
    reporter: Reporter
    control: Control

    @property
    def one_pass(self) -> int:
        """Tokens of the text, once."""
        return len(self.training) * self.training.positions

    def measure(self, tokens: int, length: int) -> HeldoutFigures:
        """Return held-out figures over the first ``tokens`` tokens, ``length`` of them seen at once."""
        nats, counted = measure_nats(self.network, self.heldout, self.device, length=length, tokens=tokens)
        share = counted / max(self.heldout_size.tokens, 1)
        size = TextSize(counted, round(self.heldout_size.words * share), round(self.heldout_size.bytes * share))
        return compute_figures(nats * counted, size)

    def measure_last(self) -> HeldoutFigures:
        """Return the figures that the finished network is known by."""
        return self.measure(self.settings.evaluation_tokens * _FINAL_TIMES, self.settings.positions)


def learn(course: Course, on_damage: Callable[[Path], None]) -> Progress:
    """Train the network to the end of its time or tokens and return what that took.

    Raise StopRequested after saving where somebody asks for it, TrainerError(LOSS_DIVERGED, MEMORY_FULL, DISK_FULL).
    """
    return _Loop(course, on_damage).run()


class _Loop:
    """The state of one course. One thread."""

    def __init__(self, course: Course, on_damage: Callable[[Path], None]) -> None:
        self._course = course
        self._optimisers = make_optimisers(course.network, course.settings)
        rows = max(1, course.settings.batch_tokens // course.settings.positions)
        self._batches = Batches(len(course.training), rows, course.settings.seed)
        self._parts = course.settings.parts
        self._progress = Progress()
        self._speed = 0.0
        newest = course.store.find_newest("checkpoint", on_damage)
        if newest is not None:
            self._load(newest.folder)

    def run(self) -> Progress:
        """Take step after step; the last one is saved like any other."""
        course, settings, done = self._course, self._course.settings, self._progress
        saved = done.step
        course.network.train()
        while (share := self._share()) < 1 and not course.control.is_finishing:
            if course.control.is_stopping:
                if saved != done.step:
                    self._save()
                raise StopRequested
            self._step(share)
            if done.step % settings.evaluation_steps == 0:
                length = choose_row_length(settings, share)
                figures = course.measure(settings.evaluation_tokens, length)
                course.reporter.report(figures.as_event("during", done.step))
            if done.step % settings.checkpoint_steps == 0:
                self._save()
                saved = done.step
        if saved != done.step:
            self._save()
        return done

    def _share(self) -> float:
        done = self._progress
        return measure_progress(
            self._course.settings, tokens=done.tokens, seconds=done.seconds, one_pass=self._course.one_pass
        )

    def _step(self, share: float) -> None:
        """Learn from one batch and report it."""
        course, settings, done = self._course, self._course.settings, self._progress
        began = time.monotonic()
        rate = settings.learning_rate * rate_factor(settings, step=done.step, progress=share)
        for optimiser in self._optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate
        rows = course.training.read(self._batches.rows_of(done.step))
        rows = cut_rows(rows, choose_row_length(settings, share))
        tokens = rows.shape[0] * (rows.shape[1] - 1)
        loss = self._backward(rows) / tokens
        if not math.isfinite(loss):
            raise TrainerError(TrainerFailure.LOSS_DIVERGED, step=done.step + 1)
        norm = float(torch.nn.utils.clip_grad_norm_(course.network.parameters(), settings.gradient_limit))
        for optimiser in self._optimisers.values():
            optimiser.step()
            optimiser.zero_grad()
        seconds = time.monotonic() - began
        done.step += 1
        done.tokens += tokens
        done.seconds += seconds
        self._report(loss, rate, tokens / seconds, norm)

    def _backward(self, rows: NDArray[np.int64]) -> float:
        """Compute the gradients of a batch, in more and smaller pieces where memory runs short; return its nats."""
        course = self._course
        tokens = rows.shape[0] * (rows.shape[1] - 1)
        while True:
            nats = 0.0
            try:
                for piece in np.array_split(rows, min(self._parts, len(rows))):
                    loss = compute_loss(course.network, piece, course.device)
                    (loss / tokens).backward()
                    nats += float(loss.detach())
            except (RuntimeError, MemoryError) as error:
                if self._parts >= len(rows) or not is_memory_full(error):
                    raise
            else:
                return nats
            for optimiser in self._optimisers.values():
                optimiser.zero_grad()
            free_memory(course.device.torch)
            self._parts *= 2
            course.reporter.report(NoticeGiven("memory_smaller_batches"))

    def _report(self, loss: float, rate: float, speed: float, norm: float) -> None:
        done, share = self._progress, max(self._share(), 1e-9)
        self._speed = _SPEED_WINDOW * self._speed + (1 - _SPEED_WINDOW) * speed if self._speed else speed
        total = max(done.step, math.ceil(done.step / share))
        left = done.seconds * (1 - share) / share
        norm = norm if math.isfinite(norm) else 0.0
        self._course.reporter.report(
            StepTaken(done.step, total, loss, rate, round(self._speed, 1), round(left, 1), norm)
        )

    def _save(self) -> None:
        """Write a whole checkpoint: weights, what the optimisers remember, and where the run stands."""
        with self._course.store.write("checkpoint", self._progress.step) as folder:
            save_file(_list_weights(self._course.network), folder / _NETWORK)
            save_file(self._list_memories(), folder / _OPTIMISERS)
            write_json(folder / _PROGRESS, {**asdict(self._progress), "parts": self._parts})
        self._course.reporter.report(CheckpointSaved(self._progress.step))

    def _load(self, folder: Path) -> None:
        """Go on from a checkpoint."""
        saved = load_file(folder / _NETWORK)
        with torch.no_grad():
            for name, weight in self._course.network.named_parameters():
                weight.copy_(saved[name])
        memories = load_file(folder / _OPTIMISERS, device=str(self._course.device.torch))
        for name, optimiser in self._optimisers.items():
            state: dict[int, dict[str, torch.Tensor]] = {}
            for key, tensor in memories.items():
                owner, number, what = key.split(".")
                if owner == name:
                    state.setdefault(int(number), {})[what] = tensor
            optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
        progress = read_json(folder / _PROGRESS)
        self._progress.step = int(progress["step"])
        self._progress.tokens = int(progress["tokens"])
        self._progress.seconds = float(progress["seconds"])
        self._parts = max(self._parts, int(progress["parts"]))

    def _list_memories(self) -> dict[str, torch.Tensor]:
        return {
            f"{name}.{number}.{what}": tensor.contiguous()
            for name, optimiser in self._optimisers.items()
            for number, memory in optimiser.state_dict()["state"].items()
            for what, tensor in memory.items()
        }


def _list_weights(network: GPT2LMHeadModel) -> dict[str, torch.Tensor]:
    """Return every weight once; the output layer is the embedding."""
    return {name: weight.detach().contiguous() for name, weight in network.named_parameters()}

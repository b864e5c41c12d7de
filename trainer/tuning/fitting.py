"""The tuning itself: transformers' Trainer on accelerate, with our checkpoints, our events and early stopping."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MethodType
from typing import Any, cast

import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import SequentialSampler
from transformers import (
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from trainer.config import Hyperparameters
from trainer.control import Control, StopRequested
from trainer.corpus.rows import Row
from trainer.evaluation.figures import HeldoutFigures
from trainer.protocol.messages import NoticeGiven, StepTaken
from trainer.reporter import Reporter
from trainer.resources import is_memory_full
from trainer.tuning.adapters import merge_adapters
from trainer.tuning.batches import BatchDataset
from trainer.tuning.checkpoints import CheckpointStore, read_json, write_json
from trainer.tuning.clock import WorkClock
from trainer.tuning.devices import Device, free_memory, rounding_products
from trainer.tuning.endings import SETTLED_STEPS
from trainer.tuning.network import TunedNetwork
from trainer.tuning.pace import Pace
from trainer.tuning.schedule import Schedule, rate_factor
from trainer.tuning.team import Team
from trainer.tuning.thrift import Thrift
from trainer.tuning.whole_checkpoints import WholeCheckpointTrainer

PROGRESS_NAME = "progress.json"
BEST_NAME = "best.json"

# fp16's scaler passes over steps whose gradients overflow, and finds its scale within sixteen of them.
_MOST_PASSED_OVER = 30
# Held-out text that costs so many nats a token more than it did at the best is forgotten, not overfitted.
_LOST_NATS = 1.0


class LossDivergedError(Exception):
    """The loss or its gradient is no number any more at ``step``, or held-out text is predicted far worse."""

    def __init__(self, step: int) -> None:
        """Keep the step."""
        super().__init__(f"the loss went astray at step {step}")
        self.step = step


@dataclass(slots=True)
class Progress:
    """What a resumed run must know besides Trainer's own state; saved in every checkpoint."""

    best_step: int = 0
    best_nats: float = math.inf
    without_gain: int = 0
    elapsed: float = 0.0
    sampled: float = 0.0
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Fitting:
    """Everything one fit works with. ``measure`` returns the held-out figures of the network as it is.

    ``write_samples`` writes and reports samples at a step, which take about ``sample_seconds`` (0: nobody knows yet).
    ``settle`` is called once, when a step's memory has held. ``clock`` counts the time that ``seconds`` bounds.
    """

    network: TunedNetwork
    device: Device
    settings: Hyperparameters
    schedule: Schedule
    rows: Sequence[Row]
    batches: Sequence[Sequence[int]]
    seed: int
    seconds: float | None
    store: CheckpointStore
    reporter: Reporter
    control: Control
    measure: Callable[[], HeldoutFigures]
    write_samples: Callable[[int], None] | None = None
    sample_seconds: float = 0.0
    settle: Callable[[], None] = lambda: None
    clock: WorkClock = field(default_factory=WorkClock)
    progress: Progress = field(default_factory=Progress)
    thrift: Thrift = field(default_factory=Thrift)
    team: Team = field(default_factory=Team)


def fit(fitting: Fitting, resume_from: Path | None) -> tuple[int, bool]:
    """Tune the network; return the last step and whether it came to its end (False: stopped, with a checkpoint).

    ``fitting.progress`` tells the best step; its weights lie in the store unless the base was the best. Raise
    LossDivergedError, and what torch raises where memory is short.
    """
    arguments = _make_arguments(fitting)
    stepper = _Stepper(fitting)
    trainer = _StoryTrainer(fitting, arguments, stepper)
    set_seed(fitting.seed)
    try:
        with rounding_products(fitting.device.tf32):
            trainer.train(resume_from_checkpoint=str(resume_from) if resume_from else None)
    finally:
        # Take accelerate's autocast off the network: graphs are compared with float32.
        trainer.accelerator.unwrap_model(fitting.network, keep_fp32_wrapper=False)
    return trainer.state.global_step, not stepper.stopped


def load_progress(checkpoint: Path) -> Progress:
    """Return the progress that a whole checkpoint records."""
    record = read_json(checkpoint / PROGRESS_NAME)
    return Progress(
        best_step=int(record.get("best_step", 0)),
        best_nats=float(record.get("best_nats", math.inf)),
        without_gain=int(record.get("without_gain", 0)),
        elapsed=float(record.get("elapsed", 0.0)),
        sampled=float(record.get("sampled", 0.0)),
        finished=bool(record.get("finished", False)),
    )


def _make_arguments(fitting: Fitting) -> TrainingArguments:
    settings, schedule = fitting.settings, fitting.schedule
    # Trainer leaves the precision here, where the next one would find it.
    os.environ.pop("ACCELERATE_MIXED_PRECISION", None)
    arguments = TrainingArguments(
        output_dir=str(fitting.store.folder),
        max_steps=schedule.total_steps,
        per_device_train_batch_size=1,  # an item of the data set is a whole batch
        gradient_accumulation_steps=settings.accumulation * fitting.thrift.parts,
        learning_rate=schedule.learning_rate,
        weight_decay=settings.weight_decay,
        adam_beta1=settings.beta1,
        adam_beta2=settings.beta2,
        max_grad_norm=settings.gradient_limit,
        optim="adamw_torch_fused",
        bf16=fitting.device.precision == "bf16",
        fp16=fitting.device.precision == "fp16",
        use_cpu=fitting.device.torch.type == "cpu",
        seed=fitting.seed,
        data_seed=fitting.seed,
        eval_strategy="no",  # measuring and saving follow our own callback
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
        ddp_find_unused_parameters=False,
        label_names=["labels"],
    )
    # One process drives one device: splitting a whole batch over GPUs by DataParallel would break its loss.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments


class _StoryTrainer(WholeCheckpointTrainer):
    """Trainer with batches in a fixed order and a time-aware schedule."""

    def __init__(self, fitting: Fitting, arguments: TrainingArguments, stepper: _Stepper) -> None:
        self._dataset = BatchDataset(fitting.rows, fitting.batches, fitting.thrift, fitting.team.size)
        super().__init__(
            model=fitting.network,
            args=arguments,
            train_dataset=self._dataset,
            data_collator=lambda items: items[0],
            callbacks=[stepper],
        )
        self.remove_callback(PrinterCallback)  # type: ignore[no-untyped-call]  # not typed by transformers
        self.model_accepts_loss_kwargs = True
        self._fitting = fitting
        self._stepper = stepper
        self.keep_whole(fitting.store, fitting.reporter, stepper.save_progress, fitting.team)
        self._watch_gradients()

    def _watch_gradients(self) -> None:
        """Let the stepper see the length of each gradient before it reaches the weights."""
        clip = self.accelerator.clip_grad_norm_

        def clip_and_note(*arguments: Any, **named: Any) -> Any:
            norm = clip(*arguments, **named)
            if norm is not None:
                self._stepper.note_gradient(self.state.global_step + 1, float(norm))
            return norm

        setattr(self.accelerator, "clip_grad_norm_", clip_and_note)  # noqa: B010 - a method is no attribute to mypy

    def create_optimizer(self, *arguments: Any, **named: Any) -> torch.optim.Optimizer:
        """Return AdamW, whose step a team takes together: the first one asks for memory."""
        optimizer = cast("torch.optim.Optimizer", super().create_optimizer(*arguments, **named))  # type: ignore[no-untyped-call]  # not typed by transformers
        team = self._fitting.team
        if team.size > 1:
            step = optimizer.step

            def step_together(_self: torch.optim.Optimizer, *given: Any, **named_given: Any) -> Any:
                return team.together(lambda: step(*given, **named_given))

            setattr(optimizer, "step", MethodType(step_together, optimizer))  # noqa: B010 - as above
        return optimizer

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self._dataset)

    def get_decay_parameter_names(self, model: torch.nn.Module) -> list[str]:
        """Return the names of the matrices; embeddings are left alone besides what Trainer spares."""
        names = super().get_decay_parameter_names(model)
        return [name for name in names if ".wte." not in name and ".wpe." not in name]

    def create_scheduler(self, num_training_steps: int, optimizer: torch.optim.Optimizer | None = None) -> LambdaLR:
        """Return our schedule, which also ends low where a time limit comes before the last step."""
        fitting = self._fitting

        def factor(step: int) -> float:
            share = self._stepper.pace.elapsed_share
            return rate_factor(fitting.settings, fitting.schedule, step=step, elapsed_share=share)

        scheduler = LambdaLR(optimizer or cast("torch.optim.Optimizer", self.optimizer), factor)
        self.lr_scheduler = scheduler
        return scheduler

    def training_step(self, model: torch.nn.Module, inputs: dict[str, Any], num_items_in_batch: Any = None) -> Any:
        """Go forward and backward; raise LossDivergedError before a broken gradient reaches the weights."""
        team = self._fitting.team

        def compute() -> Any:
            # A team adds its gradients up once all of them are there: in torch's own way, on the way back, a process
            # that finds no memory would leave the others waiting.
            with model.no_sync() if team.size > 1 else contextlib.nullcontext():  # type: ignore[operator]  # of DDP
                return super(_StoryTrainer, self).training_step(model, inputs, num_items_in_batch)

        loss = team.together(compute)
        value = team.average(float(loss))
        if not math.isfinite(value):
            raise LossDivergedError(self.state.global_step + 1)
        if self.accelerator.sync_gradients:
            team.average_gradients(list(model.parameters()))
        self._stepper.add_batch(value, int(inputs["labels"].numel()) * team.size)
        return loss


class _Stepper(TrainerCallback):
    """After each step: report it, measure, keep the best, save, and decide whether to go on."""

    def __init__(self, fitting: Fitting) -> None:
        self._fitting = fitting
        self._progress = fitting.progress
        self._saved = time.monotonic()
        self._loss = 0.0
        self._tokens = 0
        self._gradient = 0.0
        self._passed_over = 0
        self._taken = 0
        self._samples = fitting.team.is_first and fitting.write_samples is not None
        self.pace = Pace(
            fitting.clock,
            limit=fitting.seconds,
            sampled=fitting.progress.sampled,
            sample_seconds=fitting.sample_seconds,
        )
        self.stopped = False

    def add_batch(self, loss: float, tokens: int) -> None:
        """Note a batch of the current step."""
        self._loss += loss
        self._tokens += tokens

    def note_gradient(self, step: int, norm: float) -> None:
        """Note a gradient's length; raise LossDivergedError where it is no number and would break the weights."""
        self._gradient = norm if math.isfinite(norm) else 0.0
        if math.isfinite(norm):
            self._passed_over = 0
            return
        # fp16 overflows now and then: its scaler passes over the step and tries a smaller scale.
        self._passed_over += 1
        if self._fitting.device.precision != "fp16" or self._passed_over > _MOST_PASSED_OVER:
            raise LossDivergedError(step)

    def save_progress(self, folder: Path) -> None:
        """Write what a resumed run has to know into a checkpoint."""
        progress = self._progress
        progress.elapsed, progress.sampled = self.pace.elapsed, self.pace.sampled
        record = {
            "best_step": progress.best_step,
            "without_gain": progress.without_gain,
            "elapsed": progress.elapsed,
            "sampled": progress.sampled,
            "finished": progress.finished,
        }
        if math.isfinite(progress.best_nats):
            record["best_nats"] = progress.best_nats
        write_json(folder / PROGRESS_NAME, record)

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Start the step's clock."""
        self.pace.begin()
        self._loss, self._tokens = 0.0, 0

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> TrainerControl:
        """Report the step and decide what comes next."""
        step, schedule = int(state.global_step), self._fitting.schedule
        self._report_step(step, kwargs)
        self._taken += 1
        if self._taken == SETTLED_STEPS:
            self._fitting.settle()
        team, wishes = self._fitting.team, self._fitting.control
        ends = self.pace.is_late() or wishes.is_finishing
        self.stopped, ends, wants_checkpoint = team.follow((wishes.is_stopping, ends, self._wants_checkpoint(step)))
        at_end = step >= schedule.total_steps or ends
        if not self.stopped and (step % schedule.evaluate_every == 0 or at_end):
            try:
                at_end = self._measure(step) or at_end
                if not at_end:
                    self._write_samples(step)
            except StopRequested:
                self.stopped = True  # what is measured again after a resume is less than steps done again
        self._progress.finished = at_end and not self.stopped
        control.should_training_stop = at_end or self.stopped
        control.should_save = control.should_training_stop or wants_checkpoint
        if control.should_save:
            self._saved = time.monotonic()
        return control

    def _wants_checkpoint(self, step: int) -> bool:
        settings = self._fitting.settings
        if settings.checkpoint_steps and step % settings.checkpoint_steps == 0:
            return True
        measured = step % self._fitting.schedule.evaluate_every == 0
        due = time.monotonic() - self._saved >= settings.checkpoint_seconds
        return due and (measured or settings.checkpoint_seconds > 0)

    def _report_step(self, step: int, kwargs: dict[str, Any]) -> None:
        self.pace.end_step(self._tokens)
        schedule = self._fitting.schedule
        scheduler = kwargs.get("lr_scheduler")
        rate = float(scheduler.get_last_lr()[0]) if scheduler is not None else 0.0
        self._fitting.reporter.report(
            StepTaken(
                step=step,
                total_steps=schedule.total_steps,
                loss=round(self._loss, 5),
                learning_rate=rate,
                tokens_per_second=round(self.pace.tokens_per_second, 1),
                seconds_left=round(self.pace.estimate_left(schedule.total_steps - step, schedule.evaluate_every), 1),
                gradient_norm=round(self._gradient, 5),
            )
        )

    def _measure(self, step: int) -> bool:
        """Measure held-out text, keep the weights where they are the best; return True where patience is at its end.

        Raise LossDivergedError where what was known of it is forgotten.
        """
        self.pace.begin()
        team = self._fitting.team
        figures = team.follow(team.together(self._fitting.measure))  # they differ in the last digits
        self._fitting.reporter.report(figures.as_event("during", step))
        progress = self._progress
        if not figures.nats_per_token < progress.best_nats + _LOST_NATS:  # that is no number is lost, too
            raise LossDivergedError(step)
        if figures.nats_per_token < progress.best_nats - self._fitting.settings.smallest_gain:
            progress.best_step, progress.best_nats, progress.without_gain = step, figures.nats_per_token, 0
            if team.is_first:
                save_best(self._fitting.store, self._fitting.network, step, figures.nats_per_token)
        else:
            progress.without_gain += 1
        self.pace.end_measuring()
        return progress.without_gain >= self._fitting.settings.patience

    def _write_samples(self, step: int) -> None:
        """Let the network write, where there is time for it; where there is no memory, never again."""
        write = self._fitting.write_samples
        if write is None or not self._samples or not self.pace.may_sample(self._fitting.settings.sample_share):
            return
        self.pace.begin()
        try:
            write(step)
        except (RuntimeError, MemoryError) as error:
            if not is_memory_full(error):
                raise
            self._samples = False
            self._fitting.reporter.report(NoticeGiven("memory_no_samples"))
            error.__traceback__ = None
            free_memory(self._fitting.device.torch)
        finally:
            self.pace.end_sample()


def save_best(store: CheckpointStore, network: TunedNetwork, step: int, nats: float) -> None:
    """Keep the network's weights as the best so far."""
    with store.write("best", step) as folder:
        network.save_pretrained(folder, state_dict=merge_adapters(network), safe_serialization=True)
        write_json(folder / BEST_NAME, {"step": step, "nats_per_token": nats})


def load_best(network: TunedNetwork, folder: Path) -> None:
    """Put the best weights into a network without adapters."""
    from safetensors.torch import load_file

    state = load_file(folder / "model.safetensors")
    network.load_state_dict(state, strict=False)  # the output layer is the embedding and stands there once
    network.tie_weights()  # type: ignore[no-untyped-call]  # not typed by transformers


def time_step(fitting_network: TunedNetwork, device: Device, batches: Sequence[dict[str, torch.Tensor]]) -> float:
    """Return the seconds of one batch forward and backward: the fastest of ``batches``, which changes no weight."""
    fitting_network.train()
    fastest = math.inf
    for batch in batches:
        began = time.monotonic()
        with device.autocast():
            loss = fitting_network(**{name: tensor.to(device.torch) for name, tensor in batch.items()}).loss
        loss.backward()
        float(loss.detach())
        fastest = min(fastest, time.monotonic() - began)
        fitting_network.zero_grad(set_to_none=True)
    return fastest

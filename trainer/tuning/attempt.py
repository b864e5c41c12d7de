"""Tuning with a second chance: plan the steps, fit, and where the loss is lost go back and try a lower rate once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainer.config import Hyperparameters
from trainer.control import Control
from trainer.corpus.rows import Row, plan_batches
from trainer.evaluation.figures import HeldoutFigures
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import NoticeGiven
from trainer.reporter import JOURNAL_NAME, Reporter
from trainer.resources import is_memory_full
from trainer.tuning.adapters import attach_adapters, detach_adapters
from trainer.tuning.batches import BatchDataset
from trainer.tuning.checkpoints import CheckpointStore, read_json
from trainer.tuning.clock import WorkClock
from trainer.tuning.devices import Device, free_memory
from trainer.tuning.endings import count_kills, judge_ending, open_note, take_crash, was_memory_scarce
from trainer.tuning.fitting import (
    BEST_NAME,
    Fitting,
    LossDivergedError,
    Progress,
    fit,
    load_best,
    load_progress,
    time_step,
)
from trainer.tuning.network import TunedNetwork, load_network, move_network, recompute_layers
from trainer.tuning.schedule import Schedule, choose_epochs, fit_steps, plan_schedule
from trainer.tuning.team import Team
from trainer.tuning.thrift import Thrift

_LOWER_RATE = 0.25
_TIMED_BATCHES = 3
# AdamW and the bookkeeping of a step, on top of forward and backward.
_STEP_OVERHEAD = 1.15
# What of a time limit is planned for; the rest is for a machine that gets slower.
_PLANNED_SHARE = 0.95


@dataclass(frozen=True, slots=True)
class TuningResult:
    """Where tuning ended: ``whole`` is False where it was stopped; ``best_step`` 0 means the base was never beaten."""

    step: int
    best_step: int
    whole: bool


@dataclass(frozen=True, slots=True)
class Assignment:
    """What is to be tuned, on what, and with whom to speak about it.

    ``measure`` returns the held-out figures of ``network`` as it is; ``state`` is what earlier starts of the run
    wrote down through ``remember``; ``seconds`` bounds the tuning. ``write_samples`` writes samples at a step, which
    take about ``sample_seconds``. ``folder`` is the run's.
    """

    network: TunedNetwork
    weights: Path
    settings: Hyperparameters
    device: Device
    rows: Sequence[Row]
    before: HeldoutFigures
    measure: Callable[[], HeldoutFigures]
    seed: int
    seconds: float | None
    store: CheckpointStore
    reporter: Reporter
    control: Control
    state: Mapping[str, Any]
    remember: Callable[..., None]
    team: Team
    thrift: Thrift
    folder: Path
    write_samples: Callable[[int], None] | None = None
    sample_seconds: float = 0.0


def tune_network(task: Assignment) -> TuningResult:
    """Tune the network in place and leave the best weights in it.

    Where memory runs short the run goes on from its last checkpoint with less of it, until there is no way left: then
    what torch raised is raised. Raise TrainerError(LOSS_DIVERGED) where the loss is lost the second time.
    """
    rate_scale = float(task.state.get("rate_scale", 1.0))
    if "precision" in task.state:
        task = replace(task, device=replace(task.device, precision=str(task.state["precision"])))
    thrift = Thrift.from_state(task.state["thrift"]) if "thrift" in task.state else task.thrift
    plan = _Plan(task)
    thrift, deaths = task.team.follow(_learn_from_death(task, plan, thrift))
    task.remember(thrift=thrift.as_state())  # a later start must not choose otherwise: checkpoints differ in kind
    clock = _start_clock(task)
    while True:
        try:
            with _noting(task, deaths) as settle:
                step, whole = _try(task, plan, thrift, rate_scale, clock, settle)
        except LossDivergedError as error:
            if rate_scale < 1:
                raise TrainerError(TrainerFailure.LOSS_DIVERGED, step=error.step) from error
            rate_scale = _LOWER_RATE
            task = _take_care(task, error.step, clock)
            task.remember(rate_scale=rate_scale)
            continue
        except (RuntimeError, MemoryError) as error:
            saving = thrift.save_more(plan.batches, plan.lengths) if is_memory_full(error) else None
            if saving is None:
                raise
            thrift, deaths = _step_down(task, thrift, saving), 0
            error.__traceback__ = None  # its frames hold the tensors of the step that failed
            task.remember(thrift=thrift.as_state())
            free_memory(task.device.torch)
            _reload(task)
            continue
        best_step = _restore_best(task) if whole and task.team.is_first else 0
        return TuningResult(step, best_step, whole)


def _take_care(task: Assignment, step: int, clock: WorkClock) -> Assignment:
    """Go back to the best weights after a loss went astray, and to whole precision where there was the least of it."""
    task.reporter.report(NoticeGiven("rate_lowered", {"step": step}))
    # The steps that led here are no place to go on from; the best weights are.
    task.store.clear("checkpoint")
    if task.device.precision == "fp16":
        task = replace(task, device=replace(task.device, precision="fp32"))
        task.remember(precision="fp32")
    task.remember(elapsed=clock.elapsed)
    _restore_best(task)
    return task


def _step_down(task: Assignment, thrift: Thrift, saving: tuple[Thrift, str]) -> Thrift:
    """Return the next way to need less memory, and say so; checkpoints of another kind of weights go."""
    if saving[0].adapters != thrift.adapters:
        task.store.clear("checkpoint")  # the best so far stays
    task.reporter.report(NoticeGiven(saving[1]))
    return saving[0]


def _learn_from_death(task: Assignment, plan: _Plan, thrift: Thrift) -> tuple[Thrift, int]:
    """Return the thrift to begin with, more where the last start died for want of memory, and how many died alike."""
    if not task.team.is_first:
        return thrift, 0
    note = task.state.get("attempt")
    crashed = take_crash(task.folder)
    scarce = was_memory_scarce(task.folder / JOURNAL_NAME)
    note = note if isinstance(note, Mapping) else {}
    died, deaths = judge_ending(note, count_kills(), crashed=crashed, scarce=scarce)
    saving = thrift.save_more(plan.batches, plan.lengths) if died is not False else None
    if saving is None:
        return thrift, deaths
    task.reporter.report(NoticeGiven("memory_killed" if died else "memory_suspected"))
    return _step_down(task, thrift, saving), deaths


@contextlib.contextmanager
def _noting(task: Assignment, deaths: int) -> Iterator[Callable[[], None]]:
    """Leave a note for a later start while a try goes on; it is taken back however the try ends, but not by a kill.

    What is yielded notes that the try's memory has held.
    """
    note = open_note(deaths)
    task.remember(attempt=note)
    try:
        yield lambda: task.remember(attempt={**note, "settled": True})
    finally:
        with contextlib.suppress(OSError):  # a full disk has its own sentence
            task.remember(attempt={})


def _start_clock(task: Assignment) -> WorkClock:
    """Return the clock of the time limit, with what earlier starts took of it."""
    newest = task.store.find_newest("checkpoint", lambda path: None)
    saved = load_progress(newest.folder).elapsed if newest else 0.0
    return WorkClock(max(saved, float(task.state.get("elapsed", 0.0))))


class _Plan:
    """The batches of all epochs, and how many steps there are to be, once that is known."""

    def __init__(self, task: Assignment) -> None:
        settings = task.settings
        self.lengths = [len(row.ids) for row in task.rows]
        self.epochs = choose_epochs(settings, sum(self.lengths))
        self.batches = plan_batches(
            self.lengths, batch_tokens=settings.batch_tokens, epochs=self.epochs, seed=task.seed
        )
        self.total = int(task.state.get("total_steps", 0))

    def schedule(self, task: Assignment, thrift: Thrift, rate_scale: float) -> Schedule:
        """Return the schedule; the first time the steps that fit into the time limit are measured for it."""
        scale = rate_scale * (task.settings.adapter_rate if thrift.adapters else 1.0)
        whole = plan_schedule(
            task.settings,
            batches=len(self.batches),
            epochs=self.epochs,
            weights=task.network.num_parameters(),
            rate_scale=scale,
        )
        if not self.total:
            self.total = task.team.follow(self._count_steps(task, thrift, whole))
            task.remember(total_steps=self.total)
        return _shorten(whole, self.total, task.settings)

    def _count_steps(self, task: Assignment, thrift: Thrift, schedule: Schedule) -> int:
        if task.seconds is None:
            return schedule.total_steps
        per_step = self.time_step(task, thrift, schedule)
        share = task.settings.sample_share if task.settings.samples_during and task.write_samples else 0.0
        seconds = task.seconds * _PLANNED_SHARE * (1 - share)
        return fit_steps(schedule.total_steps, seconds=seconds, seconds_per_step=per_step)

    def time_step(self, task: Assignment, thrift: Thrift, schedule: Schedule) -> float:
        """Return the seconds of a step on this machine, a step's share of the measurements included."""
        pieces = BatchDataset(task.rows, self.batches[:_TIMED_BATCHES], thrift)
        per_piece = time_step(task.network, task.device, [pieces[index] for index in range(len(pieces))])
        per_step = per_piece * thrift.parts * task.settings.accumulation * _STEP_OVERHEAD
        return per_step + float(task.state.get("measuring_seconds", 0.0)) / schedule.evaluate_every


@dataclass(frozen=True, slots=True)
class Foresight:
    """What a run would be: its schedule, how often each story is seen, the seconds of a step, how memory is saved."""

    schedule: Schedule
    epochs: int
    seconds_per_step: float
    thrift: Thrift


def foresee(task: Assignment) -> Foresight:
    """Return what tuning would be like on this machine, by doing a few steps whose result is thrown away.

    Memory is saved as far as those few steps ask for it. Raise what torch raises where no way is left.
    """
    plan, thrift = _Plan(task), task.thrift
    while True:
        try:
            with _dressed(task, thrift):
                schedule = plan.schedule(task, thrift, 1.0)
                return Foresight(schedule, plan.epochs, plan.time_step(task, thrift, schedule), thrift)
        except (RuntimeError, MemoryError) as error:
            saving = thrift.save_more(plan.batches, plan.lengths) if is_memory_full(error) else None
            if saving is None:
                raise
            thrift = saving[0]
            error.__traceback__ = None
            free_memory(task.device.torch)


@contextlib.contextmanager
def _dressed(task: Assignment, thrift: Thrift) -> Iterator[None]:
    """Let the network save memory as it is told, and take all that off again."""
    try:
        recompute_layers(task.network, thrift.recompute)
        if thrift.adapters:
            attach_adapters(task.network, task.settings.adapter_rank, dropout=task.settings.dropout)
        yield
    finally:
        detach_adapters(task.network)
        recompute_layers(task.network, False)


def _try(
    task: Assignment, plan: _Plan, thrift: Thrift, rate_scale: float, clock: WorkClock, settle: Callable[[], None]
) -> tuple[int, bool]:
    """Fit from the newest checkpoint; return the last step and whether it came to its end."""
    newest = task.store.find_newest("checkpoint", lambda path: None)
    progress = load_progress(newest.folder) if newest else Progress()
    _adopt_best(task.store, progress, task.before)
    if progress.finished and newest:
        return newest.step, True
    settings = task.settings
    with _dressed(task, thrift):
        fitting = Fitting(
            network=task.network,
            device=task.device,
            settings=settings,
            schedule=plan.schedule(task, thrift, rate_scale),
            rows=task.rows,
            batches=plan.batches[: plan.total * settings.accumulation],
            seed=task.seed,
            seconds=task.seconds,
            store=task.store,
            reporter=task.reporter,
            control=task.control,
            measure=task.measure,
            write_samples=task.write_samples,
            sample_seconds=task.sample_seconds,
            settle=settle,
            clock=clock,
            progress=progress,
            team=task.team,
            thrift=thrift,
        )
        return fit(fitting, newest.folder if newest else None)


def _shorten(schedule: Schedule, total: int, settings: Hyperparameters) -> Schedule:
    """Return the schedule over ``total`` steps, measured three times at least."""
    return Schedule(
        total_steps=total,
        evaluate_every=max(1, min(schedule.evaluate_every, -(-total // 3))),
        learning_rate=schedule.learning_rate,
        warmup_steps=max(1, round(total * settings.warmup_share)),
    )


def _adopt_best(store: CheckpointStore, progress: Progress, before: HeldoutFigures) -> None:
    """Let ``progress`` know the best that lies in the store, which may be newer than the checkpoint, or the base."""
    best = store.find_newest("best", lambda path: None)
    record = read_json(best.folder / BEST_NAME) if best else {}
    if best and "nats_per_token" in record:
        progress.best_step, progress.best_nats = best.step, float(record["nats_per_token"])
    else:
        progress.best_step, progress.best_nats = 0, before.nats_per_token


def _restore_best(task: Assignment) -> int:
    """Put the best weights so far (those of the base where nothing was better) into the network; return their step."""
    best = task.store.find_newest("best", lambda path: None)
    if best:
        load_best(task.network, best.folder)
        return best.step
    _reload(task)
    return 0


def _reload(task: Assignment) -> None:
    """Put the base's weights into the network."""
    task.network.load_state_dict(load_network(task.weights, task.settings).state_dict())
    move_network(task.network, task.device.torch)

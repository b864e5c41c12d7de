"""Tuning with a second chance: plan the steps, fit, and where the loss is lost go back and try a lower rate once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trainer.config import Hyperparameters
from trainer.control import Control
from trainer.corpus.rows import Row, plan_batches
from trainer.evaluation.figures import HeldoutFigures
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import NoticeGiven
from trainer.reporter import Reporter
from trainer.resources import is_memory_full
from trainer.tuning.batches import BatchDataset
from trainer.tuning.checkpoints import CheckpointStore, read_json
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
from trainer.tuning.network import (
    Device,
    TunedNetwork,
    free_memory,
    load_network,
    move_network,
    recompute_layers,
)
from trainer.tuning.schedule import Schedule, choose_epochs, fit_steps, plan_schedule
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


def tune_network(
    network: TunedNetwork,
    *,
    folder: Path,
    weights: Path,
    settings: Hyperparameters,
    device: Device,
    rows: Sequence[Row],
    before: HeldoutFigures,
    measure: Callable[[], HeldoutFigures],
    seed: int,
    seconds: float | None,
    store: CheckpointStore,
    reporter: Reporter,
    control: Control,
    state: Mapping[str, Any],
    remember: Callable[..., None],
) -> TuningResult:
    """Tune ``network`` in place and leave the best weights in it.

    Where memory runs short the run goes on from its last checkpoint with less of it, until there is no way left. Raise
    TrainerError(MEMORY_FULL) then, and TrainerError(LOSS_DIVERGED) where the loss is lost the second time.
    """
    lengths = [len(row.ids) for row in rows]
    epochs = choose_epochs(settings, sum(lengths))
    batches = plan_batches(lengths, batch_tokens=settings.batch_tokens, epochs=epochs, seed=seed)
    rate_scale = float(state.get("rate_scale", 1.0))
    thrift = Thrift.from_state(state.get("thrift"))
    if settings.recompute == "always":
        thrift = replace(thrift, recompute=True)
    total = int(state.get("total_steps", 0))
    while True:
        schedule = plan_schedule(
            settings, batches=len(batches), epochs=epochs, weights=network.num_parameters(), rate_scale=rate_scale
        )
        recompute_layers(network, thrift.recompute)
        newest = store.find_newest("checkpoint", lambda path: None)
        progress = load_progress(newest.folder) if newest else Progress()
        _adopt_best(store, progress, before)
        try:
            if not total:
                total = _plan_steps(network, device, settings, schedule, rows, batches, thrift, seconds, state)
                remember(total_steps=total)
            if progress.finished and newest:
                step, whole = newest.step, True
            else:
                fitting = Fitting(
                    network=network,
                    device=device,
                    settings=settings,
                    schedule=_shorten(schedule, total, settings),
                    rows=rows,
                    batches=batches[: total * settings.accumulation],
                    seed=seed,
                    seconds=seconds,
                    store=store,
                    reporter=reporter,
                    control=control,
                    measure=measure,
                    progress=progress,
                    thrift=thrift,
                )
                step, whole = fit(fitting, newest.folder if newest else None)
        except LossDivergedError as error:
            if rate_scale < 1:
                raise TrainerError(TrainerFailure.LOSS_DIVERGED, step=error.step) from error
            rate_scale = _LOWER_RATE
            remember(rate_scale=rate_scale)
            reporter.report(NoticeGiven("rate_lowered", {"step": error.step}))
            # The steps that led here are no place to go on from; the best weights are.
            store.clear("checkpoint")
            _restore_best(store, network, weights, settings, device)
            continue
        except (RuntimeError, MemoryError) as error:
            saving = thrift.save_more(batches, lengths) if is_memory_full(error) else None
            if saving is None:
                raise
            thrift, code = saving
            error.__traceback__ = None  # its frames hold the tensors of the step that failed
            remember(thrift=thrift.as_state())
            reporter.report(NoticeGiven(code))
            free_memory(device.torch)
            _reload(network, weights, settings, device)
            continue
        recompute_layers(network, False)
        if whole:
            progress.best_step = _restore_best(store, network, weights, settings, device)
        return TuningResult(step, progress.best_step, whole)


def _plan_steps(
    network: TunedNetwork,
    device: Device,
    settings: Hyperparameters,
    schedule: Schedule,
    rows: Sequence[Row],
    batches: Sequence[Sequence[int]],
    thrift: Thrift,
    seconds: float | None,
    state: Mapping[str, Any],
) -> int:
    """Return the steps that fit into the time limit, measured on this machine with the first batches."""
    if seconds is None:
        return schedule.total_steps
    pieces = BatchDataset(rows, batches[:_TIMED_BATCHES], thrift)
    per_piece = time_step(network, device, [pieces[index] for index in range(len(pieces))])
    per_step = per_piece * thrift.parts * settings.accumulation * _STEP_OVERHEAD
    per_step += float(state.get("measuring_seconds", 0.0)) / schedule.evaluate_every
    return fit_steps(schedule.total_steps, seconds=seconds * _PLANNED_SHARE, seconds_per_step=per_step)


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


def _restore_best(
    store: CheckpointStore, network: TunedNetwork, weights: Path, settings: Hyperparameters, device: Device
) -> int:
    """Put the best weights so far (those of the base where nothing was better) into the network; return their step."""
    best = store.find_newest("best", lambda path: None)
    if best:
        load_best(network, best.folder)
        return best.step
    _reload(network, weights, settings, device)
    return 0


def _reload(network: TunedNetwork, weights: Path, settings: Hyperparameters, device: Device) -> None:
    """Put the base's weights into the network."""
    network.load_state_dict(load_network(weights, settings).state_dict())
    move_network(network, device.torch)

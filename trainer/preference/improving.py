"""Improving a network from a writer's feedback: measure, learn from choices, and keep only what is better."""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trainer.base import Base
from trainer.corpus.tokens import load_tokenizer
from trainer.preference.choices import ChoiceFigures, LogLikelihoods, compute_choices, measure_likelihoods
from trainer.preference.fitting import PAIRS_PER_STEP, PreferenceFitting, Progress, compute_room, fit_preferences
from trainer.preference.records import Feedback, load_feedback
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import NoticeGiven
from trainer.resources import is_memory_full
from trainer.tuning.adapters import attach_adapters, detach_adapters
from trainer.tuning.attempt import Assignment, TuningResult
from trainer.tuning.checkpoints import read_json
from trainer.tuning.devices import free_memory
from trainer.tuning.fitting import BEST_NAME, LossDivergedError, load_best
from trainer.tuning.network import load_network, move_network, recompute_layers
from trainer.tuning.thrift import Thrift


@dataclass(frozen=True, slots=True)
class Improvement:
    """How it ended, and how held-out choices were predicted by the base and by what is in the network now.

    ``is_costly`` tells that choices were predicted better where stories had become too perplexing.
    """

    result: TuningResult
    before: ChoiceFigures
    after: ChoiceFigures
    is_costly: bool = False


def improve_network(task: Assignment, base: Base, folder: Path, positions: int) -> Improvement:
    """Let the network learn from the feedback of a run folder and leave the best weights in it.

    The base's stay where held-out choices are not predicted better by the end, or held-out stories much worse. Raise
    TrainerError for feedback that can't be used and where the loss is lost, and what torch raises for want of memory.
    """
    feedback = load_feedback(folder, base, load_tokenizer(base.weights), positions)
    student = _Student(task, feedback, base.drift)
    before = student.measure_choices(student.heldout_reference)
    task.reporter.report(before.as_event("before", 0))
    step, whole = student.learn()
    best = student.restore_best() if whole else 0
    after = student.measure_now() if whole else before
    if whole:
        most = task.before.perplexity * math.exp(compute_room(base.drift))
        task.reporter.report(replace(after.as_event("after", best), most_perplexity=most))
    return Improvement(TuningResult(step, best, whole), before, after, student.is_costly)


class _Student:
    """A network, what it is to learn from, and what its base thought of that. One thread."""

    def __init__(self, task: Assignment, feedback: Feedback, drift: float) -> None:
        self._task, self._feedback, self._drift = task, feedback, drift
        self.is_costly = False
        check = task.control.raise_if_stopping
        self._reference = measure_likelihoods(task.network, feedback.training, task.device, check)
        self.heldout_reference = measure_likelihoods(task.network, feedback.heldout, task.device, check)

    def measure_choices(self, found: Sequence[LogLikelihoods]) -> ChoiceFigures:
        """Return the figures of held-out choices."""
        strength = self._task.settings.feedback_strength
        return compute_choices(self._feedback.heldout, found, self.heldout_reference, strength)

    def measure_now(self) -> ChoiceFigures:
        """Return how the network as it is predicts held-out choices."""
        task = self._task
        return self.measure_choices(
            measure_likelihoods(task.network, self._feedback.heldout, task.device, task.control.raise_if_stopping)
        )

    def learn(self) -> tuple[int, bool]:
        """Learn to the end, a stop or the first word of want of memory; then with less of it."""
        task = self._task
        thrift = Thrift.from_state(task.state["thrift"]) if "thrift" in task.state else task.thrift
        deadline = time.monotonic() + task.seconds if task.seconds else math.inf
        order = plan_pairs(len(self._feedback.training), task.settings.feedback_epochs, task.seed)
        while True:
            task.remember(thrift=thrift.as_state())
            try:
                return self._try(thrift, order, deadline)
            except LossDivergedError as error:
                raise TrainerError(TrainerFailure.LOSS_DIVERGED, step=error.step) from error
            except (RuntimeError, MemoryError) as error:
                saving = thrift.save_more([range(PAIRS_PER_STEP)], [0]) if is_memory_full(error) else None
                if saving is None:
                    raise
                if saving[0].adapters != thrift.adapters:
                    task.store.clear("checkpoint")  # it holds another kind of weights
                task.reporter.report(NoticeGiven(saving[1]))
                thrift = saving[0]
                error.__traceback__ = None  # its frames hold the tensors of the step that failed
                free_memory(task.device.torch)
                self._reload()

    def _try(self, thrift: Thrift, order: Sequence[Sequence[int]], deadline: float) -> tuple[int, bool]:
        task = self._task
        newest = task.store.find_newest("checkpoint", lambda path: None)
        progress = Progress.load(newest.folder) if newest else Progress()
        best = task.store.find_newest("best", lambda path: None)
        if best:  # it may be newer than the checkpoint
            loss = read_json(best.folder / BEST_NAME).get("choice_loss", math.log(2))
            progress.best_step, progress.best_loss = best.step, float(loss)
        if progress.finished and newest:
            self.is_costly = progress.is_costly
            return newest.step, True
        with _dressed(task, thrift):
            fitting = PreferenceFitting(
                network=task.network,
                weights=task.weights,
                device=task.device,
                settings=task.settings,
                pairs=self._feedback.training,
                reference=self._reference,
                order=order,
                stories=task.rows,
                seed=task.seed,
                store=task.store,
                reporter=task.reporter,
                control=task.control,
                measure=lambda: (self.measure_now(), task.measure()),
                before=task.before,
                drift=self._drift,
                progress=progress,
                thrift=thrift,
                deadline=deadline,
            )
            ending = fit_preferences(fitting, newest.folder if newest else None)
            self.is_costly = progress.is_costly
            return ending

    def restore_best(self) -> int:
        """Put the best weights, or the base's, into the network; return their step."""
        best = self._task.store.find_newest("best", lambda path: None)
        if best:
            load_best(self._task.network, best.folder)
            return best.step
        self._reload()
        return 0

    def _reload(self) -> None:
        task = self._task
        task.network.load_state_dict(load_network(task.weights, task.settings).state_dict())
        move_network(task.network, task.device.torch)


def plan_pairs(pairs: int, epochs: int, seed: int) -> list[list[int]]:
    """Return the pairs of each step, ``PAIRS_PER_STEP`` each, over all epochs; depends on its arguments alone."""
    flat: list[int] = []
    for epoch in range(epochs):
        shuffled = list(range(pairs))
        random.Random(f"{seed} {epoch}").shuffle(shuffled)
        flat += shuffled
    steps = [flat[start : start + PAIRS_PER_STEP] for start in range(0, len(flat), PAIRS_PER_STEP)]
    if len(steps) > 1 and len(steps[-1]) < PAIRS_PER_STEP:
        steps.pop()  # steps of one size make one learning rate right for all
    return steps


@contextlib.contextmanager
def _dressed(task: Assignment, thrift: Thrift) -> Iterator[None]:
    """Let the network save memory as it is told, and take all that off again."""
    try:
        recompute_layers(task.network, thrift.recompute)
        if thrift.adapters:
            attach_adapters(task.network, task.settings.adapter_rank, dropout=0.0)
        yield
    finally:
        detach_adapters(task.network)
        recompute_layers(task.network, False)

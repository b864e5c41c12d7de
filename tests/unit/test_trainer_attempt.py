"""A tuning's tries: what is planned, what a death teaches, and what is different after the loss went astray."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from peft.tuners.lora import LoraLayer
from transformers import Trainer

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.config import Hyperparameters
from trainer.control import Control
from trainer.corpus.rows import Row
from trainer.evaluation.figures import HeldoutFigures
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.reporter import Reporter
from trainer.tuning import attempt
from trainer.tuning.attempt import Assignment, tune_network
from trainer.tuning.checkpoints import CheckpointStore
from trainer.tuning.devices import Device
from trainer.tuning.network import load_network
from trainer.tuning.team import Team
from trainer.tuning.thrift import Thrift

ROWS = [Row(tuple((5 + 7 * row + 3 * place) % 200 for place in range(24)), 1) for row in range(8)]
BOOT = {"boot": "a", "killed": 4}
SETTINGS = Hyperparameters(epochs=1, batch_tokens=48, evaluations_per_epoch=4, patience=50, dropout=0.0)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny GPT-2."""
    return make_tiny_gpt2(tmp_path_factory.mktemp("base") / "tiny")


class Desk:
    """A tuning on the desk: what it is given, what it says, and what it writes down."""

    def __init__(self, weights: Path, folder: Path, state: dict[str, Any] | None = None) -> None:
        """Take what an earlier start wrote down."""
        self.stdout = io.BytesIO()
        self.state: dict[str, Any] = dict(state or {})
        self.notes: list[Any] = []
        self.nats = [4.0]
        self.task = Assignment(
            network=load_network(weights, SETTINGS),
            weights=weights,
            settings=SETTINGS,
            device=Device(torch.device("cpu"), "cpu"),
            rows=ROWS,
            before=HeldoutFigures(5.0, 5.0, 5.0, 10),
            measure=self._measure,
            seed=3,
            seconds=None,
            store=CheckpointStore(folder / "checkpoints"),
            reporter=Reporter(self.stdout),
            control=Control(),
            state=dict(self.state),
            remember=self._remember,
            team=Team(),
            thrift=Thrift(),
            folder=folder,
        )

    def _measure(self) -> HeldoutFigures:
        self.nats.append(self.nats[-1] - 0.1)
        return HeldoutFigures(self.nats[-1], 1.0, 1.0, 10)

    def _remember(self, **facts: object) -> None:
        self.state.update(facts)
        if "attempt" in facts:
            self.notes.append(facts["attempt"])

    def codes(self) -> list[str]:
        """Return the codes of all notices."""
        events = [json.loads(line) for line in self.stdout.getvalue().splitlines()]
        return [event["code"] for event in events if event["kind"] == "notice_given"]

    def rates(self) -> list[float]:
        """Return the learning rates of all steps."""
        events = [json.loads(line) for line in self.stdout.getvalue().splitlines()]
        return [event["learning_rate"] for event in events if event["kind"] == "step_taken"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gc.collect", lambda *_: 0)
    monkeypatch.setattr(attempt, "count_kills", lambda: {**BOOT, "killed": 5})


def _compute_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "training_step", lambda *_given, **_named: torch.zeros(()))


def test_a_run_that_was_killed_for_want_of_memory_goes_on_with_less(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _compute_nothing(monkeypatch)
    desk = Desk(weights, tmp_path, {"attempt": {"deaths": 0, "settled": True, **BOOT}})
    result = tune_network(desk.task)
    assert desk.codes() == ["memory_killed", "memory_smaller_batches"]
    assert desk.state["thrift"]["parts"] == 2
    assert result.whole
    # While it worked there was a note for the next start, and none any more since it ended with a word.
    assert [bool(note) for note in desk.notes] == [True, True, False]
    assert desk.state["attempt"] == {}


def test_somebodys_kill_changes_nothing(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _compute_nothing(monkeypatch)
    desk = Desk(weights, tmp_path, {"attempt": {"deaths": 1, "settled": False, **BOOT, "killed": 5}})
    tune_network(desk.task)
    assert desk.codes() == []
    assert desk.state["thrift"]["parts"] == 1


def test_two_deaths_that_nobody_can_explain_are_enough(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _compute_nothing(monkeypatch)
    first = Desk(weights, tmp_path / "first", {"attempt": {"deaths": 0, "settled": False}})
    tune_network(first.task)
    assert first.codes() == []
    assert first.notes[0]["deaths"] == 1
    second = Desk(weights, tmp_path / "second", {"attempt": {"deaths": 1, "settled": False}})
    tune_network(second.task)
    assert second.codes() == ["memory_suspected", "memory_smaller_batches"]


def test_a_loss_that_is_no_number_goes_back_to_the_best_at_a_lower_rate(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, left = Trainer.training_step, [1]

    def training_step(trainer: Any, network: Any, *arguments: Any, **named: Any) -> Any:
        if trainer.state.global_step == 2 and left:
            left.clear()
            network.transformer.wte.weight.data[:, 0] = math.nan
        return real(trainer, network, *arguments, **named)

    monkeypatch.setattr(Trainer, "training_step", training_step)
    desk = Desk(weights, tmp_path)
    result = tune_network(desk.task)
    assert desk.codes() == ["rate_lowered"]
    assert max(desk.rates()[2:]) == pytest.approx(max(desk.rates()[:2]) / 4, rel=0.3)
    assert result.best_step == 4
    assert all(bool(parameter.isfinite().all()) for parameter in desk.task.network.parameters())
    assert desk.state["elapsed"] > 0  # a time limit goes on counting
    # The second time it is over, and what was best is still there.
    monkeypatch.setattr(Trainer, "training_step", lambda *_given, **_named: torch.tensor(math.inf))
    again = Desk(weights, tmp_path, {"rate_scale": 0.25})
    again.task.store.clear("checkpoint")
    with pytest.raises(TrainerError) as caught:
        tune_network(again.task)
    assert caught.value.code is TrainerFailure.LOSS_DIVERGED
    assert again.task.store.find_newest("best", lambda _: None) is not None


def test_after_a_loss_in_fp16_numbers_are_whole(weights: Path, tmp_path: Path) -> None:
    desk = Desk(weights, tmp_path)
    fp16 = replace(desk.task, device=replace(desk.task.device, precision="fp16"))
    assert attempt._take_care(fp16, 3, attempt._start_clock(fp16)).device.precision == "fp32"
    assert desk.state["precision"] == "fp32"


def test_the_plan_has_the_batches_and_the_rate_that_are_set(weights: Path, tmp_path: Path) -> None:
    settings = replace(SETTINGS, epochs=3, batch_tokens=72, learning_rate=1e-4, adapter_rate=6.0, adapter_rank=5)
    desk = Desk(weights, tmp_path)
    task = replace(desk.task, settings=settings)
    plan = attempt._Plan(task)
    assert plan.epochs == 3
    assert len(plan.batches) == 9
    assert max(len(batch) for batch in plan.batches) * 24 == 72
    whole = plan.schedule(task, Thrift(), 1.0)
    narrow = plan.schedule(task, Thrift(adapters=True), 1.0)
    assert (whole.learning_rate, narrow.learning_rate) == pytest.approx((1e-4, 6e-4))
    with attempt._dressed(task, Thrift(adapters=True)):
        ranks = {module.r["default"] for module in task.network.modules() if isinstance(module, LoraLayer)}
    assert ranks == {5}

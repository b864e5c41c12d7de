"""Settings reach what they name, and a fit comes to no harm: lost losses, sleep, samples, short memory."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import Trainer

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.config import Hyperparameters
from trainer.control import Control, StopRequested
from trainer.corpus.rows import Row
from trainer.evaluation.figures import HeldoutFigures
from trainer.protocol.hyperparameters import DECLARATIONS
from trainer.reporter import Reporter
from trainer.tuning import fitting as fitting_module
from trainer.tuning.checkpoints import CheckpointStore
from trainer.tuning.clock import WorkClock
from trainer.tuning.devices import Device
from trainer.tuning.fitting import Fitting, LossDivergedError, Progress, fit
from trainer.tuning.network import load_network, recompute_layers
from trainer.tuning.schedule import plan_schedule

CPU = Device(torch.device("cpu"), "cpu")
ROWS = [Row(tuple((5 + 7 * row + 3 * place) % 200 for place in range(24)), 1) for row in range(8)]
STEPS = 8


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tiny GPT-2."""
    return make_tiny_gpt2(tmp_path_factory.mktemp("base") / "tiny")


@dataclass
class Bench:
    """A network on the bench: fits it and keeps what was said and seen."""

    weights: Path
    folder: Path
    patch: pytest.MonkeyPatch

    def __post_init__(self) -> None:
        """Watch what the optimiser is given."""
        self.patch.setattr("gc.collect", lambda *_: 0)  # Trainer tidies up after itself, half a second each time
        self._watch()
        self.stdout = io.BytesIO()
        self.groups: list[dict[str, Any]] = []
        self.lengths: list[float] = []
        self.pieces = 0

    def events(self, kind: str) -> list[dict[str, Any]]:
        """Return the events of a kind."""
        return [event for line in self.stdout.getvalue().splitlines() if (event := json.loads(line))["kind"] == kind]

    def forget(self) -> None:
        """Forget what was said."""
        self.stdout.seek(0)
        self.stdout.truncate()

    def compute_nothing(self) -> None:
        """Let steps cost nothing and change nothing, where only what happens around them is looked at."""
        self.patch.setattr(Trainer, "training_step", lambda *_given, **_named: torch.zeros(()))

    def make(self, settings: Hyperparameters | None = None, *, seconds: float | None = None, **changes: Any) -> Fitting:
        """Return a fitting of eight batches of one row."""
        settings = settings or Hyperparameters(dropout=0.0)
        network = load_network(self.weights, settings)
        recompute_layers(network, settings.recompute == "always")
        batches = [[index] for index in range(len(ROWS))]
        schedule = plan_schedule(settings, batches=STEPS, epochs=1, weights=1000, rate_scale=1.0)
        made = Fitting(
            network=network,
            device=CPU,
            settings=settings,
            schedule=schedule,
            rows=ROWS,
            batches=batches,
            seed=3,
            seconds=seconds,
            store=CheckpointStore(self.folder),
            reporter=Reporter(self.stdout),
            control=Control(),
            measure=lambda: figures(3.0),
            progress=Progress(best_nats=5.0),
        )
        return replace(made, **changes)

    def fit(self, settings: Hyperparameters | None = None, **changes: Any) -> Fitting:
        """Fit what ``make`` makes and return it."""
        made = self.make(settings, **changes)
        fit(made, None)
        return made

    def _watch(self) -> None:
        taken = torch.optim.AdamW.step
        computed = Trainer.training_step
        bench = self

        def step(optimizer: Any, *arguments: Any, **named: Any) -> Any:
            parameters = [each for group in optimizer.param_groups for each in group["params"]]
            norms = [parameter.grad.norm() for parameter in parameters if parameter.grad is not None]
            bench.lengths.append(float(torch.norm(torch.stack(norms))) if norms else 0.0)
            bench.groups = [{**group} for group in optimizer.param_groups]
            return taken(optimizer, *arguments, **named)

        def training_step(trainer: Any, *arguments: Any, **named: Any) -> Any:
            bench.pieces += 1
            return computed(trainer, *arguments, **named)

        self.patch.setattr(torch.optim.AdamW, "step", step)
        self.patch.setattr(Trainer, "training_step", training_step)


@pytest.fixture
def bench(weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Return a bench."""
    return Bench(weights, tmp_path / "checkpoints", monkeypatch)


def figures(nats: float) -> HeldoutFigures:
    """Return held-out figures of which only the nats matter."""
    return HeldoutFigures(nats, nats, nats, 10)


def _rates(bench: Bench) -> list[float]:
    return [event["learning_rate"] for event in bench.events("step_taken")]


def test_the_optimiser_is_fused_adamw_with_the_numbers_it_is_told(bench: Bench) -> None:
    numbers = {"weight_decay": 0.123, "beta1": 0.81, "beta2": 0.91, "learning_rate": 3e-4}
    fitted = bench.fit(Hyperparameters(gradient_limit=0.01, accumulation=4, **numbers))  # type: ignore[arg-type]  # floats
    assert all(group["fused"] for group in bench.groups)
    assert {tuple(group["betas"]) for group in bench.groups} == {(0.81, 0.91)}
    decayed, spared = sorted(bench.groups, key=lambda group: -group["weight_decay"])
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.123, 0.0)
    names = {id(parameter): name for name, parameter in fitted.network.named_parameters()}
    assert all(".c_" in names[id(each)] and names[id(each)].endswith("weight") for each in decayed["params"])
    assert any("wte" in names[id(each)] for each in spared["params"])
    assert max(_rates(bench)) == pytest.approx(3e-4, rel=0.5)
    # Four batches are added up to a step, whose gradient is shortened; its own length is said.
    assert (bench.pieces, len(bench.lengths)) == (8, 2)
    assert max(bench.lengths) <= 0.0101
    assert min(event["gradient_norm"] for event in bench.events("step_taken")) > 0.05


@pytest.mark.parametrize(
    ("schedule", "middle"), [("linear", 0.55), ("cosine", 0.55), ("constant", 1.0)], ids=lambda value: str(value)
)
def test_the_rate_falls_as_it_is_told(bench: Bench, schedule: str, middle: float) -> None:
    bench.compute_nothing()
    settings = Hyperparameters(schedule=schedule, final_rate_share=0.1, warmup_share=0.25, learning_rate=1e-3)
    bench.fit(settings)
    shares = [rate / 1e-3 for rate in _rates(bench)]  # after each step, that of the next
    assert shares[0] == pytest.approx(2 / 3)  # warming up for two steps of eight
    assert shares[4] == pytest.approx(middle)  # half-way down
    assert shares[7] == pytest.approx(1.0 if schedule == "constant" else 0.1)
    quarter = {"linear": 1 - 0.9 / 6, "cosine": 0.1 + 0.45 * (1 + math.cos(math.pi / 6)), "constant": 1.0}
    assert shares[2] == pytest.approx(quarter[schedule])


def test_layers_see_half_numbers_and_twice_where_it_is_wanted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.gpt2.modeling_gpt2 import GPT2Block

    kinds: list[torch.dtype] = []
    head = torch.nn.Linear.forward
    forward = GPT2Block.forward
    blocks: list[int] = []

    def note_kind(layer: torch.nn.Linear, given: torch.Tensor) -> torch.Tensor:
        result = head(layer, given)
        kinds.append(result.dtype)
        return result

    monkeypatch.setattr(torch.nn.Linear, "forward", note_kind)

    def note_block(*given: Any, **named: Any) -> Any:
        blocks.append(1)
        return forward(*given, **named)

    monkeypatch.setattr(GPT2Block, "forward", note_block)
    bench.fit(Hyperparameters(recompute="always"), device=replace(CPU, precision="bf16"))
    often = len(blocks)
    assert set(kinds) == {torch.bfloat16}
    kinds.clear()
    blocks.clear()
    bench.fit()
    assert set(kinds) == {torch.float32}  # also after a fit that was told otherwise
    assert often == 2 * len(blocks)


def test_fp16_is_what_trainer_is_told(bench: Bench) -> None:
    arguments = fitting_module._make_arguments(bench.make(device=replace(CPU, precision="fp16")))
    assert (arguments.fp16, arguments.bf16) == (True, False)


def test_dropout_reaches_the_layers(weights: Path) -> None:
    network: Any = load_network(weights, Hyperparameters(dropout=0.3, attention_dropout=0.2))
    block = network.transformer.h[0]
    shares = [network.transformer.drop.p, block.mlp.dropout.p, block.attn.resid_dropout.p]
    assert shares == [0.3, 0.3, 0.3]
    assert block.attn.attn_dropout.p == 0.2


def test_patience_ends_it_and_the_best_is_kept(bench: Bench) -> None:
    bench.compute_nothing()
    course = iter([4.0, 3.0, 3.2, 3.1, 2.0])
    settings = Hyperparameters(evaluations_per_epoch=8, patience=2)
    made = bench.fit(settings, measure=lambda: figures(next(course)))
    assert [event["step"] for event in bench.events("step_taken")] == [1, 2, 3, 4]
    assert (made.progress.best_step, made.progress.finished) == (2, True)
    assert [path.name for path in made.store.folder.glob("best-*")] == ["best-2"]


def test_a_gain_below_the_smallest_is_none(bench: Bench) -> None:
    bench.compute_nothing()
    course = iter([4.0, 3.9, 3.8])
    made = bench.fit(Hyperparameters(evaluations_per_epoch=8, smallest_gain=0.5), measure=lambda: figures(next(course)))
    assert made.progress.best_step == 1


def test_held_out_text_is_measured_as_often_as_told(bench: Bench) -> None:
    bench.compute_nothing()
    bench.fit(Hyperparameters(evaluations_per_epoch=2))
    assert [event["step"] for event in bench.events("heldout_measured")] == [4, 8]
    bench.forget()
    bench.fit(Hyperparameters(evaluations_per_epoch=1, evaluation_steps=3))
    assert [event["step"] for event in bench.events("heldout_measured")] == [3, 6, 8]


def test_checkpoints_come_by_steps_and_by_the_clock(bench: Bench) -> None:
    bench.compute_nothing()
    bench.fit(Hyperparameters(checkpoint_steps=3, checkpoint_seconds=10_000))
    assert [event["step"] for event in bench.events("checkpoint_saved")] == [3, 6, 8]
    bench.forget()
    bench.fit(Hyperparameters(checkpoint_seconds=0, evaluations_per_epoch=4))
    assert [event["step"] for event in bench.events("checkpoint_saved")] == [2, 4, 6]  # patience was at its end


ELSEWHERE = {
    "method": "test_trainer_recipe",
    "adapter_rank": "test_trainer_attempt",
    "adapter_rate": "test_trainer_attempt",
    "epochs": "test_trainer_attempt",
    "batch_tokens": "test_trainer_attempt",
    "context": "test_trainer_live",
    "loss_on": "test_trainer_rows",
    "precision": "test_trainer_devices",
    "tf32": "test_trainer_devices",
    "device": "test_trainer_devices",
    "sample_stories": "test_trainer_live",
    "sample_tokens": "test_trainer_live",
    "sample_temperature": "test_trainer_live",
    "sample_top_p": "test_trainer_live",
    "samples_during": "test_trainer_live",
    "sample_during_tokens": "test_trainer_live",
    "ranking_stories": "test_trainer_live",
    "ranking_seconds": "test_trainer_live",
}
"""Settings that are seen to reach what they name in another file of tests."""


def test_no_setting_is_forgotten() -> None:
    folder = Path(__file__).parents[1]
    texts = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*/test_trainer_*.py")}
    # Learning from feedback is another job, with tests and settings of its own.
    for declared in (each for each in DECLARATIONS if not each.name.startswith("feedback_")):
        assert declared.name in texts[ELSEWHERE.get(declared.name, Path(__file__).stem)]


def _poison(bench: Bench, at: int, *, gradient: bool = False) -> None:
    """Let weights, or one gradient, be no numbers at a step."""
    real = Trainer.training_step

    def training_step(trainer: Any, network: Any, *arguments: Any, **named: Any) -> Any:
        reached = trainer.state.global_step + 1 == at
        if reached and not gradient:
            network.transformer.wte.weight.data[:, 0] = math.nan
        loss = real(trainer, network, *arguments, **named)
        if reached and gradient:
            network.transformer.wte.weight.grad[0, 0] = math.inf
        return loss

    bench.patch.setattr(Trainer, "training_step", training_step)


def test_a_loss_that_is_no_number_ends_the_fit_before_the_weights_are_lost(bench: Bench) -> None:
    _poison(bench, 3)
    with pytest.raises(LossDivergedError) as caught:
        bench.fit()
    assert caught.value.step == 3
    assert len(bench.lengths) == 2  # no third step was taken


def test_neither_does_a_gradient_that_is_no_number_reach_the_weights(bench: Bench) -> None:
    _poison(bench, 3, gradient=True)
    with pytest.raises(LossDivergedError) as caught:
        bench.fit()
    assert (caught.value.step, len(bench.lengths)) == (3, 2)


@pytest.mark.parametrize("nats", [math.nan, math.inf, 6.5])
def test_what_is_forgotten_is_noticed_when_it_is_measured(bench: Bench, nats: float) -> None:
    bench.compute_nothing()
    course = iter([4.0, nats])
    with pytest.raises(LossDivergedError) as caught:
        bench.fit(Hyperparameters(evaluations_per_epoch=4), measure=lambda: figures(next(course)))
    assert caught.value.step == 4


class Sleeper:
    """Clocks of a machine that is closed for eight hours between two steps."""

    def __init__(self, at_reading: int) -> None:
        """Sleep before a reading of the clock."""
        self.readings, self.at, self.time = 0, at_reading, 0.0

    def now(self) -> float:
        """Return the wall's seconds: a tenth more at each reading, eight hours once."""
        self.readings += 1
        self.time += 8 * 3600.0 if self.readings == self.at else 0.1
        return self.time

    def computed(self) -> float:
        """Return the processor's seconds, which didn't go on meanwhile."""
        return self.readings * 0.05


def test_sleep_ends_no_run_early_and_leaves_its_speed_alone(bench: Bench) -> None:
    bench.compute_nothing()
    sleeper = Sleeper(at_reading=20)
    clock = WorkClock(now=sleeper.now, computed=sleeper.computed)
    bench.fit(seconds=600.0, clock=clock)
    steps = bench.events("step_taken")
    assert sleeper.time > 8 * 3600
    assert len(steps) == STEPS
    assert steps[-1]["tokens_per_second"] > steps[0]["tokens_per_second"] / 2
    assert clock.elapsed < 60


def _weights(fitted: Fitting) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in fitted.network.parameters()]


def _drawing(fitted: list[int], weights: Path) -> Callable[[int], None]:
    """Return a sample writer that draws numbers as a real one does, inside what keeps a run's own apart."""
    from trainer.tuning.samples import _apart

    network = load_network(weights, Hyperparameters())

    def write(step: int) -> None:
        fitted.append(step)
        with _apart(network, CPU.torch, 5):
            torch.rand(step)

    return write


def test_samples_leave_what_is_learned_alone_and_keep_to_their_share(bench: Bench, weights: Path) -> None:
    settings = Hyperparameters(dropout=0.2, evaluations_per_epoch=8, patience=50, sample_share=0.5)
    steps: list[int] = []
    clocks = [WorkClock(100.0), WorkClock(0.0)]
    settled: list[int] = []
    often = bench.fit(
        settings,
        write_samples=_drawing(steps, weights),
        clock=clocks[0],
        sample_seconds=0.01,
        settle=lambda: settled.append(len(bench.lengths)),
    )
    assert settled == [3]  # a step's memory has held by then, and that is noted once
    assert steps == [1, 2, 3, 4, 5, 6, 7]  # the last measurement goes without: stories are written after it
    steps.clear()
    never = bench.fit(settings, write_samples=_drawing(steps, weights), clock=clocks[1], sample_seconds=3600.0)
    assert steps == []
    for one, other in zip(_weights(often), _weights(never), strict=True):
        assert torch.equal(one, other)


def test_samples_that_find_no_memory_are_done_without(bench: Bench) -> None:
    bench.compute_nothing()

    def write(step: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    settings = Hyperparameters(evaluations_per_epoch=8, patience=50)
    bench.fit(settings, write_samples=write, clock=WorkClock(100.0), sample_seconds=0.01)
    assert [event["code"] for event in bench.events("notice_given")] == ["memory_no_samples"]
    assert len(bench.events("step_taken")) == STEPS


def test_a_wish_to_stop_while_measuring_saves_first(bench: Bench) -> None:
    bench.compute_nothing()

    def measure() -> HeldoutFigures:
        raise StopRequested

    made = bench.fit(Hyperparameters(evaluations_per_epoch=2), measure=measure)
    assert [event["step"] for event in bench.events("checkpoint_saved")] == [4]
    assert not made.progress.finished

"""What goes wrong inside a run: lost losses, full disks, short memory, time limits; in this process, to cause it."""

from __future__ import annotations

import errno
import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.fakes.tiny_run import make_run
from trainer.control import Control, StopRequested
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.manifest import read_manifest
from trainer.recipe import plan, tune
from trainer.reporter import Reporter
from trainer.resources import explain
from trainer.tuning import checkpoints, fitting

pytestmark = pytest.mark.slow


def carry_out(folder: Path) -> list[dict[str, Any]]:
    """Carry out a run here and return its events."""
    stdout = io.BytesIO()
    reporter = Reporter(stdout, folder / "events.jsonl")
    try:
        tune(folder, reporter, Control(folder, detached=True))
    finally:
        reporter.close()
    return [json.loads(line) for line in stdout.getvalue().splitlines()]


def journal(folder: Path) -> list[dict[str, Any]]:
    """Return the events of all starts of a run."""
    return [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]


class LosesItself:
    """Stands in for a training step whose loss stops being a number, the first times that step is reached."""

    def __init__(self, step: int, times: int) -> None:
        """Break at ``step`` so many times."""
        self.step, self.left = step, times
        self.real = fitting._StoryTrainer.training_step

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put it in the place of the real step."""

        def training_step(trainer: Any, *arguments: Any, **named: Any) -> Any:
            if trainer.state.global_step + 1 == self.step and self.left:
                self.left -= 1
                raise fitting.LossDivergedError(self.step)
            return self.real(trainer, *arguments, **named)

        monkeypatch.setattr(fitting._StoryTrainer, "training_step", training_step)


def test_a_lost_loss_goes_back_to_the_best_with_a_lower_rate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(tmp_path)
    LosesItself(step=8, times=1).install(monkeypatch)
    events = carry_out(folder)
    assert [event["code"] for event in events if event["kind"] == "notice_given"] == ["rate_lowered"]
    rates = [event["learning_rate"] for event in events if event["kind"] == "step_taken"]
    assert max(rates[7:]) == pytest.approx(max(rates[:7]) / 4, rel=0.2)
    assert events[-1]["kind"] == "run_completed"
    assert events[-1]["perplexity_after"] < events[-1]["perplexity_before"]


def test_a_loss_lost_twice_ends_the_run_and_keeps_the_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(tmp_path)
    LosesItself(step=8, times=2).install(monkeypatch)
    with pytest.raises(TrainerError) as caught:
        carry_out(folder)
    assert (caught.value.code, caught.value.parameters) == (TrainerFailure.LOSS_DIVERGED, {"step": 8})
    assert list((folder / "checkpoints").glob("best-*"))
    assert not (tmp_path / "bundles" / "run").exists()


class TooSmall:
    """Stands in for a graphics card on which a step with more than ``tokens`` at once finds no memory."""

    def __init__(self, tokens: int, *, recompute: bool = False) -> None:
        """Let so many tokens through, and only where layers are computed twice if ``recompute``."""
        self.tokens, self.recompute = tokens, recompute
        self.real = fitting._StoryTrainer.training_step

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put it in the place of the real step."""

        def training_step(trainer: Any, network: Any, inputs: Any, *arguments: Any, **named: Any) -> Any:
            if inputs["input_ids"].numel() > self.tokens or (self.recompute and not network.is_gradient_checkpointing):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
            return self.real(trainer, network, inputs, *arguments, **named)

        monkeypatch.setattr(fitting._StoryTrainer, "training_step", training_step)


def _losses(events: list[dict[str, Any]]) -> dict[int, float]:
    return {event["step"]: event["loss"] for event in events if event["kind"] == "step_taken"}


def _notices(events: list[dict[str, Any]]) -> list[str]:
    return [event["code"] for event in events if event["kind"] == "notice_given"]


def test_a_run_short_of_memory_goes_on_with_less_and_learns_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = carry_out(make_run(tmp_path, "whole", dropout=0.0))
    folder = make_run(tmp_path, "short", dropout=0.0)
    with monkeypatch.context() as patched:
        TooSmall(300, recompute=True).install(patched)
        short = carry_out(folder)
    notices = _notices(short)
    assert notices == ["memory_smaller_batches"] * (len(notices) - 1) + ["memory_recompute"]
    assert short[-1]["kind"] == "run_completed"
    assert _losses(short) == pytest.approx(_losses(whole), abs=1e-3)


def test_adapters_learn_where_every_weight_is_too_much_and_become_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fitting._StoryTrainer.training_step

    def training_step(trainer: Any, network: Any, *arguments: Any, **named: Any) -> Any:
        if all(parameter.requires_grad for parameter in network.parameters()):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return real(trainer, network, *arguments, **named)

    monkeypatch.setattr(fitting._StoryTrainer, "training_step", training_step)
    events = carry_out(make_run(tmp_path, adapter_rank=4))
    assert _notices(events)[-2:] == ["memory_recompute", "memory_adapters"]
    assert events[-1]["kind"] == "run_completed"
    assert events[-1]["perplexity_after"] < events[-1]["perplexity_before"]
    tuned = load_file(tmp_path / "bundles" / "run" / "weights" / "model.safetensors")
    base = load_file(tmp_path / "base" / "model.safetensors")
    changed = {name for name in base if name in tuned and not torch.equal(tuned[name].float(), base[name].float())}
    assert changed
    assert all(".c_" in name and name.endswith(".weight") for name in changed)


def test_where_no_way_to_save_memory_is_left_the_run_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    TooSmall(0).install(monkeypatch)
    with pytest.raises(torch.OutOfMemoryError) as caught:
        carry_out(make_run(tmp_path))
    explained = explain(caught.value)
    assert explained is not None
    assert explained.code is TrainerFailure.MEMORY_FULL


def test_the_writer_may_end_the_learning_and_keep_its_best(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_run(tmp_path)
    real = fitting._Stepper.on_step_end

    def on_step_end(stepper: Any, args: Any, state: Any, control: Any, **named: Any) -> Any:
        if state.global_step == 4:
            (folder / "control").write_text("finish", encoding="utf-8")
        return real(stepper, args, state, control, **named)

    monkeypatch.setattr(fitting._Stepper, "on_step_end", on_step_end)
    monkeypatch.setattr("trainer.control._LOOK_EVERY_SECONDS", 0)
    events = carry_out(folder)
    assert max(_losses(events)) == 4
    assert events[-1]["kind"] == "run_completed"
    assert events[-1]["steps"] in (0, 3, 4)
    assert read_manifest(tmp_path / "bundles" / "run").name


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), TrainerFailure.DISK_FULL),
        # What torch.save says of a full disk.
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"), TrainerFailure.DISK_FULL),
        (MemoryError(), TrainerFailure.MEMORY_FULL),
    ],
)
def test_a_full_disk_or_memory_keeps_the_last_checkpoint_and_the_run_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, code: TrainerFailure
) -> None:
    folder = make_run(tmp_path)
    written = checkpoints.CheckpointStore._seal

    def seal(store: checkpoints.CheckpointStore, partial: Path) -> None:
        if partial.name.endswith("checkpoint-6"):
            raise error
        written(store, partial)

    with monkeypatch.context() as patched:
        patched.setattr(checkpoints.CheckpointStore, "_seal", seal)
        with pytest.raises((type(error), TrainerError)) as caught:
            carry_out(folder)
    explained = explain(caught.value)
    assert explained is not None
    assert explained.code is code
    if code is TrainerFailure.DISK_FULL:
        assert explained.parameters["path"] == str(folder / "checkpoints")
    kept = sorted(path.name for path in (folder / "checkpoints").iterdir() if path.name.startswith((".", "checkpoint")))
    assert kept == ["checkpoint-3"]
    events = carry_out(folder)
    assert events[0]["resumed_step"] == 3
    assert events[-1]["kind"] == "run_completed"


def test_a_time_limit_makes_the_run_shorter_and_ends_it_well(tmp_path: Path) -> None:
    folder = make_run(tmp_path, epochs=500)
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    (folder / "request.json").write_text(json.dumps({**request, "minutes": 0.05}), encoding="utf-8")
    events = carry_out(folder)
    steps = [event for event in events if event["kind"] == "step_taken"]
    assert steps[-1]["total_steps"] < 500
    assert events[-1]["kind"] == "run_completed"


def test_a_run_stopped_after_tuning_goes_on_without_tuning_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_run(tmp_path)

    def stop(*arguments: Any) -> None:
        raise StopRequested

    with monkeypatch.context() as patched:
        patched.setattr("trainer.recipe._measure_stories", stop)
        with pytest.raises(StopRequested):
            carry_out(folder)
    taken = len([event for event in journal(folder) if event["kind"] == "step_taken"])
    (tmp_path / "stories.jsonl").unlink()  # the corpus was kept: the sources aren't needed any more
    events = carry_out(folder)
    assert not [event for event in events if event["kind"] == "step_taken"]
    assert events[-1]["kind"] == "run_completed"
    assert len([event for event in journal(folder) if event["kind"] == "step_taken"]) == taken
    assert read_manifest(tmp_path / "bundles" / "run").heldout["perplexity_after"] == events[-1]["perplexity_after"]


def test_nothing_is_tuned_where_nothing_helps(tmp_path: Path) -> None:
    folder = make_run(tmp_path, learning_rate=1e-7, epochs=1, smallest_gain=0.5)
    events = carry_out(folder)
    assert [event["code"] for event in events if event["kind"] == "notice_given"] == ["no_improvement"]
    assert events[-1]["perplexity_after"] == pytest.approx(events[-1]["perplexity_before"], rel=1e-6)


def test_a_plan_is_measured_and_leaves_nothing_that_a_run_would_go_by(tmp_path: Path) -> None:
    folder = make_run(tmp_path)
    stdout = io.BytesIO()
    plan(folder, Reporter(stdout), Control(folder, detached=True))
    made = json.loads(stdout.getvalue().splitlines()[-1])
    assert made["kind"] == "plan_made"
    assert (made["device"], made["method"], made["epochs"]) == ("cpu", "full", 2)
    assert made["steps"] > 0
    assert made["seconds"] >= made["steps"] * made["seconds_per_step"] > 0
    assert made["disk_needed"] > made["weights"] * 4
    assert not list((folder / "checkpoints").iterdir())
    steps = [event for event in carry_out(folder) if event["kind"] == "step_taken"]
    assert steps[-1]["total_steps"] == made["steps"]

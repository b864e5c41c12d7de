"""Learning from what a writer chose: the run as a whole, in this process, with a tiny GPT-2 and a simple taste."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.fakes.tiny_run import make_run
from trainer.base import LEAST_DRIFT, open_base, read_drift
from trainer.control import Control, StopRequested
from trainer.preference import fitting
from trainer.preference.improving import plan_pairs
from trainer.preference.records import FEWEST_PAIRS
from trainer.protocol.codec import decode_request, encode_request
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.feedback import FEEDBACK_FILE, FeedbackExample, FeedbackPair, FeedbackRecord, encode_feedback
from trainer.protocol.manifest import DRIFT, MANIFEST_NAME, Architecture, Manifest, TextForm, read_manifest
from trainer.recipe import tune
from trainer.reporter import JOURNAL_NAME, Reporter

pytestmark = pytest.mark.slow

LIKED = (
    "The bell rang twice. Mara heard it.",
    "The fog came in. The boat had gone.",
    "Mara heard the sea below the wall.",
)
DISLIKED = ("wall wall wall wall wall wall", "boat the boat the boat the boat", "since since since had had had")


def write_feedback(folder: Path, pairs: int = 40, held_out: int = 8) -> None:
    """Write choices of a reader who likes sentences and dislikes repetition."""
    records: list[FeedbackRecord] = [
        FeedbackPair(f"Bell {n}", "", LIKED[n % 3] * (1 + n % 2), DISLIKED[n % 3], 1.0, "choice", n < held_out)
        for n in range(pairs)
    ]
    records.append(FeedbackExample("Bell", "The fog.", LIKED[0], 1.0, "suggestion", held_out=False))
    (folder / FEEDBACK_FILE).write_text("\n".join(map(encode_feedback, records)), encoding="utf-8")


def improving_run(tmp_path: Path, **settings: Any) -> Path:
    """Return a run folder that learns from choices."""
    quick = {
        "feedback_rate": 3e-3,
        "sample_stories": 0,
        "ranking_stories": 0,
        "samples_during": 0,
        "feedback_epochs": 2,
    }
    folder = make_run(tmp_path, **{**quick, **settings})
    write_feedback(folder)
    return folder


def carry_out(folder: Path, control: Control | None = None) -> list[dict[str, Any]]:
    """Carry a run out and return the events of this start."""
    stdout = io.BytesIO()
    reporter = Reporter(stdout, folder / JOURNAL_NAME)
    try:
        tune(folder, reporter, control or Control())
    finally:
        reporter.close()
    return [json.loads(line) for line in stdout.getvalue().splitlines()]


def choices(events: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the figures of held-out choices by their moment."""
    return {event["moment"]: event for event in events if event["kind"] == "choices_measured"}


def steps(events: Sequence[dict[str, Any]]) -> dict[int, float]:
    """Return the loss of each step."""
    return {event["step"]: event["loss"] for event in events if event["kind"] == "step_taken"}


def test_choices_are_learned_and_predicted_better_where_they_were_kept_aside(tmp_path: Path) -> None:
    events = carry_out(improving_run(tmp_path))
    measured = choices(events)
    assert measured["before"]["loss"] == pytest.approx(math.log(2))
    assert measured["before"]["pairs"] == 8
    assert measured["after"]["loss"] < 0.6
    assert measured["after"]["accuracy"] >= measured["before"]["accuracy"]
    manifest = read_manifest(tmp_path / "bundles" / "run")
    heldout = manifest.heldout
    assert (manifest.data["choices"], manifest.data["heldout_choices"]) == (32, 8)
    card = (tmp_path / "bundles" / "run" / "README.md").read_text(encoding="utf-8")
    assert "choices that were kept aside" in card
    assert "- choices: 32" in card
    assert heldout["choice_loss_after"] == measured["after"]["loss"]
    assert heldout["perplexity_after"] <= heldout["perplexity_before"] * fitting.MOST_PERPLEXITY


def test_a_run_stopped_in_the_middle_goes_on_as_if_it_had_not_been(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "whole").mkdir()
    whole = steps(carry_out(improving_run(tmp_path / "whole")))
    (tmp_path / "stopped").mkdir()
    folder, control = improving_run(tmp_path / "stopped"), Control()
    on_step_end = fitting._Stepper.on_step_end

    def stop_at_three(stepper: Any, args: Any, state: Any, *rest: Any, **named: Any) -> Any:
        if state.global_step == 3:
            control.request_stop()
        return on_step_end(stepper, args, state, *rest, **named)

    monkeypatch.setattr(fitting._Stepper, "on_step_end", stop_at_three)
    with pytest.raises(StopRequested):
        carry_out(folder, control)
    monkeypatch.undo()
    resumed = steps(carry_out(folder))
    assert min(resumed) == 4
    for step, loss in resumed.items():
        assert loss == pytest.approx(whole[step], abs=1e-3)


def test_where_memory_runs_short_it_learns_in_smaller_pieces_and_with_adapters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training_step = fitting._ChoiceTrainer.training_step

    def starved(trainer: Any, network: Any, inputs: Any, *rest: Any, **named: Any) -> Any:
        if not any(".lora_" in name for name, _ in network.named_parameters()):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return training_step(trainer, network, inputs, *rest, **named)

    monkeypatch.setattr(fitting._ChoiceTrainer, "training_step", starved)
    events = carry_out(improving_run(tmp_path))
    notices = [event["code"] for event in events if event["kind"] == "notice_given" and "memory" in event["code"]]
    assert notices == ["memory_smaller_batches"] * 3 + ["memory_recompute", "memory_adapters"]
    assert choices(events)["after"]["loss"] < math.log(2)


def test_a_taste_that_is_none_leaves_the_model_as_it_was(tmp_path: Path) -> None:
    folder = improving_run(tmp_path, feedback_rate=1e-8)
    events = carry_out(folder)
    assert "choices_not_learned" in [event.get("code") for event in events]
    assert choices(events)["after"]["loss"] == pytest.approx(math.log(2), abs=1e-4)


def test_where_stories_suffer_too_much_the_model_stays_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting.PreferenceFitting, "find_room", lambda _self: -9.0)  # as if all were too much
    events = carry_out(improving_run(tmp_path, patience=1))
    assert max(steps(events)) == 8
    assert choices(events)["during"]["loss"] < 0.6
    assert "choices_too_costly" in [event.get("code") for event in events]
    assert read_manifest(tmp_path / "bundles" / "run").heldout[DRIFT] == pytest.approx(1.0, abs=1e-3)


def test_what_suffers_in_the_middle_of_a_run_may_mend_by_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rooms = iter([*[-9.0] * 7, 9.0])
    monkeypatch.setattr(fitting.PreferenceFitting, "find_room", lambda _self: next(rooms))
    events = carry_out(improving_run(tmp_path, patience=1))
    assert max(steps(events)) == 8
    assert choices(events)["after"]["step"] == 8
    assert choices(events)["after"]["loss"] < 0.6


def test_what_generations_cost_adds_up_and_leaves_less_room_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(improving_run(tmp_path))
    bundle = tmp_path / "bundles" / "run"
    spent = json.loads((bundle / MANIFEST_NAME).read_text(encoding="utf-8"))
    spent["heldout"][DRIFT] = 1.04
    (bundle / MANIFEST_NAME).write_text(json.dumps(spent), encoding="utf-8")
    assert open_base(bundle).drift == 1.04
    rooms: list[float] = []
    fit = fitting.fit_preferences

    def note_room(task: fitting.PreferenceFitting, resume_from: Path | None) -> tuple[int, bool]:
        rooms.append(task.find_room())
        return fit(task, resume_from)

    monkeypatch.setattr("trainer.preference.improving.fit_preferences", note_room)
    (tmp_path / "second").mkdir()
    folder = improving_run(tmp_path / "second")
    request = decode_request((folder / "request.json").read_text(encoding="utf-8"))
    (folder / "request.json").write_text(encode_request(replace(request, base=str(bundle))), encoding="utf-8")
    carry_out(folder)
    assert rooms == [pytest.approx(math.log(fitting.MOST_PERPLEXITY / 1.04))]
    heldout = read_manifest(tmp_path / "second" / "bundles" / "run").heldout
    ratio = heldout["perplexity_after"] / heldout["perplexity_before"]
    assert heldout[DRIFT] == pytest.approx(max(LEAST_DRIFT, 1.04 * ratio))


@pytest.mark.parametrize(
    ("written", "drift"), [("nan", 1.0), ("inf", 1.0), ("-3", LEAST_DRIFT), ("0.2", LEAST_DRIFT), ("0.98", 0.98)]
)
def test_a_manifest_makes_little_room_for_itself(written: str, drift: float) -> None:
    shape, form = Architecture(1, 1, 8, 8, 8, 0), TextForm("none", {})
    manifest = Manifest("m", "tuned", "2026", "CC0", "", shape, form, (), "", {}, heldout={DRIFT: float(written)})
    assert read_drift(manifest) == drift


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("{}", TrainerFailure.FEEDBACK_NOT_READABLE),
        ('{"kind": "pair", "prompt": 7, "chosen": "a", "rejected": "b"}', TrainerFailure.FEEDBACK_NOT_READABLE),
        ("[" * 100_000, TrainerFailure.FEEDBACK_NOT_READABLE),
        ("\udcff", TrainerFailure.FEEDBACK_NOT_READABLE),
        ("", TrainerFailure.TOO_LITTLE_FEEDBACK),
    ],
)
def test_feedback_that_is_none_is_refused_before_anything_is_learned(
    tmp_path: Path, content: str, code: TrainerFailure
) -> None:
    folder = improving_run(tmp_path)
    (folder / FEEDBACK_FILE).write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(TrainerError) as caught:
        carry_out(folder)
    assert caught.value.code == code


def test_each_step_has_its_pairs_and_each_pair_its_turn() -> None:
    order = plan_pairs(FEWEST_PAIRS, 2, seed=1)
    assert [len(step) for step in order] == [8, 8, 8, 8]
    assert sorted(order[0] + order[1]) == list(range(FEWEST_PAIRS))
    assert order == plan_pairs(FEWEST_PAIRS, 2, seed=1) != plan_pairs(FEWEST_PAIRS, 2, seed=2)

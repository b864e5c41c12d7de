"""A GPT-2 from nothing: learned, killed, gone on with, built to a bundle and written with."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import GPT2LMHeadModel, GPT2TokenizerFast

from storydesk.domain.generation import GenerationRequest, TextChunk
from storydesk.inference.engine import OnnxEngineLoader
from storydesk.storage.model_library import BundleLibrary
from tests.fakes.pretraining import write_stories
from trainer.control import Control, StopRequested
from trainer.export.building import build_model
from trainer.pretraining.recipe import PretrainingRequest, pretrain
from trainer.pretraining.settings import PretrainingSettings
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.reporter import JOURNAL_NAME, Reporter

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
OPTIONS: dict[str, Any] = {
    "layers": 1,
    "width": 32,
    "heads": 2,
    "positions": 32,
    "vocabulary": 400,
    "tokens": 12 * 512,
    "batch_tokens": 512,
    "warmup_steps": 3,
    "learning_rate": 0.01,
    "evaluation_steps": 5,
    "evaluation_tokens": 512,
    "checkpoint_steps": 4,
    "precision": "fp32",
    "device": "cpu",
}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute tiny steps on one thread: two would wait for each other most of the time."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_stories(tmp_path_factory.mktemp("texts"))


@pytest.fixture(scope="module")
def undisturbed(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that went through."""
    out = tmp_path_factory.mktemp("undisturbed")
    learn(texts, out)
    return out


def learn(
    texts: Path, out: Path, on_event: Callable[[Control, dict[str, Any]], None] = lambda *_: None, **other: Any
) -> None:
    """Carry the pretraining out in this process."""
    control = Control(out, detached=True)

    class Listener(io.BytesIO):
        def write(self, line: Any) -> int:
            on_event(control, json.loads(line))
            return len(line)

    reporter = Reporter(Listener(), out / JOURNAL_NAME)
    try:
        pretrain(PretrainingRequest(texts, out, PretrainingSettings(**{**OPTIONS, **other})), reporter, control)
    finally:
        reporter.close()


def read_events(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / JOURNAL_NAME).read_text(encoding="utf-8").splitlines()]


def read_losses(out: Path) -> dict[int, float]:
    """Return the loss of each step as it was computed last."""
    return {event["step"]: event["loss"] for event in read_events(out) if event["kind"] == "step_taken"}


def test_it_learns_and_leaves_a_folder_that_others_can_load(undisturbed: Path) -> None:
    losses = read_losses(undisturbed)
    assert sorted(losses) == list(range(1, 13))
    assert losses[12] < losses[1] - 0.2
    measured = [event for event in read_events(undisturbed) if event["kind"] == "heldout_measured"]
    assert [event["step"] for event in measured] == [5, 10, 12]
    assert measured[-1]["nats_per_token"] < measured[0]["nats_per_token"]
    network = GPT2LMHeadModel.from_pretrained(undisturbed / "model")
    tokenizer = GPT2TokenizerFast.from_pretrained(undisturbed / "model")
    ids = tokenizer("Prompt: A bell\n\nStory:\nThe fog came in.", return_tensors="pt")
    assert tokenizer.decode(ids["input_ids"][0]) == "Prompt: A bell\n\nStory:\nThe fog came in."
    assert tokenizer.eos_token_id == 0
    with torch.inference_mode():
        assert float(network(**ids, labels=ids["input_ids"]).loss) < losses[1]
    card = (undisturbed / "model" / "README.md").read_text(encoding="utf-8")
    assert f"perplexity: {measured[-1]['perplexity']:.2f}" in card


def test_storydesk_writes_with_what_was_learned(undisturbed: Path, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle"
    build_model(
        undisturbed / "model",
        bundle,
        name="from nothing",
        origin="",
        licence="CC0-1.0",
        portable=False,
        precisions=("fp32",),
        reporter=Reporter(io.BytesIO()),
        check=lambda: None,
        enter=lambda _: None,
    )
    library = BundleLibrary(tmp_path / "models", tmp_path / "none")
    engine = OnnxEngineLoader().load(library.install(bundle))
    request = GenerationRequest(1, engine.render_prompt("A bell"), words=8, seed=3, until_sentence_end=False)
    assert "".join(event.text for event in engine.generate(request) if isinstance(event, TextChunk)).strip()


def test_a_killed_run_goes_on_to_the_same_losses(texts: Path, undisturbed: Path, tmp_path: Path) -> None:
    options = [word for name, value in OPTIONS.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", "pretrain", str(texts), "--out", str(tmp_path), *options],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            if json.loads(line)["kind"] == "checkpoint_saved":
                process.kill()
                break
    learn(texts, tmp_path)
    started = [event["resumed_step"] for event in read_events(tmp_path) if event["kind"] == "run_started"]
    assert started[0] == 0
    assert started[1] >= 4
    assert read_losses(tmp_path) == pytest.approx(read_losses(undisturbed), abs=1e-3)


def test_it_stops_when_asked_and_goes_on(texts: Path, undisturbed: Path, tmp_path: Path) -> None:
    def stop_early(control: Control, event: dict[str, Any]) -> None:
        if event["kind"] == "step_taken" and event["step"] == 6:
            control.request_stop()

    with pytest.raises(StopRequested):
        learn(texts, tmp_path, stop_early)
    assert read_events(tmp_path)[-1]["kind"] == "checkpoint_saved"
    assert read_events(tmp_path)[-1]["step"] == 6
    with pytest.raises(TrainerError) as refused:
        learn(texts, tmp_path, layers=2)
    assert refused.value.code is TrainerFailure.BAD_REQUEST
    learn(texts, tmp_path)
    assert read_losses(tmp_path) == pytest.approx(read_losses(undisturbed), abs=1e-3)
    learn(texts, tmp_path)
    assert read_events(tmp_path)[-1]["kind"] == "run_completed"

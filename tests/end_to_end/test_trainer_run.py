"""The trainer as its callers meet it: a process with one JSON event a line that can be stopped, killed and resumed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from tests.fakes.tiny_run import make_run
from trainer.corpus.versions import read_version
from trainer.protocol.codec import decode_event, decode_journal
from trainer.protocol.manifest import read_manifest, verify_files
from trainer.protocol.messages import Stage

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 240


@dataclass
class Trainer:
    """A trainer process and what it said so far."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        """Return the events so far."""
        return [json.loads(line) for line in list(self.lines)]

    def wait_for(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Wait until an event was reported; fail where the process ends without it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            for event in self.events():
                if event["kind"] == kind and all(event[name] == value for name, value in fields.items()):
                    return event
            if ended:
                break
            time.sleep(0.02)
        pytest.fail(f"no {kind} {fields} among {self.lines[-3:]}")

    def say(self, line: str) -> None:
        """Send a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hang_up(self) -> None:
        """Close the trainer's stdin."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self) -> int:
        """Return the exit code."""
        return self.process.wait(PATIENCE_SECONDS)


@pytest.fixture
def started() -> Iterator[list[Trainer]]:
    """Keep the processes of a test, and end them with it."""
    trainers: list[Trainer] = []
    yield trainers
    for trainer in trainers:
        trainer.process.kill()
        trainer.process.wait()
        for stream in (trainer.process.stdin, trainer.process.stdout):
            if stream is not None and not stream.closed:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()


def start(started: list[Trainer], folder: Path, *arguments: str) -> Trainer:
    """Start the trainer on a run folder."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "trainer", "tune", str(folder), *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "log.txt").open("ab"),
        text=True,
        encoding="utf-8",
    )
    trainer = Trainer(process)
    started.append(trainer)
    stdout = process.stdout
    assert stdout is not None

    def follow() -> None:
        try:
            for line in stdout:
                trainer.lines.append(line)
        except ValueError:
            pass  # the test closed the pipe

    threading.Thread(target=follow, daemon=True).start()
    return trainer


def kinds(trainer: Trainer) -> list[str]:
    """Return the kinds of the events in order."""
    return [event["kind"] for event in trainer.events()]


def tuned_weights(tmp_path: Path, name: str) -> dict[str, Any]:
    """Return the weights of a finished bundle."""
    return load_file(tmp_path / "bundles" / name / "weights" / "model.safetensors")


def test_a_whole_run_from_stories_to_a_bundle(tmp_path: Path, started: list[Trainer]) -> None:
    folder = make_run(tmp_path, portable=True)
    trainer = start(started, folder)
    assert trainer.wait() == 0, (folder / "log.txt").read_text(encoding="utf-8")
    time.sleep(0.2)
    events = trainer.events()
    assert [event["stage"] for event in events if event["kind"] == "stage_entered"] == [stage.value for stage in Stage]
    assert kinds(trainer)[0] == "run_started"
    assert kinds(trainer)[-1] == "run_completed"
    # stdout, journal and protocol say the same, and every line is an event.
    assert (folder / "events.jsonl").read_text(encoding="utf-8").splitlines(keepends=True) == trainer.lines
    assert "unknown" not in {decode_event(line).kind for line in trainer.lines}
    measured = {event["moment"]: event["perplexity"] for event in events if event["kind"] == "heldout_measured"}
    assert measured["after"] < measured["before"] * 0.8
    corpus = next(event for event in events if event["kind"] == "corpus_prepared")
    assert (corpus["documents_kept"], corpus["heldout_documents"]) == (24, 4)
    assert corpus["changed"] == {"typography": 24}
    samples = [event for event in events if event["kind"] == "sample_written"]
    assert [sample["moment"] for sample in samples] == ["before"] * 2 + ["after"] * 2
    assert [sample["prompt"] for sample in samples[:2]] == [sample["prompt"] for sample in samples[2:]]
    stories = [event for event in events if event["kind"] == "stories_measured"]
    assert [each["moment"] for each in stories] == ["before", "after"]
    differences = {event["graph"]: event["largest_difference"] for event in events if event["kind"] == "graph_compared"}
    assert differences.keys() == {"fp32", "int8", "int4", "portable"}
    assert max(differences["fp32"], differences["portable"]) < 1e-3
    bundle = tmp_path / "bundles" / "run"
    manifest = read_manifest(bundle)
    verify_files(bundle, manifest)
    assert manifest.heldout["perplexity_after"] == measured["after"]
    assert (manifest.kind, manifest.lineage, manifest.run_id) == ("tuned", ("base",), "run")
    # The text that was read stays with the run, and the model names it.
    version, documents = read_version(next((folder / "versions").iterdir()))
    assert (manifest.data["fingerprint"], len(documents)) == (version.fingerprint, 24)
    assert version.fingerprint in next(bundle.rglob("README.md")).read_text(encoding="utf-8")
    assert not list(bundle.parent.glob(".*"))
    assert not [path for path in bundle.rglob("*") if path.suffix in (".bin", ".pt", ".pkl")]
    base_config = (tmp_path / "base" / "config.json").read_bytes()
    assert (bundle / "weights" / "config.json").read_bytes() == base_config
    check_portable(bundle)
    # Asked again, the finished run answers at once.
    again = start(started, folder)
    assert again.wait() == 0


def check_portable(bundle: Path) -> None:
    """Load the portable graph as other tools do and let it write what torch writes."""
    import torch
    from optimum.onnxruntime import ORTModelForCausalLM
    from transformers import GPT2LMHeadModel, GPT2TokenizerFast

    tokenizer = GPT2TokenizerFast.from_pretrained(bundle / "portable")
    ids = torch.tensor([tokenizer("Prompt: A bell\n\nStory:\nThe")["input_ids"]])
    arguments: dict[str, Any] = {"max_new_tokens": 12, "do_sample": False, "pad_token_id": 0}
    portable = ORTModelForCausalLM.from_pretrained(bundle / "portable").generate(ids, **arguments)
    with torch.inference_mode():
        tuned: Any = GPT2LMHeadModel.from_pretrained(bundle / "weights")
        assert portable.tolist() == tuned.generate(ids, **arguments).tolist()


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_killed_run_goes_on_to_the_same_weights(tmp_path: Path, started: list[Trainer]) -> None:
    undisturbed = start(started, make_run(tmp_path, "undisturbed"))
    folder = make_run(tmp_path, "killed")
    killed = start(started, folder)
    killed.wait_for("checkpoint_saved", step=3)
    killed.process.send_signal(signal.SIGKILL)
    killed.wait()
    # The power goes while a line is written.
    with (folder / "events.jsonl").open("ab") as stream:
        stream.write(b'{"v":"1.0","kind":"step_ta')
    resumed = start(started, folder)
    assert resumed.wait_for("run_started")["resumed_step"] >= 3
    assert (resumed.wait(), undisturbed.wait()) == (0, 0)
    first, second = tuned_weights(tmp_path, "undisturbed"), tuned_weights(tmp_path, "killed")
    assert first.keys() == second.keys()
    for name, weights in first.items():
        np.testing.assert_allclose(weights, second[name], atol=2e-5, err_msg=name)
    with (folder / "events.jsonl").open(encoding="utf-8") as stream:
        journal = list(decode_journal(stream))
    assert [event.kind for event in journal].count("run_started") == 2
    assert journal[-1].kind == "run_completed"


def test_a_damaged_checkpoint_is_skipped_and_the_run_ends_well(tmp_path: Path, started: list[Trainer]) -> None:
    folder = make_run(tmp_path)
    first = start(started, folder)
    first.wait_for("checkpoint_saved", step=6)
    first.say("stop")
    assert first.wait() == 3
    newest = max((folder / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    weights = newest / "optimizer.pt"
    weights.write_bytes(weights.read_bytes()[:-100])
    second = start(started, folder)
    assert second.wait_for("notice_given")["code"] == "checkpoint_damaged"
    assert second.wait() == 0


def test_a_stop_line_saves_and_ends(tmp_path: Path, started: list[Trainer]) -> None:
    trainer = start(started, make_run(tmp_path, epochs=400))
    trainer.wait_for("step_taken", step=2)
    trainer.say("stop")
    assert trainer.wait() == 3
    stopped = trainer.wait_for("run_stopped")
    assert stopped["step"] == [event["step"] for event in trainer.events() if event["kind"] == "checkpoint_saved"][-1]
    assert not (tmp_path / "bundles" / "run").exists()


def test_the_end_of_stdin_stops_it_unless_it_was_detached(tmp_path: Path, started: list[Trainer]) -> None:
    attached = start(started, make_run(tmp_path, "attached", epochs=400))
    detached = start(started, make_run(tmp_path, "detached", epochs=400))
    detached.say("detach")
    attached.wait_for("step_taken", step=2)
    attached.hang_up()
    assert attached.wait() == 3
    detached.wait_for("step_taken", step=2)
    detached.hang_up()
    before = detached.wait_for("step_taken")["step"]
    deadline = time.monotonic() + PATIENCE_SECONDS
    while detached.events()[-1].get("step", 0) < before + 20 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert detached.process.poll() is None
    (tmp_path / "detached" / "control").write_text("stop", encoding="utf-8")
    assert detached.wait() == 3


def test_two_trainers_do_not_share_a_run_folder(tmp_path: Path, started: list[Trainer]) -> None:
    folder = make_run(tmp_path, epochs=400)
    first = start(started, folder)
    first.wait_for("run_started")
    second = start(started, folder)
    assert second.wait() == 1
    assert second.wait_for("run_failed")["code"] == "run_in_use"
    first.say("stop")
    assert first.wait() == 3
    with (folder / "events.jsonl").open(encoding="utf-8") as stream:
        assert "run_failed" not in [event.kind for event in decode_journal(stream)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"data": ["nowhere.txt"]}, "data_not_found"),
        ({"base": "nowhere"}, "base_not_usable"),
        ({"settings": {"epochs": -1}}, "bad_request"),
        ({"v": "9.0"}, "protocol_too_new"),
    ],
)
def test_what_cannot_work_is_refused_with_its_code(
    tmp_path: Path, started: list[Trainer], change: dict[str, Any], code: str
) -> None:
    folder = make_run(tmp_path)
    request = json.loads((folder / "request.json").read_text(encoding="utf-8"))
    (folder / "request.json").write_text(json.dumps({**request, **change}), encoding="utf-8")
    trainer = start(started, folder)
    assert trainer.wait() == 1
    assert trainer.wait_for("run_failed")["code"] == code


def test_build_makes_a_bundle_without_torch(tmp_path: Path) -> None:
    base = make_tiny_gpt2(tmp_path / "base")
    program = (
        "import os, sys; from trainer.__main__ import main; code = main(sys.argv[1:]); "
        "assert not {'torch', 'transformers', 'datasets', 'optimum'} & set(sys.modules); "
        "assert os.environ['ORT_DISABLE_TELEMETRY'] == '1'; sys.exit(code)"
    )
    arguments = [
        "build",
        "--weights",
        str(base),
        "--bundle",
        str(tmp_path / "out"),
        "--name",
        "Tiny",
        "--licence",
        "MIT",
    ]
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert events[-1]["kind"] == "run_completed"
    compared = next(event for event in events if event["kind"] == "graph_compared")
    assert (compared["graph"], compared["reference"]) == ("int8", "fp32")
    manifest = read_manifest(tmp_path / "out")
    verify_files(tmp_path / "out", manifest)
    assert (manifest.name, manifest.licence, manifest.default_graph) == ("Tiny", "MIT", "int8")
    assert {graph.precision for graph in manifest.graphs} == {"fp32", "int8", "int4"}
    again = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert again.returncode == 1
    assert json.loads(again.stdout.splitlines()[-1])["code"] == "bad_request"

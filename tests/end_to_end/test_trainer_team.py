"""Two processes tuning one network: the same recipe under torchrun, on the processor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.test_trainer_recipe import carry_out
from tests.end_to_end.test_trainer_run import ROOT
from tests.fakes.tiny_run import make_run

pytestmark = pytest.mark.slow

# Dropout draws other numbers in each process.
EXACT: dict[str, Any] = {"dropout": 0.0, "precision": "fp32", "epochs": 1, "sample_stories": 1}
TORCHRUN = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def run_team(folder: Path) -> subprocess.CompletedProcess[str]:
    """Tune with two processes, of which the second finds no memory in one step."""
    return subprocess.run(
        [sys.executable, *TORCHRUN, "-m", "tests.end_to_end.scarce_trainer", "tune", str(folder), "--detached"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def losses(events: list[dict[str, Any]]) -> dict[int, float]:
    """Return the loss of every step."""
    return {event["step"]: event["loss"] for event in events if event["kind"] == "step_taken"}


def test_two_processes_learn_what_one_learns_and_go_on_with_less_memory_together(tmp_path: Path) -> None:
    alone = carry_out(make_run(tmp_path, "alone", **EXACT))
    folder = make_run(tmp_path, "team", **EXACT)
    done = run_team(folder)
    assert done.returncode == 0, done.stderr[-3000:]
    together = [json.loads(line) for line in done.stdout.splitlines()]  # one process speaks, and says events alone
    codes = [event["code"] for event in together if event["kind"] == "notice_given"]
    assert codes == ["memory_smaller_batches"]
    steps = [event["step"] for event in together if event["kind"] == "step_taken"]
    assert steps[:3] == [1, 2, 1]  # there was no checkpoint yet to go back to
    assert losses(together) == pytest.approx(losses(alone), abs=1e-3)
    assert len(losses(alone)) >= 5
    assert together[-1]["kind"] == "run_completed"
    assert together[-1]["perplexity_after"] == pytest.approx(alone[-1]["perplexity_after"], rel=1e-3)
    randoms = sorted(path.name for path in (folder / "checkpoints").glob("checkpoint-*/rng_state*"))
    assert set(randoms) == {"rng_state_0.pth", "rng_state_1.pth"}

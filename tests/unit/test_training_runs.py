"""The app's end of the wire: what a run says, however it ends. Trainers are real processes with a script of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.tuning import RunState, RunStatus, TuningPlan
from storydesk.training.exchange import write_dataset
from storydesk.training.folding import fold
from storydesk.training.journal import JournalReader
from storydesk.training.launcher import TrainerLauncher
from storydesk.training.processes import make_trainer_environment
from storydesk.training.run import TrainerRun
from trainer.protocol import messages
from trainer.protocol.codec import decode_request, encode_event

ROOT = Path(__file__).parents[2]

# What every script of a trainer starts with: the lock, the journal, and stdin read to its end.
HEAD = f"""
import os, sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from trainer.protocol.codec import encode_event
from trainer.protocol.messages import *
assert sys.argv[1] == "tune"
folder = Path(sys.argv[2])
from storydesk.services.file_lock import FileLock
FileLock_ = FileLock(folder / "lock")
assert FileLock_.acquire()
def say(event, end="\\n"):
    with (folder / "events.jsonl").open("a", encoding="utf-8") as journal:
        journal.write(encode_event(event, seconds=time.time()) + end)
say(RunStarted("r", "cpu", "fp32", 0, os.getpid()))
"""
FINISH = """
say(StageEntered(Stage.TUNING))
say(HeldoutMeasured("before", 0, 30.0, 3.4, 4.0, 1.0, 100))
say(StepTaken(1, 2, 3.5, 1e-4, 100.0, 9.0))
say(CheckpointSaved(1))
say(HeldoutMeasured("after", 2, 20.0, 3.0, 3.5, 0.9, 100))
say(SampleWritten("A lamp", "It was a lamp.", "before"))
say(StoriesMeasured("after", 1, 5, 1.0, 0.0, 3, "it was dark", 0.0))
say(SampleWritten("A lamp", "It was dark — “very” dark."))
say(GraphCompared("fp32", "torch", 1e-5, 20.0, 20.0))
say(NoticeGiven("memory_full", {}))
say(RunCompleted(str(folder / "bundle"), 30.0, 20.0, 2, 1.5))
"""
WAIT_FOR_STOP = """
line = sys.stdin.readline()
say(RunStopped(7)) if line in ("stop\\n", "") else None
(folder / "heard").write_text(repr(line))
"""
BREAK_OFF = """
say(StepTaken(3, 9, 3.5, 1e-4, 100.0, 9.0))
say(CheckpointSaved(3))
print("Traceback: the roof came down", file=sys.stderr)
say(StepTaken(4, 9, 3.5, 1e-4, 100.0, 9.0), end="")
sys.exit(3)
"""
STAY = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
say(CheckpointSaved(5))
time.sleep(600)
"""

Launch = Callable[[str], TrainerRun]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    started: list[TrainerRun] = []

    def start(body: str) -> TrainerRun:
        script = tmp_path / "script.py"
        script.write_text(HEAD + body, encoding="utf-8")
        launcher = TrainerLauncher(tmp_path / "runs", (sys.executable, "-u", str(script)))
        plan = TuningPlan("mine", "starter", ("hub:someone/stories", str(tmp_path)))
        run = launcher.start(launcher.prepare(plan, tmp_path / "weights", tmp_path / "bundle"))
        started.append(run)
        return run

    yield start
    for run in started:
        run.kill()


def wait_for(run: TrainerRun, is_it: Callable[[RunState], bool]) -> RunState:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        state = run.poll()
        if is_it(state):
            return state
        time.sleep(0.02)
    raise AssertionError(f"still {state}; log: {(run.folder / 'log.txt').read_text()}")


def test_a_run_is_followed_to_its_model(launch: Launch) -> None:
    run = launch(FINISH)
    state = wait_for(run, lambda state: state.ended)
    assert state.status is RunStatus.COMPLETED
    assert (state.perplexity_before, state.perplexity_after) == (30.0, 20.0)
    assert state.bundle == run.folder / "bundle"
    assert state.samples == (("A lamp", "It was dark — “very” dark."),)
    assert state.samples_before == (("A lamp", "It was a lamp."),)
    assert [(each.moment, each.longest_copy, each.longest_passage) for each in state.stories] == [
        ("after", 3, "it was dark")
    ]
    assert (state.step, state.total_steps, state.checkpoint_step, state.losses) == (1, 2, 1, ((1, 3.5),))
    assert state.heldout == ((0, 30.0), (2, 20.0))
    assert [notice.code for notice in state.notices] == ["memory_full"]
    assert state.parity[0].largest_difference == 1e-5
    assert run.poll() == state


def test_asking_a_run_to_stop_reaches_it(launch: Launch) -> None:
    run = launch(WAIT_FOR_STOP)
    wait_for(run, lambda state: state.status is RunStatus.RUNNING)
    run.stop()
    state = wait_for(run, lambda state: state.ended)
    assert (state.status, state.checkpoint_step) == (RunStatus.STOPPED, 7)
    run.stop()
    run.kill()
    assert run.poll() == state


def test_a_run_that_breaks_off_says_where_its_log_is(launch: Launch, tmp_path: Path) -> None:
    run = launch(BREAK_OFF)
    state = wait_for(run, lambda state: state.ended)
    assert state.status is RunStatus.FAILED
    assert state.failure is not None
    assert state.failure.code == FailureCode.TRAINER_ENDED
    assert state.failure.parameters == {"exit_code": 3, "log": str(run.folder / "log.txt")}
    assert "the roof came down" in (run.folder / "log.txt").read_text()
    assert state.step == 3  # the torn line is no event
    unfinished = TrainerLauncher(tmp_path / "runs").unfinished()
    assert [(item.folder, item.checkpoint_step) for item in unfinished] == [(run.folder, 3)]


def test_a_run_that_does_not_listen_is_ended_by_force(launch: Launch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("storydesk.training.run.GRACE_SECONDS", 0.3)
    run = launch(STAY)
    wait_for(run, lambda state: state.checkpoint_step == 5)
    run.kill()
    state = run.poll()
    assert (state.status, state.checkpoint_step) == (RunStatus.STOPPED, 5)


def test_a_broken_off_run_goes_on_and_its_old_end_is_forgotten(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(HEAD + "say(StepTaken(5, 9, 3.5, 0.1, 1.0, 1.0))\nsay(RunFailed('memory_full', {}))\n")
    launcher = TrainerLauncher(tmp_path / "runs", (sys.executable, str(script)))
    folder = launcher.prepare(TuningPlan("mine", "starter", ()), tmp_path, tmp_path / "bundle")
    failed = wait_for(launcher.start(folder), lambda state: state.ended)
    assert failed.failure is not None
    assert failed.failure.code == "memory_full"
    assert launcher.read(folder) == failed
    script.write_text(HEAD + "sys.stdin.readline()\n" + FINISH)
    run = launcher.start(folder)
    assert not run.poll().ended
    state = wait_for(run, lambda state: state.status is RunStatus.RUNNING)
    assert state.losses == ()  # step 5 came after the last checkpoint
    assert not launcher.unfinished()  # it is alive
    run.stop()
    assert wait_for(run, lambda state: state.ended).status is RunStatus.COMPLETED
    assert not launcher.unfinished()


def test_the_end_of_the_app_ends_the_trainer(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(HEAD + WAIT_FOR_STOP)
    app = f"""
import os, sys, time
from pathlib import Path
from storydesk.domain.tuning import TuningPlan
from storydesk.training.launcher import TrainerLauncher
launcher = TrainerLauncher(Path({str(tmp_path / "runs")!r}), (sys.executable, {str(script)!r}))
run = launcher.start(launcher.prepare(TuningPlan("m", "b", ()), Path("w"), Path("b")))
while run.poll().process_id == 0 or not run.poll().device:
    time.sleep(0.02)
print(run.folder, flush=True)
os._exit(9)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-c", app], env=environment, stdout=subprocess.PIPE, text=True, timeout=60, check=False
    )
    folder = Path(said.stdout.strip())
    launcher = TrainerLauncher(tmp_path / "runs")
    end = time.monotonic() + 60
    while not launcher.read(folder).ended and time.monotonic() < end:
        time.sleep(0.05)
    assert launcher.read(folder).status is RunStatus.STOPPED


def test_a_last_word_that_only_reached_stdout_counts(launch: Launch) -> None:
    run = launch("print(encode_event(RunFailed('disk_full', {'path': 'x'}), seconds=1.0))\nsys.exit(1)\n")
    state = wait_for(run, lambda state: state.ended)
    assert state.failure is not None
    assert (state.failure.code, state.failure.parameters) == ("disk_full", {"path": "x"})


def test_a_trainer_that_is_not_there_is_said(tmp_path: Path) -> None:
    launcher = TrainerLauncher(tmp_path / "runs", (str(tmp_path / "nothing"),))
    folder = launcher.prepare(TuningPlan("mine", "starter", ()), tmp_path, tmp_path / "bundle")
    with pytest.raises(StorydeskError) as caught:
        launcher.start(folder)
    assert caught.value.failure.code == FailureCode.TRAINER_NOT_STARTED
    with pytest.raises(StorydeskError):
        launcher.start(tmp_path / "never prepared")


def test_the_request_says_what_the_plan_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    launcher = TrainerLauncher(tmp_path / "runs")
    plan = TuningPlan("Meer – ü", "starter", ("hub:a/b", "stories"), 2.5, 11, {"epochs": 3})
    folder = launcher.prepare(plan, Path("weights"), Path("bundle"))
    request = decode_request((folder / "request.json").read_text(encoding="utf-8"))
    assert request.data == ("hub:a/b", str(tmp_path / "stories"))
    assert (request.base, request.bundle) == (str(tmp_path / "weights"), str(tmp_path / "bundle"))
    assert (request.name, request.minutes, request.seed, request.settings) == ("Meer – ü", 2.5, 11, {"epochs": 3})
    assert request.run_id == folder.name
    environment = make_trainer_environment()
    assert list(launcher.command(folder)) == [sys.executable, "-u", "-m", "trainer", "tune", str(folder)]
    assert environment["PYTHONUTF8"] == "1"
    assert str(ROOT) in environment["PYTHONPATH"].split(os.pathsep)


def test_folders_that_are_no_runs_are_passed_over(tmp_path: Path) -> None:
    launcher = TrainerLauncher(tmp_path / "runs")
    assert not launcher.unfinished()
    folder = launcher.prepare(TuningPlan("mine", "starter", ()), tmp_path, tmp_path / "bundle")
    (tmp_path / "runs" / "stray file").write_text("x")
    (tmp_path / "runs" / "empty").mkdir()
    assert not launcher.unfinished()  # prepared, never started
    assert launcher.find(folder.name) == folder
    for name in ("empty", "..", "", "a\0b", "stray file"):
        with pytest.raises(StorydeskError) as unknown:
            launcher.find(name)
        assert unknown.value.failure.code == FailureCode.RUN_NOT_FOUND
    (folder / "events.jsonl").write_text('{"v": "2.0", "kind": "run_started"}\n')
    assert not launcher.unfinished()
    with pytest.raises(StorydeskError) as caught:
        launcher.read(folder)
    assert caught.value.failure.code == "protocol_too_new"


def test_a_journal_is_read_as_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = JournalReader(path)
    assert not list(journal.read())
    line = encode_event(messages.SampleWritten("p", "“ü”"), seconds=1.0).encode() + b"\n"
    seen: list[messages.Event] = []
    for position in range(len(line)):
        with path.open("ab") as stream:
            stream.write(line[position : position + 1])
        seen += journal.read()
        assert bool(seen) == (position == len(line) - 1)
    with path.open("ab") as stream:
        stream.write(
            b'nonsense\n\xff\xfe\n[1]\n\n{"v": "1.9", "kind": "new"}\n{"v":"1.0","kind":"step_taken"}\n' + line
        )
    assert list(journal.read()) == seen


@given(st.integers(0, 5000))
def test_the_curve_stays_short_and_keeps_its_ends(steps: int) -> None:
    state = RunState("r", Path())
    for step in range(steps):
        state = fold(state, messages.StepTaken(step, steps, 1.0, 0.1, 1.0, 1.0))
    assert len(state.losses) <= 1001
    if steps:
        assert (state.losses[0][0], state.losses[-1][0]) == (0, steps - 1)


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5))
def test_a_dataset_holds_what_was_read(stories: list[tuple[str, str, str]]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "below" / "stories.jsonl"
        write_dataset([*stories, ("T", "", "*A* **lamp**\n\n# Two\n\n2 * 3 * 4"), ("p\ud800", "Dark.")], path)
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    assert records[-2] == {"title": "T", "prompt": "T", "story": "A lamp\n\nTwo\n\n2 * 3 * 4"}
    assert records[-1] == {"title": "", "prompt": "p\ufffd", "story": "Dark."}
    assert len(records) == 2 + sum(1 for story in stories if story[2].strip())


LIVE_ON = """
import threading
words = []
def listen():
    for line in sys.stdin:
        words.append(line.strip())
threading.Thread(target=listen, daemon=True).start()
while "detach" not in words:
    time.sleep(0.01)
say(StepTaken(1, 9, 3.5, 1e-4, 100.0, 9.0))
while not (folder / "control").exists():
    time.sleep(0.01)
(folder / "bundle").mkdir()
say(RunCompleted(str(folder / "bundle"), 30.0, 20.0, 2, 1.5))
"""


def test_a_detached_run_goes_on_is_found_again_and_hears_its_control_file(launch: Launch, tmp_path: Path) -> None:
    run = launch(LIVE_ON)
    wait_for(run, lambda state: state.status is RunStatus.RUNNING)
    run.detach()
    launcher = TrainerLauncher(tmp_path / "runs")
    assert launcher.left_alone() == [run.folder]
    found = launcher.follow(run.folder)
    wait_for(found, lambda state: state.step == 1)
    found.keep_best()
    state = wait_for(found, lambda state: state.ended)
    assert (run.folder / "control").read_text(encoding="utf-8") == "finish"
    assert state.status is RunStatus.COMPLETED
    wait_for(run, lambda state: state.ended)
    # Its model waits until somebody installs it, whoever was there when it was done.
    assert launcher.left_alone() == [run.folder]
    (run.folder / "bundle").rmdir()
    assert not launcher.left_alone()


def test_a_found_run_can_be_ended(launch: Launch, tmp_path: Path) -> None:
    run = launch("time.sleep(600)\n")
    wait_for(run, lambda state: state.status is RunStatus.RUNNING)
    found = TrainerLauncher(tmp_path / "runs").follow(run.folder)
    found.kill()
    assert wait_for(found, lambda state: state.ended).status is RunStatus.STOPPED

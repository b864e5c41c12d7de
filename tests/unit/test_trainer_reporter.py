"""Every event is in the journal before anyone hears of it; requests to stop arrive by every way."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from trainer.control import Control, RunLock, StopRequested
from trainer.protocol.codec import decode_journal
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import CheckpointSaved, NoticeGiven, RunStopped, StageEntered, StepTaken
from trainer.protocol.messages import Stage as TuningStage
from trainer.reporter import Reporter
from trainer.resources import explain


class Pipe(io.RawIOBase):
    """A stdout that may be closed at its other end."""

    def __init__(self) -> None:
        """Start open."""
        self.lines: list[bytes] = []
        self.broken = False

    def write(self, data: object) -> int:
        """Take a line or fail as a broken pipe does."""
        if self.broken:
            raise BrokenPipeError(errno.EPIPE, "broken")
        self.lines.append(bytes(cast("bytes", data)))
        return len(self.lines[-1])


def reporter(pipe: Pipe, journal: Path | None = None) -> Reporter:
    """Return a reporter to the pipe."""
    return Reporter(cast("BinaryIO", pipe), journal)


def test_journal_and_stdout_hold_the_same_lines(tmp_path: Path) -> None:
    pipe = Pipe()
    target = reporter(pipe, tmp_path / "events.jsonl")
    for event in (StageEntered(TuningStage.READING), CheckpointSaved(3), NoticeGiven("x", {"a": "ü\n"})):
        target.report(event)
    target.close()
    assert (tmp_path / "events.jsonl").read_bytes() == b"".join(pipe.lines)
    assert all(line.count(b"\n") == 1 for line in pipe.lines)
    assert target.saved_step == 3


def test_the_torn_line_of_a_killed_run_is_cut_off(tmp_path: Path) -> None:
    journal = tmp_path / "events.jsonl"
    first = reporter(Pipe(), journal)
    first.report(CheckpointSaved(3))
    first.close()
    with journal.open("ab") as stream:
        stream.write(b'{"v":"1.0","kind":"step_ta')
    second = reporter(Pipe(), journal)
    second.report(RunStopped(3))
    second.close()
    with journal.open(encoding="utf-8") as stream:
        assert list(decode_journal(stream)) == [CheckpointSaved(3), RunStopped(3)]


def test_a_closed_stdout_is_told_once_and_the_journal_goes_on(tmp_path: Path) -> None:
    pipe, told = Pipe(), list[str]()
    target = reporter(pipe, tmp_path / "events.jsonl")
    target.on_broken_stdout = lambda: told.append("broken")
    pipe.broken = True
    for step in range(3):
        target.report(StepTaken(step, 3, 1.0, 1e-4, 1.0, 1.0))
    target.close()
    assert told == ["broken"]
    assert len((tmp_path / "events.jsonl").read_text(encoding="utf-8").splitlines()) == 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_full_disk_is_named_and_stdout_still_hears() -> None:
    pipe = Pipe()
    target = reporter(pipe)
    target._journal, target._path = Path("/dev/full").open("ab"), Path("/dev/full")  # noqa: SIM115 - closed below
    with pytest.raises(TrainerError) as caught:
        target.report(RunStopped(1))
    assert caught.value.code is TrainerFailure.DISK_FULL
    assert len(pipe.lines) == 1
    target.close()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), TrainerFailure.DISK_FULL),
        (RuntimeError("[enforce fail] . No space left on device"), TrainerFailure.DISK_FULL),
        (MemoryError(), TrainerFailure.MEMORY_FULL),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), TrainerFailure.MEMORY_FULL),
        (TrainerError(TrainerFailure.LOSS_DIVERGED, step=3), TrainerFailure.LOSS_DIVERGED),
        (ValueError("other"), None),
    ],
)
def test_what_can_be_expected_is_explained(error: Exception, code: TrainerFailure | None) -> None:
    explained = explain(error)
    assert (explained.code if explained else None) is code


def wait_for(control: Control) -> None:
    """Wait until the thread that reads stdin is done."""
    import threading

    for thread in threading.enumerate():
        if thread.name == "stdin":
            thread.join(5)


@pytest.mark.parametrize(
    ("lines", "until_end", "stops"),
    [
        ("stop\n", True, True),
        ("", True, True),
        ("detach\n", True, False),
        ("", False, False),
        ("detach\nstop\n", True, True),
    ],
)
def test_stdin_stops_the_run(lines: str, until_end: bool, stops: bool) -> None:
    control = Control()
    control.watch_stdin(io.StringIO(lines), until_end=until_end)
    wait_for(control)
    assert control.is_stopping is stops
    if stops:
        with pytest.raises(StopRequested):
            control.raise_if_stopping()


def test_a_closed_stdin_is_one_that_ended() -> None:
    control = Control()
    control.watch_stdin(None)
    wait_for(control)
    assert control.is_stopping


def test_a_closed_stdout_stops_only_who_is_attached() -> None:
    attached, detached = Control(), Control(detached=True)
    attached.note_broken_stdout()
    detached.note_broken_stdout()
    assert (attached.is_stopping, detached.is_stopping) == (True, False)


def test_the_control_file_stops_a_detached_run_and_an_old_one_does_not(tmp_path: Path) -> None:
    (tmp_path / "control").write_text("stop", encoding="utf-8")
    control = Control(tmp_path, detached=True)
    assert not control.is_stopping
    (tmp_path / "control").write_text("stop\n", encoding="utf-8")
    control._looked = 0.0
    assert control.is_stopping


@pytest.mark.skipif(os.name != "posix", reason="Windows' locks are per process")
def test_a_run_folder_has_one_trainer(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    with pytest.raises(TrainerError) as caught:
        RunLock(tmp_path)
    assert caught.value.code is TrainerFailure.RUN_IN_USE
    lock.release()
    RunLock(tmp_path).release()

"""How the last start of a run ended: killed for want of memory, killed by somebody, or nobody knows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trainer.protocol.codec import encode_event
from trainer.protocol.messages import MachineMeasured
from trainer.tuning import endings
from trainer.tuning.clock import WorkClock
from trainer.tuning.endings import count_kills, judge_ending, open_note, take_crash, was_memory_scarce
from trainer.tuning.pace import Pace

ROOT = Path(__file__).parents[2]
BOOT, KILLED = {"boot": "a", "killed": 4}, {"boot": "a", "killed": 5}
MEMORY, MAYBE, OTHER = True, None, False


@pytest.mark.parametrize(
    ("note", "now", "crashed", "scarce", "verdict"),
    [
        ({}, KILLED, False, False, (OTHER, 0)),  # it ended with a word
        ({"deaths": 0, **BOOT}, KILLED, False, False, (MEMORY, 0)),
        ({"deaths": 0, "settled": True, **BOOT}, KILLED, False, False, (MEMORY, 0)),  # another program wanted memory
        ({"deaths": 1, **BOOT}, BOOT, False, False, (OTHER, 0)),  # somebody's kill -9, however often
        ({"deaths": 0, **BOOT}, BOOT, True, False, (OTHER, 1)),  # a driver gave up: once is chance
        ({"deaths": 1, **BOOT}, BOOT, True, False, (MAYBE, 0)),
        ({"deaths": 1, **BOOT}, BOOT, False, True, (MAYBE, 0)),  # a desktop kills before the kernel does
        ({"deaths": 1, "settled": True, **BOOT}, BOOT, False, True, (OTHER, 0)),
        ({"deaths": 0, **BOOT}, {"boot": "b", "killed": 0}, False, False, (OTHER, 1)),  # power cut
        ({"deaths": 1, **BOOT}, {"boot": "b", "killed": 0}, False, False, (MAYBE, 0)),
        ({"deaths": 0}, {}, False, False, (OTHER, 1)),  # systems that don't count
        ({"deaths": 1}, {}, False, False, (MAYBE, 0)),
        ({"deaths": 1, "settled": True}, {}, False, False, (OTHER, 0)),
    ],
)
def test_what_ended_it(
    note: dict[str, Any], now: dict[str, Any], crashed: bool, scarce: bool, verdict: tuple[bool | None, int]
) -> None:
    assert judge_ending(note, now, crashed=crashed, scarce=scarce) == verdict


def test_the_systems_count_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vmstat").write_text("pgfault 3\noom_kill 17\nnr_free 4\n", encoding="ascii")
    (tmp_path / "boot").write_text("b-1\n", encoding="ascii")
    monkeypatch.setattr(endings, "_VMSTAT", tmp_path / "vmstat")
    monkeypatch.setattr(endings, "_BOOT", tmp_path / "boot")
    assert count_kills() == {"boot": "b-1", "killed": 17}
    assert open_note(1) == {"deaths": 1, "settled": False, "boot": "b-1", "killed": 17}
    (tmp_path / "boot").unlink()
    assert count_kills() == {}


@pytest.mark.parametrize(("free", "scarce"), [(10, True), (100, False), (0, False)])
def test_the_journal_tells_whether_memory_was_scarce(tmp_path: Path, free: int, scarce: bool) -> None:
    journal = tmp_path / "events.jsonl"
    assert not was_memory_scarce(journal)
    measured = [MachineMeasured(1, 9, 9, 900, 1000), MachineMeasured(2, 9, 9, free, 1000)]
    lines = [encode_event(event, seconds=1.0) for event in measured]
    journal.write_text("\n".join([*lines, json.dumps({"kind": "step_taken"}), '{"kind": "machine_m']), encoding="utf-8")
    assert was_memory_scarce(journal) is scarce


def test_a_process_that_a_library_takes_along_leaves_its_last_frames(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = "import os, sys, pathlib; from trainer.tuning.endings import keeping_last_frames as keep"
    for last, crashed in (("os.abort()", True), ("pass", False)):
        program = f"{ends}\nwith keep(pathlib.Path(sys.argv[1])): {last}"
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, check=False, capture_output=True)
        assert take_crash(tmp_path) is crashed
    assert "Aborted" in capsys.readouterr().err
    assert not take_crash(tmp_path)


class Clocks:
    """The wall's and the processor's clocks."""

    def __init__(self) -> None:
        """Begin at nought."""
        self.wall = self.processor = 0.0

    def go(self, wall: float, processor: float) -> None:
        """Let time pass."""
        self.wall += wall
        self.processor += processor


def test_only_work_counts_as_time() -> None:
    clocks = Clocks()
    clock = WorkClock(5.0, now=lambda: clocks.wall, computed=lambda: clocks.processor)
    clocks.go(30, 0)  # waiting for a disk
    assert (clock.tick(), clock.elapsed) == (30.0, 35.0)
    clocks.go(8 * 3600, 2)
    assert clock.elapsed == 37.0
    assert (clock.tick(), clock.elapsed) == (2.0, 37.0)
    clocks.go(600, 590)  # a long measurement
    assert clock.tick() == 600.0
    clocks.go(-50, 0)  # a clock that was set back
    assert clock.tick() == 0.0


def test_samples_keep_to_their_share_and_to_the_limit() -> None:
    clocks = Clocks()
    clock = WorkClock(now=lambda: clocks.wall, computed=lambda: clocks.processor)
    pace = Pace(clock, limit=100.0, sampled=0.0, sample_seconds=2.0)
    taken = 0.0
    while clocks.wall < 100:
        clocks.go(1, 1)
        pace.end_step(100)
        if pace.may_sample(0.05):
            pace.begin()
            clocks.go(3, 3)  # they take longer than was thought
            pace.end_sample()
            taken += 3
            assert taken <= 0.08 * clocks.wall
    assert taken >= 3
    assert pace.is_late()
    assert not pace.may_sample(0.5)
    assert pace.estimate_left(1000, 10) == 0.0

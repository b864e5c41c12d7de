"""Kill, starve, fill and damage real runs and see that each ends well: ``python -m tests.bench.trainer_hardships``.

    --kills 50      SIGKILL at random moments, then go on; the curve of losses beside an unbroken run's
    --memory        no memory, in each stage, once, a few times and always; and the system's memory killer
    --disk          a disk that fills up at each thing that is written (a small tmpfs of our own: root, Linux)
    --checkpoints   each file of the newest checkpoint cut short, changed, taken away

Without any of them all four are tried. Prints a table in Markdown; exits with 1 where one thing did not end well.
A tiny GPT-2 with random weights learns from made-up stories, so a run takes seconds, nearly all of them torch's start.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.faulty_trainer import NETWORK_STAGES
from tests.fakes.tiny_run import make_run
from trainer.protocol.messages import Stage
from trainer.reporter import JOURNAL_NAME

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = 1e-3
_SETTINGS: dict[str, Any] = {"sample_stories": 1, "checkpoint_steps": 2, "epochs": 3}
_PATIENCE = 600
_KILLED = -9
DONE, FAILED = 0, 1


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was done, how often, what came of it, and whether that is well."""

    tried: str
    times: int
    outcome: str
    well: bool

    def format(self) -> str:
        """Return it in Markdown."""
        return f"| {self.tried} | {self.times} | {self.outcome} | {'yes' if self.well else '**no**'} |"


@dataclass(frozen=True, slots=True)
class Curve:
    """The loss at each step as it was last taken, and the held-out nats at the end (None before it)."""

    losses: dict[int, float]
    after: float | None

    def differ(self, other: Curve) -> float:
        """Return the largest difference of the two at any step and at the end; infinity where steps are missing."""
        if self.losses.keys() != other.losses.keys() or self.after is None or other.after is None:
            return float("inf")
        apart = [abs(loss - other.losses[step]) for step, loss in self.losses.items()]
        return max([*apart, abs(self.after - other.after)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Try what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=0)
    for name in ("memory", "disk", "checkpoints"):
        parser.add_argument(f"--{name}", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    everything = not (options.kills or options.memory or options.disk or options.checkpoints)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as place:
        began = time.monotonic()
        folder = make(Path(place), "unbroken")
        assert tune(folder).returncode == DONE
        trial = Trial(Path(place), read_curve(folder), time.monotonic() - began, random.Random(options.seed))
        trials: list[tuple[bool, Callable[[], Iterator[Row]]]] = [
            (bool(options.kills), lambda: try_kills(trial, options.kills or 50)),
            (options.memory, lambda: try_memory(trial)),
            (options.disk, lambda: try_disk(trial)),
            (options.checkpoints, lambda: try_checkpoints(trial)),
        ]
        for wanted, attempt in trials:
            if wanted or everything:
                for row in attempt():
                    print(row.format(), file=sys.stderr, flush=True)
                    rows.append(row)
    print("| tried | times | what came of it | well |\n|---|---|---|---|")
    print("\n".join(row.format() for row in rows))
    return 0 if all(row.well for row in rows) else 1


@dataclass(frozen=True, slots=True)
class Trial:
    """Where runs are made, what an unbroken one comes to and how long it takes."""

    place: Path
    unbroken: Curve
    seconds: float
    chance: random.Random


def make(place: Path, name: str) -> Path:
    """Return a run folder in a place of its own."""
    (place / name).mkdir(parents=True)
    return make_run(place / name, "run", **_SETTINGS)


def tune(folder: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    """Carry out a run to whatever end, by ``command`` or the trainer itself."""
    process = start(folder, *command)
    process.wait(_PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode)


def start(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    """Start the trainer on a run folder."""
    with (folder.parent / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, *(command or ("-m", "trainer", "tune", str(folder), "--detached"))],
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def read_journal(folder: Path) -> list[dict[str, Any]]:
    """Return the events of all starts of a run; a torn last line is left out."""
    events = []
    for line in (folder / JOURNAL_NAME).read_bytes().splitlines():
        try:
            events.append(json.loads(line))
        except ValueError:
            continue
    return events


def read_curve(folder: Path) -> Curve:
    """Return what a run has learnt, step by step."""
    events = read_journal(folder)
    losses = {event["step"]: event["loss"] for event in events if event["kind"] == "step_taken"}
    ends = [e["nats_per_token"] for e in events if e["kind"] == "heldout_measured" and e["moment"] == "after"]
    return Curve(losses, ends[-1] if ends else None)


def read_end(folder: Path) -> str:
    """Return the last event in short: its kind, and the code of a failure."""
    last = read_journal(folder)[-1]
    return f"{last['kind']} {last.get('code', '')}".strip()


def try_kills(trial: Trial, kills: int) -> Iterator[Row]:
    """Kill runs one to four times each and let them go on to their end."""
    worst, runs, left, stages = 0.0, 0, kills, dict.fromkeys(["starting", *Stage], 0)
    while left > 0:
        runs += 1
        folder = make(trial.place, f"killed-{runs}")
        for _ in range(min(left, trial.chance.randint(1, 4))):
            process = start(folder)
            try:
                process.wait(trial.chance.uniform(0.0, trial.seconds))
                break  # it was quicker than the kill
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                left -= 1
                stages[_find_stage(folder)] += 1
        code = tune(folder).returncode
        worst = max(worst, read_curve(folder).differ(trial.unbroken) if code == DONE else float("inf"))
        shutil.rmtree(folder.parent)
    where = ", ".join(f"{stage} {count}" for stage, count in stages.items() if count)
    outcome = f"all {runs} runs came to their end; losses differ by {worst:.1e} nats at most ({where})"
    yield Row("`kill -9` at a random moment, then started again", kills, outcome, worst <= TOLERANCE)


def _find_stage(folder: Path) -> str:
    """Return the stage that the present start of a run is in."""
    if not (folder / JOURNAL_NAME).is_file():
        return "starting"
    stage = "starting"
    for event in read_journal(folder):
        stage = "starting" if event["kind"] == "run_started" else event.get("stage", stage)
    return stage


def try_memory(trial: Trial) -> Iterator[Row]:
    """Let each stage find no memory: once, four times, always; and let the system kill it."""
    for stage in Stage:
        often = ((1, "once"), (4, "four times"), (10_000, "always"))
        for times, said in often if stage in NETWORK_STAGES else often[-1:]:
            folder = make(trial.place, f"memory-{stage}-{times}")
            yield _judge_memory(
                trial, folder, f"no memory {said} while {stage}", _starve(folder, "memory", stage, times)
            )
            shutil.rmtree(folder.parent)
    for stage in Stage:
        folder = make(trial.place, f"killer-{stage}")
        code = tune(folder, *_fault("kill", stage, 1, folder)).returncode
        if code == DONE:
            continue  # a stage in which the network isn't needed
        resumed = tune(folder).returncode
        apart = read_curve(folder).differ(trial.unbroken)
        outcome = f"{read_end(folder)}, {apart:.1e} nats apart"
        yield Row(f"killed while {stage}", 1, outcome, (code, resumed) == (_KILLED, DONE) and apart <= TOLERANCE)
        shutil.rmtree(folder.parent)


def _fault(fault: str, stage: Stage, times: int, folder: Path) -> tuple[str, ...]:
    return ("-m", "tests.bench.faulty_trainer", fault, stage.value, str(times), str(folder))


def _starve(folder: Path, fault: str, stage: Stage, times: int) -> int:
    return tune(folder, *_fault(fault, stage, times, folder)).returncode


def _judge_memory(trial: Trial, folder: Path, tried: str, code: int) -> Row:
    """Well is: it came to its end, or it said in its last event that memory is short and goes on when there is some."""
    end = read_end(folder)
    notices = [event["code"] for event in read_journal(folder) if event["kind"] == "notice_given"]
    saved = ", ".join(dict.fromkeys(code for code in notices if code.startswith("memory_")))
    said = f"{end}{f' ({saved})' if saved else ''}"
    if code == DONE:
        return Row(tried, 1, said, True)
    later = tune(folder).returncode
    outcome = f"{said}; later {read_end(folder)}"
    return Row(tried, 1, outcome, code == FAILED and end == "run_failed memory_full" and later == DONE)


def try_disk(trial: Trial) -> Iterator[Row]:
    """Fill the run's disk at each of its events, leaving a little or nothing; make room, and let the run go on."""
    if os.name != "posix" or os.geteuid() != 0:
        yield Row("a full disk", 0, "not tried: a small disk of its own can be made by root on Linux only", True)
        return
    points = [("run_started", 0), ("stage_entered", 1), ("stage_entered", 3), ("stage_entered", 5)]
    points += [("step_taken", number) for number in (0, 1, 3, 5)]
    points += [("checkpoint_saved", 0), ("heldout_measured", 1), ("heldout_measured", 2)]
    points += [("stage_entered", number) for number in (6, 7, 8, 9, 10)]
    for (kind, number), spare in zip(points, itertools.cycle((0, 40_000, 400_000)), strict=False):
        with _small_disk(trial.place / "disk") as disk:
            yield _fill_disk(trial, disk, kind, number, spare)


def _fill_disk(trial: Trial, disk: Path, kind: str, number: int, spare: int) -> Row:
    folder = make(disk, "run")
    process = start(folder)
    ballast = disk / "ballast"
    while process.poll() is None:
        seen = [e for e in read_journal(folder) if e["kind"] == kind] if (folder / JOURNAL_NAME).is_file() else []
        if len(seen) > number:
            _fill(ballast, spare)
            break
        time.sleep(0.005)
    code = process.wait(_PATIENCE)
    ballast.unlink(missing_ok=True)
    tried = f"disk full from {kind} {number + 1} on, {spare // 1000} kB left"
    if code == DONE:
        apart = read_curve(folder).differ(trial.unbroken)
        return Row(tried, 1, f"{read_end(folder)} all the same, {apart:.1e} nats apart", apart <= TOLERANCE)
    said = _read_last_words(folder)
    resumed = tune(folder).returncode
    apart = read_curve(folder).differ(trial.unbroken)
    outcome = f"{said}; with room again {read_end(folder)}, {apart:.1e} nats apart"
    return Row(tried, 1, outcome, (code, resumed) == (FAILED, DONE) and apart <= TOLERANCE)


def _read_last_words(folder: Path) -> str:
    """Return how a run on a full disk ended, by its log: the journal may have had no room for it."""
    lines = (folder.parent / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(":")[0] for line in reversed(lines) if line.startswith("disk_")), "no word")


def _fill(ballast: Path, spare: int) -> None:
    """Write until ``spare`` bytes are left; what another writes meanwhile only makes it fewer."""
    with ballast.open("wb", buffering=0) as stream:
        try:
            while (free := shutil.disk_usage(ballast.parent).free) > spare:
                stream.write(bytes(min(free - spare, 1 << 20)))
        except OSError:
            return


@contextmanager
def _small_disk(place: Path) -> Iterator[Path]:
    """Mount a disk that has room for a run and not much more."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400m", "storydesk-bench", str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def try_checkpoints(trial: Trial) -> Iterator[Row]:
    """Damage each file of the newest checkpoint and go on."""
    stopped = make(trial.place, "stopped")
    process = start(stopped)
    while not any(event["kind"] == "checkpoint_saved" and event["step"] >= 4 for event in _peek(stopped)):
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.005)
    process.kill()
    process.wait()
    names = sorted(path.name for path in _newest(stopped).iterdir())
    for damage, work in (("cut short", _cut), ("changed by one bit", _flip), ("taken away", Path.unlink)):
        worst, told = 0.0, 0
        for name in names:
            folder = trial.place / "damaged" / "run"
            shutil.copytree(stopped.parent, folder.parent)
            # The request names its paths; they stay those of the run that was copied, which are all still there.
            work(_newest(folder) / name)
            code = tune(folder).returncode
            told += any(e.get("code") == "checkpoint_damaged" for e in read_journal(folder))
            worst = max(worst, read_curve(folder).differ(trial.unbroken) if code == DONE else float("inf"))
            shutil.rmtree(folder.parent)
            shutil.rmtree(stopped.parent / "bundles", ignore_errors=True)
        outcome = f"said {told} times, gone on from the one before, {worst:.1e} nats apart at most"
        yield Row(
            f"a file of the newest checkpoint {damage}", len(names), outcome, told == len(names) and worst <= TOLERANCE
        )


def _peek(folder: Path) -> list[dict[str, Any]]:
    return read_journal(folder) if (folder / JOURNAL_NAME).is_file() else []


def _newest(folder: Path) -> Path:
    found = (folder / "checkpoints").glob("checkpoint-*")
    return max(found, key=lambda path: int(path.name.partition("-")[2]))


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


if __name__ == "__main__":
    sys.exit(main())

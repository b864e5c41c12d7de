"""Measure the engine beside what could be installed instead: ``python -m tests.bench.engine_peers``.

Needs the extra ``bench``; an engine that is not installed is left out and said to be. Every engine runs in a process
of its own, in turn, round after round, so that a busy minute hits all alike; figures are medians over the rounds.
``--quick`` is a short run, ``--model starter`` takes the model that ships, ``--only storydesk`` leaves the others out,
``--markdown docs/benchmarks.md`` writes tables and targets between that page's marks.

What takes long is measured less often: an action is repeated until it took some seconds in all, the slower engines'
batches are stepped for some seconds at most, and 20,000 words are scored in the first round only, by whoever could be
an alternative, for half a minute at most.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.bench.bandwidth import measure_bandwidth
from tests.bench.peers import CONTENDERS, THREADS, Contender, Peer, Storydesk
from tests.bench.prepare import count_cache_bytes, count_step_bytes, prepare, read_tokens, read_words, save
from tests.bench.report import format_report, write_report
from trainer.export.weights import read_shape

PREFILLS = (32, 128, 512, 900)
ROWS = (1, 4, 8)
STEPS = 256
PROMPT = 128
WORDS = (1000, 20000)
ROOT = Path(__file__).resolve().parents[2]
BY_PROCESSOR = "STORYDESK_BENCH_BY_PROCESSOR"
# A step that was disturbed tells nothing of the engine, so the median of steps is taken and not their sum.
_REPEATS = 3
# Seconds after which an action is not repeated, steps are not gone on with, and no window of a text is begun.
_ENOUGH = 2.0
_ENOUGH_STEPS = 4.0
_ENOUGH_SCORING = 30.0
# Seconds of processor time that others may take in a second, and how often a run is repeated where they took more.
_DISTURBED = 0.06
_PATIENCE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table, or one engine's part of it in a child process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["124M"], choices=("124M", "starter", "tiny"))
    parser.add_argument(
        "--quick", action="store_true", help="short runs: 32 steps, no long text, one round unless --rounds says more"
    )
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default="", help="engines whose names contain this word")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "storydesk-bench")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument("--markdown", type=Path, help="the page whose tables are replaced")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="one thread, measured in processor time: for a machine that does other things too",
    )
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    parser.add_argument("--long", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        if BY_PROCESSOR in os.environ and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        contender = next(each for each in CONTENDERS if each.name == options.child)
        print(json.dumps(measure_contender(options.folder, contender, quick=options.quick, long=options.long)))
        return 0
    if options.processor_time:
        os.environ |= {BY_PROCESSOR: "1", "STORYDESK_BENCH_THREADS": "1"}
    contenders = [each for each in CONTENDERS if options.only in each.name]
    count = options.rounds or (1 if options.quick else 3)
    results = []
    for model in options.model:
        folder = prepare(options.folder, model)
        rounds = [
            _measure_round(folder, contenders, quick=options.quick, long=number == 0 and not options.quick)
            for number in range(count)
        ]
        results.append(_join(folder, rounds, model))
        print(format_report(results[-1]), flush=True)
    if options.json:
        save(results, options.json)
    if options.markdown:
        write_report(results, options.markdown)
    return 0


def measure_contender(folder: Path, contender: Contender, *, quick: bool, long: bool) -> dict[str, float]:
    """Return one engine's figures: milliseconds, tokens per second, megabytes; ``long`` scores a long text too."""
    peer = contender.peer(folder, contender.kind)
    positions = peer.shape.positions
    tokens = read_tokens(folder, max(positions, 1024))
    peer.import_parts()
    before = _read_memory("VmRSS")
    started = _now()
    peer.load()
    peer.prefill(tokens[:1])
    figures = {"load": (_now() - started) * 1000}
    lengths = [length for length in PREFILLS if length < positions]
    for length in lengths:
        figures[f"prefill {length}"] = _time(lambda length=length: peer.prefill(tokens[:length])) * 1000  # type: ignore[misc]
    figures["memory"] = _read_memory("VmHWM") - before
    steps = 32 if quick else STEPS
    for rows in ROWS:
        figures[f"decode x{rows}"] = rows / _time_step(peer, tokens, rows, steps)
    peer.prepare_scoring()
    for words in WORDS if long and contender.long else WORDS[:1]:
        text = read_words(words)
        started = _now()
        scored = peer.score_text(text, _ENOUGH_SCORING)
        if scored is not None:
            figures[f"score {words}"] = scored / (_now() - started)
    if isinstance(peer, Storydesk):
        figures |= _measure_ours(peer, tokens[: lengths[-1]])
    return figures


def _measure_ours(peer: Storydesk, tokens: Sequence[int]) -> dict[str, float]:
    """Return what only our engine does: going on after an edit near the end, and cancelling."""
    import threading

    from storydesk.inference.cancellation import Cancellation, Cancelled

    figures = {}
    edits, waits = [], []
    for turn in range(5):
        peer.prefill(tokens)
        edited = [*tokens]
        edited[-8] = tokens[-8] + 1 + turn if tokens[-8] + 6 < peer.shape.vocabulary else turn
        started = _now()
        peer.cache.read(edited, Cancellation())
        edits.append((_now() - started) * 1000)
        peer.cache.truncate(0)
        cancellation, asked = Cancellation(), [0.0]

        def ask(cancellation: Cancellation = cancellation, asked: list[float] = asked) -> None:
            asked[0] = time.perf_counter()
            cancellation.ask()

        timer = threading.Timer(0.02 + 0.02 * turn, ask)
        timer.start()
        try:
            peer.cache.read(tokens, cancellation)
        except Cancelled:
            waits.append((time.perf_counter() - asked[0]) * 1000)
        timer.join()
    figures["edit"] = statistics.median(edits)
    if waits:
        figures["cancel, worst"] = max(waits)
    return figures


def _now() -> float:
    return time.process_time() if BY_PROCESSOR in os.environ else time.perf_counter()


def _time(action: Callable[[], object], *, warm: bool = False) -> float:
    """Return the median seconds of an action after one that does not count, unless it is ``warm`` already."""
    if not warm:
        action()
    seconds: list[float] = []
    while len(seconds) < _REPEATS and sum(seconds) < _ENOUGH:
        started = _now()
        action()
        seconds.append(_now() - started)
    return statistics.median(seconds)


def _time_step(peer: Peer, tokens: Sequence[int], rows: int, steps: int) -> float:
    """Return the seconds of one step after a prompt."""
    prompt = tokens[:PROMPT]
    if peer.decode_whole(prompt, rows, 1):
        short = _time(lambda: peer.decode_whole(prompt, rows, 1), warm=True)
        return (_time(lambda: peer.decode_whole(prompt, rows, steps + 1), warm=True) - short) / steps
    peer.begin(prompt, rows)
    seconds: list[float] = []
    while len(seconds) < steps and sum(seconds) < _ENOUGH_STEPS:
        batch = [tokens[(len(seconds) + 7 * row) % len(tokens)] for row in range(rows)]
        started = _now()
        peer.step(batch)
        seconds.append(_now() - started)
    return statistics.median(seconds)


def _read_memory(key: str) -> float:
    """Return a figure of this process in megabytes; 0 where the system does not say."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith(f"{key}:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return 0.0


def _measure_round(folder: Path, contenders: Sequence[Contender], *, quick: bool, long: bool) -> dict[str, Any]:
    """Measure every engine once, and before each how fast memory is read: on some machines that changes."""
    threads = os.environ.get("STORYDESK_BENCH_THREADS", str(THREADS))
    found: dict[str, Any] = {"bandwidth": {}, "engines": {}, "foreign": {}}
    for contender in contenders:
        command = [sys.executable, "-m", "tests.bench.engine_peers", "--folder", str(folder), "--child", contender.name]
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "TRANSFORMERS_OFFLINE": "1"}
        for _ in range(_PATIENCE):
            if BY_PROCESSOR not in os.environ:
                wait_for_quiet()
            found["bandwidth"][contender.name] = measure_bandwidth(int(threads))
            started, before = time.perf_counter(), read_foreign_time()
            done = subprocess.run(
                command + ["--quick"] * quick + ["--long"] * long,
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            share = (read_foreign_time() - before) / (time.perf_counter() - started)
            if share < _DISTURBED or BY_PROCESSOR in os.environ:
                break
        found["foreign"][contender.name] = share
        if done.returncode:
            words = done.stderr.strip().splitlines() or ["no words"]
            print(f"{contender.name} is left out: {words[-1][:120]}", file=sys.stderr)
            continue
        found["engines"][contender.name] = json.loads(done.stdout.splitlines()[-1])
    return found


def read_foreign_time() -> float:
    """Return the processor seconds that everything but our own processes has taken; 0 where Linux does not count."""
    try:
        fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    except OSError:
        return 0.0
    user, nice, system, _idle, _waiting, *others = (int(field) for field in fields)
    busy = (user + nice + system + sum(others[:2])) / os.sysconf("SC_CLK_TCK")
    ours = os.times()
    return busy - (ours.user + ours.system + ours.children_user + ours.children_system)


def wait_for_quiet(seconds: float = 2.0, most: float = 60.0) -> None:
    """Wait until others leave the machine alone for some seconds, or for as long as anyone can wait."""
    ends = time.monotonic() + most
    while time.monotonic() < ends:
        before = read_foreign_time()
        time.sleep(seconds)
        if read_foreign_time() - before < _DISTURBED * seconds:
            return


def _join(folder: Path, rounds: Sequence[dict[str, Any]], model: str) -> dict[str, Any]:
    """Return the medians over the rounds, and what memory allows."""
    engines: dict[str, dict[str, float]] = {}
    for name in dict.fromkeys(name for each in rounds for name in each["engines"]):
        measured = [each["engines"][name] for each in rounds if name in each["engines"]]
        engines[name] = {
            key: statistics.median(each[key] for each in measured if key in each) for each in measured for key in each
        }
    read = {name: statistics.median(each["bandwidth"][name] for each in rounds) for name in engines}
    bounds = {}
    for precision in ("int8", "int4", "fp32"):
        name = f"storydesk {precision}"
        if name in engines:
            files = [folder / "fast" / f"{precision}.onnx{end}" for end in ("", ".data")]
            weights = count_step_bytes(folder, precision)
            cache = count_cache_bytes(folder, PROMPT + STEPS / 2)
            bounds[name] = {
                "weights": weights / 1e6,
                "cache": cache / 1e6,
                "floor": read[name] / (weights + cache),
                "file": sum(path.stat().st_size for path in files if path.is_file()) / 1e6,
                "whole cache": count_cache_bytes(folder, read_shape(folder / "weights").positions) / 1e6,
            }
    threads = os.environ.get("STORYDESK_BENCH_THREADS", str(THREADS))
    return {
        "model": model,
        "machine": f"{_name_processor()}, {threads} threads{', processor time' if BY_PROCESSOR in os.environ else ''}",
        "rounds": len(rounds),
        "bandwidth": statistics.median(read.values()) if read else 0.0,
        "bounds": bounds,
        "engines": engines,
        "foreign": max((share for each in rounds for share in each["foreign"].values()), default=0.0),
    }


def _name_processor() -> str:
    """Return the processor's name as Linux gives it, else as Python does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


if __name__ == "__main__":
    raise SystemExit(main())

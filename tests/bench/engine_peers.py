"""Measure the engine beside what could be installed instead: ``python -m tests.bench.engine_peers``.

Needs the extra ``bench``; an engine that is not installed is left out and said to be. Every engine runs in a process
of its own, in turn, round after round, so that a busy minute hits all alike; figures are medians over the rounds.
``--quick`` is a short run, ``--model starter`` takes the model that ships.
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
from tests.bench.prepare import count_step_bytes, prepare, read_tokens, read_words, save

PREFILLS = (32, 128, 512, 900)
ROWS = (1, 4, 8)
STEPS = 256
ROOT = Path(__file__).resolve().parents[2]
BY_PROCESSOR = "STORYDESK_BENCH_BY_PROCESSOR"
# A step that was disturbed tells nothing of the engine, so the median of steps is taken and not their sum.
_REPEATS = 3
# Seconds of processor time that others may take in a second, and how often a run is repeated where they took more.
_DISTURBED = 0.06
_PATIENCE = 6


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the table, or one engine's part of it in a child process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="124M", choices=("124M", "starter", "tiny"))
    parser.add_argument(
        "--quick", action="store_true", help="short runs: 32 steps, no long text, one round unless --rounds says more"
    )
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default="", help="engines whose names contain this word")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "storydesk-bench")
    parser.add_argument("--json", type=Path, help="where the figures go")
    parser.add_argument(
        "--processor-time",
        action="store_true",
        help="one thread, measured in processor time: for a machine that does other things too",
    )
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        if BY_PROCESSOR in os.environ and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        contender = next(each for each in CONTENDERS if each.name == options.child)
        print(json.dumps(measure_contender(options.folder, contender, quick=options.quick)))
        return 0
    if options.processor_time:
        os.environ |= {BY_PROCESSOR: "1", "STORYDESK_BENCH_THREADS": "1"}
    folder = prepare(options.folder, options.model)
    contenders = [each for each in CONTENDERS if options.only in each.name]
    rounds = [
        _measure_round(folder, contenders, options.quick) for _ in range(options.rounds or (1 if options.quick else 3))
    ]
    results = _join(folder, rounds, options.model)
    print(format_table(results))
    if options.json:
        save(results, options.json)
    return 0


def measure_contender(folder: Path, contender: Contender, *, quick: bool) -> dict[str, float]:
    """Return one engine's figures: milliseconds, tokens per second, megabytes."""
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
    for words in (1000,) if quick else (1000, 20000):
        text = read_words(words)
        started = _now()
        scored = peer.score_text(text)
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


def _time(action: Callable[[], object]) -> float:
    action()
    seconds = []
    for _ in range(_REPEATS):
        started = _now()
        action()
        seconds.append(_now() - started)
    return statistics.median(seconds)


def _time_step(peer: Peer, tokens: Sequence[int], rows: int, steps: int) -> float:
    """Return the seconds of one step after a prompt of 128 tokens."""
    prompt = tokens[:128]
    started = _now()
    if peer.decode_whole(prompt, rows, 1):
        short = _time(lambda: peer.decode_whole(prompt, rows, 1))
        return (_time(lambda: peer.decode_whole(prompt, rows, steps + 1)) - short) / steps
    peer.begin(prompt, rows)
    seconds = []
    for index in range(steps):
        batch = [tokens[(index + 7 * row) % len(tokens)] for row in range(rows)]
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


def _measure_round(folder: Path, contenders: Sequence[Contender], quick: bool) -> dict[str, Any]:
    """Measure memory's speed, then every engine once."""
    threads = os.environ.get("STORYDESK_BENCH_THREADS", str(THREADS))
    found: dict[str, Any] = {"bandwidth": measure_bandwidth(int(threads)), "engines": {}, "foreign": {}}
    for contender in contenders:
        command = [sys.executable, "-m", "tests.bench.engine_peers", "--folder", str(folder), "--child", contender.name]
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "TRANSFORMERS_OFFLINE": "1"}
        for _ in range(_PATIENCE):
            wait_for_quiet()
            started, before = time.perf_counter(), read_foreign_time()
            done = subprocess.run(
                command + ["--quick"] * quick, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
            )
            share = (read_foreign_time() - before) / (time.perf_counter() - started)
            if share < _DISTURBED:
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


def wait_for_quiet(seconds: float = 2.0, most: float = 240.0) -> None:
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
    bandwidth = max(each["bandwidth"] for each in rounds)
    floors = {}
    for precision in ("int8", "int4", "fp32"):
        size = count_step_bytes(folder, precision)
        files = [folder / "fast" / f"{precision}.onnx{end}" for end in ("", ".data")]
        whole = sum(path.stat().st_size for path in files if path.is_file())
        floors[f"storydesk {precision}"] = {"bytes": size, "floor": bandwidth / size, "file": whole / 1e6}
    threads = os.environ.get("STORYDESK_BENCH_THREADS", str(THREADS))
    clock = "processor time" if BY_PROCESSOR in os.environ else "time"
    machine = f"{platform.processor() or platform.machine()}, {threads} threads, {clock}"
    return {
        "model": model,
        "machine": machine,
        "rounds": len(rounds),
        "bandwidth": bandwidth,
        "floors": floors,
        "engines": engines,
        "foreign": max((share for each in rounds for share in each["foreign"].values()), default=0.0),
    }


def format_table(results: dict[str, Any]) -> str:
    """Return the figures as Markdown, with ratios to ours in 8 bits."""
    keys = list(dict.fromkeys(key for figures in results["engines"].values() for key in figures))
    speed = f"memory is read at {results['bandwidth'] / 1e9:.1f} GB/s"
    lines = [
        f"{results['model']}, {results['machine']}, medians of {results['rounds']} rounds; {speed}.",
        f"Others took at most {results['foreign']:.0%} of one processor while an engine was measured.",
        "",
        "Milliseconds: load to the first token, prefill, edit, cancel. Tokens per second: decode, score. Memory: MB.",
        "",
        "| engine | " + " | ".join(keys) + " |",
        "|---|" + "---:|" * len(keys),
    ]
    ours = results["engines"].get("storydesk int8", {})
    for name, figures in results["engines"].items():
        cells = []
        for key in keys:
            value = figures.get(key)
            text = "-" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
            if value and ours.get(key) and name != "storydesk int8":
                faster = ours[key] / value if key.startswith(("decode", "score")) else value / ours[key]
                text += f" ({faster:.2f}x)"
            cells.append(text)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "In brackets: how many times as much of it ours in 8 bits does, or as quickly.", ""]
    for name, floor in results["floors"].items():
        figures = results["engines"].get(name)
        if figures:
            share = figures["decode x1"] / floor["floor"]
            lines.append(
                f"- {name}: {floor['bytes'] / 1e6:.0f} MB read per token, so at most {floor['floor']:.0f} tok/s; "
                f"{figures['decode x1']:.0f} is {share:.0%} of that. Four at once: "
                f"{figures['decode x4'] / figures['decode x1']:.2f}x one. Memory: {figures['memory']:.0f} MB, "
                f"{figures['memory'] / floor['file']:.2f}x the file of {floor['file']:.0f} MB."
            )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())

"""Kill a judging in the middle, again and again, and see that nothing is done twice.

``python -m tests.bench.judging_kills`` lets three models write three stories on each of twenty prompts; the trainer is
killed (SIGKILL) three times at other places and goes on each time. A second job of the same models and prompts is left
alone. Prints a table in Markdown: how much was done when the kill came, how much of it stood unchanged afterwards, and
how often anything was done twice; and what differs between both reports. A kill between two stories of one batch leaves
the others a smaller one, whose numbers differ in their last bits, so that a few stories may part; where none did, all
figures have to be the same. Exits with 1 where anything is not well.

    --model PATH    a GPT-2 folder or bundle to judge, again for each (three tiny ones with random weights)
    --prompts 20, --stories 3, --tokens 40, --kills 3, --folder PATH (kept where one is named)
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.tiny_gpt2 import make_tiny_gpt2
from trainer.judging.ledger import LEDGER_NAME
from trainer.protocol.judging import JudgedPair, JudgedStyle, JudgeRequest, encode_judge_request
from trainer.reporter import JOURNAL_NAME

ROOT = Path(__file__).resolve().parents[2]
PARAGRAPHS = "\n\n".join(f"The bell rang {number} times before the fog came in." for number in range(5))
MOST_AT_ONCE = 8
"""So many stories share a batch on a processor."""
_FIGURES = ("values", "differences", "sweep", "verdicts")


@dataclass(frozen=True, slots=True)
class Start:
    """One start of the trainer: what was done before it, what when it ended, and what of the former stood unchanged."""

    before: int
    after: int
    unchanged: int
    stories: int
    killed: bool
    seconds: float

    def format(self, number: int) -> str:
        """Return it in Markdown."""
        end = "killed" if self.killed else "came to its end"
        kept = f"{self.unchanged} of {self.before}"
        done = f"{self.after - self.before} | {self.after} | {self.stories}"
        return f"| {number} | {kept} | {done} | {end} | {self.seconds:.0f} |"


def make_job(folder: Path, models: Sequence[Path], options: argparse.Namespace) -> Path:
    """Write a job's request."""
    pairs = [
        JudgedPair(f"A keeper hears bell {number}.", f"{PARAGRAPHS} {number}") for number in range(options.prompts)
    ]
    request = JudgeRequest(
        job_id=folder.name,
        styles=tuple(JudgedStyle(f"{number}-{model.name}", str(model)) for number, model in enumerate(models)),
        pairs=tuple(pairs),
        stories=options.stories,
        tokens=options.tokens,
        title="Kills",
        device="cpu",
    )
    folder.mkdir(parents=True)
    (folder / "request.json").write_text(encode_judge_request(request), encoding="utf-8")
    return folder


def read_units(folder: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a job's ledger but for its head."""
    path = folder / LEDGER_NAME
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True)[1:] if line.endswith("\n")]


def start(folder: Path, threads: Mapping[str, str], until: int | None = None) -> Start:
    """Start the trainer, and kill it when ``until`` units are done."""
    before, begun = read_units(folder), time.monotonic()
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "trainer", "judge", str(folder), "--detached"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **threads},
        )
        try:
            while process.poll() is None and (until is None or len(read_units(folder)) < until):
                time.sleep(0.02)
        finally:
            killed = process.poll() is None
            process.kill()
            process.wait()
    units = read_units(folder)
    unchanged = sum(one == other for one, other in zip(before, units, strict=False))
    stories = sum(unit["unit"].startswith("story/") for unit in units)
    return Start(len(before), len(units), unchanged, stories, killed, time.monotonic() - begun)


def count_repeated(folder: Path) -> int:
    """Return how many units were done more than once: in the ledger, or reported by two starts."""
    names = Counter(unit["unit"] for unit in read_units(folder))
    events = [json.loads(line) for line in (folder / JOURNAL_NAME).read_text(encoding="utf-8").splitlines()]
    reported = Counter(
        event["done"] for event in events if event["kind"] == "judging_advanced" and event["work"] != "reporting"
    )
    return sum(count - 1 for count in names.values()) + sum(count - 1 for count in reported.values())


def compare(one: Path, other: Path) -> list[str]:
    """Return what differs between two reports."""
    first, second = (json.loads((folder / "report.json").read_text(encoding="utf-8")) for folder in (one, other))
    return [name for name in _FIGURES if not is_alike(first[name], second[name])]


def is_alike(one: Any, other: Any) -> bool:
    """Return whether two parts of reports are the same but for the last bits of their figures."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-4, abs_tol=1e-6)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_alike(each, other[name]) for name, each in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_alike, one, other))
    return bool(one == other)


def count_parted(one: Path, other: Path) -> int:
    """Return how many stories differ between two jobs."""
    texts = [{unit["unit"]: unit["text"] for unit in read_units(folder) if "text" in unit} for folder in (one, other)]
    return sum(texts[0][key] != texts[1].get(key) for key in texts[0])


def measure(folder: Path, options: argparse.Namespace) -> bool:
    """Print the table and say whether all is well."""
    models = options.model or [make_tiny_gpt2(folder / f"tiny{seed}", seed=seed) for seed in range(3)]
    expected = len(models) * options.prompts * (2 * options.stories + 1)
    job = make_job(folder / "killed", models, options)
    # A network so small is done sooner by one thread than two can agree on it.
    threads = {} if options.model else {"OMP_NUM_THREADS": "1"}
    kills = [expected * (number + 1) // (options.kills + 1) for number in range(options.kills)]
    starts = [start(job, threads, until) for until in [*kills, None]]
    alone = make_job(folder / "alone", models, options)
    unbroken = start(alone, threads)
    print(f"{len(models)} models x {options.prompts} prompts x {options.stories} stories: {expected} units\n")
    print("| start | done before, unchanged | done now | done after | stories | it | seconds |")
    print("|---|---|---|---|---|---|---|")
    for number, each in enumerate(starts, 1):
        print(each.format(number))
    print(unbroken.format(1).replace("| 1 |", "| the other job |", 1))
    repeated, parted, differing = count_repeated(job), count_parted(job, alone), compare(job, alone)
    print(f"\nUnits done twice: {repeated}. Stories unlike the other job's: {parted} of {unbroken.stories}.", end=" ")
    print(f"Figures unlike its: {', '.join(differing) or 'none'}.")
    kept = all(each.unchanged == each.before for each in starts)
    whole = starts[-1].after == unbroken.after == expected
    alike = not differing if not parted else parted < options.kills * MOST_AT_ONCE
    return kept and whole and not repeated and alike and all(each.killed for each in starts[:-1])


def main(arguments: Sequence[str] | None = None) -> int:
    """Do as asked; return 0 where all is well."""
    parser = argparse.ArgumentParser(prog="judging_kills", description="Kill a judging and see that it goes on.")
    parser.add_argument("--model", action="append", type=lambda text: Path(text).resolve(), default=[], metavar="PATH")
    parser.add_argument("--prompts", type=int, default=20)
    parser.add_argument("--stories", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=40)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args(arguments)
    if options.folder is not None:
        return 0 if measure(options.folder.resolve(), options) else 1
    with tempfile.TemporaryDirectory() as folder:
        return 0 if measure(Path(folder), options) else 1


if __name__ == "__main__":
    sys.exit(main())

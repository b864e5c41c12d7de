"""What one click brings, with other seeds: ``python -m tests.bench.one_click [--data PATH] [--seeds 1 2 3]``.

Each seed is a real ``storydesk-train tune`` with default settings, another split and another order. Prints held-out
perplexity and prompt ranking (the true prompt among ten) before and after, in Markdown. ``--minutes`` bounds the
tuning; ``--base`` is any GPT-2 folder. A run ends once it is measured: no graphs are made.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.protocol.codec import encode_request
from trainer.protocol.messages import Request

ROOT = Path(__file__).resolve().parents[2]
_LAST = "sampling"


@dataclass(frozen=True, slots=True)
class Run:
    """One seed: perplexities, rankings in words, the step of the best weights, and seconds until all was measured."""

    seed: int
    before: float
    after: float
    ranked_before: str
    ranked_after: str
    heldout: int
    steps: int
    seconds: float

    def format(self) -> str:
        """Return the table's row."""
        change = self.after / self.before - 1
        return (
            f"| {self.seed} | {self.heldout} | {self.before:.2f} | {self.after:.2f} | {change:+.1%} "
            f"| {self.ranked_before} | {self.ranked_after} | {self.steps} | {self.seconds:.0f} s |"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run every seed and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=str(ROOT / "resources" / "samples"))
    parser.add_argument("--base", default=str(ROOT / "resources" / "starter"))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--minutes", type=float)
    options = parser.parse_args(arguments)
    runs = []
    print("| seed | held out | perplexity before | after | change | own prompt found before | after | steps | time |")
    print("|---|---|---|---|---|---|---|---|---|")
    for seed in options.seeds:
        runs.append(tune(options.base, options.data, seed, options.minutes))
        print(runs[-1].format(), flush=True)
    change = statistics.median(run.after / run.before - 1 for run in runs)
    print(f"\nMedian change of perplexity: {change:+.1%}.")
    return 0


def tune(base: str, data: str, seed: int, minutes: float | None) -> Run:
    """Carry out one run as far as its last measurement."""
    with tempfile.TemporaryDirectory() as place:
        folder, began = Path(place), time.monotonic()
        request = Request(
            run_id=f"seed-{seed}",
            base=base,
            data=(data,),
            name="bench",
            bundle=str(folder / "bundle"),
            minutes=minutes,
            seed=seed,
            portable=False,
            settings={"sample_stories": 0, "samples_during": 0},
        )
        (folder / "request.json").write_text(encode_request(request), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "trainer", "tune", str(folder), "--detached"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        events: list[dict[str, Any]] = []
        for line in process.stdout:
            events.append(json.loads(line))
            if events[-1]["kind"] == "stage_entered" and events[-1]["stage"] == _LAST:
                process.kill()
        process.wait()
        return _read(events, seed, time.monotonic() - began)


def _read(events: Sequence[dict[str, Any]], seed: int, seconds: float) -> Run:
    measured = {event["moment"]: event for event in events if event["kind"] == "heldout_measured"}
    ranked = {event["moment"]: _say(event) for event in events if event["kind"] == "prompts_ranked"}
    corpus = next(event for event in events if event["kind"] == "corpus_prepared")
    return Run(
        seed,
        measured["before"]["perplexity"],
        measured["after"]["perplexity"],
        ranked.get("before", "-"),
        ranked.get("after", "-"),
        corpus["heldout_documents"],
        measured["after"]["step"],
        seconds,
    )


def _say(event: dict[str, Any]) -> str:
    low, high = event["low"], event["high"]
    return f"{event['accuracy']:.0%} ({low:.0%} to {high:.0%}) of {event['stories']}, among {event['choices']}"


if __name__ == "__main__":
    sys.exit(main())

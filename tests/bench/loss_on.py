"""Measure whether learning from the story alone or from prompt and story predicts held-out stories better.

Run from the repository: ``python -m tests.bench.loss_on [--seeds 1 2 3] [--base resources/starter] [--at-once 1]``.
Each run is a real trainer process; the split changes with the seed. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from trainer.protocol.codec import encode_request
from trainer.protocol.messages import Request

ROOT = Path(__file__).parents[2]


def measure(base: Path, loss_on: str, seed: int, epochs: int) -> tuple[float, float, int]:
    """Return held-out story perplexity before and after, and the best step."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        request = Request(
            run_id=f"{loss_on}-{seed}",
            base=str(base),
            data=(str(ROOT / "resources" / "samples"),),
            name="bench",
            bundle=str(folder / "bundle"),
            seed=seed,
            portable=False,
            settings={"loss_on": loss_on, "sample_stories": 0, "epochs": epochs, "checkpoint_seconds": 3600},
        )
        (folder / "request.json").write_text(encode_request(request), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "trainer", "tune", str(folder), "--detached"],
            cwd=ROOT,
            env={**os.environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        events = [json.loads(line) for line in done.stdout.splitlines()]
        completed = next(event for event in events if event["kind"] == "run_completed")
        return completed["perplexity_before"], completed["perplexity_after"], completed["steps"]


def main() -> None:
    """Run all pairs and print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--base", type=Path, default=ROOT / "resources" / "starter")
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=1)
    options = parser.parse_args()
    pairs = [(loss_on, seed) for seed in options.seeds for loss_on in ("all", "story")]
    with ThreadPoolExecutor(options.at_once) as pool:
        jobs = {
            (loss_on, seed): pool.submit(measure, options.base, loss_on, seed, options.epochs)
            for loss_on, seed in pairs
        }
        results = {pair: job.result() for pair, job in jobs.items()}
    print("| seed | before | all | story | best step, all / story |\n|---|---|---|---|---|")
    for seed in options.seeds:
        both, story = results["all", seed], results["story", seed]
        print(f"| {seed} | {both[0]:.2f} | {both[1]:.2f} | {story[1]:.2f} | {both[2]} / {story[2]} |")
    means = [statistics.fmean(results[loss_on, seed][1] for seed in options.seeds) for loss_on in ("all", "story")]
    print(f"| mean | | {means[0]:.2f} | {means[1]:.2f} | |")


if __name__ == "__main__":
    main()

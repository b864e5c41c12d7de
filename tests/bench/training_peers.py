"""Tune beside transformers' packed recipe and a nanoGPT-style loop: ``python -m tests.bench.training_peers``.

Everybody learns from the same stories for the same seconds, in a process of its own, in turn, round after round, so
that a busy minute hits all alike; figures are medians over the rounds, ratios are medians of each round's own ratio.
Ours is the real ``storydesk-train tune``, checkpoints and measurements included; the peers only train. Tokens are those
of the text: padding doesn't count. Held-out loss is the same measure for all, on the same stories, over all that a
contender had learnt when its time was up. ``--model 124M`` has random weights and shows speed and memory alone.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.bench.prepare import prepare
from tests.bench.training_contenders import PEERS, count_text_share
from trainer.protocol.codec import encode_request
from trainer.protocol.messages import Request

ROOT = Path(__file__).resolve().parents[2]
OURS = "storydesk-train tune"
_POLL_SECONDS = 0.1
_SEED = 7


def main(arguments: Sequence[str] | None = None) -> int:
    """Run all contenders and print the table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="starter", choices=("starter", "124M"))
    parser.add_argument("--data", default=str(ROOT / "resources" / "samples"), help="stories to learn from")
    parser.add_argument("--seconds", type=float, default=120, help="how long each may train")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=[OURS, *PEERS], metavar="NAME")
    parser.add_argument("--peer-rate", type=float, default=0.0, help="the peers' learning rate; 0: their own default")
    parser.add_argument("--models", type=Path, default=Path(tempfile.gettempdir()) / "storydesk-bench")
    options = parser.parse_args(arguments)
    base = prepare(options.models, options.model, peers=False) / "weights"
    rounds: list[dict[str, dict[str, float]]] = []
    for number in range(options.rounds):
        figures: dict[str, dict[str, float]] = {}
        for name in options.only:
            figures[name] = run_contender(name, base, options.data, options.seconds, options.peer_rate)
            said = ", ".join(f"{key} {value:.4g}" for key, value in figures[name].items())
            print(f"round {number + 1}: {name}: {said}", file=sys.stderr, flush=True)
        rounds.append(figures)
    print("\n".join(format_table(rounds)))
    return 0


def run_contender(name: str, base: Path, data: str, seconds: float, peer_rate: float) -> dict[str, float]:
    """Return ``tokens_per_second``, ``memory`` (bytes at the most while training), ``before`` and ``after`` (nats)."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        request = Request(
            run_id="bench",
            base=str(base),
            data=(data,),
            name="bench",
            bundle=str(folder / "bundle"),
            minutes=seconds / 60,
            seed=_SEED,
            portable=False,
            settings={"sample_stories": 0, "epochs": 200, "patience": 1000},
        )
        (folder / "request.json").write_text(encode_request(request), encoding="utf-8")
        if name == OURS:
            # What comes after tuning is not compared; the run is ended there.
            command = [sys.executable, "-m", "trainer", "tune", str(folder), "--detached"]
            return _read_ours(_Watch(command, until="measuring_after"), folder)
        command = [sys.executable, "-m", "tests.bench.training_contenders", name, str(folder), str(peer_rate)]
        return _read_peer(_Watch(command))


class _Watch:
    """Runs a process that prints JSON lines, and notes the memory it held while it trained."""

    def __init__(self, command: Sequence[str], until: str = "") -> None:
        self.events: list[dict[str, Any]] = []
        self.memory = 0
        self._training = False
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        sampler = threading.Thread(target=self._sample, args=(process,))
        sampler.start()
        assert process.stdout is not None
        for line in process.stdout:
            if not line.startswith('{"'):
                continue  # Trainer prints a summary of its own
            event = json.loads(line)
            self.events.append(event)
            if event["kind"] == "stage_entered":
                self._training = event["stage"] == "tuning"
            if event["kind"] == "heldout_measured" and event["moment"] == "after" and until:
                process.kill()
        process.wait()
        sampler.join()

    def _sample(self, process: subprocess.Popen[str]) -> None:
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            time.sleep(_POLL_SECONDS)
            if self._training:
                try:
                    lines = status.read_text(encoding="ascii").splitlines()
                except OSError:
                    continue
                held = next((line for line in lines if line.startswith("VmRSS")), "VmRSS: 0 kB")
                self.memory = max(self.memory, int(held.split()[1]) * 1024)


def _read_ours(watch: _Watch, folder: Path) -> dict[str, float]:
    speeds = [event["tokens_per_second"] for event in watch.events if event["kind"] == "step_taken"]
    nats = {e["moment"]: e["nats_per_token"] for e in watch.events if e["kind"] == "heldout_measured"}
    during = [event for event in watch.events if event["kind"] == "heldout_measured" and event["moment"] == "during"]
    return {
        "tokens_per_second": statistics.median(speeds) * count_text_share(folder),
        "memory": float(watch.memory),
        "before": nats["before"],
        "after": nats["after"],
        "last": during[-1]["nats_per_token"],
    }


def _read_peer(watch: _Watch) -> dict[str, float]:
    found = next(event for event in watch.events if event["kind"] == "figures")
    return {key: float(value) for key, value in found.items() if key != "kind"} | {"memory": float(watch.memory)}


def format_table(rounds: Sequence[dict[str, dict[str, float]]]) -> list[str]:
    """Return the table's lines: medians, and in how many times the speed ours is that fast, round by round."""
    lines = [
        "| contender | tokens a second | ours is | memory | held-out nats before | after |",
        "|---|---|---|---|---|---|",
    ]
    for name in rounds[0]:
        middle = {key: statistics.median(each[name][key] for each in rounds) for key in rounds[0][name]}
        ratio = "-"
        if name != OURS and OURS in rounds[0]:
            each_round = [figures[OURS]["tokens_per_second"] / figures[name]["tokens_per_second"] for figures in rounds]
            ratio = f"{statistics.median(each_round):.2f}x"
        lines.append(
            f"| {name} | {middle['tokens_per_second']:.0f} | {ratio} | {middle['memory'] / 1e6:.0f} MB "
            f"| {middle['before']:.4f} | {middle['after']:.4f} |"
        )
    return lines


if __name__ == "__main__":
    sys.exit(main())

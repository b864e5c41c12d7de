"""A pretraining beside an earlier one at equal tokens: ``python -m tests.bench.pretraining_curve RUN LOG``.

RUN is a folder that ``storydesk-train pretrain`` works in. LOG is the journal of another run, or a log with lines like
``20 0.25M loss 7.435``. Both losses are means over the steps around each mark, since single batches differ by a tenth
of a nat.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from statistics import fmean

_LINE = re.compile(r"^(\d+) [\d.]+M loss ([\d.]+)")
_EVERY = 100
_AROUND = 50


def read_losses(path: Path) -> dict[int, float]:
    """Return the loss by step of a journal or a log."""
    losses: dict[int, float] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("{"):
            event = json.loads(line)
            if event.get("kind") == "step_taken":
                losses[int(event["step"])] = float(event["loss"])
        elif match := _LINE.match(line):
            losses[int(match.group(1))] = float(match.group(2))
    return losses


def compare(ours: dict[int, float], theirs: dict[int, float]) -> list[tuple[int, float, float]]:
    """Return (step, ours, theirs) at each mark that both have reached, of the steps that both have around it."""
    rows = []
    for mark in range(_EVERY, max(ours, default=0) + 1, _EVERY):
        near = [step for step in theirs if abs(step - mark) <= _AROUND and step in ours]
        if len(near) >= 3:
            around = [step for step in ours if min(near) <= step <= max(near)]
            rows.append((mark, fmean(ours[step] for step in around), fmean(theirs[step] for step in near)))
    return rows


def main() -> None:
    """Print the table."""
    run, log = Path(sys.argv[1]), Path(sys.argv[2])
    print("| steps | nats per token, this run | the other | difference |\n|---:|---:|---:|---:|")
    for step, ours, theirs in compare(read_losses(run / "events.jsonl"), read_losses(log)):
        print(f"| {step} | {ours:.3f} | {theirs:.3f} | {ours - theirs:+.3f} |")


if __name__ == "__main__":
    main()

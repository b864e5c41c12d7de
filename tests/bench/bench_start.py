"""Measure the time from asking for the program to an editable window on the screen.

    python -m tests.bench.bench_start [--runs 10] [--words 2000]

Prints each run and the median, in milliseconds; the library holds one story of so many words.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from storydesk.bootstrap import build_desk
from storydesk.ui.program import MEASURE_VARIABLE

ROOT = Path(__file__).resolve().parents[2]
_SENTENCE = "She had walked this beach every morning for eleven years. "


def main() -> None:
    """Start the program some times and print how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--words", type=int, default=2000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        desk = build_desk(Path(home))
        text = "\n\n".join(_SENTENCE * 8 for _paragraph in range(max(1, given.words // 80)))
        desk.manuscripts.add_story("The Salt Road", "A door on the beach", text)
        desk.close()
        environment = {"QT_QPA_PLATFORM": "offscreen", **os.environ, "STORYDESK_HOME": home}
        # As after any first start: the compiled modules are kept, wherever this machine may forbid it.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        environment["PYTHONPYCACHEPREFIX"] = str(Path(home) / "compiled")
        start_once(environment)
        times = [start_once(environment) for _run in range(given.runs)]
    print(" ".join(f"{milliseconds:.0f}" for milliseconds in times))
    print(f"median {statistics.median(times):.0f} ms of {len(times)}")


def start_once(environment: dict[str, str]) -> float:
    """Return the milliseconds of one start."""
    answer = subprocess.run(
        [sys.executable, "-m", "storydesk"],
        env={**environment, MEASURE_VARIABLE: str(time.time())},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(answer.stdout.split()[-1])


if __name__ == "__main__":
    main()

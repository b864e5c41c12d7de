"""Kill the real program with SIGKILL while a robot types into it; see what is lost and whether the library is whole.

    python -m tests.bench.kill_typing [--runs 200] [--words 0] [--seed 1] [--keep FILE]

Each run starts the program on a library of its own, types a known text at uneven speed (up to 30 keys a second, with
pauses and bursts), and kills it at a random moment. ``lost`` is the age of the oldest keystroke that is not in the
library afterwards. ``--words`` puts a draft of that length on the page first. ``--keep`` adds each outcome to a file
and reports on all that are in it, so that a series can be gone on with.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from storydesk.storage.backup_shelf import SqliteBackups
from storydesk.storage.home import Home
from storydesk.storage.library import SqliteLibrary

ROOT = Path(__file__).resolve().parents[2]
TYPED = "the bell rang twice before the fog came in, and nobody in the long house had any oil to spare.\n"
PROMISED_MILLISECONDS = 1000.0
SHORTEST, LONGEST = 0.1, 4.0

ROBOT = """
import random, sys, time
from pathlib import Path
from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from storydesk.bootstrap import build_desk, find_resources
from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.main_window import MainWindow
words, seed = sys.argv[2], int(sys.argv[3])
app = QApplication([])
phrases = Phrases(Phrasebook(find_resources() / "i18n" / "en.toml"))
window = MainWindow(Workroom(build_desk(Path(sys.argv[1]))), NoticeBus(), phrases)
window.begin()
window.resize(1280, 800)
window.show()
window.page.moveCursor(window.page.textCursor().MoveOperation.End)
hand = random.Random(seed)
typed = 0
timer = QTimer(singleShot=True)
def type_on():
    global typed
    key = words[typed % len(words)]
    typed += 1
    print(f"{time.time()} {typed}", flush=True)  # said before the key, so that nothing is forgotten
    if key == "\\n":
        window.page.insert(key)
    else:
        QTest.keyClicks(window.page, key)
    rest = 900 if hand.random() < 0.01 else 250 if hand.random() < 0.04 else 50
    timer.start(hand.choice((5, 33, 33, 40, 60, 60, 90, rest)))
timer.timeout.connect(type_on)
timer.start(0)
app.exec()
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one kill has cost: milliseconds and characters of typing, and whether the library was damaged."""

    milliseconds: float
    characters: int
    typed: int
    damaged: bool


def kill_once(wait: float, seed: int, before: str) -> Outcome:
    """Start the program, kill it ``wait`` seconds after its first key, and compare."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        library = SqliteLibrary(Home(home).library)
        library.add_story("The Salt Road", "", before)
        library.close()
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": str(ROOT)}
        robot = subprocess.Popen(
            [sys.executable, "-c", ROBOT, folder, TYPED, str(seed)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert robot.stdout is not None
        lines = [robot.stdout.readline()]
        if not lines[0]:
            raise RuntimeError("the program did not start")
        time.sleep(wait)
        robot.kill()
        killed = time.time()
        lines += robot.stdout.readlines()
        robot.wait()
        times = [float(line.split()[0]) for line in lines if line.endswith("\n")]
        return compare(home, before, times, killed)


def compare(home: Path, before: str, times: Sequence[float], killed: float) -> Outcome:
    """Open the library as the next start does and say what is missing of what was typed at ``times``."""
    everything = before + TYPED * (len(times) // len(TYPED) + 2)
    try:
        library = SqliteLibrary(Home(home).library)
        kept = library.list_drafts(library.list_stories()[0].id)[0].text
        whole = not SqliteBackups(library).check_library() and everything.startswith(kept) and not library.read_only
        library.close()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what this looks for
        print(f"damaged: {error}", file=sys.stderr)
        return Outcome(float("inf"), len(times), len(times), damaged=True)
    saved = max(0, len(kept) - len(before))
    lost = max(0, len(times) - saved)
    return Outcome((killed - times[saved]) * 1000 if lost else 0.0, lost, len(times), damaged=not whole)


def main() -> int:
    """Kill as often as asked and print a table; 1 where more was lost than is promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--words", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    moments = random.Random(given.seed)
    before = "A line of ten words to stand before what is typed.\n" * (given.words // 11)
    outcomes: list[Outcome] = []
    began = time.monotonic()
    for number in range(given.runs):
        outcomes.append(kill_once(moments.uniform(SHORTEST, LONGEST), given.seed * 1000 + number, before))
        if given.keep is not None:
            with given.keep.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(outcomes[-1])) + "\n")
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {given.runs}", end="", file=sys.stderr)
    if given.keep is not None:
        lines = given.keep.read_text(encoding="utf-8").splitlines()
        outcomes = [Outcome(**json.loads(line)) for line in lines]
    return report(outcomes, given.words, time.monotonic() - began)


def report(outcomes: Sequence[Outcome], words: int, seconds: float) -> int:
    """Print what was found."""
    lost = sorted(outcome.milliseconds for outcome in outcomes)
    damaged = sum(outcome.damaged for outcome in outcomes)
    rows = (
        ("runs", f"{len(outcomes)}"),
        ("words on the page before", f"{words:,}"),
        ("keys typed in all", f"{sum(outcome.typed for outcome in outcomes):,}"),
        ("lost, median", f"{statistics.median(lost):.0f} ms"),
        ("lost, 95th percentile", f"{lost[int(len(lost) * 0.95)]:.0f} ms"),
        ("lost, worst", f"{lost[-1]:.0f} ms, {max(outcome.characters for outcome in outcomes)} characters"),
        (f"lost more than {PROMISED_MILLISECONDS:.0f} ms", str(sum(each > PROMISED_MILLISECONDS for each in lost))),
        ("libraries damaged", str(damaged)),
        ("took", f"{seconds:.0f} s"),
    )
    for name, value in rows:
        print(f"| {name:<26} | {value:>24} |")
    return int(damaged > 0 or lost[-1] > PROMISED_MILLISECONDS)


if __name__ == "__main__":
    sys.exit(main())

"""``storydesk demo``: the whole path on our own samples, with a report."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import add_json_option, decimal_number
from storydesk.cli.console import Console
from storydesk.cli.demo_report import make_markdown, make_record
from storydesk.cli.runs import RunView, tell_interrupted, wait_for_run
from storydesk.domain.tuning import RunState
from storydesk.services.atomic_file import make_folder, write_atomically
from storydesk.services.demonstration import Demonstration, DemoReport
from storydesk.services.desk import Desk
from storydesk.services.ports import TuningRun

DEFAULT_FOLDER = "storydesk-demo"
_STEPS = {
    "writing": "Writing a story with the tuned model",
    "polishing": "Polishing it",
    "scoring": "Scoring it",
    "exporting": "Saving the documents",
}


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "demo",
        help="tune the starter on the samples, write, polish, score and export a story",
        description="Tune the starter on the samples, write a story with it, polish, score and export it.",
    )
    parser.add_argument(
        "--out", type=Path, default=Path(DEFAULT_FOLDER), metavar="DIR", help=f"where the files go ({DEFAULT_FOLDER})"
    )
    parser.add_argument(
        "--minutes",
        type=decimal_number("--minutes", 0.0, 600.0, above=True),
        default=3.0,
        metavar="M",
        help="how long the tuning itself may take (3)",
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Run the demonstration and tell about it."""
    # First of all, so that a folder that can't be written to is found out in no time.
    out = make_folder(choose_folder(arguments.out))
    demonstration = Demonstration(desk)
    interrupted = False
    with console.progress("Reading the samples") as report:
        view = RunView(console, report)

        def wait(tuning_run: TuningRun) -> RunState:
            nonlocal interrupted
            state, interrupted = wait_for_run(tuning_run, console, view.show)
            return state

        def step(name: str) -> None:
            report(_STEPS[name], 0, 0)
            if not console.lively and not console.as_json:
                console.note(f"{_STEPS[name]} ...")

        folder = demonstration.prepare(arguments.minutes)
        outcome = demonstration.run(folder, out, wait, step)
    if isinstance(outcome, RunState):
        out.rmdir()
        return tell_interrupted(outcome, folder, console, code=130 if interrupted else 1)
    _save(outcome, out, console)
    return 0


def choose_folder(wanted: Path) -> Path:
    """Return ``wanted``, or the same with a number behind it where something is in the way."""
    number = 1
    folder = wanted
    while folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def _save(report: DemoReport, out: Path, console: Console) -> None:
    files = [*report.files, out / "report.md", out / "report.json"]
    record = make_record(report, files, [console.describe(notice) for notice in report.notices])
    markdown = make_markdown(record)
    write_atomically(out / "report.json", (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode())
    write_atomically(out / "report.md", markdown.encode())
    console.give(record)
    console.say(markdown.rstrip("\n"))

"""``storydesk judge``: what models write, measured beside each other and beside what people wrote."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from storydesk.cli.arguments import MAXIMUM_SEED, add_json_option, whole_number
from storydesk.cli.console import Console, Report
from storydesk.cli.judge_jobs import list_jobs, move_job
from storydesk.cli.judge_table import make_record, make_tables
from storydesk.cli.runs import INTERRUPTED, describe_time, wait_for_run
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.judgement import MOST_SETTINGS, JudgePlan, JudgeState, Settings, spread_grid
from storydesk.domain.tuning import RunStatus
from storydesk.services.desk import Desk
from storydesk.services.judge_job import collect_ratings
from storydesk.services.judge_job_ports import JudgeRun
from storydesk.services.judge_prompts import find_prompts

_WORK = {
    "": "Starting the trainer",
    "predicting": "Reading stories of people",
    "writing": "Writing",
    "reading": "Reading what was written",
    "reporting": "Writing the report",
}


def add_parser(subparsers: Any) -> None:
    """Add the command to the table of commands."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "judge",
        help="judge what models write",
        description="Let models write on the same prompts and measure what they write, beside each other and beside "
        "what people wrote. Stopped or broken off, it goes on with --resume.",
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", help="models on the shelf (the one in use if left out)")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--prompts",
        metavar="FILE",
        help="prompts, a line each (txt), or with stories on them (csv, tsv, jsonl, json, Prompt: and Story:)",
    )
    what.add_argument("--samples", action="store_true", help="judge on Storydesk's own sample stories")
    what.add_argument("--resume", metavar="JOB", help="go on with a job that was broken off; `list` shows them")
    what.add_argument("--list", action="store_true", help="list the judgings so far")
    what.add_argument("--discard", metavar="JOB", help="put a judging into the trash for 30 days")
    what.add_argument("--restore", metavar="JOB", help="take a judging out of the trash")
    parser.add_argument(
        "--limit", type=whole_number("--limit", 1, 2000), default=0, metavar="N", help="take at most so many prompts"
    )
    parser.add_argument(
        "--stories",
        type=whole_number("--stories", 1, 100),
        default=1,
        metavar="N",
        help="stories that each model writes on each prompt (1)",
    )
    parser.add_argument(
        "--tokens", type=whole_number("--tokens", 8, 4096), default=300, metavar="N", help="a story's longest (300)"
    )
    parser.add_argument(
        "--settings",
        action="append",
        default=[],
        metavar="NAME=VALUE,...",
        help="settings to write with, such as temperature=0.9,top_p=0.95; several to compare them",
    )
    parser.add_argument(
        "--sweep",
        action="append",
        default=[],
        metavar="NAME=V,V,...",
        help="try several values of a setting, such as temperature=0.7,0.9,1.1; several make a grid",
    )
    parser.add_argument("--reader", default="", metavar="MODEL", help="the model that reads the stories (the first)")
    parser.add_argument("--metrics", default="", metavar="NAME,...", help="measure these only")
    parser.add_argument(
        "--ratings",
        action="store_true",
        help="compare with the ratings that were collected so far; with --resume, also for a job that is finished",
    )
    parser.add_argument("--out", metavar="DIR", help="the folder for the report")
    parser.add_argument("--seed", type=whole_number("--seed", 0, MAXIMUM_SEED), default=7, metavar="S", help="(7)")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace, desk: Desk, console: Console) -> int:
    """Judge, or go on judging, and show the figures."""
    jobs = desk.judge_jobs
    if arguments.list or arguments.resume == "list":
        return list_jobs(jobs, console, only_unfinished=not arguments.list)
    if arguments.discard or arguments.restore:
        return move_job(arguments.discard, arguments.restore, jobs, console)
    folder = jobs.find_job(arguments.resume) if arguments.resume else jobs.prepare(_make_plan(arguments, desk))
    with console.progress(_WORK[""]) as report:
        view = _JobView(console, report)
        state, interrupted = wait_for_run(
            _start(arguments, folder, desk), console, view.show, "Stopping. What is done is kept."
        )
    if state.status is RunStatus.STOPPED or (interrupted and state.report is None):
        return _tell_stopped(state, console)
    found = jobs.read_report(state)
    console.give(make_record(found, state))
    console.say(make_tables(found))
    console.say(f"Report: {found.page}")
    return 0


def _start(arguments: argparse.Namespace, folder: Path, desk: Desk) -> JudgeRun:
    """Start a job; one that was there before is held against the ratings of now, if asked."""
    if arguments.resume and arguments.ratings:
        return desk.judge_jobs.start_again(folder.name, collect_ratings(desk.judging))
    return desk.judge_jobs.start(folder)


def read_choice(text: str) -> Settings:
    """Return ``temperature=0.9,top_p=0.95`` as settings; raise StorydeskError(BAD_ARGUMENT)."""
    found: dict[str, float] = {}
    for part in text.split(","):
        name, values = _read_values("--settings", part)
        found[name] = values[0]
    return found


def read_sweep(items: list[str]) -> tuple[Settings, ...]:
    """Return the grid of ``NAME=V,V`` items; raise StorydeskError(BAD_ARGUMENT)."""
    choices: dict[str, list[float]] = {}
    for item in items:
        name, values = _read_values("--sweep", item)
        choices[name] = list(dict.fromkeys(values))
    return spread_grid(choices)


def _read_values(option: str, text: str) -> tuple[str, list[float]]:
    name, equals, values = text.partition("=")
    try:
        numbers = [float(value) for value in values.split(",")]
    except ValueError:
        numbers = []
    if not equals or not name.strip() or not numbers:
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name=option, value=text or "empty", expected="NAME=NUMBER")
    return name.strip().replace("-", "_"), numbers


def _make_plan(arguments: argparse.Namespace, desk: Desk) -> JudgePlan:
    choices = [read_choice(text) for text in arguments.settings] or [{}]
    settings = tuple({**choice, **more} for choice in choices for more in read_sweep(arguments.sweep))
    if len(settings) > MOST_SETTINGS:
        expected = f"{MOST_SETTINGS} choices of settings at most"
        raise StorydeskError(FailureCode.BAD_ARGUMENT, name="--sweep", value=f"{len(settings)}", expected=expected)
    pairs, data = _find_prompts(arguments, desk)
    return JudgePlan(
        models=tuple(arguments.models) or (desk.models.active,),
        pairs=pairs,
        data=data,
        prompts=arguments.limit,
        stories=arguments.stories,
        tokens=arguments.tokens,
        settings=settings,
        reader=arguments.reader,
        metrics=tuple(name.strip() for name in arguments.metrics.split(",") if name.strip()),
        ratings=collect_ratings(desk.judging) if arguments.ratings else {},
        out=Path(arguments.out) if arguments.out else None,
        seed=arguments.seed,
    )


def _find_prompts(arguments: argparse.Namespace, desk: Desk) -> tuple[tuple[tuple[str, str], ...], tuple[Path, ...]]:
    """Return prompts that stand in a file by themselves, or the file that has stories on them."""
    if arguments.samples:
        return (), (desk.samples,)
    return find_prompts(Path(arguments.prompts))


class _JobView:
    """Shows the states of a job as they come; belongs to the main thread."""

    def __init__(self, console: Console, report: Report) -> None:
        self._console = console
        self._report = report
        self._notices = 0
        self._shown = ""

    def show(self, state: JudgeState) -> None:
        """Show what changed."""
        for notice in state.notices[self._notices :]:
            self._console.note_failure(notice)
        self._notices = len(state.notices)
        words = " ".join(
            part for part in (_WORK.get(state.work, state.work), state.model and f"({state.model})") if part
        )
        left = f", {describe_time(state.seconds_left)} left" if state.seconds_left > 0 else ""
        self._report(f"{words}{left}", state.done, state.total)
        if words != self._shown and not self._console.lively and not self._console.as_json:
            self._console.note(f"{words} ...")
        self._shown = words


def _tell_stopped(state: JudgeState, console: Console) -> int:
    console.give({"error": console.describe(Failure(FailureCode.CANCELLED)), "job": state.folder.name})
    done = f"{state.done} of {state.total} done"
    console.note(f"Stopped, as you asked ({done}). `storydesk judge --resume {state.folder.name}` goes on.")
    return INTERRUPTED

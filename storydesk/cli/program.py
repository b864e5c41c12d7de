"""The command line as a whole: arguments to exit code, and every way out in words."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NoReturn

from storydesk.cli import data, demo, export, improve, judge, models, polish, ratings, score, tune, write
from storydesk.cli.arguments import ArgumentParser, UsageError
from storydesk.cli.console import Console
from storydesk.cli.phrases import as_failure, open_phrasebook
from storydesk.domain.failures import Failure, FailureCode
from storydesk.services.desk import Desk

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
TRACEBACK_VARIABLE = "STORYDESK_TRACEBACK"
"""Set to 1, the traceback of what nobody expected is shown before its sentence."""

OpenDesk = Callable[[Callable[[Failure], None]], Desk]
"""Builds the desk; its argument hears what ends nothing, such as a GPU that can't be used."""

COMMANDS = ("write", "score", "polish", "export", "judge", "models", "data", "tune", "ratings", "improve", "demo")


class _VersionAction(argparse.Action):
    """Looks the version up when it is asked for: reading metadata takes longer than parsing arguments."""

    def __call__(self, parser: argparse.ArgumentParser, *_rest: object) -> NoReturn:
        from importlib.metadata import PackageNotFoundError, version

        try:
            number = version("storydesk")
        except PackageNotFoundError:
            number = "(not installed)"
        sys.stdout.write(f"storydesk {number}\n")
        parser.exit()


def build_parser() -> ArgumentParser:
    """Return the parser with every command."""
    parser = ArgumentParser(
        prog="storydesk",
        description="A desktop writing assistant that knows your own voice. Without a command its window opens.",
        epilog="STORYDESK_HOME moves all its data. `storydesk COMMAND --help` explains a command.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_VersionAction, nargs=0, help="print the version and leave")
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True, dest="command")
    for command in (write, score, polish, export, judge, models, data, tune, ratings, improve, demo):
        command.add_parser(subparsers)
    return parser


def run_command(arguments: Sequence[str], open_desk: OpenDesk, resources: Path) -> int:
    """Run one command and return its exit code: 0 done, 1 failed in words, 2 not understood, 130 interrupted."""
    console = Console(open_phrasebook(resources), as_json="--json" in arguments)
    if os.environ.get(TRACEBACK_VARIABLE) != "1":
        # What rooms log is for whoever looks for a fault; the user gets sentences.
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        with _gentle_termination():
            parsed = build_parser().parse_args(arguments)
            return _run(parsed, open_desk, console)
    except UsageError as error:
        console.give({"error": {"code": "usage", "sentence": error.sentence, "remedy": error.remedy}})
        console.note(f"{error.sentence} {error.remedy}")
        return USAGE
    except KeyboardInterrupt:
        console.give({"error": console.describe(Failure(FailureCode.CANCELLED))})
        console.note("\nStopped, as you asked.")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough. The interpreter would complain once more at its end.
        _discard_stdout()
        return FAILED
    except Exception as error:  # noqa: BLE001 - the user gets a sentence whatever happens
        return _fail(error, console)


def _run(parsed: argparse.Namespace, open_desk: OpenDesk, console: Console) -> int:
    desk = open_desk(console.note_failure)
    try:
        code: int = parsed.run(parsed, desk, console)
    finally:
        desk.close()
    sys.stdout.flush()
    return code


def _fail(error: Exception, console: Console) -> int:
    failure = as_failure(error)
    if failure.code == FailureCode.UNEXPECTED and os.environ.get(TRACEBACK_VARIABLE) == "1":
        traceback.print_exception(error)
    try:
        console.fail(failure)
    except BrokenPipeError:
        _discard_stdout()
    return USAGE if failure.code == FailureCode.BAD_ARGUMENT else FAILED


def _discard_stdout() -> None:
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _gentle_termination() -> Iterator[None]:
    """End as after Ctrl+C when the system asks us to: children are stopped and files closed on the way out."""

    def stop(_signal: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)

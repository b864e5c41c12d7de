#!/usr/bin/env python3
"""Sets Storydesk up in this folder and starts it. The standard library alone, CPython 3.11 to 3.13."""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

if sys.version_info < (3, 9):  # noqa: UP036 - the parts below can't even be read by these, which should be told why
    sys.exit("Storydesk runs on CPython 3.11, 3.12 or 3.13. Install one of them and start with that.")

from obstacles import SetupError, disk_full
from preparation import Place, Setup, Wanted
from running import Environment, Runner, Voice, clean_environment

ROOT = Path(__file__).resolve().parent.parent


def has_display(env: Environment) -> bool:
    """Return whether a window can be opened; on Linux a display server says so in the environment."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return not sys.platform.startswith("linux") or any(env.get(name) for name in names)


def run_checks(place: Place, runner: Runner, voice: Voice, pytest_arguments: Sequence[str]) -> int:
    """Run every check, the tests last so that their closing line is the last one; return 1 if any failed."""
    checks = {
        "ruff check": [place.program("ruff"), "check", "."],
        "ruff format": [place.program("ruff"), "format", "--check", "."],
        "mypy": [place.program("mypy")],
        "import contracts": [place.program("lint-imports")],
    }
    env = clean_environment()
    failed = []
    for name, command in checks.items():
        voice.say(f"--- {name}")
        if runner.call(command, env):
            failed.append(name)
    voice.say("--- " + (f"FAILED: {', '.join(failed)} (see above)" if failed else "all good; now the tests"))
    code = runner.call([place.program("python"), "-m", "pytest", *pytest_arguments], env)
    return 1 if failed else code


def parse(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Read the command line; what stands behind the command goes to the program that it starts."""
    parser = argparse.ArgumentParser(
        prog="start.py",
        description="Sets Storydesk up in this folder (once) and opens it.",
        epilog="GPU: the packages bring CUDA on Linux. On Windows the package index has torch for the processor alone, "
        "and AMD's ROCm has packages of its own: give --torch-index the address of the index that PyTorch's own "
        "'Get started' page shows for your GPU. It is remembered.",
    )
    parser.add_argument("--torch-index", metavar="URL", default="", help="install torch from this package index")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands (none: open the window)")
    for name, text in (
        ("demo", "tune, write, polish, score and export without a window; options go to storydesk demo"),
        ("test", "install the test tools and run every check; options go to pytest"),
        ("setup", "set up only, and try again what could not be fetched before"),
    ):
        commands.add_parser(name, help=text, add_help=False, prefix_chars="\0")
    options, rest = parser.parse_known_args(_before_command(arguments))
    if rest:
        parser.error(f"unknown: {' '.join(rest)}")
    if options.torch_index and not re.match(r"(https?|file)://", options.torch_index):
        parser.error("--torch-index needs a whole address that begins with https://")
    return options, list(arguments[len(_before_command(arguments)) :])


def _before_command(arguments: Sequence[str]) -> list[str]:
    """Return our own arguments: everything up to the command."""
    for index, argument in enumerate(arguments):
        if argument in ("demo", "test", "setup"):
            return list(arguments[: index + 1])
    return list(arguments)


def what_is_wanted(command: str | None, env: Environment) -> Wanted:
    """Return what set-up must see to for a command."""
    tests = command == "test"
    return Wanted(window=tests or (command != "demo" and has_display(env)), tests=tests, starter=not tests)


def launch(place: Place, runner: Runner, voice: Voice, options: argparse.Namespace, rest: Sequence[str]) -> int:
    """Start what the command line asks for and return its exit code."""
    if options.command == "test":
        return run_checks(place, runner, voice, rest)
    if options.command == "setup":
        voice.say("Storydesk is set up. To open it: python3 packaging/start.py")
        return 0
    command = [place.program("storydesk")]
    if options.command == "demo":
        command += ["demo", *rest]
    elif not has_display(os.environ):
        voice.say("There is no display here, so this runs the demonstration instead: storydesk demo")
        command += ["demo"]
    return runner.become(command, clean_environment())


def main(arguments: Sequence[str]) -> int:
    """Set up what is missing, then start; return the exit code."""
    voice = Voice()
    place = Place(ROOT)
    runner = Runner(voice, ROOT, place.log)
    options, rest = parse(arguments)
    try:
        if options.command == "setup" and not place.has_languagetool():
            place.remove_stamp("languagetool")
        setup = Setup(place, runner, voice, options.torch_index)
        setup.run(what_is_wanted(options.command, os.environ))
        return launch(place, runner, voice, options, rest)
    except SetupError as error:
        return _give_up(voice, error)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            return _give_up(voice, disk_full())
        where = error.filename or ROOT
        return _give_up(voice, SetupError(f"{where} can't be used ({error.strerror}).", "See to it, then start again."))
    except KeyboardInterrupt:
        voice.say()
        voice.say("Stopped. Run the same command again; it goes on where it stopped.")
        return 130


def _give_up(voice: Voice, error: SetupError) -> int:
    voice.say()
    voice.say(error.sentence)
    voice.say(error.remedy)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Runs the programs that do the work and shows how far they are."""

from __future__ import annotations

import contextlib
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from obstacles import SetupError

SAY_SECONDS = 30.0  # how often a step in progress says so where the output is no terminal

Digest = Callable[[str], "str | None"]
Environment = Mapping[str, str]


class Voice:
    """Says what is going on: whole lines, and on a terminal one line that changes. Main thread."""

    def __init__(self) -> None:
        """Speak to standard output, whatever it can encode."""
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(AttributeError):
                stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # only real streams have it
        self._is_terminal = sys.stdout.isatty()
        self._shown = 0
        self._last_said = time.monotonic()

    def say(self, line: str = "") -> None:
        """Print a line for good."""
        self._wipe()
        print(line, flush=True)
        self._last_said = time.monotonic()

    def show(self, line: str) -> None:
        """Show where a step stands; without a terminal only now and then."""
        if self._is_terminal:
            line = line[: max(20, shutil.get_terminal_size().columns - 1)]
            print("\r" + line.ljust(self._shown), end="", flush=True)
            self._shown = len(line)
        elif time.monotonic() - self._last_said > SAY_SECONDS:
            self.say(line)

    def _wipe(self) -> None:
        if self._shown:
            print("\r" + " " * self._shown + "\r", end="", flush=True)
            self._shown = 0


class Runner:
    """Runs the programs that do the work; their output goes to the log. Main thread."""

    def __init__(self, voice: Voice, folder: Path, log: Path) -> None:
        """Keep where to speak, to work and to write."""
        self._voice = voice
        self._folder = folder
        self.log = log

    def run(
        self, command: Sequence[str], label: str, *, digest: Digest | None = None, env: Environment | None = None
    ) -> tuple[int, str]:
        """Run a program with visible progress; return its exit code (127 where there is no such) and last lines.

        ``digest`` makes a few words of a line of its output, or None to keep the last ones.
        """
        began = time.monotonic()
        lines: queue.Queue[str | None] = queue.Queue()
        tail: list[str] = []
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ {' '.join(command)}\n")
            try:
                process = subprocess.Popen(
                    command,
                    cwd=self._folder,
                    env=env,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                )
            except OSError as error:
                log.write(f"{error}\n")
                return 127, str(error)
            threading.Thread(target=_read_lines, args=(process, lines), daemon=True).start()
            words = ""
            try:
                while (line := _next(lines)) is not None:
                    if line:
                        log.write(line)
                        tail = [*tail[-40:], line.rstrip()]
                        words = (digest(line) if digest else None) or words
                    elapsed = minutes(time.monotonic() - began)
                    self._voice.show(f"      {label}{': ' + words if words else ''} ({elapsed})")
                return process.wait(), "\n".join(tail)
            finally:
                _end(process)

    def call(self, command: Sequence[str], env: Environment) -> int:
        """Run a program in the foreground and return its exit code."""
        try:
            return subprocess.call(command, cwd=self._folder, env=env)
        except OSError as error:
            raise _not_started(command[0], error) from error

    def become(self, command: Sequence[str], env: Environment) -> int:
        """Hand the terminal over to a program for good; where that can't be done, wait for its exit code."""
        sys.stdout.flush()
        try:
            if os.name == "posix":
                os.execve(command[0], list(command), dict(env))  # noqa: S606 - no shell is what we want
            process = subprocess.Popen(command, env=env)
        except OSError as error:
            raise _not_started(command[0], error) from error
        while True:
            with contextlib.suppress(KeyboardInterrupt):  # the program got it as well and ends as it likes
                return process.wait()

    def ask(self, command: Sequence[str]) -> str:
        """Return what a program prints, empty where it fails."""
        try:
            answer = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=60)
        except (OSError, subprocess.SubprocessError):
            return ""
        return answer.stdout


def _not_started(program: str, error: OSError) -> SetupError:
    return SetupError(f"{program} can't be started ({error.strerror}).", "Delete the folder .venv, then start again.")


def _read_lines(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    if process.stdout is not None:
        for line in process.stdout:
            lines.put(line)
    lines.put(None)


def _next(lines: queue.Queue[str | None]) -> str | None:
    """Return the next line, an empty one after a second of silence, None at the end."""
    try:
        return lines.get(timeout=1)
    except queue.Empty:
        return ""


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def minutes(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


class PipDigest:
    """Makes a few words of pip's many lines."""

    def __init__(self, expected: int) -> None:
        """Know about how many packages there will be."""
        self._expected = expected
        self._seen: set[str] = set()

    def __call__(self, line: str) -> str | None:
        """Return what to show for a line, or None."""
        if match := re.match(r"\s*Collecting ([A-Za-z0-9._-]+)", line):
            self._seen.add(match[1].lower())
            return f"{min(len(self._seen), self._expected)} of about {self._expected} packages, {match[1]}"
        if match := re.match(r"\s*Downloading (\S+?)[-_]\d\S*(.*\([^)]*[kMG]B\))", line):
            return f"{len(self._seen)} of about {self._expected} packages, {match[1].split('/')[-1]}{match[2]}"
        if line.startswith("Installing collected packages"):
            return "unpacking everything"
        return None


def clean_environment() -> dict[str, str]:
    """Return this environment without what would mix other Pythons into ours."""
    strangers = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    return {**{name: value for name, value in os.environ.items() if name not in strangers}, "PYTHONUTF8": "1"}

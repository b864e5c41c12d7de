"""The trainer's process: one that was started here, or one that an earlier start of the app left at work."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import trainer.protocol
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.child_process import CREATION_FLAGS, make_environment
from storydesk.services.file_lock import FileLock
from trainer.protocol.messages import CONTROL_FILE, DETACH_LINE

LOCK_NAME = "lock"
"""The file on which the trainer holds a lock as long as it lives."""

LOG_NAME = "log.txt"
STDOUT_NAME = "stdout.log"
"""What a trainer that was started here says in its folder, to people and to programs."""

UNKNOWN_EXIT = -1
"""The exit code of a process that is somebody else's child."""


def find_trainer() -> tuple[str, ...]:
    """Return the command that is this Python's trainer."""
    return (sys.executable, "-u", "-m", "trainer")


def make_trainer_environment() -> dict[str, str]:
    """Return the environment in which a trainer finds itself, whatever folder it works in."""
    return make_environment(Path(trainer.protocol.__file__).parents[2])


def start_trainer(arguments: Sequence[str], folder: Path, said: str = STDOUT_NAME) -> ChildProcess:
    """Start a trainer in a folder that takes its words in the files ``said`` and log; raise TRAINER_NOT_STARTED."""
    try:
        with (folder / said).open("wb") as stdout, (folder / LOG_NAME).open("ab") as log:
            process = subprocess.Popen(
                arguments,
                stdin=subprocess.PIPE,
                stdout=stdout,
                stderr=log,
                cwd=folder,
                env=make_trainer_environment(),
                # Ctrl+C in a terminal is for the app, which then asks the trainer to save and end.
                start_new_session=True,
                creationflags=CREATION_FLAGS,
            )
    except (OSError, ValueError) as error:
        raise StorydeskError(FailureCode.TRAINER_NOT_STARTED, detail=str(error)) from error
    return ChildProcess(folder, process)


class ChildProcess:
    """A trainer that was started here. Its standard input is its leash: where that ends, it saves and stops."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        """Hold a process that was started with a pipe as its standard input."""
        self._folder = folder
        self._process = process

    @property
    def process_id(self) -> int:
        """Its number in this system."""
        return self._process.pid

    @property
    def is_let_go(self) -> bool:
        """Whether nothing can be said to it any more."""
        return self._process.stdin is None or self._process.stdin.closed

    def poll(self) -> int | None:
        """Return the exit code, None while it lives."""
        return self._process.poll()

    def say(self, line: str) -> None:
        """Say a line of the protocol."""
        try:
            if self._process.stdin is None:
                raise ValueError("no standard input")
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
        except (OSError, ValueError):
            write_control(self._folder, line)

    def detach(self) -> None:
        """Let it go on when this program ends."""
        self.say(DETACH_LINE)
        self.let_go()

    def end(self, grace_seconds: float) -> None:
        """End it, by force where it takes longer than some seconds."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            if sys.platform == "win32":
                self._process.kill()
            else:
                # The trainer leads a session of its own, so its workers end with it.
                with contextlib.suppress(OSError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def let_go(self) -> None:
        """Close the pipe."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()


class FoundProcess:
    """A trainer that was detached: it is known by the lock it holds and hears what stands in its control file."""

    def __init__(self, folder: Path, process_id: int) -> None:
        """Hold the trainer at work in ``folder``; ``process_id`` is what its journal says."""
        self._folder = folder
        self._process_id = process_id

    @property
    def is_let_go(self) -> bool:
        """Whether nothing can be said to it any more."""
        return not is_alive(self._folder)

    def poll(self) -> int | None:
        """Return None while it lives, then UNKNOWN_EXIT."""
        return None if is_alive(self._folder) else UNKNOWN_EXIT

    def say(self, line: str) -> None:
        """Say a line of the protocol."""
        write_control(self._folder, line)

    def detach(self) -> None:
        """Let it go on; it does so already."""

    def end(self, grace_seconds: float) -> None:
        """End it. Whoever holds the lock is the trainer, so the number is its own and not one that was given anew."""
        if self._process_id > 0 and is_alive(self._folder):
            with contextlib.suppress(OSError):
                os.kill(self._process_id, signal.SIGTERM)

    def let_go(self) -> None:
        """Do nothing: there is no pipe."""


def write_control(folder: Path, line: str) -> None:
    """Leave a line of the protocol where a trainer without a leash looks for it."""
    with contextlib.suppress(OSError):
        (folder / CONTROL_FILE).write_text(line, encoding="utf-8")


def is_alive(folder: Path) -> bool:
    """Return whether a trainer is at work in a run folder: it holds a lock there as long as it lives."""
    if not (folder / LOCK_NAME).is_file():
        return False
    lock = FileLock(folder / LOCK_NAME)
    try:
        return not lock.acquire()
    except StorydeskError:
        return False
    finally:
        lock.release()

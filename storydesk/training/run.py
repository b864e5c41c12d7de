"""One run of the trainer as the app holds it: what it says, and how it is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.tuning import RunState, RunStatus
from storydesk.training.folding import fold
from storydesk.training.journal import JournalReader
from trainer.protocol.messages import CONTROL_FILE, FINISH_LINE, STOP_LINE

LOG_NAME = "log.txt"
STDOUT_NAME = "stdout.log"
GRACE_SECONDS = 5.0


class TrainerRun:
    """Implements TuningRun over a child process. Any thread.

    The child's standard input stays open as long as this object lives: its end, whatever ends the app, stops the
    trainer. Events come from the journal alone.
    """

    def __init__(self, folder: Path, state: RunState, journal: JournalReader, process: subprocess.Popen[bytes]) -> None:
        """Follow a process that was just started; ``state`` and ``journal`` stand where an earlier one ended."""
        self._folder = folder
        self._state = state
        self._journal = journal
        self._process = process
        self._killed = False
        self._lock = threading.RLock()

    @property
    def folder(self) -> Path:
        """The run's folder with request, journal and log."""
        return self._folder

    def poll(self) -> RunState:
        """Return the state after all events so far; a process that died without a word has failed."""
        with self._lock:
            if self._state.ended and self._process.stdin is not None and self._process.stdin.closed:
                return self._state
            exit_code = self._process.poll()  # before reading: what was written until the end is then read below
            for event in self._journal.read():
                self._state = fold(self._state, event)
            if exit_code is not None:
                self._close_stdin()
                if not self._state.ended:
                    self._conclude(exit_code)
            return self._state

    def stop(self) -> None:
        """Ask the trainer to save and end."""
        self._say(STOP_LINE)

    def keep_best(self) -> None:
        """Ask the trainer to end its tuning here and to make the model of the best weights so far."""
        self._say(FINISH_LINE)

    def kill(self) -> None:
        """End it now, by force after a few seconds; the last whole checkpoint stays."""
        with self._lock:
            self._killed = True
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._end_by_force()
                self._process.wait()
        with self._lock:
            self._close_stdin()

    def _say(self, line: str) -> None:
        with self._lock:
            try:
                if self._process.stdin is None:
                    raise ValueError("no standard input")
                self._process.stdin.write(f"{line}\n".encode())
                self._process.stdin.flush()
            except (OSError, ValueError):
                with contextlib.suppress(OSError):
                    (self._folder / CONTROL_FILE).write_text(line, encoding="utf-8")

    def _conclude(self, exit_code: int) -> None:
        """Name the end of a process that wrote no final event into its journal."""
        for event in JournalReader(self._folder / STDOUT_NAME).read():
            # A journal that could not be written (no disk, no folder) leaves the last word on standard output.
            after = fold(self._state, event)
            if after.ended:
                self._state = after
                return
        if self._killed:
            self._state = replace(self._state, status=RunStatus.STOPPED)
            return
        parameters: dict[str, str | int | float | bool] = {"exit_code": exit_code, "log": str(self._folder / LOG_NAME)}
        self._state = self._state.fail(Failure(FailureCode.TRAINER_ENDED.value, parameters))

    def _close_stdin(self) -> None:
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def _end_by_force(self) -> None:
        if sys.platform == "win32":
            self._process.kill()
        else:
            # The trainer leads a session of its own, so its workers end with it.
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)

"""Requests to stop: a line on stdin, its end, a closed stdout, a signal, or a word in the control file."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import IO

from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import CONTROL_FILE, DETACH_LINE, FINISH_LINE, STOP_LINE

_LOOK_EVERY_SECONDS = 0.5


class StopRequested(BaseException):
    """Someone asked the run to end. Not an Exception, so that no library takes it for a failure and goes on."""


class Control:
    """Knows whether the run should end. Any thread may ask; stdin is read by a thread of its own."""

    def __init__(self, run_folder: Path | None = None, *, detached: bool = False) -> None:
        """Look at ``run_folder/control`` too, where a run folder is given; a request of an earlier run is void."""
        self._stop = threading.Event()
        self._finish = threading.Event()
        self._detached = detached
        self._stdout_closed = False
        self._file = run_folder / CONTROL_FILE if run_folder else None
        self._looked = 0.0
        if self._file is not None:
            with contextlib.suppress(FileNotFoundError):
                self._file.unlink()

    @property
    def is_stopping(self) -> bool:
        """Say whether the run should end; looks at the control file at most twice a second."""
        self._look()
        return self._stop.is_set()

    @property
    def is_finishing(self) -> bool:
        """Say whether the tuning should end here and its best weights become the model."""
        self._look()
        return self._finish.is_set()

    def raise_if_stopping(self) -> None:
        """Raise StopRequested where the run should end."""
        if self.is_stopping:
            raise StopRequested

    def request_stop(self) -> None:
        """Ask the run to end after its next step."""
        self._stop.set()

    def note_broken_stdout(self) -> None:
        """End the run, unless it was detached: nobody reads it any more."""
        self._stdout_closed = True
        if not self._detached:
            self._stop.set()

    def watch_stdin(self, stdin: IO[str] | None, *, until_end: bool = True) -> None:
        """Follow the lines of stdin in a daemon thread; its end stops the run where ``until_end``."""
        thread = threading.Thread(target=self._follow, args=(stdin, until_end), name="stdin", daemon=True)
        thread.start()

    def watch_signals(self) -> None:
        """Let the first interrupt or termination end the run in order, and a second one at once. Main thread only."""

        def on_signal(number: int, _frame: FrameType | None) -> None:
            self._stop.set()
            signal.signal(number, signal.SIG_DFL)

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, on_signal)

    def _look(self) -> None:
        now = time.monotonic()
        if self._file is not None and now - self._looked > _LOOK_EVERY_SECONDS:
            self._looked = now
            with contextlib.suppress(OSError, UnicodeDecodeError):
                self._hear(self._file.read_text(encoding="utf-8").strip())

    def _hear(self, word: str) -> None:
        if word == STOP_LINE:
            self._stop.set()
        elif word == FINISH_LINE:
            self._finish.set()

    def _follow(self, stdin: IO[str] | None, until_end: bool) -> None:
        try:
            for line in stdin or ():
                word = line.strip()
                self._hear(word)
                if word == DETACH_LINE:
                    self._detached = True
        except (OSError, ValueError):
            pass  # a stdin that can't be read has ended
        if until_end and not self._detached:
            self._stop.set()


def read_rank() -> int:
    """Return which process of its team this is (see ``trainer.tuning.team``); 0 where it is alone."""
    try:
        return int(os.environ.get("RANK", "0"))
    except ValueError:
        return 0


class RunLock:
    """Keeps two trainers out of one run folder; the system frees it when the process ends, however it ends."""

    def __init__(self, run_folder: Path) -> None:
        """Take the lock; raise TrainerError(RUN_IN_USE) where another trainer has it."""
        self._stream = (run_folder / "lock").open("a+b")
        try:
            _lock(self._stream.fileno())
        except OSError as error:
            self._stream.close()
            raise TrainerError(TrainerFailure.RUN_IN_USE, path=str(run_folder)) from error

    def release(self) -> None:
        """Give the folder free."""
        self._stream.close()


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        """Lock the first byte or raise OSError."""
        os.lseek(descriptor, 0, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        """Lock the file or raise OSError."""
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

"""The only writer to standard output and to the journal: one JSON event a line, the journal first."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from trainer.protocol.codec import encode_event
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import (
    CheckpointSaved,
    DatasetAdvanced,
    Event,
    JudgingAdvanced,
    MachineMeasured,
    RunStarted,
    StageEntered,
    StepTaken,
)

JOURNAL_NAME = "events.jsonl"

# These come often; losing the last of them to a power cut costs nothing, so they aren't forced to disk.
_FREQUENT = (StepTaken, StageEntered, MachineMeasured, JudgingAdvanced, DatasetAdvanced)


def take_stdout() -> BinaryIO:
    """Return the real standard output and send everything else that prints to standard error instead.

    Works below Python too: libraries written in C that print find file descriptor 1 pointing at the log.
    """
    sys.stdout.flush()
    real = os.dup(1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return os.fdopen(real, "wb", buffering=0)


class Reporter:
    """Writes events to the journal, then to stdout. Any thread may report; a lock keeps lines whole."""

    def __init__(self, stdout: BinaryIO, journal: Path | None = None) -> None:
        """Open the journal for appending, without the torn last line that a killed run leaves."""
        self._lock = threading.Lock()
        self._stdout = stdout
        self._stdout_works = True
        self._journal = None
        self._path = journal
        self.saved_step = 0
        """The step of the last whole checkpoint, as reported."""
        self.step = 0
        """The last step of the tuning, as reported."""
        self.on_broken_stdout: Callable[[], None] = lambda: None
        if journal is not None:
            with naming_a_full_disk(journal):
                drop_torn_line(journal)
                self._journal = journal.open("ab")

    def report(self, event: Event) -> None:
        """Write one event; raise TrainerError(DISK_FULL) where the journal can't take it (stdout still gets it)."""
        if isinstance(event, CheckpointSaved):
            self.saved_step = event.step
        elif isinstance(event, RunStarted):
            self.saved_step = self.step = event.resumed_step
        elif isinstance(event, StepTaken):
            self.step = event.step
        elif isinstance(event, JudgingAdvanced):
            # Every unit is on disk as soon as it is done.
            self.saved_step = event.done
        line = (encode_event(event, seconds=time.time()) + "\n").encode("utf-8", "replace")
        with self._lock:
            try:
                self._write_journal(line, durable=not isinstance(event, _FREQUENT))
            finally:
                broke = self._write_stdout(line)
        if broke:
            self.on_broken_stdout()

    def close(self) -> None:
        """Close the journal; stdout stays open for the process."""
        with self._lock:
            if self._journal is not None:
                with contextlib.suppress(OSError):
                    self._journal.close()
                self._journal = None

    def _write_journal(self, line: bytes, *, durable: bool) -> None:
        if self._journal is None or self._path is None:
            return
        with naming_a_full_disk(self._path):
            self._journal.write(line)
            self._journal.flush()
            if durable:
                os.fsync(self._journal.fileno())

    def _write_stdout(self, line: bytes) -> bool:
        """Write to stdout and return True at the moment it turns out to be closed."""
        if not self._stdout_works:
            return False
        try:
            self._stdout.write(line)
        except (OSError, ValueError):
            self._stdout_works = False
            return True
        return False


@contextlib.contextmanager
def naming_a_full_disk(path: Path) -> Iterator[None]:
    """Raise TrainerError(DISK_FULL) with the path where a write inside finds no room."""
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise TrainerError(TrainerFailure.DISK_FULL, path=str(path)) from error
        raise


_FULL_IN_WORDS = ("No space left on device", "PytorchStreamWriter failed writing", ". unexpected pos ")


def is_disk_full(error: BaseException) -> bool:
    """Say whether an exception, or what caused it, means that the disk or a quota is full."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT):
            return True
        # torch and safetensors report a failed write in words only; torch.save finds its file shorter than it wrote.
        if any(words in str(seen) for words in _FULL_IN_WORDS):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def drop_torn_line(journal: Path) -> None:
    """Cut off what follows the last line break."""
    if not journal.is_file():
        return
    with journal.open("r+b") as stream:
        content = stream.read()
        end = content.rfind(b"\n") + 1
        if end != len(content):
            stream.truncate(end)

"""Building a bundle's graphs: a job of the trainer's, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import trainer.protocol
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.child_process import CREATION_FLAGS, make_environment
from storydesk.storage.weights_folder import refuse
from trainer.protocol.codec import decode_event
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import Event, RunCompleted, RunFailed, RunStopped

Builder = Callable[[Path, Path, str, str, str], None]
"""Makes a bundle: weights folder, bundle folder (new), name, origin, licence. Raises StorydeskError."""

PROGRAM = (sys.executable, "-u", "-m", "trainer")


def build_bundle(
    weights: Path, bundle: Path, name: str, origin: str, licence: str, *, program: Sequence[str] = PROGRAM
) -> None:
    """Make a bundle with ``storydesk-train build``; blocks for seconds to minutes.

    Raises StorydeskError(MODEL_FOLDER_BAD, DISK_FULL, MEMORY_FULL ...) with what the trainer said.
    """
    command = [*program, "build", "--weights", str(weights.absolute()), "--bundle", str(bundle.absolute())]
    command += [f"--name={name}", f"--origin={origin}", f"--licence={licence}"]
    environment = make_environment(Path(trainer.protocol.__file__).parents[2])
    last: Event | None = None
    with tempfile.TemporaryFile() as log:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=bundle.absolute().parent,
                env=environment,
                text=True,
                encoding="utf-8",
                errors="replace",
                creationflags=CREATION_FLAGS,
            )
        except OSError as error:
            raise StorydeskError(FailureCode.TRAINER_NOT_STARTED, detail=str(error)) from error
        with process:
            for line in process.stdout or ():
                last = _read_end(line) or last
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - 2000))
        words = log.read().decode("utf-8", "replace").strip().splitlines()
    _conclude(last, process.returncode, words[-1] if words else "", weights)


def _read_end(line: str) -> Event | None:
    """Return the event of a line where it ends the job."""
    try:
        event = decode_event(line)
    except (ValueError, RecursionError, TrainerError):
        return None
    return event if isinstance(event, RunCompleted | RunFailed | RunStopped) else None


def _conclude(last: Event | None, exit_code: int, log: str, weights: Path) -> None:
    match last:
        case RunCompleted() if exit_code == 0:
            return
        case RunStopped():
            raise StorydeskError(FailureCode.CANCELLED)
        case RunFailed(code=code, parameters=parameters):
            detail = str(parameters.get("detail", ""))
            if code in (TrainerFailure.BASE_NOT_USABLE, TrainerFailure.BAD_REQUEST, TrainerFailure.UNEXPECTED):
                raise refuse(weights, detail or code)
            raise StorydeskError(code, **parameters)
        case _:
            detail = f"the builder ended with exit code {exit_code}" + (f": {log[:200]}" if log else "")
            raise refuse(weights, detail)

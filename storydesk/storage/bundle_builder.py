"""Building a bundle's graphs: a job of the trainer's, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Protocol

import trainer.protocol
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.child_process import CREATION_FLAGS, make_environment
from storydesk.services.ports import Progress
from storydesk.storage.weights_folder import refuse
from trainer.protocol.codec import decode_event
from trainer.protocol.failures import TrainerError, TrainerFailure
from trainer.protocol.messages import Event, RunCompleted, RunFailed, RunStopped, Stage, StageEntered


class Builder(Protocol):
    """Makes a bundle in a folder that is not there yet; raises StorydeskError, and what ``progress`` raises."""

    def __call__(
        self, weights: Path, bundle: Path, name: str, origin: str, licence: str, progress: Progress | None = None
    ) -> None:
        """Build it; ``progress`` is called all the while with the stages done and how many there are."""


PROGRAM = (sys.executable, "-u", "-m", "trainer")
_STAGES = (Stage.EXPORTING, Stage.COMPARING, Stage.BUNDLING)
_LOOK_SECONDS = 0.2
_PATIENCE_SECONDS = 3.0
"""How long a builder that was cancelled may tidy up before it is killed; what it leaves, the caller deletes."""


def build_bundle(
    weights: Path,
    bundle: Path,
    name: str,
    origin: str,
    licence: str,
    progress: Progress | None = None,
    *,
    portable: bool = False,
    program: Sequence[str] = PROGRAM,
) -> None:
    """Make a bundle with ``storydesk-train build``; blocks for seconds to minutes.

    With ``portable`` the graph for other tools is made, and none but the float32 graph beside it. Raises
    StorydeskError(MODEL_FOLDER_BAD, DISK_FULL, MEMORY_FULL ...) with what the trainer said.
    """
    command = [*program, "build", "--weights", str(weights.absolute()), "--bundle", str(bundle.absolute())]
    command += [f"--name={name}", f"--origin={origin}", f"--licence={licence}"]
    command += ["--portable", "--precision=fp32"] if portable else []
    environment = make_environment(Path(trainer.protocol.__file__).parents[2])
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
            last = _follow(process, progress or _say_nothing)
        log.seek(0, os.SEEK_END)
        log.seek(max(0, log.tell() - 2000))
        words = log.read().decode("utf-8", "replace").strip().splitlines()
    _conclude(last, process.returncode, words[-1] if words else "", weights)


def _say_nothing(_done: int, _total: int) -> None:
    """Be told, and go on."""


def _follow(process: subprocess.Popen[str], progress: Progress) -> Event | None:
    """Report the stages until the job ends, and end it where ``progress`` raises; return the event of its end."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reader = threading.Thread(target=_read_lines, args=(process.stdout, lines), name="builder", daemon=True)
    reader.start()
    last: Event | None = None
    stage = 0
    try:
        while True:
            progress(stage, len(_STAGES))
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=_LOOK_SECONDS)
                if line is None:
                    return last
                event = _read(line)
                if isinstance(event, StageEntered) and event.stage in _STAGES:
                    stage = _STAGES.index(event.stage)
                elif isinstance(event, RunCompleted | RunFailed | RunStopped):
                    last = event
    except BaseException:
        _end(process)
        raise
    finally:
        reader.join()


def _read_lines(stream: IO[str] | None, lines: queue.SimpleQueue[str | None]) -> None:
    for line in stream or ():
        lines.put(line)
    lines.put(None)


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _read(line: str) -> Event | None:
    """Return the event of a line, None where it holds none that is known."""
    try:
        return decode_event(line)
    except (ValueError, RecursionError, TrainerError):
        return None


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

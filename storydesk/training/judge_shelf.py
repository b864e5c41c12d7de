"""What lies in the folder of judging jobs: what each is about, and a trash from which they come back."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.judgement import JudgeCard
from storydesk.services.atomic_file import make_folder
from storydesk.services.input_file import read_limited
from storydesk.training.processes import is_alive
from trainer.protocol.failures import TrainerError
from trainer.protocol.judging import JudgeRequest, decode_judge_request

REQUEST_NAME, PROMPTS_NAME = "request.json", "prompts.json"
TRASH = ".trash"
TRASH_DAYS = 30
_MOST_MEGABYTES = 200
_TIME_FORMAT = "%Y%m%d-%H%M%S"
_TIME_LENGTH = 15


def read_card(folder: Path) -> JudgeCard:
    """Return what a job is about, as far as its request and its prompts can be read."""
    try:
        request = decode_judge_request(read_limited(folder / REQUEST_NAME, _MOST_MEGABYTES).decode("utf-8"))
    except (StorydeskError, TrainerError, UnicodeDecodeError):
        return JudgeCard(begun=_read_time(folder))
    models = tuple(style.name for style in request.styles)
    prompts = _count_prompts(folder, request)
    return JudgeCard(request.title, models, prompts, len(request.settings), _read_time(folder))


def _count_prompts(folder: Path, request: JudgeRequest) -> int:
    """Return how many prompts were taken; before the trainer has looked, as many as are known of."""
    with contextlib.suppress(StorydeskError, ValueError, TypeError, KeyError, RecursionError):
        record: Any = json.loads(read_limited(folder / PROMPTS_NAME, _MOST_MEGABYTES))
        return len(record["pairs"])
    if request.data:
        return request.prompts
    return min(len(request.pairs), request.prompts or len(request.pairs))


def _read_time(folder: Path) -> float:
    """Return when a job was begun: its name tells, and where that was changed its request does about."""
    with contextlib.suppress(ValueError, OverflowError, OSError):
        return datetime.strptime(folder.name[:_TIME_LENGTH], _TIME_FORMAT).replace(tzinfo=UTC).timestamp()
    with contextlib.suppress(OSError):
        return (folder / REQUEST_NAME).stat().st_mtime
    return 0.0


def discard(jobs: Path, folder: Path) -> None:
    """Put a job into the trash; raise JOB_NOT_FOUND, JOB_AT_WORK, DISK_FULL, NOT_WRITABLE."""
    if folder.parent.resolve() != jobs.resolve() or not (folder / REQUEST_NAME).is_file():
        raise StorydeskError(FailureCode.JOB_NOT_FOUND, name=folder.name)
    if is_alive(folder):
        raise StorydeskError(FailureCode.JOB_AT_WORK, name=folder.name)
    trash = make_folder(jobs / TRASH)
    _empty(trash)
    _move(folder, trash / folder.name)
    with contextlib.suppress(OSError):
        os.utime(trash / folder.name)  # thirty days from now on


def restore(jobs: Path, name: str) -> Path:
    """Take a job out of the trash and return its folder; raise JOB_NOT_FOUND, NOT_WRITABLE."""
    folder = jobs / TRASH / name
    if Path(name).name != name or not (folder / REQUEST_NAME).is_file() or (jobs / name).exists():
        raise StorydeskError(FailureCode.JOB_NOT_FOUND, name=name)
    _move(folder, jobs / name)
    return jobs / name


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        raise StorydeskError(FailureCode.NOT_WRITABLE, path=str(source)) from error


def _empty(trash: Path) -> None:
    """Delete what has lain in the trash for long."""
    oldest = time.time() - TRASH_DAYS * 86_400
    with contextlib.suppress(OSError):
        for folder in list(trash.iterdir()):
            if folder.stat().st_mtime < oldest:
                shutil.rmtree(folder, ignore_errors=True)

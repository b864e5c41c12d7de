"""Where codes become sentences for the command line; the window has its own in ``bridge/phrases``."""

from __future__ import annotations

import errno
from pathlib import Path

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.services.phrasebook import Phrasebook

LANGUAGE = "en"
# RLIMIT_FSIZE and quotas say "too large" and "quota" where a full disk says "no space".
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


def open_phrasebook(resources: Path) -> Phrasebook:
    """Return the sentences of the command line's language."""
    return Phrasebook(resources / "i18n" / f"{LANGUAGE}.toml")


def as_failure(error: BaseException) -> Failure:
    """Return any exception as a failure with a sentence; what nobody expected is ``unexpected``."""
    if isinstance(error, StorydeskError):
        return error.failure
    if isinstance(error, MemoryError):
        return Failure(FailureCode.MEMORY_FULL)
    if isinstance(error, OSError):
        path = str(error.filename or "the file")
        if error.errno in _FULL:
            return Failure(FailureCode.DISK_FULL, {"path": path})
        if isinstance(error, PermissionError):
            return Failure(FailureCode.NOT_WRITABLE, {"path": path, "detail": error.strerror or "not permitted"})
    return Failure(FailureCode.UNEXPECTED, {"detail": f"{type(error).__name__}: {error}"})

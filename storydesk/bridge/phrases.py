"""Where codes become sentences for the window; the command line has its own counterpart."""

from __future__ import annotations

import errno

from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.services.phrasebook import Phrasebook, SettingWords

# RLIMIT_FSIZE and quotas say "too large" and "quota" where a full disk says "no space".
_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


class Phrases:
    """Says failures and notices in the reader's language. Immutable, any thread."""

    def __init__(self, phrasebook: Phrasebook) -> None:
        """Speak out of one language's table."""
        self._phrasebook = phrasebook

    def say(self, failure: Failure) -> tuple[str, str]:
        """Return a sentence and a remedy; what has no phrase of its own is said as something unexpected."""
        return self._phrasebook.say(failure)

    def name_setting(self, name: str) -> SettingWords:
        """Return what a setting of a tuning run is called and what it does."""
        return self._phrasebook.name_setting(name)

    def say_line(self, failure: Failure) -> str:
        """Return sentence and remedy as one line, for tool tips and screen readers."""
        return " ".join(part for part in self.say(failure) if part)


def as_failure(error: BaseException) -> Failure:
    """Return any exception as a failure with a sentence; what nobody expected is ``unexpected``."""
    if isinstance(error, StorydeskError):
        return error.failure
    if isinstance(error, MemoryError):
        return Failure(FailureCode.MEMORY_FULL)
    if isinstance(error, OSError) and error.filename:
        if error.errno in _FULL:
            return Failure(FailureCode.DISK_FULL, {"path": str(error.filename)})
        if error.errno in _FORBIDDEN:
            detail = error.strerror or type(error).__name__
            return Failure(FailureCode.NOT_WRITABLE, {"path": str(error.filename), "detail": detail})
    return Failure(FailureCode.UNEXPECTED, {"detail": f"{type(error).__name__}: {error}"})


def is_expected(error: BaseException) -> bool:
    """Say whether a notice is enough for an exception, or the crash dialog has to show it."""
    return as_failure(error).code != FailureCode.UNEXPECTED

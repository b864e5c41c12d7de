"""Reading a whole file that anybody may have made: its size is looked at first, and every way it fails has a code."""

from __future__ import annotations

from pathlib import Path

from storydesk.domain.failures import FailureCode, StorydeskError

_MEGABYTE = 1_000_000


def read_limited(path: Path, megabytes: int) -> bytes:
    """Return a file's bytes; raise StorydeskError(FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_EMPTY, FILE_TOO_LARGE)."""
    limit = megabytes * _MEGABYTE
    try:
        if not path.is_file():
            code = FailureCode.FILE_NOT_READABLE if path.exists() else FailureCode.FILE_NOT_FOUND
            raise StorydeskError(code, path=str(path), detail="it is no file")
        with path.open("rb") as stream:
            content = stream.read(limit + 1)
            size = path.stat().st_size
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        raise StorydeskError(FailureCode.FILE_NOT_READABLE, path=str(path), detail=detail) from error
    if len(content) > limit:
        raise StorydeskError(
            FailureCode.FILE_TOO_LARGE,
            path=str(path),
            megabytes=round(max(size, len(content)) / _MEGABYTE),
            limit=megabytes,
        )
    if not content.strip():
        raise StorydeskError(FailureCode.FILE_EMPTY, path=str(path))
    return content

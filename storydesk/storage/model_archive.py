"""A stranger's zip of a model: looked through before anything is written, and unpacked nowhere but into our folder."""

from __future__ import annotations

import shutil
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.services.atomic_file import explain_error
from storydesk.services.ports import Progress
from storydesk.storage.copying import BLOCK
from storydesk.storage.weights_folder import PICKLED
from trainer.protocol.manifest import MANIFEST_NAME

_MOST_FILES = 2000
_LARGEST = 100 * 10**9
_LARGEST_PACKED_AWAY = 500 * 10**6
_MOST_TIMES = 50
"""Weights hardly pack: a zip of more than half a gigabyte that grows this many times holds no model."""
_ROOM = 200 * 10**6
_LOCKED = 0x1
_DEEPEST = 6


def is_archive(path: Path) -> bool:
    """Return whether a file begins or ends like a zip, or calls itself one."""
    try:
        return path.suffix.lower() == ".zip" or zipfile.is_zipfile(path)
    except OSError:
        return False


def unpack(path: Path, folder: Path, progress: Progress | None = None) -> Path:
    """Unpack a model's zip into an empty folder and return the folder in it that holds the model.

    Raises StorydeskError(MODEL_ARCHIVE_BAD, DISK_FULL, NOT_WRITABLE) and what ``progress`` raises; what was unpacked
    until then is the caller's to delete.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = _choose_parts(path, archive)
            total = sum(part.file_size for part in parts.values())
            _require_room(path, folder, total)
            done = 0
            for name, part in parts.items():
                target = folder.joinpath(*PurePosixPath(name).parts)
                _make_parent(target)
                before = done

                def report(count: int, before: int = before) -> None:
                    if progress is not None:
                        progress(before + count, total)

                with archive.open(part) as reading:
                    done += _write(reading, target, report)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, OverflowError) as error:
        raise _refuse(path, "it is damaged") from error
    except (OSError, ValueError) as error:
        raise _refuse(path, str(getattr(error, "strerror", None) or error).lower()) from error
    return _find_root(path, folder)


def _choose_parts(path: Path, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return what is to be unpacked, by its path in the folder; refuse whatever no honest zip has."""
    parts: dict[str, zipfile.ZipInfo] = {}
    seen: set[str] = set()
    files = [part for part in archive.infolist() if not part.is_dir()]
    if len(files) > _MOST_FILES:
        raise _refuse(path, "it holds too many files")
    for part in files:
        name = unicodedata.normalize("NFC", part.filename)
        _check_part(path, part, name)
        if name.casefold() in seen:
            raise _refuse(path, f"it holds {name[-60:]} twice")
        seen.add(name.casefold())
        if not PurePosixPath(name).name.startswith("."):  # what desktops leave behind
            parts[name] = part
    size = sum(part.file_size for part in parts.values())
    packed = sum(part.compress_size for part in parts.values())
    if size > _LARGEST or (size > _LARGEST_PACKED_AWAY and size > _MOST_TIMES * packed):
        raise _refuse(path, "it would grow beyond all measure")
    if not any(name.endswith(".safetensors") for name in parts):
        pickled = next((PurePosixPath(name).name for name in parts if name.endswith(PICKLED)), "")
        if pickled:
            raise _refuse(path, f"only a pickled file, {pickled[:60]}, which could run a stranger's program")
    return {name: part for name, part in parts.items() if not name.endswith(PICKLED)}


def _check_part(path: Path, part: zipfile.ZipInfo, name: str) -> None:
    pieces = name.split("/")
    if (
        name.startswith("/")
        or any(piece in ("", ".", "..") or piece != piece.rstrip(" .") for piece in pieces)
        or any(character in name for character in '\\:*?"<>|')
        or not name.isprintable()
    ):
        raise _refuse(path, "a file in it would land outside of its folder")
    if len(pieces) > _DEEPEST or max(len(piece.encode("utf-8", "replace")) for piece in pieces) > 200:
        raise _refuse(path, "a file in it has an endless name")
    kind = stat.S_IFMT(part.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise _refuse(path, f"{name[-60:]} in it is a link")
    if part.flag_bits & _LOCKED:
        raise _refuse(path, "it is locked with a password")


def _require_room(path: Path, folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size + _ROOM:
        raise StorydeskError(FailureCode.DISK_FULL, path=str(folder))


def _make_parent(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_error(error, target) from error


def _write(reading: IO[bytes], target: Path, report: Callable[[int], object]) -> int:
    """Write one file; what goes wrong while reading is the zip's fault and raised as it is."""
    count = 0
    report(0)
    try:
        writing = target.open("xb")
    except OSError as error:
        raise explain_error(error, target) from error
    with writing:
        while block := reading.read(BLOCK):
            try:
                writing.write(block)
                writing.flush()
            except OSError as error:
                raise explain_error(error, target) from error
            count += len(block)
            report(count)
    return count


def _find_root(path: Path, folder: Path) -> Path:
    """Return the folder itself or the one folder in it, whichever holds a model."""
    for root in (folder, *sorted(each for each in folder.iterdir() if each.is_dir())):
        if (root / MANIFEST_NAME).is_file() or (root / "config.json").is_file():
            return root
    raise _refuse(path, "there is no model in it")


def _refuse(path: Path, detail: str) -> StorydeskError:
    return StorydeskError(FailureCode.MODEL_ARCHIVE_BAD, path=str(path), detail=detail)

"""The whole library as one zip archive: a copy of the SQLite file, every draft as plain text, and a manifest.

The texts are there for a reader without this program; only the copy is read back.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sqlite3
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.library import ArchiveContent
from storydesk.services.atomic_file import explain_error, refuse_existing, write_atomically
from storydesk.services.ports import Progress
from storydesk.storage.backups import make_address
from storydesk.storage.migrations import NEWEST
from storydesk.storage.word_index import TABLE as INDEX

FORMAT = "storydesk-library"
VERSION = 1
COPY = "library.sqlite3"
MANIFEST = "manifest.json"
LARGEST_MEGABYTES = 4000
LARGEST_PACKED_RATIO = 1200
_LARGEST_MANIFEST = 1 << 20
_MOST_PARTS = 500_000
_CHUNK = 1 << 20
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_LOCKED = 0x1
_NAME_LENGTH = 60
_UNFIT = re.compile(r'[\x00-\x1f<>:"/\\|?*\x7f]+')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")
README = """This archive holds a whole Storydesk library.

library.sqlite3 is the library itself: Storydesk adds its stories to another library with "Add stories from a
library...". Below "texts" every draft stands as plain text that any program can read.
"""


def write_archive(
    library: Path, path: Path, room: Path, *, overwrite: bool, progress: Progress | None = None
) -> ArchiveContent:
    """Write the archive, whole or not at all; ``room`` is the name of a file that may be made meanwhile.

    Raises StorydeskError(FILE_EXISTS, DISK_FULL, NOT_WRITABLE), and what ``progress`` raises.
    """
    if not overwrite:
        refuse_existing(path)
    _copy_without_index(library, room)
    written: list[ArchiveContent] = []
    write_atomically(path, lambda stream: written.append(_fill(stream, room, progress)), overwrite=overwrite)
    return written[0]


def read_archive(path: Path, target: Path) -> ArchiveContent:
    """Take the library file out of an archive and return what its manifest promises.

    Raises StorydeskError(FILE_NOT_FOUND, FILE_NOT_READABLE, FILE_DAMAGED, FILE_TOO_LARGE, FILE_LOCKED,
    LIBRARY_TOO_NEW, DISK_FULL).
    """
    damaged = StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="zip")
    if not path.is_file():
        raise StorydeskError(FailureCode.FILE_NOT_FOUND, path=str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            parts = _check_parts(archive, path)
            if COPY not in parts or MANIFEST not in parts:
                raise damaged
            manifest = _read_manifest(archive, parts[MANIFEST], path)
            digest = _take_out(archive, parts[COPY], target, path)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OverflowError) as error:
        raise damaged from error
    except PermissionError as error:
        raise StorydeskError(FailureCode.FILE_NOT_READABLE, path=str(path), detail=str(error.strerror)) from error
    except (OSError, ValueError) as error:
        raise damaged from error
    if digest != manifest["sha256"]:
        raise damaged
    return ArchiveContent(manifest["stories"], manifest["drafts"])


def _copy_without_index(library: Path, room: Path) -> None:
    """Copy a library that may be open; the index can be made again and would only take room."""
    source = sqlite3.connect(make_address(library), uri=True, timeout=5)
    try:
        copy = sqlite3.connect(room, isolation_level=None)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
            with contextlib.suppress(sqlite3.OperationalError):  # a SQLite without full-text search
                copy.execute(f"DROP TABLE IF EXISTS {INDEX}")
            copy.execute("UPDATE drafts SET indexed = 0")
            copy.execute("VACUUM")
        finally:
            copy.close()
    finally:
        source.close()


def _fill(stream: BinaryIO, room: Path, progress: Progress | None) -> ArchiveContent:
    connection = sqlite3.connect(make_address(room), uri=True)
    try:
        stories = connection.execute("SELECT id, title FROM stories ORDER BY id").fetchall()
        drafts = connection.execute("SELECT COUNT(*) FROM drafts").fetchone()[0]
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=6, strict_timestamps=False) as archive:
            _add(archive, "README.txt", README)
            archive.write(room, COPY)
            used: set[str] = set()
            for number, (story_id, title) in enumerate(stories):
                if progress is not None:
                    progress(number, len(stories))
                _write_texts(archive, connection, story_id, _choose_name(title or "Untitled", used))
            content = ArchiveContent(len(stories), drafts)
            _add(archive, MANIFEST, json.dumps(_describe(content, _digest(room)), indent=1, sort_keys=True))
        return content
    finally:
        connection.close()


def _describe(content: ArchiveContent, digest: str) -> dict[str, object]:
    return {
        "format": FORMAT,
        "version": VERSION,
        "library_version": NEWEST,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "stories": content.stories,
        "drafts": content.drafts,
        "sha256": digest,
    }


def _write_texts(archive: zipfile.ZipFile, connection: sqlite3.Connection, story_id: int, folder: str) -> None:
    used: set[str] = set()
    for name, text in connection.execute("SELECT name, text FROM drafts WHERE story_id = ? ORDER BY id", (story_id,)):
        _add(archive, f"texts/{folder}/{_choose_name(f'Draft {name}', used)}.md", text)


def _add(archive: zipfile.ZipFile, name: str, text: str) -> None:
    now = time.localtime()[:6]
    part = zipfile.ZipInfo(name, max(now, _EARLIEST))  # a clock may stand before the first year that zip knows
    part.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(part, text.encode("utf-8", "replace"))


def _choose_name(title: str, used: set[str]) -> str:
    """Return a name that every file system takes, with a number behind it where it is taken."""
    name = _UNFIT.sub(" ", title).strip(" .")[:_NAME_LENGTH].strip(" .") or "Untitled"
    if _RESERVED.fullmatch(name):
        name = f"{name} -"
    wanted, number = name, 1
    while name.casefold() in used:
        number += 1
        name = f"{wanted} ({number})"
    used.add(name.casefold())
    return name


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _check_parts(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the parts by name, where their number and size are bearable."""
    infos = archive.infolist()
    parts = {info.filename: info for info in infos}
    if len(infos) > _MOST_PARTS or len(parts) != len(infos):
        raise StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="zip")
    wanted = [parts[name] for name in (COPY, MANIFEST) if name in parts]
    for info in wanted:
        if info.flag_bits & _LOCKED:
            raise StorydeskError(FailureCode.FILE_LOCKED, path=str(path))
        if info.file_size > LARGEST_MEGABYTES * 1_000_000 or (
            info.file_size > _LARGEST_MANIFEST and info.file_size > LARGEST_PACKED_RATIO * max(1, info.compress_size)
        ):
            raise _too_large(path, info.file_size)
    return parts


def _read_manifest(archive: zipfile.ZipFile, part: zipfile.ZipInfo, path: Path) -> dict[str, Any]:
    damaged = StorydeskError(FailureCode.FILE_DAMAGED, path=str(path), format="zip")
    if part.file_size > _LARGEST_MANIFEST:
        raise damaged
    try:
        manifest = json.loads(archive.read(part).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise damaged from error
    kinds = {"version": int, "library_version": int, "stories": int, "drafts": int, "sha256": str}
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise damaged
    if any(not isinstance(manifest.get(name), kind) for name, kind in kinds.items()):
        raise damaged
    if manifest["version"] > VERSION or manifest["library_version"] > NEWEST:
        raise StorydeskError(FailureCode.LIBRARY_TOO_NEW, path=str(path))
    return manifest


def _take_out(archive: zipfile.ZipFile, part: zipfile.ZipInfo, target: Path, path: Path) -> str:
    """Write the library file and return its checksum; what a part says of its size is not believed."""
    digest, size = hashlib.sha256(), 0
    with archive.open(part) as source, _explain_writing(target), target.open("xb") as stream:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > LARGEST_MEGABYTES * 1_000_000 or size > part.file_size:
                raise _too_large(path, size)
            digest.update(chunk)
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())
    return digest.hexdigest()


@contextlib.contextmanager
def _explain_writing(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise explain_error(error, target) from error


def _too_large(path: Path, size: int) -> StorydeskError:
    megabytes = max(-(-size // 1_000_000), LARGEST_MEGABYTES + 1)
    return StorydeskError(FailureCode.FILE_TOO_LARGE, path=str(path), megabytes=megabytes, limit=LARGEST_MEGABYTES)

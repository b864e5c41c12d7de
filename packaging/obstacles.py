"""What can stand in the way of setting up, in words: each with a sentence and what to do about it."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PYTHONS = ((3, 11), (3, 12), (3, 13))
GIGABYTE = 1_000_000_000
# Measured on Linux, where torch brings CUDA: 6.1 GB installed, 3.3 GB downloaded. The others are estimates.
DISK_NEEDED = {"Linux": 7 * GIGABYTE}
DISK_ELSEWHERE = 3 * GIGABYTE
DOWNLOAD = {"Linux": 3_400_000_000}
DOWNLOAD_ELSEWHERE = GIGABYTE


class SetupError(Exception):
    """A step that can't be done: one sentence on what is wrong and one on what to do."""

    def __init__(self, sentence: str, remedy: str) -> None:
        """Keep both sentences."""
        super().__init__(f"{sentence} {remedy}")
        self.sentence = sentence
        self.remedy = remedy


def disk_full() -> SetupError:
    """Return what to say where nothing more can be written."""
    system = platform.system()
    needed = DISK_NEEDED.get(system, DISK_ELSEWHERE) + 2 * DOWNLOAD.get(system, DOWNLOAD_ELSEWHERE)
    remedy = f"Setting up takes about {needed // GIGABYTE} GB for a while. Free some space, then start again."
    return SetupError("The disk is full.", remedy)


def pip_failure(tail: str, log: Path) -> SetupError:
    """Return in words why pip failed."""
    again = "Then run the same command again; it goes on from there."
    if re.search(r"No space left|Errno 28|not enough space", tail, re.IGNORECASE):
        return disk_full()
    network = r"(NewConnection|NameResolution|Proxy|Protocol)Error|name resolution|Connection (refused|reset)|timed out"
    if re.search(network, tail):
        return SetupError(
            "The packages can't be downloaded: there is no connection to the package index.",
            f"Check the network and pip's proxy or index settings. {again}",
        )
    last = "\n".join("      | " + line for line in tail.splitlines()[-6:])
    return SetupError(f"pip could not install the packages. Its last words:\n{last}", f"All of it is in {log}. {again}")


def check_python(version: tuple[int, int] | None = None, implementation: str = "") -> None:
    """Raise SetupError where this Python is none that the packages were tried with."""
    mine = version or (sys.version_info[0], sys.version_info[1])
    if mine in PYTHONS and (implementation or platform.python_implementation()) == "CPython":
        return
    name = "Python {}.{}".format(*mine)
    others = [shutil.which("python{}.{}".format(*other)) for other in PYTHONS]
    found = next((other for other in reversed(others) if other), None)
    remedy = f"Type: {found} packaging/start.py" if found else "Install Python 3.12 (CPython) and start with that."
    raise SetupError(f"Storydesk runs on CPython 3.11, 3.12 or 3.13, and this is {name}.", remedy)


def check_disk(folder: Path) -> None:
    """Raise SetupError where the packages won't fit: in the folder, and on the way there."""
    here = DISK_NEEDED.get(platform.system(), DISK_ELSEWHERE)
    if (folder / ".venv" / "pyvenv.cfg").exists():
        here //= 3  # most of it is likely there already
    on_the_way = DOWNLOAD.get(platform.system(), DOWNLOAD_ELSEWHERE)
    # pip keeps what it downloads in the temporary folder until it is done, and in its cache for the next time.
    wishes = ((folder, here), (Path(tempfile.gettempdir()), on_the_way), (Path.home(), on_the_way))
    needed: dict[int, int] = {}
    for place, size in wishes:
        if not place.is_dir():
            continue
        device = place.stat().st_dev
        needed[device] = needed.get(device, 0) + size
        free = shutil.disk_usage(place).free
        if free < needed[device]:
            has, wants = free / GIGABYTE, needed[device] / GIGABYTE
            raise SetupError(
                f"There are {has:.1f} GB free on the disk of {place}, and about {wants:.0f} GB are needed.",
                "Free some space or use a larger disk (TMPDIR names another temporary folder), then start again.",
            )


def can_make_environments() -> bool:
    """Return whether venv works; Debian's Python has the module without what it needs."""
    try:
        import ensurepip  # noqa: F401 - the import is the question
        import venv  # noqa: F401
    except ImportError:
        return False
    return True


def is_apt_root() -> bool:
    return os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get") is not None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep a second start.py out of the same folder; raise SetupError where one is at work."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise SetupError(
                "Another start.py is setting Storydesk up in this folder.", "Wait until it is done, then start again."
            ) from error
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

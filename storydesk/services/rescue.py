"""A second place for a text that the library can't take: written when a save fails or lags, read at the next start."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from storydesk.domain.characters import mend_text
from storydesk.domain.failures import StorydeskError
from storydesk.services.atomic_file import make_folder, write_atomically

_SUFFIX = ".rescued.json"


@dataclass(frozen=True, slots=True)
class Rescued:
    """A draft's text as it was last typed; ``kept`` is seconds since 1970."""

    draft_id: int
    text: str
    kept: float


class RescueFolder:
    """Keeps texts in the first of some folders that takes them. Any one thread at a time."""

    def __init__(self, folders: Sequence[Path]) -> None:
        """Look in these folders; none is made before it is needed."""
        self._folders = tuple(folders)

    @classmethod
    def beside(cls, home: Path) -> RescueFolder:
        """Return the usual places: the data folder, and one of our own where the system keeps what is temporary."""
        mark = hashlib.sha256(str(home.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:12]
        owner = getattr(os, "getuid", lambda: 0)()
        return cls((home / "rescue", Path(tempfile.gettempdir()) / f"storydesk-rescue-{owner}-{mark}"))

    def keep(self, draft_id: int, text: str) -> bool:
        """Write a text down in place of the last one of this draft; say whether any folder took it."""
        record = {"draft": draft_id, "kept": time.time(), "text": mend_text(text)}
        content = json.dumps(record, ensure_ascii=False).encode("utf-8")
        for folder in self._folders:
            with contextlib.suppress(StorydeskError):
                make_folder(folder)
                with contextlib.suppress(OSError):
                    folder.chmod(0o700)
                write_atomically(folder / f"{draft_id}{_SUFFIX}", content)
                return True
        return False

    def list_rescued(self) -> list[Rescued]:
        """Return what was kept, the newest text of each draft; what can't be read is passed over."""
        found: dict[int, Rescued] = {}
        for folder in self._folders:
            for path in self._list_files(folder):
                with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                    record = json.loads(path.read_text(encoding="utf-8"))
                    rescued = Rescued(int(record["draft"]), str(record["text"]), float(record["kept"]))
                    if rescued.draft_id not in found or found[rescued.draft_id].kept < rescued.kept:
                        found[rescued.draft_id] = rescued
        return sorted(found.values(), key=lambda rescued: rescued.kept)

    def forget(self, draft_id: int) -> None:
        """Take a draft's text away: the library has it."""
        for folder in self._folders:
            with contextlib.suppress(OSError):
                (folder / f"{draft_id}{_SUFFIX}").unlink(missing_ok=True)

    @staticmethod
    def _list_files(folder: Path) -> list[Path]:
        try:
            if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
                return []  # a folder of that name that somebody else has made
            return sorted(folder.glob(f"*{_SUFFIX}"))
        except OSError:
            return []

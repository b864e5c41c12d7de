"""The settings file: one JSON object, written whole."""

from __future__ import annotations

import json
import logging
import math
import threading
from pathlib import Path
from typing import Any

from storydesk.domain.settings import Setting, V
from storydesk.services.atomic_file import make_folder, write_atomically

_LOG = logging.getLogger(__name__)
_LARGEST = 1 << 20


class JsonSettings:
    """Implements SettingsStore over a JSON file. Any thread.

    A file that can't be understood is kept beside as ``.damaged`` and the defaults serve; ``damaged`` says so. Keys
    that this version does not declare stay in the file.
    """

    def __init__(self, path: Path) -> None:
        """Read the file where there is one; never raises."""
        self._path = path
        self._lock = threading.RLock()
        self._damaged = False
        self._stamp: tuple[int, int] | None = None
        self._values: dict[str, Any] = {}
        self._load()

    @property
    def damaged(self) -> bool:
        """Whether the file could not be understood when it was read."""
        return self._damaged

    @property
    def path(self) -> Path:
        """Where the settings are kept."""
        return self._path

    def get(self, setting: Setting[V]) -> V:
        """Return the value, or the default where none was set or the stored one is unusable."""
        with self._lock:
            stored = self._values.get(setting.key, setting.default)
        return _accept(setting, stored)

    def set(self, setting: Setting[V], value: V) -> None:
        """Set and save; the value holds for this process even where saving raises DISK_FULL or NOT_WRITABLE."""
        accepted = _accept(setting, value)
        with self._lock:
            if self._stamp != self._read_stamp():
                self._load()  # a command changed something while the window was open
            self._values[setting.key] = accepted
            make_folder(self._path.parent)
            text = json.dumps(self._values, indent=2, sort_keys=True)
            write_atomically(self._path, text.encode("ascii"))
            self._stamp = self._read_stamp()

    def _load(self) -> None:
        try:
            if self._path.stat().st_size > _LARGEST:
                raise ValueError("too large for settings")
            raw = self._path.read_bytes()
            self._stamp = self._read_stamp()
            values = json.loads(raw.decode("utf-8-sig"))
            if not isinstance(values, dict):
                raise TypeError("not an object")
            self._values = values
        except OSError:
            return
        except (ValueError, TypeError, RecursionError) as error:
            _LOG.warning("the settings at %s are damaged: %s", self._path, error)
            self._damaged = True
            self._set_aside()

    def _set_aside(self) -> None:
        try:
            self._path.replace(self._path.with_name(self._path.name + ".damaged"))
        except OSError as error:
            _LOG.warning("the damaged settings could not be kept: %s", error)

    def _read_stamp(self) -> tuple[int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size


def _accept(setting: Setting[V], value: object) -> V:
    """Return the value in its limits; what is no usable number is the default."""
    if isinstance(value, float) and not math.isfinite(value):
        return setting.default
    try:
        return setting.accept(value)
    except (OverflowError, ValueError):
        return setting.default

"""Where Storydesk keeps its data: one folder, moved as a whole by ``STORYDESK_HOME``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from storydesk.services.atomic_file import make_folder

VARIABLE = "STORYDESK_HOME"


@dataclass(frozen=True, slots=True)
class Home:
    """The folders and files below ``root``; nothing is created before it is needed. Any thread."""

    root: Path

    @classmethod
    def find(cls, environment: Mapping[str, str] = os.environ) -> Home:
        """Return the home that the environment names, else the user's data folder of this system."""
        named = environment.get(VARIABLE, "").strip()
        if named:
            return cls(Path(os.path.expanduser(named)).absolute())  # noqa: PTH111 - Path.expanduser raises for ~nobody
        # Not needed where the variable is set, and imports are what a start waits for.
        from platformdirs import user_data_path

        return cls(user_data_path("Storydesk", appauthor=False))

    @property
    def library(self) -> Path:
        """The one file with all stories."""
        return self.root / "library.sqlite3"

    @property
    def settings(self) -> Path:
        """The settings, as JSON."""
        return self.root / "settings.json"

    @property
    def models(self) -> Path:
        """Installed models."""
        return self.root / "models"

    @property
    def runs(self) -> Path:
        """Tuning runs."""
        return self.root / "runs"

    @property
    def judgements(self) -> Path:
        """Judging jobs and their reports."""
        return self.root / "judgements"

    @property
    def datasets(self) -> Path:
        """Text to tune on, with what the writer did to it."""
        return self.root / "datasets"

    @property
    def backups(self) -> Path:
        """Dated copies of the library."""
        return self.root / "backups"

    @property
    def logs(self) -> Path:
        """Logs that a person reads."""
        return self.root / "logs"

    @property
    def cache(self) -> Path:
        """What can be fetched or made again."""
        return self.root / "cache"

    def make(self, folder: Path | None = None) -> Path:
        """Create the home, or one folder of it, and return it; raise StorydeskError(NOT_WRITABLE, DISK_FULL)."""
        return make_folder(self.root if folder is None else folder)

"""Backups, restoring, and the library as one file: asked for in the window, done on other threads."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from storydesk.bridge.jobs import Job, JobRunner
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import Failure
from storydesk.domain.library import BackupContent, BackupReason


class Task(StrEnum):
    """What may be under way."""

    BACK_UP = "back_up"
    RESTORE_LIBRARY = "restore_library"
    RESTORE_STORY = "restore_story"
    EXPORT = "export"
    IMPORT = "import"
    CHECK = "check"


class BackupController(QObject):
    """Asks the backups' port one thing at a time. GUI thread.

    What changes the library is done on its own thread, in line with the saves; the rest on a thread for itself.
    """

    listed = Signal(object)
    """The BackupFiles, newest first."""
    looked = Signal(object, object)
    """A backup's path and its BackupContent."""
    started = Signal(object)
    finished = Signal(object, object)
    """A Task and what came of it."""
    failed = Signal(object)
    """A Failure; nothing is under way any more."""
    progressed = Signal(object, object)

    def __init__(self, workroom: Workroom, parent: QObject | None = None) -> None:
        """Prepare."""
        super().__init__(parent)
        self._workroom = workroom
        self._port = workroom.desk.backups
        self._jobs = JobRunner(self)
        self._export: Job | None = None
        self._looking: Path | None = None
        self.busy = False

    @property
    def read_only(self) -> bool:
        """Whether this window may not change the library."""
        return self._workroom.manuscripts.read_only

    def show_backups(self) -> None:
        """Read the list of backups."""
        self._jobs.start(
            lambda _progress: self._port.list_backups(), on_success=self.listed.emit, on_failure=self.failed.emit
        )

    def look(self, backup: Path) -> None:
        """Check a backup and read what is in it; only the newest wish is answered."""
        self._looking = backup

        def on_success(content: BackupContent) -> None:
            if self._looking == backup:
                self.looked.emit(backup, content)

        def on_failure(failure: Failure) -> None:
            if self._looking == backup:
                self.failed.emit(failure)

        self._jobs.start(lambda _progress: self._port.look_inside(backup), on_success=on_success, on_failure=on_failure)

    def back_up(self) -> None:
        """Make a backup now."""
        self._workroom.manuscripts.save_all()
        self._submit(Task.BACK_UP, lambda: self._port.back_up(BackupReason.HAND))

    def restore_library(self, backup: Path) -> None:
        """Bring the whole library back; the story on the page is saved and left first."""
        opened = self._workroom.manuscripts.opened
        story_id = opened.story.id if opened is not None else 0
        self._workroom.manuscripts.leave()
        self._submit(
            Task.RESTORE_LIBRARY,
            lambda: self._port.restore_library(backup),
            lambda: self._workroom.manuscripts.open_again(story_id),
        )

    def restore_story(self, backup: Path, story_id: int, title: str) -> None:
        """Add one story of a backup under this title."""
        self._submit(
            Task.RESTORE_STORY,
            lambda: self._port.restore_story(backup, story_id, title),
            self._workroom.manuscripts.refresh,
        )

    def import_library(self, path: Path) -> None:
        """Add all stories of an archive."""
        self._workroom.manuscripts.save_all()
        self._submit(Task.IMPORT, lambda: self._port.import_library(path), self._workroom.manuscripts.refresh)

    def export_library(self, path: Path) -> None:
        """Write the library as one file; the writer was asked about a file in its way."""
        self._workroom.manuscripts.save_all()
        self._workroom.library.submit(lambda: None, lambda _saved: self._begin_export(path))  # behind the saves

    def check_library(self) -> None:
        """Look for damage in the library."""
        self._submit(Task.CHECK, self._port.check_library)

    def cancel(self) -> None:
        """Break off an export."""
        if self._export is not None:
            self._export.cancel()

    def close(self) -> None:
        """Break off what may be broken off; what changes the library is finished by its own thread."""
        self._jobs.close()

    def _begin_export(self, path: Path) -> None:
        self._start(Task.EXPORT)
        self._export = self._jobs.start(
            lambda progress: self._port.export_library(path, overwrite=True, progress=progress),
            on_success=lambda content: self._finish(Task.EXPORT, content),
            on_failure=self._fail,
            on_progress=self.progressed.emit,
        )

    def _submit(self, task: Task, work: Callable[[], object], afterwards: Callable[[], object] = lambda: None) -> None:
        self._start(task)

        def on_done(value: object) -> None:
            afterwards()
            self._finish(task, value)

        def on_failed(failure: Failure) -> None:
            afterwards()
            self._fail(failure)

        self._workroom.library.submit(work, on_done, on_failed)

    def _start(self, task: Task) -> None:
        self.busy = True
        self.started.emit(task)

    def _finish(self, task: Task, value: object) -> None:
        self.busy = False
        self._export = None
        self.finished.emit(task, value)
        if task in (Task.BACK_UP, Task.RESTORE_LIBRARY):
            self.show_backups()

    def _fail(self, failure: Failure) -> None:
        self.busy = False
        self._export = None
        self.failed.emit(failure)

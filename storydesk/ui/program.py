"""The running window: application, theme, what is shown when things go wrong, and the way out."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol

from PySide6.QtCore import (
    QByteArray,
    QCoreApplication,
    QDateTime,
    QLocale,
    QObject,
    QSocketNotifier,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtWidgets import QApplication, QMessageBox

from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.domain.failures import Failure, FailureCode, StorydeskError
from storydesk.domain.library import BackupFile
from storydesk.domain.settings import INTERFACE_PERCENT, LAST_STORY, LESS_MOTION, THEME
from storydesk.services.desk import Desk
from storydesk.services.phrasebook import Phrasebook
from storydesk.ui.main_window import PROGRAM, MainWindow
from storydesk.ui.theme import app_icon, apply_theme, set_comfort
from storydesk.ui.translations import install_translations

MEASURE_VARIABLE = "STORYDESK_MEASURE_START"
FAILED = 1
SWITCH_SECONDS = 0.0005  # Python's own 5 ms, met twice, would be seen at a key


class BuildDesk(Protocol):
    """What joins the use cases; notices go to ``on_notice``."""

    def __call__(self, *, on_notice: Callable[[Failure], None]) -> Desk:
        """Return the desk; raise StorydeskError where the library can't be opened."""


class SignalDoor(QObject):
    """Lets SIGTERM and Ctrl+C close the window, text saved, instead of ending the process. GUI thread."""

    def __init__(self, window: MainWindow) -> None:
        """Listen; Python's own handlers would wait until Qt gives it the word."""
        super().__init__(window)
        self._window = window
        self._near, self._far = socket.socketpair()
        self._far.setblocking(False)
        self._before_fd = signal.set_wakeup_fd(self._far.fileno(), warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _pass_over) for number in (signal.SIGTERM, signal.SIGINT)}
        notifier = QSocketNotifier(self._near.fileno(), QSocketNotifier.Type.Read, self)
        notifier.activated.connect(self._on_asked)

    def leave(self) -> None:
        """Put everything back."""
        signal.set_wakeup_fd(self._before_fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._near.close()
        self._far.close()

    @Slot()
    def _on_asked(self) -> None:
        self._near.recv(64)
        self._window.side.asks = False
        self._window.close()


def _pass_over(_number: int, _frame: FrameType | None) -> None:
    """Do nothing: the wake-up socket tells the window."""


class CrashGuard(QObject):
    """Catches what nobody foresaw: the text is saved first, then the crash is shown. GUI thread."""

    _crashed = Signal(str)

    def __init__(self, workroom: Workroom, window: MainWindow) -> None:
        """Take the place of ``sys.excepthook``."""
        super().__init__(window)
        self._workroom = workroom
        self._window = window
        self._open = False
        self._before = sys.excepthook
        self._before_thread = threading.excepthook
        self._crashed.connect(self._on_crashed)
        sys.excepthook = self._catch
        threading.excepthook = self._catch_in_thread

    def leave(self) -> None:
        """Give ``sys.excepthook`` back."""
        sys.excepthook = self._before
        threading.excepthook = self._before_thread

    def _catch(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        self._before(kind, error, trace)
        if issubclass(kind, Exception):
            self._crashed.emit("".join(traceback.format_exception(kind, error, trace)))

    def _catch_in_thread(self, arguments: threading.ExceptHookArgs) -> None:
        self._before_thread(arguments)
        if issubclass(arguments.exc_type, Exception) and arguments.exc_value is not None:
            self._crashed.emit("".join(traceback.format_exception(arguments.exc_value)))

    @Slot(str)
    def _on_crashed(self, details: str) -> None:
        saved = self._workroom.manuscripts.read_only or self._workroom.manuscripts.autosave.flush()
        if self._open:
            return
        from storydesk.ui.crash_dialog import CrashDialog

        self._open = True
        dialog = CrashDialog(details, text_saved=saved, parent=self._window)
        dialog.finished.connect(self._on_closed)
        dialog.open()

    @Slot(int)
    def _on_closed(self, _result: int) -> None:
        self._open = False


def share_processor() -> None:
    """Let other threads hand Python back sooner: the window waits for it several times at each key."""
    sys.setswitchinterval(SWITCH_SECONDS)


class Recovery(Protocol):
    """Brings back a damaged library from its newest whole backup."""

    def find(self) -> BackupFile | None:
        """Return that backup, None without one."""

    def put_back(self, backup: BackupFile) -> Path:
        """Put it in the library's place; return where the damaged one is now; raise StorydeskError."""


def run_window(
    arguments: Sequence[str], build_desk: BuildDesk, resources: Path, recovery: Recovery | None = None
) -> int:
    """Open the window, run it to its end and return the exit code."""
    parser = argparse.ArgumentParser(prog="storydesk window", description="Open the Storydesk window.")
    parser.add_argument("--measure-start", action="store_true", help="print the milliseconds to the first paint, quit")
    given, _rest_for_qt = parser.parse_known_args(list(arguments))
    measuring = given.measure_start or bool(os.environ.get(MEASURE_VARIABLE))
    share_processor()
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication([PROGRAM])
    app.setApplicationName(PROGRAM)
    app.setApplicationDisplayName(PROGRAM)
    app.setDesktopFileName("storydesk")
    install_translations(app, resources / "i18n")
    notices = NoticeBus(app)
    phrases = Phrases(Phrasebook(resources / "i18n" / "en.toml"))
    before: Left | None = None
    while True:
        try:
            desk = build_desk(on_notice=notices.post)
        except StorydeskError as error:
            apply_theme(app, "system")
            answer = offer_backup(phrases, error.failure, recovery)
            if answer is None:
                return _say_and_leave(phrases, error.failure)
            if answer:
                continue
            return FAILED
        code, before = _run_desk(app, desk, notices, phrases, resources, measuring=measuring, before=before)
        if before is None:
            return code


@dataclass(frozen=True, slots=True)
class Left:
    """How a window was left that is to be opened anew, because it may write now."""

    story_id: int
    geometry: QByteArray


def _run_desk(
    app: QApplication,
    desk: Desk,
    notices: NoticeBus,
    phrases: Phrases,
    resources: Path,
    *,
    measuring: bool,
    before: Left | None,
) -> tuple[int, Left | None]:
    """Run one window to its end; return the exit code, and how it was left where another is to follow."""
    if before is not None and not desk.manuscripts.read_only:
        desk.settings.set(LAST_STORY, before.story_id)
    set_comfort(app, percent=desk.settings.get(INTERFACE_PERCENT), still=desk.settings.get(LESS_MOTION))
    apply_theme(app, desk.settings.get(THEME))
    workroom = Workroom(desk, app)
    window = MainWindow(workroom, notices, phrases)
    guard = CrashGuard(workroom, window)
    door = SignalDoor(window)
    window.first_painted.connect(lambda: _begin_work(app, workroom, window, resources, measuring=measuring))
    after: list[Left] = []
    window.reopen_wanted.connect(lambda: after.append(_leave(window)))
    if before is not None:
        window.restoreGeometry(before.geometry)
    window.begin()
    window.show()
    try:
        code = app.exec()
    finally:
        window.side.asks = False
        window.close()
        door.leave()
        guard.leave()
    if after:
        window.deleteLater()
        workroom.deleteLater()
    return code, after[0] if after else None


def _leave(window: MainWindow) -> Left:
    opened = window.workroom.manuscripts.opened
    return Left(opened.story.id if opened is not None else 0, window.saveGeometry())


def _begin_work(app: QApplication, workroom: Workroom, window: MainWindow, resources: Path, *, measuring: bool) -> None:
    """Do what can wait until the window is there."""
    if measuring:
        print(f"{milliseconds_since_start():.0f}", flush=True)
        QTimer.singleShot(0, window.close)
        return
    QTimer.singleShot(0, workroom.start_engines)
    QTimer.singleShot(0, window.at_home.greet)
    if not workroom.manuscripts.read_only:
        QTimer.singleShot(0, window.side.look_for_runs)
    QTimer.singleShot(0, lambda: app.setWindowIcon(app_icon(resources)))


def offer_backup(phrases: Phrases, failure: Failure, recovery: Recovery | None) -> bool | None:
    """Offer the newest whole backup of a damaged library.

    Returns whether it is in the library's place now, None where there was nothing to offer.
    """
    backup = recovery.find() if recovery is not None and failure.code == FailureCode.LIBRARY_DAMAGED else None
    if recovery is None or backup is None:
        return None
    box = QMessageBox(QMessageBox.Icon.Warning, PROGRAM, phrases.say(failure)[0])
    moment = QDateTime.fromSecsSinceEpoch(int(backup.taken))
    told = QCoreApplication.translate(
        "Program", "The newest whole backup is of {date}. The damaged file is kept beside it."
    )
    box.setInformativeText(told.format(date=QLocale().toString(moment, QLocale.FormatType.ShortFormat)))
    yes = box.addButton(
        QCoreApplication.translate("Program", "Open the backup instead"), QMessageBox.ButtonRole.AcceptRole
    )
    box.addButton(QCoreApplication.translate("Program", "Leave everything as it is"), QMessageBox.ButtonRole.RejectRole)
    box.exec()
    if box.clickedButton() is not yes:
        return False
    try:
        recovery.put_back(backup)
    except StorydeskError as error:
        _say_and_leave(phrases, error.failure)
        return False
    return True


def _say_and_leave(phrases: Phrases, failure: Failure) -> int:
    sentence, remedy = phrases.say(failure)
    print(f"{sentence} {remedy}", file=sys.stderr)
    box = QMessageBox(QMessageBox.Icon.Warning, PROGRAM, sentence)
    box.setInformativeText(remedy)
    box.exec()
    return FAILED


def milliseconds_since_start() -> float:
    """Return how long this process has been running.

    ``STORYDESK_MEASURE_START`` may hold the time (seconds since 1970) at which the process was asked for; else Linux
    knows its start to a hundredth of a second, and elsewhere it counts from the first line of Python.
    """
    asked = os.environ.get(MEASURE_VARIABLE, "")
    try:
        since = float(asked)
    except ValueError:
        since = 0.0
    if since > 1:
        return (time.time() - since) * 1000
    try:
        ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text(encoding="utf-8").split()[0])
        return (uptime - ticks / os.sysconf("SC_CLK_TCK")) * 1000
    except (OSError, ValueError, IndexError, AttributeError):
        return time.process_time() * 1000

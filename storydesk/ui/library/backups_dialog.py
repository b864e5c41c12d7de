"""Backups in a window: what there is, what is inside, and bringing it back; the library as one file."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QDateTime, QLocale, Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.backup_controller import BackupController, Task
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.library import ArchiveContent, BackupContent, BackupFile, BackupReason, BackupStory
from storydesk.ui.figures import say_size
from storydesk.ui.sentences import say_untitled
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XL, icon, make_label

WIDTH_IN_LETTERS: Final = 108
HEIGHT_IN_LINES: Final = 40
BEGINNING: Final = 260
_DATA: Final = Qt.ItemDataRole.UserRole


class BackupsDialog(QDialog):
    """Shows the backups and what can be done with them. GUI thread."""

    def __init__(self, controller: BackupController, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Ask for the list and show it when it comes."""
        super().__init__(parent)
        self._controller = controller
        self._phrases = phrases
        self.setWindowTitle(self.tr("Backups"))
        self.said = make_label(selectable=True)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.progress.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        column.setSpacing(SPACE_M)
        column.addWidget(make_label(self.tr("Backups"), "title"))
        column.addWidget(
            make_label(
                self.tr(
                    "A copy of all stories is made every day: kept are one for each of the last seven days, the last "
                    "five weeks and the last twelve months."
                ),
                "muted",
            )
        )
        column.addLayout(self._make_lists(), 1)
        column.addWidget(self.said)
        column.addWidget(self.progress)
        column.addLayout(self._make_buttons())
        letters = self.fontMetrics()
        self.resize(letters.averageCharWidth() * WIDTH_IN_LETTERS, letters.lineSpacing() * HEIGHT_IN_LINES)
        controller.listed.connect(self._on_listed)
        controller.looked.connect(self._on_looked)
        controller.started.connect(self._on_started)
        controller.finished.connect(self._on_finished)
        controller.failed.connect(self._on_failed)
        controller.progressed.connect(self._on_progressed)
        self._set_buttons()
        controller.show_backups()

    def _make_lists(self) -> QHBoxLayout:
        self.backups = _make_list(self.tr("Backups by date"))
        self.backups.currentItemChanged.connect(self._on_backup_chosen)
        self.stories = _make_list(self.tr("Stories in the backup"))
        self.stories.currentItemChanged.connect(self._on_story_chosen)
        self.inside = make_label("", "muted")
        self.beginning = make_label("", "muted", selectable=True)
        self.beginning.setAlignment(Qt.AlignmentFlag.AlignTop)
        left = QVBoxLayout()
        left.setSpacing(SPACE_S)
        left.addWidget(_make_caption(self.tr("When"), self.backups))
        left.addWidget(self.backups, 1)
        right = QVBoxLayout()
        right.setSpacing(SPACE_S)
        right.addWidget(_make_caption(self.tr("What is in it"), self.stories))
        right.addWidget(self.inside)
        right.addWidget(self.stories, 3)
        right.addWidget(self.beginning)
        row = QHBoxLayout()
        row.setSpacing(SPACE_XL)
        row.addLayout(left, 2)
        row.addLayout(right, 3)
        return row

    def _make_buttons(self) -> QVBoxLayout:
        self.restore_story_button = QPushButton(icon("book"), self.tr("Bring this story back"))
        self.restore_story_button.setToolTip(self.tr("As a story of its own, beside the one that you have"))
        self.restore_story_button.clicked.connect(self._on_restore_story_clicked)
        self.restore_library_button = QPushButton(icon("clock-counter-clockwise"), self.tr("Bring everything back"))
        self.restore_library_button.setToolTip(
            self.tr("All stories as they were then; a backup of how they are now is made first")
        )
        self.restore_library_button.clicked.connect(self._on_restore_library_clicked)
        self.back_up_button = QPushButton(icon("floppy-disk"), self.tr("Back up now"))
        self.back_up_button.clicked.connect(self._controller.back_up)
        self.check_button = QPushButton(icon("shield-check"), self.tr("Check the library"))
        self.check_button.clicked.connect(self._controller.check_library)
        self.export_button = QPushButton(icon("package"), self.tr("Save the library as a file…"))
        self.export_button.clicked.connect(self.choose_export)
        self.import_button = QPushButton(icon("download-simple"), self.tr("Add stories from a library file…"))
        self.import_button.clicked.connect(self.choose_import)
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.clicked.connect(self._controller.cancel)
        self.cancel_button.hide()
        close = QPushButton(self.tr("Close"))
        close.clicked.connect(self.accept)
        upper, lower = QHBoxLayout(), QHBoxLayout()
        for row, buttons in (
            (upper, (self.back_up_button, self.check_button, self.restore_story_button, self.restore_library_button)),
            (lower, (self.export_button, self.import_button)),
        ):
            row.setSpacing(SPACE_S)
            for button in buttons:
                row.addWidget(button)
        upper.insertStretch(2, 1)
        lower.addStretch(1)
        lower.addWidget(self.cancel_button)
        lower.addWidget(close)
        for button in self.findChildren(QPushButton):
            button.setAutoDefault(False)
        rows = QVBoxLayout()
        rows.setSpacing(SPACE_S)
        rows.addLayout(upper)
        rows.addLayout(lower)
        return rows

    def choose_export(self) -> None:
        """Ask where the library file goes and write it there."""
        today = datetime.datetime.now().astimezone().date().isoformat()
        name = self.tr("Storydesk library {date}.zip").format(date=today)
        path, _kind = QFileDialog.getSaveFileName(
            self, self.tr("Save the library as a file"), name, self.tr("Library files (*.zip)")
        )
        if path:
            chosen = Path(path)
            self._controller.export_library(chosen if chosen.suffix else chosen.with_suffix(".zip"))

    def choose_import(self) -> None:
        """Ask for a library file and add its stories."""
        path, _kind = QFileDialog.getOpenFileName(
            self, self.tr("Add stories from a library file"), "", self.tr("Library files (*.zip)")
        )
        if path:
            self._controller.import_library(Path(path))

    # What has come

    @Slot(object)
    def _on_listed(self, backups: Sequence[BackupFile]) -> None:
        self.backups.clear()
        for backup in backups:
            item = QListWidgetItem(f"{_say_time(backup.taken)}\n{self._say_reason(backup.reason)} · {_size(backup)}")
            item.setData(_DATA, backup)
            self.backups.addItem(item)
        if not backups:
            self.inside.setText(self.tr("There is no backup yet; the first one is made when you open Storydesk again."))
        else:
            self.backups.setCurrentRow(0)
        self._set_buttons()

    @Slot(object, object)
    def _on_looked(self, backup: Path, content: BackupContent) -> None:
        chosen = self._chosen_backup()
        if chosen is None or chosen.path != backup:
            return
        self.stories.clear()
        for story in content.stories:
            item = QListWidgetItem(self._say_story(story))
            item.setData(_DATA, story)
            self.stories.addItem(item)
        whole = self.tr("Checked: whole and readable.")
        count = self.tr("%Ln stories", "", len(content.stories))
        self.inside.setText(f"{count}. {whole}")
        if content.stories:
            self.stories.setCurrentRow(0)
        self._set_buttons()

    @Slot(object)
    def _on_started(self, task: Task) -> None:
        words = {
            Task.BACK_UP: self.tr("Making a backup…"),
            Task.RESTORE_LIBRARY: self.tr("Bringing everything back…"),
            Task.RESTORE_STORY: self.tr("Bringing the story back…"),
            Task.EXPORT: self.tr("Writing the library file…"),
            Task.IMPORT: self.tr("Adding the stories…"),
            Task.CHECK: self.tr("Checking the library…"),
        }
        self.said.setText(words[task])
        self.progress.setRange(0, 0)
        self.progress.show()
        self.cancel_button.setVisible(task is Task.EXPORT)
        self._set_buttons()

    @Slot(object, object)
    def _on_finished(self, task: Task, value: object) -> None:
        self.said.setText(self._say_end(task, value))
        self._settle()

    @Slot(object)
    def _on_failed(self, failure: Failure) -> None:
        cancelled = failure.code == FailureCode.CANCELLED
        said = self.tr("Cancelled; nothing was written.") if cancelled else " ".join(self._phrases.say(failure))
        self.said.setText(said.strip())
        self._settle()

    @Slot(object, object)
    def _on_progressed(self, done: int, total: int) -> None:
        self.progress.setRange(0, max(1, total))
        self.progress.setValue(done)

    def _settle(self) -> None:
        self.progress.hide()
        self.cancel_button.hide()
        self._set_buttons()

    def _say_end(self, task: Task, value: object) -> str:
        if task is Task.CHECK:
            found = list(value) if isinstance(value, Sequence) else []
            if not found:
                return self.tr("The library is whole.")
            return self.tr("The library is damaged: {what}").format(what="; ".join(map(str, found[:3])))
        if task in (Task.EXPORT, Task.IMPORT):
            stories = value.stories if isinstance(value, ArchiveContent) else 0
            count = self.tr("%Ln stories", "", stories)
            words = self.tr("{count} written.") if task is Task.EXPORT else self.tr("{count} added to your library.")
            return words.format(count=count)
        if task is Task.BACK_UP:
            return self.tr("Backed up.") if value is not None else self.tr("There is no story to back up yet.")
        if task is Task.RESTORE_STORY:
            return self.tr("The story is back, beside the one that you have.")
        return self.tr("Everything is as it was then. How it was before is a backup of its own now.")

    # What is chosen

    def _chosen_backup(self) -> BackupFile | None:
        item = self.backups.currentItem()
        chosen = item.data(_DATA) if item is not None else None
        return chosen if isinstance(chosen, BackupFile) else None

    def _chosen_story(self) -> BackupStory | None:
        item = self.stories.currentItem()
        chosen = item.data(_DATA) if item is not None else None
        return chosen if isinstance(chosen, BackupStory) else None

    @Slot()
    def _on_backup_chosen(self) -> None:
        self.stories.clear()
        self.beginning.clear()
        backup = self._chosen_backup()
        if backup is not None:
            self.inside.setText(self.tr("Checking…"))
            self._controller.look(backup.path)
        self._set_buttons()

    @Slot()
    def _on_story_chosen(self) -> None:
        story = self._chosen_story()
        self.beginning.setText(_shorten(story.beginning) if story is not None else "")
        self._set_buttons()

    @Slot()
    def _on_restore_story_clicked(self) -> None:
        backup, story = self._chosen_backup(), self._chosen_story()
        if backup is not None and story is not None:
            date = QLocale().toString(QDateTime.fromSecsSinceEpoch(int(backup.taken)).date())
            title = self.tr("{title} ({date})").format(title=story.story.title or say_untitled(), date=date)
            self._controller.restore_story(backup.path, story.story.id, title)

    @Slot()
    def _on_restore_library_clicked(self) -> None:
        backup = self._chosen_backup()
        if backup is not None:
            self._controller.restore_library(backup.path)

    def _set_buttons(self) -> None:
        free = not self._controller.busy
        writes = free and not self._controller.read_only
        readable = self._chosen_backup() is not None and self.stories.count() > 0
        self.restore_story_button.setEnabled(writes and self._chosen_story() is not None)
        self.restore_library_button.setEnabled(writes and readable)
        self.import_button.setEnabled(writes)
        for button in (self.back_up_button, self.check_button, self.export_button):
            button.setEnabled(free)

    def _say_reason(self, reason: BackupReason) -> str:
        words = {
            BackupReason.DAY: self.tr("daily"),
            BackupReason.HAND: self.tr("made by you"),
            BackupReason.MIGRATION: self.tr("before an update"),
            BackupReason.RESTORE: self.tr("before bringing another back"),
        }
        return words[reason]

    def _say_story(self, story: BackupStory) -> str:
        title = story.story.title or say_untitled()
        if story.story.in_trash:
            title = self.tr("{title} (in the trash)").format(title=title)
        words = self.tr("%Ln words", "", story.words)
        drafts = self.tr("%Ln drafts", "", story.drafts)
        return f"{title}\n{words} · {drafts}"


def _make_list(name: str) -> QListWidget:
    made = QListWidget()
    made.setAccessibleName(name)
    made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setTextElideMode(Qt.TextElideMode.ElideRight)
    return made


def _make_caption(text: str, field: QWidget) -> QLabel:
    caption = make_label(text, "heading")
    caption.setBuddy(field)
    return caption


def _say_time(seconds: float) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(max(0.0, seconds)))
    date = QLocale().toString(moment.date(), QLocale.FormatType.LongFormat)
    return f"{date}, {QLocale().toString(moment.time(), QLocale.FormatType.ShortFormat)}"


def _shorten(text: str) -> str:
    """Return the first words of a text in one paragraph."""
    line = " ".join(text.split())
    return line if len(line) <= BEGINNING else line[: line.rfind(" ", 0, BEGINNING)] + " …"


def _size(backup: BackupFile) -> str:
    return say_size(backup.size)

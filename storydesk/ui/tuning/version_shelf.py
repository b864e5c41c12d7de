"""The texts that were kept, one for each tuning: when, how much, what was made of them; open one again, delete one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.data_desk_controller import KeptVersion
from storydesk.ui.theme import SPACE_S, FlowLayout, icon, make_label
from storydesk.ui.tuning.dataset_words import say_version, say_version_facts
from storydesk.ui.undo_bar import UNDO_MILLISECONDS, UndoBar
from storydesk.ui.window_timers import make_single_shot

LEAST_LINES: Final = 6
_KEY = Qt.ItemDataRole.UserRole


class VersionShelf(QWidget):
    """A list of versions, newest first. GUI thread."""

    open_wanted = Signal(object)
    """A KeptVersion to go back to."""
    deletion_wanted = Signal(object)
    """A KeptVersion that is to be deleted for good; the time for an undo is over."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self._versions: tuple[KeptVersion, ...] = ()
        self._going: KeptVersion | None = None
        self._gone_due = make_single_shot(self, UNDO_MILLISECONDS, self.flush)
        self.hint = make_label(
            self.tr(
                "Each tuning keeps the text that it learned from. Those texts stand here, so that you can always see "
                "what a model was made of, and go back."
            ),
            "muted",
        )
        self.list = QListWidget()
        self.list.setAccessibleName(self.tr("Texts that were kept"))
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMinimumHeight(self.list.fontMetrics().lineSpacing() * LEAST_LINES)
        self.list.currentItemChanged.connect(lambda *_: self._fit())
        self.list.itemActivated.connect(lambda _item: self._on_open_clicked())
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.list)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._on_delete_clicked)
        self.open_button = QPushButton(icon("arrow-bend-up-left"), self.tr("Go back to it"))
        self.open_button.setToolTip(self.tr("What is here now is kept first, so that you can come back"))
        self.open_button.clicked.connect(self._on_open_clicked)
        self.delete_button = QPushButton(icon("trash"), self.tr("Delete it"))
        self.delete_button.setProperty("role", "flat")
        self.delete_button.clicked.connect(self._on_delete_clicked)
        buttons = FlowLayout()
        buttons.add(self.open_button, self.delete_button)
        self.undo_bar = UndoBar()
        self.undo_bar.undone.connect(self._on_undone)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.hint)
        column.addWidget(self.list, 1)
        column.addWidget(self.undo_bar)
        column.addLayout(buttons)
        self._fit()

    @property
    def current(self) -> KeptVersion | None:
        """The version that is chosen."""
        item = self.list.currentItem()
        key = item.data(_KEY) if item is not None else None
        return next((each for each in self._versions if _key(each) == key), None)

    def show_versions(self, versions: Sequence[KeptVersion]) -> None:
        """Show these; what was chosen stays chosen."""
        self._versions = tuple(versions)
        chosen = self.current
        with QSignalBlocker(self.list):
            self.list.clear()
            for each in self._versions:
                if self._going is None or _key(each) != _key(self._going):
                    item = QListWidgetItem(icon("stack"), self._say(each), self.list)
                    item.setData(_KEY, _key(each))
                    if chosen is not None and _key(each) == _key(chosen):
                        self.list.setCurrentItem(item)
            if self.list.currentRow() < 0 and self.list.count():
                self.list.setCurrentRow(0)
        self._fit()

    def flush(self) -> None:
        """Delete what was put away; it can't be brought back from now on."""
        self._gone_due.stop()
        self.undo_bar.hide()
        going, self._going = self._going, None
        if going is not None:
            self.deletion_wanted.emit(going)

    def undo(self) -> bool:
        """Bring back what was put away just now; say whether there was something."""
        if self._going is None:
            return False
        self.undo_bar.hide()
        self._on_undone()
        return True

    def _say(self, kept: KeptVersion) -> str:
        lines = [say_version(kept.version), say_version_facts(kept.version)]
        if kept.models:
            lines.append(self.tr("Models made of it: {names}").format(names=", ".join(kept.models)))
        elif kept.version.sources:
            lines.append(", ".join(kept.version.sources))
        return "\n".join(lines)

    def _fit(self) -> None:
        there = self.current is not None
        self.open_button.setEnabled(there)
        self.delete_button.setEnabled(there)
        self.list.setVisible(self.list.count() > 0)

    def _on_open_clicked(self) -> None:
        current = self.current
        if current is not None:
            self.open_wanted.emit(current)

    def _on_delete_clicked(self) -> None:
        current = self.current
        if current is None:
            return
        self.flush()
        self._going = current
        self.show_versions(self._versions)
        self._gone_due.start()
        self.undo_bar.offer(self.tr("The text of {moment} was deleted.").format(moment=say_version(current.version)))

    def _on_undone(self) -> None:
        self._gone_due.stop()
        self._going = None
        self.show_versions(self._versions)


def _key(kept: KeptVersion) -> str:
    return f"{kept.dataset} {kept.version.fingerprint}"

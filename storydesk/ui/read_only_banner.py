"""What a second window says: that another one writes the library, and when that one is gone, that this one could."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QWidget

from storydesk.bridge.workroom import Workroom
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, make_label, set_role

LOOK_MILLISECONDS = 2000


class ReadOnlyBanner(QFrame):
    """A line above the page of a window that may not write. GUI thread."""

    write_wanted = Signal()
    """The writer wants to write here; the library has to be opened anew for that."""

    def __init__(self, workroom: Workroom, parent: QWidget | None = None) -> None:
        """Show itself where the window may not write; ``begin`` looks out for the other window's end."""
        super().__init__(parent)
        self._workroom = workroom
        self._looking = False
        set_role(self, "notice")
        self.label = make_label()
        self.button = QPushButton(self.tr("Write here"))
        self.button.clicked.connect(self.write_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_L, SPACE_S, SPACE_L, SPACE_S)
        row.setSpacing(SPACE_M)
        row.addWidget(self.label, 1)
        row.addWidget(self.button)
        self._due = QTimer(self)
        self._due.setInterval(LOOK_MILLISECONDS)
        self._due.timeout.connect(self.look)
        self._say(free=False)
        self.setVisible(workroom.manuscripts.read_only)

    def begin(self) -> None:
        """Look every few seconds whether the other window is still there."""
        if self._workroom.manuscripts.read_only:
            self._due.start()

    @Slot()
    def look(self) -> None:
        """Ask on the library's thread, once at a time."""
        if not self._looking:
            self._looking = True
            self._workroom.library.submit(
                self._workroom.desk.manuscripts.has_no_writer, self._on_looked, lambda _failure: self._on_looked(False)
            )

    def close_down(self) -> None:
        """Look no more."""
        self._due.stop()

    def _on_looked(self, free: bool) -> None:
        self._looking = False
        if free is not self.button.isVisibleTo(self):
            self._say(free=free)
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.label.text()))

    def _say(self, *, free: bool) -> None:
        busy = self.tr("This library is open in another window, so here you can read but not change anything.")
        text = self.tr("The other window is closed. You can write here now.") if free else busy
        self.label.setText(text)
        self.setAccessibleName(text)
        self.button.setVisible(free)

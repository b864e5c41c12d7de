"""A data set of the Hub, asked for by its name: nothing is fetched before the writer says so."""

from __future__ import annotations

import re
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QPushButton, QVBoxLayout, QWidget

from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon, make_label, set_hint

# What stands before the name in the address that one copies out of a browser.
_ADDRESS: Final = re.compile(r"^(?:https?://)?(?:[\w.-]+/)?datasets/(?=[^/]+/[^/]+)|^hub:", re.IGNORECASE)
_NAME: Final = re.compile(r"[\w][\w.-]*/[\w][\w.-]*", re.ASCII)


def read_name(words: str) -> str:
    """Return ``owner/name`` out of what was typed or pasted; empty where it is none."""
    rest = _ADDRESS.sub("", words.strip()).strip("/")
    name = "/".join(rest.split("?")[0].split("/")[:2])
    return name if _NAME.fullmatch(name) else ""


class HubRow(QFrame):
    """Hidden until it is wanted. GUI thread."""

    wanted = Signal(str)
    """``owner/name`` of the data set that is to be fetched."""
    left = Signal()
    """The writer thought better of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Ask for a name."""
        super().__init__(parent)
        self.setProperty("role", "card")
        self.field = QLineEdit()
        set_hint(self.field, self.tr("owner/name"))
        self.field.setAccessibleName(self.tr("Name of the data set"))
        self.field.setMinimumWidth(self.fontMetrics().averageCharWidth() * 24)
        self.field.textChanged.connect(self._fit)
        self.field.returnPressed.connect(self._on_wanted)
        self.fetch_button = QPushButton(icon("download-simple"), self.tr("Fetch it"))
        self.fetch_button.clicked.connect(self._on_wanted)
        self.leave_button = QPushButton(self.tr("Cancel"))
        self.leave_button.setProperty("role", "flat")
        self.leave_button.clicked.connect(self._on_left)
        row = FlowLayout(space=SPACE_S)
        row.add(self.field, stretched=True)
        row.add(self.fetch_button, self.leave_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_S)
        column.addWidget(
            make_label(
                self.tr(
                    "This is fetched from the internet, from the Hugging Face Hub, under the name that its owner gave "
                    "it. Nothing of yours is sent there. Look at its licence before you share a model made of it."
                ),
                "muted",
            )
        )
        column.addLayout(row)
        leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        leave.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(self._on_left)
        self._fit()
        self.hide()

    def ask(self) -> None:
        """Show the field and put the cursor there."""
        self.show()
        self.field.setFocus(Qt.FocusReason.OtherFocusReason)
        self.field.selectAll()

    def _fit(self) -> None:
        self.fetch_button.setEnabled(bool(read_name(self.field.text())))

    def _on_wanted(self) -> None:
        name = read_name(self.field.text())
        if name:
            self.hide()
            self.field.clear()
            self.wanted.emit(name)

    def _on_left(self) -> None:
        self.hide()
        self.left.emit()

"""What stands in the middle while there is no story yet: a way to begin."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, Qt, Signal
from PySide6.QtGui import QAction, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_XL, FlowLayout, WrapButton, icon, make_label, scaled, set_role

MOST_WIDTH = 520


def sample_prompt() -> str:
    """Return a prompt to try."""
    return QCoreApplication.translate("EmptyPage", "She finds a door on the beach at low tide, and it is warm.")


class EmptyPage(QFrame):
    """The first thing a new writer sees. GUI thread."""

    sample_wanted = Signal(str)
    """The writer wants to see the model answer this prompt."""
    painted = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        """Offer to write, to import, and to try a sample prompt."""
        super().__init__(parent)
        set_role(self, "page")
        inside = QWidget(self)
        inside.setMaximumWidth(scaled(MOST_WIDTH))
        column = QVBoxLayout(inside)
        column.setSpacing(SPACE_M)
        column.addWidget(make_label(self.tr("A blank page, and somebody to write with"), "title", inside))
        column.addWidget(
            make_label(
                self.tr(
                    "Write as you always do. At the cursor, the model can go on with your story; "
                    "later you can teach it your own voice. Nothing leaves this computer."
                ),
                "",
                inside,
            )
        )
        column.addSpacing(SPACE_M)
        self.new_button = QPushButton(actions["new_story"].text(), inside)
        self.new_button.setIcon(icon("plus", "on_accent"))
        set_role(self.new_button, "primary")
        self.new_button.clicked.connect(actions["new_story"].trigger)
        self.import_button = QPushButton(actions["import_story"].text(), inside)
        self.import_button.setIcon(icon("download-simple"))
        self.import_button.clicked.connect(actions["import_story"].trigger)
        row = FlowLayout(space=SPACE_M)
        row.add(self.new_button, self.import_button)
        column.addLayout(row)
        column.addSpacing(SPACE_L)
        column.addWidget(make_label(self.tr("Or try this prompt:"), "muted", inside))
        self.sample_button = WrapButton(f"“{sample_prompt()}”", inside)
        self.sample_button.setToolTip(self.tr("Begins a story with this prompt and lets the model write"))
        self.sample_button.clicked.connect(lambda: self.sample_wanted.emit(sample_prompt()))
        sample_row = FlowLayout()
        sample_row.add(self.sample_button)
        column.addLayout(sample_row)
        for button in (self.new_button, self.import_button, self.sample_button):
            button.setEnabled(actions["new_story"].isEnabled())
        outer = QVBoxLayout(self)
        outer.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        outer.addStretch(2)
        middle = QHBoxLayout()
        middle.addStretch(1)
        middle.addWidget(inside, 8)
        middle.addStretch(1)
        outer.addLayout(middle)
        outer.addStretch(3)
        outer.setAlignment(Qt.AlignmentFlag.AlignHCenter)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, and tell."""
        super().paintEvent(event)
        self.painted.emit()

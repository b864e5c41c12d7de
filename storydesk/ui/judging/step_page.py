"""A page of judging that turns between steps: a title, the way back, the step, and the step's buttons below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.ui.judging.desk_keys import hear
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_XL, VerticalArea, icon, make_label, set_role


class StepPage(QWidget):
    """Shows one step at a time. GUI thread."""

    leave_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin without steps; ``build`` puts them in."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._parts: list[tuple[QWidget, QWidget]] = []

    def build(self, title: str, steps: Sequence[tuple[QWidget, QWidget]]) -> None:
        """Lay out the page with its steps, each with its buttons, and show the first."""
        self._parts = list(steps)
        self.back_button = QPushButton(icon("arrow-left"), self.tr("Back to judging"))
        set_role(self.back_button, "flat")
        self.back_button.clicked.connect(self.leave)
        head = QHBoxLayout()
        head.addWidget(make_label(title, "title"), 1)
        head.addWidget(self.back_button)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_L)
        # Widgets of which one shows; a QStackedWidget would be as tall as the tallest of them.
        for step, _buttons in self._parts:
            column.addWidget(step, 1)
        page = QVBoxLayout(self)
        page.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_L)
        page.setSpacing(SPACE_M)
        page.addLayout(head)
        page.addWidget(VerticalArea(inside), 1)
        for _step, buttons in self._parts:
            page.addWidget(buttons)
        hear(self, ("Esc",), self.leave)
        self.show_step(self._parts[0][0])

    def show_step(self, shown: QWidget) -> None:
        """Show one of the steps and its buttons."""
        for step, buttons in self._parts:
            step.setVisible(step is shown)
            buttons.setVisible(step is shown)

    def leave(self) -> None:
        """Go back; a job goes on beside it. A last step that was read is done with: the next visit begins anew."""
        if self._parts[-1][0].isVisibleTo(self):
            self.show_step(self._parts[0][0])
        self.leave_wanted.emit()

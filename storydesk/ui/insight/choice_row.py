"""A row of words of which one is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QToolButton, QWidget

from storydesk.ui.theme import SPACE_XS, FlowLayout, set_role


class ChoiceRow(QWidget):
    """Offers a few names side by side. GUI thread."""

    chosen = Signal(str)
    """The writer chose the one of this key."""

    def __init__(self, name: str, choices: Mapping[str, str], parent: QWidget | None = None) -> None:
        """``choices`` are words by key; the first is chosen."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.buttons: dict[str, QToolButton] = {}
        group = QButtonGroup(self)
        row = FlowLayout(self, space=SPACE_XS)
        for key, words in choices.items():
            button = QToolButton(self)
            button.setText(words)
            button.setCheckable(True)
            button.setAccessibleName(f"{name}: {words}")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
            set_role(button, "flat")
            button.clicked.connect(lambda _checked=False, key=key: self.chosen.emit(key))
            group.addButton(button)
            row.add(button)
            self.buttons[key] = button
        next(iter(self.buttons.values())).setChecked(True)

    @property
    def current(self) -> str:
        """The key of what is chosen."""
        return next(key for key, button in self.buttons.items() if button.isChecked())

    def choose(self, key: str) -> None:
        """Choose one without telling anybody."""
        self.buttons[key].setChecked(True)

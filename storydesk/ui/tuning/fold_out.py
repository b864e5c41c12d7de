"""Something for experts, one click behind."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QSizePolicy, QVBoxLayout, QWidget

from storydesk.ui.theme import SPACE_S, icon


class FoldOut(QWidget):
    """A button with a widget below it that shows and hides. GUI thread."""

    def __init__(self, title: str, inside: QWidget, parent: QWidget | None = None) -> None:
        """Start folded."""
        super().__init__(parent)
        self.inside = inside
        self.button = QPushButton(icon("caret-right"), title)
        self.button.setProperty("role", "flat")
        self.button.setCheckable(True)
        self.button.toggled.connect(self._on_toggled)
        row = QVBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        row.addWidget(self.button, 0)
        row.addWidget(inside)
        self.button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        inside.hide()

    def _on_toggled(self, shown: bool) -> None:
        self.button.setIcon(icon("caret-down" if shown else "caret-right"))
        self.inside.setVisible(shown)

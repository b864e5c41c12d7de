"""Contents that can be scrolled up and down where the screen is small, and are never cut at their sides."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

LEAST_LINES = 5


class VerticalArea(QScrollArea):
    """As large as its contents where there is room. GUI thread."""

    def __init__(self, inside: QWidget, parent: QWidget | None = None) -> None:
        """Show ``inside``; the keys go to what is in it."""
        super().__init__(parent)
        inside.setObjectName("scrolled")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inside)
        self._inside = inside

    def sizeHint(self) -> QSize:
        """Ask for the size of the contents."""
        hint = self._inside.sizeHint()
        return QSize(hint.width() + self._room_for_bar(), hint.height())

    def minimumSizeHint(self) -> QSize:
        """Ask for their whole width, and a few lines of their height."""
        hint = self._inside.minimumSizeHint()
        lines = self.fontMetrics().lineSpacing() * LEAST_LINES
        return QSize(hint.width() + self._room_for_bar(), min(hint.height(), lines))

    def _room_for_bar(self) -> int:
        return self.verticalScrollBar().sizeHint().width()

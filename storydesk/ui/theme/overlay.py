"""What lies over the window for a while: a soft shadow under it, the rest of the window dimmed behind it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QGraphicsDropShadowEffect, QWidget

from storydesk.ui.theme.application import current_tokens

SHADOW = 28
SHADOW_STRENGTH = 70
DIM = 0.72


def cast_shadow(widget: QWidget) -> None:
    """Lift a widget off what lies behind it."""
    shadow = QGraphicsDropShadowEffect(widget)
    shadow.setBlurRadius(SHADOW)
    shadow.setOffset(0, 6)
    shadow.setColor(QColor(0, 0, 0, SHADOW_STRENGTH))
    widget.setGraphicsEffect(shadow)


class Veil(QWidget):
    """Dims a window behind a card and catches the clicks meant for what is dimmed. GUI thread."""

    def __init__(self, window: QWidget) -> None:
        """Stay hidden until ``show``."""
        super().__init__(window)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        window.installEventFilter(self)
        self.hide()

    def spread(self) -> None:
        """Cover the whole window."""
        self.setGeometry(self.window().rect())
        self.show()
        self.raise_()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the window."""
        if event.type() == QEvent.Type.Resize and watched is self.window():
            self.setGeometry(self.window().rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the window's colour over everything, not quite."""
        colour = QColor(current_tokens().window)
        colour.setAlphaF(DIM)
        painter = QPainter(self)
        painter.fillRect(self.rect(), colour)
        painter.end()

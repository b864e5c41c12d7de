"""Sizes that grow with the text, and windows that are never larger than the screen."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QFontInfo, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

from storydesk.ui.theme.fonts import SMALLEST_TEXT

SHARE_OF_SCREEN = 0.94


def text_scale() -> float:
    """Return how much larger than usual the interface's text is, 1 at least."""
    return max(1.0, QFontInfo(QApplication.font()).pixelSize() / SMALLEST_TEXT)


def scaled(pixels: int) -> int:
    """Return a length that grows with the interface's text."""
    return round(pixels * text_scale())


class ScaledWidth(QObject):
    """Keeps a widget as wide as its text needs it, also when the text grows. GUI thread."""

    def __init__(self, widget: QWidget, pixels: int) -> None:
        """Belong to the widget; ``pixels`` is its width with text of the usual size."""
        super().__init__(widget)
        self._widget = widget
        self._pixels = pixels
        widget.installEventFilter(self)
        widget.setFixedWidth(scaled(pixels))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Fit another font."""
        if event.type() in (QEvent.Type.ApplicationFontChange, QEvent.Type.FontChange):
            self._widget.setFixedWidth(scaled(self._pixels))
        return super().eventFilter(watched, event)


def resize_on_screen(window: QWidget, width: int, height: int) -> None:
    """Give a window its size, and less where the screen is small."""
    screen = window.screen() or QGuiApplication.primaryScreen()
    room = screen.availableGeometry().size() * SHARE_OF_SCREEN
    window.resize(min(width, room.width()), min(height, room.height()))

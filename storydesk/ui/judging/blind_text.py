"""A text to judge: in the page's own letters, read only, with its beginning in sight."""

from __future__ import annotations

from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QTextBrowser, QWidget

LEAST_LINES = 3


class BlindText(QTextBrowser):
    """Shows a text and nothing of who wrote it. GUI thread."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        """``name`` is what a screen reader says."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setMinimumHeight(self.fontMetrics().lineSpacing() * LEAST_LINES)

    def set_letters(self, font: QFont) -> None:
        """Write in the page's font."""
        self.document().setDefaultFont(font)

    @property
    def letters(self) -> QFontMetrics:
        """The measures of the font that texts are written in, which is not the interface's."""
        return QFontMetrics(self.document().defaultFont())

    def show_text(self, text: str) -> None:
        """Show another text from its beginning."""
        self.setPlainText(text.strip())
        self.verticalScrollBar().setValue(0)

    def turn(self, pages: int) -> None:
        """Turn so many screens forth, or back."""
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + pages * max(1, bar.pageStep() - self.fontMetrics().lineSpacing()))

"""One way to go on, as a card: its text, how surprising it is, and the key that takes it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from storydesk.bridge.writing_controller import Candidate
from storydesk.ui.theme import SPACE_M, SPACE_S, set_role

LINES = 3


class CandidateCard(QFrame):
    """Shows the beginning of a candidate; a click or Return chooses it. GUI thread."""

    chosen = Signal(int)

    def __init__(self, candidate: Candidate, parent: QWidget | None = None) -> None:
        """Show a candidate as far as it has come."""
        super().__init__(parent)
        set_role(self, "card")
        self.number = candidate.number
        self._whole = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.text_label = QLabel(self)
        self.text_label.setWordWrap(True)
        self.text_label.setTextFormat(Qt.TextFormat.PlainText)
        self.text_label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.chip = QLabel(self)
        set_role(self.chip, "chip-accent" if candidate.number == 1 else "chip")
        key = self.tr("Tab to accept") if candidate.number == 1 else f"Alt+{candidate.number}"
        self.key_label = QLabel(key, self)
        set_role(self.key_label, "muted")
        foot = QHBoxLayout()
        foot.addWidget(self.chip)
        foot.addStretch(1)
        foot.addWidget(self.key_label)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_S + 1, SPACE_M, SPACE_S + 1)
        column.setSpacing(SPACE_S)
        column.addWidget(self.text_label)
        column.addLayout(foot)
        self.show_candidate(candidate)

    def show_candidate(self, candidate: Candidate) -> None:
        """Show the candidate as it is now."""
        self._whole = " ".join(candidate.text.split())
        if candidate.perplexity:
            measured = self.tr("perplexity {value}").format(value=f"{candidate.perplexity:.0f}")
        elif candidate.ended:
            measured = self.tr("written")
        else:
            measured = self.tr("writing …") if candidate.text else self.tr("waiting …")
        self.chip.setText(measured)
        self.setToolTip(candidate.text.strip())
        self.setAccessibleName(
            self.tr("Way {number}, {measured}: {text}").format(
                number=candidate.number, measured=measured, text=self._whole
            )
        )
        self._fit_text()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the text to the new width."""
        super().resizeEvent(event)
        self._fit_text()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Choose this way."""
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self.chosen.emit(self.number)
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose this way with Return or the space bar."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.chosen.emit(self.number)
        else:
            super().keyPressEvent(event)

    def _fit_text(self) -> None:
        """Show as many words as three lines hold."""
        metrics = QFontMetrics(self.text_label.font())
        width = max(self.width() - 2 * SPACE_M - 2, 60)
        words = self._whole.split(" ")
        fitting = len(words)
        while fitting > 1 and not self._fits(metrics, width, words, fitting):
            fitting = min(fitting - 1, max(1, fitting * 3 // 4)) if fitting > 48 else fitting - 1
        shown = " ".join(words[:fitting]) + (" …" if fitting < len(words) else "")
        if shown != self.text_label.text():
            self.text_label.setText(shown)

    @staticmethod
    def _fits(metrics: QFontMetrics, width: int, words: list[str], count: int) -> bool:
        text = " ".join(words[:count]) + " …"
        flags = int(Qt.TextFlag.TextWordWrap.value)
        height = metrics.boundingRect(0, 0, width, 10_000, flags, text).height()
        return height <= (metrics.lineSpacing() + 1) * LINES + 1

"""The quiet bar above the page: one notice at a time, what happened and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.notices import NoticeBus
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XS, make_label


class NoticeBar(QFrame):
    """Shows what the bus brings, the oldest first, until each is dismissed. GUI thread."""

    def __init__(self, bus: NoticeBus, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Stay hidden until there is something to say."""
        super().__init__(parent)
        self._phrases = phrases
        self._waiting: list[Failure] = []
        self.setProperty("role", "notice")
        self.setAccessibleName(self.tr("Notice"))
        self._sentence = make_label(selectable=True)
        self._remedy = make_label(role="muted", selectable=True)
        self._more = make_label(role="muted", wrap=False)
        self.dismiss_button = QPushButton(self.tr("Dismiss"))
        self.dismiss_button.clicked.connect(self._on_dismiss_clicked)
        texts = QVBoxLayout()
        texts.setSpacing(SPACE_XS)
        texts.addWidget(self._sentence)
        texts.addWidget(self._remedy)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE_L, SPACE_S, SPACE_M, SPACE_S)
        row.setSpacing(SPACE_M)
        row.addLayout(texts, 1)
        row.addWidget(self._more)
        row.addWidget(self.dismiss_button, 0, Qt.AlignmentFlag.AlignTop)
        self.hide()
        bus.listen(self._on_notice)

    @property
    def shown_text(self) -> str:
        """The sentence and remedy on show, empty while hidden."""
        return f"{self._sentence.text()} {self._remedy.text()}".strip() if self._waiting else ""

    def _on_notice(self, failure: Failure) -> None:
        if failure in self._waiting:
            return  # said once is enough
        self._waiting.append(failure)
        self._show_first(announce=len(self._waiting) == 1)

    def _on_dismiss_clicked(self) -> None:
        if self._waiting:
            self._waiting.pop(0)
        self._show_first(announce=True)

    def _show_first(self, *, announce: bool) -> None:
        if not self._waiting:
            self.hide()
            return
        sentence, remedy = self._phrases.say(self._waiting[0])
        self._sentence.setText(sentence)
        self._remedy.setText(remedy)
        self._remedy.setVisible(bool(remedy))
        others = len(self._waiting) - 1
        self._more.setText(self.tr("{count} more").format(count=others))
        self._more.setVisible(others > 0)
        self.show()
        if announce:
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, f"{sentence} {remedy}".strip()))

"""The first minute: three panes that lie over the window and go away for good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAction, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from storydesk.ui.theme import (
    CARD_RADIUS,
    SPACE_L,
    SPACE_M,
    SPACE_S,
    SPACE_XL,
    FlowLayout,
    Veil,
    cast_shadow,
    icon,
    make_label,
    set_role,
)

WIDTH_IN_LETTERS: Final = 62
PICTURE: Final = 40


@dataclass(frozen=True, slots=True)
class Pane:
    """One thing to know: heading, a few sentences, and what can be done about it at once."""

    picture: str
    heading: str
    text: str
    offer: str
    action: str


class TourCard(QFrame):
    """Shows one pane after the other. GUI thread."""

    left = Signal()
    """The writer has seen enough."""
    sample_wanted = Signal()
    """The writer wants to see the model answer the sample prompt."""

    def __init__(self, actions: Mapping[str, QAction], window: QWidget) -> None:
        """Stay hidden until ``open``."""
        super().__init__(window)
        set_role(self, "card")
        self.setAccessibleName(self.tr("A short tour"))
        self._actions = actions
        self._panes = self._make_panes()
        self._at = 0
        self.picture = QLabel(self)
        self.picture.setFixedSize(PICTURE, PICTURE)
        self.heading = make_label("", "title", self)
        self.text = make_label("", "", self)
        self.place = make_label("", "muted", self, wrap=False)
        self.offer_button = QPushButton(self)
        self.offer_button.clicked.connect(self._on_offer_clicked)
        self.skip_button = QPushButton(self.tr("Skip the tour"), self)
        set_role(self.skip_button, "flat")
        self.skip_button.clicked.connect(self.leave)
        self.back_button = QPushButton(self.tr("Back"), self)
        self.back_button.clicked.connect(lambda: self._show_pane(self._at - 1))
        self.next_button = QPushButton(self)
        set_role(self.next_button, "primary")
        self.next_button.clicked.connect(self._on_next_clicked)
        self._lay_out()
        self._veil = Veil(window)
        cast_shadow(self)
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Begin with the first pane."""
        self._show_pane(0)
        self._place()
        self._veil.spread()
        self.show()
        self.raise_()
        self.next_button.setFocus(Qt.FocusReason.PopupFocusReason)

    @Slot()
    def leave(self) -> None:
        """Go away."""
        if self.isVisible():
            self.hide()
            self._veil.hide()
            self.left.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Turn the panes with the arrow keys; Esc leaves."""
        if event.key() == Qt.Key.Key_Escape:
            self.leave()
        elif event.key() == Qt.Key.Key_Right and self._at + 1 < len(self._panes):
            self._show_pane(self._at + 1)
        elif event.key() == Qt.Key.Key_Left and self._at:
            self._show_pane(self._at - 1)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay in the middle of the window."""
        if event.type() == QEvent.Type.Resize and self.isVisible() and watched is self.window():
            self._place()
        return super().eventFilter(watched, event)

    def _make_panes(self) -> tuple[Pane, ...]:
        return (
            Pane(
                "pencil-line",
                self.tr("Write something now"),
                self.tr(
                    "Type as you always do. Where you stop, the model can go on: its words stand in colour behind "
                    "your cursor, and they are yours only when you take them. A small model is here already, so that "
                    "nothing has to be fetched first."
                ),
                self.tr("Show me with a sample"),
                "",
            ),
            Pane(
                "books",
                self.tr("Bring your stories"),
                self.tr(
                    "Word, OpenDocument, EPUB, Markdown and plain text all come in. The files themselves are left as "
                    "they are. With enough of your own words here, “Tune my model” can teach the model your voice."
                ),
                self._actions["import_story"].text(),
                "import_story",
            ),
            Pane(
                "lock-simple",
                self.tr("It stays with you"),
                self.tr(
                    "Stories, models and everything the model reads stay on this computer. Storydesk sends nothing, "
                    "counts nothing and asks the network for nothing, unless you ask it to fetch a larger model. Your "
                    "text is saved as you type, and backups are kept beside it."
                ),
                self._actions["palette"].text(),
                "palette",
            ),
        )

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(SPACE_M)
        top.addWidget(self.picture)
        top.addWidget(self.heading, 1)
        top.addWidget(self.place)
        offer = FlowLayout()
        offer.add(self.offer_button)
        buttons = FlowLayout(space=SPACE_S)
        buttons.add(self.next_button, self.back_button, self.skip_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_L)
        column.setSpacing(SPACE_L)
        column.addLayout(top)
        column.addWidget(self.text)
        column.addLayout(offer)
        column.addStretch(1)
        column.addSpacing(CARD_RADIUS)
        column.addLayout(buttons)
        for first, second in (
            (self.offer_button, self.next_button),
            (self.next_button, self.back_button),
            (self.back_button, self.skip_button),
        ):
            QWidget.setTabOrder(first, second)

    def _show_pane(self, at: int) -> None:
        self._at = at
        pane, last = self._panes[at], at + 1 == len(self._panes)
        self.picture.setPixmap(icon(pane.picture, "accent").pixmap(PICTURE, PICTURE))
        self.heading.setText(pane.heading)
        self.text.setText(pane.text)
        self.offer_button.setText(pane.offer)
        self.offer_button.setEnabled(not pane.action or self._actions[pane.action].isEnabled())
        self.place.setText(self.tr("{at} of {all}").format(at=at + 1, all=len(self._panes)))
        self.next_button.setText(self.tr("Begin") if last else self.tr("Next"))
        self.back_button.setVisible(at > 0)
        self.skip_button.setVisible(not last)
        if self.isVisible():
            self._place()
            if not self.focusWidget() or not self.focusWidget().isVisible():
                self.next_button.setFocus(Qt.FocusReason.OtherFocusReason)
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, f"{pane.heading}. {pane.text}"))

    def _place(self) -> None:
        window = self.window()
        width = min(self.fontMetrics().averageCharWidth() * WIDTH_IN_LETTERS, window.width() - 2 * SPACE_M)
        layout = self.layout()
        needed = layout.totalHeightForWidth(width) if layout is not None else 0
        height = min(max(needed, self.minimumSizeHint().height()), window.height() - 2 * SPACE_M)
        self.setGeometry((window.width() - width) // 2, (window.height() - height) // 3, width, height)

    @Slot()
    def _on_next_clicked(self) -> None:
        if self._at + 1 < len(self._panes):
            self._show_pane(self._at + 1)
        else:
            self.leave()

    @Slot()
    def _on_offer_clicked(self) -> None:
        wanted = self._panes[self._at].action
        self.leave()
        if wanted:
            self._actions[wanted].trigger()
        else:
            self.sample_wanted.emit()

"""A button whose words go on in a second line where there is little room."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QColor, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QStyle, QStyleOptionButton, QStylePainter, QWidget

from storydesk.ui.theme.application import current_tokens
from storydesk.ui.theme.tokens import SPACE_M, SPACE_S

_WRAP = Qt.TextFlag.TextWordWrap.value | Qt.TextFlag.TextShowMnemonic.value


class WrapButton(QPushButton):
    """Looks like any button and is never narrower than its longest word. GUI thread."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, leading: bool = False) -> None:
        """Show a text in the middle, or from where lines begin."""
        super().__init__(text, parent)
        side = Qt.AlignmentFlag.AlignLeading if leading else Qt.AlignmentFlag.AlignHCenter
        self._flags = int((side | Qt.AlignmentFlag.AlignVCenter).value | _WRAP)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        """Return True: a narrower button is higher."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of the wrapped words and the room around them."""
        room = QRect(0, 0, max(1, width - self._room_beside()), 10_000)
        needed = self.fontMetrics().boundingRect(room, self._flags, self.text())
        return needed.height() + 2 * SPACE_S

    def minimumSizeHint(self) -> QSize:
        """Return the size of the longest word."""
        words = self.text().replace("&", "").split() or [""]
        widest = max(self.fontMetrics().horizontalAdvance(word) for word in words)
        return QSize(widest + self._room_beside(), self.fontMetrics().height() + 2 * SPACE_S)

    def sizeHint(self) -> QSize:
        """Return the size with all words in one line."""
        width = self.fontMetrics().size(Qt.TextFlag.TextShowMnemonic.value, self.text()).width()
        return QSize(width + self._room_beside() + 2, self.fontMetrics().height() + 2 * SPACE_S)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Paint the button as the theme has it, then icon and words."""
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        icon, option.icon = self.icon(), type(self.icon())()
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        tokens = current_tokens()
        usual = tokens.on_accent if self.property("role") == "primary" else tokens.ink
        painter.setPen(QColor(usual if self.isEnabled() else tokens.disabled))
        room = self.rect().adjusted(SPACE_M, 0, -SPACE_M, 0)
        if not icon.isNull():
            size = self.iconSize()
            at = QRect(room.left(), (self.height() - size.height()) // 2, size.width(), size.height())
            icon.paint(painter, at)
            room.setLeft(at.right() + SPACE_S)
        painter.drawText(room, self._flags, self.text())

    def _room_beside(self) -> int:
        return 2 * SPACE_M + (0 if self.icon().isNull() else self.iconSize().width() + SPACE_S)

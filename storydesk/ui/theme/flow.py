"""A row that breaks where it is full, as words do: for buttons whose texts are longer in other languages."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtWidgets import QLayout, QLayoutItem, QWidget

from storydesk.ui.theme.tokens import SPACE_S


class FlowLayout(QLayout):
    """Lays its widgets out in lines, each as wide as it wants to be and no wider than the line. GUI thread.

    ``stretched`` widgets (by ``add``) share what a line has left.
    """

    def __init__(self, parent: QWidget | None = None, *, space: int = SPACE_S) -> None:
        """Begin empty, without margins."""
        super().__init__(parent)
        self._items: list[QLayoutItem] = []
        self._stretched: set[int] = set()
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(space)

    def add(self, *widgets: QWidget, stretched: bool = False) -> None:
        """Add widgets at the end."""
        for widget in widgets:
            self.addWidget(widget)
            if stretched:
                self._stretched.add(len(self._items) - 1)

    def addItem(self, item: QLayoutItem) -> None:
        """Take an item from Qt."""
        self._items.append(item)

    def count(self) -> int:
        """Return how many items there are."""
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:  # None ends Qt's walk
        """Return an item, None beyond the last."""
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        """Give an item up."""
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        """Return that it wants no more room than it needs."""
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        """Return True: fewer letters a line make more lines."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all lines."""
        return self._lay_out(QRect(0, 0, width, 0), move=False)

    def setGeometry(self, rect: QRect) -> None:
        """Put everything where it belongs."""
        super().setGeometry(rect)
        self._lay_out(rect, move=True)

    def sizeHint(self) -> QSize:
        """Return the size of one line with everything in it."""
        hints = [item.sizeHint() for item in self._items if not item.isEmpty()]
        width = sum(hint.width() for hint in hints) + self.spacing() * max(0, len(hints) - 1)
        return QSize(width, max((hint.height() for hint in hints), default=0))

    def minimumSize(self) -> QSize:
        """Return the width of the widest item: narrower than that something would be cut."""
        sizes = [item.minimumSize() for item in self._items if not item.isEmpty()]
        return QSize(
            max((size.width() for size in sizes), default=0), max((size.height() for size in sizes), default=0)
        )

    def _lay_out(self, rect: QRect, *, move: bool) -> int:
        """Return the height that the lines take; put the widgets there if asked to."""
        top, lines = rect.top(), self._break_lines(rect.width())
        for line in lines:
            height = max(
                item.heightForWidth(width) if item.hasHeightForWidth() else item.sizeHint().height()
                for _place, item, width in line
            )
            if move:
                self._put(line, rect, top, height)
            top += height + self.spacing()
        return max(0, top - rect.top() - (self.spacing() if lines else 0))

    def _break_lines(self, room: int) -> list[list[tuple[int, QLayoutItem, int]]]:
        lines: list[list[tuple[int, QLayoutItem, int]]] = []
        used = 0
        for place, item in enumerate(self._items):
            if item.isEmpty():
                continue
            width = min(item.sizeHint().width(), max(room, item.minimumSize().width()))
            if not lines or used + self.spacing() + width > room:
                lines.append([])
                used = width
            else:
                used += self.spacing() + width
            lines[-1].append((place, item, width))
        return lines

    def _put(self, line: list[tuple[int, QLayoutItem, int]], rect: QRect, top: int, height: int) -> None:
        spare = rect.width() - sum(width for _place, _item, width in line) - self.spacing() * (len(line) - 1)
        growing = [place for place, _item, _width in line if place in self._stretched]
        left = rect.left()
        parent = self.parentWidget()
        mirrored = parent is not None and parent.layoutDirection() == Qt.LayoutDirection.RightToLeft
        for place, item, width in line:
            if place in growing:
                width += max(0, spare) // len(growing)
            x = rect.right() + 1 - (left - rect.left()) - width if mirrored else left
            item.setGeometry(QRect(x, top, width, height))
            left += width + self.spacing()

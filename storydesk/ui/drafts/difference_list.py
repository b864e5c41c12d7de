"""What differs between two versions, one row a change, inline or side by side, each to be taken or left."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QListView, QWidget

from storydesk.domain.comparison import Difference
from storydesk.domain.manuscript import count_words
from storydesk.services.drafts import Comparison
from storydesk.ui.choice_delegate import ChoiceDelegate, Index, escape
from storydesk.ui.theme import current_tokens

_OLD = Qt.ItemDataRole.UserRole
_NEW = Qt.ItemDataRole.UserRole + 1
_INLINE = Qt.ItemDataRole.UserRole + 2
_AROUND = 70
"""Characters shown before and after a change."""
_LONGEST = 1600
"""Characters shown of a change; the rest is counted."""


class DifferenceItemModel(QAbstractListModel):
    """The differences of one comparison, each with a box. GUI thread."""

    choice_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with nothing compared."""
        super().__init__(parent)
        self.comparison = Comparison("", "", (), (), ())
        self.taken: frozenset[int] = frozenset()

    def show_comparison(self, comparison: Comparison) -> None:
        """Show other differences, none of them taken."""
        self.beginResetModel()
        self.comparison = comparison
        self.taken = frozenset()
        self.endResetModel()
        self.choice_changed.emit()

    def choose(self, taken: Iterable[int]) -> None:
        """Take these differences and no others."""
        self.taken = frozenset(taken)
        if self.comparison.differences:
            self.dataChanged.emit(self.index(0), self.index(self.rowCount() - 1))
        self.choice_changed.emit()

    def choose_all(self) -> None:
        """Take every difference."""
        self.choose(range(self.rowCount()))

    def rowCount(self, parent: Index | None = None) -> int:
        """Return how many differences there are."""
        return 0 if parent is not None and parent.isValid() else len(self.comparison.differences)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Let every difference be chosen and its box be changed."""
        return super().flags(index) | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Return a difference in words, as markup, or whether it is taken."""
        each = self.comparison.differences[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._say(each)
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if index.row() in self.taken else Qt.CheckState.Unchecked
        if role == _INLINE:
            return self._draw(each, gone=True, come=True)
        if role == _OLD:
            return self._draw(each, gone=True, come=False)
        if role == _NEW:
            return self._draw(each, gone=False, come=True)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take or leave a difference."""
        if role != Qt.ItemDataRole.CheckStateRole:
            return False
        row = {index.row()}
        self.taken = self.taken | row if Qt.CheckState(value) is Qt.CheckState.Checked else self.taken - row
        self.dataChanged.emit(index, index)
        self.choice_changed.emit()
        return True

    def _say(self, each: Difference) -> str:
        gone = self.comparison.old[each.old_start : each.old_end].strip()
        come = self.comparison.new[each.new_start : each.new_end].strip()
        if not gone:
            return self.tr("Put in: {words}").format(words=_shorten(come))
        if not come:
            return self.tr("Taken out: {words}").format(words=_shorten(gone))
        return self.tr("{old} became {new}").format(old=_shorten(gone), new=_shorten(come))

    def _draw(self, each: Difference, *, gone: bool, come: bool) -> str:
        """Return a change in its surroundings: what goes is struck out, what comes is underlined."""
        tokens = current_tokens()
        text, start, end = (
            (self.comparison.old, each.old_start, each.old_end)
            if gone
            else (self.comparison.new, each.new_start, each.new_end)
        )
        before, after = _look_before(text, start), _look_behind(text, end)
        old = self._cut(self.comparison.old[each.old_start : each.old_end]) if gone else ""
        new = self._cut(self.comparison.new[each.new_start : each.new_end]) if come else ""
        return "".join(
            (
                f'<span style="color:{tokens.muted}">{escape(before)}</span>',
                f'<s style="color:{tokens.problem}">{old}</s>' if old else "",
                f'<b style="color:{tokens.accent}"><u>{new}</u></b>' if new else "",
                f'<span style="color:{tokens.muted}">{escape(after)}</span>',
            )
        )

    def _cut(self, text: str) -> str:
        shown = escape(text[:_LONGEST])
        if len(text) <= _LONGEST:
            return shown
        more = self.tr("… and {n} words more").format(n=count_words(text[_LONGEST:]))
        return f"{shown} {escape(more)}"


def _look_before(text: str, place: int) -> str:
    """Return what stands before a place in its line, from a whole word on."""
    line = text.rfind("\n", 0, place) + 1
    if place - line <= _AROUND:
        return text[line:place]
    return "… " + text[place - _AROUND : place].partition(" ")[2]


def _look_behind(text: str, place: int) -> str:
    """Return what stands behind a place in its line, up to a whole word."""
    line = text.find("\n", place)
    line = len(text) if line < 0 else line
    if line - place <= _AROUND:
        return text[place:line]
    return text[place : place + _AROUND].rpartition(" ")[0] + " …"


def _shorten(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else f"{line[:120]}…"


class DifferenceDelegate(ChoiceDelegate):
    """Paints a change, inline or in two columns. GUI thread."""

    def __init__(self, view: QListView) -> None:
        """Begin inline."""
        super().__init__(view)
        self.in_columns = False

    def list_markup(self, index: Index) -> list[str]:
        """Return the change as a whole, or what was beside what is."""
        roles = (_OLD, _NEW) if self.in_columns else (_INLINE,)
        return [str(index.data(role)) for role in roles]


class DifferenceList(QListView):
    """The list of changes. GUI thread."""

    def __init__(self, model: DifferenceItemModel, parent: QWidget | None = None) -> None:
        """Show a model's changes inline."""
        super().__init__(parent)
        self._delegate = DifferenceDelegate(self)
        self.setModel(model)
        self.setItemDelegate(self._delegate)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setLayoutMode(QListView.LayoutMode.Batched)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setAccessibleName(self.tr("What differs"))

    def show_columns(self, in_columns: bool) -> None:
        """Show old and new side by side, or one in the other."""
        self._delegate.in_columns = in_columns
        self.scheduleDelayedItemsLayout()

    def step(self, by: int) -> None:
        """Go to the next change, or the one before."""
        rows = self.model().rowCount()
        if rows:
            row = self.currentIndex().row()
            self.setCurrentIndex(self.model().index(min(max(row + by, 0), rows - 1), 0))

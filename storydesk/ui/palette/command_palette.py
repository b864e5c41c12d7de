"""The palette itself: a field, and under it what fits; keyboard only if one likes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAction,
    QColor,
    QKeyEvent,
    QPainter,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFrame,
    QLineEdit,
    QListView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.settings import PALETTE_RECENT
from storydesk.services.ports import SettingsStore
from storydesk.ui.actions import TABLE
from storydesk.ui.palette.entries import PaletteEntry, choose_entries
from storydesk.ui.shortcuts import Shortcuts, say_key
from storydesk.ui.theme import (
    ICON_SIZE,
    SPACE_M,
    SPACE_S,
    cast_shadow,
    current_tokens,
    icon,
    make_label,
    set_hint,
    set_role,
)

WIDTH_IN_LETTERS: Final = 64
ROWS: Final = 11
RECENT_MOST: Final = 8
ASIDE: Final = Qt.ItemDataRole.UserRole + 1
_MOVES: Final = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class EntryDelegate(QStyledItemDelegate):
    """Writes the key of an action at the end of its line. GUI thread."""

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint the line, then its end; the words leave room for it."""
        aside = str(index.data(ASIDE) or "")
        room = option.fontMetrics.horizontalAdvance(aside) + 2 * SPACE_M if aside else 0
        whole = QRect(option.rect)
        super().paint(painter, option, index)
        if not room:
            return
        painter.save()
        painter.setPen(QColor(current_tokens().muted))
        painter.setFont(option.font)
        end = whole.adjusted(0, 0, -SPACE_M, 0)
        painter.drawText(end, Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter, aside)
        painter.restore()

    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """Shorten words that would run into what stands at the end."""
        super().initStyleOption(option, index)
        aside = str(index.data(ASIDE) or "")
        room = option.rect.width() - option.fontMetrics.horizontalAdvance(aside) - 4 * SPACE_M
        if room > 0:
            option.text = option.fontMetrics.elidedText(option.text, Qt.TextElideMode.ElideRight, room)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Ask for a line that a finger or a tired eye can hit."""
        return QSize(0, option.fontMetrics.height() + 2 * SPACE_S)


class CommandPalette(QFrame):
    """Lies over the window until something is chosen. GUI thread."""

    titles_wanted = Signal()
    """The palette opens and wants to know the titles there are; answer with ``offer_titles``."""
    story_wanted = Signal(int)

    def __init__(
        self, actions: Mapping[str, QAction], shortcuts: Shortcuts, settings: SettingsStore, window: QWidget
    ) -> None:
        """Stay hidden until ``open``."""
        super().__init__(window)
        set_role(self, "card")
        self._actions = actions
        self._shortcuts = shortcuts
        self._settings = settings
        self._titles: list[PaletteEntry] = []
        self.entries: list[PaletteEntry] = []
        """What is listed now, in order."""
        self._before: QWidget | None = None
        self.setAccessibleName(self.tr("Find an action or a story"))
        self.field = QLineEdit(self)
        set_hint(self.field, self.tr("What would you like to do?"))
        self.field.setAccessibleName(self.accessibleName())
        self.field.textChanged.connect(self._on_text_changed)
        self.field.installEventFilter(self)
        self.list = QListView(self)
        self.list.setAccessibleName(self.tr("What fits"))
        self.list.setModel(QStandardItemModel(self.list))
        self.list.setItemDelegate(EntryDelegate(self.list))
        self.list.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setUniformItemSizes(True)
        self.list.setIconSize(QSize(ICON_SIZE, ICON_SIZE))
        self.list.clicked.connect(self._on_clicked)
        self.nothing = make_label(self.tr("Nothing is called that. Try fewer or other words."), "muted", self)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_M, SPACE_M, SPACE_M, SPACE_M)
        column.setSpacing(SPACE_S)
        column.addWidget(self.field)
        column.addWidget(self.nothing)
        column.addWidget(self.list, 1)
        cast_shadow(self)
        self.hide()

    def open(self) -> None:
        """Show everything there is, the last used first, and take the keys; a second time closes it."""
        if self.isVisible():
            self.leave()
            return
        self._before = self.window().focusWidget()
        self._titles = []
        self.titles_wanted.emit()
        self.field.clear()
        self._show_fitting()
        self._place()
        self.show()
        self.raise_()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def offer_titles(self, titles: Sequence[tuple[int, str]]) -> None:
        """Offer stories to open: number and title."""
        kind = self.tr("Story")
        self._titles = [
            PaletteEntry(f"story {number}", title, kind, partial(self.story_wanted.emit, number), kind, is_action=False)
            for number, title in titles
        ]
        if self.isVisible():
            self._show_fitting()

    def leave(self) -> None:
        """Go away and give the keys back."""
        if not self.isVisible():
            return
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.PopupFocusReason)

    def run_current(self) -> None:
        """Do what is chosen."""
        row = self.list.currentIndex().row()
        if not 0 <= row < len(self.entries):
            return
        entry = self.entries[row]
        self.leave()
        if entry.is_action:
            recent = [entry.name, *(name for name in self._recent() if name != entry.name)]
            self._settings.set(PALETTE_RECENT, " ".join(recent[:RECENT_MOST]))
        entry.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Move in the list and choose while the cursor stays in the field; go when the keys go elsewhere."""
        if watched is not self.field:
            return super().eventFilter(watched, event)
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._hear(event)
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                event.accept()  # else the page's own Esc would be meant
                return True
        elif event.type() == QEvent.Type.FocusOut:
            self.hide()
        return super().eventFilter(watched, event)

    def _hear(self, event: QKeyEvent) -> bool:
        key = event.key()
        if key == Qt.Key.Key_Escape:
            self.leave()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.run_current()
        elif key in _MOVES:
            self._move(key)
        elif key not in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return False
        return True

    def _move(self, key: int) -> None:
        count = len(self.entries)
        if not count:
            return
        row = self.list.currentIndex().row()
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: -ROWS, Qt.Key.Key_PageDown: ROWS}
        step = steps[Qt.Key(key)]
        row = (row + step) % count if abs(step) == 1 else max(0, min(count - 1, row + step))
        self._choose(row)

    def _choose(self, row: int) -> None:
        self.list.setCurrentIndex(self.list.model().index(row, 0))
        entry = self.entries[row]
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.field, _say(entry)))

    @Slot(str)
    def _on_text_changed(self, _text: str) -> None:
        self._show_fitting()

    @Slot(QModelIndex)
    def _on_clicked(self, index: QModelIndex) -> None:
        self.list.setCurrentIndex(index)
        self.run_current()

    def _show_fitting(self) -> None:
        self.entries = choose_entries([*self._list_actions(), *self._titles], self.field.text(), self._recent())
        model = self.list.model()
        assert isinstance(model, QStandardItemModel)
        model.clear()
        for entry in self.entries:
            item = QStandardItem(entry.text)
            item.setIcon(self._actions[entry.name].icon() if entry.is_action else icon("book"))
            item.setData(entry.aside, ASIDE)
            item.setData(_say(entry), Qt.ItemDataRole.AccessibleTextRole)
            item.setToolTip(entry.text)
            model.appendRow(item)
        self.nothing.setVisible(not self.entries)
        if self.entries:
            self._choose(0)

    def _list_actions(self) -> list[PaletteEntry]:
        entries = []
        for spec in TABLE:
            action = self._actions[spec.id]
            if spec.id != "palette" and action.isEnabled():
                key = say_key(self._shortcuts.key(spec.id))
                words = action.text().replace("&", "")
                entries.append(PaletteEntry(spec.id, words, key, action.trigger, action.toolTip()))
        return entries

    def _recent(self) -> list[str]:
        return self._settings.get(PALETTE_RECENT).split()

    def _place(self) -> None:
        """Lie in the upper middle of the window, and never be larger than it."""
        window = self.window()
        width = min(self.fontMetrics().averageCharWidth() * WIDTH_IN_LETTERS, window.width() - 2 * SPACE_M)
        line = self.list.fontMetrics().height() + 2 * SPACE_S
        wanted = self.field.sizeHint().height() + line * ROWS + 2 * SPACE_M + SPACE_S + 2
        height = min(wanted, window.height() - 2 * SPACE_M)
        top = min(max(SPACE_M, window.height() // 10), window.height() - height - SPACE_M)
        self.setGeometry((window.width() - width) // 2, top, width, height)


def _say(entry: PaletteEntry) -> str:
    return f"{entry.text}, {entry.aside}" if entry.aside else entry.text

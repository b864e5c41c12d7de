"""All actions and their keys: to look them up, and to change them."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QLineEdit,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from storydesk.ui.actions import TABLE, find_spec
from storydesk.ui.palette.matching import score
from storydesk.ui.preferences.key_recorder import KeyRecorder
from storydesk.ui.shortcuts import Shortcuts, say_key
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, make_label, set_hint, set_role

LEAST_HEIGHT: Final = 160
NAME: Final = Qt.ItemDataRole.UserRole


class KeysPage(QWidget):
    """Lists every action with its key. GUI thread."""

    keys_changed = Signal()

    def __init__(self, shortcuts: Shortcuts, parent: QWidget | None = None) -> None:
        """Show the keys as they are."""
        super().__init__(parent)
        self._shortcuts = shortcuts
        self._wanted = ""
        self.filter = QLineEdit(self)
        set_hint(self.filter, self.tr("Find an action"))
        self.filter.setAccessibleName(self.tr("Find an action"))
        self.filter.setClearButtonEnabled(True)
        self.filter.textChanged.connect(self._on_filter_changed)
        self.table = self._make_table()
        self.said = make_label("", "muted", self)
        self.said.setAccessibleName(self.tr("About the key"))
        self.take_button = QPushButton(self)
        self.take_button.clicked.connect(self._on_take_clicked)
        self.recorder = KeyRecorder(self)
        self.recorder.key_heard.connect(self._on_key_heard)
        self.none_button = self._make_button(self.tr("No key"), self._on_none_clicked)
        self.usual_button = self._make_button(self.tr("Its usual key"), self._on_usual_clicked)
        self.all_usual_button = self._make_button(self.tr("All usual keys"), self._on_all_usual_clicked)
        row = FlowLayout(space=SPACE_S)
        row.add(self.recorder, self.none_button, self.usual_button, self.all_usual_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, SPACE_M, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.filter)
        column.addWidget(self.table, 1)
        column.addWidget(self.said)
        column.addWidget(self.take_button, 0, Qt.AlignmentFlag.AlignLeading)
        column.addLayout(row)
        self._fill()
        shortcuts.changed.connect(self._on_shortcuts_changed)

    def choose(self, name: str) -> None:
        """Turn to the line of an action."""
        for row in range(self.table.rowCount()):
            item = self.table.item(row, 0)
            if item is not None and item.data(NAME) == name:
                self.table.setCurrentCell(row, 0)

    @property
    def chosen(self) -> str:
        """The action of the current line, empty where there is none."""
        item = self.table.item(self.table.currentRow(), 0)
        return str(item.data(NAME)) if item is not None else ""

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, 2, self)
        table.setHorizontalHeaderLabels([self.tr("Action"), self.tr("Key")])
        table.setAccessibleName(self.tr("Actions and their keys"))
        table.verticalHeader().hide()
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        table.horizontalHeader().setHighlightSections(False)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)  # Tab goes on to the buttons
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setMinimumHeight(LEAST_HEIGHT)
        table.setWordWrap(False)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
        table.currentCellChanged.connect(self._on_line_changed)
        table.cellActivated.connect(lambda _row, _column: self.recorder.click())
        return table

    def _make_button(self, text: str, slot: object) -> QPushButton:
        button = QPushButton(text, self)
        button.clicked.connect(slot)
        return button

    def _fill(self) -> None:
        chosen, query = self.chosen, self.filter.text()
        self.table.setRowCount(0)
        for spec in TABLE:
            words, key = _say_action(spec.id), say_key(self._shortcuts.key(spec.id))
            if query.strip() and not (score(query, words) or score(query, key)):
                continue
            row = self.table.rowCount()
            self.table.insertRow(row)
            action = QTableWidgetItem(words)
            action.setData(NAME, spec.id)
            action.setToolTip(words)
            self.table.setItem(row, 0, action)
            held = QTableWidgetItem(key or "–")
            held.setData(Qt.ItemDataRole.AccessibleTextRole, key or self.tr("no key"))
            if self._shortcuts.is_changed(spec.id):
                font = held.font()
                font.setBold(True)
                held.setFont(font)
                held.setToolTip(self.tr("You chose this key"))
            self.table.setItem(row, 1, held)
        self.table.resizeRowsToContents()
        self.choose(chosen)
        if self.table.currentRow() < 0 and self.table.rowCount():
            self.table.setCurrentCell(0, 0)
        self._say("", problem=False)

    def _say(self, text: str, *, problem: bool) -> None:
        self.said.setText(text)
        set_role(self.said, "problem" if problem else "muted")
        self.take_button.hide()
        name = self.chosen
        for button in (self.recorder, self.none_button, self.usual_button):
            button.setEnabled(bool(name))
        self.none_button.setEnabled(bool(name) and bool(self._shortcuts.key(name)))
        self.usual_button.setEnabled(bool(name) and self._shortcuts.is_changed(name))
        self.all_usual_button.setEnabled(any(self._shortcuts.is_changed(spec.id) for spec in TABLE))

    @Slot(str)
    def _on_filter_changed(self, _text: str) -> None:
        self._fill()

    @Slot(int, int, int, int)
    def _on_line_changed(self, _row: int, _column: int, _row_before: int, _column_before: int) -> None:
        self._say("", problem=False)

    @Slot(str)
    def _on_key_heard(self, key: str) -> None:
        name = self.chosen
        if not name or key == self._shortcuts.key(name):
            return
        if self._shortcuts.is_for_typing(name, key):
            said = self.tr("{key} is for writing itself. Take one with Ctrl or Alt, or a key from F1 on.")
            self._say(said.format(key=say_key(key)), problem=True)
            return
        holders = self._shortcuts.find_holders(key, name)
        if not holders:
            self._set(name, key)
            return
        self._wanted = key
        holder = _say_action(holders[0])
        self._say(self.tr("{key} belongs to “{action}”.").format(key=say_key(key), action=holder), problem=True)
        self.take_button.setText(self.tr("Take it from there"))
        self.take_button.show()
        self.take_button.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _on_take_clicked(self) -> None:
        self._set(self.chosen, self._wanted)
        self.recorder.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _on_none_clicked(self) -> None:
        self._set(self.chosen, "")

    @Slot()
    def _on_usual_clicked(self) -> None:
        self._shortcuts.reset(self.chosen)
        self.keys_changed.emit()

    @Slot()
    def _on_all_usual_clicked(self) -> None:
        self._shortcuts.reset_all()
        self.keys_changed.emit()

    @Slot()
    def _on_shortcuts_changed(self) -> None:
        self._fill()

    def _set(self, name: str, key: str) -> None:
        self._shortcuts.set_key(name, key)
        self.keys_changed.emit()


def _say_action(name: str) -> str:
    return QCoreApplication.translate("Actions", find_spec(name).text).replace("&", "").rstrip("…")

"""The bar above the page that finds and replaces."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QFrame,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.text_search import SearchQuery
from storydesk.ui.theme import SPACE_L, SPACE_S, SPACE_XS, FlowLayout, icon, make_label, set_hint, set_role


class FindBar(QFrame):
    """What to find, how, and what to put in its place. GUI thread."""

    changed = Signal()
    """Something else is sought, or otherwise."""
    step_wanted = Signal(int)
    """Go to the next (1) or previous (-1) place."""
    replace_wanted = Signal()
    replace_all_wanted = Signal()
    closed = Signal()

    def __init__(self, parent: QWidget | None = None, *, writes: bool = True) -> None:
        """Stay hidden until ``open``; replacing is for a window that ``writes``."""
        super().__init__(parent)
        set_role(self, "bar")
        self.setAccessibleName(self.tr("Find and replace"))
        self._writes = writes
        self.words = self._make_field(self.tr("Find in this draft"))
        self.put = self._make_field(self.tr("Replace with"))
        self.case = self._make_toggle("Aa", self.tr("Match case"))
        self.whole = self._make_toggle("“ab”", self.tr("Whole words only"))
        self.regex = self._make_toggle(".*", self.tr("Pattern (regular expression)"))
        self.scope = self._make_toggle(self.tr("In selection"), self.tr("Only in what is selected now"))
        self.said = make_label("", "muted", wrap=False)
        self.said.setMinimumWidth(self.fontMetrics().horizontalAdvance("12,345 of 12,345"))
        self.said.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.trouble = make_label("", "problem")
        self.trouble.hide()
        self.previous = self._make_button("arrow-up", self.tr("Previous place"), lambda: self.step_wanted.emit(-1))
        self.next = self._make_button("arrow-down", self.tr("Next place"), lambda: self.step_wanted.emit(1))
        self.close_button = self._make_button("x", self.tr("Close"), self.leave)
        self.replace_button = QPushButton(self.tr("Replace"), self)
        self.replace_button.clicked.connect(self.replace_wanted)
        self.all_button = QPushButton(self.tr("Replace all…"), self)
        self.all_button.setToolTip(self.tr("Shows what would change first"))
        self.all_button.clicked.connect(self.replace_all_wanted)
        self._lay_out()
        self.show_count(0, 0)
        self.hide()

    @property
    def query(self) -> SearchQuery:
        """What is sought, everywhere."""
        return SearchQuery(
            self.words.text(),
            regex=self.regex.isChecked(),
            whole_word=self.whole.isChecked(),
            match_case=self.case.isChecked(),
        )

    def open(self, words: str, *, replaces: bool) -> None:
        """Come into view with these words to find, or with the last ones where there are none."""
        self.lower_row.setVisible(replaces and self._writes)
        self.show()
        if words and words != self.words.text():
            self.words.setText(words)
        elif self.words.text():
            self.changed.emit()
        field = self.put if replaces and self._writes and self.words.text() else self.words
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        field.selectAll()

    def leave(self) -> None:
        """Go out of sight."""
        if self.isVisible():
            self.hide()
            self.closed.emit()

    def show_count(self, number: int, count: int) -> None:
        """Say how many places there are, and at which one (from 1, 0 for none) the cursor is."""
        if not self.words.text():
            text = ""
        elif not count:
            text = self.tr("nowhere")
        elif number:
            text = self.tr("{number} of {count}").format(number=f"{number:,}", count=f"{count:,}")
        else:
            text = self.tr("%Ln places", "", count)
        self.said.setText(text)
        for button in (self.previous, self.next, self.replace_button, self.all_button):
            button.setEnabled(count > 0)

    def show_trouble(self, text: str) -> None:
        """Say why nothing can be sought; empty where all is well."""
        self.trouble.setText(text)
        self.trouble.setVisible(bool(text))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Hear Return and Esc in the fields."""
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self.leave()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                if watched is self.put:
                    self.replace_wanted.emit()
                else:
                    back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
                    self.step_wanted.emit(-1 if back else 1)
                return True
        return super().eventFilter(watched, event)

    def _lay_out(self) -> None:
        upper = FlowLayout(space=SPACE_XS)
        upper.add(self.words, stretched=True)
        upper.add(self.case, self.whole, self.regex, self.scope, self.said)
        upper.add(self.previous, self.next, self.close_button)
        self.lower_row = QWidget(self)
        lower = FlowLayout(self.lower_row, space=SPACE_XS)
        lower.add(self.put, stretched=True)
        lower.add(self.replace_button, self.all_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L, SPACE_S, SPACE_L, SPACE_S)
        column.setSpacing(SPACE_XS)
        column.addLayout(upper)
        column.addWidget(self.lower_row)
        column.addWidget(self.trouble)

    def _make_field(self, name: str) -> QLineEdit:
        field = QLineEdit(self)
        set_hint(field, name)
        field.setAccessibleName(name)
        field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        field.setMinimumWidth(80)
        field.installEventFilter(self)
        field.textChanged.connect(self.changed)
        return field

    def _make_toggle(self, text: str, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setCheckable(True)
        button.setToolTip(name)
        button.setAccessibleName(name)
        set_role(button, "flat")
        button.toggled.connect(self.changed)
        return button

    def _make_button(self, picture: str, name: str, slot: object) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon(picture))
        button.setToolTip(name)
        button.setAccessibleName(name)
        set_role(button, "flat")
        button.clicked.connect(slot)
        return button

"""Everything the model wrote for this story: look for it, read it, put it in again, make it again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QSplitter,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.draft_history import KeptGeneration
from storydesk.ui.drafts.version_words import say_generation
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, icon, make_label, set_hint, set_role
from storydesk.ui.theme.flow import FlowLayout

SEARCH_MILLISECONDS = 200
_LETTERS = 90
_LIST_WIDTH = 320


class GenerationsPage(QWidget):
    """Lists what was generated. GUI thread."""

    leave_wanted = Signal()
    search_wanted = Signal(str)
    insert_wanted = Signal(object)
    repeat_wanted = Signal(object)
    cancel_wanted = Signal()

    def __init__(self, parent: QWidget | None = None, *, writes: bool = True) -> None:
        """Begin empty."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._writes = writes
        self._found: Sequence[KeptGeneration] = ()
        self._repeating = ""
        self._last: dict[str, str] = {}
        self.field = QLineEdit()
        set_hint(self.field, self.tr("Words of the text, the prompt, the model"))
        self.field.setAccessibleName(self.tr("Search what was written"))
        self.field.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setWordWrap(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("What the model wrote"))
        self.facts = make_label(role="muted", selectable=True)
        self.text = QTextBrowser()
        self.text.setAccessibleName(self.tr("The text"))
        self.said = make_label()
        self._build()
        self._search_due = QTimer(self)
        self._search_due.setSingleShot(True)
        self._search_due.setInterval(SEARCH_MILLISECONDS)
        self._search_due.timeout.connect(self.search)
        self.field.textChanged.connect(self._search_due.start)
        self.list.currentRowChanged.connect(self._on_row_changed)
        QShortcut(QKeySequence("Esc"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut).activated.connect(
            self.leave_wanted
        )
        self.first = self.list  # no focus proxy: Tab would never come to what stands before it
        self._on_row_changed(-1)

    @property
    def chosen(self) -> KeptGeneration | None:
        """The generation on show."""
        row = self.list.currentRow()
        return self._found[row] if 0 <= row < len(self._found) else None

    @Slot()
    def search(self) -> None:
        """Ask for what holds the words of the field."""
        self._search_due.stop()
        self.search_wanted.emit(self.field.text())

    def show_found(self, words: str, found: Sequence[KeptGeneration]) -> None:
        """Show what was found for words that may have changed since; what was chosen stays chosen."""
        if words != self.field.text():
            return
        kept = self.chosen
        self._found = found
        self.list.blockSignals(True)
        self.list.clear()
        for each in found:
            line = " ".join(each.text.split())
            shown = line if len(line) <= _LETTERS else f"{line[:_LETTERS]}…"
            self.list.addItem(QListWidgetItem(f"{shown}\n{say_generation(each)}"))
        self.list.blockSignals(False)
        row = next((row for row, each in enumerate(found) if kept is not None and each.key == kept.key), 0)
        self.list.setCurrentRow(row if found else -1)
        self._on_row_changed(self.list.currentRow())
        if not found:
            empty = self.tr("Nothing yet. Whatever the model writes for this story is kept here, used or not.")
            self.facts.setText(self.tr("Nothing holds these words.") if words.strip() else empty)

    def show_repeating(self, kept: KeptGeneration) -> None:
        """Say that a generation is being made again."""
        self._repeating = kept.key
        self._last.pop(kept.key, None)
        self._on_row_changed(self.list.currentRow())

    def show_repeated(self, kept: KeptGeneration, said: str) -> None:
        """Say what came when one was made again."""
        self._repeating = ""
        self._last = {kept.key: said}
        self._on_row_changed(self.list.currentRow())

    def _build(self) -> None:
        back = QPushButton(icon("arrow-left"), self.tr("Back to writing"))
        set_role(back, "flat")
        back.clicked.connect(self.leave_wanted)
        head = QHBoxLayout()
        head.addWidget(make_label(self.tr("What the model wrote"), "title"), 1)
        head.addWidget(back)
        left = QWidget()
        left.setMinimumWidth(_LIST_WIDTH)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, SPACE_M, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.field)
        column.addWidget(self.list, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self._build_reading())
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([340, 900])
        page = QVBoxLayout(self)
        page.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_L)
        page.setSpacing(SPACE_M)
        page.addLayout(head)
        page.addWidget(self.splitter, 1)

    def _build_reading(self) -> QWidget:
        self.insert_button = QPushButton(icon("arrow-bend-down-left", "on_accent"), self.tr("Put it in at the cursor"))
        set_role(self.insert_button, "primary")
        self.insert_button.clicked.connect(lambda: self._tell(self.insert_wanted))
        self.repeat_button = QPushButton(icon("arrows-clockwise"), self.tr("Make it again"))
        self.repeat_button.setToolTip(self.tr("The same model, seed and window give the same words"))
        self.repeat_button.clicked.connect(lambda: self._tell(self.repeat_wanted))
        self.cancel_button = QPushButton(icon("stop"), self.tr("Stop"))
        self.cancel_button.clicked.connect(self._on_cancel)
        buttons = FlowLayout()
        for button in (self.insert_button, self.repeat_button, self.cancel_button):
            buttons.addWidget(button)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(SPACE_M, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.facts)
        column.addWidget(self.text, 1)
        column.addWidget(self.said)
        column.addLayout(buttons)
        return right

    def _tell(self, signal: object) -> None:
        kept = self.chosen
        if kept is not None:
            signal.emit(kept)  # type: ignore[attr-defined]  # a bound signal

    def _on_cancel(self) -> None:
        self._repeating = ""
        self.cancel_wanted.emit()
        self._on_row_changed(self.list.currentRow())

    @Slot(int)
    def _on_row_changed(self, _row: int) -> None:
        kept = self.chosen
        repeating = kept is not None and kept.key == self._repeating
        self.insert_button.setEnabled(kept is not None and self._writes)
        self.repeat_button.setEnabled(kept is not None and kept.can_repeat and not self._repeating)
        self.cancel_button.setVisible(bool(self._repeating))
        self.said.setText(self.tr("Making it again …") if repeating else self._last.get(kept.key, "") if kept else "")
        if kept is None:
            self.text.setPlainText("")
            self.facts.setText("")
            return
        facts = [say_generation(kept), self._say_settings(kept)]
        if kept.prompt.strip():
            facts.append(self.tr("Prompt: {prompt}").format(prompt=" ".join(kept.prompt.split())))
        if not kept.can_repeat:
            facts.append(self.tr("It is too old to be made again."))
        self.facts.setText("\n".join(fact for fact in facts if fact))
        self.text.setPlainText(kept.text.strip())

    def _say_settings(self, kept: KeptGeneration) -> str:
        try:
            settings = json.loads(kept.settings)
            return self.tr("Temperature {temperature}, top-p {top_p}, about {words} words").format(
                temperature=f"{settings['temperature']:.2f}", top_p=f"{settings['top_p']:.2f}", words=settings["words"]
            )
        except (ValueError, KeyError, TypeError):
            return ""

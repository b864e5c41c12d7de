"""Polishing: what the grammar checkers found, to be accepted, ignored or learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QLocale, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.polishing import Category, Finding
from storydesk.ui.actions import TipFollower
from storydesk.ui.assistant.story_menu import StoryMenu
from storydesk.ui.sentences import DOUBTFUL, say_group, say_message
from storydesk.ui.theme import SPACE_M, SPACE_S, icon, set_role

BATCH = 12
_FINDING = Qt.ItemDataRole.UserRole
MOST_SHOWN = 100
"""Of more notes the first of each kind are listed; a list of thousands would hold the window up at every pause."""


class PolishPanel(QWidget):
    """The partner's Polish tab. GUI thread."""

    finding_chosen = Signal(object)
    """The writer went to a finding in the list."""
    mend_all_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        """Offer the actions that polish."""
        super().__init__(parent)
        self._actions = actions
        self.polish_button = self._make_button(actions["polish"], self.tr("Polish the story"))
        self.polish_button.setIcon(icon("sparkle", "on_accent"))
        set_role(self.polish_button, "primary")
        self.status = QLabel(self)
        self.status.setWordWrap(True)
        set_role(self.status, "muted")
        self.cancel_button = QPushButton(self.tr("Stop reading"), self)
        self.cancel_button.clicked.connect(self.cancel_wanted)
        self.cancel_button.hide()
        self.story_menu = StoryMenu(self)
        self.list = QListWidget(self)
        self.list.setWordWrap(True)
        self.list.setTextElideMode(Qt.TextElideMode.ElideNone)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setAccessibleName(self.tr("Grammar notes"))
        self.list.setSpacing(1)
        self.list.setLayoutMode(QListWidget.LayoutMode.Batched)
        self.list.setBatchSize(BATCH)
        self.list.setIconSize(QSize(16, 16))
        self.list.currentItemChanged.connect(self._on_current_changed)
        self.list.itemClicked.connect(self._on_item_clicked)
        self.list.itemActivated.connect(lambda _item: actions["accept_note"].trigger())
        row = QGridLayout()
        row.setSpacing(SPACE_S)
        self.note_buttons = [
            self._make_button(actions[name], actions[name].text())
            for name in ("accept_note", "ignore_note", "learn_note", "ignore_rule")
        ]
        row.setContentsMargins(0, 0, 0, 0)
        for place, button in enumerate(self.note_buttons):
            row.addWidget(button, place // 2, place % 2)
        self.mend_button = QPushButton(self.tr("Accept all with one clear fix"), self)
        self.mend_button.clicked.connect(self.mend_all_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        head = QHBoxLayout()
        head.addWidget(self.polish_button, 1)
        head.addWidget(self.story_menu)
        column.addLayout(head)
        column.addWidget(self.status)
        column.addWidget(self.cancel_button)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        column.addWidget(self.mend_button)
        self.show_findings((), lambda _finding: "")

    @property
    def current(self) -> Finding | None:
        """The finding that is chosen in the list."""
        item = self.list.currentItem()
        found = item.data(_FINDING) if item is not None else None
        return found if isinstance(found, Finding) else None

    def show_findings(self, findings: Sequence[Finding], excerpt: Callable[[Finding], str]) -> None:
        """List the findings by kind, doubtful ones last; ``excerpt`` gives the words that one is about."""
        row = max(self.list.currentRow(), 0)
        chosen = self.current
        self.list.blockSignals(True)
        self.list.clear()
        groups = _group(findings)
        share = MOST_SHOWN // max(len(groups), 1)
        for heading, group in groups:
            self._add_heading(f"{heading} ({QLocale().toString(len(group))})")
            for finding in group[:share]:
                self._add_note(finding, excerpt(finding).strip() or "␣")
            if len(group) > share:
                self._add_heading(self.tr("and %Ln more", "", len(group) - share))
        if self.list.count():
            self._choose_row(chosen, min(row, self.list.count() - 1))
        self.list.blockSignals(False)
        self.list.setVisible(bool(findings))
        self._say_count(len(findings))
        self._fit_buttons()

    def show_busy(self, busy: bool) -> None:
        """Offer to stop while the story is being read."""
        self.cancel_button.setVisible(busy)

    def _add_heading(self, text: str) -> None:
        heading = QListWidgetItem(text)
        heading.setFlags(Qt.ItemFlag.NoItemFlags)
        font = heading.font()
        font.setBold(True)
        heading.setFont(font)
        self.list.addItem(heading)

    def _add_note(self, finding: Finding, words: str) -> None:
        fix = f"  →  {finding.suggestions[0]}" if finding.suggestions and finding.suggestions[0] else ""
        message = say_message(finding.message)
        item = QListWidgetItem(f"{words}{fix}\n{message}")
        item.setData(_FINDING, finding)
        item.setToolTip(message)
        self.list.addItem(item)

    def _choose_row(self, chosen: Finding | None, row: int) -> None:
        """Choose the note that was chosen, or one near the row; headings can't be chosen."""
        notes = [place for place in range(self.list.count()) if self.list.item(place).data(_FINDING) is not None]
        same = [place for place in notes if self.list.item(place).data(_FINDING) == chosen]
        near = [place for place in notes if place >= row]
        self.list.setCurrentRow((same or near or notes[-1:])[0])

    def say(self, text: str) -> None:
        """Say what is going on, above the list."""
        self.status.setText(text)

    def choose(self, finding: Finding) -> None:
        """Move to a finding in the list without telling anybody."""
        for row in range(self.list.count()):
            if self.list.item(row).data(_FINDING) == finding:
                self.list.blockSignals(True)
                self.list.setCurrentRow(row)
                self.list.blockSignals(False)
                self._fit_buttons()
                return

    def _say_count(self, count: int) -> None:
        if count:
            self.say(self.tr("%Ln notes", "", count))
        else:
            self.say(
                self.tr(
                    "Nothing to mend so far. Small slips are underlined while you write; "
                    "Polish the story reads all of it more closely."
                )
            )

    def _fit_buttons(self) -> None:
        finding = self.current
        for button in (*self.note_buttons, self.mend_button):
            button.setVisible(finding is not None)
        if finding is not None and self._actions["accept_note"].isEnabled():
            self.note_buttons[0].setEnabled(bool(finding.suggestions))
            self.note_buttons[2].setEnabled(finding.category is Category.SPELLING)
            self.note_buttons[3].setToolTip(f"{self._actions['ignore_rule'].toolTip()}: {finding.rule}")
        self.mend_button.setEnabled(self._actions["accept_note"].isEnabled())

    def _make_button(self, action: QAction, text: str) -> QPushButton:
        button = QPushButton(text, self)
        TipFollower(button, action)
        button.setEnabled(action.isEnabled())
        button.clicked.connect(action.trigger)
        return button

    @Slot(QListWidgetItem, QListWidgetItem)
    def _on_current_changed(self, current: QListWidgetItem | None, _previous: QListWidgetItem | None) -> None:
        self._fit_buttons()
        if current is not None and current.data(_FINDING) is not None:
            self.finding_chosen.emit(current.data(_FINDING))

    @Slot(QListWidgetItem)
    def _on_item_clicked(self, item: QListWidgetItem) -> None:
        if item.data(_FINDING) is not None:
            self.finding_chosen.emit(item.data(_FINDING))


def _group(findings: Sequence[Finding]) -> list[tuple[str, list[Finding]]]:
    """Return the findings under headings: kinds in the order in which a writer would mend them, doubtful ones last."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(DOUBTFUL if finding.doubtful else str(finding.category), []).append(finding)
    order = [*map(str, Category), DOUBTFUL]
    return [(say_group(name), groups[name]) for name in sorted(groups, key=order.index)]

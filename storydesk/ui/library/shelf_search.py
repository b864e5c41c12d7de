"""The row above the shelf: words to search for, tags and statuses to choose by, a new story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QToolButton, QWidget

from storydesk.domain.outline import Status, StoryDetails
from storydesk.ui.sentences import say_status
from storydesk.ui.theme import SPACE_XS, icon, set_hint, set_role
from storydesk.ui.window_timers import make_single_shot

SEARCH_MILLISECONDS = 200
MENU_LOOK = "QToolButton::menu-indicator { image: none; width: 0px; }"
Choice = tuple[str, str]
"""``tag`` or ``status`` and the one chosen; two empty words for all."""
ALL: Choice = ("", "")


class ShelfSearch(QWidget):
    """Says what the shelf is to show. GUI thread."""

    search_wanted = Signal(str)
    choice_changed = Signal()

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        """Begin with everything shown."""
        super().__init__(parent)
        self.choice: Choice = ALL
        self._offered: tuple[tuple[str, ...], tuple[Status, ...]] = ((), ())
        self.field = QLineEdit(self)
        set_hint(self.field, self.tr("Search"))
        self.field.setAccessibleName(self.tr("Search all stories"))
        self.field.setToolTip(self.tr("Words, or “a phrase” in quotes, in any draft of any story"))
        self.field.setClearButtonEnabled(True)
        self._due = make_single_shot(self, SEARCH_MILLISECONDS, self._on_due)
        self.field.textChanged.connect(lambda _text: self._due.start())
        self.filter_button = QToolButton(self)
        self.filter_button.setIcon(icon("funnel-simple"))
        self.filter_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.filter_button.setMenu(QMenu(self.filter_button))
        self.filter_button.setStyleSheet(MENU_LOOK)
        self.filter_button.setCheckable(True)
        set_role(self.filter_button, "flat")
        self.filter_button.hide()
        new = QToolButton(self)
        new.setDefaultAction(actions["new_story"])
        new.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        new.setAccessibleName(actions["new_story"].text())
        set_role(new, "flat")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_XS)
        row.addWidget(self.field, 1)
        row.addWidget(self.filter_button)
        row.addWidget(new)
        self._name()

    def offer(self, details: Iterable[StoryDetails]) -> None:
        """Offer the tags and statuses that stories have."""
        known = list(details)
        tags = tuple(sorted({tag for item in known for tag in item.tags}, key=str.casefold))
        statuses = tuple(status for status in Status if status and any(item.status is status for item in known))
        if (tags, statuses) == self._offered:
            return
        self._offered = (tags, statuses)
        gone = self.choice not in (ALL, *(("tag", tag) for tag in tags), *(("status", one) for one in statuses))
        self._fill()
        self.filter_button.setVisible(bool(tags or statuses))
        if gone:
            self.choose(ALL)

    def choose(self, choice: Choice) -> None:
        """Show only stories with this tag or status."""
        if choice != self.choice:
            self.choice = choice
            self._fill()
            self._name()
            self.choice_changed.emit()

    def admits(self, details: StoryDetails) -> bool:
        """Return whether a story with these details is to be shown."""
        kind, wanted = self.choice
        if kind == "tag":
            return wanted in details.tags
        return kind != "status" or wanted == details.status

    def _fill(self) -> None:
        menu = self.filter_button.menu()
        menu.clear()
        group = QActionGroup(menu)
        self._add(menu, group, self.tr("All stories"), ALL)
        tags, statuses = self._offered
        if tags:
            menu.addSeparator()
        for tag in tags:
            self._add(menu, group, tag.replace("&", "&&"), ("tag", tag))
        if statuses:
            menu.addSeparator()
        for status in statuses:
            self._add(menu, group, say_status(status), ("status", str(status)))

    def _add(self, menu: QMenu, group: QActionGroup, text: str, choice: Choice) -> None:
        action = menu.addAction(text, lambda: self.choose(choice))
        action.setCheckable(True)
        action.setChecked(choice == self.choice)
        group.addAction(action)

    def _name(self) -> None:
        kind, wanted = self.choice
        shown = say_status(Status(wanted)) if kind == "status" else wanted
        text = self.tr("Shown: {what}").format(what=shown) if kind else self.tr("Choose by tag or status")
        self.filter_button.setToolTip(text)
        self.filter_button.setAccessibleName(text)
        self.filter_button.setChecked(bool(kind))

    @Slot()
    def _on_due(self) -> None:
        self.search_wanted.emit(self.field.text())

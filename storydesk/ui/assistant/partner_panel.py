"""The partner beside the page: one tab to write with the model, one to polish."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from storydesk.services.ports import SettingsStore
from storydesk.ui.assistant.polish_panel import PolishPanel
from storydesk.ui.assistant.write_panel import WritePanel
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_XS, set_role

WIDTH = 318


class PartnerPanel(QFrame):
    """Holds the partner's tabs. GUI thread."""

    def __init__(self, actions: Mapping[str, QAction], settings: SettingsStore, parent: QWidget | None = None) -> None:
        """Show the Write tab first."""
        super().__init__(parent)
        set_role(self, "partner")
        self.setFixedWidth(WIDTH)
        self.setAccessibleName(self.tr("Partner"))
        self.write = WritePanel(actions, settings, self)
        self.polish = PolishPanel(actions, self)
        self.pages = QStackedWidget(self)
        tabs = QHBoxLayout()
        tabs.setSpacing(SPACE_XS)
        group = QActionGroup(self)
        for name, page in (("show_write", self.write), ("show_polish", self.polish)):
            action = actions[name]
            group.addAction(action)
            self.pages.addWidget(page)
            action.triggered.connect(lambda _checked=False, page=page: self.pages.setCurrentWidget(page))
            button = QToolButton(self)
            button.setDefaultAction(action)
            set_role(button, "flat")
            tabs.addWidget(button)
        tabs.addStretch(1)
        actions["show_write"].setChecked(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L - 2, SPACE_M, SPACE_L - 2, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addLayout(tabs)
        column.addWidget(self.pages, 1)

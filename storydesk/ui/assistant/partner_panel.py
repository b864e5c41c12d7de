"""The partner beside the page: a tab for each thing it can help with."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QFrame, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from storydesk.services.ports import SettingsStore
from storydesk.ui.assistant.polish_panel import PolishPanel
from storydesk.ui.assistant.write_panel import WritePanel
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_XS, FlowLayout, ScaledWidth, VerticalArea, set_role

WIDTH = 340


class PartnerPanel(QFrame):
    """Holds the partner's tabs. GUI thread."""

    tab_wanted = Signal(str)
    """The writer wants to see this tab; the panel may be folded away."""

    def __init__(self, actions: Mapping[str, QAction], settings: SettingsStore, parent: QWidget | None = None) -> None:
        """Show the Write tab first; ``add_tab`` adds others."""
        super().__init__(parent)
        set_role(self, "partner")
        ScaledWidth(self, WIDTH)
        self.setAccessibleName(self.tr("Partner"))
        self._actions = actions
        self._group = QActionGroup(self)
        self._tabs: dict[str, QWidget] = {}
        self.pages = QStackedWidget(self)
        self._tab_row = FlowLayout(space=SPACE_XS)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_L - 2, SPACE_M, SPACE_L - 2, SPACE_M)
        column.setSpacing(SPACE_M)
        column.addLayout(self._tab_row)
        column.addWidget(self.pages, 1)
        self.write = WritePanel(actions, settings, self)
        self.polish = PolishPanel(actions, self)
        self.add_tab("write", self.write)
        self.add_tab("polish", self.polish)
        actions["show_write"].setChecked(True)

    def add_tab(self, name: str, page: QWidget, place: int = -1) -> None:
        """Add a tab, last or at a place; the action ``show_<name>`` (checkable) is joined here."""
        action = self._actions[f"show_{name}"]
        self._group.addAction(action)
        self._tabs[name] = VerticalArea(page)
        self.pages.addWidget(self._tabs[name])
        action.triggered.connect(lambda _checked=False: self.show_tab(name))
        button = QToolButton(self)
        button.setDefaultAction(action)
        set_role(button, "flat")
        later = []
        while 0 <= place < self._tab_row.count():
            later.append(self._tab_row.takeAt(place))
        self._tab_row.add(button)
        for item in later:
            if item is not None:
                self._tab_row.addItem(item)

    @property
    def tab(self) -> str:
        """The name of the tab in front."""
        return next(name for name, page in self._tabs.items() if page is self.pages.currentWidget())

    def show_tab(self, name: str) -> None:
        """Turn to a tab and ask to be seen; KeyError where there is none of this name."""
        if name not in self._tabs:
            raise KeyError(name)
        self.turn_to(name)
        self.tab_wanted.emit(name)

    def turn_to(self, name: str) -> None:
        """Turn to a tab, folded away or not; an unknown name leaves all as it is."""
        if name in self._tabs:
            self.pages.setCurrentWidget(self._tabs[name])
            self._actions[f"show_{name}"].setChecked(True)

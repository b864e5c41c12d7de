"""How the window is laid out: which panels are open, the page alone, and how large it all is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QByteArray, QObject, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QWidget

from storydesk.domain.settings import PARTNER_SHOWN, PARTNER_TAB, SIDE_SHOWN, WINDOW_GEOMETRY
from storydesk.services.ports import SettingsStore
from storydesk.ui.assistant.partner_panel import PartnerPanel
from storydesk.ui.status_bar import StatusBar
from storydesk.ui.theme import scaled
from storydesk.ui.top_bar import TopBar

NARROW = 1024
NARROWEST = NARROW * 2 // 3
LEAST_PAGE = 220
USUAL_SIZE = (1280, 800)


class WindowPanels(QObject):
    """Folds and unfolds what stands around the page, and keeps it from one day to the next. GUI thread."""

    def __init__(
        self,
        window: QWidget,
        actions: Mapping[str, QAction],
        settings: SettingsStore,
        *,
        top: TopBar,
        library: QWidget,
        page: QWidget,
        partner: PartnerPanel,
        status: StatusBar,
    ) -> None:
        """Take the window's parts; ``restore`` puts them where they were."""
        super().__init__(window)
        self._window = window
        self._settings = settings
        self._top = top
        self._library = library
        self._page = page
        self._partner = partner
        self._status = status
        self._library_shown = actions["toggle_library"]
        self._partner_shown = actions["toggle_partner"]
        self._alone = actions["focus_mode"]
        self._was_narrow: bool | None = None
        self._panes: list[QWidget] = [page, partner.write.prompt, library, top.title]
        self._library_shown.toggled.connect(self._on_panel_toggled)
        self._partner_shown.toggled.connect(self._on_panel_toggled)
        self._alone.toggled.connect(self._on_alone_toggled)
        partner.tab_wanted.connect(self.unfold_partner)

    def slots(self) -> dict[str, Callable[[], object]]:
        """Return what the actions of the layout do."""
        return {"next_pane": self.go_to_next_pane}

    def set_panes(self, *panes: QWidget) -> None:
        """Say between which widgets one key goes round."""
        self._panes = list(panes)

    def unfold_partner(self) -> None:
        """Make room for the partner."""
        self._alone.setChecked(False)
        self._partner_shown.setChecked(True)

    def unfold_library(self) -> None:
        """Make room for the library."""
        self._alone.setChecked(False)
        self._library_shown.setChecked(True)

    def go_to_next_pane(self) -> None:
        """Put the cursor into the next part of the window."""
        panes = [pane for pane in self._panes if pane.isVisible() and pane.isEnabled()]
        focused = self._window.focusWidget()
        at = next((number for number, pane in enumerate(panes) if pane is focused), -1)
        if panes:
            panes[(at + 1) % len(panes)].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def fit(self, width: int) -> None:
        """Fold the partner away where there is little room, and bring it back where there is enough."""
        self._top.fit(width)
        self._status.fit(width)
        narrow = width <= scaled(NARROW)
        if narrow != self._was_narrow:
            self._was_narrow = narrow
            self._partner_shown.setChecked(not narrow and self._settings.get(PARTNER_SHOWN))
            self._library_shown.setChecked(width > scaled(NARROWEST) and self._settings.get(SIDE_SHOWN))
            self._show_panels()

    def restore(self) -> None:
        """Put the window where it was, and the same tab in front."""
        self._partner.turn_to(self._settings.get(PARTNER_TAB))
        self._window.resize(*USUAL_SIZE)
        kept = self._settings.get(WINDOW_GEOMETRY)
        if kept:
            self._window.restoreGeometry(QByteArray.fromBase64(kept.encode("ascii", "replace")))

    def keep(self) -> None:
        """Remember where the window is and what is open in it."""
        if not self._alone.isChecked():
            geometry: QByteArray = self._window.saveGeometry()
            self._settings.set(WINDOW_GEOMETRY, geometry.toBase64().toStdString())
        self._settings.set(PARTNER_TAB, self._partner.tab)
        if self._window.width() > scaled(NARROW):
            self._settings.set(PARTNER_SHOWN, self._partner_shown.isChecked())
            self._settings.set(SIDE_SHOWN, self._library_shown.isChecked())

    @Slot(bool)
    def _on_panel_toggled(self, on: bool) -> None:
        if on and self._is_crowded():
            other = self._library_shown if self.sender() is self._partner_shown else self._partner_shown
            other.setChecked(False)  # where both would leave no room for the page, the newer one stands
        self._show_panels()

    def _is_crowded(self) -> bool:
        """Return whether both panels together would leave too little of the page."""
        both = self._library_shown.isChecked() and self._partner_shown.isChecked()
        taken = self._library.minimumWidth() + self._partner.minimumWidth()
        return both and self._window.width() - taken < scaled(LEAST_PAGE)

    @Slot(bool)
    def _on_alone_toggled(self, on: bool) -> None:
        self._show_panels()
        window = self._window
        if on:
            window.setWindowState(window.windowState() | Qt.WindowState.WindowFullScreen)
            self._page.setFocus()
        else:
            window.setWindowState(window.windowState() & ~Qt.WindowState.WindowFullScreen)

    def _show_panels(self) -> None:
        alone = self._alone.isChecked()
        self._top.setVisible(not alone)
        self._status.setVisible(not alone)
        self._library.setVisible(not alone and self._library_shown.isChecked())
        self._partner.setVisible(not alone and self._partner_shown.isChecked())

"""The bar above the page: the story's title, its draft, and what is done with a whole story."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtGui import QAction, QFontMetrics
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from storydesk.bridge.manuscript_controller import OpenStory
from storydesk.ui.actions import MENU, TipFollower
from storydesk.ui.sentences import say_draft, say_untitled
from storydesk.ui.theme import SPACE_M, SPACE_XS, icon, scaled, set_role

HEIGHT = 48
NARROW = 860
TITLE_MOST = 420
TITLE_LOOK = """
QLineEdit { font-weight: 600; }
QLineEdit:!focus { background: transparent; border-color: transparent; }
"""
"""A title is text first; it looks like a field only while it is being changed."""
MENU_LOOK = "QToolButton::menu-indicator { image: none; width: 0px; }"


class TopBar(QFrame):
    """Shows title and draft and offers the actions of the bar. GUI thread."""

    title_changed = Signal(str)
    draft_wanted = Signal(int)

    def __init__(self, actions: Mapping[str, QAction], parent: QWidget | None = None) -> None:
        """Begin without a story."""
        super().__init__(parent)
        set_role(self, "bar")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._actions = actions
        self._writes = actions["new_story"].isEnabled()
        self.menu_button = self._make_menu_button()
        self.library_button = self._make_fold_button("toggle_library")
        self.title = QLineEdit(self)
        self.title.setStyleSheet(TITLE_LOOK)
        self.title.setPlaceholderText(say_untitled())
        self.title.setAccessibleName(self.tr("Title of the story"))
        self.title.setReadOnly(not self._writes)
        self.title.setMaximumWidth(scaled(TITLE_MOST))
        self.title.textChanged.connect(self._on_title_text_changed)
        self.title.textEdited.connect(self.title_changed)
        self.draft_button = QToolButton(self)
        self.draft_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.draft_button.setMenu(QMenu(self.draft_button))
        self.draft_button.setStyleSheet(MENU_LOOK)
        self.draft_button.setToolTip(self.tr("Drafts of this story"))
        self.heat_button = self._make_button("heat_map")
        self.authorship_button = self._make_button("show_authorship")
        self.focus_button = self._make_button("focus_mode")
        self.export_button = self._make_button("export")
        self.tune_button = QPushButton(actions["tune"].text(), self)
        self.tune_button.setIcon(icon("magic-wand"))
        TipFollower(self.tune_button, actions["tune"])
        self.tune_button.clicked.connect(actions["tune"].trigger)
        self.tune_button.setEnabled(actions["tune"].isEnabled())
        self.partner_button = self._make_fold_button("toggle_partner")
        row = QHBoxLayout(self)
        row.addStrut(HEIGHT)
        row.setContentsMargins(SPACE_M, 0, SPACE_M, 0)
        row.setSpacing(SPACE_XS)
        left: tuple[QWidget, ...] = (self.menu_button, self.library_button, self.title, self.draft_button)
        right: tuple[QWidget, ...] = (
            self.authorship_button,
            self.heat_button,
            self.focus_button,
            self.export_button,
            self.tune_button,
            self.partner_button,
        )
        for widget in left:
            row.addWidget(widget)
        row.addStretch(1)
        for widget in right:
            row.addWidget(widget)
        self.show_open(None)

    def show_open(self, opened: OpenStory | None) -> None:
        """Show another story or draft."""
        self.title.setVisible(opened is not None)
        self.draft_button.setVisible(opened is not None)
        self._actions["export"].setEnabled(opened is not None)
        if opened is None:
            return
        if self.title.text().strip() != opened.story.title:
            self.title.setText(opened.story.title)
            self.title.setCursorPosition(0)
        self._fit_title()
        self.draft_button.setText(say_draft(opened.draft.name))
        menu = self.draft_button.menu()
        menu.clear()
        for draft_id, name in opened.drafts:
            action = menu.addAction(say_draft(name))
            action.setCheckable(True)
            action.setChecked(draft_id == opened.draft.id)
            action.triggered.connect(lambda _checked=False, draft_id=draft_id: self.draft_wanted.emit(draft_id))
        menu.addSeparator()
        menu.addAction(self._actions["keep_draft"])
        menu.addAction(self._actions["take_snapshot"])
        menu.addAction(self._actions["show_drafts"])

    def fit(self, width: int) -> None:
        """Leave words away where there is little room."""
        style = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        if width < scaled(NARROW):
            style = Qt.ToolButtonStyle.ToolButtonIconOnly
        for button in (self.authorship_button, self.heat_button, self.focus_button, self.export_button):
            button.setToolButtonStyle(style)
        self.tune_button.setText("" if width < scaled(NARROW) else self._actions["tune"].text())
        self.tune_button.setAccessibleName(self._actions["tune"].text())

    def _fit_title(self) -> None:
        text = self.title.text() or self.title.placeholderText()
        self.title.setMinimumWidth(min(_text_width(self.title, text), scaled(TITLE_MOST) // 2))
        self.title.setFixedWidth(min(_text_width(self.title, text), scaled(TITLE_MOST)))

    @Slot(str)
    def _on_title_text_changed(self, _text: str) -> None:
        self._fit_title()

    def _make_fold_button(self, name: str) -> QToolButton:
        """Return a button that folds a panel; it does not light up, for the panel itself shows its state."""
        action = self._actions[name]
        button = QToolButton(self)
        button.setIcon(action.icon())
        TipFollower(button, action)
        button.setAccessibleName(action.text())
        button.clicked.connect(action.toggle)
        set_role(button, "flat")
        return button

    def _make_button(self, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setDefaultAction(self._actions[name])
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setAccessibleName(self._actions[name].text())
        set_role(button, "flat")
        return button

    def _make_menu_button(self) -> QToolButton:
        button = QToolButton(self)
        button.setIcon(icon("list"))
        button.setStyleSheet(MENU_LOOK)
        button.setAccessibleName(self.tr("Menu"))
        button.setToolTip(self.tr("All actions and their keys"))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        set_role(button, "flat")
        menu = QMenu(button)
        for heading, groups in MENU:
            part = menu.addMenu(QCoreApplication.translate("Actions", heading)) if heading else menu
            for number, group in enumerate(groups):
                if number:
                    part.addSeparator()
                for name in group:
                    part.addAction(self._actions[name])
            if not heading:
                menu.addSeparator()
        button.setMenu(menu)
        return button


def _text_width(field: QLineEdit, text: str) -> int:
    """Return the width that a text needs in a field, bold as titles are."""
    font = field.font()
    font.setWeight(font.Weight.DemiBold)
    return QFontMetrics(font).horizontalAdvance(text) + 28

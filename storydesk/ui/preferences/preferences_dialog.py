"""The few things a writer may want otherwise; each change takes effect at once."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.settings import (
    DAILY_GOAL,
    GRAMMAR_LIVE,
    INTERFACE_PERCENT,
    LESS_MOTION,
    PAGE_FONT,
    PAGE_SIZE,
    SNAPSHOT_MINUTES,
    THEME,
    Setting,
    V,
)
from storydesk.services.ports import SettingsStore
from storydesk.ui.preferences.keys_page import KeysPage
from storydesk.ui.preferences.page_fields import PageFields
from storydesk.ui.shortcuts import Shortcuts
from storydesk.ui.theme import (
    SPACE_M,
    SPACE_XL,
    VerticalArea,
    add_row,
    apply_theme,
    default_page_family,
    make_form,
    make_label,
    page_font,
    resize_on_screen,
    set_comfort,
)

GOAL_STEP: Final = 50
PERCENT_STEP: Final = 10
WIDTH_IN_LETTERS: Final = 78
HEIGHT_IN_LINES: Final = 40


class PreferencesDialog(QDialog):
    """What the page is like, how the program looks, and its keys. GUI thread."""

    setting_changed = Signal(str)
    """The key of a setting that was changed and saved (``look.page_font`` ...); a theme is already on by then."""

    def __init__(
        self, settings: SettingsStore, parent: QWidget | None = None, *, shortcuts: Shortcuts | None = None
    ) -> None:
        """Show the settings as they are; keys only where there are actions that have some."""
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle(self.tr("Preferences"))
        self.sample = make_label(self.tr("She had walked this beach every morning for eleven years."))
        self.sample.setAccessibleName(self.tr("How the page will look"))
        close = QPushButton(self.tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.accept)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(close)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        layout.setSpacing(SPACE_M)
        layout.addWidget(make_label(self.tr("Preferences"), "title"))
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.tabBar().setDrawBase(False)
        self._add_page(self.tr("Writing"), self._build_writing_form(), self.sample)
        self.page_fields = PageFields(settings, self)
        self.page_fields.setting_changed.connect(self.setting_changed)
        self._add_page(self.tr("Page"), self.page_fields.make_form())
        self._add_page(self.tr("Look"), self._build_look_form())
        self.keys_page = KeysPage(shortcuts, self.tabs) if shortcuts is not None else None
        if self.keys_page is not None:
            self._keys_area = VerticalArea(self.keys_page)
            self.tabs.addTab(self._keys_area, self.tr("Keys"))
        layout.addWidget(self.tabs, 1)
        layout.addLayout(buttons)
        self._show_sample()
        letters = self.fontMetrics()
        height = max(self.sizeHint().height(), letters.lineSpacing() * HEIGHT_IN_LINES)
        resize_on_screen(self, letters.averageCharWidth() * WIDTH_IN_LETTERS, height)

    def show_keys(self) -> None:
        """Turn to the keys, ready to look for one."""
        if self.keys_page is not None:
            self.tabs.setCurrentWidget(self._keys_area)
            self.keys_page.filter.setFocus()

    def _add_page(self, title: str, form: QFormLayout, *below: QWidget) -> None:
        """Add a tab whose fields can be scrolled where the screen is small."""
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, SPACE_M, 0, 0)
        column.setSpacing(SPACE_M)
        column.addLayout(form)
        for widget in below:
            column.addWidget(widget)
        column.addStretch()
        self.tabs.addTab(VerticalArea(inside), title)

    def _build_look_form(self) -> QFormLayout:
        form = make_form()
        add_row(form, self.tr("&Colours"), self._build_theme_box())
        self.percent_box = _build_number(INTERFACE_PERCENT, self._settings.get(INTERFACE_PERCENT))
        self.percent_box.setSingleStep(PERCENT_STEP)
        self.percent_box.setSuffix(self.tr(" %"))
        self.percent_box.setToolTip(self.tr("The text of bars, panels and dialogs; the page has a size of its own"))
        self.percent_box.valueChanged.connect(self._on_percent_changed)
        add_row(form, self.tr("&Text around the page"), self.percent_box)
        self.motion_box = QCheckBox(self.tr("Let nothing &move or blink"))
        self.motion_box.setChecked(self._settings.get(LESS_MOTION))
        self.motion_box.toggled.connect(self._on_motion_toggled)
        form.addRow(self.motion_box)
        return form

    def _build_writing_form(self) -> QFormLayout:
        form = make_form()
        add_row(form, self.tr("Page &font"), self._build_font_box())
        add_row(form, self.tr("Page &size"), self._build_size_box())
        add_row(form, self.tr("Words a &day"), self._build_goal_box())
        self.snapshot_box = _build_number(SNAPSHOT_MINUTES, self._settings.get(SNAPSHOT_MINUTES))
        self.snapshot_box.setSuffix(self.tr(" minutes"))
        self.snapshot_box.setSpecialValueText(self.tr("Only by hand"))
        self.snapshot_box.setToolTip(self.tr("How long you write before a snapshot of the draft is kept by itself"))
        self.snapshot_box.valueChanged.connect(lambda minutes: self._keep(SNAPSHOT_MINUTES, minutes))
        add_row(form, self.tr("Snapshot e&very"), self.snapshot_box)
        self.grammar_box = QCheckBox(self.tr("Check &grammar while I write"))
        self.grammar_box.setChecked(self._settings.get(GRAMMAR_LIVE))
        self.grammar_box.toggled.connect(lambda on: self._keep(GRAMMAR_LIVE, on))
        form.addRow(self.grammar_box)
        return form

    def _build_theme_box(self) -> QComboBox:
        self.theme_box = QComboBox()
        names = {
            "system": self.tr("Like the desktop"),
            "light": self.tr("Light"),
            "dark": self.tr("Dark"),
            "contrast": self.tr("High contrast"),
        }
        for name in THEME.choices:
            self.theme_box.addItem(names.get(name, name), name)
        self.theme_box.setCurrentIndex(self.theme_box.findData(self._settings.get(THEME)))
        self.theme_box.activated.connect(self._on_theme_activated)
        return self.theme_box

    def _build_font_box(self) -> QComboBox:
        self.font_box = QComboBox()
        self.font_box.addItem(self.tr("Chosen for you ({family})").format(family=default_page_family()), "")
        for family in QFontDatabase.families():
            if not QFontDatabase.isPrivateFamily(family) and QFontDatabase.isSmoothlyScalable(family):
                self.font_box.addItem(family, family)
        self.font_box.setCurrentIndex(max(0, self.font_box.findData(self._settings.get(PAGE_FONT))))
        # Some families have names as long as a sentence; the box must not widen the dialog to fit them.
        self.font_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.font_box.setMinimumContentsLength(28)
        self.font_box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.font_box.activated.connect(lambda: self._keep(PAGE_FONT, str(self.font_box.currentData())))
        return self.font_box

    def _build_size_box(self) -> QSpinBox:
        self.size_box = _build_number(PAGE_SIZE, self._settings.get(PAGE_SIZE))
        self.size_box.setSuffix(self.tr(" pt"))
        self.size_box.valueChanged.connect(lambda size: self._keep(PAGE_SIZE, size))
        return self.size_box

    def _build_goal_box(self) -> QSpinBox:
        self.goal_box = _build_number(DAILY_GOAL, self._settings.get(DAILY_GOAL))
        self.goal_box.setSingleStep(GOAL_STEP)
        self.goal_box.setSpecialValueText(self.tr("No goal"))
        self.goal_box.valueChanged.connect(lambda words: self._keep(DAILY_GOAL, words))
        return self.goal_box

    def _keep(self, setting: Setting[V], value: V) -> None:
        self._settings.set(setting, value)
        self._show_sample()
        self.setting_changed.emit(setting.key)

    def _show_sample(self) -> None:
        self.sample.setFont(page_font(self._settings))

    def _on_percent_changed(self, percent: int) -> None:
        self._keep(INTERFACE_PERCENT, percent)
        self._put_comfort_on()

    def _on_motion_toggled(self, still: bool) -> None:
        self._keep(LESS_MOTION, still)
        self._put_comfort_on()

    def _put_comfort_on(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            set_comfort(app, percent=self._settings.get(INTERFACE_PERCENT), still=self._settings.get(LESS_MOTION))

    def _on_theme_activated(self) -> None:
        name = str(self.theme_box.currentData())
        app = QApplication.instance()
        if isinstance(app, QApplication):
            apply_theme(app, name)
        self._keep(THEME, name)


def _build_number(setting: Setting[int], value: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(int(setting.low or 0), int(setting.high or 1_000_000))
    box.setValue(value)
    box.setGroupSeparatorShown(True)
    box.setKeyboardTracking(False)  # a number is saved when it is finished, not at each digit
    return box

"""How the page is set and how signs are typed: the fields of one tab of the preferences."""

from __future__ import annotations

from PySide6.QtCore import QLocale, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QFormLayout, QSpinBox, QWidget

from storydesk.domain.settings import (
    DIM_OTHERS,
    PAGE_LINE_HEIGHT,
    PAGE_MARGIN,
    PAGE_MEASURE,
    SMART_TYPING,
    TYPEWRITER,
    TYPING_LANGUAGE,
    Setting,
    V,
)
from storydesk.domain.smart_typing import find_manners
from storydesk.services.ports import SettingsStore
from storydesk.ui.theme import add_row, make_form

LINE_STEP = 0.05
MEASURE_STEP = 2
MARGIN_STEP = 4


class PageFields(QWidget):
    """Makes the fields and keeps what they say. GUI thread."""

    setting_changed = Signal(str)
    """The key of a setting that was changed and saved."""

    def __init__(self, settings: SettingsStore, parent: QWidget | None = None) -> None:
        """Show the settings as they are; ``form`` is to be put where it belongs."""
        super().__init__(parent)
        self._settings = settings
        self.hide()

    def make_form(self) -> QFormLayout:
        """Return the fields."""
        form = make_form()
        self.measure_box = self._make_number(PAGE_MEASURE, MEASURE_STEP, self.tr(" letters"))
        add_row(form, self.tr("Width of a &line"), self.measure_box)
        self.line_box = QDoubleSpinBox()
        self.line_box.setRange(PAGE_LINE_HEIGHT.low or 1.0, PAGE_LINE_HEIGHT.high or 3.0)
        self.line_box.setSingleStep(LINE_STEP)
        self.line_box.setValue(self._settings.get(PAGE_LINE_HEIGHT))
        self.line_box.setKeyboardTracking(False)
        self.line_box.valueChanged.connect(lambda value: self._keep(PAGE_LINE_HEIGHT, value))
        add_row(form, self.tr("&Height of a line"), self.line_box)
        self.margin_box = self._make_number(PAGE_MARGIN, MARGIN_STEP, self.tr(" px"))
        add_row(form, self.tr("&Margin"), self.margin_box)
        self.typewriter_box = self._make_check(TYPEWRITER, self.tr("Keep the line I write in the &middle"))
        form.addRow(self.typewriter_box)
        self.dim_box = self._make_check(DIM_OTHERS, self.tr("&Dim all but the paragraph I write"))
        form.addRow(self.dim_box)
        self.smart_box = self._make_check(SMART_TYPING, self.tr("Typographic &quotes, dashes and dots as I type"))
        self.smart_box.setToolTip(self.tr("Backspace right after one brings the plain sign back"))
        form.addRow(self.smart_box)
        self.language_box = self._make_language_box()
        add_row(form, self.tr("&As in"), self.language_box)
        return form

    def _make_number(self, setting: Setting[int], step: int, suffix: str) -> QSpinBox:
        box = QSpinBox()
        box.setRange(int(setting.low or 0), int(setting.high or 1000))
        box.setSingleStep(step)
        box.setSuffix(suffix)
        box.setValue(self._settings.get(setting))
        box.setKeyboardTracking(False)  # a number is saved when it is finished, not at each digit
        box.valueChanged.connect(lambda value: self._keep(setting, value))
        return box

    def _make_check(self, setting: Setting[bool], text: str) -> QCheckBox:
        box = QCheckBox(text)
        box.setChecked(self._settings.get(setting))
        box.toggled.connect(lambda on: self._keep(setting, on))
        return box

    def _make_language_box(self) -> QComboBox:
        box = QComboBox()
        for name in TYPING_LANGUAGE.choices:
            box.addItem(self._say_language(name), name)
        box.setCurrentIndex(max(0, box.findData(self._settings.get(TYPING_LANGUAGE))))
        box.setEnabled(self.smart_box.isChecked())
        self.smart_box.toggled.connect(box.setEnabled)
        box.activated.connect(lambda: self._keep(TYPING_LANGUAGE, str(box.currentData())))
        return box

    def _say_language(self, name: str) -> str:
        if name == TYPING_LANGUAGE.default:
            return self.tr("The language of each story")
        manners = find_manners(name)
        quotes = f"{manners.open_double}{manners.inside}…{manners.inside}{manners.close_double}"
        locale = QLocale(name)
        language = locale.nativeLanguageName()
        country = f" ({locale.nativeTerritoryName()})" if "-" in name else ""
        return f"{language[:1].upper()}{language[1:]}{country}  {quotes}"

    def _keep(self, setting: Setting[V], value: V) -> None:
        self._settings.set(setting, value)
        self.setting_changed.emit(setting.key)

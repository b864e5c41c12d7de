"""One setting of a run: what it is called, what it does, its field, its range, and the way back."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QLocale, Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.run_settings import Misfit, MisfitError, RunSetting, Value
from storydesk.services.phrasebook import SettingWords
from storydesk.ui.theme import SPACE_S, SPACE_XS, ScaledWidth, icon, make_label

NUMBER_WIDTH: Final = 150
CHOICE_WIDTH: Final = 250
DIGITS: Final = 8
SMALL, MOST_DECIMALS = 1e-4, 12


class SettingRow(QWidget):
    """Shows one setting and checks what is typed while it is typed. GUI thread."""

    changed = Signal()

    def __init__(self, setting: RunSetting, words: SettingWords, parent: QWidget | None = None) -> None:
        """Show the value that the setting has by itself."""
        super().__init__(parent)
        self.setting = setting
        self.words = words
        self._misfit: Misfit | None = None
        self._planned = ""
        self.title = make_label(words.title, "heading")
        self.range = make_label("", "muted")
        self.problem = make_label("", "problem")
        self.problem.hide()
        self.reset_button = QPushButton(icon("arrow-counter-clockwise"), self.tr("Reset"))
        self.reset_button.setProperty("role", "flat")
        self.reset_button.setAccessibleName(self.tr("Reset: {name}").format(name=words.title))
        self.reset_button.clicked.connect(self.reset)
        self.field = self._make_field()
        self.field.setAccessibleName(words.title)
        self.title.setBuddy(self.field)
        self._build_layout()
        self.reset()

    @property
    def value(self) -> Value | None:
        """What is typed or chosen; None where that can't be."""
        try:
            found = self._read()
        except MisfitError:
            return None
        return found

    @property
    def is_changed(self) -> bool:
        """Whether it is other than the setting has by itself, or can't be."""
        return self.value != self.setting.default

    def set_value(self, value: Value) -> None:
        """Show a value."""
        if isinstance(self.field, QLineEdit):
            self.field.setText(_write(value))
        elif isinstance(self.field, QComboBox):
            self.field.setCurrentIndex(max(0, self.field.findData(value)))
        else:
            self.field.setChecked(bool(value))
        self._check()

    def reset(self) -> None:
        """Go back to what the setting is by itself."""
        self.set_value(self.setting.default)

    def show_planned(self, planned: Value | None) -> None:
        """Say what the plan makes of it; None where the plan says nothing of its own."""
        said = self.say(planned) if planned is not None else ""
        if said != self._planned:
            self._planned = said
            self._show_range()

    def matches(self, query: str) -> bool:
        """Return whether the words of a search are in the setting's."""
        said = " ".join((self.words.title, self.words.sentence, self.setting.name, *self.words.choices.values()))
        return all(part in said.casefold() for part in query.casefold().split())

    def say(self, value: Value) -> str:
        """Return a value as the writer reads it."""
        return say_value(self.setting, self.words, value)

    def _make_field(self) -> QLineEdit | QComboBox | QCheckBox:
        if self.setting.choices:
            box = QComboBox()
            for choice in self.setting.choices:
                box.addItem(self.words.choices.get(choice, choice), choice)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            ScaledWidth(box, CHOICE_WIDTH)
            box.currentIndexChanged.connect(self._on_edited)
            return box
        if not self.setting.is_number:
            tick = QCheckBox(self.tr("yes"))
            tick.toggled.connect(self._on_edited)
            return tick
        field = QLineEdit()
        field.setInputMethodHints(Qt.InputMethodHint.ImhPreferNumbers)
        ScaledWidth(field, NUMBER_WIDTH)
        field.textChanged.connect(self._on_edited)
        return field

    def _build_layout(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.field)
        row.addWidget(self.reset_button)
        row.addStretch()
        keep = self.reset_button.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self.reset_button.setSizePolicy(keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_XS)
        column.addWidget(self.title)
        column.addWidget(make_label(self.words.sentence, "muted"))
        column.addLayout(row)
        column.addWidget(self.problem)
        column.addWidget(self.range)

    def _read(self) -> Value:
        """Return what the field says; raise MisfitError."""
        if isinstance(self.field, QComboBox):
            return self.setting.accept(self.field.currentData())
        if isinstance(self.field, QCheckBox):
            return self.field.isChecked()
        number, is_number = QLocale().toDouble(self.field.text().strip())  # the decimal sign of the writer's country
        return self.setting.accept(number) if is_number else self.setting.read(self.field.text())

    def _on_edited(self) -> None:
        self._check()
        self.changed.emit()

    def _check(self) -> None:
        """Say under the field why what is typed can't be."""
        self._misfit = None
        try:
            self._read()
        except MisfitError as error:
            self._misfit = error.misfit
        self.problem.setText(self._say_misfit())
        show(self.problem, self._misfit is not None)
        self.field.setAccessibleDescription(self.problem.text() or self.words.sentence)
        show(self.reset_button, self.is_changed)
        self._show_range()

    def _say_misfit(self) -> str:
        if self._misfit is None:
            return ""
        if self._misfit is Misfit.NO_NUMBER:
            return self.tr("This has to be a number.")
        if self._misfit is Misfit.NOT_WHOLE:
            return self.tr("This has to be a whole number.")
        return self.tr("This has to be between {low} and {high}.").format(**self._limits())

    def _show_range(self) -> None:
        parts = []
        if self.setting.low is not None:
            parts.append(self.tr("{low} to {high}").format(**self._limits()))
        if self.is_changed:
            parts.append(self.tr("by itself: {value}").format(value=self.say(self.setting.default)))
        if self._planned:
            parts.append(self.tr("as planned: {value}").format(value=self._planned))
        self.range.setText(" · ".join(parts))
        show(self.range, bool(parts))

    def _limits(self) -> dict[str, str]:
        low, high = self.setting.low or 0.0, self.setting.high or 0.0
        whole = self.setting.is_whole
        return {"low": _write(int(low) if whole else low), "high": _write(int(high) if whole else high)}


def say_value(setting: RunSetting, words: SettingWords, value: Value) -> str:
    """Return a setting's value as the writer reads it."""
    if isinstance(value, bool):
        return _tr("yes") if value else _tr("no")
    if isinstance(value, str):
        return words.choices.get(value, value)
    return _tr("chosen for you") if setting.zero_chooses and not value else _write(value)


def _write(value: Value) -> str:
    """Return a number the way the writer's country writes it."""
    if isinstance(value, int):
        return QLocale().toString(value)
    if 0 < abs(float(value)) < SMALL:  # 0.0000001 rather than 1e-07
        decimals = len(f"{float(value):.{MOST_DECIMALS}f}".rstrip("0").partition(".")[2])
        return QLocale().toString(float(value), "f", decimals)
    return QLocale().toString(float(value), "g", DIGITS)


def _tr(text: str) -> str:
    return QCoreApplication.translate("SettingRow", text)


def show(widget: QWidget, shown: bool) -> None:
    """Show or hide a widget; where nothing changes, nothing is laid out again."""
    if widget.isHidden() is shown:
        widget.setVisible(shown)

"""Every setting of a run, in groups, to look up and to change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QPushButton, QSpinBox, QToolButton, QVBoxLayout, QWidget

from storydesk.bridge.phrases import Phrases
from storydesk.domain.run_settings import RunSetting, Value, list_groups
from storydesk.domain.tuning import PlannedRun
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, FlowLayout, make_label, set_hint
from storydesk.ui.theme.fields import indent_number
from storydesk.ui.tuning.setting_row import SettingRow, say_value, show

FIRST_SEED = 7
LARGEST_SEED = 2**31 - 1


class EverySetting(QWidget):
    """Shows every setting that the trainer takes; its rows are made when it is first opened. GUI thread."""

    changed = Signal()
    """Something else is set, or what is typed can't be."""

    def __init__(self, settings: Sequence[RunSetting], phrases: Phrases, parent: QWidget | None = None) -> None:
        """Begin with what every setting is by itself."""
        super().__init__(parent)
        self._settings = tuple(settings)
        self._phrases = phrases
        self._set: dict[str, Value] = {}
        self._planned: PlannedRun | None = None
        self.rows: dict[str, SettingRow] = {}
        self._headings: dict[str, QLabel] = {}
        self.search = QLineEdit()
        set_hint(self.search, self.tr("Find a setting"))
        self.search.setAccessibleName(self.tr("Find a setting"))
        self.search.setClearButtonEnabled(True)
        for clear in self.search.findChildren(QToolButton):
            clear.setAccessibleName(self.tr("Clear the search"))
        self.search.textChanged.connect(self._on_search_changed)
        self.nothing = make_label(self.tr("No setting is called that."), "muted")
        self.nothing.hide()
        self.reset_button = QPushButton(self.tr("Reset all"))
        self.reset_button.setAccessibleName(self.tr("Reset all settings"))
        self.reset_button.clicked.connect(self.reset)
        self.reset_button.setEnabled(False)
        self.seed_box = QSpinBox()
        self.seed_box.setRange(0, LARGEST_SEED)
        self.seed_box.setValue(FIRST_SEED)
        self.seed_box.setAccessibleName(self.tr("Seed"))
        indent_number(self.seed_box)
        top = FlowLayout(space=SPACE_S)
        top.add(self.search, stretched=True)
        top.add(self.reset_button)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(SPACE_L)
        self._column.addWidget(
            make_label(
                self.tr("Nothing here has to be changed. What you change is kept for the next time."),
                "muted",
            )
        )
        self._column.addLayout(top)
        self._column.addWidget(self.nothing)

    @property
    def settings(self) -> dict[str, Value]:
        """What is other than by itself, by the trainer's names; what can't be is left out."""
        return dict(self._set)

    @property
    def is_valid(self) -> bool:
        """Whether all that is typed can be."""
        return all(row.value is not None for row in self.rows.values())

    def set_settings(self, changed: Mapping[str, Value]) -> None:
        """Show these, and everything else as it is by itself."""
        known = {setting.name: setting for setting in self._settings}
        self._set = {name: value for name, value in changed.items() if name in known}
        for name, row in self.rows.items():
            row.blockSignals(True)
            row.set_value(self._set.get(name, known[name].default))
            row.blockSignals(False)
        self._tell()

    def reset(self) -> None:
        """Set everything back to what it is by itself."""
        self.set_settings({})

    def show_planned(self, planned: PlannedRun | None) -> None:
        """Say beside the settings what the plan makes of them."""
        self._planned = planned
        said: dict[str, Value] = {}
        if planned is not None:
            said = {
                "learning_rate": planned.learning_rate,
                "epochs": planned.epochs,
                "context": planned.context,
                "batch_tokens": planned.batch_tokens,
                "precision": planned.precision,
                "method": "adapters" if planned.adapters else "full",
                "device": planned.device,
            }
        for name, row in self.rows.items():
            row.show_planned(said.get(name) or None)

    def open(self) -> None:
        """Make the rows, where that was not done yet."""
        if self.rows:
            return
        # What is not in the window yet is not laid out at each row.
        inside = self._inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_L)
        for group in list_groups(self._settings):
            heading = self._headings[group] = make_label(self._name_group(group), "title")
            column.addWidget(heading)
            for setting in self._settings:
                if setting.group == group:
                    column.addWidget(self._make_row(setting))
        seed = QVBoxLayout()
        seed.setSpacing(SPACE_S)
        self._seed_title = make_label(self.tr("Seed"), "heading")
        self._seed_title.setBuddy(self.seed_box)
        self._seed_words = make_label(self.tr("The same number gives the same tuning again."), "muted")
        seed.addWidget(self._seed_title)
        seed.addWidget(self._seed_words)
        seed.addWidget(self.seed_box, 0, Qt.AlignmentFlag.AlignLeading)
        column.addLayout(seed)
        column.addSpacing(SPACE_M)
        self.show_planned(self._planned)
        self._on_search_changed(self.search.text())
        self._column.addWidget(inside)
        inside.show()

    def describe(self) -> list[str]:
        """Return what was changed by hand, a sentence each."""
        found = []
        for setting in self._settings:
            if setting.name in self._set:
                words = self._phrases.name_setting(setting.name)
                value = say_value(setting, words, self._set[setting.name])
                usual = say_value(setting, words, setting.default)
                said = self.tr("{name}: {value} (by itself: {usual})")
                found.append(said.format(name=words.title, value=value, usual=usual))
        return found

    def _make_row(self, setting: RunSetting) -> SettingRow:
        row = SettingRow(setting, self._phrases.name_setting(setting.name))
        row.set_value(self._set.get(setting.name, setting.default))
        row.changed.connect(self._on_row_changed)
        self.rows[setting.name] = row
        return row

    def _on_row_changed(self) -> None:
        found = {name: row.value for name, row in self.rows.items() if row.is_changed}
        self._set = {name: value for name, value in found.items() if value is not None}
        self._tell()

    def _tell(self) -> None:
        self.reset_button.setEnabled(bool(self._set) or not self.is_valid)
        self.changed.emit()

    def _on_search_changed(self, query: str) -> None:
        if not self.rows:
            return
        shown: set[str] = set()
        visible = self._inside.isVisible()
        self._inside.setVisible(False)  # laid out once, not at each row
        for row in self.rows.values():
            fits = row.matches(query)
            show(row, fits)
            if fits:
                shown.add(row.setting.group)
        for group, heading in self._headings.items():
            show(heading, group in shown)
        everything = not query.strip()
        for widget in (self._seed_title, self._seed_words, self.seed_box):
            show(widget, everything)
        self._inside.setVisible(visible)
        show(self.nothing, not shown)

    def _name_group(self, group: str) -> str:
        names = {
            "learning": self.tr("How it learns"),
            "length": self.tr("How long it learns"),
            "memory": self.tr("Memory and speed"),
            "measuring": self.tr("Measuring and saving"),
            "samples": self.tr("Stories to show"),
        }
        return names.get(group, group.replace("_", " ").capitalize())

"""One entry of the lorebook, to be read and changed."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QFormLayout, QLabel, QLineEdit, QPlainTextEdit, QSpinBox, QVBoxLayout, QWidget

from storydesk.domain.lorebook import LoreEntry, can_use, join_keys, split_keys
from storydesk.ui.theme import SPACE_M, add_row, make_form, make_label

KEEP_MILLISECONDS = 400
LEAST_LINES = 6
MOST_PRIORITY = 9_999


class EntryForm(QWidget):
    """Shows an entry; what is changed is told soon, or at once by ``flush``. GUI thread."""

    entry_edited = Signal(object)
    """The LoreEntry as the writer changed it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin with no entry."""
        super().__init__(parent)
        self._entry = LoreEntry()
        self._due = QTimer(self)
        self._due.setSingleShot(True)
        self._due.setInterval(KEEP_MILLISECONDS)
        self._due.timeout.connect(self.flush)
        self.title = QLineEdit()
        self.title.setPlaceholderText(self.tr("A name: Mara, the Salt Road, the law of the bell"))
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText(self.tr("What the model is told, in the words of a story. Mara keeps the light …"))
        self.text.setTabChangesFocus(True)
        self.text.setMinimumHeight(self.text.fontMetrics().lineSpacing() * LEAST_LINES + 2 * SPACE_M)
        self.keys = QLineEdit()
        self.keys.setPlaceholderText(self.tr("keeper, lamp & oil, /light ?house/i"))
        self.keys.setToolTip(
            self.tr(
                "Whole words with commas between them. Mara & Tom wants both; a word with a capital inside, such as "
                "McKay, is looked for just so; between slashes stands a pattern. Without any, the name is the key."
            )
        )
        self.aliases = QLineEdit()
        self.aliases.setPlaceholderText(self.tr("the old woman, Mrs Quay"))
        self.aliases.setToolTip(self.tr("Other names; they bring the entry up, too, and are never called misspelt"))
        self.unusable = make_label("", "problem", self)
        self.unusable.hide()
        self.priority = QSpinBox()
        self.priority.setRange(-MOST_PRIORITY, MOST_PRIORITY)
        self.priority.setToolTip(self.tr("Where there is no room for all, higher numbers come first"))
        self.enabled = QCheckBox(self.tr("Switched on"))
        self.always = QCheckBox(self.tr("Always there, whether it is named or not"))
        self.everywhere = QCheckBox(self.tr("For all my stories"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addLayout(self._make_rows(), 1)
        self._connect()
        self.show_entry(None)

    @property
    def entry(self) -> LoreEntry:
        """The entry as it is in the fields."""
        return replace(
            self._entry,
            title=self.title.text().strip() if self.title.text() != self._entry.title else self._entry.title,
            text=self.text.toPlainText(),
            keys=self._read_keys(self.keys, self._entry.keys),
            aliases=self._read_keys(self.aliases, self._entry.aliases),
            priority=self.priority.value() if self.priority.value() != self._shown_priority else self._entry.priority,
            enabled=self.enabled.isChecked(),
            always=self.always.isChecked(),
            everywhere=self.everywhere.isChecked(),
        )

    def show_entry(self, entry: LoreEntry | None) -> None:
        """Show another entry; what was changed in the one before is told first."""
        self.flush()
        self._entry = entry or LoreEntry()
        fields = (self.title, self.text, self.keys, self.aliases, self.priority, self.enabled, self.always)
        blockers = [QSignalBlocker(field) for field in (*fields, self.everywhere)]
        self.title.setText(self._entry.title)
        self.text.setPlainText(self._entry.text)
        self.keys.setText(join_keys(self._entry.keys))
        self.aliases.setText(join_keys(self._entry.aliases))
        self.priority.setValue(self._entry.priority)
        self._shown_priority = self.priority.value()
        self.enabled.setChecked(self._entry.enabled)
        self.always.setChecked(self._entry.always)
        self.everywhere.setChecked(self._entry.everywhere)
        del blockers
        self.setEnabled(entry is not None)
        self._say_unusable()

    def take_switch(self, *, on: bool) -> None:
        """Hear that the shown entry was switched on or off elsewhere."""
        self._entry = replace(self._entry, enabled=on)
        with QSignalBlocker(self.enabled):
            self.enabled.setChecked(on)

    @Slot()
    def flush(self) -> None:
        """Tell at once what was changed."""
        self._due.stop()
        if self._entry.id and (edited := self.entry) != self._entry:
            self._entry = edited
            self.entry_edited.emit(edited)

    @staticmethod
    def _read_keys(field: QLineEdit, before: tuple[str, ...]) -> tuple[str, ...]:
        """Return a field's keys, those from before where nothing was changed: a line can't say all that keys may be."""
        return before if field.text() == join_keys(before) else split_keys(field.text())

    def _make_rows(self) -> QFormLayout:
        form = make_form()
        add_row(form, self.tr("Name"), self.title)
        add_row(form, self.tr("Keys"), self.keys)
        form.addRow("", self.unusable)
        add_row(form, self.tr("Also called"), self.aliases)
        add_row(form, self.tr("Text"), self.text)
        label = form.labelForField(self.text)
        if isinstance(label, QLabel):
            label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeading)
        add_row(form, self.tr("Priority"), self.priority)
        form.addRow("", self.enabled)
        form.addRow("", self.always)
        form.addRow("", self.everywhere)
        for field, name in (
            (self.title, self.tr("Name")),
            (self.keys, self.tr("Keys")),
            (self.aliases, self.tr("Also called")),
            (self.text, self.tr("Text")),
            (self.priority, self.tr("Priority")),
        ):
            field.setAccessibleName(name)
        return form

    def _connect(self) -> None:
        for line in (self.title, self.keys, self.aliases):
            line.textChanged.connect(self._on_changed)
            line.editingFinished.connect(self.flush)
        self.text.textChanged.connect(self._on_changed)
        self.priority.valueChanged.connect(self._on_changed)
        for box in (self.enabled, self.always, self.everywhere):
            box.toggled.connect(self._on_changed)

    def _say_unusable(self) -> None:
        bad = [key for key in (*split_keys(self.keys.text()), *split_keys(self.aliases.text())) if not can_use(key)]
        self.unusable.setText(self.tr("Never found: {keys}").format(keys=", ".join(bad)))
        self.unusable.setToolTip(
            self.tr("A pattern may have brackets, |, ., *, +, ?, {2,3}, \\w, \\d, \\s, \\b, ^ and $, and nothing else")
        )
        self.unusable.setVisible(bool(bad))

    @Slot()
    def _on_changed(self) -> None:
        self._say_unusable()
        self._due.start()

"""Every control of how the model writes, with a sentence each, one click behind the slider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QDoubleSpinBox,
    QLineEdit,
    QPlainTextEdit,
    QScrollArea,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.domain.writing_controls import (
    NUMBERS,
    SWITCHES,
    ControlDesk,
    WritingControls,
    read_biases,
    read_lines,
    write_biases,
)
from storydesk.ui.theme import (
    SPACE_L,
    SPACE_M,
    SPACE_S,
    SPACE_XS,
    WrapButton,
    icon,
    indent_number,
    make_label,
    set_hint,
    set_role,
)

LIST_LINES = 3


class ControlsPage(QWidget):
    """Shows a ControlDesk and lets it be changed. GUI thread."""

    desk_changed = Signal(object)
    """The ControlDesk as the writer has it now."""
    polish_changed = Signal(bool)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Show the usual controls."""
        super().__init__(parent)
        self._desk = ControlDesk()
        self._showing = False
        self._numbers: dict[str, QSpinBox | QDoubleSpinBox] = {}
        self._switches: dict[str, QCheckBox] = {}
        self._lists: dict[str, QPlainTextEdit] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        self.back_button = QToolButton(self)
        self.back_button.setIcon(icon("arrow-left"))
        self.back_button.setText(self.tr("Back to writing"))
        self.back_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        set_role(self.back_button, "flat")
        self.back_button.clicked.connect(self.left)
        self.state_label = make_label(role="muted")
        self.reset_button = WrapButton(self.tr("Back to the preset"), self)
        self.reset_button.clicked.connect(lambda: self._become(self._desk.choose(self._desk.preset)))
        column.addWidget(self.back_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.state_label)
        column.addWidget(self.reset_button)
        column.addWidget(self._make_scroll(), 1)
        self.show_desk(self._desk)

    def show_desk(self, desk: ControlDesk) -> None:
        """Show other controls."""
        self._desk = desk
        self._showing = True
        for name, box in self._numbers.items():
            box.setValue(getattr(desk.controls, name))
        for name, check in self._switches.items():
            check.setChecked(getattr(desk.controls, name))
        self._show_list("banned", "\n".join(desk.controls.banned), read_lines)
        self._show_list("stops", "\n".join(_escape(each) for each in desk.controls.stops), _read_stops)
        self._show_list("phrase_bias", write_biases(desk.controls.phrase_bias), read_biases)
        self._showing = False
        self._tell()

    def take(self, controls: WritingControls) -> None:
        """Take other controls as if the writer had set them."""
        self._become(self._desk.change(controls))

    def show_polish(self, on: bool) -> None:
        """Show whether what is written is mended before it is offered."""
        self.polish_box.blockSignals(True)
        self.polish_box.setChecked(on)
        self.polish_box.blockSignals(False)

    def _show_list(self, name: str, text: str, read: Callable[[str], object]) -> None:
        field = self._lists[name]
        if read(field.toPlainText()) != read(text):  # what is just being typed stays as it is
            field.setPlainText(text)

    # What is where

    def _make_scroll(self) -> QScrollArea:
        inside = QWidget(self)
        inside.setObjectName("scrolled")
        self._column = QVBoxLayout(inside)
        self._column.setContentsMargins(0, 0, SPACE_S, 0)
        self._column.setSpacing(SPACE_XS)
        self._add_choosing()
        self._add_repeating()
        self._add_words()
        self._add_ending()
        self._add_rest()
        self._column.addStretch(1)
        self.area = scroll = QScrollArea(self)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(inside)
        return scroll

    def _add_choosing(self) -> None:
        self._head(self.tr("How words are chosen"))
        self._number(
            "temperature",
            self.tr("Temperature"),
            0.05,
            self.tr("Low keeps to the likeliest words; 0 always takes them."),
        )
        self._number(
            "top_p", self.tr("Top-p"), 0.01, self.tr("Draw from the likeliest words that make up this share; 1 is all.")
        )
        self._number("top_k", self.tr("Top-k"), 5, self.tr("Draw from so many of the likeliest words; 0 is all."))
        self._number(
            "min_p",
            self.tr("Min-p"),
            0.01,
            self.tr("Leave out words with less than this share of the best one's chance."),
        )
        self._number(
            "typical_p",
            self.tr("Typical"),
            0.05,
            self.tr("Prefer words that are about as surprising as expected; 1 is off."),
        )

    def _add_repeating(self) -> None:
        self._head(self.tr("Saying things twice"))
        self._number(
            "repetition_penalty",
            self.tr("Repetition"),
            0.05,
            self.tr("Above 1 words that stood there come back less easily; 1 is off."),
        )
        self._number(
            "frequency_penalty",
            self.tr("Frequency"),
            0.1,
            self.tr("Less likely each time a word was written; below 0 likelier."),
        )
        self._number(
            "presence_penalty", self.tr("Presence"), 0.1, self.tr("Less likely once a word was written at all.")
        )
        self._number(
            "no_repeat_ngram",
            self.tr("Rows never repeated"),
            1,
            self.tr("So many pieces of words in a row never come twice; 0 is off."),
        )
        self._switch(
            "avoid_loops",
            self.tr("Notice loops"),
            self.tr("A text that goes round in circles is taken back and drawn again."),
        )

    def _add_words(self) -> None:
        self._head(self.tr("Words"))
        self._list(
            "banned", self.tr("Never these"), self.tr("Words or phrases that never come, one a line."), read_lines
        )
        self._list(
            "phrase_bias",
            self.tr("Rather these"),
            self.tr("One a line; “lantern = 2” comes more easily, “suddenly = -3” less."),
            read_biases,
        )
        self._list(
            "stops",
            self.tr("End before these"),
            self.tr("The text ends where one of these would come, one a line; \\n is a line break."),
            _read_stops,
        )

    def _add_ending(self) -> None:
        self._head(self.tr("Length and end"))
        self._number("minimum_words", self.tr("At least"), 10, self.tr("Words; 0 sets no limit."))
        self._number("maximum_words", self.tr("At most"), 10, self.tr("Words; 0 sets no limit."))
        self._switch(
            "until_sentence_end",
            self.tr("End with a sentence"),
            self.tr("Go on until the sentence is whole, or leave off one that is not."),
        )

    def _add_rest(self) -> None:
        self._head(self.tr("Each time"))
        box = self._number(
            "seed",
            self.tr("Seed"),
            1,
            self.tr("The same seed gives the same text in the same place; the lowest value draws one each time."),
        )
        box.setSpecialValueText(self.tr("drawn"))
        self._number("ways", self.tr("Ways"), 1, self.tr("How many candidates stand side by side."))
        self.polish_box = QCheckBox(self.tr("Mend slips first"))
        self.polish_box.toggled.connect(self.polish_changed)
        self._column.addWidget(self.polish_box)
        self._say(
            self.polish_box,
            self.tr(
                "Spelling and punctuation of what the model writes are mended, by the sentence, before you see it."
            ),
        )
        self._head(self.tr("Your own presets"))
        self.name_field = QLineEdit(self)
        set_hint(self.name_field, self.tr("A name, such as “Ghost stories”"))
        self.name_field.setAccessibleName(self.tr("Name of the preset"))
        self.name_field.returnPressed.connect(self._on_keep_clicked)
        self.keep_button = WrapButton(self.tr("Keep these controls"), self)
        self.keep_button.clicked.connect(self._on_keep_clicked)
        self.forget_button = WrapButton(self.tr("Throw this preset away"), self)
        self.forget_button.clicked.connect(lambda: self._become(self._desk.forget(self._desk.preset)))
        for widget in (self.name_field, self.keep_button, self.forget_button):
            self._column.addWidget(widget)

    def _head(self, text: str) -> None:
        label = make_label(text, "heading")
        label.setContentsMargins(0, SPACE_L if self._column.count() else 0, 0, 0)
        self._column.addWidget(label)

    def _number(self, name: str, text: str, step: float, sentence: str) -> QSpinBox | QDoubleSpinBox:
        setting = NUMBERS[name]
        box: QSpinBox | QDoubleSpinBox
        if isinstance(setting.default, int):
            box = QSpinBox(self)
            box.setRange(int(setting.low or 0), int(setting.high or 0))
            box.setSingleStep(int(step))
        else:
            box = QDoubleSpinBox(self)
            box.setDecimals(2)
            box.setRange(setting.low or 0.0, setting.high or 0.0)
            box.setSingleStep(step)
        box.setKeyboardTracking(False)
        box.installEventFilter(self)
        indent_number(box)
        box.valueChanged.connect(lambda value: self._on_changed(name, value))
        self._numbers[name] = box
        label = make_label(text)
        label.setBuddy(box)
        box.setAccessibleName(text)
        limits = (self.locale().toString(each) for each in (setting.low or 0, setting.high or 0))
        box.setToolTip(self.tr("From {low} to {high}").format(**dict(zip(("low", "high"), limits, strict=True))))
        self._column.addWidget(label)
        self._column.addWidget(box)
        self._say(box, sentence)
        return box

    def _switch(self, name: str, text: str, sentence: str) -> None:
        box = QCheckBox(text, self)
        box.setChecked(SWITCHES[name].default)
        box.toggled.connect(lambda on: self._on_changed(name, on))
        self._switches[name] = box
        self._column.addWidget(box)
        self._say(box, sentence)

    def _list(self, name: str, text: str, sentence: str, read: Callable[[str], Any]) -> None:
        field = QPlainTextEdit(self)
        field.setTabChangesFocus(True)
        field.setFixedHeight(field.fontMetrics().lineSpacing() * LIST_LINES + 2 * SPACE_M)
        field.setAccessibleName(text)
        field.textChanged.connect(lambda: self._on_changed(name, read(field.toPlainText())))
        self._lists[name] = field
        label = make_label(text)
        label.setBuddy(field)
        self._column.addWidget(label)
        self._column.addWidget(field)
        self._say(field, sentence)

    def _say(self, widget: QWidget, sentence: str) -> None:
        widget.setAccessibleDescription(sentence)
        label = make_label(sentence, "muted")
        label.setContentsMargins(0, 0, 0, SPACE_S)
        self._column.addWidget(label)

    # What the writer does

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Let a wheel that scrolls the page change no number on its way."""
        if event.type() == QEvent.Type.Wheel and isinstance(watched, QAbstractSpinBox) and not watched.hasFocus():
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _on_changed(self, name: str, value: object) -> None:
        if self._showing or getattr(self._desk.controls, name) == value:
            return
        changed: dict[str, Any] = {name: value}
        self._desk = self._desk.change(replace(self._desk.controls, **changed))
        self._tell()
        self.desk_changed.emit(self._desk)

    def _on_keep_clicked(self) -> None:
        kept = self._desk.keep_as(self.name_field.text())
        if kept is not self._desk:
            self.name_field.clear()
            self._become(kept)

    def _become(self, desk: ControlDesk) -> None:
        self.show_desk(desk)
        self.desk_changed.emit(desk)

    def _tell(self) -> None:
        self.reset_button.setEnabled(self._desk.is_changed)
        self.forget_button.setVisible(self._desk.preset in dict(self._desk.own))
        name = say_preset(self._desk.preset)
        changed = self.tr("{preset}, with changes of yours.").format(preset=name)
        self.state_label.setText(changed if self._desk.is_changed else self.tr("As in {preset}.").format(preset=name))


def say_preset(name: str) -> str:
    """Return a preset's name as the writer reads it."""
    known = {"careful": _tr("Careful"), "balanced": _tr("Balanced"), "wild": _tr("Wild")}
    return known.get(name, name)


def _read_stops(text: str) -> tuple[str, ...]:
    lines = (line.replace("\\n", "\n") for line in text.splitlines())
    return WritingControls.from_record({"stops": [line for line in lines if line]}).stops


def _escape(text: str) -> str:
    return text.replace("\n", "\\n")


def _tr(text: str) -> str:
    return QCoreApplication.translate("Presets", text)

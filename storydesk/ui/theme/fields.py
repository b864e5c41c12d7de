"""What fields need beyond the style sheet."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QFormLayout, QLabel, QLayout, QLineEdit, QPlainTextEdit, QWidget

from storydesk.ui.theme.tokens import SPACE_M, SPACE_S


def indent_number(box: QAbstractSpinBox) -> None:
    """Give a number the room at its left that other fields have; Qt ignores the style sheet's padding there."""
    field = box.findChild(QLineEdit)
    if field is not None:
        field.setTextMargins(SPACE_S, 0, 0, 0)


def set_hint(field: QLineEdit | QPlainTextEdit, words: str) -> None:
    """Say in an empty field what belongs into it, and in its tip too: the words may be longer than the field."""
    field.setPlaceholderText(words)
    field.setToolTip(words)


def make_form() -> QFormLayout:
    """Return a form whose labels stand above their fields where they are too long to stand beside them."""
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setSpacing(SPACE_M)
    form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
    return form


def add_row(form: QFormLayout, text: str, field: QWidget, whole: QLayout | None = None) -> None:
    """Add a field, or the layout that it stands in, with a label level with it that its Alt key leads to."""
    label = QLabel(text)
    label.setBuddy(field)
    label.setAlignment(Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter)
    field.ensurePolished()
    height = field.sizeHint().height()
    label.setMinimumHeight(height)
    field.setMinimumHeight(height)  # a form that wraps its rows would squeeze them on a small screen
    if isinstance(field, QAbstractSpinBox):
        indent_number(field)
    if whole is None:
        form.addRow(label, field)
    else:
        form.addRow(label, whole)

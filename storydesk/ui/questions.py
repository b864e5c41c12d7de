"""The few questions that no undo can take the place of."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QMessageBox, QWidget


def ask_to_delete(title: str, parent: QWidget, on_yes: Callable[[], object]) -> None:
    """Ask before a story goes for good; call ``on_yes`` when it may."""
    box = QMessageBox(parent)
    box.setWindowTitle(_tr("Delete for good"))
    box.setText(_tr("Delete “{title}” for good?").format(title=title))
    box.setInformativeText(_tr("All its drafts go too, and this can't be undone."))
    delete = box.addButton(_tr("Delete it"), QMessageBox.ButtonRole.DestructiveRole)
    box.addButton(_tr("Keep it"), QMessageBox.ButtonRole.RejectRole)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    delete.clicked.connect(on_yes)
    box.open()


def ask_to_close_unsaved(parent: QWidget) -> bool:
    """Ask what to do with a text that could not be saved; return whether the window may close."""
    answer = QMessageBox.warning(
        parent,
        _tr("Not saved yet"),
        _tr("The last changes could not be saved. Copy them into another program first, or close anyway."),
        QMessageBox.StandardButton.Close | QMessageBox.StandardButton.Cancel,
        QMessageBox.StandardButton.Cancel,
    )
    return answer == QMessageBox.StandardButton.Close


def _tr(text: str) -> str:
    return QCoreApplication.translate("Questions", text)

"""The few questions that no undo can take the place of."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

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


class Leaving(Enum):
    """What becomes of a tuning when the window closes."""

    GO_ON = auto()
    PAUSE = auto()
    STAY = auto()


def ask_about_tuning(parent: QWidget) -> Leaving:
    """Ask whether a tuning shall go on without the window, wait, or keep the window open."""
    box = QMessageBox(parent)
    box.setWindowTitle(_tr("Still learning"))
    box.setText(_tr("Your model is still learning from your stories."))
    box.setInformativeText(
        _tr("It can go on by itself, and you find it here when you come back; or it waits until then.")
    )
    go_on = box.addButton(_tr("Keep learning"), QMessageBox.ButtonRole.AcceptRole)
    pause = box.addButton(_tr("Pause it"), QMessageBox.ButtonRole.DestructiveRole)
    stay = box.addButton(_tr("Don't close"), QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(go_on)
    box.setEscapeButton(stay)
    box.exec()
    if box.clickedButton() is go_on:
        return Leaving.GO_ON
    return Leaving.PAUSE if box.clickedButton() is pause else Leaving.STAY


def _tr(text: str) -> str:
    return QCoreApplication.translate("Questions", text)

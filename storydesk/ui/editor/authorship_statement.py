"""The disclosure statement as a dialog: read it, change it, copy it or save it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from storydesk.domain.authorship import Tally
from storydesk.ui.editor.authorship_words import say_statement
from storydesk.ui.file_names import propose_file_name
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XL, icon, make_label, set_role

_LETTERS = 76
_LINES = 24


class StatementDialog(QDialog):
    """Shows a statement that the writer may change before it goes anywhere. GUI thread."""

    def __init__(self, title: str, tally: Tally, parent: QWidget | None = None) -> None:
        """Draw the statement up from what was counted."""
        super().__init__(parent)
        self._title = title
        self.setWindowTitle(self.tr("How this text was made"))
        self.field = QPlainTextEdit(say_statement(title, tally) or self.tr("There is no text here yet."))
        self.field.setAccessibleName(self.tr("The statement"))
        self.field.setTabChangesFocus(True)
        self.said = make_label(role="muted")
        self.copy_button = QPushButton(icon("copy", "on_accent"), self.tr("Copy"))
        set_role(self.copy_button, "primary")
        self.copy_button.clicked.connect(self.copy)
        self.save_button = QPushButton(icon("floppy-disk"), self.tr("Save…"))
        self.save_button.clicked.connect(self._on_save_clicked)
        close = QPushButton(self.tr("Close"))
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.said, 1)
        for button in (close, self.save_button, self.copy_button):
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        column.setSpacing(SPACE_M)
        column.addWidget(make_label(self.tr("How this text was made"), "title"))
        column.addWidget(
            make_label(self.tr("For editors and competitions that ask. You may change every word."), "muted")
        )
        column.addWidget(self.field, 1)
        column.addLayout(row)
        metrics = self.fontMetrics()
        self.resize(metrics.averageCharWidth() * _LETTERS, metrics.lineSpacing() * _LINES)
        self.copy_button.setFocus()

    def copy(self) -> None:
        """Put the statement on the clipboard."""
        QGuiApplication.clipboard().setText(self.field.toPlainText())
        self.said.setText(self.tr("Copied."))

    def save(self, path: Path) -> None:
        """Write the statement into a file."""
        try:
            path.write_text(self.field.toPlainText() + "\n", encoding="utf-8")
        except OSError:
            self.said.setText(self.tr("It could not be written there; try another folder."))
            return
        self.said.setText(self.tr("Saved as {name}.").format(name=path.name))

    def _on_save_clicked(self) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        name = propose_file_name(self.tr("{title} - statement").format(title=self._title), self.tr("Statement"))
        path, _chosen = QFileDialog.getSaveFileName(
            self, self.tr("Save the statement"), str(Path(folder) / f"{name}.txt"), self.tr("Text (*.txt)")
        )
        if path:
            self.save(Path(path))

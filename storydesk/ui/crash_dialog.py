"""What is shown when something nobody foresaw happened: the text is safe, and here is what to send us."""

from __future__ import annotations

import platform
import sys
import time
from pathlib import Path

from PySide6.QtCore import QStandardPaths, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QDialog, QFileDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XL, icon, make_label, resize_on_screen

DETAILS_LINES = 14
WIDTH_IN_LETTERS = 90


class CrashDialog(QDialog):
    """Says that the text is saved and lets the report be read, copied or kept. GUI thread."""

    def __init__(self, details: str, *, text_saved: bool = True, parent: QWidget | None = None) -> None:
        """Show a report; ``text_saved`` says whether the page is on disk."""
        super().__init__(parent)
        self.setWindowTitle(self.tr("Storydesk stumbled"))
        self.report = f"{describe_system()}\n\n{details.strip()}\n"
        saved = self.tr("Your text is saved.")
        unsaved = self.tr("The last words could not be saved: copy them into another program before you close.")
        self.said = make_label(saved if text_saved else unsaved, "heading" if text_saved else "problem")
        advice = self.tr(
            "You can close this and go on writing. If it happens again, start Storydesk anew. The report below stays "
            "on this computer unless you send it to us; it names files and code, not your stories."
        )
        self.details = QPlainTextEdit(self.report)
        self.details.setReadOnly(True)
        self.details.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.details.setAccessibleName(self.tr("Report"))
        self.details.setMinimumHeight(self.details.fontMetrics().lineSpacing() * DETAILS_LINES)
        self.details.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        layout.setSpacing(SPACE_M)
        layout.addWidget(make_label(self.tr("Something unexpected happened"), "title"))
        layout.addWidget(self.said)
        layout.addWidget(make_label(advice))
        layout.addWidget(self.details, 1)
        layout.addStretch()
        layout.addLayout(self._build_buttons())
        self.close_button.setFocus()
        resize_on_screen(self, self.fontMetrics().averageCharWidth() * WIDTH_IN_LETTERS, self.sizeHint().height())

    def _build_buttons(self) -> QHBoxLayout:
        self.details_button = QPushButton(icon("caret-down"), self.tr("Details"))
        self.details_button.setCheckable(True)
        self.details_button.toggled.connect(self._on_details_toggled)
        self.copy_button = QPushButton(icon("copy"), self.tr("Copy"))
        self.copy_button.setAccessibleName(self.tr("Copy the report"))
        self.copy_button.clicked.connect(self._on_copy_clicked)
        self.save_button = QPushButton(icon("floppy-disk"), self.tr("Save report…"))
        self.save_button.clicked.connect(self._on_save_clicked)
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.setProperty("role", "primary")
        self.close_button.setDefault(True)
        self.close_button.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.details_button)
        row.addWidget(self.copy_button)
        row.addWidget(self.save_button)
        row.addStretch()
        row.addWidget(self.close_button)
        return row

    def save_report(self, path: Path) -> bool:
        """Write the report to a file and say so in the dialog; a full disk is said too."""
        try:
            path.write_text(self.report, encoding="utf-8")
        except OSError as error:
            self.said.setText(self.tr("The report could not be saved ({detail}).").format(detail=error.strerror))
            return False
        self.said.setText(self.tr("The report is at {path}.").format(path=path))
        return True

    def _on_details_toggled(self, shown: bool) -> None:
        self.details.setVisible(shown)
        if shown:
            resize_on_screen(self, self.width(), max(self.height(), self.sizeHint().height()))
        else:
            self.adjustSize()

    def _on_copy_clicked(self) -> None:
        QGuiApplication.clipboard().setText(self.report)
        self.copy_button.setText(self.tr("Copied"))

    def _on_save_clicked(self) -> None:
        folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        proposed = str(Path(folder) / f"storydesk-report-{time.strftime('%Y%m%d-%H%M')}.txt")
        path, _ = QFileDialog.getSaveFileName(self, self.tr("Save report"), proposed)
        if path:
            self.save_report(Path(path))


def describe_system() -> str:
    """Return the versions that a report needs, and nothing about the writer."""
    python = ".".join(str(part) for part in sys.version_info[:3])
    return f"{platform.system()} {platform.release()} {platform.machine()}, Python {python}, Qt {qVersion()}"

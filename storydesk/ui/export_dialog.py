"""Export: a story leaves as a document."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PySide6.QtCore import QStandardPaths, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.manuscript import Story
from storydesk.services.publishing import PublishingService
from storydesk.ui.figures import say_format
from storydesk.ui.file_names import propose_file_name
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XL, add_row, icon, make_form, make_label, set_role

WIDTH_IN_LETTERS: Final = 72


class ExportDialog(QDialog):
    """Asks for format, folder and name, writes on a thread, and shows where the document went. GUI thread."""

    def __init__(
        self,
        story: Story,
        text: str,
        publishing: PublishingService,
        phrases: Phrases,
        parent: QWidget | None = None,
        *,
        folder: Path | None = None,
    ) -> None:
        """Export ``text`` as ``story``; ``folder`` is proposed, the documents folder where none is given."""
        super().__init__(parent)
        self._story, self._text = story, text
        self._publishing = publishing
        self._phrases = phrases
        self._jobs = JobRunner(self)
        self.exported: Path | None = None
        self.setWindowTitle(self.tr("Export"))
        untitled = self.tr("Untitled")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        layout.setSpacing(SPACE_M)
        layout.addWidget(make_label(self.tr("Export “{title}”").format(title=story.title or untitled), "title"))
        layout.addLayout(self._build_form(propose_file_name(story.title, untitled), folder or _documents_folder()))
        self.said = make_label(selectable=True)
        self.said.hide()
        layout.addWidget(self.said)
        layout.addStretch()
        layout.addLayout(self._build_buttons())
        self._on_fields_changed()
        self.name_field.setFocus()
        self.name_field.selectAll()
        self.resize(self.fontMetrics().averageCharWidth() * WIDTH_IN_LETTERS, self.sizeHint().height())

    @property
    def path(self) -> Path:
        """Where the document will go, the name made safe and the suffix behind it."""
        form = str(self.format_box.currentData())
        name = self.name_field.text().strip()
        name = name[: -len(form) - 1] if name.lower().endswith(f".{form}") else name
        return Path(self.folder_field.text()).expanduser() / f"{propose_file_name(name, self.tr('Untitled'))}.{form}"

    def closeEvent(self, event: QCloseEvent) -> None:
        """Wait for a document that is just being written, so that no half is left."""
        self._jobs.close()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        """Close, waiting like ``closeEvent``."""
        self._jobs.close()
        super().done(result)

    def _build_form(self, name: str, folder: Path) -> QFormLayout:
        self.format_box = QComboBox()
        for form in self._publishing.formats:
            self.format_box.addItem(say_format(form), form)
        self.name_field = QLineEdit(name)
        self.folder_field = QLineEdit(str(folder))
        self._choose_button = QPushButton(icon("folder-open"), self.tr("Choose…"))
        self._choose_button.setAccessibleName(self.tr("Choose the folder"))
        self._choose_button.clicked.connect(self._on_choose_clicked)
        folder_row = QHBoxLayout()
        folder_row.setSpacing(SPACE_S)
        folder_row.addWidget(self.folder_field, 1)
        folder_row.addWidget(self._choose_button)
        fields = make_form()
        add_row(fields, self.tr("&Format"), self.format_box)
        add_row(fields, self.tr("&Name"), self.name_field)
        add_row(fields, self.tr("F&older"), self.folder_field, folder_row)
        self.format_box.currentIndexChanged.connect(self._on_fields_changed)
        self.name_field.textChanged.connect(self._on_fields_changed)
        self.folder_field.textChanged.connect(self._on_fields_changed)
        return fields

    def _build_buttons(self) -> QHBoxLayout:
        self.open_button = QPushButton(icon("folder-open"), self.tr("Open folder"))
        self.open_button.clicked.connect(self._on_open_clicked)
        self.open_button.hide()
        self.replace_button = QPushButton(self.tr("Replace it"))
        self.replace_button.clicked.connect(lambda: self._export(overwrite=True))
        self.replace_button.hide()
        self.close_button = QPushButton(self.tr("Cancel"))
        self.close_button.clicked.connect(self.reject)
        self.export_button = QPushButton(icon("export", "on_accent"), self.tr("Export"))
        self.export_button.setProperty("role", "primary")
        self.export_button.setDefault(True)
        self.export_button.clicked.connect(lambda: self._export(overwrite=False))
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.open_button)
        row.addStretch()
        for button in (self.close_button, self.replace_button, self.export_button):
            row.addWidget(button)
        return row

    def _export(self, *, overwrite: bool) -> None:
        path, form = self.path, str(self.format_box.currentData())
        self._set_busy(True)
        self._jobs.start(
            lambda _: self._publishing.export(self._story, self._text, form, path, overwrite=overwrite),
            on_success=self._on_exported,
            on_failure=self._on_failed,
        )

    def _set_busy(self, busy: bool) -> None:
        for widget in (
            self.format_box,
            self.name_field,
            self.folder_field,
            self._choose_button,
            self.export_button,
            self.replace_button,
        ):
            widget.setEnabled(not busy)
        if busy:
            self._say(self.tr("Writing…"))

    def _say(self, text: str, role: str = "") -> None:
        self.said.setText(text)
        set_role(self.said, role)
        self.said.setVisible(bool(text))
        self.resize(self.width(), max(self.height(), self.sizeHint().height()))

    def _on_fields_changed(self) -> None:
        """Forget what was said about other fields."""
        self.replace_button.hide()
        self.export_button.show()
        self.open_button.hide()
        self.said.hide()
        self.export_button.setEnabled(bool(self.folder_field.text().strip()) and self.format_box.count() > 0)

    def _on_choose_clicked(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Export to"), self.folder_field.text())
        if chosen:
            self.folder_field.setText(chosen)

    def _on_exported(self, path: Path) -> None:
        self._set_busy(False)
        self.exported = path
        self._on_fields_changed()
        self._say(self.tr("Your story is at {path}.").format(path=path))
        self.close_button.setText(self.tr("Close"))
        self.open_button.show()
        self.export_button.hide()
        self.close_button.setDefault(True)
        self.close_button.setFocus()

    def _on_failed(self, failure: Failure) -> None:
        self._set_busy(False)
        if failure.code == FailureCode.FILE_EXISTS:
            name = self.path.name
            self._say(self.tr("There is a {name} in that folder already. Shall it be replaced?").format(name=name))
            self.replace_button.show()
            self.export_button.hide()
            self.replace_button.setFocus()
            return
        self._say("\n".join(part for part in self._phrases.say(failure) if part), "problem")

    def _on_open_clicked(self) -> None:
        if self.exported is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.exported.parent)))


def _documents_folder() -> Path:
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(folder) if folder else Path.home()

"""Export: a story leaves as a document, alone or with others as a book."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import QStandardPaths, QUrl, Slot
from PySide6.QtGui import QCloseEvent, QDesktopServices, QFont
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QProgressBar,
    QPushButton,
    QTextBrowser,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.jobs import Job, JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.domain.book import Book, Form, Part
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.manuscript import Story, count_words
from storydesk.services.manuscripts import ManuscriptService
from storydesk.services.ports import Progress
from storydesk.services.publishing import PublishingService
from storydesk.ui.export_fields import PAGED, ExportFields
from storydesk.ui.figures import say_format
from storydesk.ui.file_names import propose_file_name
from storydesk.ui.theme import (
    SPACE_M,
    SPACE_S,
    SPACE_XL,
    VerticalArea,
    add_row,
    default_page_family,
    icon,
    make_form,
    make_label,
    resize_on_screen,
    set_role,
)

WIDTH_IN_LETTERS: Final = 130
HEIGHT_IN_LINES: Final = 44
PREVIEWED_LETTERS: Final = 6000
PREVIEW_POINTS: Final = 10


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
        manuscripts: ManuscriptService | None = None,
    ) -> None:
        """Export ``text`` as ``story``; ``folder`` is proposed, the documents folder where none is given.

        With ``manuscripts`` other stories can be taken along as further parts.
        """
        super().__init__(parent)
        self._manuscripts = manuscripts
        self._words = count_words(text)
        self._story, self._text = story, text
        self._publishing = publishing
        self._phrases = phrases
        self._jobs = JobRunner(self)
        self.exported: Path | None = None
        self._writing: Job | None = None
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.progress.hide()
        self.setWindowTitle(self.tr("Export"))
        untitled = self.tr("Untitled")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        layout.setSpacing(SPACE_M)
        layout.addWidget(make_label(self.tr("Export “{title}”").format(title=story.title or untitled), "title"))
        self.pages = ExportFields(story, publishing, manuscripts)
        columns = QHBoxLayout()
        columns.setSpacing(SPACE_XL)
        fields = QWidget()
        left = QVBoxLayout(fields)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(SPACE_M)
        left.addLayout(self._build_form(propose_file_name(story.title, untitled), folder or _documents_folder()))
        left.addWidget(self.pages)
        left.addStretch()
        columns.addWidget(VerticalArea(fields), 1)
        columns.addLayout(self._build_preview(), 1)
        layout.addLayout(columns, 1)
        self.said = make_label(selectable=True)
        self.said.hide()
        layout.addWidget(self.said)
        layout.addWidget(self.progress)
        layout.addLayout(self._build_buttons())
        self.pages.changed.connect(self._on_fields_changed)
        self._on_fields_changed()
        self.name_field.setFocus()
        self.name_field.selectAll()
        height = min(self.sizeHint().height(), self.fontMetrics().lineSpacing() * HEIGHT_IN_LINES)
        resize_on_screen(self, self.fontMetrics().averageCharWidth() * WIDTH_IN_LETTERS, height)

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

    def _build_preview(self) -> QVBoxLayout:
        self.preview = QTextBrowser()
        self.preview.setAccessibleName(self.tr("The first pages"))
        self.preview.setOpenLinks(False)
        self.preview.document().setDefaultFont(QFont(default_page_family(), PREVIEW_POINTS))
        caption = make_label(self.tr("The first pages"), "muted")
        column = QVBoxLayout()
        column.setSpacing(SPACE_S)
        column.addWidget(caption)
        column.addWidget(self.preview, 1)
        return column

    def _show_preview(self) -> None:
        """Set the beginning of the story as the chosen form has it."""
        profile = self.pages.profile
        if self.format_box.currentData() not in PAGED:
            profile = replace(profile, form=Form.PLAIN)
        parts = (Part("", self._text[:PREVIEWED_LETTERS]),)
        book = Book(self.pages.title, parts, profile.author, profile.language, counted=self._words)
        self.preview.setHtml(self._publishing.preview(book, profile))

    def _build_buttons(self) -> QHBoxLayout:
        self.open_button = QPushButton(icon("folder-open"), self.tr("Open folder"))
        self.open_button.clicked.connect(self._on_open_clicked)
        self.open_button.hide()
        self.replace_button = QPushButton(self.tr("Replace it"))
        self.replace_button.clicked.connect(lambda: self._export(overwrite=True))
        self.replace_button.hide()
        self.close_button = QPushButton(self.tr("Cancel"))
        self.close_button.clicked.connect(self._on_close_clicked)
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
        kept = self.pages.kept_profile
        profile, title, chosen = self.pages.profile, self.pages.title, self.pages.chosen_stories()
        self._set_busy(True)

        def write(progress: Progress) -> tuple[Path, Sequence[Failure]]:
            parts = []
            for number, story in enumerate(chosen):
                progress(number, len(chosen))
                parts.append(self._read_part(story, alone=len(chosen) == 1))
            progress(0, 0)  # the last moment at which it can be left; the writing itself replaces a file whole or not
            book = Book(title, tuple(parts), profile.author, profile.language, back=profile.back)
            notes = self._publishing.export_book(book, profile, form, path, overwrite=overwrite)
            self._publishing.keep_profile(kept)
            return path, notes

        self._writing = self._jobs.start(
            write, on_success=self._on_exported, on_failure=self._on_failed, on_progress=self._on_progressed
        )

    def _on_progressed(self, done: int, total: int) -> None:
        self.progress.setRange(0, total)
        self.progress.setValue(done)

    @Slot()
    def _on_close_clicked(self) -> None:
        """Leave; while a document is being written, leave that first."""
        if self._writing is not None and not self._writing.is_over:
            self._writing.cancel()
            self._say(self.tr("Stopping…"))
        else:
            self.reject()

    def _read_part(self, story: Story, *, alone: bool) -> Part:
        """Return a story as a part; the one on the page as it stands there, others as they were saved."""
        if story.id == self._story.id or self._manuscripts is None:
            return Part("" if alone else story.title, self._text)
        return Part("" if alone else story.title, self._manuscripts.open_story(story.id).text)

    def _set_busy(self, busy: bool) -> None:
        for widget in (
            self.format_box,
            self.name_field,
            self.folder_field,
            self._choose_button,
            self.pages,
            self.export_button,
            self.replace_button,
        ):
            widget.setEnabled(not busy)
        self.progress.setRange(0, 0)
        self.progress.setVisible(busy)
        if busy:
            self._say(self.tr("Writing…"))
        else:
            self._writing = None

    def _say(self, text: str, role: str = "") -> None:
        self.said.setText(text)
        set_role(self.said, role)
        self.said.setVisible(bool(text))
        resize_on_screen(self, self.width(), max(self.height(), self.sizeHint().height()))

    def _on_fields_changed(self) -> None:
        """Forget what was said about other fields."""
        self.replace_button.hide()
        self.export_button.show()
        self.open_button.hide()
        self.said.hide()
        self.pages.set_paged(self.format_box.currentData() in PAGED)
        self.export_button.setEnabled(bool(self.folder_field.text().strip()) and self.format_box.count() > 0)
        self._show_preview()

    def _on_choose_clicked(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Export to"), self.folder_field.text())
        if chosen:
            self.folder_field.setText(chosen)

    def _on_exported(self, answer: tuple[Path, Sequence[Failure]]) -> None:
        path, notes = answer
        self._set_busy(False)
        self.exported = path
        self._on_fields_changed()
        said = [self.tr("Your story is at {path}.").format(path=path)]
        said += [" ".join(part for part in self._phrases.say(note) if part) for note in notes]
        self._say("\n".join(said))
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

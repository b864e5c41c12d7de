"""Step 1, your words: what the model shall learn from, counted, and what can't be read said."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_sources import (
    PLAIN_FORMATS,
    TABLE_FORMATS,
    Measure,
    SourceKind,
    TuningSource,
    measure_source,
)
from storydesk.domain.failures import Failure
from storydesk.domain.manuscript import Story
from storydesk.services.desk import Desk
from storydesk.services.tuning import RICH_FORMATS
from storydesk.ui.figures import say_number, say_texts, say_words
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon, make_label
from storydesk.ui.tuning.story_picker import StoryPicker

SHOWN_UNREAD: Final = 4
_ICONS: Final = {
    SourceKind.FILE: "file-text",
    SourceKind.FOLDER: "folder",
    SourceKind.SAMPLES: "lightbulb",
    SourceKind.LIBRARY: "books",
}


class WordsStep(QWidget):
    """Collects sources; each is counted on a thread. GUI thread."""

    sources_changed = Signal()
    next_wanted = Signal()

    def __init__(self, desk: Desk, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Start with an empty list; ``buttons`` is the row of buttons that belongs below."""
        super().__init__(parent)
        self._desk = desk
        self._phrases = phrases
        self._jobs = JobRunner(self)
        self._sources: list[TuningSource] = []
        self.setAcceptDrops(True)
        self.total = make_label("", "heading")
        self.unread = make_label("", "problem", selectable=True)
        self.used = make_label(self.tr("All the rest is used."), "muted")
        self.next_button = QPushButton(self.tr("Next: the plan"))
        self.next_button.setProperty("role", "primary")
        self.next_button.clicked.connect(self.next_wanted)
        self.buttons = QWidget()
        bottom = QHBoxLayout(self.buttons)
        bottom.setContentsMargins(0, 0, 0, 0)
        bottom.addWidget(self.total, 1)
        bottom.addWidget(self.next_button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(SPACE_M)
        layout.addWidget(make_label(self.tr("Which pages sound like you?"), "title"))
        layout.addWidget(
            make_label(
                self.tr(
                    "Give it stories that you have written. A dozen show something, fifty are better. They are read "
                    "on this computer and go nowhere else."
                ),
                "muted",
            )
        )
        layout.addLayout(self._build_buttons())
        layout.addWidget(self._build_list(), 1)
        layout.addWidget(self.unread)
        layout.addWidget(self.used)
        self._refresh()

    @property
    def sources(self) -> Sequence[TuningSource]:
        """What was added, in order, measured or not yet."""
        return tuple(self._sources)

    @property
    def counted(self) -> Measure | None:
        """All sources together; None while any is being counted or there are none."""
        measures = [source.measure for source in self._sources]
        if not measures or any(measure is None for measure in measures):
            return None
        known = [measure for measure in measures if measure is not None]
        return Measure(
            sum(measure.documents for measure in known),
            sum(measure.words for measure in known),
            tuple(entry for measure in known for entry in measure.unread),
        )

    def add_paths(self, paths: Sequence[Path]) -> None:
        """Add files and folders."""
        for path in paths:
            kind = SourceKind.FOLDER if path.is_dir() else SourceKind.FILE
            self._add(TuningSource(kind, path.name or str(path), path))

    def add_samples(self) -> None:
        """Add our own stories, to see how tuning goes."""
        self._add(TuningSource(SourceKind.SAMPLES, self.tr("Our samples, three voices to try"), self._desk.samples))

    def add_stories(self, stories: Sequence[Story]) -> None:
        """Add stories of the library as one line, in place of an earlier choice."""
        self._sources = [source for source in self._sources if source.kind is not SourceKind.LIBRARY]
        if stories:
            self._add(TuningSource(SourceKind.LIBRARY, self.tr("Stories of your library"), stories=tuple(stories)))
        else:
            self._refresh()

    def remove_selected(self) -> None:
        """Take the selected lines off the list."""
        rows = {index.row() for index in self.list.selectionModel().selectedRows()}
        self._sources = [source for row, source in enumerate(self._sources) if row not in rows]
        self._refresh()

    def close_jobs(self) -> None:
        """Give up counting."""
        self._jobs.close()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files that are dragged in."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Add what was dropped."""
        self.add_paths([Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()

    def _build_buttons(self) -> FlowLayout:
        self.files_button = QPushButton(icon("file-plus"), self.tr("Files…"))
        self.files_button.setAccessibleName(self.tr("Add files"))
        self.files_button.clicked.connect(self._on_files_clicked)
        self.folder_button = QPushButton(icon("folder-plus"), self.tr("A folder…"))
        self.folder_button.setAccessibleName(self.tr("Add a folder"))
        self.folder_button.clicked.connect(self._on_folder_clicked)
        self.library_button = QPushButton(icon("books"), self.tr("My library…"))
        self.library_button.setAccessibleName(self.tr("Add stories of my library"))
        self.library_button.clicked.connect(self._on_library_clicked)
        self.samples_button = QPushButton(icon("lightbulb"), self.tr("Our samples"))
        self.samples_button.setAccessibleName(self.tr("Add our samples to try it"))
        self.samples_button.clicked.connect(self.add_samples)
        row = FlowLayout(space=SPACE_S)
        row.add(self.files_button, self.folder_button, self.library_button, self.samples_button)
        return row

    def _build_list(self) -> QWidget:
        self.list = QTreeWidget()
        self.list.setColumnCount(3)
        self.list.setHeaderLabels([self.tr("Source"), self.tr("Texts"), self.tr("Words")])
        self.list.setRootIsDecorated(False)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setAccessibleName(self.tr("Your words"))
        header = self.list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        self.remove_button = QPushButton(icon("x"), self.tr("Remove"))
        self.remove_button.setProperty("role", "flat")
        self.remove_button.setAccessibleName(self.tr("Remove the selected lines"))
        self.remove_button.clicked.connect(self.remove_selected)
        self.list.itemSelectionChanged.connect(lambda: self.remove_button.setEnabled(bool(self.list.selectedItems())))
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.list)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.remove_selected)
        self.empty = make_label(
            self.tr("Nothing here yet. Add or drop your stories, or press Our samples to see how it goes."), "muted"
        )
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        whole = QWidget()
        layout = QVBoxLayout(whole)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.empty, 1)
        layout.addWidget(self.remove_button, 0, Qt.AlignmentFlag.AlignLeading)
        return whole

    def _add(self, source: TuningSource) -> None:
        if source in self._sources:
            return
        self._sources.append(source)
        self._refresh()
        self._jobs.start(
            lambda progress: measure_source(source, self._desk.publishing, self._desk.manuscripts, progress),
            on_success=self._on_measured,
            on_failure=lambda failure: self._on_measuring_failed(source, failure),
        )

    def _on_measured(self, measured: TuningSource) -> None:
        # ``measure`` takes no part in comparison, so the source that was added is found again.
        self._sources = [measured if source == measured else source for source in self._sources]
        self._refresh()

    def _on_measuring_failed(self, source: TuningSource, failure: Failure) -> None:
        self._on_measured(
            TuningSource(
                source.kind, source.name, source.path, source.stories, Measure(unread=((source.name, failure),))
            )
        )

    def _refresh(self) -> None:
        selected = {index.row() for index in self.list.selectionModel().selectedRows()}
        self.list.clear()
        for row, source in enumerate(self._sources):
            figures = (
                ["…", "…"]
                if source.measure is None
                else [
                    say_number(source.measure.documents),
                    say_number(source.measure.words),
                ]
            )
            item = QTreeWidgetItem(self.list, [source.name, *figures])
            useless = source.measure is not None and source.measure.words == 0
            item.setIcon(0, icon("warning", "problem") if useless else icon(_ICONS[source.kind]))
            item.setToolTip(0, str(source.path) if source.path else "\n".join(story.title for story in source.stories))
            for column in (1, 2):
                item.setTextAlignment(column, Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
            item.setSelected(row in selected)
        self.list.setVisible(bool(self._sources))
        self.remove_button.setVisible(bool(self._sources))
        self.remove_button.setEnabled(bool(self.list.selectedItems()))
        self.empty.setVisible(not self._sources)
        self._refresh_total()
        self.sources_changed.emit()

    def _refresh_total(self) -> None:
        counted = self.counted
        if counted is None:
            self.total.setText(self.tr("Counting…") if self._sources else "")
            self.unread.hide()
            self.used.hide()
            self.next_button.setEnabled(False)
            return
        figures = {"texts": say_texts(counted.documents), "words": say_words(counted.words)}
        self.total.setText(self.tr("{texts}, {words}").format(**figures))
        self.next_button.setEnabled(counted.words > 0)
        lines = [self._say_unread(name, failure) for name, failure in counted.unread[:SHOWN_UNREAD]]
        more = len(counted.unread) - SHOWN_UNREAD
        if more > 0:
            lines.append(self.tr("{count} more can't be read either.").format(count=say_number(more)))
        self.unread.setText("\n".join(lines))
        self.unread.setVisible(bool(lines))
        self.used.setVisible(bool(lines) and counted.words > 0)

    def _say_unread(self, name: str, failure: Failure) -> str:
        """Return why a file can't be used, with its name where the sentence has none."""
        sentence = self._phrases.say(failure)[0]
        return sentence if name in sentence else f"{name}: {sentence}"

    def _on_files_clicked(self) -> None:
        kinds = " ".join(f"*.{form}" for form in (*RICH_FORMATS, *PLAIN_FORMATS, *TABLE_FORMATS))
        files, _ = QFileDialog.getOpenFileNames(
            self, self.tr("Add files"), "", self.tr("Stories ({kinds})").format(kinds=kinds)
        )
        self.add_paths([Path(name) for name in files])

    def _on_folder_clicked(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Add a folder"))
        if folder:
            self.add_paths([Path(folder)])

    def _on_library_clicked(self) -> None:
        self._jobs.start(lambda _: tuple(self._desk.manuscripts.list_stories()), on_success=self._pick_stories)

    def _pick_stories(self, stories: tuple[Story, ...]) -> None:
        picker = StoryPicker(stories, self)
        picker.accepted.connect(lambda: self.add_stories(picker.chosen))
        picker.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        picker.open()

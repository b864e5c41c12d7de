"""Step 1, your words: what the model shall learn from, counted, and what can't be read said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.data_desk_controller import DataDeskController, list_texts_of_models
from storydesk.bridge.jobs import JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.bridge.tuning_sources import (
    PLAIN_FORMATS,
    TABLE_FORMATS,
    Measure,
    TuningSource,
    as_data_source,
    as_tuning_source,
    measure_by_view,
    measure_source,
)
from storydesk.domain.dataset import DatasetView, DataSource, SourceKind
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.manuscript import Story
from storydesk.services.desk import Desk
from storydesk.services.gathering import RICH_FORMATS
from storydesk.ui.figures import say_number, say_texts, say_words
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon, make_label
from storydesk.ui.tuning.hub_row import HubRow
from storydesk.ui.tuning.pairs_page import PairsPage
from storydesk.ui.tuning.reading_line import ReadingLine
from storydesk.ui.tuning.source_list import SourceList
from storydesk.ui.tuning.story_picker import StoryPicker

SHOWN_UNREAD: Final = 4
_WITH_REMEDY: Final = ("hub_not_reached", "data_not_found")
"""What keeps the Hub away is for the writer to mend, so the remedy is said too."""


class WordsStep(QWidget):
    """Collects sources; each is counted on a thread, then all of them are read by the data desk. GUI thread."""

    sources_changed = Signal()
    next_wanted = Signal()
    wide_changed = Signal(bool)
    """Whether what is shown wants all the width there is."""

    def __init__(self, desk: Desk, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Start with an empty list; ``buttons`` is the row of buttons that belongs below."""
        super().__init__(parent)
        self._desk = desk
        self._phrases = phrases
        self._jobs = JobRunner(self)
        self._sources: list[TuningSource] = []
        self.data = DataDeskController(
            desk.datasets, desk.manuscripts, desk.settings, self, list_models=lambda: list_texts_of_models(desk.models)
        )
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
        self.list = SourceList()
        self.list.removal_wanted.connect(self.remove_selected)
        self.reading = ReadingLine(self.data, phrases)
        self.front = self._build_front()
        self.pairs = PairsPage(self.data, phrases, desk.settings)
        self.pairs.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.front, 1)
        layout.addWidget(self.pairs, 1)
        self._connect()
        self._refresh()
        self.data.restore()

    @property
    def sources(self) -> Sequence[TuningSource]:
        """What was added, in order, measured or not yet."""
        return tuple(self._sources)

    @property
    def counted(self) -> Measure | None:
        """All sources together, without what is left out; None while any is being counted or read."""
        measures = [source.measure for source in self._sources]
        if not measures or any(measure is None for measure in measures) or self.data.is_reading:
            return None
        known = [measure for measure in measures if measure is not None]
        unread = [entry for measure in known for entry in measure.unread]
        view = self.data.view
        if view is not None and view.pairs:
            told = {self._phrases.say_line(failure) for _, failure in unread}
            unread += [("", each) for each in view.unread if self._phrases.say_line(each) not in told]
            return Measure(len(view.kept), view.words, tuple(unread))
        documents, words = (sum(getattr(each, name) for each in known) for name in ("documents", "words"))
        return Measure(documents, words, tuple(unread))

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
            self._follow()

    def add_hub(self, name: str) -> None:
        """Add a data set of the Hub; it is fetched by reading it."""
        self._add(TuningSource(SourceKind.HUB, name))

    def remove_selected(self) -> None:
        """Take the selected lines off the list."""
        rows = self.list.selected_rows
        self._sources = [source for row, source in enumerate(self._sources) if row not in rows]
        self._refresh()
        self._follow()

    def show_pairs(self) -> None:
        """Turn to the pairs."""
        if self.data.view is not None:
            self.front.hide()
            self.pairs.show()
            self.wide_changed.emit(True)
            self.pairs.pairs.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_front(self) -> None:
        """Turn back to the sources."""
        if self.front.isHidden():
            self.pairs.flush()
            self.pairs.hide()
            self.front.show()
            self.wide_changed.emit(False)
            (self.reading.look_button if self.reading.look_button.isVisible() else self.files_button).setFocus()

    def close_jobs(self) -> None:
        """Keep what was typed, give up counting and reading."""
        self.pairs.flush()
        self.data.close()
        self._jobs.close()

    def _build_front(self) -> QWidget:
        self.hub_row = HubRow()
        front = QWidget()
        layout = QVBoxLayout(front)
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
        layout.addWidget(self.hub_row)
        layout.addWidget(self.list, 1)
        layout.addWidget(self.reading)
        layout.addWidget(self.unread)
        layout.addWidget(self.used)
        return front

    def _connect(self) -> None:
        self.hub_row.wanted.connect(self.add_hub)
        self.hub_row.left.connect(self.hub_button.setFocus)
        self.reading.look_wanted.connect(self.show_pairs)
        self.pairs.leave_wanted.connect(self.show_front)
        self.data.restored.connect(self._on_restored)
        self.data.view_changed.connect(self._on_view_changed)
        self.data.reading_changed.connect(lambda _reading: self._refresh_total())
        self.data.reading_failed.connect(self._on_reading_failed)

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
        self.hub_button = QPushButton(icon("globe"), self.tr("A data set from the Hub…"))
        self.hub_button.clicked.connect(self.hub_row.ask)
        row = FlowLayout(space=SPACE_S)
        row.add(self.files_button, self.folder_button, self.library_button, self.samples_button, self.hub_button)
        return row

    def _add(self, source: TuningSource) -> None:
        # What could not be read before is tried again.
        self._sources = [each for each in self._sources if each != source or not each.is_useless]
        if source in self._sources:
            return
        self._sources.append(source)
        self._refresh()
        if source.needs_trainer:
            self._follow()
            return
        self._jobs.start(
            lambda progress: measure_source(source, self._desk.publishing, self._desk.manuscripts, progress),
            on_success=self._on_measured,
            on_failure=lambda failure: self._on_measuring_failed(source, failure),
        )

    def _on_measured(self, measured: TuningSource) -> None:
        # ``measure`` takes no part in comparison, so the source that was added is found again.
        self._sources = [measured if source == measured else source for source in self._sources]
        self._refresh()
        self._follow()

    def _on_measuring_failed(self, source: TuningSource, failure: Failure) -> None:
        self._on_measured(
            TuningSource(
                source.kind, source.name, source.path, source.stories, Measure(unread=((source.name, failure),))
            )
        )

    def _follow(self) -> None:
        """Let the data desk read the sources, once all that the app can count is counted."""
        if any(source.measure is None and not source.needs_trainer for source in self._sources):
            return
        wanted = tuple(as_data_source(source) for source in self._sources if not source.is_useless)
        self.data.follow(wanted, self.tr("My words"))

    def _on_view_changed(self, view: DatasetView | None) -> None:
        """Count what only the reading could count."""
        if view is not None:
            others = sum(each.measure.documents for each in self._sources if each.measure and not each.needs_trainer)
            self._sources = [
                measure_by_view(each, view, others) if each.needs_trainer and not each.is_useless else each
                for each in self._sources
            ]
        elif not self.data.is_reading:
            self.show_front()
        self._refresh()

    def _on_reading_failed(self, failure: Failure, _sources: object) -> None:
        """Go on without what could not be fetched; where that is not the cause, all can be tuned on as it is."""
        waiting = [source for source in self._sources if source.needs_trainer and source.measure is None]
        if not waiting:
            self._refresh()
            return
        last = waiting[-1]
        if failure.code == FailureCode.CANCELLED:
            self._sources = [source for source in self._sources if source != last]
        else:
            told = replace(last, measure=Measure(unread=((last.name, failure),)))
            self._sources = [told if source == last else source for source in self._sources]
        self._refresh()
        self._follow()

    def _on_restored(self, sources: tuple[DataSource, ...]) -> None:
        """Show the sources of a dataset again, in place of what is there."""

        def show(stories: tuple[Story, ...]) -> None:
            found = [as_tuning_source(source, stories) for source in sources]
            self._sources = []
            for source in found:
                if source is not None:
                    self._add(source)
            self._refresh()

        self._jobs.start(lambda _: tuple(self._desk.manuscripts.list_stories()), on_success=show)

    def _refresh(self) -> None:
        self.list.show_sources(self._sources)
        self._refresh_total()
        self.sources_changed.emit()

    def _refresh_total(self) -> None:
        counted = self.counted
        if counted is None:
            waiting = self.tr("Reading…") if self.data.is_reading else self.tr("Counting…")
            self.total.setText(waiting if self._sources else "")
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
        if failure.code in _WITH_REMEDY:
            sentence = self._phrases.say_line(failure)
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

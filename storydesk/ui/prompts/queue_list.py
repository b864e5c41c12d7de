"""The stories that are being written from prompts: how far each has come, and what came of it."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.phrases import Phrases
from storydesk.bridge.story_queue import StoryQueue
from storydesk.domain.whole_story import QueuedStory, StoryEnding, StoryState, title_prompt
from storydesk.services.prompts import read_failure
from storydesk.ui.figures import say_number, say_perplexity, say_words
from storydesk.ui.theme import SPACE_S, FlowLayout, icon, make_label

_ID = Qt.ItemDataRole.UserRole
LEAST_LINES = 6
LEAST_LETTERS = 16


class QueueList(QWidget):
    """Shows the queue and lets it be led. GUI thread."""

    story_wanted = Signal(int)
    """The writer wants to see a finished story, by its id in the library."""

    def __init__(self, queue: StoryQueue, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Follow the queue."""
        super().__init__(parent)
        self._queue = queue
        self._phrases = phrases
        self.heading = make_label(self.tr("Stories from prompts"), "heading", self)
        self.pause_button = QPushButton(self)
        self.pause_button.clicked.connect(self._on_pause_clicked)
        head = QHBoxLayout()
        head.addWidget(self.heading, 1)
        head.addWidget(self.pause_button)
        self.hint = make_label(
            self.tr(
                "Nothing is being written. Choose prompts and press the button above: each becomes a story of its own "
                "in your library, with an ending, while you go on writing."
            ),
            "muted",
            self,
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(head)
        column.addWidget(self.hint)
        column.addWidget(self._make_list(), 1)
        self.explanation = make_label("", "muted", self)
        column.addWidget(self.explanation)
        column.addLayout(self._make_buttons())
        column.addStretch(0)
        queue.queue_changed.connect(self.show_queue)
        queue.story_changed.connect(self._on_story_changed)
        self.show_queue(queue.stories)

    @property
    def chosen(self) -> list[int]:
        """The numbers of the selected stories."""
        return [item.data(0, _ID) for item in self.list.selectedItems()]

    @Slot(object)
    def show_queue(self, stories: tuple[QueuedStory, ...]) -> None:
        """Show all stories of the queue."""
        chosen = set(self.chosen)
        self.list.clear()
        for story in stories:
            item = QTreeWidgetItem(self.list)
            item.setData(0, _ID, story.id)
            self._fill(item, story)
            item.setSelected(story.id in chosen)
        self._fit()

    def _make_list(self) -> QTreeWidget:
        self.list = QTreeWidget(self)
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setHeaderLabels(
            [self.tr("Prompt"), self.tr("How far"), self.tr("Perplexity"), self.tr("What came of it")]
        )
        self.list.setAccessibleName(self.heading.text())
        self.list.setMinimumHeight(self.list.fontMetrics().lineSpacing() * LEAST_LINES)
        header = self.list.header()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(3, QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(False)
        header.setMinimumSectionSize(header.fontMetrics().averageCharWidth() * LEAST_LETTERS)
        self.list.itemSelectionChanged.connect(self._fit)
        self.list.itemActivated.connect(lambda _item, _column: self._on_open_clicked())
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.list)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self._on_remove_clicked)
        return self.list

    def _make_buttons(self) -> FlowLayout:
        self.open_button = QPushButton(icon("book-open"), self.tr("Open"), self)
        self.open_button.clicked.connect(self._on_open_clicked)
        self.retry_button = QPushButton(icon("arrow-clockwise"), self.tr("Try again"), self)
        self.retry_button.setToolTip(self.tr("Go on with what failed or was given up; write a finished one anew"))
        self.retry_button.clicked.connect(lambda: self._queue.retry(self.chosen))
        self.cancel_button = QPushButton(icon("stop"), self.tr("Give up"), self)
        self.cancel_button.clicked.connect(lambda: self._queue.cancel(self.chosen))
        self.remove_button = QPushButton(icon("x"), self.tr("Take off the list"), self)
        self.remove_button.setToolTip(self.tr("Finished stories stay in your library"))
        self.remove_button.clicked.connect(self._on_remove_clicked)
        row = FlowLayout()
        row.add(self.open_button, self.retry_button, self.cancel_button, self.remove_button)
        return row

    def _fill(self, item: QTreeWidgetItem, story: QueuedStory) -> None:
        item.setText(0, title_prompt(story.wish.prompt))
        item.setToolTip(0, story.wish.prompt)
        item.setText(1, self._say_progress(story))
        item.setText(2, say_perplexity(story.perplexity) if story.state is StoryState.DONE else "")
        item.setText(3, self._say_outcome(story))
        item.setToolTip(3, self._explain(story))

    def _say_progress(self, story: QueuedStory) -> str:
        if story.state is StoryState.DONE:
            return say_words(story.words)
        return self.tr("{percent}% of {words}").format(
            percent=say_number(story.progress * 100), words=say_words(story.wish.words)
        )

    def _say_outcome(self, story: QueuedStory) -> str:
        if story.state is StoryState.DONE:
            return say_ending(story)
        if story.state is StoryState.FAILED:
            return self.tr("not written")
        if story.state is StoryState.CANCELLED:
            return self.tr("given up")
        if self._queue.paused:
            return self.tr("paused")
        return self.tr("being written") if story.state is StoryState.WRITING else self.tr("waiting")

    def _explain(self, story: QueuedStory) -> str:
        """Return in a sentence what kind of ending a story has, or why it has none."""
        if story.state is StoryState.DONE:
            return explain_ending(story)
        failure = read_failure(story.detail) if story.state is StoryState.FAILED else None
        return " ".join(self._phrases.say(failure)) if failure is not None else ""

    def _fit(self) -> None:
        stories = {story.id: story for story in self._queue.stories}
        chosen = [stories[each] for each in self.chosen if each in stories]
        some = bool(stories)
        self.hint.setVisible(not some)
        self.list.setVisible(some)
        for button in (self.open_button, self.retry_button, self.cancel_button, self.remove_button):
            button.setVisible(some)
        can = self._queue.can_change
        self.pause_button.setVisible(can and any(story.is_open for story in stories.values()))
        paused = self._queue.paused
        self.pause_button.setText(self.tr("Go on") if paused else self.tr("Pause"))
        self.pause_button.setIcon(icon("play" if paused else "pause"))
        self.open_button.setEnabled(len(chosen) == 1 and bool(chosen[0].story_id))
        self.retry_button.setEnabled(can and any(not story.is_open for story in chosen))
        self.cancel_button.setEnabled(can and any(story.is_open for story in chosen))
        self.remove_button.setEnabled(can and bool(chosen))
        explained = self._explain(chosen[0]) if len(chosen) == 1 else ""
        self.explanation.setText(explained)
        self.explanation.setVisible(bool(explained))
        open_count = sum(story.is_open for story in stories.values())
        more = self.tr("%Ln to come", "", open_count) if open_count else ""
        self.heading.setText(self.tr("Stories from prompts") + (f" · {more}" if more else ""))

    @Slot(object)
    def _on_story_changed(self, story: QueuedStory) -> None:
        for row in range(self.list.topLevelItemCount()):
            item = self.list.topLevelItem(row)
            if item is not None and item.data(0, _ID) == story.id:
                self._fill(item, story)
        self._fit()

    @Slot()
    def _on_pause_clicked(self) -> None:
        if self._queue.paused:
            self._queue.go_on()
        else:
            self._queue.pause()

    @Slot()
    def _on_open_clicked(self) -> None:
        stories = {story.id: story for story in self._queue.stories}
        chosen = [stories[each] for each in self.chosen if each in stories]
        if len(chosen) == 1 and chosen[0].story_id:
            self.story_wanted.emit(chosen[0].story_id)

    @Slot()
    def _on_remove_clicked(self) -> None:
        self._queue.remove(self.chosen)


def say_ending(story: QueuedStory) -> str:
    """Return in a word or two what kind of ending a story has."""
    words = {
        StoryEnding.OWN: QCoreApplication.translate("QueueList", "ended by the model"),
        StoryEnding.LIKELY: QCoreApplication.translate("QueueList", "likely end ({percent}%)"),
        StoryEnding.CUT: QCoreApplication.translate("QueueList", "stopped"),
    }
    return words[StoryEnding(story.ending)].format(percent=say_number(story.end_chance * 100)) if story.ending else ""


def explain_ending(story: QueuedStory) -> str:
    """Return in a sentence what kind of ending a story has."""
    if story.ending == StoryEnding.OWN:
        return QCoreApplication.translate("QueueList", "The model itself wrote the end there.")
    if story.ending == StoryEnding.LIKELY:
        return QCoreApplication.translate(
            "QueueList",
            "Several last passages were tried; the story stops at the sentence where the model finds an end likeliest.",
        )
    return QCoreApplication.translate(
        "QueueList", "The model saw no end coming, so the story stops at a sentence. It wants an ending of yours."
    )

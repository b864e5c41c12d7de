"""Look through the pairs: list, doctor and kept texts on the left, the pair to read and change on the right."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from storydesk.bridge.data_desk_controller import DataDeskController, KeptVersion
from storydesk.bridge.phrases import Phrases
from storydesk.domain.dataset import DatasetFinding, DatasetView, EditKind, Pair
from storydesk.domain.failures import Failure
from storydesk.services.ports import SettingsStore
from storydesk.ui.insight.choice_row import ChoiceRow
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, icon, make_label, set_role
from storydesk.ui.theme.fonts import page_font
from storydesk.ui.tuning.dataset_words import (
    say_fixed,
    say_health,
    say_prompts,
    say_summary,
    say_undo,
    say_version,
)
from storydesk.ui.tuning.doctor_list import DoctorList
from storydesk.ui.tuning.pair_editor import PairEditor
from storydesk.ui.tuning.pair_list import PairList
from storydesk.ui.tuning.version_shelf import VersionShelf
from storydesk.ui.undo_bar import UndoBar

PAIRS, DOCTOR, VERSIONS = "pairs", "doctor", "versions"
TWO_SIDES_LETTERS: Final = 130
"""Where there is room for fewer, the pair stands below the list."""


class PairsPage(QWidget):
    """Shows the data desk's dataset and hands on what the writer does to it. GUI thread."""

    leave_wanted = Signal()
    """Back to the sources."""

    def __init__(
        self, desk: DataDeskController, phrases: Phrases, settings: SettingsStore, parent: QWidget | None = None
    ) -> None:
        """Follow a data desk."""
        super().__init__(parent)
        self._desk = desk
        self._phrases = phrases
        self._fixing: DatasetFinding | None = None
        self.pairs = PairList()
        self.doctor = DoctorList()
        self.versions = VersionShelf()
        self.editor = PairEditor(page_font(settings))
        self._build()
        self._connect()
        self._show_part(PAIRS)
        self._on_view_changed(desk.view)

    def flush(self) -> None:
        """Keep what was typed, and delete what was put away."""
        self.editor.flush()
        self.versions.flush()

    def undo(self) -> None:
        """Undo what was done last."""
        self.editor.flush()
        if self.versions.isVisible() and self.versions.undo():
            return
        self.undo_bar.hide()
        if self.undo_button.isEnabled():
            self._desk.undo()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the pair beside the list where there is room."""
        super().resizeEvent(event)
        self._arrange()

    def changeEvent(self, event: QEvent) -> None:
        """Arrange anew in other letters."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and hasattr(self, "both"):
            self._arrange()

    def showEvent(self, event: QShowEvent) -> None:
        """Read the list of versions when the page is turned to."""
        super().showEvent(event)
        self._desk.list_versions()
        self._arrange()

    # What is where

    def _build(self) -> None:
        back = QPushButton(icon("arrow-left"), self.tr("Back to your words"), self)
        back.clicked.connect(self.leave_wanted)
        self.back_button = back
        self.undo_button = QPushButton(icon("arrow-u-up-left"), self.tr("Undo"), self)
        self.undo_button.clicked.connect(self.undo)
        for button in (back, self.undo_button):
            set_role(button, "flat")
        head = QHBoxLayout()
        head.setSpacing(SPACE_S)
        head.addWidget(make_label(self.tr("Look through the pairs"), "title", self), 1)
        head.addWidget(self.undo_button)
        head.addWidget(back)
        self.summary = make_label("", "muted", self)
        self.trouble = make_label("", "problem", self, selectable=True)
        self.trouble.hide()
        words = {PAIRS: self.tr("Pairs"), DOCTOR: self.tr("Doctor"), VERSIONS: self.tr("Kept texts")}
        self.parts = ChoiceRow(self.tr("Show"), words, self)
        self.undo_bar = UndoBar(self)
        self._left = QWidget(self)
        column = QVBoxLayout(self._left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.parts)
        for part in (self.pairs, self.doctor, self.versions):
            column.addWidget(part, 1)
        column.addWidget(self.undo_bar)
        self.both = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self.both.setSpacing(SPACE_L)
        self.both.addWidget(self._left, 2)
        self.both.addWidget(self.editor, 3)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(SPACE_M)
        whole.addLayout(head)
        whole.addWidget(self.summary)
        whole.addWidget(self.trouble)
        whole.addLayout(self.both, 1)

    def _connect(self) -> None:
        self.parts.chosen.connect(self._show_part)
        self.pairs.chosen.connect(self._on_chosen)
        self.pairs.leaving_wanted.connect(self._leave)
        self.editor.leaving_wanted.connect(lambda pair, out: self._leave((pair,), out))
        self.editor.change_wanted.connect(self._desk.change)
        self.doctor.pair_wanted.connect(self.pairs.go_to)
        self.doctor.fix_wanted.connect(self._on_fix_wanted)
        self.doctor.all_wanted.connect(self._on_all_wanted)
        self.versions.open_wanted.connect(self._on_open_wanted)
        self.versions.deletion_wanted.connect(self._desk.delete_version)
        self.undo_bar.undone.connect(self.undo)
        self._desk.view_changed.connect(self._on_view_changed)
        self._desk.examining_changed.connect(self.doctor.show_examining)
        self._desk.pair_read.connect(self._on_pair_read)
        self._desk.versions_changed.connect(self.versions.show_versions)
        self._desk.failed.connect(self._on_failed)
        for key, slot in (
            (QKeySequence(QKeySequence.StandardKey.Undo), self.undo),
            (QKeySequence(QKeySequence.StandardKey.Find), self._find),
            (QKeySequence(Qt.Key.Key_Escape), self.leave_wanted.emit),
        ):
            shortcut = QShortcut(key, self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(slot)

    def _arrange(self) -> None:
        beside = self.width() >= self.fontMetrics().averageCharWidth() * TWO_SIDES_LETTERS
        wanted = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self.both.direction() != wanted:
            self.both.setDirection(wanted)
        self.pairs.fit_columns()

    # What happens

    def _show_part(self, part: str) -> None:
        self.parts.choose(part)
        for key, widget in ((PAIRS, self.pairs), (DOCTOR, self.doctor), (VERSIONS, self.versions)):
            widget.setVisible(key == part)

    def _find(self) -> None:
        self._show_part(PAIRS)
        self.pairs.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.pairs.search.selectAll()

    def _on_view_changed(self, view: DatasetView | None) -> None:
        self.trouble.hide()
        self.pairs.show_view(view)
        self.doctor.show_view(view)
        said = [say_summary(view), say_prompts(view), say_health(view)] if view is not None else []
        self.summary.setText(" · ".join(part for part in said if part))
        number = self.doctor.open_findings
        words = self.tr("Doctor ({count})").format(count=number) if number else self.tr("Doctor")
        self.parts.buttons[DOCTOR].setText(words)
        self.undo_button.setEnabled(view is not None and view.can_undo)
        self.undo_button.setToolTip(say_undo(view.undoable if view is not None else None))
        self.undo_button.setAccessibleName(self.undo_button.toolTip())
        self.setEnabled(view is not None)
        if view is None:
            self.editor.show_pair(None)
            return
        self._say_fixed(view)
        self._refresh_editor(view)

    def _refresh_editor(self, view: DatasetView) -> None:
        """Show the current pair as it stands; what is typed but not kept stays."""
        pair = self.editor.pair
        place = view.places.get(self.pairs.current)
        if place is None:
            self.editor.show_pair(None)
            return
        card = view.pairs[place]
        if pair is not None and pair.card.id == card.id:
            self.editor.show_card(card)
        if pair is None or pair.card != card:
            self._desk.read_pair(card.id)

    def _say_fixed(self, view: DatasetView) -> None:
        finding, self._fixing = self._fixing, None
        if finding is not None and view.undoable is EditKind.FIX:
            self.undo_bar.offer(say_fixed(finding))

    def _on_chosen(self, pair: str) -> None:
        self.editor.flush()
        shown = self.editor.pair
        if not pair:
            self.editor.show_pair(None)
        elif shown is None or shown.card.id != pair:
            self._desk.read_pair(pair)

    def _on_pair_read(self, pair: Pair) -> None:
        if pair.card.id == self.pairs.current:
            self.editor.show_pair(pair)

    def _leave(self, pairs: tuple[str, ...], out: bool) -> None:
        self.editor.flush()
        self._desk.leave_out(pairs, out=out)
        count = len(pairs)
        said = self.tr("%Ln pairs are left out.", "", count) if out else self.tr("%Ln pairs are back.", "", count)
        self.undo_bar.offer(said)

    def _on_fix_wanted(self, finding: str) -> None:
        self.editor.flush()
        view = self._desk.view
        found = next((each for each in view.findings if each.id == finding), None) if view is not None else None
        if found is not None:
            self._fixing = found
            self._desk.fix(finding)

    def _on_all_wanted(self, finding: str) -> None:
        self._show_part(PAIRS)
        self.pairs.show_finding(finding)
        self.pairs.table.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_open_wanted(self, kept: KeptVersion) -> None:
        self.flush()
        name = self.tr("Your words of {moment}").format(moment=say_version(kept.version))
        self._desk.open_version(kept, name)

    def _on_failed(self, failure: Failure) -> None:
        self._fixing = None
        self.undo_bar.hide()
        if self._desk.view is not None:
            self._refresh_editor(self._desk.view)
        self.trouble.setText("\n".join(part for part in self._phrases.say(failure) if part))
        self.trouble.show()

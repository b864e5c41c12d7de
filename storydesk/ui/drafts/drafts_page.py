"""Drafts and snapshots of the open story: choose a version, see word by word what differs, take what you like."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QSplitter, QVBoxLayout, QWidget

from storydesk.bridge.draft_controller import Compared
from storydesk.domain.manuscript import count_words
from storydesk.services.drafts import Comparison, DraftShelf, Version
from storydesk.ui.drafts.difference_list import DifferenceItemModel, DifferenceList
from storydesk.ui.drafts.version_list import VersionList
from storydesk.ui.drafts.version_words import say_snapshot, say_snapshot_facts
from storydesk.ui.sentences import say_draft
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, icon, make_label, set_role
from storydesk.ui.theme.flow import FlowLayout

WAIT_MILLISECONDS = 300
"""A comparison that takes longer is said to be under way."""
_VERSIONS_WIDTH = 300


class DraftsPage(QWidget):
    """Shows versions and one comparison. GUI thread."""

    leave_wanted = Signal()
    snapshot_wanted = Signal()
    compare_wanted = Signal(object, object)
    """Two Versions, old and new; None is the page."""
    cancel_wanted = Signal()
    branch_wanted = Signal(object)
    drop_wanted = Signal(int)
    rename_wanted = Signal(int, str)
    apply_wanted = Signal(object, object)
    """A Comparison whose old side is the page, and which of its differences are to be put in."""
    merge_wanted = Signal(object, object, object)
    """The old side's Version, the Comparison and which differences: as a new draft."""
    place_wanted = Signal(int)
    """A place of the page (code points)."""

    def __init__(self, parent: QWidget | None = None, *, writes: bool = True) -> None:
        """Begin empty."""
        super().__init__(parent)
        set_role(self, "page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._writes = writes
        self._compared: Compared | None = None
        self.versions = VersionList()
        self.model = DifferenceItemModel(self)
        self.list = DifferenceList(self.model)
        self.base = QComboBox()
        self.base.setAccessibleName(self.tr("Compare with"))
        self.base.setMinimumContentsLength(24)
        self.base.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.summary = make_label(role="muted")
        self._build()
        self.versions.chosen.connect(self._on_wish_changed)
        self.versions.renamed.connect(self.rename_wanted)
        self.base.currentIndexChanged.connect(self._on_wish_changed)
        self.model.choice_changed.connect(self._show_choice)
        self.list.doubleClicked.connect(self._on_double_clicked)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.setInterval(WAIT_MILLISECONDS)
        self._late.timeout.connect(self._say_busy)
        QShortcut(QKeySequence("Esc"), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut).activated.connect(
            self.leave_wanted
        )
        self.first = self.versions  # no focus proxy: Tab would never come to what stands before it
        self._show_choice()

    def show_versions(self, shelf: DraftShelf, open_draft: int) -> None:
        """Show all versions of the story, the open draft's text first."""
        kept = self._base_version()
        self.base.blockSignals(True)
        self.base.clear()
        self.base.addItem(self.tr("The text on the page"), None)
        for card in shelf.drafts:
            if card.id != open_draft:
                self.base.addItem(say_draft(card.name), (card.id, False))
        for snapshot in shelf.snapshots:
            self.base.addItem(f"{say_snapshot(snapshot)} · {say_snapshot_facts(snapshot)}", (snapshot.id, True))
        wanted = (kept.id, kept.is_snapshot) if kept is not None else None
        rows = range(self.base.count())
        self.base.setCurrentIndex(next((row for row in rows if self.base.itemData(row) == wanted), 0))
        self.base.blockSignals(False)
        self.versions.show_versions(shelf, open_draft)
        self.hint.setVisible(len(shelf.drafts) + len(shelf.snapshots) < 2)
        self._on_wish_changed()

    def clear(self) -> None:
        """Forget what was compared before the writer went on writing."""
        self._compared = None
        self.model.show_comparison(Comparison("", "", (), (), ()))
        self.summary.setText("")

    def show_compared(self, compared: Compared) -> None:
        """Show what differs."""
        self._compared = compared
        self.model.show_comparison(compared.comparison)
        if compared.comparison.differences:
            self.list.setCurrentIndex(self.model.index(0))

    def end_waiting(self) -> None:
        """A comparison is over."""
        self._late.stop()
        self.cancel_button.hide()

    def _build(self) -> None:
        back = self._make_button(self.tr("Back to writing"), "arrow-left", self.leave_wanted.emit, role="flat")
        head = QHBoxLayout()
        head.addWidget(make_label(self.tr("Drafts and snapshots"), "title"), 1)
        head.addWidget(back)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(self._build_versions())
        self.splitter.addWidget(self._build_comparison())
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setSizes([340, 900])
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addLayout(head)
        column.addWidget(self.splitter, 1)
        note = self.tr("Space ticks a change, a double click goes to its place. One undo takes back what you put in.")
        column.addWidget(make_label(note, "muted"))

    def _build_versions(self) -> QWidget:
        self.snapshot_button = self._make_button(self.tr("Keep a snapshot now"), "camera", self.snapshot_wanted.emit)
        self.branch_button = self._make_button(self.tr("Go on from this"), "git-branch", self._on_branch)
        self.branch_button.setToolTip(
            self.tr("Begin a new draft with this version; the one on the page stays as it is")
        )
        self.name_button = self._make_button(self.tr("Name it"), "pencil-simple", self._on_name, role="flat")
        self.drop_button = self._make_button(self.tr("Delete it"), "trash", self._on_drop, role="flat")
        self.hint = make_label(
            self.tr(
                "Storydesk keeps a snapshot by itself while you write, and before anything large happens to your text."
            ),
            "muted",
        )
        left = QWidget()
        left.setMinimumWidth(_VERSIONS_WIDTH)
        buttons = FlowLayout()
        for button in (self.snapshot_button, self.branch_button, self.name_button, self.drop_button):
            buttons.addWidget(button)
            button.setEnabled(self._writes)
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, SPACE_M, 0)
        column.setSpacing(SPACE_S)
        column.addWidget(self.versions, 1)
        column.addWidget(self.hint)
        column.addLayout(buttons)
        return left

    def _build_comparison(self) -> QWidget:
        self.columns_button = self._make_button(self.tr("Side by side"), "columns", lambda: None, role="flat")
        self.columns_button.setCheckable(True)
        self.columns_button.toggled.connect(self.list.show_columns)
        self.previous_button = self._make_button(
            self.tr("Previous"), "arrow-up", lambda: self.list.step(-1), role="flat"
        )
        self.next_button = self._make_button(self.tr("Next"), "arrow-down", lambda: self.list.step(1), role="flat")
        self.cancel_button = self._make_button(self.tr("Stop comparing"), "x", self.cancel_wanted.emit)
        self.cancel_button.hide()
        top = FlowLayout()
        label = make_label(self.tr("What this version has that is not in"))
        label.setWordWrap(False)
        label.setBuddy(self.base)
        for widget in (label, self.base, self.columns_button, self.previous_button, self.next_button):
            top.addWidget(widget)
        self.all_button = self._make_button(self.tr("Tick all"), "", self.model.choose_all)
        self.none_button = self._make_button(self.tr("Tick none"), "", lambda: self.model.choose(()))
        self.merge_button = self._make_button(self.tr("As a new draft"), "stack", self._on_merge)
        self.apply_button = self._make_button("", "check", self._on_apply, role="primary")
        bottom = FlowLayout()
        for button in (self.all_button, self.none_button, self.merge_button, self.apply_button):
            bottom.addWidget(button)
        line = QHBoxLayout()
        line.addWidget(self.summary, 1)
        line.addWidget(self.cancel_button)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(SPACE_M, 0, 0, 0)
        column.setSpacing(SPACE_S)
        column.addLayout(top)
        column.addLayout(line)
        column.addWidget(self.list, 1)
        column.addLayout(bottom)
        return right

    def _make_button(self, text: str, glyph: str, slot: object, role: str = "") -> QPushButton:
        button = QPushButton(text, self)
        if glyph:
            button.setIcon(icon(glyph, "on_accent" if role == "primary" else "ink"))
        if role:
            set_role(button, role)
        button.clicked.connect(lambda _checked=False: slot())  # type: ignore[operator]  # signals and functions alike
        return button

    def _base_version(self) -> Version | None:
        found = self.base.currentData()
        return Version(int(found[0]), bool(found[1])) if found else None

    @Slot()
    def _on_wish_changed(self, _wish: object = None) -> None:
        chosen, base = self.versions.version, self._base_version()
        self.clear()
        snapshot = chosen is not None and chosen.is_snapshot
        self.name_button.setEnabled(self._writes and snapshot)
        self.drop_button.setEnabled(self._writes and snapshot)
        if chosen == base or self.versions.currentItem() is None:
            self.summary.setText(self.tr("Choose a version to see what differs."))
            return
        self.summary.setText("")
        self._late.start()
        self.compare_wanted.emit(base, chosen)

    @Slot()
    def _say_busy(self) -> None:
        self.summary.setText(self.tr("Comparing word by word …"))
        self.cancel_button.show()

    @Slot()
    def _show_choice(self) -> None:
        compared, taken = self._compared, len(self.model.taken)
        count = self.model.rowCount()
        onto_page = compared is None or compared.old is None
        everything = bool(count) and taken == count
        words = self.tr("Restore all of it") if everything else self.tr("Put what is ticked into the text")
        self.apply_button.setText(words)
        self.apply_button.setEnabled(self._writes and onto_page and taken > 0)
        self.merge_button.setEnabled(self._writes and taken > 0)
        for button in (self.all_button, self.none_button, self.previous_button, self.next_button):
            button.setEnabled(count > 0)
        if compared is None:
            return
        if not count:
            self.summary.setText(self.tr("The two are the same, word by word."))
            return
        comparison = compared.comparison
        gone = sum(count_words(comparison.old[each.old_start : each.old_end]) for each in comparison.differences)
        come = sum(count_words(comparison.new[each.new_start : each.new_end]) for each in comparison.differences)
        self.summary.setText(
            self.tr("{changes}: {gone} fewer, {come} more; {taken} ticked").format(
                changes=self.tr("%Ln changes", "", count),
                gone=self.tr("%Ln words", "", gone),
                come=self.tr("%Ln words", "", come),
                taken=taken,
            )
        )

    def _on_branch(self) -> None:
        self.branch_wanted.emit(self.versions.version)

    def _on_name(self) -> None:
        item = self.versions.currentItem()
        if item is not None:
            self.versions.editItem(item)

    def _on_drop(self) -> None:
        version = self.versions.version
        if version is not None and version.is_snapshot:
            self.drop_wanted.emit(version.id)

    def _on_apply(self) -> None:
        if self._compared is not None and self._compared.old is None and self.model.taken:
            self.apply_wanted.emit(self._compared.comparison, self.model.taken)

    def _on_merge(self) -> None:
        if self._compared is not None and self.model.taken:
            self.merge_wanted.emit(self._compared.old, self._compared.comparison, self.model.taken)

    @Slot(QModelIndex)
    def _on_double_clicked(self, index: QModelIndex) -> None:
        if self._compared is not None and self._compared.old is None:
            self.place_wanted.emit(self._compared.comparison.differences[index.row()].old_start)

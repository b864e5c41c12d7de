"""The lorebook: a page of the window with every entry, to search, change, bring in and take out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.memory_controller import MemoryController
from storydesk.domain.lorebook import LoreEntry, join_keys, matches_search
from storydesk.domain.lorebook_formats import LoreFormat, ReadLorebook
from storydesk.services.memory import SUFFIXES, MemoryPage
from storydesk.ui.file_names import propose_file_name
from storydesk.ui.memory.entry_form import EntryForm
from storydesk.ui.theme import SPACE_L, SPACE_M, SPACE_S, SPACE_XL, FlowLayout, icon, make_label, set_role
from storydesk.ui.undo_bar import UndoBar

_ID = Qt.ItemDataRole.UserRole
LIST_IN_LETTERS = 34
MEASURE_IN_LETTERS = 118
MOST_SHOWN = 2_000


class LorebookPage(QWidget):
    """Shows the open story's lorebook. GUI thread."""

    leave_wanted = Signal()

    def __init__(self, controller: MemoryController, parent: QWidget | None = None) -> None:
        """Show what the controller holds, and follow it."""
        super().__init__(parent)
        self._controller = controller
        self._entries: tuple[LoreEntry, ...] = ()
        self._deleted: tuple[LoreEntry, ...] = ()
        self._choose_new = False
        self._choose_next = 0
        self.title = ""
        """The story's title; a file is called after it."""
        self.form = EntryForm(self)
        self.form.entry_edited.connect(lambda entry: controller.keep_entries([entry]))
        head = QHBoxLayout()
        head.addWidget(make_label(self.tr("Lorebook"), "title", self), 1)
        back = QPushButton(icon("arrow-left"), self.tr("Back to writing"), self)
        back.clicked.connect(self.leave_wanted)
        set_role(back, "flat")
        head.addWidget(back)
        row = QHBoxLayout()
        row.setSpacing(SPACE_XL)
        row.addLayout(self._make_left())
        row.addWidget(self._make_right(), 1)
        inside = QWidget(self)
        inside.setMaximumWidth(self.fontMetrics().averageCharWidth() * MEASURE_IN_LETTERS)
        column = QVBoxLayout(inside)
        column.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_L)
        column.setSpacing(SPACE_M)
        column.addLayout(head)
        column.addWidget(
            make_label(
                self.tr(
                    "People, places and laws of your story. When a name comes up in the text, the model is told what "
                    "stands here; names in the lorebook are never called misspelt."
                ),
                "muted",
                self,
            )
        )
        column.addLayout(row, 1)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addStretch(1)
        whole.addWidget(inside, 1000)
        whole.addStretch(1)
        leave = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        leave.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        leave.activated.connect(self.leave_wanted)
        controller.page_changed.connect(self.show_page)
        controller.imported.connect(self._on_imported)
        controller.exported.connect(self._on_exported)
        self.show_page(controller.page)

    def show_page(self, page: MemoryPage) -> None:
        """Show a story's entries."""
        before = {entry.id for entry in self._entries}
        self._entries = page.entries
        if self._choose_new and (fresh := [entry.id for entry in page.entries if entry.id not in before]):
            self._choose_new = False
            self.search.clear()
            self._choose_next = fresh[-1]
        self._fill()
        self._fit()

    def choose(self, entry_id: int) -> None:
        """Show an entry and put the cursor into its text."""
        self.search.clear()
        self._choose_next = entry_id
        self._fill()
        self.form.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def flush(self) -> None:
        """Tell what was changed; call it before the page goes."""
        self.form.flush()

    @property
    def chosen(self) -> tuple[LoreEntry, ...]:
        """The selected entries."""
        ids = {item.data(_ID) for item in self.list.selectedItems()}
        return tuple(entry for entry in self._entries if entry.id in ids)

    def add_entry(self) -> None:
        """Begin a new entry."""
        self.form.flush()
        self._choose_new = True
        self._controller.keep_entries([LoreEntry(title=self.tr("New entry"))])

    def duplicate(self) -> None:
        """Add copies of the selected entries."""
        self.form.flush()
        self._choose_new = True
        said = self.tr("{title} (copy)")
        self._controller.keep_entries(
            [replace(entry, id=0, title=said.format(title=entry.title)) for entry in self.chosen]
        )

    def delete(self) -> None:
        """Delete the selected entries; they can be brought back."""
        gone = self.chosen
        if not gone or not self._controller.can_change:
            return
        self.form.show_entry(None)
        self._deleted = gone
        rows = [self.list.row(item) for item in self.list.selectedItems()]
        stay = [entry for entry in self._shown() if entry not in gone]
        self._choose_next = stay[min(min(rows), len(stay) - 1)].id if stay else 0
        self._controller.delete_entries(entry.id for entry in gone)
        self.undo_bar.offer(self.tr("%Ln entries were deleted.", "", len(gone)))

    def undo_delete(self) -> None:
        """Bring the deleted entries back."""
        if self._deleted:
            self._choose_next = self._deleted[0].id
            self._controller.keep_entries(self._deleted)
            self._deleted = ()

    def _make_left(self) -> QVBoxLayout:
        self.search = QLineEdit(self)
        self.search.setPlaceholderText(self.tr("Search the lorebook"))
        self.search.setAccessibleName(self.tr("Search the lorebook"))
        self.search.setClearButtonEnabled(True)
        self.search.textChanged.connect(lambda _text: self._fill())
        self.list = QListWidget(self)
        self.list.setAccessibleName(self.tr("Entries"))
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.itemSelectionChanged.connect(self._on_selected)
        self.list.itemChanged.connect(self._on_item_changed)
        delete = QShortcut(QKeySequence(QKeySequence.StandardKey.Delete), self.list)
        delete.setContext(Qt.ShortcutContext.WidgetShortcut)
        delete.activated.connect(self.delete)
        self.hint = make_label("", "muted", self)
        self.add_button = QPushButton(icon("plus", "on_accent"), self.tr("New entry"), self)
        set_role(self.add_button, "primary")
        self.add_button.clicked.connect(self.add_entry)
        self.import_button = QPushButton(icon("download-simple"), self.tr("Import…"), self)
        self.import_button.clicked.connect(self._on_import_clicked)
        self.export_button = QPushButton(icon("export"), self.tr("Export…"), self)
        self.export_button.clicked.connect(self._on_export_clicked)
        files = FlowLayout()
        files.add(self.import_button, self.export_button, stretched=True)
        column = QVBoxLayout()
        column.setSpacing(SPACE_S)
        column.addWidget(self.search)
        column.addWidget(self.hint)
        column.addWidget(self.list, 1)
        self.undo_bar = UndoBar(self)
        self.undo_bar.undone.connect(self.undo_delete)
        column.addWidget(self.undo_bar)
        column.addWidget(self.add_button)
        column.addLayout(files)
        width = self.fontMetrics().averageCharWidth() * LIST_IN_LETTERS
        for widget in (self.search, self.list, self.hint, self.undo_bar, self.add_button):
            widget.setFixedWidth(width)
        return column

    def _make_right(self) -> QWidget:
        self.duplicate_button = QPushButton(icon("copy"), self.tr("Duplicate"), self)
        self.duplicate_button.clicked.connect(self.duplicate)
        self.delete_button = QPushButton(icon("trash"), self.tr("Delete"), self)
        self.delete_button.clicked.connect(self.delete)
        self.said = make_label("", "muted", self)
        buttons = FlowLayout()
        buttons.add(self.duplicate_button, self.delete_button)
        inside = QWidget(self)
        inside.setObjectName("scrolled")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, SPACE_S, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.form, 1)
        column.addWidget(self.said)
        column.addLayout(buttons)
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        return area

    def _shown(self) -> list[LoreEntry]:
        return [entry for entry in self._entries if matches_search(entry, self.search.text())]

    def _fill(self) -> None:
        """List what is searched for and keep the selection."""
        chosen = {self._choose_next} if self._choose_next else {item.data(_ID) for item in self.list.selectedItems()}
        found = self._shown()
        wanted = [entry for entry in found[MOST_SHOWN:] if entry.id == self._choose_next]
        shown = [*wanted, *found[:MOST_SHOWN]]
        self.list.blockSignals(True)
        self.list.clear()
        current = None
        for entry in shown:
            item = self._make_item(entry)
            if entry.id in chosen:
                item.setSelected(True)
                current = current or item
        if current is None and self.list.count():
            current = self.list.item(0)
            current.setSelected(True)
        if current is not None:
            self.list.setCurrentItem(current) if len(chosen) < 2 else self.list.scrollToItem(current)
        self.list.blockSignals(False)
        if self._choose_next in {entry.id for entry in shown}:
            self._choose_next = 0
        self._on_selected()
        self._say_hint(len(found))

    def _make_item(self, entry: LoreEntry) -> QListWidgetItem:
        item = QListWidgetItem(entry.title or self.tr("untitled"), self.list)
        item.setData(_ID, entry.id)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(Qt.CheckState.Checked if entry.enabled else Qt.CheckState.Unchecked)
        item.setToolTip("\n".join(part for part in (join_keys(entry.triggers), entry.text[:300]) if part))
        return item

    def _say_hint(self, shown: int) -> None:
        hint = ""
        if not self._entries:
            hint = self.tr("Nothing here yet. Add somebody, or bring in a lorebook from KoboldAI or NovelAI.")
        elif shown > MOST_SHOWN:
            hint = self.tr("{n} entries; the first {shown} are shown.").format(n=shown, shown=MOST_SHOWN)
        elif not shown:
            hint = self.tr("No entry holds these words.")
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def _fit(self) -> None:
        can = self._controller.can_change
        self.add_button.setEnabled(can)
        self.import_button.setEnabled(can)
        self.export_button.setEnabled(bool(self._entries))
        self._fit_chosen()

    def _fit_chosen(self) -> None:
        can = self._controller.can_change and bool(self.list.selectedItems())
        self.duplicate_button.setEnabled(can)
        self.delete_button.setEnabled(can)

    @Slot()
    def _on_selected(self) -> None:
        chosen = self.chosen
        entry = chosen[0] if len(chosen) == 1 else None
        shown = self.form.entry
        if entry is None or not self._controller.can_change:
            self.form.show_entry(None)
        elif entry.id != shown.id:
            self.form.show_entry(entry)
        elif entry.enabled is not shown.enabled:
            self.form.take_switch(on=entry.enabled)
        self._fit_chosen()

    @Slot(QListWidgetItem)
    def _on_item_changed(self, item: QListWidgetItem) -> None:
        self.form.flush()
        number, on = item.data(_ID), item.checkState() is Qt.CheckState.Checked
        # The list is filled anew by this, which it can't bear while it still speaks of one of its items.
        QTimer.singleShot(0, self, lambda: self._controller.switch_entry(number, on=on))

    @Slot()
    def _on_import_clicked(self) -> None:
        names, _kind = QFileDialog.getOpenFileNames(
            self, self.tr("Import lorebooks"), "", self.tr("Lorebooks (*.json *.lorebook *.scenario *.story)")
        )
        for name in names:
            self._controller.import_lorebook(Path(name))

    @Slot()
    def _on_export_clicked(self) -> None:
        self.form.flush()
        kinds = {
            self.tr("Storydesk (*.json)"): LoreFormat.OURS,
            self.tr("KoboldAI world info (*.json)"): LoreFormat.KOBOLD,
            self.tr("NovelAI lorebook (*.lorebook)"): LoreFormat.NOVELAI,
        }
        name, kind = QFileDialog.getSaveFileName(
            self, self.tr("Export the lorebook"), f"{propose_file_name(self.title, 'lorebook')}.json", ";;".join(kinds)
        )
        if name:
            self.export(Path(name), kinds.get(kind, LoreFormat.OURS))

    def export(self, path: Path, form: LoreFormat) -> None:
        """Write the selected entries, or all where fewer than two are selected."""
        entries: Sequence[LoreEntry] = self.chosen if len(self.chosen) > 1 else self._entries
        known = set(SUFFIXES.values())
        overwrite = path.suffix.lstrip(".").lower() in known  # the dialog has asked
        if not overwrite:
            path = path.with_name(f"{path.name}.{SUFFIXES[form]}")
        self._controller.export_lorebook(entries, path, form, overwrite=overwrite)

    @Slot(object, int)
    def _on_imported(self, book: ReadLorebook, fresh: int) -> None:
        said = self.tr("%Ln entries came in.", "", fresh)
        known = len(book.entries) - fresh
        if known:
            said += " " + self.tr("%Ln were here already.", "", known)
        if book.left_out:
            said += " " + self.tr("%Ln were empty.", "", book.left_out)
        self.said.setText(said)

    @Slot(object)
    def _on_exported(self, path: Path) -> None:
        self.said.setText(self.tr("Saved as {name}.").format(name=path.name))

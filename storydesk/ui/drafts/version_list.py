"""The versions of a story as a list: what is on the page, its drafts, and under each draft its snapshots."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from storydesk.services.drafts import DraftShelf, Version
from storydesk.ui.drafts.version_words import say_draft_facts, say_snapshot, say_snapshot_facts
from storydesk.ui.sentences import say_draft
from storydesk.ui.theme import icon

_VERSION = Qt.ItemDataRole.UserRole
_NAME = Qt.ItemDataRole.UserRole + 1


class VersionList(QListWidget):
    """Lets a version be chosen and a snapshot be named (F2). GUI thread."""

    chosen = Signal(object)
    """The Version, None for what is on the page."""
    renamed = Signal(int, str)
    """A snapshot's id and its new name."""

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin empty."""
        super().__init__(parent)
        self.setAccessibleName(self.tr("Versions of this story"))
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(self.EditTrigger.EditKeyPressed)
        self._filling = False
        self.currentItemChanged.connect(self._on_current_changed)
        self.itemChanged.connect(self._on_item_changed)

    @property
    def version(self) -> Version | None:
        """The version that is chosen; None for what is on the page."""
        item = self.currentItem()
        return self.version_of(item) if item is not None else None

    def version_of(self, item: QListWidgetItem) -> Version | None:
        """Return the version of a row."""
        found = item.data(_VERSION)
        return Version(int(found[0]), bool(found[1])) if found else None

    def show_versions(self, shelf: DraftShelf, open_draft: int) -> None:
        """Show all versions; what was chosen stays chosen where it is still there."""
        kept = self.version
        self._filling = True
        self.clear()
        names = {card.id: card.name for card in shelf.drafts}
        for card in sorted(shelf.drafts, key=lambda each: (each.id != open_draft, -each.id)):
            on_page = card.id == open_draft
            title = self.tr("{draft}, on the page").format(draft=say_draft(card.name))
            facts = say_draft_facts(card, names)
            item = self._add(title if on_page else say_draft(card.name), facts, None if on_page else Version(card.id))
            font = item.font()
            font.setBold(True)
            item.setFont(font)
            item.setIcon(icon("file-text"))
            for snapshot in shelf.snapshots:
                if snapshot.draft_id == card.id:
                    name = say_snapshot(snapshot)
                    row = self._add(name, say_snapshot_facts(snapshot), Version(snapshot.id, is_snapshot=True))
                    row.setIcon(icon("camera"))
                    row.setFlags(row.flags() | Qt.ItemFlag.ItemIsEditable)
        self._filling = False
        self._choose(kept)

    def _choose(self, version: Version | None) -> None:
        rows = range(self.count())
        found = next((row for row in rows if version and self.version_of(self.item(row)) == version), None)
        if found is None:  # the newest version that is not the page itself
            found = next((row for row in rows if self.version_of(self.item(row)) is not None), 0)
        if self.count():
            self.setCurrentRow(found)

    def _add(self, name: str, facts: str, version: Version | None) -> QListWidgetItem:
        item = QListWidgetItem(f"{name}\n{facts}")
        item.setData(_VERSION, (version.id, version.is_snapshot) if version is not None else None)
        item.setData(_NAME, (name, facts))
        self.addItem(item)
        return item

    @Slot(QListWidgetItem)
    def _on_item_changed(self, item: QListWidgetItem) -> None:
        """Take a new name; the facts below it are not part of it."""
        version, kept = self.version_of(item), item.data(_NAME)
        if self._filling or version is None or not version.is_snapshot or not kept:
            return
        old, facts = kept
        name = item.text().split("\n")[0].strip()
        self._filling = True
        item.setText(f"{name or old}\n{facts}")
        self._filling = False
        if name and name != old:
            self.renamed.emit(version.id, name)

    @Slot(QListWidgetItem, QListWidgetItem)
    def _on_current_changed(self, item: QListWidgetItem | None, _before: QListWidgetItem | None) -> None:
        if item is not None and not self._filling:
            self.chosen.emit(self.version_of(item))

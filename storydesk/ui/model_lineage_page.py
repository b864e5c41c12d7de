"""Generation after generation of the writer's models: which came from which, and what each learned from."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QVBoxLayout, QWidget

from storydesk.bridge.phrases import Phrases
from storydesk.domain.model_shelf import LineageNode
from storydesk.ui.figures import say_perplexity
from storydesk.ui.model_details_page import describe_details, say_amount
from storydesk.ui.theme import SPACE_M, make_label

_NODE = Qt.ItemDataRole.UserRole


class LineagePage(QWidget):
    """Shows the trees of a shelf, and of the chosen model how it was made. GUI thread."""

    details_wanted = Signal(str)

    def __init__(self, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Begin empty; ``phrases`` names the settings."""
        super().__init__(parent)
        self._phrases = phrases
        self.tree = QTreeWidget()
        self.tree.setAccessibleName(self.tr("Lineage"))
        self.tree.setHeaderLabels(
            [self.tr("Model"), self.tr("Learned from"), self.tr("Perplexity"), self.tr("Made on")]
        )
        self.tree.setWordWrap(True)
        self.tree.setTextElideMode(Qt.TextElideMode.ElideNone)
        header = self.tree.header()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setStretchLastSection(False)  # it would be narrower than its words where there is no room
        self.tree.currentItemChanged.connect(lambda *_: self._on_chosen())
        self.tree.itemActivated.connect(self._on_activated)
        self.made = make_label("", "muted", selectable=True)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE_M)
        column.addWidget(self.tree, 1)
        column.addWidget(self.made)

    def show_trees(self, trees: Sequence[LineageNode], active: str) -> None:
        """Show the trees, the model in use chosen."""
        self.tree.clear()
        chosen: QTreeWidgetItem | None = None
        for tree in trees:
            item = self._make_item(tree, active)
            self.tree.addTopLevelItem(item)
        self.tree.expandAll()
        for item in self.tree.findItems("*", Qt.MatchFlag.MatchWildcard | Qt.MatchFlag.MatchRecursive):
            if chosen is None or item.data(0, _NODE).name == active:
                chosen = item
        if chosen is not None:
            self.tree.setCurrentItem(chosen)
        self._on_chosen()

    def _make_item(self, node: LineageNode, active: str) -> QTreeWidgetItem:
        name = node.name
        if node.details is None:
            name = self.tr("{name} (no longer on the shelf)").format(name=name)
        elif name == active:
            name = self.tr("{name} (in use)").format(name=name)
        learned = figures = made = ""
        if node.details is not None:
            heldout = node.details.model.heldout
            learned = say_amount(node.details)
            before, after = (heldout.get(f"perplexity_{moment}", 0.0) for moment in ("before", "after"))
            if before > 0 and after > 0:
                figures = f"{say_perplexity(before)} → {say_perplexity(after)}"
            made = node.details.model.created[:10]
        item = QTreeWidgetItem([name, learned, figures, made])
        item.setData(0, _NODE, node)
        for child in node.children:
            item.addChild(self._make_item(child, active))
        return item

    def _on_chosen(self) -> None:
        item = self.tree.currentItem()
        node = item.data(0, _NODE) if item is not None else None
        if not isinstance(node, LineageNode):
            self.made.setText("")
        elif node.details is None:
            self.made.setText(self.tr("It was deleted, or tuned elsewhere. What came from it goes on without it."))
        else:
            settings = [
                f"{self._phrases.name_setting(name).title}: {value}" for name, value in node.details.settings.items()
            ]
            generation = self.tr("Generation {number}").format(number=node.generation)
            lines = [" · ".join([generation, *describe_details(node.details)]), " · ".join(settings)]
            self.made.setText("\n".join(line for line in lines if line))

    def _on_activated(self, item: QTreeWidgetItem) -> None:
        node = item.data(0, _NODE)
        if isinstance(node, LineageNode) and node.details is not None:
            self.details_wanted.emit(node.name)

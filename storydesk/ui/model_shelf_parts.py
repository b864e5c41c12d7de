"""Parts of the models' dialog: cards that scroll, its row of buttons, and what it reads of the shelf."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QScrollArea, QVBoxLayout, QWidget

from storydesk.domain.model_shelf import DeletedModel
from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.services.models import ModelService
from storydesk.ui.figures import say_size
from storydesk.ui.theme import SPACE_M, SPACE_S, FlowLayout, icon

_LONGEST_NAME = 24


@dataclass(frozen=True, slots=True)
class ShelfState:
    """What stands on the shelf, what is in use and was before, what could be fetched, and what is in the trash."""

    models: tuple[StyleModel, ...] = ()
    active: str = ""
    previous: str = ""
    offers: tuple[HubModel, ...] = ()
    deleted: tuple[DeletedModel, ...] = ()


def read_shelf(models: ModelService) -> ShelfState:
    """Return the shelf as it is now; slow, not on the GUI thread."""
    shelf = tuple(models.list_models())
    return ShelfState(
        shelf,
        models.active,
        models.find_previous(),
        tuple(models.list_hub_models()),
        tuple(models.list_deleted()),
    )


class CardColumn:
    """Cards under each other that scroll. GUI thread."""

    def __init__(self) -> None:
        """Begin empty."""
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its cards have the keys
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        inside = QWidget()
        inside.setObjectName("scrolled")
        self._layout = QVBoxLayout(inside)
        self._layout.setContentsMargins(0, 0, SPACE_S, 0)
        self._layout.setSpacing(SPACE_M)
        self._layout.addStretch(1)
        self.area.setWidget(inside)
        self.cards: list[QWidget] = []

    def fill(self, cards: Sequence[QWidget]) -> None:
        """Show these cards instead of those before."""
        for card in self.cards:
            self._layout.removeWidget(card)
            card.hide()
            card.deleteLater()
        self.cards = list(cards)
        for place, card in enumerate(cards):
            self._layout.insertWidget(place, card)
            card.show()  # now, so that it can have the focus


class ShelfButtons(QWidget):
    """The row below: what concerns no single card. GUI thread."""

    add_folder_wanted = Signal()
    add_zip_wanted = Signal()
    restore_wanted = Signal(str)
    """The id of a model in the trash."""
    empty_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        """Begin for an empty shelf."""
        super().__init__(parent)
        self._deleted: tuple[DeletedModel, ...] = ()
        self.add_button = QPushButton(icon("folder-plus"), self.tr("Add"))
        self.add_button.setAccessibleName(self.tr("Add a model"))
        adding = QMenu(self)
        adding.addAction(self.tr("A folder…")).triggered.connect(self.add_folder_wanted)
        adding.addAction(self.tr("A zip…")).triggered.connect(self.add_zip_wanted)
        self.add_button.setMenu(adding)
        self.fetch_button = QPushButton(icon("download-simple"), self.tr("Fetch GPT-2…"))
        self.lineage_button = QPushButton(icon("tree-structure"), self.tr("Lineage"))
        self.roll_back_button = QPushButton(icon("arrow-counter-clockwise"), self.tr("Roll back"))
        self.trash_button = QPushButton(icon("trash"), self.tr("Trash"))
        self.trash_menu = QMenu(self)
        self.trash_button.setMenu(self.trash_menu)
        self.back_button = QPushButton(icon("arrow-left"), self.tr("Back to the shelf"))
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.hide()
        self.close_button = QPushButton(self.tr("Close"))
        self._of_shelf = (
            self.add_button,
            self.fetch_button,
            self.lineage_button,
            self.roll_back_button,
            self.trash_button,
        )
        left, right = FlowLayout(), QHBoxLayout()
        for button in (*self._of_shelf, self.back_button, self.cancel_button, self.close_button):
            button.setAutoDefault(False)
        left.add(*self._of_shelf, self.back_button)
        right.setSpacing(SPACE_S)
        right.addWidget(self.cancel_button, 0, Qt.AlignmentFlag.AlignBottom)
        right.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignBottom)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE_S)
        row.addLayout(left, 1)
        row.addLayout(right)

    def show_state(self, state: ShelfState, *, on_shelf: bool, busy: bool) -> None:
        """Show what can be done now."""
        for button in self._of_shelf:
            button.setVisible(on_shelf)
            button.setEnabled(not busy)
        self.back_button.setVisible(not on_shelf)
        self.back_button.setEnabled(not busy)
        self.roll_back_button.setVisible(on_shelf and bool(state.previous))
        self.roll_back_button.setText(self.tr("Back to {name}").format(name=_shorten(state.previous)))
        self.trash_button.setVisible(on_shelf and bool(state.deleted))
        if state.deleted != self._deleted:
            self._fill_trash(state.deleted)

    def offer_cancel(self, offered: bool) -> None:
        """Show Cancel while something is under way that can be broken off."""
        self.cancel_button.setVisible(offered)
        self.cancel_button.setEnabled(offered)

    def _fill_trash(self, deleted: tuple[DeletedModel, ...]) -> None:
        self._deleted = deleted
        self.trash_menu.clear()
        for each in deleted:
            words = self.tr("Put {name} back").format(name=_shorten(each.name))
            self.trash_menu.addAction(words).triggered.connect(self._make_restore(each.id))
        self.trash_menu.addSeparator()
        size = say_size(sum(each.bytes for each in deleted))
        words = self.tr("Empty the trash ({size})").format(size=size)
        self.trash_menu.addAction(words).triggered.connect(self.empty_wanted)

    def _make_restore(self, deleted_id: str) -> Callable[[], None]:
        return lambda: self.restore_wanted.emit(deleted_id)


def _shorten(name: str) -> str:
    """Return a name as a button has room for it, with no letter underlined."""
    short = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"
    return short.replace("&", "&&")

"""What the shelf of models shows: a page of cards, and one each for what is seldom wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QFileSystemWatcher
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from storydesk.bridge.jobs import Job, JobRunner
from storydesk.bridge.model_duel import ModelDuel
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.model_shelf import LineageNode, ModelComparison, ModelDetails, UseRecord
from storydesk.services.models import ModelService
from storydesk.ui.model_cards import HubCard, ModelCard
from storydesk.ui.model_compare_page import ComparePage
from storydesk.ui.model_details_page import DetailsPage
from storydesk.ui.model_lineage_page import LineagePage
from storydesk.ui.model_shelf_parts import CardColumn, ShelfButtons, ShelfState, read_shelf
from storydesk.ui.theme import SPACE_M, SPACE_XL, make_label, resize_on_screen, set_role
from storydesk.ui.undo_bar import UndoBar
from storydesk.ui.window_timers import make_single_shot

PATIENCE_SECONDS: Final = 1.0
"""How long closing waits for what is under way to break off; it tidies up without the dialog otherwise."""
WIDTH_IN_LETTERS: Final = 100
HEIGHT_IN_LINES: Final = 36
_LOOK_AGAIN_MILLISECONDS = 300


class ShelfPages(QDialog):
    """Cards of the shelf and of what can be fetched, details, comparison, lineage; reads, and changes nothing.

    Whoever inherits it joins the cards to what can be done. GUI thread.
    """

    def __init__(
        self, models: ModelService, phrases: Phrases, parent: QWidget | None = None, *, duel: ModelDuel | None = None
    ) -> None:
        """Read the shelf on a thread and show it; with a ``duel`` two models can write side by side."""
        super().__init__(parent)
        self._models = models
        self._phrases = phrases
        self._duel = duel
        self._jobs = JobRunner(self)
        self._cancellable: Job | None = None
        self._changing = False
        """Whether something is under way that changes the shelf; reading it disturbs nobody."""
        self._has_lost_focus = True
        self._state = ShelfState()
        self._deleted_last = ""
        self._focus_on = ""
        self.setWindowTitle(self.tr("Models"))
        self._build()
        self._watcher = QFileSystemWatcher(self)
        self._look_again = make_single_shot(self, _LOOK_AGAIN_MILLISECONDS, self._on_look_again)
        self._watcher.directoryChanged.connect(lambda _folder: self._look_again.start())
        letters = self.fontMetrics()
        resize_on_screen(self, letters.averageCharWidth() * WIDTH_IN_LETTERS, letters.lineSpacing() * HEIGHT_IN_LINES)
        self.show_shelf()
        self._load()

    @property
    def cards(self) -> list[ModelCard]:
        """The cards of the shelf, in order."""
        return [card for card in self._shelf.cards if isinstance(card, ModelCard)]

    @property
    def offers(self) -> list[HubCard]:
        """The cards of what can be fetched, in order."""
        return [card for card in self._offers.cards if isinstance(card, HubCard)]

    def closeEvent(self, event: QCloseEvent) -> None:
        """Cancel what is under way; what was fetched so far is kept by the library."""
        self._leave()
        super().closeEvent(event)

    def done(self, result: int) -> None:
        """Close, cancelling like ``closeEvent``."""
        self._leave()
        super().done(result)

    def reject(self) -> None:
        """Go back to the shelf first, for Escape."""
        if self._stack.currentWidget() is self._shelf.area:
            super().reject()
        else:
            self.show_shelf()

    def _leave(self) -> None:
        self.compare.leave()
        self._look_again.stop()
        self._jobs.close(PATIENCE_SECONDS)

    def connect_card(self, card: ModelCard) -> None:
        """Join a card that was just made to what can be done with a model."""
        raise NotImplementedError

    def connect_offer(self, card: HubCard) -> None:
        """Join a card of what can be fetched."""
        raise NotImplementedError

    def _build(self) -> None:
        self._stack = QStackedWidget()
        self._shelf = CardColumn()
        self._offers = CardColumn()
        self.details = DetailsPage(self._phrases)
        self.compare = ComparePage(self._phrases, self._duel)
        self.lineage = LineagePage(self._phrases)
        for page in (self._shelf.area, self._offers.area, self.details, self.compare, self.lineage):
            self._stack.addWidget(page)
        self._title = make_label("", "title")
        self._explanation = make_label("", "muted")
        self.said = make_label(selectable=True)
        self.said.hide()
        self.undo_bar = UndoBar()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.progress.hide()
        self.buttons = ShelfButtons(self)
        self.buttons.setParent(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        layout.setSpacing(SPACE_M)
        layout.addWidget(self._title)
        layout.addWidget(self._explanation)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.undo_bar)
        layout.addWidget(self.said)
        layout.addWidget(self.progress)
        layout.addWidget(self.buttons)
        self.buttons.lineage_button.clicked.connect(self.show_lineage)
        self.buttons.fetch_button.clicked.connect(self.show_offers)
        self.buttons.back_button.clicked.connect(self.show_shelf)
        self.buttons.close_button.clicked.connect(self.accept)
        self.compare.compare_wanted.connect(self._on_compare_wanted)
        self.lineage.details_wanted.connect(self.show_details)

    # Pages.

    def show_shelf(self) -> None:
        """Turn to the cards."""
        self.compare.leave()
        words = self.tr("What can write with you. One of them is in use; changing it takes seconds.")
        self._turn(self._shelf.area, self.tr("Models"), words)
        self._focus_card(self._focus_on)

    def show_offers(self) -> None:
        """Turn to what can be fetched."""
        self._turn(
            self._offers.area,
            self.tr("Fetch GPT-2"),
            self.tr(
                "Larger models know more English. Nothing is fetched until you press Fetch; then the files come from "
                "the Hugging Face hub and are checked. Larger ones write more slowly and need more memory."
            ),
        )
        self._say("")

    def show_details(self, name: str) -> None:
        """Turn to what is known of one model."""

        def show(found: tuple[ModelDetails, Sequence[UseRecord]]) -> None:
            details, uses = found
            self._focus_on = name
            self.details.show_details(details, uses)
            self._turn(self.details, details.name, self.tr("Where it comes from and what was measured."))
            self.details.card.setFocus()

        self._jobs.start(
            lambda _: (self._models.details(name), self._models.list_uses()),
            on_success=show,
            on_failure=self._say_failure,
        )

    def show_compare(self, name: str) -> None:
        """Turn to a comparison of a model: with the one in use, or of that with the model before it."""
        others = [model.name for model in self._state.models if model.name != name]
        nearest = next((model.lineage[0] for model in self._state.models if model.name == name and model.lineage), "")
        other = self._state.active if self._state.active != name else nearest if nearest in others else ""
        self._focus_on = name
        words = self.tr("What two models differ in, and what both write on one prompt.")
        self._turn(self.compare, self.tr("Compare"), words)
        names = [model.name for model in self._state.models]
        self.compare.offer(names, other if other in others else (others or [name])[0], name)
        self.compare.first_box.setFocus()

    def show_lineage(self) -> None:
        """Turn to the trees of who was tuned from whom."""

        def show(trees: tuple[LineageNode, ...]) -> None:
            self.lineage.show_trees(trees, self._state.active)
            words = self.tr("Generation after generation of your models, and what each learned from.")
            self._turn(self.lineage, self.tr("Lineage"), words)
            self.lineage.tree.setFocus()

        self._jobs.start(lambda _: self._models.trace_lineage(), on_success=show, on_failure=self._say_failure)

    def _turn(self, page: QWidget, title: str, explanation: str) -> None:
        self._title.setText(title)
        self._explanation.setText(explanation)
        self._stack.setCurrentWidget(page)
        self._set_buttons()

    def _set_buttons(self) -> None:
        on_shelf = self._stack.currentWidget() is self._shelf.area
        self.buttons.show_state(self._state, on_shelf=on_shelf, busy=self._changing)
        for widget in (self._stack, self.undo_bar):
            widget.setEnabled(not self._changing)

    # Reading the shelf.

    def _load(self) -> None:
        self._jobs.start(lambda _: read_shelf(self._models), on_success=self._on_loaded, on_failure=self._say_failure)

    def _on_look_again(self) -> None:
        if self._changing or any(card.field.isVisible() for card in self.cards):
            return  # it is read again after that anyway, or the writer is typing in it
        self._load()

    def _on_loaded(self, state: ShelfState) -> None:
        known = self._state
        self._state = state
        if state.models != known.models or state.active != known.active or not self._shelf.cards:
            self._fill(state)
        installed = {model.name for model in state.models} | {model.origin for model in state.models}
        offers: list[HubCard] = []
        for offer in state.offers:
            hub_card = HubCard(offer, installed=bool({offer.id, offer.repository} & installed))
            self.connect_offer(hub_card)
            offers.append(hub_card)
        self._offers.fill(offers)
        folder = str(self._models.folder)
        if folder not in self._watcher.directories() and self._models.folder.is_dir():
            self._watcher.addPath(folder)
        if state.models and state.active not in [model.name for model in state.models]:
            lost = self.tr("{name}, which was in use, is no longer in its folder. Use another one, or put it back.")
            self._say(lost.format(name=state.active))
            set_role(self.said, "problem")
        self._set_buttons()
        if self._has_lost_focus and self._stack.currentWidget() is self._shelf.area:
            self._has_lost_focus = False
            self._focus_card(self._focus_on)

    def _fill(self, state: ShelfState) -> None:
        has_focus = self.focusWidget()
        inside = [card for card in self.cards if has_focus is not None and card.isAncestorOf(has_focus)]
        focused = next((card.name for card in self.cards if card is has_focus or card in inside), "")
        cards: list[ModelCard] = []
        for model in state.models:
            others = [other.name for other in state.models if other.name != model.name]
            card = ModelCard(model, in_use=model.name == state.active, others=others)
            card.details_wanted.connect(self.show_details)
            card.compare_wanted.connect(self.show_compare)
            card.step_wanted.connect(self._on_step_wanted)
            self.connect_card(card)
            cards.append(card)
        self._shelf.fill(cards)
        if focused:
            self._focus_on, self._has_lost_focus = focused, True

    def _focus_card(self, name: str) -> None:
        chosen = next((card for card in self.cards if card.name == name), None)
        chosen = chosen or next((card for card in self.cards if card.in_use), None)
        if chosen is not None and not self._changing:
            chosen.setFocus()

    def _on_step_wanted(self, name: str, step: int) -> None:
        place = [card.name for card in self.cards].index(name) + step
        if 0 <= place < len(self.cards):
            self.cards[place].setFocus()
            self._shelf.area.ensureWidgetVisible(self.cards[place])

    def _on_compare_wanted(self, first: str, second: str) -> None:
        def show(found: ModelComparison) -> None:
            self.compare.show_comparison(found)

        self._jobs.start(lambda _: self._models.compare(first, second), on_success=show, on_failure=self._say_failure)

    def _say_failure(self, failure: Failure) -> None:
        self._say("\n".join(part for part in self._phrases.say(failure) if part))
        if failure.code != FailureCode.CANCELLED:
            set_role(self.said, "problem")

    def _say(self, text: str) -> None:
        set_role(self.said, "")
        self.said.setText(text)
        self.said.setVisible(bool(text))

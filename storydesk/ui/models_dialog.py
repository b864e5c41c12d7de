"""The shelf of models: what writes here, what else could, and fetching more when asked to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from storydesk.bridge.jobs import Job, JobRunner
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.style_model import HubModel, StyleModel
from storydesk.services.models import ModelService
from storydesk.ui.figures import say_size
from storydesk.ui.model_cards import HubCard, ModelCard
from storydesk.ui.theme import SPACE_M, SPACE_S, SPACE_XL, icon, make_label, resize_on_screen, set_role

PATIENCE_SECONDS: Final = 1.0
"""How long closing waits; a model that is just being built goes on without the dialog and then stands on the shelf."""
PROGRESS_STEPS: Final = 1000
WIDTH_IN_LETTERS: Final = 92
HEIGHT_IN_LINES: Final = 34


class ModelsDialog(QDialog):
    """Shows the installed models as cards, and what can be fetched behind one button. GUI thread."""

    model_changed = Signal(str)
    """The name of the model that was just put into use."""

    def __init__(self, models: ModelService, phrases: Phrases, parent: QWidget | None = None) -> None:
        """Read the shelf on a thread and show it."""
        super().__init__(parent)
        self._models = models
        self._phrases = phrases
        self._jobs = JobRunner(self)
        self._fetching: Job | None = None
        self.setWindowTitle(self.tr("Models"))
        self._stack = QStackedWidget()
        self._shelf = _CardColumn()
        self._offers = _CardColumn()
        self._stack.addWidget(self._shelf.area)
        self._stack.addWidget(self._offers.area)
        self._title = make_label("", "title")
        self._explanation = make_label("", "muted")
        self.said = make_label(selectable=True)
        self.said.hide()
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(self.tr("Progress"))
        self.progress.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(SPACE_XL, SPACE_XL, SPACE_XL, SPACE_XL)
        layout.setSpacing(SPACE_M)
        layout.addWidget(self._title)
        layout.addWidget(self._explanation)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.said)
        layout.addWidget(self.progress)
        layout.addLayout(self._build_buttons())
        letters = self.fontMetrics()
        resize_on_screen(self, letters.averageCharWidth() * WIDTH_IN_LETTERS, letters.lineSpacing() * HEIGHT_IN_LINES)
        self._show_shelf()
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
        self._jobs.close(PATIENCE_SECONDS)
        super().closeEvent(event)

    def done(self, result: int) -> None:
        """Close, cancelling like ``closeEvent``."""
        self._jobs.close(PATIENCE_SECONDS)
        super().done(result)

    def _build_buttons(self) -> QHBoxLayout:
        self.add_button = QPushButton(icon("folder-plus"), self.tr("Add a folder…"))
        self.add_button.clicked.connect(self._on_add_clicked)
        self.fetch_button = QPushButton(icon("download-simple"), self.tr("Fetch GPT-2…"))
        self.fetch_button.clicked.connect(self._show_offers)
        self.back_button = QPushButton(icon("arrow-left"), self.tr("Back to the shelf"))
        self.back_button.clicked.connect(self._show_shelf)
        self.cancel_button = QPushButton(self.tr("Cancel"))
        self.cancel_button.clicked.connect(self._on_cancel_clicked)
        self.cancel_button.hide()
        self.close_button = QPushButton(self.tr("Close"))
        self.close_button.clicked.connect(self.accept)
        for button in (self.add_button, self.fetch_button, self.back_button, self.cancel_button, self.close_button):
            button.setAutoDefault(False)
        row = QHBoxLayout()
        row.setSpacing(SPACE_S)
        row.addWidget(self.add_button)
        row.addWidget(self.fetch_button)
        row.addWidget(self.back_button)
        row.addStretch()
        row.addWidget(self.cancel_button)
        row.addWidget(self.close_button)
        return row

    def _show_shelf(self) -> None:
        self._title.setText(self.tr("Models"))
        self._explanation.setText(self.tr("What can write with you. One of them is in use; changing it takes seconds."))
        self._stack.setCurrentWidget(self._shelf.area)
        self._set_buttons()

    def _show_offers(self) -> None:
        self._title.setText(self.tr("Fetch GPT-2"))
        self._explanation.setText(
            self.tr(
                "Larger models know more English. Nothing is fetched until you press Fetch; then the files come from "
                "the Hugging Face hub and are checked. Larger ones write more slowly and need more memory."
            )
        )
        self._stack.setCurrentWidget(self._offers.area)
        self._say("")
        self._set_buttons()

    def _set_buttons(self) -> None:
        on_shelf = self._stack.currentWidget() is self._shelf.area
        busy = self._jobs.busy
        self.add_button.setVisible(on_shelf)
        self.fetch_button.setVisible(on_shelf)
        self.back_button.setVisible(not on_shelf)
        for widget in (self.add_button, self.fetch_button, self.back_button, self._stack):
            widget.setEnabled(not busy)

    def _load(self) -> None:
        self._jobs.start(
            lambda _: (tuple(self._models.list_models()), tuple(self._models.list_hub_models()), self._models.active),
            on_success=self._on_loaded,
            on_failure=self._on_failed,
        )

    def _on_loaded(self, found: tuple[Sequence[StyleModel], Sequence[HubModel], str]) -> None:
        models, hub_models, active = found
        installed = {model.name for model in models} | {model.origin for model in models}
        cards: list[ModelCard] = []
        for model in models:
            card = ModelCard(model, in_use=model.name == active)
            card.use_wanted.connect(self._on_use_wanted)
            card.removal_wanted.connect(self._on_removal_wanted)
            cards.append(card)
        self._shelf.fill(cards)
        offers: list[HubCard] = []
        for offer in hub_models:
            hub_card = HubCard(offer, installed=bool({offer.id, offer.repository} & installed))
            hub_card.fetch_wanted.connect(self._on_fetch_wanted)
            offers.append(hub_card)
        self._offers.fill(offers)
        self._set_buttons()

    def _run(self, saying: str, work: Callable[[], object], on_success: Callable[[object], None]) -> None:
        self._say(saying)
        self._show_progress(0, 0)
        self._jobs.start(lambda _: work(), on_success=on_success, on_failure=self._on_failed)
        self._set_buttons()

    def _on_use_wanted(self, name: str) -> None:
        self._run(self.tr("Checking {name}…").format(name=name), lambda: self._models.use(name), self._on_used)

    def _on_used(self, model: object) -> None:
        assert isinstance(model, StyleModel)
        self._settle(self.tr("{name} is in use now.").format(name=model.name))
        self.model_changed.emit(model.name)

    def _on_removal_wanted(self, name: str) -> None:
        said = self.tr("{name} was removed.").format(name=name)
        saying = self.tr("Removing {name}…").format(name=name)
        self._run(saying, lambda: self._models.remove(name), lambda _: self._settle(said))

    def _on_add_clicked(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Add a GPT-2 folder"))
        if folder:
            self.add_folder(Path(folder))

    def add_folder(self, folder: Path) -> None:
        """Build and install the model of a folder."""
        saying = self.tr("Making {name} ready to write with; this takes a few minutes…").format(name=folder.name)
        self._run(saying, lambda: self._models.add(folder), self._on_added)

    def _on_added(self, model: object) -> None:
        assert isinstance(model, StyleModel)
        self._settle(self.tr("{name} is on your shelf. Press Use to write with it.").format(name=model.name))

    def _on_fetch_wanted(self, hub_id: str) -> None:
        self._say(self.tr("Asking the hub for {name}…").format(name=hub_id))
        self._show_progress(0, 0)
        self._fetching = self._jobs.start(
            lambda progress: self._models.fetch(hub_id, progress),
            on_success=self._on_fetched,
            on_failure=self._on_failed,
            on_progress=self._on_progressed,
        )
        self.cancel_button.setEnabled(True)
        self.cancel_button.show()
        self._set_buttons()

    def _on_progressed(self, done: int, total: int) -> None:
        self._show_progress(done, total)
        if total and done >= total:
            self._say(self.tr("All here. Making it ready to write with; this takes a few minutes…"))
        elif total:
            sizes = {"done": say_size(done), "total": say_size(total)}
            self._say(self.tr("{done} of {total}").format(**sizes))

    def _on_fetched(self, model: object) -> None:
        self._on_added(model)
        self._show_shelf()

    def _on_cancel_clicked(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
        self.cancel_button.setEnabled(False)
        self._say(self.tr("Stopping; what was fetched so far is kept…"))

    def _on_failed(self, failure: Failure) -> None:
        self._settle("\n".join(part for part in self._phrases.say(failure) if part))
        if failure.code != FailureCode.CANCELLED:
            set_role(self.said, "problem")

    def _settle(self, text: str) -> None:
        """Say how something ended and read the shelf again."""
        self._fetching = None
        self.cancel_button.hide()
        self.progress.hide()
        self._say(text)
        self._load()

    def _say(self, text: str) -> None:
        set_role(self.said, "")
        self.said.setText(text)
        self.said.setVisible(bool(text))

    def _show_progress(self, done: int, total: int) -> None:
        # Bytes outgrow the bar's 32 bits; a range of 0 to 0 moves without an end.
        self.progress.setRange(0, PROGRESS_STEPS if total else 0)
        self.progress.setValue(done * PROGRESS_STEPS // total if total else 0)
        self.progress.show()


class _CardColumn:
    """Cards under each other that scroll. GUI thread."""

    def __init__(self) -> None:
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # its buttons have the keys
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
            card.deleteLater()
        self.cards = list(cards)
        for place, card in enumerate(cards):
            self._layout.insertWidget(place, card)

"""The shelf of models: what writes here, what else could, where each comes from, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import QFileSystemWatcher, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QDialog, QFileDialog, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from storydesk.bridge.jobs import Job, JobRunner
from storydesk.bridge.model_duel import ModelDuel
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.model_shelf import DeletedModel, ExportForm, LineageNode, ModelComparison, ModelDetails, UseRecord
from storydesk.domain.style_model import StyleModel
from storydesk.services.models import ModelService
from storydesk.services.ports import Progress
from storydesk.ui.figures import say_size
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
PROGRESS_STEPS: Final = 1000
WIDTH_IN_LETTERS: Final = 100
HEIGHT_IN_LINES: Final = 36
_LOOK_AGAIN_MILLISECONDS = 300


class ModelsDialog(QDialog):
    """Shows the installed models as cards, and a page each for what is seldom wanted. GUI thread."""

    model_changed = Signal(str)
    """The name of the model that is in use now: another one, or the same under another name."""

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
        self._connect()

    def _connect(self) -> None:
        buttons = self.buttons
        buttons.add_folder_wanted.connect(self._on_add_folder)
        buttons.add_zip_wanted.connect(self._on_add_zip)
        buttons.fetch_button.clicked.connect(self.show_offers)
        buttons.lineage_button.clicked.connect(self.show_lineage)
        buttons.roll_back_button.clicked.connect(self.roll_back)
        buttons.restore_wanted.connect(self.restore)
        buttons.empty_wanted.connect(self.empty_trash)
        buttons.back_button.clicked.connect(self.show_shelf)
        buttons.cancel_button.clicked.connect(self._on_cancel_clicked)
        buttons.close_button.clicked.connect(self.accept)
        self.undo_bar.undone.connect(lambda: self.restore(self._deleted_last))
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
            on_failure=self._on_failed,
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

        self._jobs.start(lambda _: self._models.trace_lineage(), on_success=show, on_failure=self._on_failed)

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
            hub_card.fetch_wanted.connect(self._on_fetch_wanted)
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
            card.use_wanted.connect(self._on_use_wanted)
            card.rename_wanted.connect(self.rename)
            card.delete_wanted.connect(self.delete)
            card.details_wanted.connect(self.show_details)
            card.compare_wanted.connect(self.show_compare)
            card.export_wanted.connect(self._on_export_wanted)
            card.step_wanted.connect(self._on_step_wanted)
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

    # What can be done.

    def _run(
        self,
        saying: str,
        work: Callable[[Progress], object],
        on_success: Callable[[object], None],
        *,
        stops: bool = False,
    ) -> None:
        """Do something slow; with ``stops`` it reports its progress and Cancel ends it."""
        self._say(saying)
        self._show_progress(0, 0)
        on_progress = self._show_progress if stops else None
        job = self._jobs.start(work, on_success=on_success, on_failure=self._on_failed, on_progress=on_progress)
        self._begin(job if stops else None)

    def _begin(self, job: Job | None) -> None:
        """Let nothing else be begun; a job can be cancelled."""
        self._changing = True
        self._has_lost_focus = True  # to whatever can still have it
        self._offer_cancel(job)

    def _offer_cancel(self, job: Job | None) -> None:
        self._cancellable = job
        self.buttons.offer_cancel(job is not None)
        self._set_buttons()

    def _on_use_wanted(self, name: str) -> None:
        self._focus_on = name
        self._run(self.tr("Checking {name}…").format(name=name), lambda _: self._models.use(name), self._on_used)

    def roll_back(self) -> None:
        """Use the model that was in use before."""
        self._focus_on = self._state.previous
        saying = self.tr("Checking {name}…").format(name=self._state.previous)
        self._run(saying, lambda _: self._models.roll_back(), self._on_used)

    def _on_used(self, model: object) -> None:
        assert isinstance(model, StyleModel)
        self._settle(self.tr("{name} is in use now.").format(name=model.name))
        self.model_changed.emit(model.name)

    def rename(self, name: str, new: str) -> None:
        """Give a model another name."""

        def on_renamed(model: object) -> None:
            assert isinstance(model, StyleModel)
            self._focus_on = model.name
            self._settle(self.tr("{name} is called {new} now.").format(name=name, new=model.name))
            if name == self._state.active:
                self.model_changed.emit(model.name)

        saying = self.tr("Renaming {name}…").format(name=name)
        self._run(saying, lambda _: self._models.rename(name, new), on_renamed)

    def delete(self, name: str, instead: str = "") -> None:
        """Put a model into the trash and offer to take it out again."""

        def on_deleted(deleted: object) -> None:
            assert isinstance(deleted, DeletedModel)
            self._deleted_last = deleted.id
            self._settle("")
            self.undo_bar.offer(self.tr("{name} is in the trash for 30 days.").format(name=deleted.name))
            if instead:
                self.model_changed.emit(instead)

        names = [card.name for card in self.cards]
        if name in names:
            neighbours = [*names[names.index(name) + 1 :], *reversed(names[: names.index(name)])]
            self._focus_on = (neighbours or [""])[0]
        saying = self.tr("Deleting {name}…").format(name=name)
        self._run(saying, lambda _: self._models.delete(name, instead or None), on_deleted)

    def restore(self, deleted_id: str) -> None:
        """Take a model out of the trash."""

        def on_restored(model: object) -> None:
            assert isinstance(model, StyleModel)
            self._focus_on = model.name
            self._settle(self.tr("{name} is on your shelf again.").format(name=model.name))

        self.undo_bar.hide()
        self._run(self.tr("Putting it back…"), lambda _: self._models.restore(deleted_id), on_restored)

    def empty_trash(self) -> None:
        """Delete for good what is in the trash."""
        said = self.tr("The trash is empty.")
        self.undo_bar.hide()
        self._run(self.tr("Emptying the trash…"), lambda _: self._models.empty_trash(), lambda _: self._settle(said))

    def _on_export_wanted(self, name: str, form: ExportForm) -> None:
        folder, archive = self.tr("Folder (*)"), self.tr("Zip file (*.zip)")
        filters = [archive, folder] if form is ExportForm.STORYDESK else [folder, archive]
        chosen, kind = QFileDialog.getSaveFileName(
            self, self.tr("Export {name}").format(name=name), str(Path.home() / name), ";;".join(filters), filters[0]
        )
        if chosen:
            path = Path(chosen)
            has_asked = path.suffix.lower() == ".zip"  # the file dialog, about the file that it was given
            target = path.with_name(f"{path.name}.zip") if kind == archive and not has_asked else path
            self.export(name, form, target, overwrite=has_asked)

    def export(self, name: str, form: ExportForm, target: Path, *, overwrite: bool = False) -> None:
        """Write a model to a folder or, by its suffix, to a zip."""

        def on_exported(path: object) -> None:
            self._settle(self.tr("{name} was written to {path}.").format(name=name, path=str(path)))

        saying = self.tr("Writing {name}…").format(name=name)
        if form is ExportForm.ONNX:
            saying = self.tr("Making the graph of {name}; this may take minutes…").format(name=name)
        self._run(
            saying,
            lambda progress: self._models.export(name, form, target, progress, overwrite=overwrite),
            on_exported,
            stops=True,
        )

    def _on_add_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, self.tr("Add a GPT-2 folder"))
        if folder:
            self.add_folder(Path(folder))

    def _on_add_zip(self) -> None:
        path, _filter = QFileDialog.getOpenFileName(self, self.tr("Add a zip"), "", self.tr("Zip file (*.zip)"))
        if path:
            self.add_folder(Path(path))

    def add_folder(self, folder: Path) -> None:
        """Build and install the model of a folder, or take in a bundle or a zip."""
        saying = self.tr("Making {name} ready to write with; this takes a few minutes…").format(name=folder.name)
        self._run(saying, lambda progress: self._models.add(folder, None, progress), self._on_added, stops=True)

    def _on_added(self, model: object) -> None:
        assert isinstance(model, StyleModel)
        self._focus_on = model.name
        self._settle(self.tr("{name} is on your shelf. Press Use to write with it.").format(name=model.name))

    def _on_fetch_wanted(self, hub_id: str) -> None:
        self._say(self.tr("Asking the hub for {name}…").format(name=hub_id))
        self._show_progress(0, 0)
        job = self._jobs.start(
            lambda progress: self._models.fetch(hub_id, progress),
            on_success=self._on_fetched,
            on_failure=self._on_failed,
            on_progress=self._on_fetch_progressed,
        )
        self._begin(job)

    def _on_fetch_progressed(self, done: int, total: int) -> None:
        if total and done >= total:
            self._show_progress(0, 0)
            self._say(self.tr("All here. Making it ready to write with; this takes a few minutes…"))
        elif total:
            self._show_progress(done, total)
            sizes = {"done": say_size(done), "total": say_size(total)}
            self._say(self.tr("{done} of {total}").format(**sizes))

    def _on_fetched(self, model: object) -> None:
        self._on_added(model)
        self.show_shelf()

    def _on_compare_wanted(self, first: str, second: str) -> None:
        def show(found: ModelComparison) -> None:
            self.compare.show_comparison(found)

        self._jobs.start(lambda _: self._models.compare(first, second), on_success=show, on_failure=self._on_failed)

    def _on_cancel_clicked(self) -> None:
        if self._cancellable is not None:
            self._cancellable.cancel()
        self.buttons.cancel_button.setEnabled(False)
        self._say(self.tr("Stopping…"))

    def _on_failed(self, failure: Failure) -> None:
        self._settle("")
        self._say_failure(failure)

    def _say_failure(self, failure: Failure) -> None:
        self._say("\n".join(part for part in self._phrases.say(failure) if part))
        if failure.code != FailureCode.CANCELLED:
            set_role(self.said, "problem")

    def _settle(self, text: str) -> None:
        """Say how something ended and read the shelf again."""
        self._changing = False
        self._offer_cancel(None)
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

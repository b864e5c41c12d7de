"""The shelf of models: what writes here, what else could, where each comes from, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from storydesk.bridge.jobs import Job
from storydesk.bridge.model_duel import ModelDuel
from storydesk.bridge.phrases import Phrases
from storydesk.domain.failures import Failure
from storydesk.domain.model_shelf import DeletedModel, ExportForm
from storydesk.domain.style_model import StyleModel
from storydesk.services.models import ModelService
from storydesk.services.ports import Progress
from storydesk.ui.figures import say_size
from storydesk.ui.model_cards import HubCard, ModelCard
from storydesk.ui.model_pages import ShelfPages

PROGRESS_STEPS: Final = 1000


class ModelsDialog(ShelfPages):
    """Shows the installed models and does what can be done with them. GUI thread."""

    model_changed = Signal(str)
    """The name of the model that is in use now: another one, or the same under another name."""

    def __init__(
        self, models: ModelService, phrases: Phrases, parent: QWidget | None = None, *, duel: ModelDuel | None = None
    ) -> None:
        """Read the shelf on a thread and show it; with a ``duel`` two models can write side by side."""
        super().__init__(models, phrases, parent, duel=duel)
        self._connect()

    def _connect(self) -> None:
        buttons = self.buttons
        buttons.add_folder_wanted.connect(self._on_add_folder)
        buttons.add_zip_wanted.connect(self._on_add_zip)
        buttons.roll_back_button.clicked.connect(self.roll_back)
        buttons.restore_wanted.connect(self.restore)
        buttons.empty_wanted.connect(self.empty_trash)
        buttons.cancel_button.clicked.connect(self._on_cancel_clicked)
        self.undo_bar.undone.connect(lambda: self.restore(self._deleted_last))

    def connect_card(self, card: ModelCard) -> None:
        """Join a card that was just made to what can be done with a model."""
        card.use_wanted.connect(self._on_use_wanted)
        card.rename_wanted.connect(self.rename)
        card.delete_wanted.connect(self.delete)
        card.export_wanted.connect(self._on_export_wanted)

    def connect_offer(self, card: HubCard) -> None:
        """Join a card of what can be fetched."""
        card.fetch_wanted.connect(self._on_fetch_wanted)

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

    def _on_cancel_clicked(self) -> None:
        if self._cancellable is not None:
            self._cancellable.cancel()
        self.buttons.cancel_button.setEnabled(False)
        self._say(self.tr("Stopping…"))

    def _on_failed(self, failure: Failure) -> None:
        self._settle("")
        self._say_failure(failure)

    def _settle(self, text: str) -> None:
        """Say how something ended and read the shelf again."""
        self._changing = False
        self._offer_cancel(None)
        self.progress.hide()
        self._say(text)
        self._load()

    def _show_progress(self, done: int, total: int) -> None:
        # Bytes outgrow the bar's 32 bits; a range of 0 to 0 moves without an end.
        self.progress.setRange(0, PROGRESS_STEPS if total else 0)
        self.progress.setValue(done * PROGRESS_STEPS // total if total else 0)
        self.progress.show()

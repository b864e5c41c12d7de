"""What opens beside the writing: export, models, preferences, the tuning studio.

They are imported when they are first wanted, so that the window is there at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QStackedWidget, QWidget

from storydesk.bridge.phrases import Phrases
from storydesk.bridge.workroom import Workroom
from storydesk.ui.questions import Leaving, ask_about_tuning

if TYPE_CHECKING:
    from storydesk.bridge.polish_controller import PolishReady
    from storydesk.bridge.tuning_controller import TuningController
    from storydesk.domain.polish_plan import PolishPlan
    from storydesk.services.tuning import TuningOutcome
    from storydesk.ui.shortcuts import Shortcuts
    from storydesk.ui.tuning.tuning_page import TuningPage


class SidePages(QObject):
    """Opens dialogs over the window and turns its pages. GUI thread."""

    setting_changed = Signal(str)
    """The key of a setting that was changed and saved."""
    export_opened = Signal(object)
    """The ExportFields of an export dialog that was just opened."""
    returned = Signal()
    """The writer is back at the text."""

    def __init__(
        self,
        workroom: Workroom,
        phrases: Phrases,
        pages: QStackedWidget,
        read_text: Callable[[], str],
        window: QWidget,
        shortcuts: Shortcuts,
    ) -> None:
        """``pages`` has the writing desk as its first page."""
        super().__init__(window)
        self._workroom = workroom
        self._phrases = phrases
        self._pages = pages
        self._read_text = read_text
        self._window = window
        self._shortcuts = shortcuts
        self._controller: TuningController | None = None
        self._tuning: TuningPage | None = None
        self.asks = True
        """Whether there is somebody to be asked; where the system ends the session, nobody waits for an answer."""

    def show_export(self) -> None:
        """Open the export dialog for the story on the page."""
        from storydesk.ui.export_dialog import ExportDialog

        opened = self._workroom.manuscripts.opened
        if opened is not None:
            desk = self._workroom.desk
            self._workroom.manuscripts.save_all()
            dialog = ExportDialog(
                opened.story,
                self._read_text(),
                desk.publishing,
                self._phrases,
                self._window,
                manuscripts=desk.manuscripts,
            )
            self._show(dialog)
            self.export_opened.emit(dialog.pages)

    def show_models(self) -> None:
        """Open the shelf of models."""
        from storydesk.bridge.model_duel import ModelDuel
        from storydesk.ui.models_dialog import ModelsDialog

        room = self._workroom
        duel = ModelDuel(room.desk, room.engine, room.library)
        dialog = ModelsDialog(room.desk.models, self._phrases, self._window, duel=duel)
        duel.setParent(dialog)
        dialog.model_changed.connect(self._on_model_changed)
        self._show(dialog)

    def show_preferences(self, *, keys: bool = False) -> None:
        """Open the preferences, at the page of keys if that is what is wanted."""
        from storydesk.ui.preferences.preferences_dialog import PreferencesDialog

        dialog = PreferencesDialog(self._workroom.desk.settings, self._window, shortcuts=self._shortcuts)
        dialog.setting_changed.connect(self.setting_changed)
        self._show(dialog)
        if keys:
            dialog.show_keys()

    def show_keys(self) -> None:
        """Open the list of all actions and their keys."""
        self.show_preferences(keys=True)

    def show_tuning(self) -> None:
        """Turn to the tuning studio; what is on the page is saved first, for it may be learnt from."""
        self._workroom.manuscripts.save_all()
        if self._tuning is None:
            from storydesk.ui.tuning.tuning_page import TuningPage

            controller = self.find_tuning()
            self._tuning = TuningPage(controller, self._workroom.desk, self._phrases, self._window)
            self._tuning.model_changed.connect(self._on_model_changed)
            self._tuning.leave_wanted.connect(self.show_writing)
            self._pages.addWidget(self._tuning)
        self._pages.setCurrentWidget(self._tuning)

    def look_for_runs(self) -> None:
        """Follow a tuning that was left at work when the window was closed last."""
        self.find_tuning().look_for_runs_left_alone()

    def may_close(self) -> bool:
        """Ask what becomes of a tuning under way; return whether the window may close."""
        if self._controller is None or not self._controller.busy or not self.asks:
            return True
        answer = ask_about_tuning(self._window)
        if answer is Leaving.GO_ON:
            self._controller.leave_running()
        return answer is not Leaving.STAY

    def find_tuning(self) -> TuningController:
        """Return what runs tunings, one at a time."""
        if self._controller is None:
            from storydesk.bridge.tuning_controller import TuningController

            self._controller = TuningController(self._workroom.desk.tuning, self)
            self._controller.finished.connect(self._on_tuning_finished)
        return self._controller

    def _on_tuning_finished(self, outcome: TuningOutcome) -> None:
        """Put a new model to use that came while the tuning studio was shut."""
        if self._tuning is None and outcome.adopted and outcome.model is not None:
            self._on_model_changed(outcome.model.name)

    def show_polish(self, ready: PolishReady, apply: Callable[[PolishPlan], object]) -> None:
        """Turn to the corrections of a whole story; ``apply`` hears what the writer takes."""
        from storydesk.ui.assistant.polish_page import PolishPage

        page = PolishPage(ready, self._window)

        def leave() -> None:
            self.show_writing()
            self._pages.removeWidget(page)
            page.deleteLater()

        def take(plan: PolishPlan) -> None:
            leave()
            apply(plan)

        page.leave_wanted.connect(leave)
        page.apply_wanted.connect(take)
        self._pages.addWidget(page)
        self._pages.setCurrentWidget(page)
        page.setFocus()

    def show_writing(self) -> None:
        """Turn back to the text; a tuning goes on beside it."""
        self._pages.setCurrentIndex(0)
        self.returned.emit()

    def close(self) -> None:
        """End what was started from here; a tuning saves its state and can go on next time."""
        if self._tuning is not None:
            self._tuning.close_jobs()
        if self._controller is not None:
            self._controller.close()

    def _show(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.show()

    def _on_model_changed(self, _name: str) -> None:
        self._workroom.engine.use_model()

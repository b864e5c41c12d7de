"""Every page and dialog of the program by name: the one list that tests and screenshots walk.

A new page goes in here with one function that opens it in a window and returns the widget to look at. Then the tests
of names, focus and cut text look at it, and ``python -m tests.bench.take_screenshots --scene NAME`` takes its picture.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from storydesk.domain.failures import Failure, FailureCode
from storydesk.domain.lorebook import LoreEntry
from storydesk.domain.memory import StoryMemory
from storydesk.domain.prompt_shelf import ShelfPrompt
from storydesk.domain.tuning import RunState, RunStatus
from storydesk.domain.whole_story import StoryWish
from storydesk.ui.assistant.polish_page import PolishPage
from storydesk.ui.main_window import MainWindow
from storydesk.ui.preferences import PreferencesDialog
from storydesk.ui.tuning import TuningPage
from storydesk.ui.tuning.tuning_page import CHANGE, WORDS
from tests.gui import data_places, judging_places, studio_places

Await = Callable[[Callable[[], bool]], None]
"""Lets the program work until something is so."""

SLIPS = "Mara did recieve teh door. She had went there before."


@dataclass(frozen=True, slots=True)
class Place:
    """A page or dialog. ``open`` needs a window with a story on the page, or on an empty library where ``empty``."""

    name: str
    open: Callable[[MainWindow, Await], QWidget]
    empty: bool = False


def leave_places(window: MainWindow) -> None:
    """Go back to the page with everything closed."""
    for dialog in window.findChildren(QDialog):
        if dialog.isVisible():
            dialog.close()
    window.tools.find_bar.hide()
    window.at_home.palette.leave()
    window.at_home.tour.leave()
    for name in ("focus_mode", "heat_map", "show_authorship"):
        if window.actions_by_name[name].isChecked():
            window.actions_by_name[name].trigger()
    if window.helper.word_picker.popover is not None:
        window.helper.word_picker.popover.close()
    window.partner.write.show_front()
    window.side.show_writing()
    QApplication.sendPostedEvents()
    QApplication.processEvents()


def _desk(window: MainWindow, _await: Await) -> QWidget:
    return window


def _by_action(name: str) -> Callable[[MainWindow, Await], QWidget]:
    def open_tab(window: MainWindow, _await: Await) -> QWidget:
        window.actions_by_name[name].trigger()
        return window

    return open_tab


def _dialog(name: str) -> Callable[[MainWindow, Await], QWidget]:
    def open_dialog(window: MainWindow, wait: Await) -> QWidget:
        before = {id(dialog) for dialog in window.findChildren(QDialog) if dialog.isVisible()}

        def find() -> list[QDialog]:
            return [each for each in window.findChildren(QDialog) if each.isVisible() and id(each) not in before]

        window.actions_by_name[name].trigger()
        wait(lambda: bool(find()))
        return find()[0]

    return open_dialog


def _preferences(tab: int) -> Callable[[MainWindow, Await], QWidget]:
    def open_tab(window: MainWindow, wait: Await) -> QWidget:
        dialog = _dialog("preferences")(window, wait)
        assert isinstance(dialog, PreferencesDialog)
        dialog.tabs.setCurrentIndex(tab)
        return dialog

    return open_tab


def _insight(page: str) -> Callable[[MainWindow, Await], QWidget]:
    def open_page(window: MainWindow, _await: Await) -> QWidget:
        window.partner.show_tab("insight")
        window.insight.panel.show_page(page)
        return window

    return open_page


def _controls(window: MainWindow, _await: Await) -> QWidget:
    window.partner.show_tab("write")
    window.partner.write.show_controls()
    return window


def _toggled(name: str) -> Callable[[MainWindow, Await], QWidget]:
    def switch_on(window: MainWindow, _await: Await) -> QWidget:
        window.actions_by_name[name].setChecked(False)
        window.actions_by_name[name].trigger()
        return window

    return switch_on


def _reword(window: MainWindow, wait: Await) -> QWidget:
    window.partner.show_tab("write")
    window.page.go_to(0, len("Mara found it"))
    window.actions_by_name["reword"].trigger()
    view = window.helper.reworder.view
    wait(lambda: bool(view.cards) and not window.helper.reworder.controller.busy)
    return window


def _other_words(window: MainWindow, wait: Await) -> QWidget:
    window.page.go_to(0, 0)
    window.page.moveCursor(QTextCursor.MoveOperation.End)
    window.actions_by_name["go_on"].trigger()
    wait(lambda: bool(window.page.ghost) and not window.workroom.writing.is_writing)
    window.actions_by_name["other_words"].trigger()
    popover = window.helper.word_picker.popover
    assert popover is not None
    return popover


def _ways(window: MainWindow, wait: Await) -> QWidget:
    _three_ways(window, wait)
    return _dialog("compare_ways")(window, wait)


def _replace(window: MainWindow, wait: Await) -> QWidget:
    window.actions_by_name["replace"].trigger()
    wait(window.tools.find_bar.isVisible)
    window.tools.find_bar.words.setText("the")
    return window


def _models(window: MainWindow, wait: Await) -> QWidget:
    from storydesk.ui.models_dialog import ModelsDialog

    dialog = _dialog("models")(window, wait)
    assert isinstance(dialog, ModelsDialog)
    wait(lambda: bool(dialog.cards))
    return dialog


def _model_page(page: str) -> Callable[[MainWindow, Await], QWidget]:
    def open_page(window: MainWindow, wait: Await) -> QWidget:
        from storydesk.ui.models_dialog import ModelsDialog

        dialog = _models(window, wait)
        assert isinstance(dialog, ModelsDialog)
        last = dialog.cards[-1].name
        if page == "details":
            dialog.show_details(last)
            wait(dialog.details.isVisible)
        elif page == "compare":
            dialog.show_compare(last)
            wait(lambda: dialog.compare.table.rowCount() > 0)
        elif page == "lineage":
            dialog.show_lineage()
            wait(dialog.lineage.isVisible)
        else:
            dialog.show_offers()
        return dialog

    return open_page


def _three_ways(window: MainWindow, wait: Await) -> QWidget:
    window.actions_by_name["show_write"].trigger()
    window.actions_by_name["three_ways"].trigger()
    wait(lambda: len(window.workroom.writing.candidates) == 3)
    wait(lambda: all(way.perplexity for way in window.workroom.writing.candidates))
    return window


def _fill_memory(window: MainWindow, wait: Await) -> None:
    memory = window.workroom.memory
    wait(lambda: memory.can_change)
    memory.set_memory(StoryMemory("A small island, about 1890.", "Quiet, cold, a little frightening.", 1))
    if not memory.page.entries:
        mara = LoreEntry(title="Mara", text="Mara keeps the light.", keys=("Mara", "/[/"), aliases=("Mrs Quay",))
        memory.keep_entries([mara, LoreEntry(title="Law", text="Nobody lies here.", always=True, priority=3)])
        wait(lambda: len(memory.page.entries) == 2)


def _memory(window: MainWindow, wait: Await) -> QWidget:
    _fill_memory(window, wait)
    window.actions_by_name["show_memory"].trigger()
    wait(lambda: "Mara keeps" in window.memory.panel.context.text.toPlainText())
    return window


def _lorebook(window: MainWindow, wait: Await) -> QWidget:
    _fill_memory(window, wait)
    window.actions_by_name["lorebook"].trigger()
    window.memory.lorebook.choose(next(each.id for each in window.workroom.memory.page.entries if each.aliases))
    return window


def _prompts(window: MainWindow, wait: Await) -> QWidget:
    window.actions_by_name["prompts"].trigger()
    shelf, queue = window.workroom.shelf, window.workroom.queue
    shelf.keep([ShelfPrompt(0, "She finds a door on the beach at low tide, and it is warm.", ("sea",))])
    queue.add([StoryWish("A bell that rings under the sea", 40, 3), StoryWish("Another", 40, 3, model="broken")])
    wait(lambda: bool(shelf.prompts) and bool(queue.stories) and not any(each.is_open for each in queue.stories))
    window.prompts.page.queue.list.findItems("Another", Qt.MatchFlag.MatchExactly)[0].setSelected(True)
    return window


def _polish_notes(window: MainWindow, wait: Await) -> QWidget:
    window.actions_by_name["show_polish"].trigger()
    window.page.insert("\n\n" + SLIPS)
    wait(lambda: window.partner.polish.list.count() > 1)
    window.partner.polish.list.setCurrentRow(1)
    return window


def _polish_page(window: MainWindow, wait: Await) -> QWidget:
    window.page.insert("\n\n" + SLIPS)
    window.actions_by_name["polish"].trigger()
    wait(lambda: isinstance(window.pages.currentWidget(), PolishPage))
    return window


def _tuning(step: int) -> Callable[[MainWindow, Await], QWidget]:
    def open_step(window: MainWindow, _wait: Await) -> QWidget:
        window.actions_by_name["tune"].trigger()
        page = window.pages.currentWidget()
        assert isinstance(page, TuningPage)
        folder = window.workroom.desk.home / "runs" / "My voice"
        state = RunState("r", folder, RunStatus.RUNNING, stage="tuning", step=3, total_steps=9)
        if step == CHANGE:
            page.change.show_failure(Failure(FailureCode.DISK_FULL, {"path": str(folder)}), state)
        page._show_step(step)
        return window

    return open_step


def _crash(window: MainWindow, _await: Await) -> QWidget:
    from storydesk.ui.crash_dialog import CrashDialog

    dialog = CrashDialog("Traceback (most recent call last):\nValueError: what?", parent=window)
    dialog.show()
    return dialog


def _notice(window: MainWindow, _await: Await) -> QWidget:
    window.notices.post(Failure(FailureCode.DISK_FULL, {"path": "/home/mara/library.sqlite"}))
    return window


def _delete(window: MainWindow, wait: Await) -> QWidget:
    from storydesk.ui.questions import ask_to_delete

    ask_to_delete("The Salt Road", window, lambda: None)
    wait(lambda: any(dialog.isVisible() for dialog in window.findChildren(QDialog)))
    return next(dialog for dialog in window.findChildren(QDialog) if dialog.isVisible())


def _tour(pane: int) -> Callable[[MainWindow, Await], QWidget]:
    def open_pane(window: MainWindow, _await: Await) -> QWidget:
        window.at_home.tour.open()
        for _ in range(pane):
            window.at_home.tour.next_button.click()
        return window.at_home.tour

    return open_pane


def _palette(window: MainWindow, wait: Await) -> QWidget:
    window.at_home.palette.open()
    window.at_home.palette.field.setText("sto")
    wait(lambda: any(not entry.is_action for entry in window.at_home.palette.entries))
    return window.at_home.palette


def _undo(window: MainWindow, wait: Await) -> QWidget:
    title = window.workroom.manuscripts.opened
    window.workroom.manuscripts.add_story("An old beginning")
    wait(lambda: window.workroom.manuscripts.opened is not title)
    window.actions_by_name["trash_story"].trigger()
    wait(window.library.undo_bar.isVisible)
    return window


def _drafts(window: MainWindow, wait: Await) -> QWidget:
    kept: list[object] = []
    window.workroom.drafts.snapshot_taken.connect(kept.append)
    window.actions_by_name["take_snapshot"].trigger()
    wait(lambda: bool(kept))
    window.page.insert(" And the sea was warm.")
    window.actions_by_name["show_drafts"].trigger()
    page = window.drafts.drafts_page
    assert page is not None
    wait(lambda: page.model.rowCount() == 1)
    return window


def _generations(window: MainWindow, wait: Await) -> QWidget:
    _three_ways(window, wait)
    window.page.drop_ghost()
    window.actions_by_name["show_generations"].trigger()
    page = window.drafts.generations_page
    assert page is not None
    wait(lambda: page.list.count() >= 3)
    page.repeat_button.click()
    wait(lambda: bool(page.said.text()) and not page.cancel_button.isVisible())
    return window


def _authorship(window: MainWindow, wait: Await) -> QWidget:
    window.actions_by_name["show_authorship"].setChecked(True)
    wait(lambda: "%" in next(iter(window.drafts.view.strip.labels.values())).text())
    return window


PLACES: tuple[Place, ...] = (
    Place("empty", _desk, empty=True),
    Place("tour-1", _tour(0), empty=True),
    Place("tour-2", _tour(1), empty=True),
    Place("tour-3", _tour(2), empty=True),
    Place("prompts-empty", _by_action("prompts"), empty=True),
    Place("judging-empty", judging_places.open_empty, empty=True),
    Place("judging-improve-empty", judging_places.open_improve_empty, empty=True),
    Place("main", _three_ways),
    Place("authorship", _authorship),
    Place("statement", _dialog("authorship_statement")),
    Place("drafts", _drafts),
    Place("generations", _generations),
    Place("memory", _memory),
    Place("lorebook", _lorebook),
    Place("prompts", _prompts),
    Place("palette", _palette),
    Place("notice", _notice),
    Place("trashed", _undo),
    Place("polish", _polish_notes),
    Place("polish-page", _polish_page),
    Place("controls", _controls),
    Place("ways", _ways),
    Place("other-words", _other_words),
    Place("reword", _reword),
    Place("insight-surprise", _insight("surprise")),
    Place("insight-repetition", _insight("repetition")),
    Place("insight-reading", _insight("reading")),
    Place("heat-map", _toggled("heat_map")),
    Place("find", _by_action("find")),
    Place("replace", _replace),
    Place("story-details", _by_action("story_details")),
    Place("part-details", _by_action("part_details")),
    Place("authorship", _toggled("show_authorship")),
    Place("statement", _dialog("authorship_statement")),
    Place("drafts", _by_action("show_drafts")),
    Place("generations", _by_action("show_generations")),
    Place("backups", _dialog("backups")),
    Place("export", _dialog("export")),
    Place("models", _models),
    Place("models-details", _model_page("details")),
    Place("models-compare", _model_page("compare")),
    Place("models-lineage", _model_page("lineage")),
    Place("models-fetch", _model_page("fetch")),
    Place("preferences", _preferences(0)),
    Place("preferences-page", _preferences(1)),
    Place("preferences-look", _preferences(2)),
    Place("preferences-keys", _preferences(3)),
    Place("tuning-words", _tuning(WORDS)),
    Place("tuning-plan", studio_places.open_plan),
    Place("tuning-settings", studio_places.open_settings),
    Place("tuning-run", studio_places.open_run),
    Place("tuning-result", studio_places.open_result),
    Place("tuning-change", _tuning(CHANGE)),
    *(Place(name, opener) for name, opener in data_places.OPENERS.items()),
    *(Place(name, opener) for name, opener in judging_places.OPENERS.items()),
    Place("delete", _delete),
    Place("crash", _crash),
    Place("focus", _by_action("focus_mode")),
)
"""Every place, the quiet ones first: what one leaves behind (a slip, a notice) the later ones see too."""


def find_place(name: str) -> Place:
    """Return the place of this name; KeyError where there is none."""
    for place in PLACES:
        if place.name == name:
            return place
    raise KeyError(name)

"""What take_screenshots shows of drafts: who wrote what, versions compared, what the model wrote, the statement."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QMimeData
from PySide6.QtWidgets import QApplication, QWidget

from storydesk.domain.draft_history import SnapshotRule
from storydesk.ui.editor.authorship_statement import StatementDialog
from storydesk.ui.main_window import MainWindow

SCENES = ("authorship", "drafts", "drafts-columns", "generations", "statement")
Wait = Callable[[QApplication, Callable[[], bool]], None]


def show_drafts(app: QApplication, window: MainWindow, scene: str, wait: Wait) -> QWidget:
    """Let a story have a past, show a part of it, and return what is to be taken."""
    _write(app, window, wait)
    if scene == "authorship":
        window.actions_by_name["show_authorship"].trigger()
        wait(app, lambda: "%" in next(iter(window.drafts.view.strip.labels.values())).text())
    elif scene == "statement":
        window.actions_by_name["authorship_statement"].trigger()
        wait(app, lambda: bool(window.findChildren(StatementDialog)))
        return window.findChildren(StatementDialog)[0]
    elif scene == "generations":
        window.actions_by_name["show_generations"].trigger()
        page = window.drafts.generations_page
        assert page is not None
        wait(app, lambda: page.list.count() > 1)
        page.list.setCurrentRow(1)
        page.repeat_button.click()
        wait(app, lambda: "It came out" in page.said.text())
    else:
        window.actions_by_name["show_drafts"].trigger()
        drafts = window.drafts.drafts_page
        assert drafts is not None
        wait(app, lambda: drafts.model.rowCount() > 1)
        drafts.model.choose({0})
        drafts.columns_button.setChecked(scene == "drafts-columns")
    return window


def _write(app: QApplication, window: MainWindow, wait: Wait) -> None:
    page, drafts = window.page, window.workroom.drafts
    page.insert(" I stood there for a while and counted the steps back to the house.")
    taken: list[object] = []
    drafts.snapshot_taken.connect(taken.append)
    drafts.take(SnapshotRule.HAND, "Before the storm")
    wait(app, lambda: bool(taken))
    for _round in range(2):
        window.actions_by_name["go_on"].trigger()
        wait(app, lambda: bool(page.ghost) and not window.workroom.writing.is_writing)
        page.accept_ghost()
    cursor = page.textCursor()
    cursor.setPosition(page.document().characterCount() - 60)
    page.setTextCursor(cursor)
    page.insert(" quietly")
    cursor.setPosition(12)
    cursor.setPosition(20, cursor.MoveMode.KeepAnchor)
    cursor.insertText("elsewhere")
    page.moveCursor(cursor.MoveOperation.End)
    foreign = QMimeData()
    foreign.setText(" A line that somebody else sent me in a letter.")
    page.insertFromMimeData(foreign)
    window.workroom.manuscripts.save_all()

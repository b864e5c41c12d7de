"""What opens from the window: import, export, models, preferences, the tuning studio and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QDialog, QFileDialog
from pytestqt.qtbot import QtBot

from storydesk.domain.settings import PAGE_SIZE
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT

pytestmark = pytest.mark.qt_log_ignore("This plugin does not support")  # of the offscreen platform, about any dialog


def _open_dialog(window: MainWindow, name: str) -> QDialog:
    window.actions_by_name[name].trigger()
    [dialog] = [dialog for dialog in window.findChildren(QDialog) if dialog.isVisible()]
    return dialog


def test_ctrl_o_brings_a_document_in(
    story_window: MainWindow, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = tmp_path / "The fox.md"
    document.write_text("A fox came by.", encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getOpenFileNames", lambda *_given: ([str(document)], ""))
    QTest.keyClick(story_window.page, Qt.Key.Key_O, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: story_window.page.text() == "A fox came by.", timeout=WAIT)
    assert story_window.top.title.text() == "The fox"


def test_a_document_that_is_not_there_is_said_and_the_story_stays(
    story_window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    story_window.workroom.manuscripts.import_document(tmp_path / "nothing.md")
    qtbot.waitUntil(lambda: "no file" in story_window.notice_bar.shown_text, timeout=WAIT)
    assert story_window.page.text() == "Mara found it at low tide."


def test_ctrl_e_exports_what_is_on_the_page(story_window: MainWindow, tmp_path: Path, qtbot: QtBot) -> None:
    from storydesk.ui.export_dialog import ExportDialog

    QTest.keyClicks(story_window.page, " And more.")
    dialog = _open_dialog(story_window, "export")
    assert isinstance(dialog, ExportDialog)
    dialog.folder_field.setText(str(tmp_path))
    dialog.format_box.setCurrentIndex(dialog.format_box.findData("txt"))
    dialog.export_button.click()
    qtbot.waitUntil(lambda: dialog.exported is not None, timeout=WAIT)
    assert "low tide. And more." in (tmp_path / "The Salt Road.txt").read_text(encoding="utf-8")
    dialog.close()


@pytest.mark.parametrize("name", ["models", "preferences"])
def test_dialogs_open_and_close(story_window: MainWindow, qtbot: QtBot, name: str) -> None:
    dialog = _open_dialog(story_window, name)
    qtbot.wait(100)
    dialog.close()
    assert story_window.isVisible()


def test_the_tuning_studio_opens_and_leads_back(story_window: MainWindow, world: FakeWorld) -> None:
    QTest.keyClicks(story_window.page, " And more.")
    story_window.actions_by_name["tune"].trigger()
    assert not story_window.desk_page.isVisible()
    story_window.workroom.library.drain(5)
    assert world.desk.manuscripts.open_story(1).text.endswith("And more.")  # what is learnt from is on disk
    story_window.side.show_writing()
    assert story_window.desk_page.isVisible()
    assert story_window.page.hasFocus()


def test_another_model_is_put_to_use_without_a_restart(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: story_window.status.model.text() == "Starter", timeout=WAIT)
    world.models.add_folder(world.home, "my voice")
    world.desk.models.use("my voice")
    story_window.side._on_model_changed("my voice")
    qtbot.waitUntil(lambda: story_window.status.model.text() == "My voice", timeout=WAIT)


def test_larger_text_is_larger_and_remembered(story_window: MainWindow, world: FakeWorld) -> None:
    before = story_window.page.font().pointSize()
    story_window.actions_by_name["larger_text"].trigger()
    assert story_window.page.font().pointSize() == before + 1 == world.desk.settings.get(PAGE_SIZE)

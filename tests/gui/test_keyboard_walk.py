"""From an empty library to a document with keys alone: write, generate, keep, compare, export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from storydesk.ui.drafts.drafts_page import DraftsPage
from storydesk.ui.export_dialog import ExportDialog
from storydesk.ui.main_window import MainWindow
from tests.gui.conftest import WAIT

NONE = Qt.KeyboardModifier.NoModifier
CTRL = Qt.KeyboardModifier.ControlModifier
MOST_TABS = 60


class Hands:
    """Two hands on a keyboard: every key goes to what has the focus."""

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        self.qtbot = qtbot
        self.window = window

    @property
    def focus(self) -> QWidget:
        """What the next key will reach."""
        dialog = next((each for each in self.window.findChildren(ExportDialog) if each.isVisible()), None)
        top = dialog or self.window
        top.activateWindow()
        focused = top.focusWidget()
        assert focused is not None, "no key would reach anything"
        return focused

    def press(self, key: Qt.Key, modifiers: Qt.KeyboardModifier = NONE) -> None:
        QTest.keyClick(self.focus, key, modifiers)
        QApplication.processEvents()

    def write(self, text: str) -> None:
        QTest.keyClicks(self.focus, text)

    def tab_to(self, is_there: Callable[[QWidget], bool]) -> None:
        for _tab in range(MOST_TABS):
            if is_there(self.focus):
                return
            self.press(Qt.Key.Key_Tab)
        raise AssertionError(f"Tab never came there, but to {self.focus}")

    def wait(self, is_so: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(is_so, timeout=WAIT)


def test_from_an_empty_library_to_a_document_by_keys_alone(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    hands = Hands(qtbot, window)
    assert hands.focus is window.empty.new_button
    hands.press(Qt.Key.Key_Space)
    hands.wait(lambda: window.focusWidget() is window.page)
    # write, and let the model go on
    hands.write("Mara found the door.")
    hands.press(Qt.Key.Key_Return, CTRL)
    hands.wait(lambda: bool(window.page.ghost) and not window.workroom.writing.is_writing)
    ghost = window.page.ghost
    hands.press(Qt.Key.Key_Tab)
    assert window.page.text() == "Mara found the door." + ghost
    # keep this draft, go on in another, and see what differs
    hands.press(Qt.Key.Key_S, CTRL)
    hands.wait(lambda: _drafts(window) == 2)
    hands.write(" It was warm.")
    _find(hands, "drafts and snapshots")
    hands.wait(lambda: isinstance(window.pages.currentWidget(), DraftsPage))
    page = window.pages.currentWidget()
    assert isinstance(page, DraftsPage)
    hands.wait(lambda: page.versions.count() > 0)
    hands.tab_to(lambda widget: widget is page.versions)
    hands.press(Qt.Key.Key_Down)
    hands.wait(lambda: page.model.rowCount() > 0)
    assert "warm" in str(page.model.index(0).data(Qt.ItemDataRole.AccessibleTextRole) or page.model.index(0).data())
    hands.press(Qt.Key.Key_Escape)
    hands.wait(lambda: window.pages.currentWidget() is window.desk_page)
    assert window.focusWidget() is window.page
    # give the story a title and make a document of it
    for _pane in range(8):
        if window.focusWidget() is window.top.title:
            break
        hands.press(Qt.Key.Key_F6)
    hands.write("Salt")
    hands.press(Qt.Key.Key_E, CTRL)
    hands.wait(lambda: any(dialog.isVisible() for dialog in window.findChildren(ExportDialog)))
    dialog = window.findChild(ExportDialog)
    assert dialog is not None
    hands.tab_to(lambda widget: widget is dialog.folder_field)
    hands.press(Qt.Key.Key_A, CTRL)
    hands.write(str(tmp_path))
    hands.tab_to(lambda widget: isinstance(widget, QPushButton) and widget is dialog.export_button)
    hands.press(Qt.Key.Key_Space)
    hands.wait(lambda: dialog.exported is not None)
    assert dialog.exported is not None
    assert dialog.exported.is_file()
    hands.press(Qt.Key.Key_Escape)
    hands.wait(lambda: not any(each.isVisible() for each in window.findChildren(ExportDialog)))


def _drafts(window: MainWindow) -> int:
    opened = window.workroom.manuscripts.opened
    return len(opened.drafts) if opened is not None else 0


def _find(hands: Hands, words: str) -> None:
    """Do something by the palette."""
    hands.press(Qt.Key.Key_K, CTRL)
    hands.write(words)
    hands.press(Qt.Key.Key_Return)

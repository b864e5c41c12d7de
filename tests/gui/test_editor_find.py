"""Finding and replacing in the draft, as a writer sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from storydesk.ui.editor.replace_preview import ReplacePreview
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT

TEXT = "The sea rose. 😀 The Sea fell.\nNo sea here; seas there."


@pytest.fixture
def finding(
    world: FakeWorld, open_window: Callable[[FakeWorld], MainWindow], qtbot: QtBot
) -> Callable[[str], MainWindow]:
    """Return a function that opens a window on a text, looks for something and waits for the answer."""
    world.desk.manuscripts.add_story("The Salt Road", "", TEXT)
    window = open_window(world)
    window.page.go_to(0, 0)

    def find(words: str) -> MainWindow:
        window.actions_by_name["replace"].trigger()
        window.tools.find_bar.words.setText(words)
        qtbot.waitUntil(lambda: not window.tools.finder.is_looking, timeout=WAIT)
        return window

    return find


def said(window: MainWindow) -> str:
    return window.tools.find_bar.said.text()


def selected(window: MainWindow) -> str:
    return window.page.textCursor().selectedText()


def test_places_are_counted_shown_and_gone_through(finding: Callable[[str], MainWindow], qtbot: QtBot) -> None:
    window = finding("sea")
    assert said(window) == "4 places"
    QTest.keyClick(window.tools.find_bar.words, Qt.Key.Key_Return)
    assert (selected(window), said(window)) == ("sea", "1 of 4")
    QTest.keyClick(window.tools.find_bar.words, Qt.Key.Key_Return)
    assert (selected(window), said(window)) == ("Sea", "2 of 4")
    QTest.keyClick(window.tools.find_bar.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClick(window.tools.find_bar.words, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert said(window) == "4 of 4"
    window.page.viewport().grab()
    marked = window.page.document().firstBlock().layout().formats()
    assert [(piece.start, piece.length) for piece in marked] == [(4, 3), (21, 3)]
    QTest.keyClick(window.tools.find_bar.words, Qt.Key.Key_Escape)
    assert not window.tools.find_bar.isVisible()
    assert window.page.hasFocus()
    window.page.viewport().grab()
    assert not window.page.document().firstBlock().layout().formats()


def test_case_words_and_patterns(finding: Callable[[str], MainWindow], qtbot: QtBot) -> None:
    window = finding("sea")
    bar, finder = window.tools.find_bar, window.tools.finder
    bar.case.setChecked(True)
    qtbot.waitUntil(lambda: not finder.is_looking and finder.count == 3, timeout=WAIT)
    bar.whole.setChecked(True)
    qtbot.waitUntil(lambda: not finder.is_looking and finder.count == 2, timeout=WAIT)
    bar.regex.setChecked(True)
    bar.words.setText("(sea")
    qtbot.waitUntil(lambda: bar.trouble.isVisible(), timeout=WAIT)
    assert "can't be read" in bar.trouble.text()
    bar.words.setText(r"\w+ fell")
    qtbot.waitUntil(lambda: not finder.is_looking and finder.count == 1, timeout=WAIT)
    assert not bar.trouble.isVisible()
    bar.words.setText("nothing of the kind")
    qtbot.waitUntil(lambda: said(window) == "nowhere", timeout=WAIT)
    assert not bar.replace_button.isEnabled()


def test_typing_goes_on_being_found(finding: Callable[[str], MainWindow], qtbot: QtBot) -> None:
    window = finding("sea")
    window.page.go_to(0, 0)
    QTest.keyClicks(window.page, "sea ")
    qtbot.waitUntil(lambda: window.tools.finder.count == 5, timeout=WAIT)


def test_one_place_is_replaced_and_the_next_one_chosen(finding: Callable[[str], MainWindow], qtbot: QtBot) -> None:
    window = finding("sea")
    bar = window.tools.find_bar
    bar.put.setText("lake")
    qtbot.waitUntil(lambda: not window.tools.finder.is_looking, timeout=WAIT)
    bar.replace_button.click()  # goes to the first
    bar.replace_button.click()
    qtbot.waitUntil(lambda: selected(window) == "Sea", timeout=WAIT)
    assert window.page.text().startswith("The lake rose.")
    assert said(window) == "1 of 3"


def test_replacing_all_is_shown_first_ticked_off_and_one_step(
    finding: Callable[[str], MainWindow], qtbot: QtBot
) -> None:
    window = finding("sea")
    bar = window.tools.find_bar
    bar.put.setText("lake")
    qtbot.waitUntil(lambda: not window.tools.finder.is_looking, timeout=WAIT)
    bar.all_button.click()
    dialog = window.findChild(ReplacePreview)
    assert dialog is not None
    assert dialog.go.text() == "Replace 4 places"
    assert window.page.text() == TEXT
    dialog.grab()
    dialog.list.setFocus()
    QTest.keyClick(dialog.list, Qt.Key.Key_Space)  # the first is ticked off
    assert dialog.go.text() == "Replace 3 places"
    dialog.go.click()
    assert window.page.text() == "The sea rose. 😀 The lake fell.\nNo lake here; lakes there."
    window.page.undo()
    assert window.page.text() == TEXT


def test_a_selection_bounds_what_is_replaced(finding: Callable[[str], MainWindow], qtbot: QtBot) -> None:
    window = finding("sea")
    window.page.go_to(17, len(TEXT) + 1)
    window.actions_by_name["replace"].trigger()
    finder = window.tools.finder
    assert window.tools.find_bar.scope.isChecked()
    qtbot.waitUntil(lambda: not finder.is_looking and finder.count == 3, timeout=WAIT)
    window.tools.find_bar.scope.setChecked(False)
    qtbot.waitUntil(lambda: not finder.is_looking and finder.count == 4, timeout=WAIT)


def test_a_pattern_that_never_ends_leaves_the_page_usable(finding: Callable[[str], MainWindow], qtbot: QtBot) -> None:
    window = finding("")
    window.page.insert("a" * 30 + "b")
    bar = window.tools.find_bar
    bar.regex.setChecked(True)
    bar.words.setText("(a|aa)+$")
    qtbot.waitUntil(lambda: window.tools.finder.is_looking, timeout=WAIT)
    QTest.keyClicks(window.page, "still here")
    assert "still here" in window.page.text()
    bar.words.setText("still")
    qtbot.waitUntil(lambda: not window.tools.finder.is_looking and window.tools.finder.count == 1, timeout=WAIT * 2)


def test_f3_finds_again_when_the_bar_is_gone(finding: Callable[[str], MainWindow], qtbot: QtBot) -> None:
    window = finding("sea")
    QTest.keyClick(window.tools.find_bar.words, Qt.Key.Key_Escape)
    window.actions_by_name["find_next"].trigger()
    qtbot.waitUntil(lambda: selected(window) == "sea", timeout=WAIT)


def test_a_window_that_reads_only_offers_no_replacing(
    world: FakeWorld, finding: Callable[[str], MainWindow], open_window: Callable[[FakeWorld], MainWindow]
) -> None:
    window = finding("sea")
    assert window.tools.find_bar.lower_row.isVisible()
    window.page.setReadOnly(True)
    window.tools.find_bar.replace_button.click()
    assert window.page.text() == TEXT

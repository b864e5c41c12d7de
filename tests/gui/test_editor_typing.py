"""Typing, composing, pasting and copying on the page, in several scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QInputMethodEvent, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from storydesk.domain.settings import DAILY_GOAL, SMART_TYPING, TYPEWRITER, TYPING_LANGUAGE
from storydesk.domain.smart_typing import find_manners
from storydesk.ui.editor.page import PageEdit
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT

# Smart signs


def test_signs_become_typographic_and_backspace_gives_the_plain_one_back(page: PageEdit) -> None:
    page.smart_keys.set_manners(find_manners("en-US"))
    QTest.keyClicks(page, '"No," he said--"don\'t..."')
    assert page.text() == "“No,” he said—“don’t…”"
    QTest.keyClick(page, Qt.Key.Key_Backspace)
    assert page.text() == '“No,” he said—“don’t…"'
    QTest.keyClick(page, Qt.Key.Key_Backspace)
    assert page.text() == "“No,” he said—“don’t…"


def test_undo_right_after_gives_the_plain_sign_back(page: PageEdit) -> None:
    page.smart_keys.set_manners(find_manners("fr"))
    QTest.keyClicks(page, 'a "')
    assert page.text() == "a «\u202f"
    page.undo()
    assert page.text() == 'a "'
    page.redo()
    QTest.keyClicks(page, "oui")
    assert page.text() == "a «\u202foui"


def test_signs_stay_plain_where_that_is_wished(page: PageEdit) -> None:
    QTest.keyClicks(page, '"No"--...')
    assert page.text() == '"No"--...'


def test_a_selection_is_replaced_by_a_smart_sign(page: PageEdit) -> None:
    page.smart_keys.set_manners(find_manners("en-US"))
    page.set_text("a word")
    page.go_to(2, 6)
    QTest.keyClicks(page, '"')
    assert page.text() == "a “"


# Composing


def compose(page: PageEdit, preedit: str, commit: str = "") -> None:
    event = QInputMethodEvent(preedit, [])
    if commit:
        event.setCommitString(commit)
    QApplication.sendEvent(page, event)


def test_a_chunk_that_comes_while_composing_waits(page: PageEdit) -> None:
    page.set_text("彼は")
    page.show_ghost(" a")
    scrolled = page.verticalScrollBar().maximum()
    for preedit in ("う", "うm", "うみ"):
        compose(page, preedit)
        page.show_ghost(" a ghost that grows\n\nand grows\n\nand grows\n\n" * 9)
        page.viewport().grab()
        layout = page.textCursor().block().layout()
        assert layout.preeditAreaText() == preedit
        assert page.verticalScrollBar().maximum() == scrolled
        assert page.text() == "彼は"
    compose(page, "")
    assert page.ghost.startswith(" a ghost that grows")
    assert page.verticalScrollBar().maximum() > scrolled


def test_a_committed_word_drops_what_waited(page: PageEdit, qtbot: QtBot) -> None:
    page.set_text("彼は")
    compose(page, "うみ")
    page.show_ghost(" ghost")
    with qtbot.waitSignal(page.ghost_dropped):
        compose(page, "", "海")
    assert (page.text(), page.ghost, page.is_composing) == ("彼は海", "", False)
    page.undo()
    assert page.text() == "彼は"


def test_a_word_put_in_place_of_a_selection_while_composing_goes_on_is_known(page: PageEdit) -> None:
    page.set_text("한국 말")
    page.go_to(0, 2)
    compose(page, "어", "조선")
    assert page.text() == page.document().toRawText().replace("\u2029", "\n") == "조선 말"
    compose(page, "")
    assert page.text() == "조선 말"


def test_formats_come_back_after_composing(page: PageEdit) -> None:
    page.set_text("*彼は*")
    page.viewport().grab()
    before = [(piece.start, piece.length) for piece in page.document().firstBlock().layout().formats()]
    compose(page, "う")
    compose(page, "")
    page.viewport().grab()
    after = [(piece.start, piece.length) for piece in page.document().firstBlock().layout().formats()]
    assert before
    assert after == before


# Right to left


def test_a_paragraph_runs_as_its_letters_do(page: PageEdit) -> None:
    page.set_text("שלום עולם\nhello")
    page.viewport().grab()
    hebrew, english = page.document().findBlockByNumber(0), page.document().findBlockByNumber(1)
    width = page.document().pageSize().width()
    assert hebrew.layout().lineAt(0).naturalTextRect().right() > width - page.document().documentMargin() - 2
    assert english.layout().lineAt(0).naturalTextRect().left() < page.document().documentMargin() + 2
    page.moveCursor(QTextCursor.MoveOperation.Start)
    right = page.cursorRect().left()
    QTest.keyClick(page, Qt.Key.Key_Left)
    assert page.textCursor().position() == 1
    assert page.cursorRect().left() < right


def test_a_ghost_goes_on_to_the_left_in_a_paragraph_that_does(page: PageEdit) -> None:
    page.set_text("שלום")
    page.show_ghost(" עולם טוב")
    assert page._ghost is not None
    layout = page._ghost._layout
    assert layout is not None
    assert layout.lineAt(0).naturalTextRect().right() <= page.cursorRect().right() + 2
    assert page.accept_ghost() == " עולם טוב"
    assert page.text() == "שלום עולם טוב"


def test_long_chinese_lines_break_and_a_click_finds_its_character(page: PageEdit) -> None:
    page.set_text("海边的钟响了十一下，她想起了那扇门。" * 20)
    layout = page.document().firstBlock().layout()
    page.viewport().grab()
    assert layout.lineCount() > 5
    page.go_to(100, 100)
    assert page.cursorForPosition(page.cursorRect().center()).position() == 100


# Pasting, copying, dropping


def test_pasting_cleans_and_pasting_exactly_does_not(story_window: MainWindow) -> None:
    page = story_window.page
    page.selectAll()
    data = QMimeData()
    data.setHtml("<p>A <i>soft\u00adly</i> <b>said</b> word</p><p>&nbsp;&nbsp;next</p>")
    data.setText("A soft\u00adly said word\n\u00a0\u00a0next")
    QGuiApplication.clipboard().setMimeData(data)
    page.paste()
    assert page.text() == "A *softly* **said** word\n\nnext"
    page.selectAll()
    story_window.actions_by_name["paste_exactly"].trigger()
    assert page.text() == "A soft\u00adly said word\n\u00a0\u00a0next"
    page.undo()
    assert page.text() == "A *softly* **said** word\n\nnext"


def test_copying_with_its_look_and_as_markdown(story_window: MainWindow) -> None:
    story_window.page.set_text("# One\n\nShe *walked*.")
    story_window.actions_by_name["copy_rich"].trigger()
    copied = QGuiApplication.clipboard().mimeData()
    assert "<h1>One</h1>" in copied.html()
    assert "<em>walked</em>" in copied.html()
    story_window.page.go_to(7, 20)
    story_window.actions_by_name["copy_markdown"].trigger()
    assert QGuiApplication.clipboard().text() == "She *walked*."


def test_what_was_copied_here_comes_back_letter_by_letter(page: PageEdit) -> None:
    page.set_text("\tindented\u00ad  \n\n\n\nfar")
    text = page.text()
    page.selectAll()
    page.copy()
    page.set_text("")
    page.paste()
    assert page.text() == text


def test_a_document_dropped_onto_the_window_becomes_a_story(
    story_window: MainWindow, tmp_path: Path, qtbot: QtBot
) -> None:
    wanted: list[Path] = []
    story_window.tools.import_wanted.disconnect(story_window.workroom.manuscripts.import_document)
    story_window.tools.import_wanted.connect(wanted.append)
    form = story_window.workroom.desk.publishing.readable_formats[0]
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / f"one.{form}")), QUrl.fromLocalFile(str(tmp_path / "two.exe"))])
    at, buttons = QPointF(200, 200), Qt.MouseButton.LeftButton
    enter = QDragEnterEvent(at.toPoint(), Qt.DropAction.CopyAction, data, buttons, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(story_window, enter)
    assert enter.isAccepted()
    drop = QDropEvent(at, Qt.DropAction.CopyAction, data, buttons, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(story_window, drop)
    assert [path.name for path in wanted] == [f"one.{form}"]


# In the window


def test_the_page_is_set_as_the_settings_say(story_window: MainWindow, world: FakeWorld) -> None:
    QTest.keyClicks(story_window.page, ' "')
    assert story_window.page.text().endswith("“")
    world.desk.settings.set(TYPING_LANGUAGE, "de")
    story_window.tools.apply_settings()
    QTest.keyClicks(story_window.page, ' "')
    assert story_window.page.text().endswith("„")
    world.desk.settings.set(SMART_TYPING, False)
    story_window.tools.apply_settings()
    QTest.keyClicks(story_window.page, ' "')
    assert story_window.page.text().endswith('"')
    story_window.actions_by_name["typewriter"].trigger()
    assert story_window.page.look.typewriter
    assert world.desk.settings.get(TYPEWRITER)


def test_a_selection_is_counted_beside_the_whole(story_window: MainWindow, qtbot: QtBot) -> None:
    page = story_window.page
    page.insert("\nOne two three.\nFour five.")
    page.go_to(5, page.document().characterCount() - 7)
    qtbot.waitUntil(lambda: story_window.status.words.text() == "9 of 11 words", timeout=WAIT)
    page.go_to(0, 0)
    qtbot.waitUntil(lambda: story_window.status.words.text() == "11 words", timeout=WAIT)
    assert "5 words since you opened Storydesk" in story_window.status.words.toolTip()


def test_the_days_words_add_up_over_stories(
    world: FakeWorld, open_window: Callable[[FakeWorld], MainWindow], qtbot: QtBot
) -> None:
    world.desk.settings.set(DAILY_GOAL, 4)
    first = world.desk.manuscripts.add_story("One", "", "a b c")
    second = world.desk.manuscripts.add_story("Two", "", "")
    window = open_window(world)
    manuscripts = window.workroom.manuscripts
    QTest.keyClicks(window.page, "d e")
    other = first if manuscripts.opened is not None and manuscripts.opened.story.id == second.id else second
    with qtbot.waitSignal(manuscripts.story_opened, timeout=WAIT):
        manuscripts.open_story(other.id)
    QTest.keyClicks(window.page, " f g")
    qtbot.waitUntil(lambda: "4 of 4" in window.library.goal_label.text(), timeout=WAIT)


def test_the_text_can_be_larger_and_as_usual_again(story_window: MainWindow) -> None:
    usual = story_window.page.font().pointSize()
    story_window.actions_by_name["larger_text"].trigger()
    assert story_window.page.font().pointSize() == usual + 1
    story_window.actions_by_name["usual_text"].trigger()
    assert story_window.page.font().pointSize() == usual


def test_full_screen_leaves_the_panels(story_window: MainWindow) -> None:
    story_window.actions_by_name["full_screen"].trigger()
    assert story_window.isFullScreen()
    assert story_window.library.isVisible()
    story_window.actions_by_name["full_screen"].trigger()
    assert not story_window.isFullScreen()

"""Writing in the window: what a writer types, asks for, accepts and reads in the status bar."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from storydesk.bridge.answer_stream import Chunk
from storydesk.domain.failures import FailureCode, StorydeskError
from storydesk.domain.settings import GOAL_PROGRESS
from storydesk.services.manuscripts import ManuscriptService
from storydesk.storage.library import SqliteLibrary
from storydesk.ui.assistant.polish_page import PolishPage
from storydesk.ui.main_window import MainWindow
from tests.fakes.services import FakeChecker, FakeWorld
from tests.gui.conftest import WAIT, make_library_world

Open = Callable[[FakeWorld], MainWindow]


def _text_on_disk(world: FakeWorld) -> str:
    story = world.desk.manuscripts.list_stories()[0]
    return world.desk.manuscripts.open_story(story.id).text


def _go_on(window: MainWindow, qtbot: QtBot, words: int = 6) -> None:
    window.partner.write.words_box.setValue(words)
    window.actions_by_name["go_on"].trigger()
    qtbot.waitUntil(lambda: bool(window.page.ghost) and not window.workroom.writing.is_writing, timeout=WAIT)


def test_typing_is_saved_counted_and_said(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    QTest.keyClicks(story_window.page, " And warm.")
    assert story_window.status.saved.text() == "Saving …"
    qtbot.waitUntil(lambda: story_window.status.saved.text() == "Saved", timeout=WAIT)
    assert _text_on_disk(world) == "Mara found it at low tide. And warm."
    qtbot.waitUntil(lambda: story_window.status.words.text() == "8 words", timeout=WAIT)
    assert "2" in story_window.library.goal_label.text()


def test_closing_saves_the_last_key(story_window: MainWindow, tmp_path: Path) -> None:
    QTest.keyClicks(story_window.page, "!")
    story_window.close()
    again = SqliteLibrary(tmp_path / "library.sqlite")
    assert again.list_drafts(again.list_stories()[0].id)[0].text.endswith("tide.!")
    again.close()


def test_what_was_written_today_counts_again_tomorrow_only(story_window: MainWindow, world: FakeWorld) -> None:
    QTest.keyClicks(story_window.page, " And warm.")
    story_window.close()
    assert world.desk.settings.get(GOAL_PROGRESS).endswith(" 2")


def test_a_full_disk_is_said_and_the_text_stays(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    def fail(_draft: int, _text: str) -> None:
        raise StorydeskError(FailureCode.DISK_FULL, path="library")

    autosave = story_window.workroom.manuscripts.autosave
    real, autosave._save = autosave._save, fail
    QTest.keyClicks(story_window.page, "x")
    qtbot.waitUntil(lambda: story_window.status.saved.text() == "Not saved", timeout=WAIT)
    qtbot.waitUntil(lambda: "full" in story_window.notice_bar.shown_text, timeout=WAIT)
    autosave._save = real
    qtbot.waitUntil(lambda: story_window.status.saved.text() == "Saved", timeout=WAIT)
    assert _text_on_disk(world).endswith("x")


def test_perplexity_follows_the_text(story_window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: story_window.status.perplexity.text() == "perplexity 7.4", timeout=WAIT)
    assert story_window.status.nats.text() == "2.00 nats a word"
    story_window.page.selectAll()
    QTest.keyClick(story_window.page, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not story_window.status.perplexity.isVisible(), timeout=WAIT)


def test_go_on_streams_a_ghost_that_tab_accepts_and_undo_takes_back(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    _go_on(story_window, qtbot)
    ghost = story_window.page.ghost
    assert len(ghost.split()) == 6
    assert _text_on_disk(world) == "Mara found it at low tide."
    QTest.keyClick(story_window.page, Qt.Key.Key_Tab)
    assert story_window.page.text() == f"Mara found it at low tide.{ghost}"
    qtbot.waitUntil(lambda: story_window.status.saved.text() == "Saved", timeout=WAIT)
    draft = story_window.workroom.manuscripts.opened
    assert draft is not None
    [record] = world.desk.library.list_generations(draft.draft.id)
    assert (record.text, record.model, record.prompt) == (ghost, "starter", "A door on the beach")
    story_window.page.undo()
    assert story_window.page.text() == "Mara found it at low tide."


def test_three_ways_are_cards_with_perplexity_and_keys(story_window: MainWindow, qtbot: QtBot) -> None:
    story_window.partner.write.words_box.setValue(5)
    QTest.keyClick(
        story_window.page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    )
    writing = story_window.workroom.writing
    qtbot.waitUntil(lambda: len(writing.candidates) == 3, timeout=WAIT)
    qtbot.waitUntil(lambda: all(way.perplexity for way in writing.candidates), timeout=WAIT)
    cards = list(story_window.partner.write._cards.values())
    assert [card.chip.text() for card in cards] == ["perplexity 7"] * 3
    second = writing.candidates[1].text
    QTest.keyClick(story_window.page, Qt.Key.Key_2, Qt.KeyboardModifier.AltModifier)
    assert story_window.page.text() == f"Mara found it at low tide.{second}"
    assert not writing.candidates
    story_window.page.undo()
    assert story_window.page.text() == "Mara found it at low tide."


def test_escape_leaves_the_other_ways_to_choose_from(story_window: MainWindow, qtbot: QtBot) -> None:
    story_window.actions_by_name["three_ways"].trigger()
    writing = story_window.workroom.writing
    qtbot.waitUntil(lambda: not writing.is_writing and bool(story_window.page.ghost), timeout=WAIT)
    QTest.keyClick(story_window.page, Qt.Key.Key_Escape)
    assert story_window.page.ghost == ""
    assert len(writing.candidates) == 3


def test_typing_drops_what_was_suggested(story_window: MainWindow, qtbot: QtBot) -> None:
    _go_on(story_window, qtbot)
    QTest.keyClicks(story_window.page, "x")
    assert (story_window.page.ghost, story_window.workroom.writing.candidates) == ("", [])
    assert story_window.partner.write.hint.isVisible()


def test_strangers_of_an_old_wish_are_dropped(story_window: MainWindow, qtbot: QtBot) -> None:
    _go_on(story_window, qtbot)
    old = story_window.workroom.writing.candidates[0].request.id
    _go_on(story_window, qtbot)
    ghost = story_window.page.ghost
    story_window.workroom.engine.chunk_ready.emit(Chunk(old, " a stranger"))
    assert story_window.page.ghost == ghost


def test_stop_keeps_what_has_come(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    world.loader.script = ["word"]
    story_window.partner.write.words_box.setValue(2000)
    story_window.actions_by_name["go_on"].trigger()
    assert story_window.partner.write.stop_button.isVisible()
    qtbot.waitUntil(lambda: bool(story_window.page.ghost) or not story_window.workroom.writing.is_writing, timeout=WAIT)
    story_window.actions_by_name["stop"].trigger()
    ghost = story_window.page.ghost
    assert ghost
    assert story_window.partner.write.go_button.isVisible()
    qtbot.wait(50)
    assert story_window.page.ghost == ghost


def test_nothing_to_go_on_is_said(window: MainWindow, qtbot: QtBot) -> None:
    window.actions_by_name["new_story"].trigger()
    qtbot.waitUntil(lambda: window.centre.currentWidget() is window.page, timeout=WAIT)
    window.actions_by_name["go_on"].trigger()
    qtbot.waitUntil(lambda: "no text" in window.notice_bar.shown_text, timeout=WAIT)


def test_the_prompt_belongs_to_the_story(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    assert story_window.partner.write.prompt.toPlainText() == "A door on the beach"
    story_window.partner.write.prompt.setPlainText("A bell under the sea")
    story_window.workroom.manuscripts.save_all()
    assert story_window.workroom.library.drain(5)
    assert world.desk.manuscripts.list_stories()[0].prompt == "A bell under the sea"


@pytest.mark.qt_log_ignore("This plugin does not support")  # of the offscreen platform, about any menu
def test_an_underlined_word_is_mended_by_a_click(story_window: MainWindow, qtbot: QtBot) -> None:
    story_window.page.set_text("Mara found teh door.")
    story_window.workroom.note_replaced()
    qtbot.waitUntil(lambda: len(story_window.notes.findings.shown) == 1, timeout=WAIT)
    qtbot.waitUntil(lambda: story_window.status.notes.text() == "1 grammar note", timeout=WAIT)
    cursor = story_window.page.textCursor()
    cursor.setPosition(12)
    spot = story_window.page.cursorRect(cursor).center() + QPoint(1, 0)
    QTest.mouseClick(story_window.page.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    menus = [menu for menu in story_window.page.findChildren(QMenu) if menu.isVisible()]
    assert len(menus) == 1
    fix = next(action for action in menus[0].actions() if action.text() == "the")
    fix.trigger()
    menus[0].close()
    assert story_window.page.text() == "Mara found the door."
    assert not story_window.notes.findings.shown
    story_window.page.undo()
    assert story_window.page.text() == "Mara found teh door."


def test_a_learnt_word_stays_learnt(open_window: Open, world: FakeWorld, qtbot: QtBot) -> None:
    world.checkers["harper"] = FakeChecker("harper", {"teh": "the"})
    world.desk.manuscripts.add_story("The Salt Road", "", "Mara found teh door.")
    story_window = open_window(world)
    qtbot.waitUntil(lambda: len(story_window.notes.findings.shown) == 1, timeout=WAIT)
    with qtbot.waitSignal(story_window.workroom.grammar.report_ready, timeout=WAIT):
        story_window.notes.learn(story_window.notes.findings.shown[0])
    assert list(world.desk.library.list_dictionary()) == ["teh"]
    assert not story_window.notes.findings.shown


def _open_polish(window: MainWindow, text: str, qtbot: QtBot) -> PolishPage:
    window.page.set_text(text)
    window.workroom.note_replaced()
    window.actions_by_name["polish"].trigger()
    qtbot.waitUntil(lambda: isinstance(window.pages.currentWidget(), PolishPage), timeout=WAIT)
    page = window.pages.currentWidget()
    assert isinstance(page, PolishPage)
    return page


def test_polish_shows_a_diff_and_puts_it_in_as_one_step(story_window: MainWindow, qtbot: QtBot) -> None:
    text = "Mara did recieve teh door. Then teh sea. “Shut teh door,” she said."
    page = _open_polish(story_window, text, qtbot)
    assert page.hunks.rowCount() == 2  # speech stays as it is
    assert story_window.page.text() == text
    page.list.setCurrentIndex(page.hunks.index(1))
    QTest.keyClick(page.list, Qt.Key.Key_Space)
    page.apply_button.click()
    assert story_window.page.text() == "Mara did receive the door. Then teh sea. “Shut teh door,” she said."
    assert story_window.pages.currentWidget() is story_window.desk_page
    story_window.page.undo()
    assert story_window.page.text() == text


def test_a_kind_of_correction_is_taken_or_left_as_a_whole(story_window: MainWindow, qtbot: QtBot) -> None:
    page = _open_polish(story_window, "Mara did recieve teh door.", qtbot)
    spelling = next(box for box in page.categories if box.property("category") == "spelling")
    spelling.click()
    page.apply_button.click()
    assert story_window.page.text() == "Mara did receive teh door."


def test_leaving_the_diff_changes_nothing_and_the_notes_are_listed(story_window: MainWindow, qtbot: QtBot) -> None:
    page = _open_polish(story_window, "Mara did recieve teh door.", qtbot)
    QTest.keyClick(page.list, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: story_window.pages.currentWidget() is story_window.desk_page, timeout=WAIT)
    assert story_window.page.text() == "Mara did recieve teh door."
    shown = story_window.partner.polish.list
    assert [shown.item(row).text().split("\n")[0] for row in range(shown.count())] == [
        "Spelling (1)",
        "teh  →  the",
        "Grammar (1)",
        "recieve  →  receive",
    ]
    story_window.partner.polish.mend_button.click()
    assert story_window.page.text() == "Mara did receive the door."


def test_what_is_ignored_stays_away_after_the_next_start(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    story_window.page.set_text("😀 Mara saw teh door. Then teh sea.")
    story_window.workroom.note_replaced()
    notes = story_window.notes
    qtbot.waitUntil(lambda: len(notes.findings.shown) == 2, timeout=WAIT)
    notes.ignore(notes.findings.shown[1])
    story = world.desk.manuscripts.list_stories()[0]
    qtbot.waitUntil(lambda: bool(world.desk.manuscripts.polish_settings(story.id).ignored), timeout=WAIT)
    with qtbot.waitSignal(story_window.workroom.grammar.report_ready, timeout=WAIT):
        story_window.workroom.look_again()
    assert len(notes.findings.shown) == 1
    notes.ignore_rule(notes.findings.shown[0])
    qtbot.waitUntil(lambda: bool(world.desk.manuscripts.polish_settings(story.id).ignored_rules), timeout=WAIT)
    assert not notes.findings.shown


def test_other_languages_are_offered_once_languagetool_was_asked(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    world.checkers["languagetool"].languages = ("de-DE", "en-US", "fr")
    button = story_window.partner.polish.story_menu

    def offered() -> list[QAction]:
        button.menu().aboutToShow.emit()
        [languages] = [menu for menu in button.menu().findChildren(QMenu) if menu.title() == "Language"][-1:]
        return languages.actions()

    with qtbot.waitSignal(story_window.workroom.grammar.languages_ready, timeout=WAIT):
        offered()[-1].trigger()
    german = next(action for action in offered() if "de-DE" in action.text())
    german.trigger()
    story = world.desk.manuscripts.list_stories()[0]
    qtbot.waitUntil(lambda: world.desk.manuscripts.polish_settings(story.id).language == "de-DE", timeout=WAIT)


def test_ctrl_s_keeps_the_draft_and_goes_on_in_a_copy(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    QTest.keyClick(story_window.page, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: story_window.top.draft_button.text() == "Draft 2", timeout=WAIT)
    QTest.keyClicks(story_window.page, " More.")
    qtbot.waitUntil(lambda: story_window.status.saved.text() == "Saved", timeout=WAIT)
    story = world.desk.manuscripts.list_stories()[0]
    texts = {draft.name: draft.text for draft in world.desk.manuscripts.list_drafts(story.id)}
    assert texts == {"1": "Mara found it at low tide.", "2": "Mara found it at low tide. More."}


def test_stories_can_be_made_renamed_found_trashed_and_taken_back(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot
) -> None:
    manuscripts = world.desk.manuscripts
    QTest.keyClick(story_window.page, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: story_window.page.text() == "", timeout=WAIT)
    QTest.keyClicks(story_window.top.title, "Fables")
    QTest.keyClicks(story_window.page, "A fox came by.")
    qtbot.waitUntil(lambda: manuscripts.list_stories()[0].title == "Fables", timeout=WAIT)
    qtbot.waitUntil(lambda: story_window.status.saved.text() == "Saved", timeout=WAIT)
    story_window.library.search.setText("fox")
    qtbot.waitUntil(lambda: story_window.library.model.rowCount() == 1, timeout=WAIT)
    story_window.library.search.clear()
    qtbot.waitUntil(lambda: story_window.library.model.rowCount() == 2, timeout=WAIT)
    story_window.actions_by_name["trash_story"].trigger()
    qtbot.waitUntil(lambda: story_window.page.text() == "Mara found it at low tide.", timeout=WAIT)
    assert story_window.library.undo_bar.isVisible()
    story_window.library.undo_bar.button.click()
    qtbot.waitUntil(lambda: story_window.page.text() == "A fox came by.", timeout=WAIT)
    assert not manuscripts.list_stories(trash=True)


def test_the_first_start_offers_a_sample_that_writes(window: MainWindow, qtbot: QtBot) -> None:
    assert window.centre.currentWidget() is window.empty
    window.empty.sample_button.click()
    qtbot.waitUntil(lambda: bool(window.page.ghost), timeout=WAIT)
    assert "door" in window.partner.write.prompt.toPlainText()


def test_a_second_window_reads_only_and_says_so(tmp_path: Path, open_window: Open, qtbot: QtBot) -> None:
    first = make_library_world(tmp_path)
    first.desk.manuscripts.add_story("The Salt Road", "A door", "Mara found it.")
    writer = open_window(first)
    library = SqliteLibrary(tmp_path / "library.sqlite")
    assert library.read_only
    desk = dataclasses.replace(
        first.desk, library=library, manuscripts=ManuscriptService(library, first.documents), engines=first.desk.engines
    )
    reader = MainWindow(
        type(writer.workroom)(desk), type(writer.notices)(), writer.phrases
    )  # without engines: one engine belongs to one thread
    qtbot.addWidget(reader)
    reader.begin()
    reader.show()
    assert reader.banner.isVisible()
    assert reader.page.isReadOnly()
    assert reader.page.text() == "Mara found it."
    QTest.keyClicks(reader.page, "x")
    assert reader.page.text() == "Mara found it."
    assert not reader.actions_by_name["new_story"].isEnabled()
    assert reader.status.saved.text() == "Reading only"
    assert not writer.banner.isVisible()
    reader.close()


@pytest.mark.parametrize("name", ["toggle_library", "toggle_partner"])
def test_panels_fold_and_come_back(story_window: MainWindow, name: str) -> None:
    panel = story_window.library if name == "toggle_library" else story_window.partner
    assert panel.isVisible()
    story_window.actions_by_name[name].trigger()
    assert not panel.isVisible()
    story_window.actions_by_name[name].trigger()
    assert panel.isVisible()


def test_a_narrow_window_has_no_partner_until_it_is_wanted(story_window: MainWindow) -> None:
    story_window.resize(1024, 768)
    assert not story_window.partner.isVisible()
    story_window.actions_by_name["go_to_prompt"].trigger()
    assert story_window.partner.isVisible()
    assert story_window.partner.write.prompt.hasFocus()


def test_focus_leaves_the_page_alone(story_window: MainWindow) -> None:
    story_window.actions_by_name["focus_mode"].trigger()
    assert not any(part.isVisible() for part in (story_window.library, story_window.partner, story_window.top))
    assert story_window.page.isVisible()
    story_window.actions_by_name["focus_mode"].trigger()
    assert story_window.library.isVisible()


def test_f6_goes_round_the_panes(story_window: MainWindow) -> None:
    story_window.page.setFocus()
    seen = []
    for _number in range(4):
        QTest.keyClick(story_window, Qt.Key.Key_F6)
        seen.append(story_window.focusWidget())
    assert len(set(seen)) == 4
    assert seen[-1] is story_window.page

"""Being at home: the palette, keys of one's own, the tour, and finding things as they were left."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from storydesk.domain.settings import INTERFACE_PERCENT, KEYS, LESS_MOTION, PALETTE_RECENT, PLACES, TOUR_SEEN
from storydesk.ui.actions import TABLE
from storydesk.ui.main_window import MainWindow
from storydesk.ui.palette.matching import score
from storydesk.ui.preferences import PreferencesDialog
from storydesk.ui.preferences.keys_page import KeysPage
from storydesk.ui.theme import apply_theme, is_still, set_comfort
from tests.fakes.services import FakeWorld
from tests.gui.conftest import WAIT, make_library_world
from tests.gui.places import find_place

OpenWindow = Callable[[FakeWorld], MainWindow]


@pytest.fixture(autouse=True)
def _as_usual(qapp: QApplication) -> Iterator[None]:
    yield
    set_comfort(qapp)
    apply_theme(qapp, "light")


def start_anew(world: FakeWorld) -> FakeWorld:
    """Return what the next start of the program finds: the same files and settings."""
    new = make_library_world(world.home)
    return dataclasses.replace(new, desk=dataclasses.replace(new.desk, settings=world.settings))


def type_into(window: MainWindow, words: str) -> list[str]:
    """Open the palette, type, and return what it lists."""
    window.actions_by_name["palette"].trigger()
    QTest.keyClicks(window.at_home.palette.field, words)
    return [entry.text for entry in window.at_home.palette.entries]


# The palette


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("keep draft", "Keep this draft and go on in a new one"),
        ("GRAM next", "Next grammar note"),
        ("kd", "Keep draft"),
    ],
)
def test_words_in_any_order_and_first_letters_find_an_action(query: str, text: str) -> None:
    assert score(query, text) > 0


def test_what_does_not_fit_is_not_found_and_better_fits_come_first() -> None:
    assert score("zebra", "Next grammar note") == 0
    assert score("export", "Export") > score("export", "Export everything") > score("port", "Export")
    assert score("", "anything") > 0
    assert score("naive", "Naïve reader") > 0


def test_an_action_is_found_and_done_by_keys_alone(story_window: MainWindow) -> None:
    listed = type_into(story_window, "larger")
    assert listed[0] == "Larger text"
    before = story_window.page.font().pointSize()
    QTest.keyClick(story_window.at_home.palette.field, Qt.Key.Key_Return)
    assert story_window.page.font().pointSize() == before + 1
    assert not story_window.at_home.palette.isVisible()
    assert story_window.focusWidget() is story_window.page


def test_the_last_used_action_comes_first_also_in_the_next_window(
    story_window: MainWindow, world: FakeWorld, open_window: OpenWindow
) -> None:
    type_into(story_window, "smaller")
    QTest.keyClick(story_window.at_home.palette.field, Qt.Key.Key_Return)
    assert world.settings.get(PALETTE_RECENT) == "smaller_text"
    story_window.actions_by_name["palette"].trigger()
    assert story_window.at_home.palette.entries[0].text == "Smaller text"


def test_a_story_is_opened_by_its_title(story_window: MainWindow, world: FakeWorld, qtbot: QtBot) -> None:
    world.desk.manuscripts.add_story("Bell under the sea")
    type_into(story_window, "bell und")
    palette = story_window.at_home.palette
    qtbot.waitUntil(lambda: any(entry.text == "Bell under the sea" for entry in palette.entries), timeout=WAIT)
    QTest.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: story_window.top.title.text() == "Bell under the sea", timeout=WAIT)


def test_the_arrows_go_round_and_escape_changes_nothing(story_window: MainWindow) -> None:
    palette = story_window.at_home.palette
    assert len(type_into(story_window, "note")) > 2
    QTest.keyClick(palette.field, Qt.Key.Key_Up)
    assert palette.list.currentIndex().row() == len(palette.entries) - 1
    QTest.keyClick(palette.field, Qt.Key.Key_Down)
    assert palette.list.currentIndex().row() == 0
    QTest.keyClick(palette.field, Qt.Key.Key_Escape)
    assert not palette.isVisible()
    assert story_window.focusWidget() is story_window.page


def test_nothing_found_is_said(story_window: MainWindow) -> None:
    assert type_into(story_window, "qqqq") == []
    assert story_window.at_home.palette.nothing.isVisible()
    QTest.keyClick(story_window.at_home.palette.field, Qt.Key.Key_Return)
    assert story_window.at_home.palette.isVisible()


def test_every_action_is_in_the_palette_or_off(story_window: MainWindow) -> None:
    story_window.actions_by_name["palette"].trigger()
    listed = {entry.name for entry in story_window.at_home.palette.entries}
    off = {name for name, action in story_window.actions_by_name.items() if not action.isEnabled()}
    assert listed | off | {"palette"} >= {spec.id for spec in TABLE}


# Keys


def open_keys(window: MainWindow, qtbot: QtBot) -> KeysPage:
    dialog = find_place("preferences-keys").open(window, lambda done: qtbot.waitUntil(done, timeout=WAIT))
    assert isinstance(dialog, PreferencesDialog)
    assert dialog.keys_page is not None
    return dialog.keys_page


def press(page: KeysPage, key: Qt.Key, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Record a key as a writer does."""
    page.recorder.setFocus()
    QTest.keyClick(page.recorder, Qt.Key.Key_Space)
    assert page.recorder.is_listening
    QTest.keyClick(page.recorder, key, modifiers)


def test_a_key_is_recorded_works_at_once_and_after_the_next_start(
    story_window: MainWindow, world: FakeWorld, open_window: OpenWindow, qtbot: QtBot
) -> None:
    page = open_keys(story_window, qtbot)
    page.choose("larger_text")
    press(page, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert story_window.actions_by_name["larger_text"].shortcut() == QKeySequence("Ctrl+J")
    assert "Ctrl+J" in story_window.actions_by_name["larger_text"].toolTip()
    assert json.loads(world.settings.get(KEYS)) == {"larger_text": "Ctrl+J"}
    story_window.close()
    again = open_window(start_anew(world))
    assert again.actions_by_name["larger_text"].shortcut() == QKeySequence("Ctrl+J")
    before = again.page.font().pointSize()
    again.activateWindow()
    again.page.setFocus()
    QTest.keyClick(again.page, Qt.Key.Key_J, Qt.KeyboardModifier.ControlModifier)
    assert again.page.font().pointSize() == before + 1


def test_a_key_that_is_taken_is_said_and_can_be_taken_over(story_window: MainWindow, qtbot: QtBot) -> None:
    page = open_keys(story_window, qtbot)
    page.choose("larger_text")
    press(page, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert "“Export”" in page.said.text()
    assert story_window.shortcuts.key("export") == "Ctrl+E"
    QTest.keyClick(page.take_button, Qt.Key.Key_Space)
    assert story_window.shortcuts.key("larger_text") == "Ctrl+E"
    assert story_window.shortcuts.key("export") == ""
    QTest.keyClick(page.all_usual_button, Qt.Key.Key_Space)
    assert story_window.shortcuts.key("export") == "Ctrl+E"
    assert not story_window.shortcuts.is_changed("larger_text")


@pytest.mark.parametrize(
    ("key", "modifiers"),
    [(Qt.Key.Key_G, Qt.KeyboardModifier.NoModifier), (Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)],
)
def test_a_key_that_writes_or_edits_is_refused_in_words(
    story_window: MainWindow, qtbot: QtBot, key: Qt.Key, modifiers: Qt.KeyboardModifier
) -> None:
    page = open_keys(story_window, qtbot)
    page.choose("larger_text")
    press(page, key, modifiers)
    assert "for writing itself" in page.said.text()
    assert not story_window.shortcuts.is_changed("larger_text")


def test_escape_leaves_a_key_as_it_is_and_none_takes_it_away(story_window: MainWindow, qtbot: QtBot) -> None:
    page = open_keys(story_window, qtbot)
    page.choose("export")
    press(page, Qt.Key.Key_Escape)
    assert story_window.shortcuts.key("export") == "Ctrl+E"
    QTest.keyClick(page.none_button, Qt.Key.Key_Space)
    assert story_window.actions_by_name["export"].shortcut().isEmpty()
    QTest.keyClick(page.usual_button, Qt.Key.Key_Space)
    assert story_window.shortcuts.key("export") == "Ctrl+E"


def test_the_key_that_accepts_a_suggestion_can_be_another(story_window: MainWindow) -> None:
    story_window.shortcuts.set_key("accept_ghost", "Ctrl+Right")
    story_window.page.set_text("One")
    story_window.page.show_ghost(" two")
    QTest.keyClick(story_window.page, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert story_window.page.text() == "One two"


def test_f1_shows_all_keys_and_finds_one_by_its_words(story_window: MainWindow, qtbot: QtBot) -> None:
    story_window.actions_by_name["show_keys"].trigger()
    dialog = story_window.findChild(PreferencesDialog)
    assert dialog is not None
    page = dialog.keys_page
    assert page is not None
    assert page.table.rowCount() == len(TABLE)
    page.filter.setText("next gram")
    assert [page.table.item(row, 0).text() for row in range(page.table.rowCount())] == ["Next grammar note"]  # type: ignore[union-attr]


@pytest.mark.parametrize("kept", ["nonsense", "[]", '{"export": 7, "nothing": "Ctrl+J"}'])
def test_damaged_keys_are_passed_over(world: FakeWorld, open_window: OpenWindow, kept: str) -> None:
    world.settings.set(KEYS, kept)
    assert open_window(world).shortcuts.key("export") == "Ctrl+E"


# The tour


def test_the_tour_greets_once_and_comes_back_on_request(
    window: MainWindow, world: FakeWorld, open_window: OpenWindow
) -> None:
    tour = window.at_home.tour
    window.at_home.greet()
    assert tour.isVisible()
    for _pane in range(2):
        QTest.keyClick(tour.next_button, Qt.Key.Key_Space)
    QTest.keyClick(tour.next_button, Qt.Key.Key_Space)
    assert not tour.isVisible()
    assert world.settings.get(TOUR_SEEN)
    window.at_home.greet()
    assert not tour.isVisible()
    window.actions_by_name["show_tour"].trigger()
    assert tour.isVisible()
    QTest.keyClick(tour, Qt.Key.Key_Escape)
    assert not tour.isVisible()


def test_the_tour_s_sample_is_answered_by_the_model(window: MainWindow, qtbot: QtBot) -> None:
    window.at_home.greet()
    QTest.keyClick(window.at_home.tour.offer_button, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bool(window.page.ghost), timeout=WAIT)
    assert not window.at_home.tour.isVisible()


def test_somebody_with_stories_is_not_greeted(story_window: MainWindow) -> None:
    story_window.at_home.greet()
    assert not story_window.at_home.tour.isVisible()


# As it was left


def test_a_draft_is_found_where_it_was_left(world: FakeWorld, open_window: OpenWindow, qtbot: QtBot) -> None:
    text = "\n\n".join(f"Paragraph {number} of a long walk along the shore." for number in range(200))
    first = world.desk.manuscripts.add_story("Long", "", text)
    window = open_window(world)
    qtbot.waitUntil(lambda: window.page.text() == text, timeout=WAIT)
    place = text.index("Paragraph 90 ")
    window.page.go_to(place, place)
    qtbot.waitUntil(lambda: window.page.viewport().rect().intersects(window.page.cursorRect()), timeout=WAIT)
    top = window.page.cursorRect().top()
    window.workroom.manuscripts.add_story("Another")
    qtbot.waitUntil(lambda: window.page.text() == "", timeout=WAIT)
    window.workroom.manuscripts.open_story(first.id)
    qtbot.waitUntil(lambda: window.page.text() == text, timeout=WAIT)
    assert window.page.textCursor().position() == place
    qtbot.waitUntil(lambda: abs(window.page.cursorRect().top() - top) < 60, timeout=WAIT)
    window.page.moveCursor(QTextCursor.MoveOperation.Start)
    window.close()
    again = open_window(start_anew(world))
    assert again.page.text() == text
    assert again.page.textCursor().position() == 0
    assert again.page.verticalScrollBar().value() == 0


@pytest.mark.parametrize("kept", ["nonsense", "[]", '{"1": [9]}', '{"1": [99999, 99999]}', '{"1": [-4, -4]}'])
def test_a_place_that_is_gone_does_no_harm(world: FakeWorld, open_window: OpenWindow, kept: str) -> None:
    world.settings.set(PLACES, kept)
    world.desk.manuscripts.add_story("Short", "", "Three words here.")
    window = open_window(world)
    QApplication.processEvents()
    assert window.page.text() == "Three words here."


def test_the_tab_in_front_is_in_front_again(
    story_window: MainWindow, world: FakeWorld, open_window: OpenWindow
) -> None:
    story_window.actions_by_name["show_polish"].trigger()
    story_window.close()
    again = open_window(start_anew(world))
    assert again.partner.tab == "polish"
    assert again.actions_by_name["show_polish"].isChecked()


# Comfort


def test_the_interface_grows_and_rests_at_once(
    story_window: MainWindow, world: FakeWorld, qtbot: QtBot, qapp: QApplication
) -> None:
    dialog = find_place("preferences-look").open(story_window, lambda done: qtbot.waitUntil(done, timeout=WAIT))
    assert isinstance(dialog, PreferencesDialog)
    height, width = story_window.status.words.fontMetrics().height(), story_window.partner.width()
    page = story_window.page.font().pointSize()
    dialog.percent_box.setValue(200)
    qtbot.waitUntil(lambda: story_window.status.words.fontMetrics().height() > 1.7 * height, timeout=WAIT)
    assert story_window.partner.minimumWidth() > 1.7 * width
    assert story_window.page.font().pointSize() == page
    dialog.motion_box.click()
    assert is_still()
    assert qapp.cursorFlashTime() == 0
    assert (world.settings.get(INTERFACE_PERCENT), world.settings.get(LESS_MOTION)) == (200, True)


def test_where_there_is_little_room_one_panel_makes_way_for_the_other(story_window: MainWindow) -> None:
    story_window.resize(760, 600)
    story_window.actions_by_name["toggle_library"].setChecked(True)
    story_window.actions_by_name["toggle_partner"].setChecked(True)
    assert story_window.partner.isVisible()
    assert not story_window.library.isVisible()


def test_the_focus_can_be_seen_on_every_widget_of_the_desk(story_window: MainWindow) -> None:
    unseen = []
    widgets: list[QWidget] = [story_window.top.menu_button, story_window.top.export_button, story_window.top.title]
    widgets += [story_window.partner.write.go_button, story_window.partner.write.prompt, story_window.top.tune_button]
    for widget in widgets:
        story_window.page.setFocus()
        QApplication.processEvents()
        before = widget.grab().toImage()
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        QApplication.processEvents()
        if widget.grab().toImage() == before:
            unseen.append(widget.accessibleName() or type(widget).__name__)
    assert not unseen
